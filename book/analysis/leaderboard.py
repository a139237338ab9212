"""A local leaderboard: entries are JSON files in a reader's folder, ranked beside the codes of the zoo.

``submit`` writes an entry, ``entries`` reads all of them, ``board``, ``page`` and ``figure`` show them. A file that is
incomplete or altered, or that lacks a flag, is rejected; this detects mistakes, not fraud. The rules are in
``snnlab.teach.leaderboard``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from snnlab import zoo
from snnlab.claims import Page
from snnlab.plotting.theme import INK, QUIET, Mark, NotebookFigure, mark, style
from snnlab.statistics import NO_BOUND, Record
from snnlab.teach.leaderboard import EPS, Row, ranked, row, verify

__all__ = ["board", "entries", "figure", "page", "submit"]

CAPTION = (
    "Between what is proved and what all attacks of the suite quick leave, at the last exit; 95&nbsp;% intervals of the latter "
    "over digits (Wilson's), by which entries are ranked. A rank is one more "
    "than the number of ranked entries whose interval lies wholly above. One network each."
)


def submit(name: str, result: Record | Mapping[str, Any], folder: str | Path) -> Path:
    """Write an entry into a folder and return its file.

    Args:
        name: name on the board: up to 40 letters, digits, blanks and ``.+-``.
        result: result of ``record_of`` or ``evaluate_robustness``, or the content of a ``report.json``.
        folder: folder of the entries; created if needed.

    Raises:
        ValueError: a name that is taken or not allowed, not a report, a folder that cannot be written to.
    """
    if not isinstance(name, str) or not re.fullmatch(r"\w[\w .+-]{0,39}", name):
        raise ValueError(
            f"a name has 1 to 40 letters, digits, blanks, '.', '+' or '-', a letter or digit first, got {name!r}"
        )
    record = verify(result)
    path = (Path(folder) / re.sub(r"\W+", "-", name.casefold())).with_suffix(".json")
    if name.casefold() in map(str.casefold, (*zoo.names(), *entries(folder))) or path.exists():
        raise ValueError(f"the name {name!r} is taken; choose another, or remove the file of the entry that has it")
    content = {"name": name, "record": record.plain()}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(content | {"sha256": _digest(content)}, indent=1, ensure_ascii=False) + "\n", "utf8")
    except OSError as error:
        raise ValueError(f"cannot write {path.name} into {str(folder)!r}: {error.strerror}; name another folder") from None
    return path


def entries(folder: str | Path) -> dict[str, Record]:
    """Return the records of a folder by name; empty if the folder does not exist.

    Raises:
        ValueError: a file that is cut short, altered or not an entry; two entries of one name.
    """
    records: dict[str, Record] = {}
    for path in sorted(Path(folder).glob("*.json")):
        name, record = _read(path)
        if name.casefold() in map(str.casefold, records):
            raise ValueError(f"{path.name} holds a second entry called {name!r}; remove one of the two files")
        records[name] = record
    return records


def _read(path: Path) -> tuple[str, Record]:
    again = "remove it and submit the network again"
    try:
        content = json.loads(path.read_text(encoding="utf8"))
    except ValueError as error:  # bad JSON, or not text
        raise ValueError(f"{path.name} is cut short, or not JSON ({error}); {again}") from None
    if not isinstance(content, dict) or set(content) != {"name", "record", "sha256"}:
        raise ValueError(f"{path.name} is not an entry: it needs name, record and sha256; {again}")
    if _digest({key: content[key] for key in ("name", "record")}) != content["sha256"]:
        raise ValueError(f"{path.name} was altered after it was submitted; {again}")
    try:
        return str(content["name"]), verify(content["record"])
    except ValueError as error:
        raise ValueError(f"{path.name}: {error}") from None


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def board(folder: str | Path | None = None, eps: float = EPS) -> list[Row]:
    """Return the entries of a folder and the zoo's codes (first seed), ranked; names of the zoo's end in "(zoo)" on the page.

    Args:
        folder: folder of the entries; ``None``: the zoo only.
        eps: radius, L∞, one of the zoo's.

    Raises:
        ValueError: an ε that the zoo was not measured at; a file in the folder that is not an entry.

    >>> board()[0].name
    'onset'
    """
    known = zoo.results("onset").eps
    if eps not in known:
        raise ValueError(f"the zoo was not measured at ε = {eps!r}; choose one of {known}")
    records = {**{name: zoo.results(name) for name in zoo.names("codes")}, **(entries(folder) if folder else {})}
    return ranked([row(name, record, eps) for name, record in records.items()])


def _title(name: str) -> str:
    return f"{name} (zoo)" if name in zoo.names() else name


def page(folder: str | Path | None = None, eps: float = EPS) -> Page:
    """Return the board as a table for a notebook: rank, accuracy with interval, clean accuracy, n, flags."""
    rows = {
        _title(r.name): {
            "rank": str(r.rank or "—"),
            f"left at ε = {eps:g}": r.left,
            "clean": f"{r.clean:.3f}",
            "n": r.n,
            "why not ranked; flags": "; ".join(filter(None, (r.refused, *r.flags))) or "none",
        }
        for r in board(folder, eps)
    }
    with pd.option_context("display.max_colwidth", None):
        table = pd.DataFrame.from_dict(rows, orient="index").to_html(border=0)
    region = f'tabindex="0" role="region" aria-label="Leaderboard at ε = {eps:g}" style="overflow-x: auto"'
    return Page(f'<div class="snn-output snn-wide"><div {region}>{table}</div><p><small>{CAPTION}</small></p></div>')


def figure(folder: str | Path | None = None, eps: float = EPS) -> Figure:
    """Draw the accuracy of every entry with its interval and rank; entries without a rank have hollow marks."""
    rows = board(folder, eps)
    with style():
        picture = NotebookFigure(figsize=(6.2, 0.32 * len(rows) + 0.9), layout="constrained")
        ax = picture.subplots()
        for y, r in enumerate(rows):
            look = mark(r.name) if r.name in zoo.names() else Mark(INK, "-", "P")
            interval = [[r.accuracy - r.low], [r.high - r.accuracy]]
            face = "white" if r.refused else look.colour
            ax.errorbar(
                r.accuracy,
                y,
                xerr=interval,
                ls="none",
                marker=look.marker,
                color=look.colour,
                mfc=face,
                ms=7,
                capsize=3,
                elinewidth=1.2,
            )
            label = f"rank {r.rank}" if r.rank else "not ranked"
            if r.proved is not None:
                ax.plot(r.proved, y, marker="|", color=look.colour, ms=9)
            ax.annotate(label, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=INK)
        ax.axvline(0.1, color=QUIET, lw=0.8, ls=(0, (1, 3)))
        ax.set_yticks(range(len(rows)), [_title(r.name) for r in rows])
        for r, text in zip(rows, ax.get_yticklabels(), strict=True):
            text.set_fontweight("normal" if r.name in zoo.names() else "bold")
        ax.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.5, -0.5), xlabel=f"accuracy left at ε = {eps:g} (dotted: chance)")
    entries = (f"{_title(r.name)} {r.accuracy:.2f}, {f'rank {r.rank}' if r.rank else 'not ranked'}" for r in rows)
    picture.alt = f"The leaderboard at ε = {eps:g}: {'; '.join(entries)}."
    unknown = ", ".join(_title(r.name) for r in rows if r.proved is None)
    picture.caption = (
        "Accuracy left with 95 % intervals (Wilson), and what is proved (a stroke)"
        + (f"; {NO_BOUND}: {unknown}" if unknown else "")
        + ". Bold: entries of readers. Hollow marks: not ranked"
    )
    return picture
