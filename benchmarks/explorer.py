"""The explorer against its peers, in one run: from event to paint, and from opening a page to the first paint.

    make book && python benchmarks/explorer.py [--write]

The events are keys and changes in a real Chromium. The peers are the same controls made with `ipywidgets.interact` and
matplotlib in a real JupyterLab, and the same page made with ipywidgets' html-manager. ``--write`` puts the table into
README.md. What is measured and how: see there.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import math
import os
import platform
import random
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pages import CLOCK, SIZE, Site, chromium, copy_book, jupyterlab, versions
from playwright.sync_api import Browser, Locator, Page, expect
from table import Row

README = Path(__file__).with_name("README.md")
MARKS = ("<!-- explorer: results -->", "<!-- explorer: end -->")
OPENINGS = 7
FRAME, PGD_LIMIT = 16.7, 100.0  # ms: targets of the median
EXPLORER = "document.querySelector('[data-ready]').shadowRoot"
OUTPUT = "document.querySelector('.jp-OutputArea .widget-output')"
#: keys that walk a control up and down again, so that every press changes it
WALKS = {
    "code": ["ArrowDown"] * 5 + ["ArrowUp"] * 5,
    "eps": ["ArrowRight"] * 5 + ["ArrowLeft"] * 5,
    "exit": ["ArrowLeft"] * 7 + ["ArrowRight"] * 7,
}
#: what is turned, under which attack, and the target in ms
TURNS = [
    ("code", "none", FRAME),
    ("code", "fgsm", FRAME),
    ("exit", "fgsm", FRAME),
    ("eps", "none", FRAME),
    ("eps", "noise", FRAME),
    ("eps", "fgsm", FRAME),
    ("eps", "pgd", PGD_LIMIT),
]
NAMES = {
    "code": "code",
    "exit": "exit step",
    "eps": "ε",
    "none": "no attack",
    "noise": "noise",
    "fgsm": "FGSM",
    "pgd": "PGD-10",
}


@dataclass
class Times:
    """Event to paint over repeats, the part of it that the display lets every page wait, and tasks over 50 ms."""

    paint: list[float] = field(default_factory=list)
    wait: list[float] = field(default_factory=list)
    long: list[float] = field(default_factory=list)

    @property
    def median(self) -> float:
        return statistics.median(self.paint)

    @property
    def p90(self) -> float:
        return statistics.quantiles(self.paint, n=10)[-1]


@dataclass
class Home:
    """A page with the controls: where its answer shows, what of it changes, how its attack is chosen."""

    page: Page
    place: str
    mark: str
    controls: dict[str, Locator]
    choose: Callable[[str], object]

    def turn(self, control: str, attack: str, repeats: int) -> Times:
        """Press keys on a control; at random moments, because the display's clock ticks on its own."""
        self.choose(attack)
        self.controls["code"].select_option(**({"index": 0} if control == "code" else {"value": "onset"}))
        self.page.wait_for_timeout(1500)
        times, walk = Times(), WALKS[control]
        for k, key in enumerate(walk * (1 + math.ceil(repeats / len(walk)))):  # back where it was; the first is a warm-up
            if k == len(walk):
                self.page.evaluate("bench.longTasks()")
            paint, wait = self._press(control, key)
            if k >= len(walk):
                times.paint.append(paint)
                times.wait.append(wait)
        times.long = self.page.evaluate("bench.longTasks()")
        return times

    def _press(self, control: str, key: str) -> list[float]:
        """One event, and one answer.

        Sliders get a real key. A select opens a menu of the system or not, and JupyterLab takes its keys, so there the
        page sets it and sends the event; and ε, which the explorer locks without an attack, is set as attribute.
        """
        self.page.wait_for_timeout(random.uniform(150, 250))
        handle = self.controls[control]
        is_key = control != "code" and (self.place != EXPLORER or handle.is_enabled())
        self.page.evaluate(f"() => bench.arm('{'keydown' if is_key else 'turned'}', {self.place}, () => {self.mark})")
        step = 1 if key in ("ArrowRight", "ArrowDown") else -1
        if is_key:
            handle.focus()
            self.page.keyboard.press(key)
        elif control == "code":
            handle.evaluate(
                """(select, step) => {
                    dispatchEvent(new Event("turned"));
                    select.selectedIndex += step;
                    select.dispatchEvent(new Event("change", { bubbles: true }));
                }""",
                step,
            )
        else:
            self.page.evaluate(
                f"""(step) => {{
                    const {{ host }} = {EXPLORER};
                    dispatchEvent(new Event("turned"));
                    host.setAttribute("eps", (Number(host.getAttribute("eps")) + 0.01 * step).toFixed(2));
                }}""",
                step,
            )
        answer: list[float] = self.page.evaluate(
            "Promise.race([bench.answer, new Promise((_, no) => setTimeout(no, 20000, new Error('no answer')))])"
        )
        return answer


