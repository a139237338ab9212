"""Explorers in a language that does not exist: accented letters, four tenths longer. English shows what was never translated.

Numbers are German, so a decimal point shows what ``Intl`` has not written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from babel.messages.pofile import read_po, write_po
from playwright.sync_api import Browser, Locator
from visiting import Visit, answered, lone_page, web_data

import translation
from snnlab import widgets, zoo
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets.traits import DECLARED
from snnlab.zoo import export

EXPLORERS = {name.removesuffix("Explorer").lower(): getattr(widgets, name) for name in widgets.__all__}
LANGUAGE = "de"
ACCENTED = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "áḃçḋéḟğĥíĵķłɱñóƥɋŕšťúṽŵẋýžÁḂÇḊÉḞĞĤÍĴĶŁḾÑÓƤɊŔŠŤÚṼŴẊÝŽ"
)
#: what keeps its letters: names that a reader types or finds in a record, of codes, attacks, files, the package
RECORDS = [export.payload(key) for key in export.keys() if "/" not in key]  # noqa: SIM118, a function of the module
CHOICES = [choice for name in ("surrogate", "loss") for choice in DECLARED["settings"][name]["choices"]]
NAMES = {
    *VOCABULARY.codes,
    *zoo.names(),
    *(name for record in RECORDS for name in (record.get("results") or record).get("attacks", record.get("attacks", ()))),
    *(name.replace("_", " ") for name in CHOICES),
    *("binary", "und", "PGD", "mnist5k", "CIFAR-10", "snnlab evaluate"),
}
NAME = re.compile(rf"(?<!\w)({'|'.join(map(re.escape, sorted(NAMES, key=len, reverse=True)))})(?!\w)")

#: the decimal point of an English number; a German one has a point between its thousands
POINT = re.compile(r"(?<=\d)\.(?=\d{1,2}(?!\d)|\d{4})")

#: every text that an explorer shows or says, outside its fields for code
TEXTS = """(explorer) => {
    const found = new Set();
    for (const element of explorer.shadowRoot.querySelectorAll('.lab *')) {
        if (element.closest('style, script, textarea, code, .fallback')) continue;
        for (const name of ['aria-label', 'aria-valuetext', 'title', 'alt', 'placeholder', 'aria-roledescription'])
            if (element.hasAttribute(name)) found.add(element.getAttribute(name));
        for (const node of element.childNodes) if (node.nodeType === Node.TEXT_NODE) found.add(node.data);
    }
    return [...found];
}"""

#: visible boxes whose content is wider than they are, and the page, if it scrolls sideways
WIDE = """(explorer) => {
    const found = [];
    for (const box of explorer.shadowRoot.querySelectorAll('.lab, .lab *')) {
        if (box.clientWidth < 8 || box.closest('svg, canvas, .strip')) continue; // not there, or for screen readers alone
        const { overflowX, textOverflow, display } = getComputedStyle(box);
        if (display === 'inline' || box.scrollWidth <= box.clientWidth + 1) continue;
        if (/auto|scroll/.test(overflowX) || textOverflow === 'ellipsis') continue;
        found.push(`${box.localName}.${box.className} ${box.scrollWidth} > ${box.clientWidth}: ${box.textContent.slice(0, 60)}`);
    }
    if (document.documentElement.scrollWidth > innerWidth) found.push('the page scrolls sideways');
    return found;
}"""


def pseudo(text: str) -> str:
    """Accent a text and make each of its words four tenths longer; its places stay."""
    accented = POINT.sub(",", text.translate(ACCENTED))
    return re.sub(r"\w+", lambda word: word[0] + "ƒ" * round(0.4 * len(word[0])) if word[0].isalpha() else word[0], accented)


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of a catalogue made the way a translator makes one: from the table, as a file."""
    table = translation.template()
    table.locale = LANGUAGE
    for message in table:
        if message.id:
            message.string = tuple(map(pseudo, message.id)) if message.pluralizable else pseudo(str(message.id))
    path = tmp_path_factory.mktemp("book") / "explorers.po"
    with path.open("wb") as file:
        write_po(file, table)
    with path.open("rb") as file:
        assert len(read_po(file)) == len(table)
    return translation.script(LANGUAGE, translation.catalogue(path, LANGUAGE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, catalogue: str) -> Path:
    folder = web_data(tmp_path_factory.mktemp("language"))
    (folder / translation.SCRIPT).write_text(catalogue)
    return folder


@pytest.fixture(scope="module")
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri())
    context.close()


def opened(visit: Visit, folder: Path, kind: str, **state: Any) -> Locator:
    """An explorer on a page in the language, attacked where it can be, with everything unfolded."""
    explorer = EXPLORERS[kind]()
    names = DECLARED["explorers"][kind]
    wanted = {"attack": "pgd", "eps": 0.1, "tamper": "change", "number": 8, "against": "worst"} | state
    attributes = {name: getattr(explorer, name) for name in names} | {k: v for k, v in wanted.items() if k in names}
    lone_page(folder, f"<snn-lab explorer={kind!r} {' '.join(f'{k}={str(v)!r}' for k, v in attributes.items())}></snn-lab>")
    page = folder / "index.html"
    head = f'<script defer src="{translation.SCRIPT}"></script><script defer src="snnlab.js"'
    page.write_text(
        page.read_text().replace("<html>", f'<html lang="{LANGUAGE}">').replace('<script defer src="snnlab.js"', head)
    )
    shown = answered(visit.open("index").explorer(kind))
    shown.evaluate("(e) => e.shadowRoot.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    return shown


@pytest.mark.parametrize("kind", EXPLORERS)
def test_every_text_is_translated_and_longer_words_fit(kind: str, visit: Visit, folder: Path) -> None:
    visit.page.set_viewport_size({"width": 1280, "height": 900})
    explorer = opened(visit, folder, kind)
    texts = explorer.evaluate(TEXTS)
    assert sum("ƒ" in text for text in texts) > 20
    unnamed = {text: NAME.sub("", text) for text in texts}
    assert "\n".join(text for text, rest in unnamed.items() if re.search("[A-Za-z]{2}", rest)) == ""
    assert "\n".join(text for text, rest in unnamed.items() if POINT.search(rest)) == ""
    for width in (1280, 390):
        visit.page.set_viewport_size({"width": width, "height": 900})
        explorer.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert "\n".join(explorer.evaluate(WIDE)) == ""
    assert visit.problems == []
