"""A reader who visits pages of the built book, and a record of what should not happen there."""

from __future__ import annotations

import shutil
from pathlib import Path

import yaml
from playwright.sync_api import BrowserContext, Locator, Page, expect

from snnlab.widgets.explorer import BUNDLE

TOC = Path(__file__).parents[1] / "book" / "_toc.yml"

#: explorers by the page that has one of them
PLACES = {
    "robustness": "intro",
    "neuron": "02_neuron",
    "encoder": "03_encoding",
    "training": "04_training",
    "exit": "05_exit",
    "fusion": "06_fusion",
    "attack": "07_honest",
    "results": "08_cifar10",
}


def pages() -> list[str]:
    """The pages of the book."""
    toc = yaml.safe_load(TOC.read_text())
    parts = [part for chapter in toc["chapters"] for part in (chapter, *chapter.get("sections", ()))]
    return [toc["root"], *(part["file"] for part in parts)]


def every_page() -> list[str]:
    """The pages of the book, and those that Sphinx adds."""
    return [*pages(), "search", "genindex"]


def places(*kinds: str) -> list[tuple[str, str]]:
    """Explorers (of these kinds) and their pages, as far as the book has them."""
    return [(kind, page) for kind, page in PLACES.items() if page in pages() and (not kinds or kind in kinds)]


#: what an explorer (the element that is passed) says to everybody, beside its controls
SAYS = """(explorer) => {
    const inside = explorer.shadowRoot.querySelector('.lab').cloneNode(true);
    for (const part of inside.querySelectorAll('.field, .unseen')) part.remove();
    return inside.textContent;
}"""


class Visit:
    """A page with a record of everything that should not happen on it."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.page: Page = context.new_page()
        self.base = base
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("console", lambda m: self.problems.append(f"console: {m.text}") if m.type == "error" else None)
        self.page.on("request", lambda r: None if self._own(r.url) else self.problems.append(f"request: {r.url}"))

    def _own(self, url: str) -> bool:
        return url.startswith((self.base, "data:", "blob:"))

    def open(self, name: str) -> Visit:
        self.page.goto(f"{self.base}/{name}.html")
        return self

    def explorer(self, kind: str = "robustness") -> Locator:
        found = self.page.locator(f'snn-lab[explorer="{kind}"]').first
        expect(found).to_have_attribute("data-ready", "", timeout=20_000)
        return found


def lone_page(folder: Path, element: str, **data: str) -> Path:
    """A page that holds an explorer and nothing else, with its script and the named data, as the book has them."""
    shutil.copy(BUNDLE, folder)
    for key, script in data.items():
        (folder / f"snnlab-{key}.js").write_text(script)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><script defer src="snnlab.js"></script>'
    (folder / "index.html").write_text(f"<!doctype html><html><head>{head}</head><body>{element}</body></html>")
    return folder


def put(explorer: Locator, **state: object) -> Locator:
    """Give an explorer a state, as another script of the page could."""
    explorer.evaluate("(e, s) => { for (const [k, v] of Object.entries(s)) e.setAttribute(k, String(v)); }", state)
    return explorer
