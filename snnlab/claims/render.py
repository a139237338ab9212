"""The ledger for readers: a table for the terminal, one record in full, and a forest plot and a page for the book."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from textwrap import fill, shorten
from typing import Any

from snnlab.plotting.templates import render
from snnlab.statistics import MIN_EFFECT, NO_BOUND, Change

__all__ = ["HELD_FIXED", "SIGNS", "Page", "details", "forest", "fractions", "links", "page", "summary", "table"]

Ledger = Mapping[str, Mapping[str, Any]]
SIGNS = {
    "holds (proved)": "■",
    "holds": "✓",
    "holds in part": "◐",
    "mixed": "◫",
    "undecided": "○",
    "does not hold here": "✗",
}
MARKS = {"as claimed": "✓", "not told apart": "○", "against the claim": "✗"}
SHORT = {"as claimed": "as claimed", "not told apart": "undecided", "against the claim": "against"}
#: title of a chapter → its page
CHAPTERS = {
    "Encoding": "encoding",
    "Training": "training",
    "Early exit": "early_exit",
    "Fusion": "fusion",
    "Honest evaluation": "honest",
    "Proof": "proof",
    "CIFAR-10": "cifar10",
    "Energy": "energy",
    "Events": "events",
    "Hardware and weather": "hardware",
}
#: claim of the paper → the chapter that tests it; ``where`` names the chapter of the others
TESTED_IN = {
    "paper-encoding": "Encoding",
    "paper-training": "Training",
    "paper-temporal": "Training",
    "paper-early-exit": "Early exit",
    "paper-fusion": "Fusion",
    "paper-twice": "Fusion",
    "paper-figure": "CIFAR-10",
    "paper-energy": "Energy",
}
REACH = 0.5  # of the axis of the forest plot
#: what the intervals of all claims hold fixed, in words
HELD_FIXED = (
    "Intervals are of 95 %, of differences taken seed by seed: Student's over training seeds or, for accuracies, one over test "
    "images (Newcombe's) where that is wider. All networks are tested on the same images, but the records hold how many each "
    "classified correctly, not which. So the interval over images treats them as if each had images of its own. Networks tend to "
    "fail on the same images, so it is too wide rather than too narrow, and some differences count as undecided that are real. "
    "(One network before and after an attack is the exception: the difference is then a share of the images, with Wilson's "
    "interval.) "
    f"A difference of two accuracies below {MIN_EFFECT:g} counts as undecided in any case. "
    "A comparison with twice an accuracy counts as undecided where that accuracy does not beat guessing: no factor can "
    "be formed. Energies and gates have intervals over training seeds alone. "
    "Worst cases are brackets, from what is proved to what attacks leave. Upper ends are compared; a comparison is proved where "
    "it comes out alike with what is proved of the side that should be higher."
)


def _change(row: Mapping[str, Any]) -> str:
    return str(Change(**row["change"], seeds=row["seeds"]))


def _in_words(row: Mapping[str, Any]) -> str:
    new, old = row["new"], row["old"]
    sides = [f"{side['what']}: {_lower(side)}{side['mean']:.3f}" for side in (new, old)]
    return f"{MARKS[row['outcome']]} {sides[0]}, against {sides[1]}"


def _lower(side: Mapping[str, Any]) -> str:
    """Return the lower end of an accuracy that attacks find from above, in front of the upper one."""
    if "proved" not in side:
        return ""
    return f"{NO_BOUND if side['proved'] is None else format(side['proved'], '.3f')} – "


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


def sign(measured: Mapping[str, Any], words: str = "") -> str:
    """Return the sign of a verdict and, where comparisons differ, how the headline comparison came out.

    >>> first = {"outcome": "against the claim", "headline": True}
    >>> sign({"verdict": "holds in part", "comparisons": [first, {"outcome": "as claimed"}]}, " holds in part")
    '◐ holds in part (headline ✗)'
    """
    marks = [MARKS[row["outcome"]] for row in measured["comparisons"] if row.get("headline")]
    in_part = measured["verdict"] in ("holds in part", "mixed")
    return SIGNS[measured["verdict"]] + words + "".join(f" (headline {mark})" for mark in marks if in_part)


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
        first_mark = sign(measured)[1:]
        lines.append(
            f"{SIGNS[measured['verdict']]} {measured['verdict']:18} {record['id']:24} {counts(measured)}{first_mark}"
        )
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
    lines = [f"{sign(measured, ' ' + measured['verdict'])} ({counts(measured)}). {measured['why']}"]
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
    seeds = ", ".join(f"{v:.3f}" for v in side["values"])
    return f"{_lower(side)}{side['mean']:.3f} [{side['low']:.3f}, {side['high']:.3f}] (seeds: {seeds})"


@dataclass(frozen=True)
class Page:
    """HTML that a notebook shows as it is."""

    html: str

    def _repr_html_(self) -> str:
        return self.html


def chapter(record: Mapping[str, Any]) -> str:
    """Return the title of the chapter that tests a claim; empty for a claim of a reader.

    >>> chapter({"id": "latency-cheapest", "where": "Energy"}), chapter({"id": "mine", "where": "here"})
    ('Energy', '')
    """
    title = TESTED_IN.get(record["id"], record["where"].partition(",")[0])
    return title if title in CHAPTERS else ""


def links(records: Ledger, title: str) -> Page:
    """Return links from a chapter to the cards of its claims, each with its verdict."""
    items = [
        f'<li>{sign(r["measured"])} <a href="claims.html#claim-{r["id"]}">{r["statement"]}</a></li>'
        for r in records.values()
        if chapter(r) == title
    ]
    return Page(f'<div id="claims-of-this-chapter" class="snn-output"><b>Claims.</b><ul>{"".join(items)}</ul></div>')


def beyond(row: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return how far low end, mean and high end of a difference lie on the claimed side of what the claim asks for.

    All above 0: as claimed. All below 0: against the claim. Energies and gates are fractions of what they are compared with.

    >>> beyond({"expect": "lower", "margin": 0.1, "change": {"low": -0.5, "mean": -0.25, "high": 0.0}, "old": {"mean": 1}})
    (-0.1, 0.15, 0.4)
    """
    low, mean, high = (row["change"][key] for key in ("low", "mean", "high"))
    ends = {
        "higher": (low, mean, high),
        "not lower": (low, mean, high),
        "lower": (-high, -mean, -low),
        "not higher": (-high, -mean, -low),
        "the same": (-max(abs(low), abs(high)), -abs(mean), 0.0 if low < 0 < high else -min(abs(low), abs(high))),
    }[row["expect"]]
    shift = -row["margin"] if row["expect"] in ("higher", "lower") else row["margin"]
    unit = abs(row["old"]["mean"]) or 1.0 if row.get("new", {}).get("kind") in ("energy", "gate") else 1.0
    first, middle, last = ((end + shift) / unit for end in ends)
    return first, middle, last


