"""The ledger for readers: a table for the terminal, one record in full, and a page for the book.

A verdict is said by word and by sign, never by colour alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill, shorten
from typing import Any

from snnlab.templates import render

__all__ = ["SIGNS", "Page", "details", "page", "summary", "table"]

Ledger = Mapping[str, Mapping[str, Any]]
SIGNS = {"holds": "✓", "holds in part": "◐", "does not hold here": "✗"}
MARKS = {"as claimed": "✓", "not told apart": "○", "against the claim": "✗"}


def _change(told: Mapping[str, Any]) -> str:
    return f"{told['change']['mean']:+.3f} [{told['change']['low']:+.3f}, {told['change']['high']:+.3f}]"


def key_numbers(record: Mapping[str, Any]) -> str:
    """The first comparison of each outcome: what to read beside a verdict."""
    shown: dict[str, str] = {}
    for told in record["measured"]["comparisons"]:
        new, old = (told[side] for side in ("new", "old"))
        shown.setdefault(
            told["outcome"],
            f"{MARKS[told['outcome']]} {new['what']}: {new['mean']:.3f}, against {old['what']}: {old['mean']:.3f}",
        )
    return "; ".join(shown.values())


def counts(record: Mapping[str, Any]) -> str:
    """How many comparisons are as claimed, as "7 of 8"."""
    found = record["measured"]["comparisons"]
    return f"{sum(told['outcome'] == 'as claimed' for told in found)} of {len(found)}"


def table(records: Ledger) -> str:
    """All claims, three lines each: verdict and id, statement, key numbers."""
    lines = []
    for record in records.values():
        measured = record["measured"]
        lines.append(f"{SIGNS[measured['verdict']]} {measured['verdict']:18} {record['id']:24} {counts(record)} as claimed")
        lines.append(fill(record["statement"], 110, initial_indent="    ", subsequent_indent="    "))
        lines.append(fill(shorten(key_numbers(record), 320), 110, initial_indent="      ", subsequent_indent="      "))
    told = {verdict: sum(r["measured"]["verdict"] == verdict for r in records.values()) for verdict in SIGNS}
    lines.append("\n" + "; ".join(f"{SIGNS[verdict]} {verdict}: {number}" for verdict, number in told.items()))
    return "\n".join(lines)


def summary(records: Ledger) -> str:
    """How many claims hold, the paper's and ours, as a sentence in Markdown."""
    told = []
    for whose, own in (("the paper's", False), ("our own", True)):
        verdicts = [r["measured"]["verdict"] for r in records.values() if (r["source"] == "this book") == own]
        counted = [f"{sign} {verdict} {verdicts.count(verdict)}" for verdict, sign in SIGNS.items()]
        told.append(f"of {len(verdicts)} claims, {whose}: {', '.join(counted)}")
    return f"**Finding.** {'; '.join(told).capitalize()}."


def details(record: Mapping[str, Any]) -> str:
    """One record in full, with what it superseded."""
    measured = record["measured"]
    source = f"{record['source']}, {record['where']}"
    lines = [f"{record['id']}: {record['statement']}", f"source: {source}", f"limits: {record['limits']}", ""]
    lines += _measurement(measured)
    for old in record["superseded"]:
        lines += ["", f"superseded, measured on {old['date']}:", *(f"    {line}" for line in _measurement(old))]
    return "\n".join(lines)


def _measurement(measured: Mapping[str, Any]) -> list[str]:
    lines = [f"{SIGNS[measured['verdict']]} {measured['verdict']}. {measured['why']}"]
    for told in measured["comparisons"]:
        lines.append(f"  {MARKS[told['outcome']]} {told['outcome']}: expected {told['expect']}, change {_change(told)}")
        lines += [f"      {told[side]['what']}: {_side(told[side])}" for side in ("new", "old")]
        lines.append(f"      suite {told['suite']}, n = {told['n']}, {told['seeds']} seeds")
    lines.append("attacks: " + "; ".join(f"{name}: {text}" for name, text in measured["attacks"].items()))
    flags = [f"{model}: {'; '.join(sentences)}" for model, sentences in measured["flags"].items()]
    lines.append("flags: " + ("; ".join(flags) or "none"))
    lines.append(
        f"data: {', '.join(measured['dataset'])}; measured on {measured['date']} with {json.dumps(measured['versions'])}"
    )
    lines.append(f"hashes (first 16 digits of SHA-256): {json.dumps(measured['hashes'])}")
    return lines


def _side(side: Mapping[str, Any]) -> str:
    if "values" not in side:
        return f"{side['mean']:g}"
    return f"{side['mean']:.3f} [{side['low']:.3f}, {side['high']:.3f}] (seeds: {', '.join(f'{v:.3f}' for v in side['values'])})"


@dataclass(frozen=True)
class Page:
    """HTML that a notebook shows as it is."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def page(records: Ledger, sources: Mapping[str, str] | None = None) -> Page:
    """The ledger as HTML: a row a claim, everything that was measured folded below it.

    Args:
        records: what ``ledger`` gives.
        sources: how to call a key of the bibliography in the text.
    """
    named = {"ding2025": "Ding et al. 2025"} | dict(sources or {})
    return Page(
        render(
            "ledger.html", records=records.values(), signs=SIGNS, marks=MARKS, sources=named, counts=counts, change=_change
        )
    )
