"""The chapter *Your turn*: how its verdict is to be read, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from snnlab.claims import Claim, measure
from snnlab.encoding import Latency
from snnlab.flags import FLAGS
from snnlab.records import accuracy_of
from snnlab.teach.entries import verify
from snnlab.teach.leaderboard import REQUIRED, ranked, refusal, row

__all__ = ["CHECKS", "candidates", "reading"]

#: why an entry has no rank
REASONS = ("attacks", "images", "flag")
#: invented entries: digits right within ε, digits, attacks, and a flag on the worst case
_CLASS: dict[str, tuple[int, int, tuple[str, ...], str]] = {
    "A": (412, 500, tuple(REQUIRED), ""),
    "B": (77, 100, tuple(REQUIRED), ""),
    "C": (335, 500, tuple(REQUIRED), FLAGS["not_ended"]("longer ones break 3.1% more")),
    "D": (39, 40, tuple(REQUIRED), ""),
    "E": (478, 500, ("fgsm.naive", "pgd.naive"), ""),
    "F": (455, 500, tuple(REQUIRED), FLAGS["not_near_chance"]("0.5 (71%)")),
}


def _invented(right: int, n: int, attacks: tuple[str, ...], flag: str) -> dict[str, Any]:
    """A record as far as a board reads it."""
    return {
        "dataset": "mnist5k",
        "split": "test",
        "n": n,
        "eps": [0.0, 0.1],
        "correct": {"worst": [[n, right]]},
        "attacks": {name: REQUIRED.get(name, name) for name in attacks},
        "flags": {"worst": [flag] if flag else []},
    }


def candidates() -> pd.DataFrame:
    """Six invented entries, as they were handed in."""
    rows = {name: row(name, _invented(*told)) for name, told in _CLASS.items()}
    return pd.DataFrame.from_dict(
        {
            name: {
                "left at ε = 0.1": r.left,
                "n": r.n,
                "attacks": ", ".join(_CLASS[name][2]),
                "flags": "; ".join(r.flags) or "none",
            }
            for name, r in rows.items()
        },
        orient="index",
    )


def reading(measured: Mapping[str, Any]) -> str:
    """Return how the verdict of the chapter's claim is to be read: the effect decides, not the number of comparisons.

    Args:
        measured: ``record["measured"]``; its comparisons are effect, reason and price, in this order.
    """
    effect, reason, _ = measured["comparisons"]
    confirmed = effect["outcome"] == "as claimed"
    text = (
        f"**How to read it.** The effect is what the idea was for, and it was {'' if confirmed else 'not '}confirmed. "
        f"The verdict, *{measured['verdict']}*, counts comparisons."
    )
    if reason["outcome"] == "as claimed" and reason["change"]["high"] < 0:
        text += (
            " The reason counts as claimed because it asked only that there be *no gain* at ε = 0.1. But there is a clear loss, "
            'which our reason does not explain. A better comparison would have asked for "the same".'
        )
    return text


def _rightful() -> dict[str, int | str]:
    """The rank of each candidate by the board's own rule, or why it has none."""
    found: dict[str, int | str] = {}
    for r in ranked([row(name, _invented(*told)) for name, told in _CLASS.items()]):
        reasons = {"not attacked": "attacks", "only": "images", "flag": "flag"}
        found[r.name] = r.rank or next(why for sign, why in reasons.items() if r.refused.startswith(sign))
    return found


def _ranks(answer: Any) -> str | None:
    """yourturn.1: ``{entry: rank, or "attacks", "images", "flag"}``."""
    right = _rightful()
    if not isinstance(answer, Mapping) or set(answer) != set(right):
        return f"give a dictionary with a rank, or a reason, for each of {', '.join(sorted(right))}"
    for name, wanted in sorted(right.items()):
        given = answer[name]
        if isinstance(given, str) and given not in REASONS:
            return f"{name}: {given!r} is no reason; choose one of {', '.join(REASONS)}"
        if given == wanted:
            continue
        if isinstance(given, str) and isinstance(wanted, int):
            return f"{name}: it may be ranked: not every flag costs a rank, and no other rule is broken"
        if isinstance(wanted, str) and isinstance(given, str):
            return f"{name}: right, it has no rank, but for another reason"
        if isinstance(wanted, str):
            return f"{name}: look at its attacks, its n and its flags before you look at its accuracy"
        return f"{name}: count the ranked entries whose whole interval lies above its own; one more is its rank"
    return None


SHAPES = ((8, 0.125), (4, 0.3), (5, 0.2))