def forest(records: Ledger) -> Page:
    """Return a forest plot as HTML, with filters by verdict and chapter that need no script.

    A row is a claim: its headline, or else its first comparison, with its 95 % interval, and the others as ticks. The axis is
    ``beyond``, cut at ``REACH``. The filters act on the cards of ``page`` too.
    """

    def place(value: float) -> float:
        return round(50 * (1 + max(-1.0, min(1.0, value / REACH))), 1)

    rows = []
    for r in records.values():
        first, *rest = sorted(r["measured"]["comparisons"], key=lambda row: not row.get("headline"))
        low, at, high = map(place, beyond(first))
        rows.append(
            {
                "id": r["id"],
                "statement": r["statement"],
                "verdict": r["measured"]["verdict"],
                "sign": sign(r["measured"]),
                "page": CHAPTERS.get(chapter(r), ""),
                "words": f"{counts(r['measured'])}. {_in_words(first)} (difference {_change(first)}; {first['outcome']})",
                "outcome": first["outcome"],
                "low": low,
                "at": at,
                "high": high,
                "others": [place(beyond(row)[1]) for row in rest],
            }
        )
    return Page(render("forest.html", rows=rows, signs=SIGNS, chapters=CHAPTERS, reach=REACH, suites=suite_attacks(records)))


def suite_attacks(records: Ledger) -> dict[str, dict[str, str]]:
    """Return the attacks of every suite that decided a claim: suite → name → description.

    An attack that ran on fewer samples of some models has its longest description.
    """
    suites: dict[str, dict[str, str]] = {}
    for measured in (r["measured"] for r in records.values() if len(r["measured"]["suites"]) == 1):
        listed = suites.setdefault(measured["suites"][0], {})
        for name, text in measured["attacks"].items():
            if name not in ("none", "worst"):
                listed[name] = max(listed.get(name, ""), text, key=len)
    return suites


def page(records: Ledger) -> Page:
    """Return the ledger as HTML: a row a claim, with its measurement folded below it."""
    return Page(
        render(
            "ledger.html",
            records=records.values(),
            sign=sign,
            marks=MARKS,
            sources={"ding2025": "Ding et al. 2025"},
            counts=counts,
            fractions=fractions,
            headline=headline,
            held_fixed=HELD_FIXED,
            change=_change,
            lower=_lower,
            chapter=chapter,
            pages=CHAPTERS,
        )
    )
