"""Tables and sentences on three studies of the chapter *CIFAR-10*.

Saved pictures (attacked pictures written to files and read again), the search among spike trains, and random codes attacked and
read over many draws. Each table has a sentence on its finding and a caption.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from analysis.cifar10 import DATASET, LEVELS, share
from snnlab import zoo
from snnlab.statistics import NO_BOUND, Estimate
from snnlab.zoo.studies import DRAWS, STUDIES, Study

saved, draws, trains = STUDIES

__all__ = [
    "draws_caption",
    "draws_finding",
    "draws_table",
    "saved_caption",
    "saved_finding",
    "saved_table",
    "trains_caption",
    "trains_finding",
    "trains_table",
]

#: counts of saved pictures → columns
AFTERWARDS = {"unsaved": "as attacked", "saved": "saved", "known": "attacked as a file"}
#: counts of the search among spike trains → columns
SEARCHED = {"images": "after attacks on the image", "trains": "after the search", "both": "after both"}


def saved_table() -> pd.DataFrame:
    """Return the accuracy on attacked pictures, as attacked and as files: a row a model and ε."""
    return _table_of(saved, AFTERWARDS)


def saved_finding(level: float) -> str:
    """Return which networks classify clearly more pictures at one ε once these are saved, as Markdown.

    "Clearly": the intervals do not overlap. The attacker does not know of the saving, or does.
    """
    shares = _shares(saved, level)

    def gained(count: str) -> str:
        names = [f"`{name}`" for name, counts in shares.items() if counts[count].low > counts["unsaved"].high]
        return ", ".join(names) or "none"

    return (
        f"**Saved, ε = {level:g}/255.** Clearly more is read correctly than as attacked, once pictures are saved: "
        f"{gained('saved')}; once they are attacked as files: {gained('known')}."
    )


def saved_caption() -> str:
    """Return n, seed, interval and attack of the numbers on saved pictures, as Markdown."""
    record = saved.record(saved.models(DATASET)[0], dataset=DATASET)
    return (
        f"n = {record['n']:,} test pictures, training seed {record['seed']}, 95 % Wilson intervals over pictures. "
        f"Attack: {record['attack']}; at the last exit. The adaptive suite has more attacks, and leaves less. "
        f"Lower ends: {NO_BOUND}. *Flags:* single seed."
    )


def trains_table() -> pd.DataFrame:
    """Return the accuracy after attacks on the image, a search among spike trains, and both: a row a model and ε."""
    return _table_of(trains, SEARCHED)


def trains_finding() -> str:
    """Return how much a search among spike trains lowers the accuracy of networks with step codes, as Markdown."""
    parts = []
    for name in trains.models(DATASET):
        record = trains.record(name, dataset=DATASET)
        falls = {
            round(eps * LEVELS, 3): (images - both) / record["n"]
            for eps, images, both in zip(record["eps"], record["correct"]["images"], record["correct"]["both"], strict=True)
        }
        level = max(falls, key=lambda level: falls[level])
        parts.append(f"- `{name}`: {falls[level]:.3f} (ε = {level:g}/255)")
    listed = "\n".join(parts)
    return (
        "**Finding.** What the search breaks beside the attacks on the image, at the ε where it is most:\n\n"
        f"{listed}\n\nThe adaptive numbers of this chapter rest on more attacks on the image and on no search. This "
        "search would lower them too, by at most so much on the same pictures; a longer one may find more."
    )


def trains_caption() -> str:
    """Return n, seed, interval and attack of the numbers on the search among spike trains, as Markdown."""
    record = trains.record(trains.models(DATASET)[0], dataset=DATASET)
    return (
        f"n = {record['n']:,} test pictures, training seed {record['seed']}, 95 % Wilson intervals over pictures. "
        f"Attack: {record['attack']}; at the last exit. Lower ends: {NO_BOUND}. "
        "*Flags:* single seed; two kinds of attack, not a suite."
    )


def draws_table() -> pd.DataFrame:
    """Return the mean accuracy of random codes over fresh draws: a column a model, a row an ε and draws per gradient."""
    columns = {}
    for name, shares in _draws().items():
        attacked = {f"{level:g}/255, {DRAWS[count]} draws": str(s) for (count, level), s in shares.items() if level}
        columns[name] = {"clean": str(shares["clean", 0.0]), **attacked}
    return pd.DataFrame(columns).fillna("—")  # models without draws are attacked once


def draws_finding(level: float) -> str:
    """Return which models more draws per gradient break, and how random codes compare with their controls, as Markdown.

    "Clearly": the intervals do not overlap.
    """
    shares = {
        name: {count: cells[count, level] for count in DRAWS if (count, level) in cells} for name, cells in _draws().items()
    }
    broken = [f"`{name}`" for name, counts in shares.items() if "many" in counts and counts["many"].high < counts["few"].low]
    patient = f"More draws a gradient break clearly more of: {', '.join(broken) or 'none'}."
    sentences = []
    for control in zoo.names("controls", dataset=DATASET):
        code = zoo.recipe(control, DATASET)["encoding"]
        spiking, ordinary = shares[code]["many"], shares[control]["many"]
        sentences.append(
            f"`{code}` keeps {spiking}, an ordinary network that reads its draws (`{control}`) {ordinary}: `{code}` keeps "
            f"{_compared(spiking, ordinary)}."
        )
        for plain in (name for name, counts in shares.items() if "many" not in counts):
            sentences.append(
                f"`{plain}`, which draws nothing, keeps {shares[plain]['few']}: `{control}` keeps "
                f"{_compared(ordinary, shares[plain]['few'])}, `{code}` {_compared(spiking, shares[plain]['few'])}."
            )
    return f"**In the mean over draws, ε = {level:g}/255.** {patient} {' '.join(sentences)}"


def _compared(a: Estimate, b: Estimate) -> str:
    if a.low > b.high:
        return "clearly more"
    return "clearly less" if a.high < b.low else "as much, for all that the intervals can tell"


def draws_caption() -> str:
    """Return n, seed, interval and attack of the numbers over draws, as Markdown."""
    record = draws.record(draws.models(DATASET)[0], dataset=DATASET)
    return (
        f"n = {record['n']:,} test pictures, each answered by {record['read']} draws; training seed {record['seed']}; 95 % "
        f"Wilson intervals over pictures. Attack: {record['attack']}; at the last exit. *Flags:* single seed; one attack, not "
        "a suite."
    )


def _draws() -> dict[str, dict[tuple[str, float], Estimate]]:
    """Return the shares of every model of the study, by attack (a key of ``DRAWS``, or "clean") and ε of 255."""
    shares: dict[str, dict[tuple[str, float], Estimate]] = {}
    for name in draws.models(DATASET):
        record = draws.record(name, dataset=DATASET)
        shares[name] = {("clean", 0.0): share(record["clean"], record["n"])}
        for column, eps in enumerate(record["eps"]):
            for count, right in record["right"].items():
                shares[name][count, round(eps * LEVELS, 3)] = share(right[column], record["n"])
    return shares


def _table_of(study: Study, titles: Mapping[str, str]) -> pd.DataFrame:
    """Return the counts of a study as shares: a row a model and ε."""
    rows: dict[str, dict[str, str]] = {}
    for name, level, count, value in _counts(study):
        rows.setdefault(f"{name}, {level:g}/255", {})[titles[count]] = str(value)
    return pd.DataFrame.from_dict(rows, orient="index")


def _shares(study: Study, level: float) -> dict[str, dict[str, Estimate]]:
    """Return the shares of a study at one ε of 255, by model and count."""
    shares: dict[str, dict[str, Estimate]] = {}
    for name, measured_level, count, value in _counts(study):
        if measured_level == level:
            shares.setdefault(name, {})[count] = value
    return shares


def _counts(study: Study) -> list[tuple[str, float, str, Estimate]]:
    """Return model, ε of 255, count and share of all records of a study."""
    result = []
    for name in study.models(DATASET):
        record = study.record(name, dataset=DATASET)
        for column, eps in enumerate(record["eps"]):
            for count in study.counts:
                value = share(record["correct"][count][column], record["n"])
                result.append((name, round(eps * LEVELS, 3), count, value))
    return result
