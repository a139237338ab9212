"""From the table of the explorers to the script of a catalogue, and into the pages of a book in another language."""

from __future__ import annotations

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from babel.messages.pofile import read_po
from sphinx.testing.util import SphinxTestApp

import translation
from snnlab.vocabulary import VOCABULARY

HEAD = """msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=3; plural=(n==1 ? 0 : n%10>=2 && n%10<=4 && (n%100<12 || n%100>14) ? 1 : 2);\\n"
"""

BODY = """
msgid "Reads {0}"
msgstr "Czyta {0}"

#, fuzzy
msgid "chance"
msgstr "szansa"

msgid "clean"
msgstr ""

msgid "1 spike"
msgid_plural "{0} spikes"
msgstr[0] "1 impuls"
msgstr[1] "{0} impulsy"
msgstr[2] "{0} impulsów"
"""


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A book of one page, with a Polish catalogue of the explorers."""
    folder = tmp_path / "book" / "locales" / "pl" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    (folder / "explorers.po").write_text(HEAD + BODY, encoding="utf-8")
    (tmp_path / "book" / "index.rst").write_text("Book\n====\n")
    (tmp_path / "book" / "conf.py").write_text(
        "extensions = ['translation']\nhtml_js_files = [('snnlab.js', {'defer': ''})]\n"
    )
    return tmp_path / "book"


def test_a_catalogue_has_the_forms_of_its_language_and_nothing_uncertain(source: Path) -> None:
    messages = translation.catalogue(source / "locales/pl/LC_MESSAGES/explorers.po", "pl")
    forms = {"one": "1 impuls", "few": "{0} impulsy", "many": "{0} impulsów", "other": "{0} impulsów"}
    assert messages == {"Reads {0}": "Czyta {0}", "1 spike|{0} spikes": forms}


def test_the_script_holds_the_catalogue_under_the_language_of_the_page() -> None:
    text = translation.script("pt-BR", {"Reads {0}": "Lê {0} “”"})
    match = re.fullmatch(r'\(globalThis\.snnlabLanguages \?\?= \{\}\)\["pt-BR"\] = (.*);\n', text)
    assert match
    assert json.loads(match[1]) == {"Reads {0}": "Lê {0} “”"}


def test_the_table_holds_texts_of_explorers_vocabulary_and_records() -> None:
    table = translation.template()
    titles = [term.title for terms in (VOCABULARY.attacks, VOCABULARY.decoders) for term in terms.values()]
    for text in ("Reads {0}", "silent outputs up to {0}%", "single seed", "airplane", *titles):
        assert text in table, text
    spikes = table.get("1 spike")
    assert spikes is not None
    assert spikes.id == ("1 spike", "{0} spikes")


def test_the_committed_table_is_a_file_that_translators_can_read() -> None:
    with translation.TABLE.open("rb") as file:
        table = read_po(file, abort_invalid=True)
    assert len(table) > 700
    assert all(message.locations for message in table if message.id)


@pytest.mark.parametrize(("language", "is_there"), [("pl", True), ("fr", False)])
def test_pages_load_the_catalogue_of_their_language_before_the_explorers(
    source: Path, language: str, is_there: bool
) -> None:
    build = source.parent / "build"
    app = SphinxTestApp(srcdir=source, builddir=build, confoverrides={"language": language})
    app.build()
    page = (build / "html" / "index.html").read_text()
    static = build / "html" / "_static" / translation.SCRIPT
    app.cleanup()
    assert f'<html lang="{language}"' in page
    assert static.is_file() is is_there
    assert (translation.SCRIPT in page) is is_there
    if is_there:
        assert page.index(translation.SCRIPT) < page.index("snnlab.js")
        assert "Czyta" in static.read_text(encoding="utf-8")


def test_a_build_for_translators_executes_nothing() -> None:
    for builder, mode in {"gettext": "off", "html": "cache"}.items():
        app = SimpleNamespace(builder=SimpleNamespace(name=builder), config=SimpleNamespace(nb_execution_mode="cache"))
        translation._execute_nothing(app)  # type: ignore[arg-type]
        assert app.config.nb_execution_mode == mode
