"""What a reader does with the explorer of energy: on a page from disk that holds nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page, put

from snnlab import zoo
from snnlab.widgets import EnergyExplorer
from snnlab.zoo import export

EXACT = ("ann", "direct", "onset", "latency", "phase", "fusion")  # the random numbers of poisson differ


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = {key.replace("/", "-"): export.script(key) for key in ("zoo", *(f"model/{name}" for name in zoo.names("codes")))}
    return lone_page(tmp_path_factory.mktemp("energy"), EnergyExplorer(image=6).to_html(), **data)


@pytest.fixture(params=[1280, 390])
def visit(chromium: Browser, folder: Path, request: pytest.FixtureRequest) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": request.param, "height": 900})
    yield Visit(context, folder.as_uri()).open("index")
    context.close()


def _shown(explorer: Locator, name: str) -> str:
    return explorer.locator(f'[data-name="{name}"] b').inner_text().replace("\u202f", " ")


def _nanojoules(picojoules: float) -> str:
    nj = picojoules / 1000
    return f"{nj:.1f} nJ" if nj < 10 else f"{int(nj + 0.5):,} nJ"


def test_page_and_kernel_price_every_network_alike(visit: Visit) -> None:
    explorer = visit.explorer("energy")
    for state in ({"price": 0.0}, {"price": 5.0, "zeros": "skipped"}, {"price": 50.0, "exit_step": 3}):
        ours = EnergyExplorer(image=6, **state).result()
        put(explorer, **({"price": 0, "zeros": "multiplied", "exit_step": 8} | state))
        expect(explorer.locator('[data-name="ann"] b')).to_have_text(re.compile(_nanojoules(ours["ann"]).split()[0]))
        assert {name: _shown(explorer, name) for name in EXACT} == {name: _nanojoules(ours[name]) for name in EXACT}
    assert visit.problems == []


def test_price_and_zeros_are_set_by_keyboard_and_told_in_words(visit: Visit) -> None:
    explorer = visit.explorer("energy")
    live = explorer.locator('[aria-live="polite"]')
    expect(live).to_contain_text("multiply zeros too, and reading a weight costs 0", timeout=20_000)
    explorer.get_by_label("price of a weight").focus()
    visit.page.keyboard.press("End")
    expect(explorer).to_have_attribute("price", "650")
    expect(explorer.get_by_role("radio", name="off the chip")).to_be_checked()
    expect(live).to_contain_text("reading a weight costs 650")
    explorer.get_by_role("radio", name="zeros skipped by all").focus()
    visit.page.keyboard.press("Space")
    expect(explorer).to_have_attribute("zeros", "skipped")
    expect(live).to_contain_text("Every network skips zeros")
    # Another price asks no network again: the bars move at once.
    explorer.get_by_role("radio", name="8 kB memory").check(force=True)
    expect(explorer).to_have_attribute("price", "5")
    assert visit.problems == []


def test_a_state_that_does_not_exist_is_one_sentence(visit: Visit) -> None:
    explorer = put(visit.explorer("energy"), zeros="ignored")
    expect(explorer.get_by_role("alert")).to_contain_text('unknown zeros "ignored"; choose one of multiplied, skipped')
    put(explorer, zeros="skipped", price="much")
    expect(explorer.get_by_role("alert")).to_contain_text("price must be a number of pJ")
    put(explorer, price=5)
    expect(explorer.get_by_role("alert")).to_be_hidden()


def test_nothing_is_wider_than_the_page(visit: Visit) -> None:
    visit.explorer("energy")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
