"""The ledger for readers: a table for the terminal, one record in full, and a page for the book.

A verdict is shown as a word, a sign and the number of comparisons of each outcome, never by colour alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill, shorten
from typing import Any

from snnlab.claims.definitions import OUTCOMES
from snnlab.records import MIN_EFFECT
from snnlab.templates import render

__all__ = ["HELD_FIXED", "SIGNS", "Page", "details", "fractions", "page", "summary", "table"]

Ledger = Mapping[str, Mapping[str, Any]]
SIGNS = {"holds": "✓", "holds in part": "◐", "does not hold here": "✗"}
MARKS = {"as claimed": "✓", "not told apart": "○", "against the claim": "✗"}
#: the outcomes as they are counted
SHORT = {"as claimed": "as claimed", "not told apart": "undecided", "against the claim": "against"}
#: what every interval of the ledger holds fixed, and what follows
HELD_FIXED = (
    "Intervals are Student's, at 95 %, over training seeds, of differences taken seed by seed. All seeds are tested on the same "
    "images, which are held fixed: no interval says how other images would turn out. "
    f"So a difference of two accuracies below {MIN_EFFECT:g} counts as undecided, however narrow its interval is."
)


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


def fractions(measured: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of comparisons of each outcome, in the order of ``OUTCOMES``.

    >>> fractions({"comparisons": [{"outcome": "as claimed"}, {"outcome": "as claimed"}, {"outcome": "against the claim"}]})
    {'as claimed': 2, 'undecided': 0, 'against': 1}
    """
    found = [told["outcome"] for told in measured["comparisons"]]
    return {SHORT[outcome]: found.count(outcome) for outcome in OUTCOMES}


def counts(measured: Mapping[str, Any]) -> str:
    """Return the number of comparisons of each outcome in words.

    >>> counts({"comparisons": [{"outcome": "as claimed"}, {"outcome": "not told apart"}]})
    '1 of 2 as claimed, 1 undecided, 0 against'
    """
    (first, claimed), *others = fractions(measured).items()
    number = len(measured["comparisons"])
    return f"{claimed} of {number} {first}, {', '.join(f'{count} {outcome}' for outcome, count in others)}"


def headline(measured: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the comparison that a reader should look at first, if the claim names one."""
    return next((told for told in measured["comparisons"] if told.get("headline")), None)


def headline_sentence(measured: Mapping[str, Any]) -> str:
    """Return the headline in a sentence; empty, if the claim names none."""
    told = headline(measured)
    if told is None:
        return ""
    new, old = told["new"], told["old"]
    return (
        f"{MARKS[told['outcome']]} {new['what']}: {new['mean']:.3f}, against {old['what']}: {old['mean']:.3f} "
        f"(difference {_change(told)}, expected {told['expect']}; {told['outcome']})"
    )


def table(records: Ledger) -> str:
    """All claims, three lines each: verdict and id, statement, key numbers."""
    lines = []
    for record in records.values():
        measured = record["measured"]
        lines.append(f"{SIGNS[measured['verdict']]} {measured['verdict']:18} {record['id']:24} {counts(measured)}")
        lines.append(fill(record["statement"], 110, initial_indent="    ", subsequent_indent="    "))
        shown = headline_sentence(measured) or key_numbers(record)
        lines.append(fill(shorten(shown, 320), 110, initial_indent="      ", subsequent_indent="      "))
    told = {verdict: sum(r["measured"]["verdict"] == verdict for r in records.values()) for verdict in SIGNS}
    lines.append("\n" + "; ".join(f"{SIGNS[verdict]} {verdict}: {number}" for verdict, number in told.items()))
    lines.append("\n" + fill(HELD_FIXED, 110))
    return "\n".join(lines)


def summary(records: Ledger) -> str:
    """Return how many claims and comparisons came out how, the paper's and ours apart, in Markdown."""
    told = []
    for whose, own in (("the paper", False), ("this book", True)):
        of_source = [r["measured"] for r in records.values() if (r["source"] == "this book") == own]
        verdicts = [measured["verdict"] for measured in of_source]
        counted = [f"{sign} {verdict} {verdicts.count(verdict)}" for verdict, sign in SIGNS.items()]
        every = {"comparisons": [told for measured in of_source for told in measured["comparisons"]]}
        told.append(f"Of {len(verdicts)} claims of {whose}: {', '.join(counted)}. Of their comparisons, {counts(every)}.")
    before = sum(bool(r.get("stated_before")) for r in records.values())
    told.append(f"{before} of our own claims were stated before their models were measured.")
    return f"**Finding.** {' '.join(told)}"


def details(record: Mapping[str, Any]) -> str:
    """One record in full, with what it superseded."""
    measured = record["measured"]
    source = f"{record['source']}, {record['where']}"
    lines = [f"{record['id']}: {record['statement']}", f"source: {source}", f"limits: {record['limits']}"]
    lines += ["stated before its models were measured"] * bool(record.get("stated_before"))
    lines += ["", *_measurement(measured), HELD_FIXED]
    for old in record["superseded"]:
        why = f" ({old['reason']})" if "reason" in old else ""
        lines += ["", f"superseded, measured on {old['date']}{why}:", *(f"    {line}" for line in _measurement(old))]
    return "\n".join(lines)


def _measurement(measured: Mapping[str, Any]) -> list[str]:
    lines = [f"{SIGNS[measured['verdict']]} {measured['verdict']} ({counts(measured)}). {measured['why']}"]
    for told in measured["comparisons"]:
        first = ", the headline" if told.get("headline") else ""
        lines.append(
            f"  {MARKS[told['outcome']]} {told['outcome']}{first}: expected {told['expect']}, change {_change(told)}"
        )
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
            "ledger.html",
            records=records.values(),
            signs=SIGNS,
            marks=MARKS,
            sources=named,
            counts=counts,
            fractions=fractions,
            headline=headline_sentence,
            held_fixed=HELD_FIXED,
            change=_change,
        )
    )