def _derivative(answer: Any) -> str | None:
    """yourturn.2: a function ``derivative(x, num_steps, quiet, slope)``: ``[…]`` → ``[T, …]``, of ``latency`` above ``quiet``.

    Whatever smooth step it is made of: summed up from black, it must come back to the code as the slope grows.
    """
    if not callable(answer):
        return "give the function itself, without calling it"
    found = answer(torch.zeros(2, 1, 3, 3), 8, 0.125, 10.0)
    if not isinstance(found, Tensor) or found.shape != (8, 2, 1, 3, 3):
        return (
            f"for x [2, 1, 3, 3] and 8 steps: expected a tensor [8, 2, 1, 3, 3], got {getattr(found, 'shape', type(found))}"
        )
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)
    for num_steps, quiet in SHAPES:
        if answer(x[:1], num_steps, quiet, 10.0).abs().sum() < 1e-3:
            return (
                f"with T={num_steps}, quiet={quiet}, slope 10: a black pixel has no slope, so an attacker would not touch it"
            )
        summed = answer(x, num_steps, quiet, 200.0).cumsum(1) * (x[1] - x[0])
        code = Latency(num_steps)(x.view(1, 1, 1, -1)).view(num_steps, -1) * (x > quiet)
        edges = torch.tensor([quiet, *(1 - t / num_steps for t in range(num_steps + 1))])
        clear = (x[:, None] - edges).abs().amin(1) > 0.03  # where a smooth step has made up its mind
        off = ((summed - code).abs() > 0.2) & clear
        if off.any():
            t, k = off.nonzero()[0].tolist()
            return (
                f"with T={num_steps}, quiet={quiet}, slope 200: summed up from black to x = {x[k]:.2f}, step {t} comes to "
                f"{summed[t, k]:.1f}, and the code says {code[t, k]:.0f}; between which two "
                "intensities does that step fire, if at all?"
            )
    return None


def _claimed(answer: Any) -> str | None:
    """yourturn.3: ``{"claim": Claim, "runs": {model: records of all seeds}, "verdict": …}``; what it says is free, not how."""
    if (
        not isinstance(answer, Mapping)
        or set(answer) != {"claim", "runs", "verdict"}
        or not isinstance(answer["claim"], Claim)
    ):
        return "give a dictionary with a Claim, the runs it rests on (records of all seeds by model), and your verdict"
    claim, runs = answer["claim"], answer["runs"]
    return _refutable(claim, runs) or _fair(claim, runs) or _follows(claim, runs, answer["verdict"])


def _refutable(claim: Claim, runs: Any) -> str | None:
    """Whether a measurement could go against it."""
    absent = sorted({name for c in claim.comparisons for name in c.models} - set(runs))
    if absent:
        return f"the claim speaks of {', '.join(absent)}, and there is no run of that name"
    attacked = [c for c in claim.comparisons if len(c.models) == 2 and c.new.eps >= 0.1 and c.expect in ("higher", "lower")]
    if not any(c.new.attack == c.old.attack == "worst" and c.new.eps == c.old.eps for c in attacked):
        return "no comparison says that one network is higher (or lower) than another in the worst case, at one ε of at least 0.1"
    if not any(c.new.eps == c.old.eps == 0 and len(c.models) == 2 for c in claim.comparisons):
        return "no comparison says what it costs: compare the two on clean digits as well"
    return None


def _fair(claim: Claim, runs: Mapping[str, Any]) -> str | None:
    """Whether each run is a measurement, and the baseline no straw man."""
    for name in {name for c in claim.comparisons for name in c.models}:
        seeds = {(r["seed"], r["weights_sha256"]) for r in runs[name]}
        if len({seed for seed, _ in seeds}) < 3 or len({weights for _, weights in seeds}) < len(runs[name]):
            return f"{name}: a claim about a way of making networks needs three of them, each of its own seed"
        for record in runs[name]:
            verify(record)
            refused = refusal(record, max(c.new.eps for c in claim.comparisons if name in c.models))
            if refused:
                return f"{name}, seed {record['seed']}: {refused}"
    weak = [c.old.model for c in claim.comparisons if c.old.model and accuracy_of(runs[c.old.model][0]) < 0.8]
    return f"{weak[0]} is a straw man: it misreads more than a fifth of the clean digits" if weak else None


def _follows(claim: Claim, runs: Mapping[str, Any], verdict: Any) -> str | None:
    """Whether the verdict is the one that the intervals give."""
    found = measure(claim, lambda name, suite: runs[name] if suite == "quick" else None)
    if verdict == found["verdict"]:
        return None
    return (
        f"your verdict {verdict!r} does not follow; go through the intervals and ask of each whether all of it is as claimed"
    )


CHECKS = {"yourturn.1": _ranks, "yourturn.2": _derivative, "yourturn.3": _claimed}
