"""A local leaderboard: networks ranked by what an informed attacker leaves of them, beside those of the zoo.

What is compared is the accuracy at the last exit, within one ε, after all attacks of the suite ``quick``. A longer suite holds
them, so its record says the same of this stage. The interval is Wilson's over samples: a rank belongs to a network, not to a
way of making one, which is a matter for several seeds and for a claim.

**The rule.** An entry is *clearly better* than another if its whole interval lies above the other's. The rank of an entry is
one more than the number of ranked entries that are clearly better than it. So neighbours whose intervals overlap may share a
rank, and a network that none clearly beats has rank 1. Within a rank the order is that of the low ends: a wide interval is
hard to beat clearly, and shall at least not stand first.

**Shown, not ranked** is an entry

* that an informed attack of the suite is missing from, or that was attacked with another one under its name;
* of other images than the zoo's, of fewer than ``LEAST``, or without this ε;
* with a flag that says the measurement is broken (``AGAINST``).

Flags that say a number is still too high (more steps help; a transferred attack beats another) stand beside a rank and cost
none. A rule that punished those who look longer would teach to look away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isnan
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from snnlab import zoo
from snnlab.attack import INFORMED, has_trains
from snnlab.claims import Page
from snnlab.encoding import encoder
from snnlab.evaluation import WORST
from snnlab.flags import FLAGS, kind_of
from snnlab.plot import INK, QUIET, Picture, mark, style
from snnlab.records import wilson_interval
from snnlab.suites import QUICK
from snnlab.teach.entries import entries
from snnlab.templates import render

__all__ = ["AGAINST", "LEAST", "Row", "board", "figure", "page", "ranked", "refusal", "row"]

Record = Mapping[str, Any]

EPS = 0.1
LEAST = 100  # with fewer images the interval is wider than what lies between the codes
IMAGES = ("mnist5k", "test", "Linf")
#: the attacks that an entry must have stood, in words, by name
REQUIRED: dict[str, str] = {a.name: a.description for a in QUICK if a.attacker == INFORMED and a.method != "spike_train"}
#: beside these, of an entry whose code has spike trains to search among
SEARCH: dict[str, str] = {a.name: a.description for a in QUICK if a.method == "spike_train"}
LAST = QUICK[-1].name  # what stands after it is compared
#: flags that say the measurement is broken, and not only that its number is too high
AGAINST: tuple[str, ...] = ("zero_gradient", "not_near_chance", "stochastic_without_eot", "state_kept", "training_mode")


@dataclass(frozen=True)
class Row:
    """An entry: the accuracy that is compared, with its interval, and its rank, or in ``refused`` why it has none."""

    name: str
    accuracy: float
    low: float
    high: float
    clean: float
    n: int
    own: bool = True
    refused: str = ""
    flags: tuple[str, ...] = ()
    rank: int | None = None

    @property
    def title(self) -> str:
        """The name, and whose it is."""
        return self.name if self.own else f"{self.name} (zoo)"

    @property
    def left(self) -> str:
        """The accuracy with its interval, where it was measured."""
        return "—" if isnan(self.accuracy) else f"{self.accuracy:.3f} [{self.low:.3f}, {self.high:.3f}]"

    @property
    def remarks(self) -> str:
        """Why it has no rank, and its flags."""
        return "; ".join(filter(None, (self.refused, *self.flags)))


def refusal(record: Record, eps: float = EPS) -> str:
    """Why an entry is shown without a rank, in words; empty if it may have one."""
    required = REQUIRED | (SEARCH if _has_trains(record) else {})
    weak = [name for name, words in required.items() if record["attacks"].get(name) != words]
    if weak:
        return f"not attacked with {', '.join(weak)} as the suite quick has it"
    if _images(record) != IMAGES:
        return "measured on other images or in another norm than the zoo, or it does not say so"
    if record["n"] < LEAST:
        return f"only {record['n']} images, at least {LEAST} are needed"
    if eps not in record["eps"]:
        return f"not measured at ε = {eps:g}"
    against = [s for name in (WORST, *REQUIRED) for s in record["flags"].get(name, ()) if kind_of(s).name in AGAINST]
    return f"flag: {against[0]}" if against else ""


def _has_trains(record: Record) -> bool:
    """Whether the code of an entry, where it names one of ours, has spike trains to search among."""
    try:
        return has_trains(encoder(str(record.get("encoding", "")), num_steps=int(record.get("num_steps", 1))))
    except ValueError:
        return False


def _images(record: Record) -> tuple[str, str, str]:
    """Data set, split and norm; ``snnlab evaluate`` says the first in words and takes the second from the test images."""
    norm = record.get("norm", "Linf")
    if "about" in record:
        return str(record["about"].get("data", "")).partition(",")[0], "test", norm
    return record.get("dataset", ""), record.get("split", ""), norm


def row(name: str, record: Record, eps: float = EPS, *, own: bool = True) -> Row:
    """An entry as a row that has no rank yet."""
    counts, n = record.get("left", {}).get(LAST, record["correct"][WORST])[-1], record["n"]
    clean = record["correct"][WORST][-1][0] / n
    share, low, high = float("nan"), 0.0, 1.0
    if eps in record["eps"]:
        stands = counts[record["eps"].index(eps)]
        share, (low, high) = stands / n, wilson_interval(stands, n)
    flags = tuple(s for s in record["flags"].get(WORST, ()) if s != FLAGS["single_seed"]())
    return Row(name, share, low, high, clean, n, own, refusal(record, eps), flags)


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The rows with their ranks (rule in the module docstring), best first; those without a rank come last.

    >>> a, b, c = (Row(name, x, x - 0.1, x + 0.1, 1.0, 100) for name, x in (("a", 0.8), ("b", 0.65), ("c", 0.55)))
    >>> [(row.name, row.rank) for row in ranked([c, b, a])]
    [('a', 1), ('b', 1), ('c', 2)]
    """
    counted = [r for r in rows if not r.refused]
    told = [r if r.refused else replace(r, rank=1 + sum(other.low > r.high for other in counted)) for r in rows]
    return sorted(told, key=lambda r: (r.rank is None, r.rank, -r.low))


