"""Sentences of the chapter *Encoding*."""

from __future__ import annotations

from collections.abc import Sequence

from snnlab.statistics import change_over_seeds, over_seeds
from snnlab.statistics.records import Repeats

__all__ = ["finding"]

#: codes in which bright pixels come first
EARLY = ("onset", "latency", "phase")


def finding(repeats: Repeats, radii: Sequence[float] = (0.1, 0.2)) -> str:
    """Return how far naive FGSM was wrong, and which codes are clearly more robust than ``direct`` at which ε, as Markdown.

    Args:
        repeats: the records of all seeds by code.
        radii: ε of the worst cases.
    """
    naive, worst = (over_seeds(repeats["offset"], attack, None, radii[0]).mean for attack in ("fgsm.naive", "worst"))
    sentences = [
        f"**Finding.** Naive FGSM at ε = {radii[0]:g} leaves `offset` at {naive:.0%}; the worst case is {worst:.0%}. The "
        "apparent robustness of `offset` was the attacker's blindness."
    ]
    for eps in radii:
        worst_case = {name: over_seeds(records, "worst", None, eps).mean for name, records in repeats.items()}
        listed = ", ".join(
            f"`{name}` {worst_case[name]:.0%}" for name in sorted(worst_case, key=lambda name: -worst_case[name])
        )
        clear = [name for name in EARLY if _is_above_direct(repeats, name, eps)]
        others = [name for name in EARLY if name not in clear]
        sentences.append(
            f"The worst case at ε = {eps:g} leaves {listed}. Of the codes with the important part first, "
            f"{_listed(clear) or 'none'} {'is' if len(clear) < 2 else 'are'} clearly more robust than `direct`"
            + (f", {_listed(others)} not." if others else ".")
        )
    return "\n\n".join(sentences)


def _is_above_direct(repeats: Repeats, name: str, eps: float) -> bool:
    new, direct = ([record.accuracy(eps=eps) for record in repeats[code]] for code in (name, "direct"))
    return change_over_seeds(new, direct).direction == "higher"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
