"""One vocabulary for figures, tables and explorers: complete, unambiguous, typed nowhere else."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from matplotlib.markers import MarkerStyle

from snnlab import widgets, zoo
from snnlab.attacks.trajectory import VARIANTS
from snnlab.encoding import ENCODINGS
from snnlab.networks.decoding import DECODERS
from snnlab.networks.early_exit import EXIT_RULES
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets.traits import Explorer

PACKAGE = Path(__file__).parents[2] / "snnlab"
TABLES = (
    *("codes", "training_rules", "losses", "exit_rules", "attacks", "attackers", "attack_variants", "decoders"),
    *("threats", "suite_attacks"),
)
SOURCES = [
    *(PACKAGE / "widgets").glob("*.py"),
    *(PACKAGE / "widgets" / "js" / "src").rglob("*.js"),
    *(PACKAGE / "widgets" / "js" / "src").rglob("*.css"),
]


def test_every_name_that_the_package_knows_is_in_the_vocabulary() -> None:
    assert {*ENCODINGS, "ann"} <= set(VOCABULARY.codes)
    assert set(VOCABULARY.decoders) == set(DECODERS)
    assert tuple(VOCABULARY.exit_rules) == ("fixed", *EXIT_RULES)
    assert tuple(VOCABULARY.attack_variants) == tuple(VARIANTS)


def test_every_model_of_the_zoo_has_a_code_a_rule_and_a_loss_that_the_vocabulary_knows() -> None:
    for recipe in zoo.recipes().values():
        assert recipe["code"] in VOCABULARY.codes
        assert recipe["rule"] in VOCABULARY.training_rules


@pytest.mark.parametrize("table", ["codes", "training_rules", "losses", "exit_rules"])
def test_terms_of_a_table_differ_in_title_and_in_more_than_colour(table: str) -> None:
    terms = getattr(VOCABULARY, table).values()
    assert len({term.title for term in terms}) == len(terms)
    assert len({(term.dash, term.marker) for term in terms}) == len(terms)
    assert len({term.light for term in terms if term.light}) == len([term for term in terms if term.light])


def test_a_trained_code_looks_like_no_other_code_in_its_colour() -> None:
    """A rule replaces dash and marker of its code; the ANN's dots and cross belong to the ANN alone."""
    for code in VOCABULARY.codes.values():
        for rule in VOCABULARY.training_rules.values():
            assert rule.marker == "" or (rule.dash, rule.marker) != (code.dash, code.marker)


def test_every_marker_can_be_drawn() -> None:
    for marker in VOCABULARY.markers.values():
        MarkerStyle(marker)
    tables = [VOCABULARY.codes, VOCABULARY.training_rules, VOCABULARY.losses, VOCABULARY.exit_rules]
    markers = {term.marker for table in tables for term in table.values()} - {""}
    assert markers <= set(VOCABULARY.markers)


def test_no_colour_of_the_vocabulary_is_typed_again() -> None:
    tables = [VOCABULARY.codes, VOCABULARY.colours]
    terms = [term for table in tables for term in table.values()]
    known = {colour.upper() for term in terms for colour in (term.light, term.dark)}
    for path in SOURCES:
        again = {colour.upper() for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text())} & known
        assert not again or path.name == "fallback.py", f"{path.name}: {again}"


def test_no_list_of_the_vocabulary_is_typed_again() -> None:
    """A list of three names of one table in its order, or a table of three of them with their titles."""
    tables = {table: dict(getattr(VOCABULARY, table)) for table in TABLES}
    for path in SOURCES:
        text = re.sub(r"\s+", " ", path.read_text())
        for listed in re.findall(r'"[^"]*"(?:, "[^"]*"){2,}', text):
            names = set(re.findall(r'"([^"]*)"', listed))
            assert not [table for table, terms in tables.items() if names <= set(terms)], f"{path.name}: {listed}"
        pairs = re.findall(r'"?([\w.]+)"?: "([^"]*)"', text)
        for terms in tables.values():
            again = [(name, title) for name, title in pairs if name in terms and terms[name].title == title]
            assert len(again) < 3 or path.name == "fallback.py", f"{path.name}: {again}"


def test_traits_of_every_explorer_are_the_settings_that_its_page_reads() -> None:
    declared = tomllib.loads((PACKAGE / "widgets" / "settings.toml").read_text())
    kinds = {cls.kind: cls for cls in (getattr(widgets, name) for name in widgets.__all__)}
    assert set(kinds) == set(declared["explorers"])
    for kind, cls in kinds.items():
        traits = {name for name, _ in cls.class_traits(sync=True).items() if not name.startswith("_")}
        assert set(declared["explorers"][kind]) <= traits
        own = traits - set(Explorer.class_traits(sync=True))
        assert own <= set(declared["explorers"][kind])


def test_no_setting_has_the_name_of_an_attribute_that_every_element_has() -> None:
    """A setting is an attribute in a page: ``hidden="128"`` would hide the explorer."""
    file = Path(widgets.__file__).parent / "settings.toml"
    settings = tomllib.loads(file.read_text(encoding="utf-8"))["settings"]
    of_every_element = (
        "accesskey autofocus class contenteditable dir draggable enterkeyhint exportparts hidden id inert inputmode is"
    )
    of_every_element += (
        " itemid itemprop itemref itemscope itemtype lang nonce part popover role slot spellcheck style tabindex title"
    )
    assert not {*of_every_element.split(), "translate"} & set(settings)