def board(folder: str | Path | None = None, eps: float = EPS) -> list[Row]:
    """The entries of a folder and the zoo's codes (first seed), ranked.

    Args:
        folder: of the reader's entries; ``None``: the zoo alone.
        eps: radius, L∞, one that the zoo's longer suite was run at.

    Raises:
        ValueError: an ε that the zoo was not measured at; a file in the folder that is no entry.

    >>> board()[0].name
    'onset'
    """
    known = zoo.results("onset")["eps"]
    if eps not in known:
        raise ValueError(f"the zoo was not measured at ε = {eps!r}; choose one of {known}")
    rows = [row(name, zoo.results(name), eps, own=False) for name in zoo.names("codes")]
    return ranked(rows + [row(name, record, eps) for name, record in (entries(folder) if folder else {}).items()])


def page(folder: str | Path | None = None, eps: float = EPS) -> Page:
    """The board as a table for a notebook: rank, accuracy with its interval, clean accuracy, n, and what to know of it."""
    return Page(render("board.html", rows=board(folder, eps), eps=eps))


def figure(folder: str | Path | None = None, eps: float = EPS) -> Figure:
    """The board as a picture: an entry a line, its accuracy with the interval and its rank; hollow, if it has none."""
    found = board(folder, eps)
    with style():
        picture = Picture(figsize=(6.2, 0.32 * len(found) + 0.9), layout="constrained")
        ax = picture.subplots()
        for y, r in enumerate(found):
            colour, _, marker = (INK, "-", "P") if r.own else mark(r.name)
            reach = [[r.accuracy - r.low], [r.high - r.accuracy]]
            face = "white" if r.refused else colour
            ax.errorbar(
                r.accuracy, y, xerr=reach, ls="none", marker=marker, color=colour, mfc=face, ms=7, capsize=3, elinewidth=1.2
            )
            said = f"rank {r.rank}" if r.rank else "not ranked"
            ax.annotate(said, (1.02, y), xycoords=("axes fraction", "data"), va="center", fontsize=9, color=INK)
        ax.axvline(0.1, color=QUIET, lw=0.8, ls=(0, (1, 3)))
        ax.set_yticks(range(len(found)), [r.title for r in found])
        for label, r in zip(ax.get_yticklabels(), found, strict=True):
            label.set_fontweight("bold" if r.own else "normal")
        ax.set(xlim=(-0.02, 1.02), ylim=(len(found) - 0.5, -0.5), xlabel=f"accuracy left at ε = {eps:g} (dotted: chance)")
    return picture
