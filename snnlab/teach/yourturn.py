"""Checks of the chapter *Your turn*, and the invented entries of its first exercise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import torch

from snnlab.claims import VERDICTS, Claim, measure
from snnlab.encoding import encoder
from snnlab.evaluation.flags import FLAGS
from snnlab.statistics import Record
from snnlab.teach.exercises import Function, Hint, expect, expect_keys, tensor_of
from snnlab.teach.leaderboard import REQUIRED, Row, ranked, refusal, row, verify

#: why an entry has no rank, by the beginning of the board's reason
REASONS = {"not attacked": "attacks", "only": "images", "flag": "flag"}
#: invented entries: digits correct within ε, number of digits, attacks, flag on the worst case
_ENTRIES: dict[str, tuple[int, int, tuple[str, ...], str]] = {
    "A": (412, 500, tuple(REQUIRED), ""),
    "B": (77, 100, tuple(REQUIRED), ""),
    "C": (335, 500, tuple(REQUIRED), FLAGS["not_ended"]("longer ones break 3.1% more")),
    "D": (39, 40, tuple(REQUIRED), ""),
    "E": (478, 500, ("fgsm.naive", "pgd.naive"), ""),
    "F": (455, 500, tuple(REQUIRED), FLAGS["not_near_chance"]("0.5 (71%)")),
}


def _invented(right: int, n: int, attacks: tuple[str, ...], flag: str) -> Record:
    """Return a record with the parts that the board reads."""
    return Record(
        dataset="mnist5k",
        split="test",
        n=n,
        eps=[0.0, 0.1],
        correct={"worst": [[n, right]]},
        attacks={name: REQUIRED.get(name, name) for name in attacks},
        flags={"worst": [flag] if flag else []},
    )


def _rows() -> list[Row]:
    return [row(name, _invented(*parts)) for name, parts in _ENTRIES.items()]


def candidates() -> pd.DataFrame:
    """Return the six invented entries as a table."""
    columns = ("code", "left at ε = 0.1", "n", "attacks", "flags")
    cells = {r.name: ("direct", r.left, r.n, ", ".join(_ENTRIES[r.name][2]), "; ".join(r.flags) or "none") for r in _rows()}
    return pd.DataFrame.from_dict(cells, orient="index", columns=columns)


def _ranks(answer: Any) -> None:
    """yourturn.1: ``{entry: rank, or "attacks", "images", "flag"}``."""
    expect_keys(answer, _ENTRIES, "a rank, or a reason,")
    for r in sorted(ranked(_rows()), key=lambda r: r.name):
        right = r.rank or next(reason for start, reason in REASONS.items() if r.refused.startswith(start))
        given = answer[r.name]
        given = int(given) if isinstance(given, str) and given.isdigit() else given
        if given == right:
            continue
        if isinstance(given, str):
            known = f"{given!r} is no reason; choose one of {', '.join(REASONS.values())}"
            expect(given in REASONS.values(), f"{r.name}: {known}")
            expect(not r.rank, f"{r.name}: it may be ranked: not every flag costs a rank, and no other rule is broken")
            raise Hint(f"{r.name}: right, it has no rank, but for another reason")
        expect(r.rank, f"{r.name}: look at its attacks, its n and its flags before you look at its accuracy")
        raise Hint(f"{r.name}: count the ranked entries whose whole interval lies above its own; one more is its rank")


def _derivative(answer: Function) -> None:
    """yourturn.2: a function ``derivative(x, num_steps, quiet, slope)``: ``[…]`` → ``[T, …]``, of ``latency`` above ``quiet``.

    Any smooth step is accepted: summed up from black, it must approach the code as the slope grows.
    """
    tensor_of(answer(torch.zeros(2, 1, 3, 3), 8, 0.125, 10.0), (8, 2, 1, 3, 3), "for x [2, 1, 3, 3] and 8 steps the result")
    x = torch.linspace(0, 1, 2001, dtype=torch.float64)
    for num_steps, quiet in ((8, 0.125), (4, 0.3), (5, 0.2)):
        case = f"with T={num_steps}, quiet={quiet}, slope"
        sloped = tensor_of(answer(x[:1], num_steps, quiet, 10.0)).abs().sum() >= 1e-3
        expect(sloped, f"{case} 10: a black pixel has no slope, so an attacker would not touch it")
        summed = tensor_of(answer(x, num_steps, quiet, 200.0)).cumsum(1) * (x[1] - x[0])
        code = encoder("latency", num_steps=num_steps)(x.view(1, 1, 1, -1)).view(num_steps, -1) * (x > quiet)
        edges = torch.tensor([quiet, *(1 - t / num_steps for t in range(num_steps + 1))])
        clear = (x[:, None] - edges).abs().amin(1) > 0.03  # where a smooth step is near 0 or 1
        off = ((summed - code).abs() > 0.2) & clear
        for t, k in off.nonzero().tolist():
            raise Hint(
                f"{case} 200: summed up from black to x = {x[k]:.2f}, step {t} comes to {summed[t, k]:.1f}, and the code says "
                f"{code[t, k]:.0f}; between which two intensities does that step fire, if at all?"
            )


def _claimed(answer: Any) -> None:
    """yourturn.3: ``{"claim": Claim, "runs": {model: records of all seeds}, "verdict": …}``."""
    claimed = (
        isinstance(answer, Mapping) and set(answer) == {"claim", "runs", "verdict"} and isinstance(answer["claim"], Claim)
    )
    expect(claimed, "give a dictionary with a Claim, the runs it rests on (records of all seeds by model), and your verdict")
    claim, runs, verdict = answer["claim"], answer["runs"], answer["verdict"]
    expect(verdict in VERDICTS, f"no verdict is called {verdict!r}; choose from {', '.join(VERDICTS)}")
    _refutable(claim, runs)
    _fair(claim, runs)
    right = measure(claim, lambda name, suite: runs[name] if suite == "quick" else None)["verdict"]
    expect(
        verdict == right,
        f"your verdict {verdict!r} does not follow; go through the intervals and ask of each whether all of it is as claimed",
    )


def _refutable(claim: Claim, runs: Any) -> None:
    """Raise a hint unless a measurement could refute the claim."""
    absent = sorted({name for c in claim.comparisons for name in c.models} - set(runs))
    expect(not absent, f"the claim compares {', '.join(absent)}, and there is no run of that name")
    pairs = [c for c in claim.comparisons if len(c.models) == 2 and c.new.eps == c.old.eps]
    attacked = [c for c in pairs if c.new.eps >= 0.1 and c.expect in ("higher", "lower")]
    expect(
        any(c.new.attack == c.old.attack == "worst" for c in attacked),
        "no comparison says that one network is higher (or lower) than another in the worst case, at one ε of at least 0.1",
    )
    clean = any(c.new.eps == 0 for c in pairs)
    expect(clean, "no comparison says what it costs: compare the two on clean digits as well")


def _fair(claim: Claim, runs: Mapping[str, Sequence[Record]]) -> None:
    """Raise a hint unless each run is a measurement and the baseline is accurate."""
    for name in {name for c in claim.comparisons for name in c.models}:
        seeds, weights = ({getattr(record, key) for record in runs[name]} for key in ("seed", "weights_sha256"))
        three = len(seeds) >= 3 and len(weights) == len(runs[name])
        expect(three, f"{name}: a claim about a way of making networks needs three of them, each with another seed")
        for record in runs[name]:
            verify(record)
            refused = refusal(record, max(c.new.eps for c in claim.comparisons if name in c.models))
            expect(not refused, f"{name}, seed {record.seed}: {refused}")
    for old in (c.old.model for c in claim.comparisons if c.old.model):
        straw = runs[old][0].accuracy() < 0.8
        expect(not straw, f"{old} is a straw man: it misreads more than a fifth of the clean digits")


CHECKS = {"yourturn.1": _ranks, "yourturn.2": _derivative, "yourturn.3": _claimed}
