"""The chapter *Early exit*: its sentences and tables that need more than a record, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.attack import INFORMED, Budget, attack
from snnlab.data import Split
from snnlab.decoding import SILENT
from snnlab.encoding import encoder, first_active_step
from snnlab.exiting import ExitRule, dynamic_exit
from snnlab.network import Classifier
from snnlab.records import accuracy_of, change_over_seeds

__all__ = ["CHECKS", "clean_cost", "safe_exits", "where_errors_leave"]

#: rules from hasty to careful
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


def clean_cost(records: Sequence[Mapping[str, Any]]) -> str:
    """Return what a large guess of ε costs ``latency`` on clean digits, beside the prediction, as Markdown.

    Args:
        records: of all seeds, measured at every exit.
    """
    last = int(records[0]["num_steps"])
    changes = {
        e: change_over_seeds(*([accuracy_of(r, "worst", exit_step, 0.0) for r in records] for exit_step in (e, last)))
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
        left = [dynamic_exit(*outputs, rule, digits.labels) for outputs in read]
        exits = torch.cat([found.exit_steps[~_correct(found.correct)] for found in left])
        before, after = (exits < first).float().mean(), (exits > last).float().mean()
        shares = {f"exits 1 to {first - 1}": before, f"exits {first} to {last}": 1 - before - after}
        shares[f"exits {last + 1} to {num_steps}"] = after
        rows[str(rule)] = {"errors": f"{len(exits)}", **{title: f"{float(share):.0%}" for title, share in shares.items()}}
    return pd.DataFrame.from_dict(rows, orient="index")


def _correct(correct: Tensor | None) -> Tensor:
    assert correct is not None  # labels were given
    return correct


def _last_safe_exits(answer: Any) -> str | None:
    """exit.1: ``{code: exit}``, the last exit step that has read nothing of ε = 0.25 on a black pixel, T = 12; 0 if none."""
    codes = ("latency", "onset", "offset", "direct")
    if not isinstance(answer, Mapping) or set(answer) != set(codes):
        return f"give a dictionary with an exit step for each of {', '.join(codes)}"
    pixel = torch.full((1, 1, 1, 1), 0.25)
    for code in codes:
        acts_at = int((encoder(code, num_steps=12)(pixel).flatten() > 0).int().argmax())
        if code == "onset" and answer[code] == acts_at - 1:
            return "your exit for onset is that of latency; onset compares with greater than: what holds at t/T = 1 - ε?"
        if answer[code] != acts_at:
            side = "late: by then the perturbation has been read" if answer[code] > acts_at else "early: you could read on"
            return f"your exit for {code} is too {side}; an exit step e reads t = 0 … e-1"
    return None


#: answers at six exits, a column a sample
ANSWERS = torch.tensor(
    [
        [SILENT, 1, 0, SILENT, SILENT, 4],
        [3, 2, 1, SILENT, SILENT, 4],
        [3, 2, 0, SILENT, SILENT, SILENT],
        [3, 1, 1, SILENT, SILENT, 4],
        [3, 1, 0, SILENT, 5, 4],
        [3, 1, 1, SILENT, 5, 4],
    ]
)
#: where each leaves, by the patience
SETTLED = {1: [2, 1, 1, 6, 5, 1], 2: [3, 3, 6, 6, 6, 2], 3: [4, 6, 6, 6, 6, 6]}


def _patience(answer: Any) -> str | None:
    """exit.2: a function ``patience(answers, k)``: answers ``[T, N]`` → the first exit at which k answers in a row agree."""
    if not callable(answer):
        return "give the function itself, without calling it"
    for k, expected in SETTLED.items():
        found = answer(ANSWERS.clone(), k)
        if isinstance(found, list | tuple) and all(isinstance(e, int) or getattr(e, "ndim", 1) == 0 for e in found):
            found = torch.tensor([int(e) for e in found])
        if not isinstance(found, Tensor) or found.shape != (6,):
            return f"for answers [6, 6] the result should be a tensor [6], got {getattr(found, 'shape', type(found))}"
        if ((found < 1) | (found > 6)).any():
            return "exit steps go from 1 to T: count what has been read, and read who never settles to the end"
        if found[3] < 6:
            return f"with k = {k}, an output that stays silent ({SILENT}) has been taken for an answer"
        if found.tolist() != expected:
            sample = next(i for i, e in enumerate(expected) if found[i] != e)
            side = "late" if found[sample] > expected[sample] else "early"
            return f"with k = {k}, the answers {ANSWERS[:, sample].tolist()} leave too {side}"
    return None


def _joint_loss(answer: Any) -> str | None:
    """exit.3: a function ``joint_loss(logits, labels)``: the mean over exits and samples of the cross-entropy."""
    if not callable(answer):
        return "give the function itself, without calling it"
    logits = torch.randn(4, 3, 5, generator=torch.Generator().manual_seed(0)).cumsum(0).requires_grad_(True)
    labels = torch.tensor([0, 4, 2])
    found = answer(logits, labels)
    if not isinstance(found, Tensor) or found.shape != ():
        return f"the result should be a single number (a tensor of shape []), got {getattr(found, 'shape', type(found))}"
    if not found.requires_grad:
        return "the loss has no gradient: an attacker could not climb it"
    (gradient,) = torch.autograd.grad(found, logits)
    if (gradient.abs().sum((1, 2)) == 0).any():
        return "some exits do not count: an image that leaves there is not attacked"
    wanted = torch.stack([F.cross_entropy(z, labels) for z in logits]).mean()
    if not torch.allclose(found, wanted, atol=1e-5):
        return "every exit counts, but not as the mean of the exits' own cross-entropies; average losses, not logits"
    return None


CHECKS = {"exit.1": _last_safe_exits, "exit.2": _patience, "exit.3": _joint_loss}
