"""Visit pages of the built book in a browser and record problems."""

from __future__ import annotations

import base64
import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from building import BOOK
from playwright.sync_api import BrowserContext, Locator, Page, expect

import chapters
from snnlab import widgets, zoo
from snnlab.widgets.page import BUNDLE, PARTS
from snnlab.zoo import export

#: what a careful server lets the book do: use what is in its own folder, and style and script that stand in the page
POLICY = (
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
    "script-src 'self' 'unsafe-inline'"
)


def pages() -> list[str]:
    """The pages of the book."""
    return chapters.pages(BOOK)


def first_pages() -> dict[str, str]:
    """The kind of every explorer, and the first page of the book that shows one."""
    texts = {page: path.read_text("utf8") for page in pages() for path in BOOK.glob(f"{page}.*")}
    names = [name for name in widgets.__all__ if name.endswith("Explorer")]
    shown = {name: [page for page, text in texts.items() if f"{name}(" in text] for name in names}
    return {name.removesuffix("Explorer").lower(): places[0] for name, places in shown.items() if places}


PLACES = first_pages()


def every_page() -> list[str]:
    """The pages of the book, and those that Sphinx adds."""
    return [*pages(), "search", "genindex"]


def places(*kinds: str) -> list[tuple[str, str]]:
    """Explorers (of these kinds) and their first pages."""
    return [(kind, page) for kind, page in PLACES.items() if not kinds or kind in kinds]


#: text of an explorer (the element that is passed) without its controls
SAYS = """(explorer) => {
    const inside = explorer.shadowRoot.querySelector('.lab').cloneNode(true);
    for (const part of inside.querySelectorAll('.field, .unseen')) part.remove();
    return inside.textContent;
}"""


class Visit:
    """A page and a list of problems on it: exceptions, console errors, requests to other hosts."""

    def __init__(self, context: BrowserContext, base: str) -> None:
        self.page: Page = context.new_page()
        self.base = base
        self.problems: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        self.page.on("console", lambda m: self.problems.append(f"console: {m.text}") if m.type == "error" else None)
        self.page.on("request", lambda r: None if self._is_local(r.url) else self.problems.append(f"request: {r.url}"))

    def _is_local(self, url: str) -> bool:
        return url.startswith((self.base, "data:", "blob:"))

    def open(self, name: str) -> Visit:
        self.page.goto(f"{self.base}/{name}.html")
        return self

    def explorer(self, kind: str = "robustness") -> Locator:
        explorer = self.page.locator(f'snn-lab[explorer="{kind}"]').first
        expect(explorer).to_have_attribute("data-ready", "", timeout=20_000)
        expect(explorer).to_be_visible()
        return explorer


def lone_page(folder: Path, element: str, **data: str) -> Path:
    """Write a page with one explorer, its script and the named data, as in the book."""
    for script in (BUNDLE, *PARTS.values()):
        shutil.copy(script, folder)
    for key, script in data.items():
        (folder / f"snnlab-{key}.js").write_text(script)
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width"><script defer src="snnlab.js"></script>'
    (folder / "index.html").write_text(f"<!doctype html><html><head>{head}</head><body>{element}</body></html>")
    return folder


def web_data(folder: Path) -> Path:
    """Write the data that explorers ask for when they open, as in the book."""
    records = [key for key in export.keys() if "/" not in key]  # noqa: SIM118, a function of the module
    models = [f"model/{name}" for name in zoo.names("codes", "training", "fusion")]
    for key in (*records, *models, "picture/latency"):
        (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder under ``POLICY`` and yield the address."""

    class Strict(http.server.SimpleHTTPRequestHandler):
        def end_headers(self) -> None:
            self.send_header("Content-Security-Policy", POLICY)
            super().end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Strict, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def put(explorer: Locator, **state: object) -> Locator:
    """Set the state of an explorer as another script of the page could."""
    explorer.evaluate("(e, s) => { for (const [k, v] of Object.entries(s)) e.setAttribute(k, String(v)); }", state)
    return explorer


def answered(explorer: Locator) -> Locator:
    """Wait until an explorer shows the answer to its present state; until then it shows the one before."""
    # It asks in the next frame of the display.
    explorer.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    expect(explorer.locator("[aria-busy]").first).to_have_attribute("aria-busy", "false", timeout=20_000)
    return explorer


def handed(explorer: Locator, way: str, name: str, png: bytes) -> None:
    """Drop a picture on an explorer, or paste it (``way``) into its page."""
    explorer.evaluate(
        """async (host, [way, name, bytes]) => {
            const blob = await (await fetch(`data:image/png;base64,${bytes}`)).blob();
            const transfer = new DataTransfer();
            transfer.items.add(new File([blob], name, {type: 'image/png'}));
            const about = {bubbles: true, cancelable: true};
            const target = way === 'drop' ? host : document.body;
            target.dispatchEvent(way === 'drop'
                ? new DragEvent('drop', {...about, dataTransfer: transfer})
                : new ClipboardEvent('paste', {...about, clipboardData: transfer}));
        }""",
        [way, name, base64.b64encode(png).decode()],
    )
