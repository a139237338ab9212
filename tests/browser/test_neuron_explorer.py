"""What a reader does with the explorer of one neuron: on a page from disk that holds nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from visiting import Visit, lone_page, put

from snnlab.widgets import NeuronExplorer


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lone_page(tmp_path_factory.mktemp("neuron"), NeuronExplorer(drive=0.3, step=7).to_html())


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri()).open("index")
    context.close()


def test_it_fires_when_python_says_so(visit: Visit) -> None:
    explorer = visit.explorer("neuron")
    for state in ({"drive": 0.3}, {"drive": 0.7, "beta": 0.5}, {"drive": 0.4, "reset": "zero", "theta": 0.8}):
        spikes = NeuronExplorer(**state).result()["spikes"]
        put(explorer, **{"beta": 0.9, "theta": 1, "reset": "subtract"} | state)
        expect(explorer.locator(".answer")).to_have_text(
            re.compile(rf"It fires {int(spikes.sum())} times.*first in step {int(spikes.nonzero()[0]) + 1}\.")
        )
        expect(explorer.locator(".spike")).to_have_count(int(spikes.sum()))
    assert visit.problems == []


def test_sliders_switches_and_the_lens_are_reached_by_keyboard(visit: Visit) -> None:
    explorer = visit.explorer("neuron")
    slider = explorer.get_by_label("current I")
    slider.focus()
    visit.page.keyboard.press("ArrowRight")
    expect(explorer).to_have_attribute("drive", "0.35")
    switch = explorer.get_by_role("checkbox", name="input at step 3", exact=True)
    switch.focus()
    expect(explorer).to_have_attribute("step", "3")
    visit.page.keyboard.press("Space")
    expect(explorer).to_have_attribute("pattern", f"110{'1' * 21}")
    expect(explorer.locator(".equation").last).to_contain_text("U[3] = 0.90 · ")
    expect(explorer.locator(".equation").last).to_contain_text("+ 0 =")
    expect(explorer.locator('[aria-live="polite"]')).to_contain_text("U[3]", timeout=5000)


def test_presets_change_the_input_and_a_faint_current_never_fires(visit: Visit) -> None:
    explorer = visit.explorer("neuron")
    explorer.get_by_label("pulse").check()
    expect(explorer.locator(".answer")).to_have_text("It never fires.")
    put(explorer, drive=0.09, pattern="1" * 24)
    expect(explorer.locator(".effect")).to_contain_text("never fires it: U settles at I/(1 − β)")


def test_a_state_that_does_not_exist_is_one_sentence(visit: Visit) -> None:
    explorer = put(visit.explorer("neuron"), pattern="maybe")
    expect(explorer.get_by_role("alert")).to_contain_text("pattern must be 2 to 64 signs 0 or 1")
    expect(explorer.locator(".answer")).to_contain_text("It fires")


@pytest.mark.parametrize("width", [360, 700, 1280])
def test_nothing_is_wider_than_the_page(width: int, chromium: Browser, folder: Path) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 800})
    visit = Visit(context, folder.as_uri()).open("index")
    visit.explorer("neuron")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    context.close()
