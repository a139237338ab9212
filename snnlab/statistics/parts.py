"""Parts of a record beside its suite: dynamic exits, late perturbations, silenced parts of a fused code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from snnlab.statistics.intervals import wilson_interval

__all__ = ["Ablation", "DynamicExits", "LateAccuracy"]


def place(values: Sequence[Any], value: Any, what: str) -> int:
    """Return the index of a value among those that were measured; ValueError, with ``what`` it is, if it is not there."""
    if value not in values:
        raise ValueError(f"{what} {value!r} was not measured; choose one of {list(values)}")
    return values.index(value)


@dataclass(frozen=True)
class DynamicExits:
    """Counts under exit rules, judged on every image that the suite made for a sample.

    Args:
        rules: ``{"name": …, "threshold": …}`` of each rule.
        correct: counts by ε (written with ``:g``), one for each rule.
        mean_exit: mean exit step of the clean samples, for each rule.
        energy_pj: mean energy of the clean samples up to there.
    """

    rules: list[dict[str, Any]]
    correct: dict[str, list[int]]
    mean_exit: list[float]
    energy_pj: list[float]

    def row(self, name: str, threshold: float | None = None) -> int:
        """Return the number of a rule."""
        return place(self.rules, {"name": name, "threshold": threshold}, "the exit rule")

    def counts(self, eps: float) -> list[int]:
        """Return the counts of all rules at an ε."""
        place(list(self.correct), f"{eps:g}", "ε =")
        return self.correct[f"{eps:g}"]


@dataclass(frozen=True)
class Ablation:
    """Worst cases at the last exit with each part of a fused code silenced: counts ``correct[part][ε]``."""

    silenced: list[str]
    n: int
    eps: list[float]
    correct: list[list[int]]
    attacks: dict[str, str]

    def accuracy(self, part: str, eps: float) -> float:
        """Return the fraction correct without a part."""
        return self.correct[place(self.silenced, part, "part")][place(self.eps, eps, "ε")] / self.n


@dataclass(frozen=True)
class LateAccuracy:
    """Counts of correct and silent answers under a late perturbation, ``[from_step][exit]``.

    Args:
        method: an attack on the input, or ``"flips"``, ``"flip_noise"`` on the spikes.
        attacker: its name, ``None`` for noise.
        n: samples.
        from_steps: ``t0`` of each row.
        exits, aimed: exit step of each column, and the exit that was attacked; ``aimed`` is ``None`` for noise.
        correct, silent: counts; a silent answer is never correct.
        size: ``{"eps": ε}`` or ``{"flips": b}``.

    >>> measured = LateAccuracy("noise", None, 10, [0, 4], [4, 8], None, [[7, 8], [9, 8]], [[0, 0], [0, 0]], {"eps": 0.1})
    >>> measured.accuracy(from_step=4, exit_step=4)
    0.9
    """

    method: str
    attacker: str | None
    n: int
    from_steps: list[int]
    exits: list[int]
    aimed: list[int] | None
    correct: list[list[int]]
    silent: list[list[int]]
    size: dict[str, float]

    def accuracy(self, from_step: int, exit_step: int | None = None) -> float:
        """Return the fraction correct at an exit (default the last) where steps from ``from_step`` on are perturbed."""
        return self._count(from_step, exit_step) / self.n

    def interval(self, from_step: int, exit_step: int | None = None) -> tuple[float, float]:
        """Return the 95 % Wilson interval of ``accuracy``."""
        return wilson_interval(self._count(from_step, exit_step), self.n)

    def _count(self, from_step: int, exit_step: int | None) -> int:
        row = self.correct[place(self.from_steps, from_step, "first step")]
        return row[place(self.exits, exit_step or max(self.exits), "exit")]

    def plain(self) -> dict[str, Any]:
        """Return everything as plain data, with intervals, for a results file."""
        interval = [[[round(b, 4) for b in wilson_interval(c, self.n)] for c in row] for row in self.correct]
        values = asdict(self)
        return {key: value for key, value in values.items() if key != "size"} | self.size | {"interval": interval}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> LateAccuracy:
        """Return what ``plain`` gave as an object."""
        size = {key: content[key] for key in ("eps", "flips") if key in content}
        return cls(**{key: value for key, value in content.items() if key not in (*size, "interval")}, size=size)
