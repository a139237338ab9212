"""Definitions: what is claimed, and which comparisons decide it, read from ``zoo/claims/claims.toml``.

A comparison takes one quantity of two models (or of one model and a number) at every seed. With ``d`` the mean difference
``new - old`` and ``[low, high]`` its 95 % interval (``snnlab.statistics.change_over_seeds``: the wider one of seeds and samples):

============== ============================ ==========================
``expect``     as claimed                   against the claim
============== ============================ ==========================
higher         ``low > margin``             ``high < margin``
lower          ``high < -margin``           ``low > -margin``
not lower      ``low > -margin``            ``high < -margin``
not higher     ``high < margin``            ``low > margin``
the same       both inside ``±margin``      one end beyond the other side
============== ============================ ==========================

Otherwise the comparison is *not told apart* (undecided). So is a difference of accuracies below ``MIN_EFFECT`` where there is no
margin, and a factor on an accuracy that guessing reaches as well. A claim

* **holds** if every comparison is as claimed, **holds in part** if some are and none is against it;
* is **mixed** if some comparisons are as claimed and some against it;
* **holds (proved)** if it holds for every attack, tried or not: each comparison is as claimed for what is proved of the side that
  should be higher, and what attacks leave of the other;
* is **undecided** if no comparison is told apart;
* **does not hold here** if none is as claimed and one or more are against it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from snnlab.claims.quantities import Quantity
from snnlab.statistics import Change

__all__ = ["OUTCOMES", "VERDICTS", "Claim", "Comparison", "definitions", "verdict"]

FILE = Path(__file__).parents[1] / "zoo" / "claims" / "claims.toml"
EXPECTED: tuple[str, ...] = ("higher", "lower", "not lower", "not higher", "the same")
#: what a comparison can end with
OUTCOMES: tuple[str, ...] = ("as claimed", "not told apart", "against the claim")
#: verdicts on a claim
VERDICTS: tuple[str, ...] = ("holds (proved)", "holds", "holds in part", "mixed", "undecided", "does not hold here")


@dataclass(frozen=True)
class Comparison:
    """Two quantities and what the claim expects of ``new - old``.

    Args:
        new, old: the quantities.
        expect: a row of the table in the module docstring.
        margin: of the expectation.
        headline: whether a reader should look at this comparison first.

    Raises:
        ValueError: an unknown expectation; a margin that is negative, or missing where the expectation needs one.
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

    @property
    def models(self) -> list[str]:
        """The models that it needs."""
        return list(dict.fromkeys(name for q in (self.new, self.old) for name in q.models))

    def proved(self, lowest: Change | None, highest: Change | None) -> bool:
        """Return whether it is as claimed at both ends of the difference, the least and the largest that attacks can make it."""
        ends = {
            "higher": (lowest,),
            "not lower": (lowest,),
            "lower": (highest,),
            "not higher": (highest,),
            "the same": (lowest, highest),
        }[self.expect]
        return all(end is not None and self.outcome(end) == OUTCOMES[0] for end in ends)

    def outcome(self, change: Change) -> str:
        """Return what an interval says of the expectation: one of ``OUTCOMES``.

        >>> Comparison(Quantity("onset"), Quantity("direct"), "higher").outcome(Change(0.1, -0.1, 0.3, seeds=3))
        'not told apart'
        """
        low, high, margin = change.low, change.high, self.margin
        if not margin and (self.new.is_accuracy or self.old.is_accuracy) and not change.large:
            return OUTCOMES[1]
        claimed, against = {
            "higher": (low > margin, high < margin),
            "lower": (high < -margin, low > -margin),
            "not lower": (low > -margin, high < -margin),
            "not higher": (high < margin, low > margin),
            "the same": (-margin < low and high < margin, low > margin or high < -margin),
        }[self.expect]
        return OUTCOMES[0] if claimed else OUTCOMES[2] if against else OUTCOMES[1]


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
        stated_before: whether the claim is known to be older than the measurement of its models.

    Raises:
        ValueError: no comparison, or more than one headline.
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
        if headlines > 1 or not self.comparisons:
            raise ValueError(
                f"claim {self.id!r} has {headlines} headlines and {len(self.comparisons)} comparisons; a claim has one "
                "headline at most, and at least one comparison"
            )


def verdict(outcomes: Sequence[str], proved: bool = False) -> str:
    """Return one of ``VERDICTS`` from the outcomes of a claim's comparisons, and whether all are proved.

    >>> verdict(["as claimed", "not told apart"])
    'holds in part'
    >>> verdict(["as claimed", "not told apart", "against the claim"])
    'mixed'
    >>> verdict(["not told apart", "not told apart"])
    'undecided'
    """
    if not outcomes or any(o not in OUTCOMES for o in outcomes):
        raise ValueError(f"a verdict needs outcomes out of {', '.join(OUTCOMES)}, got {list(outcomes)}")
    holds_proved, holds, in_part, mixed, undecided, not_here = VERDICTS
    claimed, open_ones = (outcomes.count(outcome) for outcome in OUTCOMES[:2])
    if claimed:
        if claimed < len(outcomes):
            return in_part if claimed + open_ones == len(outcomes) else mixed
        return holds_proved if proved else holds
    return undecided if open_ones == len(outcomes) else not_here


@lru_cache
def definitions(path: Path = FILE) -> Mapping[str, Claim]:
    """Return all claims by id, in the order of the file.

    Raises:
        ValueError: a claim that lacks a key, has an unknown one, or is there twice.
    """
    claims: dict[str, Claim] = {}
    for table in tomllib.loads(path.read_text(encoding="utf8"))["claims"]:
        try:
            claim = Claim(**{**table, "comparisons": tuple(c for group in table["comparisons"] for c in _expanded(group))})
        except (KeyError, TypeError) as error:
            raise ValueError(
                f"claim {table.get('id')!r} of {path.name} lacks a key, or has a strange one: {error}"
            ) from None
        if claim.id in claims:
            raise ValueError(f"claim {claim.id!r} is there twice in {path.name}")
        claims[claim.id] = claim
    return claims


def _expanded(group: Mapping[str, Any]) -> list[Comparison]:
    """Return the comparisons of a table: one for every ε (or level/255) and pair of sides.

    A side is a model's name, a number, or a table of its settings; other keys go to both sides.
    """
    of_comparison = {key: group[key] for key in ("expect", "margin", "headline") if key in group}
    common = {key: value for key, value in group.items() if key not in ("new", "old", "eps", "levels", *of_comparison)}
    news, olds = (side if isinstance(side, list) else [side] for side in (group["new"], group["old"]))
    longest = max(len(news), len(olds))
    if any(len(side) not in (1, longest) for side in (news, olds)):
        raise ValueError(f"new and old must pair up, got {len(news)} and {len(olds)}")
    radii = [level / 255 for level in group["levels"]] if "levels" in group else group.get("eps", 0.0)

    def quantity(side: str | Mapping[str, Any] | float, eps: float) -> Quantity:
        if isinstance(side, int | float):
            return Quantity(kind="value", value=float(side))
        return Quantity(**{"eps": eps, **common, **({"model": side} if isinstance(side, str) else side)})

    return [
        Comparison(quantity(news[k % len(news)], eps), quantity(olds[k % len(olds)], eps), **of_comparison)
        for eps in (radii if isinstance(radii, list) else [radii])
        for k in range(longest)
    ]
