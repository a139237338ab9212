"""What a reader does with the explorer of results: on a page from disk, with records of the zoo's own models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page, put

from snnlab import zoo
from snnlab.widgets import ResultsExplorer

NAMES = ("ann", "direct", "latency", "onset")


def _table() -> ResultsExplorer:
    return ResultsExplorer({name: zoo.results(name) for name in NAMES}, "mnist5k", against="transfer", eps=0.1)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    explorer = _table()
    data = f'globalThis.snnlabData("cifar10",{json.dumps(explorer._table)});'
    return lone_page(tmp_path_factory.mktemp("results"), explorer.to_html(), cifar10=data)


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri()).open("index")
    context.close()


def _row(explorer: Locator, name: str) -> Locator:
    return explorer.locator(f'tr[data-name="{name}"]')


def _kept(name: str, attack: str, exit_step: int, eps: float) -> str:
    record = zoo.results(name)
    row = record.exits.index(exit_step) if len(record.exits) > 1 else 0
    share = 100 * record.correct[attack][row][record.eps.index(eps)] / record.n
    return f"{share:.1f}" if 0 < share < 1 else f"{int(share + 0.5)}"


def test_bars_say_what_the_records_say_and_follow_every_control(visit: Visit) -> None:
    explorer = visit.explorer("results")
    for name in NAMES[1:]:
        expect(_row(explorer, name).locator("b")).to_have_text(re.compile(_kept(name, "transfer", 8, 0.1)))
    expect(_row(explorer, "ann").locator("b")).to_have_text(re.compile("made on it|not measured"))

    explorer.get_by_label("adaptive").check()
    expect(explorer).to_have_attribute("against", "worst")
    for name in NAMES:
        expect(_row(explorer, name).locator("b")).to_have_text(re.compile(_kept(name, "worst", 8, 0.1)))

    explorer.get_by_label("exit step").focus()
    visit.page.keyboard.press("ArrowLeft")
    expect(explorer).to_have_attribute("exit_step", "7")
    expect(_row(explorer, "latency").locator("b")).to_have_text(re.compile(_kept("latency", "worst", 7, 0.1)))
    expect(_row(explorer, "ann").locator("b")).to_have_text(re.compile(_kept("ann", "worst", 7, 0.1)))

    explorer.get_by_label("budget ε").focus()
    visit.page.keyboard.press("Home")
    expect(explorer).to_have_attribute("eps", "0")
    expect(explorer.locator(".effect")).to_contain_text("On clean pictures")
    assert visit.problems == []


def test_the_verdict_is_spoken_with_both_numbers(visit: Visit) -> None:
    explorer = put(visit.explorer("results"), against="worst", eps=0.2)
    expect(explorer.locator(".answer")).to_have_attribute("data-tone", re.compile("right|wrong"))
    live = explorer.locator('[aria-live="polite"]')
    expect(live).to_contain_text(
        re.compile(r"adaptive, worst of all attacks, epsilon 51/255, exit 8\. .* has an accuracy of \d+"), timeout=5000
    )


def test_an_attack_within_a_threat_is_chosen_by_keyboard(visit: Visit) -> None:
    explorer = visit.explorer("results")
    explorer.get_by_label("naive").check()
    chosen = explorer.get_by_role("combobox", name="attack")
    expect(chosen).to_have_value("pgd.naive")
    chosen.select_option("fgsm.naive")
    expect(_row(explorer, "direct").locator("b")).to_have_text(re.compile(_kept("direct", "fgsm.naive", 8, 0.1)))


def test_a_state_that_does_not_exist_is_one_sentence_and_the_last_picture_stays(visit: Visit) -> None:
    explorer = visit.explorer("results")
    before = _row(explorer, "direct").locator("b").inner_text()
    put(explorer, against="magic")
    expect(explorer.locator(".notice").last).to_contain_text('unknown attack "magic"; choose one of transfer')
    assert _row(explorer, "direct").locator("b").inner_text() == before
    put(explorer, against="transfer")
    expect(explorer.locator(".notice").last).to_be_hidden()


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_the_lines_across_the_bars_stand_where_the_bars_say(width: int, chromium: Browser, folder: Path) -> None:
    """A line at the ANN's share meets the end of the ANN's bar."""
    context = chromium.new_context(viewport={"width": width, "height": 800})
    visit = Visit(context, folder.as_uri()).open("index")
    explorer = put(visit.explorer("results"), against="worst", eps=0.05)
    expect(_row(explorer, "ann").locator("b")).to_have_text(re.compile(_kept("ann", "worst", 8, 0.05)))
    bar = _row(explorer, "ann").locator(".kept").bounding_box()
    line = explorer.locator(".ann-line").bounding_box()
    assert bar
    assert line
    assert bar["width"] > 30
    assert abs(bar["x"] + bar["width"] - line["x"]) < 3
    context.close()


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_nothing_is_wider_than_the_page(width: int, chromium: Browser, folder: Path) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    visit = Visit(context, folder.as_uri()).open("index")
    visit.explorer("results")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()
