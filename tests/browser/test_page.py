"""A reader's journey through the built book: from disk, from a server, by keyboard, dark, printed, without scripts."""

from __future__ import annotations

import functools
import http.server
import re
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import built_book
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect


@pytest.fixture(scope="session")
def book() -> Path:
    return built_book()


@pytest.fixture(scope="session")
def address(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plain static server with the book in a subfolder."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(book, root / "courses" / "snn", ignore=shutil.ignore_patterns("*.map"))

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/courses/snn"
    server.shutdown()


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
        found = self.page.locator(f'snn-lab[explorer="{kind}"]')
        expect(found).to_have_attribute("data-ready", "", timeout=20_000)
        return found


@pytest.fixture(params=["disk", "server"])
def visit(request: pytest.FixtureRequest, chromium: Browser, book: Path) -> Iterator[Visit]:
    base = book.as_uri() if request.param == "disk" else request.getfixturevalue("address")
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, base)
    context.close()


@pytest.fixture
def reader(chromium: Browser, book: Path) -> Iterator[Visit]:
    """One who opened the book from disk."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, book.as_uri())
    context.close()


def _answer(explorer: Locator) -> Locator:
    return explorer.locator(".answer")


@pytest.mark.parametrize("name", ["intro", "01_encoding", "bibliography"])
def test_page_asks_no_other_host_and_logs_no_error(name: str, visit: Visit) -> None:
    visit.open(name)
    if name != "bibliography":
        visit.explorer()
    visit.page.wait_for_timeout(1500)  # longer than any script of the page waits before it loads something
    assert visit.problems == []


def test_reader_turns_every_knob_and_the_explorer_answers(visit: Visit) -> None:
    explorer = visit.open("intro").explorer()
    expect(_answer(explorer)).to_contain_text("Reads 7")

    explorer.get_by_label("informed").check(force=True)
    explorer.get_by_label("PGD", exact=True).check(force=True)
    slider = explorer.get_by_label("budget ε")
    slider.fill("0.2")
    expect(_answer(explorer)).not_to_contain_text("Reads 7")  # offset is not robust after all
    expect(explorer.locator(".facts")).to_contain_text("PGD-10, relaxed code")

    explorer.get_by_label("none", exact=True).check(force=True)
    expect(_answer(explorer)).to_contain_text("Reads 7")

    explorer.get_by_role("combobox", name="code").select_option("onset")
    explorer.get_by_label("exit step").fill("1")
    expect(_answer(explorer)).to_contain_text("Silent")  # no pixel has spoken yet
    explorer.get_by_label("exit step").fill("8")
    expect(_answer(explorer)).to_contain_text("Reads 7")

    explorer.get_by_role("radio", name="0", exact=False).first.check(force=True)
    expect(_answer(explorer)).to_contain_text("Reads 0")
    assert visit.problems == []


def test_badge_says_who_computed_and_on_what(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    caption = explorer.locator(".caption")
    for words in ("computed in your browser", "n = 1,000", "single seed"):
        expect(caption).to_contain_text(words)


def test_naive_and_informed_attackers_differ_plainly_on_offset(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    explorer.get_by_label("budget ε").fill("0.15")
    kept = []
    for attacker in ("naive", "informed"):
        explorer.get_by_role("radio", name=attacker).check(force=True)
        expect(explorer.locator(".curve h4")).to_contain_text(attacker)
        accuracy = explorer.locator('.legend [data-name="offset"] b').inner_text()
        kept.append(float(re.sub(r"[^0-9.]", "", accuracy)))
    assert kept[0] > kept[1] + 50


def test_keyboard_alone_drives_every_control(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    page = reader.page
    seen: dict[str, str] = {}
    explorer.get_by_role("radio").first.focus()
    for _ in range(12):
        active = page.evaluate(
            """() => {
                const e = document.querySelector('snn-lab').shadowRoot.activeElement;
                if (!e) return null;
                const labels = e.labels ? [...e.labels].map(l => l.textContent).join() : '';
                const label = e.getAttribute('aria-label') || labels || e.textContent;
                return [e.type || e.tagName, label, e.getAttribute('aria-valuetext') || ''];
            }"""
        )
        if active:
            assert active[1].strip(), f"a control without a name: {active}"
            seen[active[0] + active[1]] = active[2]
        page.keyboard.press("Tab")
    names = " ".join(seen)
    for name in ("budget ε", "exit step", "code"):
        assert name in names
    spoken = " ".join(seen.values())
    assert "grey levels" in spoken
    assert "steps read" in spoken

    explorer.get_by_label("exit step").focus()
    page.keyboard.press("ArrowLeft")
    expect(explorer).to_have_attribute("exit_step", "7")
    explorer.get_by_label("budget ε").focus()
    page.keyboard.press("ArrowRight")
    expect(explorer).to_have_attribute("eps", "0.16")


def test_read_out_is_announced(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    live = explorer.locator('[aria-live="polite"]')
    expect(live).to_contain_text("7")
    explorer.get_by_role("combobox", name="code").select_option("onset")
    expect(live).to_contain_text("onset")


def test_bad_state_is_a_sentence_in_place_and_the_last_frame_stays(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    before = _answer(explorer).inner_text()
    explorer.evaluate("e => e.setAttribute('encoding', 'morse')")
    expect(explorer.get_by_role("alert")).to_contain_text("morse")
    assert _answer(explorer).inner_text() == before
    explorer.evaluate("e => e.setAttribute('encoding', 'onset')")
    expect(explorer.get_by_role("alert")).to_be_hidden()
    assert reader.problems == []


def test_without_scripts_a_picture_and_a_sentence_stand_in_its_place(chromium: Browser, book: Path) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "intro.html").as_uri())
    image = page.locator("snn-lab img")
    expect(image).to_be_visible()
    assert len(image.get_attribute("alt") or "") > 20
    expect(page.locator("snn-lab figcaption")).to_contain_text("The network with the offset code")
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_page_fits_the_screen_and_its_text_is_legible(scheme: str, width: int, chromium: Browser, book: Path) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    visit = Visit(context, book.as_uri()).open("intro")
    explorer = visit.explorer()
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
    colours = explorer.evaluate(
        """e => {
            const seen = getComputedStyle(e.shadowRoot.querySelector('.answer strong')).color;
            let box = e;
            let behind = 'rgba(0, 0, 0, 0)';
            while (box && behind === 'rgba(0, 0, 0, 0)') {
                behind = getComputedStyle(box).backgroundColor;
                box = box.parentElement;
            }
            return [seen, behind];
        }"""
    )
    assert _contrast(*colours) >= 4.5
    context.close()


def _contrast(first: str, second: str) -> float:
    """WCAG contrast of two CSS colours."""

    def luminance(colour: str) -> float:
        numbers = [float(v) for v in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in numbers]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


def test_printed_page_is_light_and_keeps_the_explorer(chromium: Browser, book: Path) -> None:
    context = chromium.new_context(color_scheme="dark")
    visit = Visit(context, book.as_uri()).open("intro")
    explorer = visit.explorer()
    visit.page.emulate_media(media="print")
    visit.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    visit.page.wait_for_timeout(300)
    expect(_answer(explorer)).to_be_visible()
    colour = explorer.evaluate("e => getComputedStyle(e.shadowRoot.querySelector('.answer strong')).color")
    assert _contrast(colour, "rgb(255, 255, 255)") >= 4.5
    context.close()


def test_drawn_digit_is_read(reader: Visit) -> None:
    """Draw a 1 with the mouse: a vertical stroke."""
    explorer = reader.open("intro").explorer()
    explorer.get_by_label("none", exact=True).check(force=True)
    explorer.get_by_role("button", name="draw").click()
    pad = explorer.locator(".drawing canvas")
    box = pad.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2
    reader.page.mouse.move(middle, box["y"] + 0.15 * box["height"])
    reader.page.mouse.down()
    reader.page.mouse.move(middle, box["y"] + 0.85 * box["height"], steps=12)
    reader.page.mouse.up()
    expect(explorer).to_have_attribute("image", "-1")
    expect(_answer(explorer)).to_contain_text("Reads 1")


def test_encoder_explorer_shows_where_the_perturbation_arrives(visit: Visit) -> None:
    explorer = visit.open("01_encoding").explorer("encoder")
    for code in ("direct", "poisson", "onset", "offset", "latency", "phase"):
        expect(explorer).to_contain_text(code)
    assert visit.problems == []