@contextlib.contextmanager
def opened(browser: Browser, address: str) -> Iterator[Page]:
    """A page with the clock, in a fresh context that reaches no other host."""
    context = browser.new_context(viewport=SIZE)
    context.add_init_script(CLOCK)
    page = context.new_page()
    page.route("http*://**", lambda route: route.continue_() if "//127.0.0.1" in route.request.url else route.abort())
    page.goto(address)
    yield page
    context.close()


def explorer_in(page: Page) -> Home:
    """Our explorer, in whichever page it stands."""
    host = page.locator("[data-ready]").first
    expect(host).to_be_attached(timeout=60_000)
    host.locator(".caption summary").click()  # its paragraphs are replaced with every frame
    host.get_by_role("radio", name="informed").check(force=True)
    titles = {"none": "none", "noise": "noise", "fgsm": "FGSM", "pgd": "PGD"}
    return Home(
        page,
        EXPLORER,
        f"{EXPLORER}.querySelector('.caption details p')",
        {
            "code": host.get_by_role("combobox", name="code"),
            "eps": host.get_by_label("budget ε"),
            "exit": host.get_by_label("exit step"),
        },
        lambda attack: host.get_by_label(titles[attack], exact=True).check(force=True),
    )


def run_notebook(page: Page) -> None:
    """Run the only cell."""
    expect(page.locator(".jp-NotebookPanel .jp-Toolbar-kernelName").first).to_contain_text("Python", timeout=60_000)
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Control+Enter")


def interact_in(page: Page) -> Home:
    """The controls that `interact` has made."""
    expect(page.locator(".widget-output img")).to_be_visible(timeout=60_000)
    page.evaluate("document.body.dataset.lmSuppressShortcuts = 'true'")  # or JupyterLab takes the arrow keys
    selects, handles = page.locator(".widget-dropdown select"), page.locator(".noUi-handle")
    return Home(
        page,
        OUTPUT,
        f"{OUTPUT}.querySelector('img')?.src",
        {"code": selects.nth(0), "eps": handles.nth(0), "exit": handles.nth(1)},
        lambda attack: selects.nth(1).select_option(attack),
    )


def event_to_paint(browser: Browser, site: Path, folder: Path, repeats: int) -> dict[str, list[Times]]:
    """Every turn in the page from disk, and with `interact`."""
    found: dict[str, list[Times]] = {"page": [], "interact": []}

    def measure(name: str, home: Home) -> None:
        for control, attack, _ in TURNS:
            times = home.turn(control, attack, repeats)
            found[name].append(times)
            print(f"  {name}: {title(control, attack)} {times.median:.1f} ms", file=sys.stderr)

    with opened(browser, (site / "intro.html").as_uri()) as page:
        measure("page", explorer_in(page))
    with jupyterlab(folder) as lab, opened(browser, f"{lab}/lab/tree/interact.ipynb?reset") as page:
        run_notebook(page)
        measure("interact", interact_in(page))
    return found


def first_paint(browser: Browser, site: Path) -> dict[str, tuple[float, int]]:
    """Median time from navigation to the first paint of all controls and their picture, and bytes sent by the server."""
    ours = "() => document.querySelector('snn-lab[data-ready]') !== null"
    peer = """() => {
        const picture = document.querySelector('.jupyter-widgets img, img.jupyter-widgets');
        return document.querySelectorAll('.noUi-handle').length === 2 && picture?.complete && picture.naturalWidth > 0;
    }"""
    times: dict[str, list[float]] = {"disk": [], "ours": [], "peer": []}
    sent = {"disk": 0}
    with Site(site) as server:
        pages = {
            "disk": ((site / "intro.html").as_uri(), ours),
            "ours": (f"{server.address}/intro.html", ours),
            "peer": (f"{server.address}/peer.html", peer),
        }
        for _ in range(OPENINGS + 1):
            for name, (address, is_there) in pages.items():
                server.sent = 0
                with opened(browser, address) as page:
                    times[name].append(page.evaluate(f"bench.first({is_there})"))
                    page.wait_for_load_state("networkidle")
                sent[name] = server.sent
    return {name: (statistics.median(t[1:]), sent[name]) for name, t in times.items()}


