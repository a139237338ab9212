"""Reports of one evaluation: a table, JSON, and a page with figures, intervals, and flags with meaning and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from snnlab.attacks import INFORMED, Budget, attack
from snnlab.attacks.result import NO_GRADIENT
from snnlab.data import Split
from snnlab.evaluation.beyond import Beyond
from snnlab.evaluation.flags import FLAGS, Flag
from snnlab.files import versions
from snnlab.networks.classifier import Classifier
from snnlab.plotting.embed import accuracy_figure, difference, exit_figure, thumbnail
from snnlab.plotting.templates import render
from snnlab.plotting.theme import colours
from snnlab.statistics import Record, wilson_interval

__all__ = ["broken_examples", "content", "explanations", "page", "table", "write"]

EXAMPLES, SEARCHED = 6, 100


def content(record: Record, beyond: Beyond | None = None) -> dict[str, Any]:
    """Return the content of ``report.json``: the record, intervals, explained flags, versions, what is beyond images."""
    intervals = {
        name: [[[round(v, 4) for v in wilson_interval(count, record.n)] for count in row] for row in counts]
        for name, counts in record.correct.items()
    }
    flags = {kind.name: {"means": kind.meaning, "do": kind.remedy} for kind in explanations(record)}
    beside = {} if beyond is None else {"beyond": beyond.plain()}
    return {**record.plain(), "interval_95": intervals, "explanations": flags, "versions": versions(), **beside}


def explanations(record: Record) -> list[Flag]:
    """Return the kinds of flags that a record raises, each once."""
    sentences = [sentence for raised in record.flags.values() for sentence in raised]
    return [kind for kind in FLAGS.values() if any(sentence.startswith(kind.sign) for sentence in sentences)]


def _attacks(record: Record) -> list[str]:
    """Return attack names, the worst case last."""
    return sorted(record.correct, key=lambda name: name == "worst")


def _cell(record: Record, name: str, k: int) -> str:
    low, high = record.interval(name, eps=record.eps[k])
    return f"{record.accuracy(name, eps=record.eps[k]):.3f} [{low:.3f}, {high:.3f}]"


def table(record: Record) -> str:
    """Return the accuracy at the last exit as text: a row an attack, a column an ε, then the flags."""
    head = ["attack", *(f"{record.norm_title} {eps:g}" if eps else "clean" for eps in record.eps)]
    rows = [head] + [[name, *(_cell(record, name, k) for k in range(len(record.eps)))] for name in _attacks(record)]
    widths = [max(len(row[c]) for row in rows) for c in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append(
        f"n = {record.n:,}, 95 % intervals over samples (Wilson), exit {record.exits[-1]} of {record.num_steps}, "
        f"suite {record.suite or 'unknown'}"
    )
    for name in _attacks(record):
        if record.flags.get(name):
            lines.append(f"flags on {name}: {'; '.join(record.flags[name])}")
    for kind in explanations(record):
        lines.append(f"  {kind.sign.strip()} … {kind.meaning} To do: {kind.remedy}")
    return "\n".join(lines)


def broken_examples(classifier: Classifier, split: Split, budget: Budget, seed: int = 0) -> list[dict[str, Any]]:
    """Return some of the first images that are right when clean and that PGD breaks within the budget; maybe none.

    Where no gradient reaches the image, a search without gradients stands in for PGD.
    """
    searched = split[:SEARCHED]
    right = (classifier.predict(searched.images)[classifier.exit_step - 1] == searched.labels).nonzero().flatten()
    if not len(right) or budget.eps == 0:
        return []
    x, y = searched.images[right], searched.labels[right]
    generator = torch.Generator().manual_seed(seed)
    try:
        result = attack(classifier, x, y, budget, "pgd", INFORMED, generator=generator)
    except ValueError as error:
        if NO_GRADIENT not in str(error):
            raise
        result = attack(classifier, x, y, budget, "square", steps=300, generator=generator)
    answers = result.predictions[classifier.exit_step - 1]
    return [
        {
            "clean": thumbnail(x[k]),
            "attacked": thumbnail(result.images[k]),
            "difference": difference(result.images[k] - x[k], budget.eps),
            "label": int(y[k]),
            "answer": "silent" if answers[k] < 0 else str(int(answers[k])),
        }
        for k in result.success.nonzero().flatten().tolist()[:EXAMPLES]
    ]


def page(record: Record, examples: list[dict[str, Any]], budget: str = "", beyond: Beyond | None = None) -> str:
    """Return the report as one HTML page that needs no other file, with ``broken_examples`` within a budget.

    ``beyond`` adds what a full report measures beside attacks on the image (``snnlab.evaluation.beyond``).
    """
    figures = [accuracy_figure(record)]
    if len(record.exits) > 1 and len(record.eps) > 1:
        figures.append(exit_figure(record))
    columns = range(len(record.eps))
    return render(
        "report.html",
        record=record,
        versions=versions(),
        figures=figures,
        light=colours("light"),
        dark=colours("dark"),
        rows=[(name, [_cell(record, name, k) for k in columns]) for name in _attacks(record)],
        diagnostics=[(name, f"{value:.4g}") for name, value in record.diagnostics.items()],
        kinds=explanations(record),
        examples=examples,
        budget=budget,
        sections=[] if beyond is None else beyond.sections(),
        omitted={} if beyond is None else beyond.omitted,
    )


def write(
    folder: Path, record: Record, examples: list[dict[str, Any]], budget: str = "", beyond: Beyond | None = None
) -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into a folder; ValueError if it cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        numbers, shown = folder / "report.json", folder / "report.html"
        numbers.write_text(
            json.dumps(content(record, beyond), indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf8"
        )
        shown.write_text(page(record, examples, budget, beyond), encoding="utf8")
    except OSError as error:
        raise ValueError(f"cannot write the report to {str(folder)!r}: {error.strerror}") from None
    return numbers, shown
