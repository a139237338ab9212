"""The page measures: workers from disk and under a strict policy, in the page without any; stopped by the next move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page, served

from snnlab import zoo
from snnlab.zoo import export

STATE = 'encoding="onset" attack="fgsm" attacker="informed" curve="own" eps="0.05" exit_step="8"'
KEYS = ("zoo", "digits/test", "model/onset", "model/latency")
#: notes violations of the policy and the workers of a page; `refuse` lets none start
WATCH = """
globalThis.violations = [];
globalThis.started = [];
addEventListener("securitypolicyviolation", (e) => violations.push(`${e.effectiveDirective}: ${e.blockedURI}`));
const Native = Worker;
globalThis.Worker = class extends Native {
  constructor(url) {
    if (globalThis.refuse) throw new Error("no workers here");
    super(url);
    started.push(this);
    this.address = String(url);
  }
};
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("live")
    (folder / "favicon.ico").touch()  # a browser asks every server for it
    data = {key.replace("/", "-"): export.script(key) for key in KEYS}
    return lone_page(folder, f'<snn-lab explorer="robustness" {STATE}></snn-lab>', **data)


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """The same page on a server that allows little."""
    with served(folder) as base:
        yield base


def _visit(chromium: Browser, base: str, script: str = "") -> Visit:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(script + WATCH)
    return Visit(context, base)


@pytest.fixture
def reader(chromium: Browser, folder: Path) -> Iterator[Visit]:
    visit = _visit(chromium, folder.as_uri())
    yield visit
    visit.page.context.close()


def _measure(explorer: Locator, digits: str) -> Locator:
    """Measure on this many digits."""
    explorer.get_by_role("button", name="Measure it here").click()
    explorer.get_by_role("combobox", name="on", exact=True).select_option(digits)
    again = explorer.locator(".bench button").first
    if re.search("Go on|Measure it", again.inner_text()):
        again.click()
    return explorer.locator(".bench")


@pytest.mark.parametrize("place", ["disk", "server"])
def test_page_measures_what_is_recorded_with_workers_that_start_there(
    place: str, chromium: Browser, folder: Path, address: str
) -> None:
    visit = _visit(chromium, folder.as_uri() if place == "disk" else address)
    bench = _measure(visit.open("index").explorer(), "500")
    expect(bench.get_by_role("button", name="Measured")).to_be_visible(timeout=60_000)
    right = zoo.results("onset").correct["fgsm.informed"][7][1]
    expect(bench).to_contain_text(f"{right / 5:.1f}")
    expect(bench).to_contain_text(f"the same digits: {right} right there, {right} here.")
    addresses = visit.page.evaluate("started.map(({ address }) => address)")
    assert len(addresses) >= 1
    assert all(each.startswith("blob:" if place == "disk" else f"{address}/snnlab-worker.js") for each in addresses)
    assert visit.page.evaluate("violations") + visit.problems == []
    visit.page.context.close()


def test_without_workers_the_page_measures_between_its_frames_and_says_so(chromium: Browser, folder: Path) -> None:
    visit = _visit(chromium, folder.as_uri(), "globalThis.refuse = true;")
    bench = _measure(visit.open("index").explorer(), "100")
    expect(bench).to_contain_text("starts no workers here")
    expect(bench.get_by_role("button", name="Measured")).to_be_visible(timeout=60_000)
    expect(bench).to_contain_text("in the page")
    assert visit.problems == []
    visit.page.context.close()


def test_the_next_move_stops_it_and_what_was_measured_is_kept(reader: Visit) -> None:
    explorer = reader.open("index").explorer()
    explorer.evaluate("(e) => e.setAttribute('attack', 'pgd')")
    bench = _measure(explorer, "1000")
    expect(bench.locator(".reading")).to_contain_text("test digits")
    explorer.get_by_label("budget ε").fill("0.2")
    expect(bench.get_by_role("button", name="Measure it here")).to_be_visible()
    expect(bench).to_contain_text("ε = 0.20")
    expect(bench.locator(".grown")).to_be_hidden()
    explorer.get_by_label("budget ε").fill("0.05")
    expect(bench.get_by_role("button", name="Go on")).to_be_visible()
    expect(bench.locator(".reading")).to_contain_text("of 1,000 test digits")


def test_another_image_does_not_stop_it_and_a_digit_that_fell_opens_in_the_explorer(reader: Visit) -> None:
    explorer = reader.open("index").explorer()
    bench = _measure(explorer, "200")
    explorer.evaluate("(e) => e.setAttribute('image', '3')")
    expect(bench.get_by_role("button", name="Measured")).to_be_visible(timeout=60_000)
    fallen = bench.get_by_role("button", name=re.compile("^test digit")).first
    truth, read = re.findall(r"a (\d), (?:read as (\d)|not answered)", fallen.get_attribute("aria-label") or "")[0]
    fallen.click()
    expect(fallen).to_have_attribute("aria-pressed", "true")
    answer = explorer.locator(".answer").first
    expect(answer).to_contain_text(f"Reads {read}" if read else "Silent")
    expect(answer).to_contain_text(truth)
    assert reader.problems == []


def test_a_worker_that_dies_is_replaced_and_no_digit_is_lost(reader: Visit) -> None:
    explorer = reader.open("index").explorer()
    explorer.evaluate("(e) => e.setAttribute('attack', 'pgd')")
    explorer.get_by_role("button", name="Measure it here").click()
    bench = explorer.locator(".bench")
    expect(bench.locator(".reading")).to_contain_text("test digits")
    before = reader.page.evaluate("started.length")
    reader.page.evaluate("started[0].terminate(), started[0].onerror(new ErrorEvent('error', { cancelable: true }))")
    expect(bench).to_contain_text("It was replaced")
    reader.page.wait_for_function(f"started.length === {before + 1}")
    bench.get_by_role("button", name="Stop").click()
    expect(bench.get_by_role("button", name="Go on")).to_be_visible()
    assert reader.problems == []
