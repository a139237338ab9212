"""The ledger for readers: a table for the terminal, one record in full, and a page for the book."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill, shorten
from typing import Any

from snnlab.plotting.templates import render
from snnlab.statistics import MIN_EFFECT

__all__ = ["HELD_FIXED", "SIGNS", "Page", "details", "fractions", "page", "summary", "table"]

Ledger = Mapping[str, Mapping[str, Any]]
SIGNS = {"holds": "✓", "holds in part": "◐", "does not hold here": "✗"}
MARKS = {"as claimed": "✓", "not told apart": "○", "against the claim": "✗"}
SHORT = {"as claimed": "as claimed", "not told apart": "undecided", "against the claim": "against"}
HELD_FIXED = (
    "Intervals are Student's, at 95 %, over training seeds, of differences taken seed by seed. All seeds are tested on the same "
    "images, which are held fixed: no interval says how other images would turn out. "
    f"So a difference of two accuracies below {MIN_EFFECT:g} counts as undecided, however narrow its interval is."
)


def _change(row: Mapping[str, Any]) -> str:
    return f"{row['change']['mean']:+.3f} [{row['change']['low']:+.3f}, {row['change']['high']:+.3f}]"


def _in_words(row: Mapping[str, Any]) -> str:
    new, old = row["new"], row["old"]
    return f"{MARKS[row['outcome']]} {new['what']}: {new['mean']:.3f}, against {old['what']}: {old['mean']:.3f}"


def fractions(measured: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of comparisons of each outcome, in the order of ``OUTCOMES``; of a superseded measurement too.

    >>> fractions({"comparisons": [{"outcome": "as claimed"}, {"outcome": "as claimed"}, {"outcome": "against the claim"}]})
    {'as claimed': 2, 'undecided': 0, 'against': 1}
    """
    numbers = measured.get("outcomes") or Counter(row["outcome"] for row in measured["comparisons"])
    return {short: numbers[outcome] for outcome, short in SHORT.items()}


def counts(measured: Mapping[str, Any]) -> str:
    """Return the number of comparisons of each outcome in words.

    >>> counts({"comparisons": [{"outcome": "as claimed"}, {"outcome": "not told apart"}]})
    '1 of 2 as claimed, 1 undecided, 0 against'
    """
    (first, claimed), *others = fractions(measured).items()
    number = claimed + sum(count for _, count in others)
    return f"{claimed} of {number} {first}, {', '.join(f'{count} {outcome}' for outcome, count in others)}"


def headline(measured: Mapping[str, Any]) -> str:
    """Return the comparison that a reader should look at first in a sentence; empty, if the claim names none."""
    rows = [row for row in measured["comparisons"] if row.get("headline")]
    return "".join(
        f"{_in_words(row)} (difference {_change(row)}, expected {row['expect']}; {row['outcome']})" for row in rows
    )


def table(records: Ledger) -> str:
    """Return all claims, three lines each: verdict and id, statement, its headline or the first comparison of each outcome."""
    lines = []
    for record in records.values():
        measured = record["measured"]
        lines.append(f"{SIGNS[measured['verdict']]} {measured['verdict']:18} {record['id']:24} {counts(measured)}")
        lines.append(fill(record["statement"], 110, initial_indent="    ", subsequent_indent="    "))
        first: dict[str, Mapping[str, Any]] = {}
        for row in measured["comparisons"]:
            first.setdefault(row["outcome"], row)
        shown = headline(measured) or "; ".join(_in_words(row) for row in first.values())
        lines.append(fill(shorten(shown, 320), 110, initial_indent="      ", subsequent_indent="      "))
    totals = {verdict: sum(r["measured"]["verdict"] == verdict for r in records.values()) for verdict in SIGNS}
    lines.append("\n" + "; ".join(f"{SIGNS[verdict]} {verdict}: {number}" for verdict, number in totals.items()))
    lines.append("\n" + fill(HELD_FIXED, 110))
    return "\n".join(lines)


def summary(records: Ledger) -> str:
    """Return how many claims and comparisons came out how, the paper's and ours apart, in Markdown."""
    sentences = []
    for whose, ours in (("the paper", False), ("this book", True)):
        of_source = [r["measured"] for r in records.values() if (r["source"] == "this book") == ours]
        verdicts = [measured["verdict"] for measured in of_source]
        counted = [f"{sign} {verdict} {verdicts.count(verdict)}" for verdict, sign in SIGNS.items()]
        every = {"comparisons": [row for measured in of_source for row in measured["comparisons"]]}
        sentences.append(
            f"Of {len(verdicts)} claims of {whose}: {', '.join(counted)}. Of their comparisons, {counts(every)}."
        )
    before = sum(bool(r.get("stated_before")) for r in records.values())
    sentences.append(f"{before} of our claims were stated before their models were measured.")
    return f"**Finding.** {' '.join(sentences)}"


def details(record: Mapping[str, Any]) -> str:
    """Return one record in full, and what it superseded in short."""
    measured = record["measured"]
    source = f"{record['source']}, {record['where']}"
    lines = [f"{record['id']}: {record['statement']}", f"source: {source}", f"limits: {record['limits']}"]
    lines += ["stated before its models were measured"] * bool(record.get("stated_before"))
    lines += ["", *_measurement(measured), HELD_FIXED]
    for old in record["superseded"]:
        why = f": {old['reason']}" if "reason" in old else ""
        lines.append(
            f"superseded: {old['verdict']} ({counts(old)}), measured on {old['date']}{why} (SHA-256 {old['sha256'][:16]})"
        )
    return "\n".join(lines)


def _measurement(measured: Mapping[str, Any]) -> list[str]:
    lines = [f"{SIGNS[measured['verdict']]} {measured['verdict']} ({counts(measured)}). {measured['why']}"]
    for row in measured["comparisons"]:
        first = ", the headline" if row.get("headline") else ""
        lines.append(f"  {MARKS[row['outcome']]} {row['outcome']}{first}: expected {row['expect']}, change {_change(row)}")
        lines += [f"      {row[side]['what']}: {_side(row[side])}" for side in ("new", "old")]
        lines.append(f"      suite {row['suite']}, n = {row['n']}, {row['seeds']} seeds")
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


def page(records: Ledger) -> Page:
    """Return the ledger as HTML: a row a claim, with its measurement folded below it."""
    return Page(
        render(
            "ledger.html",
            records=records.values(),
            signs=SIGNS,
            marks=MARKS,
            sources={"ding2025": "Ding et al. 2025"},
            counts=counts,
            fractions=fractions,
            headline=headline,
            held_fixed=HELD_FIXED,
            change=_change,
        )
    )
