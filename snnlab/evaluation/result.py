"""The result of an evaluation: a record that prints as a table and shows itself as a page; and the flags that it raises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from torch import Tensor

from snnlab.attacks import ATTACKS
from snnlab.evaluation.flags import FLAGS
from snnlab.evaluation.suites import ENOUGH
from snnlab.statistics.record import Record

__all__ = ["CLEARLY", "HUGE_EPS", "WORST", "Evaluation", "flags_raised"]

WORST = "worst"
HUGE_EPS = 0.5  # every image can be made uniformly grey
CLEARLY = 0.02  # a fraction of the samples that is no accident
#: pairs of attacks of which the first knows or does at least as much as the second
DOMINATES = (
    ("fgsm.informed", "fgsm.naive"),
    ("pgd.informed", "pgd.naive"),
    ("pgd.naive", "fgsm.naive"),
    ("pgd.informed", "fgsm.informed"),
)


@dataclass(frozen=True, kw_only=True)
class Evaluation(Record):
    """The record of an evaluation: ``print`` shows it as a table, ``page`` writes it as a report, ``save`` as a file.

    Args:
        white_box: attacks along the gradient of this network; ``None``: those whose name begins with that of one. Not in files.
        unbroken: ``[ε, N]``, the samples that no attack has broken at the last exit. Not in files.
    """

    white_box: list[str] | None = field(default=None, repr=False, compare=False)
    unbroken: Tensor | None = field(default=None, repr=False, compare=False)

    def with_flags(self) -> Self:
        """Return the evaluation with the flags that its numbers raise."""
        return replace(self, flags=flags_raised(self, self.white_box))

    def __str__(self) -> str:
        from snnlab.evaluation import report

        return report.table(self)

    def page(self, path: str | Path, about: Mapping[str, str] | None = None) -> Path:
        """Write a report as one HTML page and return its path; ``about`` is what was evaluated, default the record's."""
        from snnlab.evaluation import report

        Path(path).write_text(report.page(replace(self, about=dict(about or self.about)), []), encoding="utf8")
        return Path(path)


def flags_raised(record: Record, white_box: Sequence[str] | None = None) -> dict[str, list[str]]:
    """Return the flags that the counts and diagnostics of one training run raise at the last exit, by attack.

    Args:
        record: of one training run.
        white_box: as in ``Evaluation``.
    """
    last = {name: counts[-1] for name, counts in record.correct.items()}
    if white_box is None:
        white_box = [name for name in last if (of := ATTACKS.get(name.split(".")[0])) is not None and of.white_box]
    raised = {name: _flags_on(record, name, last, name in white_box) for name in last}
    for stronger, weaker in DOMINATES:
        if stronger in last and weaker in last and _beats(last[weaker], last[stronger], record.n):
            raised[stronger].append(FLAGS["attacks_disagree"](f"{weaker} breaks more"))
    if WORST in raised:
        raised[WORST] += _probed(record) + record.notes
    return raised


def _flags_on(record: Record, name: str, last: Mapping[str, Sequence[int]], white_box: bool) -> list[str]:
    """Return the flags on one attack's numbers, given the counts ``last`` of all at the last exit."""
    notes = [FLAGS["single_seed"]()]
    zero, silent = max(record.zero_gradient.get(name, [0.0])), max(record.silent[name][-1]) / record.n
    if zero > 0.5:
        notes.append(FLAGS["zero_gradient"](f"{zero:.0%} of the pixels"))
    if silent > 0.01:
        notes.append(FLAGS["silent"](f"{silent:.1%}"))
    for other in ("transfer", "noise"):
        if white_box and other in last and _beats(last[other], last[name], record.n):
            notes.append(FLAGS[f"{other}_beats"]())
    if (
        (white_box or name == WORST)
        and last[name][-1] > 0.2 * record.n
        and record.norm != "L0"  # a number of spikes is no share of an image
        and record.eps[-1] >= HUGE_EPS
    ):
        notes.append(FLAGS["not_near_chance"](f"{record.eps[-1]:g}"))
    return notes


def _beats(stronger: Sequence[int], weaker: Sequence[int], n: int) -> bool:
    """Return whether one attack leaves clearly fewer of ``n`` correct than another, at any ε."""
    return any(a < b - CLEARLY * n for a, b in zip(stronger, weaker, strict=True))


def _probed(record: Record) -> list[str]:
    """Return the flags raised when a late attack breaks samples that survived all earlier ones."""
    notes, unfinished = [], ""
    before: list[int] | None = None
    for name, counts in record.survivors.items():
        drop = max((b - a for b, a in zip(before or counts[-1], counts[-1], strict=True)), default=0)
        if drop > CLEARLY * record.n and record.probes.get(name) == "gradient_free":
            notes.append(FLAGS["gradient_free_beats"](f"{drop / record.n:.1%} more ({name})"))
        if record.probes.get(name) == "more_steps":
            sample = record.samples.get(name, record.n)
            unfinished = f"longer ones break {drop / sample:.1%} more ({name})" if drop >= ENOUGH * sample else ""
        before = counts[-1]
    if unfinished:
        notes.append(FLAGS["not_ended"](unfinished))
    huge = record.diagnostics.get("accuracy_at_huge_eps", 0.0)
    if huge > 2 * record.diagnostics.get("chance", 1.0):
        notes.append(FLAGS["not_near_chance"](f"{HUGE_EPS:g} ({huge:.0%})"))
    return notes
