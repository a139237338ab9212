"""Reports: one network's evaluation for its owner, as a table, as JSON, and as a page with figures.

Made from the record of ``snnlab.evaluation`` alone, and from a few images that an attack has broken. Every number comes with
n and its Wilson interval, every flag with what it means and what to do (``snnlab.flags``).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from snnlab.attack import INFORMED, Budget, attack
from snnlab.data import Split
from snnlab.flags import FLAGS, Flag
from snnlab.network import Classifier
from snnlab.pictures import Picture, accuracy_picture, difference, exit_picture, thumbnail
from snnlab.records import wilson_interval
from snnlab.templates import render

__all__ = ["broken_examples", "explanations", "page", "report", "table", "write"]

Record = Mapping[str, Any]
NORMS = {"Linf": "L∞", "L2": "L2", "L1": "L1", "L0": "L0"}
EXAMPLES, SEARCHED = 6, 100


def report(record: Record, about: Mapping[str, str]) -> dict[str, Any]:
    """Everything a report says, as plain data.

    Args:
        record: what ``Evaluation.record`` gives.
        about: what was evaluated, in words: model, data, and what else a reader must know.
    """
    intervals = {
        name: [[[round(v, 4) for v in wilson_interval(count, record["n"])] for count in row] for row in counts]
        for name, counts in record["correct"].items()
    }
    packages = {package: version(package) for package in ("snnlab", "torch", "snntorch", "torchattacks", "numpy")}
    flags = {kind.name: {"means": kind.meaning, "do": kind.remedy} for kind in explanations(record)}
    return {"about": dict(about), **record, "interval_95": intervals, "explanations": flags, "versions": packages}


def explanations(record: Record) -> list[Flag]:
    """The kinds of flags that a record raises, each once."""
    sentences = [sentence for raised in record["flags"].values() for sentence in raised]
    return [kind for kind in FLAGS.values() if any(sentence.startswith(kind.sign) for sentence in sentences)]


def _attacks(record: Record) -> list[str]:
    """Attack names, the worst case last."""
    return [name for name in record["correct"] if name != "worst"] + ["worst"] * ("worst" in record["correct"])


def _cell(record: Record, name: str, k: int) -> str:
    count, n = record["correct"][name][-1][k], record["n"]
    low, high = wilson_interval(count, n)
    return f"{count / n:.3f} [{low:.3f}, {high:.3f}]"


def table(record: Record) -> str:
    """Accuracy at the last exit for the terminal: a row an attack, a column an ε, then the flags and what they mean."""
    norm = NORMS[record.get("norm", "Linf")]
    head = ["attack", *(f"{norm} {eps:g}" if eps else "clean" for eps in record["eps"])]
    rows = [head] + [[name, *(_cell(record, name, k) for k in range(len(record["eps"])))] for name in _attacks(record)]
    widths = [max(len(row[c]) for row in rows) for c in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    lines.append(
        f"n = {record['n']:,}, 95 % intervals over samples (Wilson), exit {record['exits'][-1]} of {record['num_steps']}, "
        f"suite {record['suite']}"
    )
    for name in _attacks(record):
        if record["flags"].get(name):
            lines.append(f"flags on {name}: {'; '.join(record['flags'][name])}")
    for kind in explanations(record):
        lines.append(f"  {kind.sign.strip()} … {kind.meaning} To do: {kind.remedy}")
    return "\n".join(lines)


def broken_examples(classifier: Classifier, split: Split, budget: Budget, seed: int = 0) -> list[dict[str, Any]]:
    """A few images that are right when clean and that PGD breaks within the budget, for the eye.

    These are searched for apart from the evaluation, among the first images; an empty list says that none was found there.
    """
    few = split[:SEARCHED]
    right = (classifier.predict(few.images)[classifier.exit_step - 1] == few.labels).nonzero().flatten()
    if not len(right) or budget.eps == 0:
        return []
    x, y = few.images[right], few.labels[right]
    found = attack(classifier, x, y, budget, "pgd", INFORMED, generator=torch.Generator().manual_seed(seed))
    answers = found.predictions[classifier.exit_step - 1]
    return [
        {
            "clean": thumbnail(x[k]),
            "attacked": thumbnail(found.images[k]),
            "difference": difference(found.images[k] - x[k], budget.eps),
            "label": int(y[k]),
            "answer": "silent" if answers[k] < 0 else str(int(answers[k])),
        }
        for k in found.success.nonzero().flatten().tolist()[:EXAMPLES]
    ]


def page(told: Record, examples: list[dict[str, Any]], budget: str = "") -> str:
    """The report as one HTML page that needs no other file.

    Args:
        told: what ``report`` gives.
        examples: what ``broken_examples`` gives.
        budget: of the examples, in words.
    """
    figures: list[Picture] = [accuracy_picture(told)]
    if len(told["exits"]) > 1 and len(told["eps"]) > 1:
        figures.append(exit_picture(told))
    columns = range(len(told["eps"]))
    return render(
        "report.html",
        told=told,
        norm=NORMS[told.get("norm", "Linf")],
        figures=figures,
        rows=[(name, [_cell(told, name, k) for k in columns]) for name in _attacks(told)],
        diagnostics=_flat(told.get("diagnostics", {})),
        kinds=explanations(told),
        examples=examples,
        budget=budget,
    )


def _flat(values: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested plain data as pairs of a dotted name and a text."""
    if isinstance(values, Mapping):
        return [pair for key, value in values.items() for pair in _flat(value, f"{name}.{key}" if name else str(key))]
    if isinstance(values, list | tuple):
        return [(name, ", ".join(_text(v) for v in values) or "none")]
    return [(name, _text(values))]


def _text(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def write(folder: Path, told: Record, examples: list[dict[str, Any]], budget: str = "") -> tuple[Path, Path]:
    """Write ``report.json`` and ``report.html`` into a folder, the numbers first.

    Raises:
        ValueError: a folder that cannot be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        numbers, shown = folder / "report.json", folder / "report.html"
        numbers.write_text(json.dumps(told, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf8")
        shown.write_text(page(told, examples, budget), encoding="utf8")
    except OSError as error:
        raise ValueError(f"cannot write the report to {str(folder)!r}: {error.strerror}") from None
    return numbers, shown
