"""The names that figures, tables and explorers share, with title, colours, dash and marker: ``vocabulary.toml``, typed.

The explorers' JavaScript has the same file in its bundle, so none of it is typed twice.

>>> VOCABULARY.codes["latency"].marker, VOCABULARY.training_rules["tsslbp"].title
('diamond', 'TSSL-BP')
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["VOCABULARY", "Linestyle", "Term", "Threshold", "Vocabulary"]

Linestyle = str | tuple[int, tuple[float, ...]]
DASH_UNIT = 1.5  # of the file's lengths in a line's width, which is matplotlib's unit


@dataclass(frozen=True)
class Threshold:
    """The threshold of an exit rule: default, and range and step of its slider."""

    default: float
    min: float
    max: float
    step: float


@dataclass(frozen=True)
class Term:
    """One term: its title, and how it is drawn (empty where another term decides)."""

    title: str = ""
    light: str = ""
    dark: str = ""
    dash: tuple[float, ...] = ()
    marker: str = ""
    prefix: str = ""
    gradient: bool = False
    threshold: Threshold | None = None

    @property
    def linestyle(self) -> Linestyle:
        """The dash as matplotlib takes it."""
        return (0, tuple(length / DASH_UNIT for length in self.dash)) if self.dash else "-"


Terms = Mapping[str, Term]


@dataclass(frozen=True)
class Vocabulary:
    """All terms by their table and name, in the order of the file; ``markers`` are matplotlib's."""

    codes: Terms
    side_by_side: Mapping[str, tuple[str, ...]]
    training_rules: Terms
    losses: Terms
    decoders: Terms
    exit_rules: Terms
    attacks: Terms
    attackers: Terms
    attack_variants: Terms
    threats: Terms
    suite_attacks: Terms
    colours: Terms
    markers: Mapping[str, str]


def _term(name: str, dash: tuple[float, ...] = (), threshold: Mapping[str, float] | None = None, **values: Any) -> Term:
    prefix = values.pop("prefix", name)
    return Term(dash=tuple(dash), prefix=prefix, threshold=None if threshold is None else Threshold(**threshold), **values)


def _load(path: Path) -> Vocabulary:
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    shown = {name: tuple(names) for name, names in tables.pop("side_by_side").items()}
    markers = tables.pop("markers")
    terms = {table: {name: _term(name, **values) for name, values in rows.items()} for table, rows in tables.items()}
    return Vocabulary(side_by_side=shown, markers=markers, **terms)


VOCABULARY = _load(Path(__file__).with_name("vocabulary.toml"))