def title(control: str, attack: str) -> str:
    """What a row is called."""
    return NAMES["eps"] + ", " + NAMES[attack] if control == "eps" else f"{NAMES[control]}, {NAMES[attack]}"


def table(turns: dict[str, list[Times]], opening: dict[str, tuple[float, int]]) -> str:
    """The results in Markdown: one row a measurement, with its ratio to the peer."""
    rows = [
        "| event to paint (ms) | page: median | 90 % | after the wait | target | `interact` | ratio |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for (control, attack, target), page, peer in zip(TURNS, *turns.values(), strict=True):
        work = statistics.median(p - w for p, w in zip(page.paint, page.wait, strict=True))
        met = "met" if page.median <= target else "missed"
        rows.append(
            f"| {title(control, attack)} | **{page.median:.1f}** | {page.p90:.1f} | {work:.1f} | {target:g}, {met} | "
            f"{peer.median:.0f} | {peer.median / page.median:.0f} × |"
        )
    tasks = [ms for times in turns["page"] for ms in times.long]
    worst = f"{len(tasks)}, the longest {max(tasks):.0f} ms" if tasks else "none"
    (disk, _), (ours, bytes_ours), (peer_ms, bytes_peer) = (opening[name] for name in ("disk", "ours", "peer"))
    rows += [
        "",
        f"Tasks of the page over 50 ms, in all these repeats: {worst}.",
        "",
        "| opening the page | explorer | html-manager | ratio |",
        "| --- | --- | --- | --- |",
        f"| first widget paint, from a server (ms) | {ours:.0f} | {peer_ms:.0f} | {peer_ms / ours:.1f} × |",
        f"| first widget paint, from disk (ms) | {disk:.0f} | – | – |",
        f"| sent, gzipped (kB) | {bytes_ours / 1000:.0f} | {bytes_peer / 1000:.0f} | {bytes_peer / bytes_ours:.1f} × |",
    ]
    return "\n".join(rows)


def write(text: str) -> None:
    """Put the results between the marks of the README."""
    before, _, rest = README.read_text().partition(MARKS[0])
    _, _, after = rest.partition(MARKS[1])
    README.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{after}")


def rows() -> list[Row]:
    """The rows of the common table: less of the same measurement."""
    random.seed(0)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        site = copy_book(Path(name))
        opening = first_paint(browser, site)
        turns = event_to_paint(browser, site, Path(name), repeats=30)
    found = [
        Row(f"event to paint: {title(control, attack)}", "interact + matplotlib", page.median, peer.median)
        for (control, attack, _), page, peer in zip(TURNS, *turns.values(), strict=True)
    ]
    (ours, sent), (theirs, sent_theirs) = opening["ours"], opening["peer"]
    peer = "html-manager page"
    return [
        *found,
        Row("first widget paint, from a server", peer, ours, theirs),
        Row("sent for it, gzipped", peer, sent / 1000, sent_theirs / 1000, "kB"),
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, print, and write if asked to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--write", action="store_true", help="put the results into README.md")
    parser.add_argument("--repeats", type=int, default=30, help="of every turn, at least")
    options = parser.parse_args(arguments)
    random.seed(0)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        site = copy_book(folder)
        opening = first_paint(browser, site)
        turns = event_to_paint(browser, site, folder, options.repeats)
        made = f"{dt.date.today()}, {os.cpu_count()}-core {platform.machine()} virtual machine; {versions(browser)}; "
    made += f"{options.repeats} repeats a row or more, {OPENINGS} openings a page, load average {os.getloadavg()[2]:.1f}."
    text = f"{made}\n\n{table(turns, opening)}"
    print(text)
    if options.write:
        write(text)


if __name__ == "__main__":
    main()
