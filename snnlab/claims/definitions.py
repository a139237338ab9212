"""Definitions: what is claimed, and which comparisons decide it, read from ``zoo/claims/claims.toml``.

A comparison takes one quantity of two models (or of one model and a number) at every seed. With ``d`` the mean difference
``new - old`` and ``[low, high]`` its 95 % interval over seeds (``snnlab.records.change_over_seeds``):

============== ============================ ==========================
``expect``     as claimed                   against the claim
============== ============================ ==========================
higher         ``low > margin``             ``high < margin``
lower          ``high < -margin``           ``low > -margin``
not lower      ``low > -margin``            ``high < -margin``
not higher     ``high < margin``            ``low > margin``
the same       both inside ``±margin``      one end beyond the other side
============== ============================ ==========================

Everything else is *not told apart* (undecided). So is a difference of two accuracies without a margin that is smaller than one
point (``snnlab.records.MIN_EFFECT``). A claim **holds** if every comparison is as claimed, **holds in part** if some are, and
**does not hold here** if none is; the verdict is always shown with the number of comparisons of each outcome. A claim can name
one comparison as its *headline*: the one that a reader should look at first.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab.claims.quantities import Quantity
from snnlab.records import Change

__all__ = ["OUTCOMES", "VERDICTS", "Claim", "Comparison", "definitions", "verdict"]

FILE = Path(__file__).parents[1] / "zoo" / "claims" / "claims.toml"
EXPECTED: tuple[str, ...] = ("higher", "lower", "not lower", "not higher", "the same")
#: what can become of a comparison
OUTCOMES: tuple[str, ...] = ("as claimed", "not told apart", "against the claim")
#: what can become of a claim
VERDICTS: tuple[str, ...] = ("holds", "holds in part", "does not hold here")


@dataclass(frozen=True)
class Comparison:
    """Two quantities and what the claim expects of ``new - old``.

    Args:
        new, old: the quantities.
        expect: a row of the table in the module docstring.
        margin: of the expectation.
        headline: whether a reader should look at this comparison first.
    """

    new: Quantity
    old: Quantity
    expect: str
    margin: float = 0.0
    headline: bool = False

    def __post_init__(self) -> None:
        if self.expect not in EXPECTED:
            raise ValueError(f"unknown expectation {self.expect!r}; choose one of {', '.join(EXPECTED)}")
        if self.margin < 0 or (self.margin == 0 and self.expect not in ("higher", "lower")):
            raise ValueError(f"{self.expect!r} needs a margin above 0, got {self.margin!r}")

    def outcome(self, change: Change) -> str:
        """Return what an interval says of the expectation: one of ``OUTCOMES`` (table in the module docstring).

        >>> Comparison(Quantity("onset"), Quantity("direct"), "higher").outcome(Change(0.1, -0.1, 0.3, seeds=3))
        'not told apart'
        """
        low, high, margin = change.low, change.high, self.margin
        if not margin and self.of_accuracies and not change.large:
            return OUTCOMES[1]
        claimed, against = {
            "higher": (low > margin, high < margin),
            "lower": (high < -margin, low > -margin),
            "not lower": (low > -margin, high < -margin),
            "not higher": (high < margin, low > margin),
            "the same": (-margin < low and high < margin, low > margin or high < -margin),
        }[self.expect]
        return OUTCOMES[0] if claimed else OUTCOMES[2] if against else OUTCOMES[1]

    @property
    def of_accuracies(self) -> bool:
        """Whether accuracies are compared, so that one point is the smallest difference that counts."""
        return any(q.is_accuracy for q in (self.new, self.old))

    @property
    def models(self) -> list[str]:
        """The models that it needs."""
        return list(dict.fromkeys(name for q in (self.new, self.old) for name in q.models))


@dataclass(frozen=True)
class Claim:
    """A sentence that can be wrong.

    Args:
        id: name of its record.
        statement: the claim.
        source: key of the bibliography, or ``"this book"``.
        where: where it is said.
        limits: what a reader must not conclude.
        comparisons: what decides it.
        stated_before: whether the claim was written down before its models were measured. ``False`` also where nobody knows.

    Raises:
        ValueError: more than one headline.
    """

    id: str
    statement: str
    source: str
    where: str
    limits: str
    comparisons: tuple[Comparison, ...]
    stated_before: bool = False

    def __post_init__(self) -> None:
        headlines = sum(comparison.headline for comparison in self.comparisons)
        if headlines > 1:
            raise ValueError(f"claim {self.id!r} has {headlines} headlines; a claim has one, or none")


def verdict(outcomes: Sequence[str]) -> str:
    """One of ``VERDICTS`` from the outcomes of a claim's comparisons.

    >>> verdict(["as claimed", "not told apart"])
    'holds in part'
    """
    if not outcomes or any(o not in OUTCOMES for o in outcomes):
        raise ValueError(f"a verdict needs outcomes out of {', '.join(OUTCOMES)}, got {list(outcomes)}")
    claimed = sum(o == OUTCOMES[0] for o in outcomes)
    return VERDICTS[0] if claimed == len(outcomes) else VERDICTS[1] if claimed else VERDICTS[2]


@lru_cache
def definitions(path: Path = FILE) -> Mapping[str, Claim]:
    """All claims by id, in the order of the file.

    Raises:
        ValueError: a claim without statement, source, place or comparison; one that is there twice; a headline that is not
            one comparison; unknown keys.
    """
    found: dict[str, Claim] = {}
    for table in tomllib.loads(path.read_text(encoding="utf8"))["claims"]:
        missing = {"id", "statement", "source", "where", "limits", "comparisons"} - set(table)
        if missing or not table["comparisons"] or table["id"] in found:
            raise ValueError(f"claim {table.get('id')!r} lacks {sorted(missing) or 'comparisons, or is there twice'}")
        comparisons = tuple(c for group in table["comparisons"] for c in _expanded(group))
        found[table["id"]] = Claim(**{**table, "comparisons": comparisons})
    return found


def _expanded(group: Mapping[str, Any]) -> list[Comparison]:
    """The comparisons of a table: one for every pair of models and every ε (or level/255); other keys go to both sides.

    ``new`` and ``old`` are a model's name, a table of what that side has for itself, or a list of such, in pairs.
    """
    of_comparison = ("new", "old", "eps", "levels", "expect", "margin", "headline")
    common = {key: value for key, value in group.items() if key not in of_comparison}
    news, olds = (side if isinstance(side, list) else [side] for side in (group["new"], group["old"]))
    longest = max(len(news), len(olds))
    if any(len(side) not in (1, longest) for side in (news, olds)):
        raise ValueError(f"new and old must pair up, got {len(news)} and {len(olds)}")
    radii = [level / 255 for level in group["levels"]] if "levels" in group else group.get("eps", 0.0)
    found = []
    for eps in radii if isinstance(radii, list) else [radii]:
        for k in range(longest):
            new, old = (_quantity(side[k % len(side)], {"eps": eps, **common}) for side in (news, olds))
            found.append(Comparison(new, old, group["expect"], group.get("margin", 0.0), group.get("headline", False)))
    return found


def _quantity(side: str | Mapping[str, Any] | float, common: Mapping[str, Any]) -> Quantity:
    if isinstance(side, int | float):
        return Quantity(kind="value", value=float(side))
    own = {"model": side} if isinstance(side, str) else side
    return Quantity(**{**common, **own})
