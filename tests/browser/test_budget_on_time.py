"""A reader moves spikes in time: the answer, the arrows and the sentences follow the budget."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page

from snnlab.zoo import export

NAMES = ("latency", "onset", "phase")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("retiming")
    for key in ("zoo", "retimed", *(f"model/{name}" for name in NAMES)):
        (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
    lone_page(folder, '<snn-lab explorer="retiming" encoding="phase" shift="1" moved="100" exit_step="8"></snn-lab>')
    return folder


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri())
    context.close()


def slider(explorer: Locator, name: str, value: str) -> None:
    explorer.get_by_role("slider", name=name).fill(value)


def test_chosen_shifts_change_the_answer_and_random_ones_do_not(visit: Visit) -> None:
    explorer = visit.open("index").explorer("retiming")
    answer, effect = explorer.locator(".answer"), explorer.locator(".effect")
    expect(effect).to_contain_text("The attacker moved")
    expect(answer).to_contain_text("the truth is 6")
    explorer.get_by_label("chance").check(force=True)
    expect(effect).to_contain_text(re.compile(r"Chance moved \d+ of \d+ spikes by 1 step"))
    expect(answer).to_contain_text("Reads 6")
    slider(explorer, "each moves by", "0")
    expect(effect).to_contain_text("No spike moves")
    assert visit.problems == []


def test_leaving_early_does_not_help(visit: Visit) -> None:
    explorer = visit.open("index").explorer("retiming")
    explorer.evaluate("e => { e.setAttribute('encoding', 'latency'); e.setAttribute('shift', '2'); }")
    answer, effect = explorer.locator(".answer"), explorer.locator(".effect")
    expect(effect).to_contain_text("by at most 2 steps")
    expect(answer).to_contain_text("Reads 6")
    slider(explorer, "exit step", "4")
    expect(answer).to_contain_text("the truth is 6")
    slider(explorer, "exit step", "8")
    expect(answer).to_contain_text("Reads 6")
    slider(explorer, "each moves by", "4")
    expect(answer).to_contain_text("the truth is 6")
    assert visit.problems == []


def test_no_more_spikes_move_than_may_and_epsilon_stands_beside(visit: Visit) -> None:
    explorer = visit.open("index").explorer("retiming")
    effect = explorer.locator(".effect")
    slider(explorer, "so many move", "7")
    expect(effect).to_contain_text(re.compile(r"moved [1-7] of"))
    slider(explorer, "intensity ε", "0.1")
    expect(effect).to_contain_text("Intensities changed by ε = 0.10 alone")
    slider(explorer, "exit step", "4")
    expect(explorer.get_by_text("Accuracy at exit 4")).to_be_visible()
    expect(explorer.locator(".said")).to_contain_text(re.compile(r"at exit 4: \d+ of the \d+"), timeout=30_000)
    visit.page.set_viewport_size({"width": 390, "height": 844})
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert visit.problems == []
