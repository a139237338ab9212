"""The numbers that answer the first vote of a chapter, from the records, for the chapter and for the answer key of lecturers."""

from __future__ import annotations

from collections.abc import Callable

from analysis import cifar10
from snnlab import zoo
from snnlab.encoding import first_active_step
from snnlab.statistics import change_over_seeds, over_seeds

__all__ = ["VOTES", "numbers"]

T = 8


def numbers(chapter: str) -> str:
    """Return the measured numbers behind the first vote of a chapter, as Markdown; empty if it needs none.

    Args:
        chapter: name of its notebook, without the ending.

    >>> numbers("neuron")
    ''
    """
    return VOTES[chapter]() if chapter in VOTES else ""


def _worst(name: str, eps: float, attack: str = "worst") -> str:
    return str(over_seeds(zoo.repeats(name), attack, None, eps))


def _digits(text: str) -> str:
    record = zoo.results("latency")
    return f"*In numbers.* {text}\n\n(n = {record.n} test digits, means over {len(zoo.seeds())} seeds with 95 % intervals.)"


def _points(lines: list[str]) -> str:
    return "\n\n" + "\n".join(f"- {line}" for line in lines)


def _adversarial() -> str:
    clean, noise, fgsm = _worst("ann", 0.0), _worst("ann", 0.1, "noise"), _worst("ann", 0.1, "fgsm.naive")
    return _digits(
        f"The ordinary network keeps {clean} clean, {noise} with random signs of size 0.1, and {fgsm} after FGSM with ε = 0.1."
    )


def _training() -> str:
    rules = {"BPTT": "latency", "TSSL-BP": "tsslbp-latency", "conversion": "converted-latency"}
    listed = [f"{title}: {_worst(name, 0.1)} and {_worst(name, 0.2)}" for title, name in rules.items()]
    return _digits(f"Worst case of `latency` at ε = 0.1 and at 0.2:{_points(listed)}")


def _early_exit(eps: float = 0.2) -> str:
    exit_step, parts = first_active_step(eps, T), []
    for code in ("latency", "direct"):
        records = zoo.repeats(code)
        for title, radius in (("clean", 0.0), (f"at ε = {eps:g}", eps)):
            early, whole = ([r.accuracy("worst", e, radius) for r in records] for e in (exit_step, T))
            parts.append(f"`{code}` {title}: {change_over_seeds(early, whole, records[0].n)}")
    return _digits(f"Change of accuracy by leaving at exit {exit_step} instead of {T}:{_points(parts)}")


def _fusion() -> str:
    listed = [f"`{name}`: {_worst(name, 0.1)}" for name in ("direct", "fusion", "latency")]
    return _digits(f"Worst case at ε = 0.1:{_points(listed)}")


def _honest() -> str:
    naive, worst = _worst("offset", 0.1, "fgsm.naive"), _worst("offset", 0.1)
    return _digits(f"At ε = 0.1 naive FGSM leaves {naive} of `offset`, all attacks together {worst}.")


def _cifar10() -> str:
    return cifar10.three_factors()


#: chapter → the function that returns its numbers
VOTES: dict[str, Callable[[], str]] = {
    "adversarial": _adversarial,
    "training": _training,
    "early_exit": _early_exit,
    "fusion": _fusion,
    "honest": _honest,
    "cifar10": _cifar10,
}
