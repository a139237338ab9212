"""A reader asks for a wrong class: the attack moves there, the page says whether it arrived, and claims no curves for it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from visiting import Visit, answered, lone_page, put

from snnlab.widgets import RobustnessExplorer
from snnlab.zoo import export

STATE = {"image": 4, "encoding": "latency", "attack": "fgsm", "attacker": "informed", "eps": 0.2, "curve": "own"}


@pytest.fixture
def visit(chromium: Browser, tmp_path: Path) -> Iterator[Visit]:
    keys = ("zoo", "digits/test", "model/latency", "model/direct")
    data = {key.replace("/", "-"): export.script(key) for key in keys}
    folder = lone_page(tmp_path, RobustnessExplorer(**STATE).to_html(), **data)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri()).open("index")
    context.close()


@pytest.mark.case("make this 3 an 8: targeted attacks")
def test_reader_makes_a_four_a_nine_and_hears_whether_it_worked(visit: Visit) -> None:
    explorer = visit.explorer("robustness")
    target = explorer.get_by_label("target class")
    effect, answer = explorer.locator(".effect"), explorer.locator(".answer")
    expect(target).to_have_value("-1")
    expect(explorer.locator(".curve h4")).to_contain_text("FGSM, informed")
    for wanted in (9, 0):
        target.select_option(str(wanted))
        answered(explorer)
        shown = RobustnessExplorer(**STATE | {"target": wanted}).result()["attacked"]["predictions"][-1]
        expect(effect).to_contain_text(f"The target {wanted} is {'' if shown == wanted else 'not '}reached")
        expect(answer).to_contain_text(f"Reads {shown}")
    # What was recorded had no target.
    expect(explorer.locator(".curve h4")).to_contain_text("worst case of all attacks, which have no target")
    expect(explorer.locator(".facts")).to_contain_text("curves (of attacks without a target)")
    expect(visit.page).to_have_url(re.compile("target=0"))
    effect.click()  # another gesture begins, which Back takes back alone
    target.select_option("4")
    expect(effect).to_contain_text("4 is this image's own class")
    visit.page.go_back()
    expect(target).to_have_value("0")
    put(explorer, attack="noise")
    expect(target).to_be_disabled()
    expect(effect).not_to_contain_text("target")
    assert visit.problems == []


def test_the_page_measures_how_many_digits_get_to_the_target(visit: Visit) -> None:
    explorer = put(visit.explorer("robustness"), target=9)
    explorer.get_by_role("button", name="Measure it here").click()
    bench = explorer.locator(".bench")
    bench.get_by_role("button", name="Stop").click()
    bench.get_by_label("on", exact=True).select_option("100")
    bench.get_by_role("button", name="Go on").or_(bench.get_by_role("button", name="Measure it here")).click()
    expect(bench.get_by_role("button", name="Measured")).to_be_disabled(timeout=60_000)
    expect(bench).to_contain_text("without the digits of class 9")
    expect(bench).to_contain_text("to the target 9")
    expect(bench).to_contain_text("These settings are not in the record")
    assert visit.problems == []
