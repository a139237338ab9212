"""The book and its explorers in another language: tables for translators, and the script of a finished catalogue.

``make gettext`` writes a table for each page (Sphinx) and ``explorers.pot``, the table of the explorers: their own texts, which
the bundle's build collects from the source, and what the records say in words (titles, descriptions of attacks, flags).

As a Sphinx extension, this module gives a book whose ``language`` has a catalogue
(``book/locales/<language>/LC_MESSAGES/explorers.po``) the script that pages run before the explorers; see
``snnlab/widgets/js/src/language.js``.
"""

from __future__ import annotations

import gettext
import json
import re
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from sphinx.application import Sphinx
from sphinx.config import Config

import snnlab
from snnlab.zoo import export

__all__ = ["SCRIPT", "catalogue", "record_texts", "script", "setup", "template"]

TABLE = Path(snnlab.__file__).parent / "widgets" / "bundle" / "explorers.pot"
#: what the pages of a book in another language load before the explorers
SCRIPT = "snnlab-language.js"

#: fields of a record that readers see, and those of which they see every text; ``language.js`` has the same
SEEN = ("title", "about", "claim", "source")
WEIGHTS = ("model/", "digits/", "picture/")  # records without words
NUMBER = re.compile(r"\d+(?:\.\d+)?")

Messages = dict[str, str | dict[str, str]]


def record_texts() -> dict[str, str]:
    """Return what the records of the book's pages say in words, each with the record that says it first.

    A number is a place: ``"silent outputs up to {0}%"`` stands for all of them.
    """
    found: dict[str, str] = {}
    records = [key for key in export.keys() if not key.startswith(WEIGHTS)]  # noqa: SIM118, a function of the module
    for record in records:
        for text in _seen(export.payload(record), False):
            found.setdefault(_with_places(text), record)
    return {text: record for text, record in found.items() if any(map(str.isalpha, text))}


def _with_places(text: str) -> str:
    number = count()
    return NUMBER.sub(lambda _: f"{{{next(number)}}}", text)


def _seen(node: Any, everything: bool) -> Iterator[str]:
    for key, value in node.items() if isinstance(node, dict) else enumerate(node):
        if isinstance(value, str):
            if everything or key in SEEN:
                yield value
        elif isinstance(value, dict | list):
            described = key == "flags" or (key, type(value)) in {("attacks", dict), ("names", list)}
            yield from _seen(value, everything or described)


def template() -> Catalog:
    """Return the whole table: the texts of the explorers, then those of the records."""
    with TABLE.open("rb") as file:
        table = read_po(file)
    for text, record in record_texts().items():
        if text not in table:
            table.add(text, locations=[(f"snnlab.zoo.export:{record}", None)])  # type: ignore[list-item]
    return table


def catalogue(path: Path, language: str) -> Messages:
    """Return the translations of a file, by their English; what is missing or uncertain ("fuzzy") is left out.

    Args:
        path: a ``.po`` file made from the table.
        language: its language, as ``<html lang>`` has it. A text with several forms has them by their names in CLDR
            ("one", "few", "many", "other"), as ``Intl.PluralRules`` calls them.
    """
    with path.open("rb") as file:
        table = read_po(file, locale=language.replace("-", "_"))
    assert table.locale is not None
    rule, index = table.locale.plural_form, gettext.c2py(table.plural_expr)
    forms = {"other": table.num_plurals - 1} | {rule(n): index(n) for n in reversed(range(200))}
    messages: Messages = {}
    for message in table:
        texts: Any = message.string if message.pluralizable else (message.string,)
        if not message.id or message.fuzzy or not all(texts):
            continue
        if message.pluralizable:
            messages["|".join(message.id)] = {name: texts[k] for name, k in forms.items()}
        else:
            messages[str(message.id)] = texts[0]
    return messages


def script(language: str, messages: Messages) -> str:
    """Return the script that hands a catalogue to the explorers of a page with this ``<html lang>``."""
    text = json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
    return f"(globalThis.snnlabLanguages ??= {{}})[{json.dumps(language)}] = {text};\n"


def _catalogue_of(app: Sphinx) -> Path:
    return Path(app.srcdir, "locales", app.config.language, "LC_MESSAGES", "explorers.po")


def _add_script(app: Sphinx, config: Config) -> None:
    """Let every page load the catalogue of its language, if there is one, before the explorers (``html_js_files``)."""
    if _catalogue_of(app).is_file():
        app.add_js_file(SCRIPT, loading_method="defer")


def _write_script(app: Sphinx) -> None:
    """Write the script that the pages load."""
    if app.builder.format == "html" and _catalogue_of(app).is_file():
        tag = app.config.language.replace("_", "-")
        target = Path(app.outdir, "_static", SCRIPT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(script(tag, catalogue(_catalogue_of(app), tag)), encoding="utf-8")


def _execute_nothing(app: Sphinx) -> None:
    """Read the notebooks as they are where only their text is wanted."""
    if app.builder.name == "gettext":
        app.config.nb_execution_mode = "off"


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the functions above to a build of Sphinx."""
    app.connect("config-inited", _add_script)
    app.connect("builder-inited", _execute_nothing, priority=100)  # before MyST-NB reads its settings
    app.connect("builder-inited", _write_script)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


if __name__ == "__main__":
    target = Path(sys.argv[1]) / TABLE.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as opened:
        write_po(opened, template(), width=0)
    print(f"The table of the explorers: {target}")
