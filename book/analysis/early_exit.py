"""Tables and sentences of the chapter *Early exit*."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd
import torch
from torch import Tensor

from snnlab.attacks import INFORMED, Budget, attack
from snnlab.data import Split
from snnlab.encoding import first_active_step
from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule, dynamic_exit
from snnlab.statistics import Record, change_over_seeds

__all__ = ["clean_cost", "safe_exits", "where_errors_leave"]

#: rules, from the earliest exits to the latest
RULES: tuple[ExitRule, ...] = (
    ExitRule("first_spike"),
    ExitRule("margin", 1),
    ExitRule("margin", 2),
    ExitRule("margin", 3),
    ExitRule("margin", 4),
    ExitRule("confidence", 0.5),
    ExitRule("confidence", 0.9),
)


AIMS = (1, 2, 4, 6, 8)


def safe_exits(codes: Iterable[str], eps: float, num_steps: int = 8) -> dict[str, int]:
    """Return, for each code, the last exit that has processed nothing of an ε on black; 0 if there is none.

    >>> safe_exits(["latency", "onset", "direct"], 0.2)
    {'latency': 6, 'onset': 7, 'direct': 0}
    """
    return {code: first_active_step(eps, num_steps, code) for code in codes}


def clean_cost(records: Sequence[Record]) -> str:
    """Return how much clean accuracy ``latency`` loses by a large guess of ε, compared with the prediction, as Markdown.

    Args:
        records: of all seeds, measured at every exit.
    """
    last = records[0].num_steps
    changes = {
        e: change_over_seeds(*([r.accuracy("worst", exit_step) for r in records] for exit_step in (e, last)))
        for e in range(1, last)
    }
    lower = [e for e, change in changes.items() if change.direction == "lower"]
    free = [e for e in changes if not any(later in lower for later in range(e, last))]
    listed = ", ".join(f"{e} ({changes[e]})" for e in lower) or "none"
    text = f"On clean digits the exits that are clearly worse than exit {last} are: {listed}. "
    if not free:
        return text + "So a guess that is too large costs clean accuracy, as prediction 3 said."
    return (
        f"{text}From exit {free[0]} on, none is. So the part of prediction 3 about clean digits *fails* for guesses up to "
        f"ε = {1 - free[0] / last:g}: such a guess costs no clean accuracy that {len(records)} seeds can show. What a too "
        "early exit costs is accuracy under attack."
    )


def where_errors_leave(model: Classifier, digits: Split, eps: float) -> pd.DataFrame:
    """Return the share of the errors of each exit rule that leave before, in and after the window of ``latency``.

    Attacks: informed PGD-10 aimed at each of five exits. An error at any of them counts, at the exit where it left.

    Args:
        model: a network with the code ``latency``.
        digits: images and labels.
        eps: the budget.
    """
    generator = torch.Generator().manual_seed(0)
    attacked = [
        attack(model.at(exit_step=e), digits.images, digits.labels, Budget(eps), "pgd", INFORMED, generator=generator).images
        for e in AIMS
    ]
    num_steps = model.num_steps
    first, last = int(eps * num_steps) + 1, first_active_step(eps, num_steps)
    rows: dict[str, dict[str, str]] = {}
    with torch.no_grad():
        read = [model.read(images) for images in attacked]
    for rule in RULES:
        results = [dynamic_exit(*outputs, rule, digits.labels) for outputs in read]
        exits = torch.cat([result.exit_steps[~_correct(result.correct)] for result in results])
        before, after = (exits < first).float().mean(), (exits > last).float().mean()
        shares = {f"exits 1 to {first - 1}": before, f"exits {first} to {last}": 1 - before - after}
        shares[f"exits {last + 1} to {num_steps}"] = after
        rows[str(rule)] = {"errors": f"{len(exits)}", **{title: f"{float(share):.0%}" for title, share in shares.items()}}
    return pd.DataFrame.from_dict(rows, orient="index")


def _correct(correct: Tensor | None) -> Tensor:
    assert correct is not None  # labels were given
    return correct
