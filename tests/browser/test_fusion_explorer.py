"""What a reader does with the explorer of fusion: on a page from disk that holds nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from visiting import Visit, answered, lone_page, put

from snnlab.widgets import FusionExplorer
from snnlab.widgets.sources import fused_names
from snnlab.zoo import export


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = {key.replace("/", "-"): export.script(key) for key in ("zoo", *(f"model/{name}" for name in fused_names()))}
    element = FusionExplorer(image=3, encoding="fusion-8th", eps=0.1).to_html()
    return lone_page(tmp_path_factory.mktemp("fusion"), element, **data)


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri()).open("index")
    context.close()


def _numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


PARTS = ("direct", "latency")


def test_reader_turns_the_gate_and_the_network_moves_in_the_plane(visit: Visit) -> None:
    explorer = put(visit.explorer("fusion"), encoding="fusion", silenced=-1, image=3, attack="none", eps=0.1)
    robust = explorer.locator(".points label:has(:checked) b").last
    expect(explorer.locator(".points label:has(:checked)")).to_have_attribute("data-name", "fusion")
    equal = _numbers(robust.inner_text())[0]
    explorer.get_by_label("gate on direct").fill("0")
    expect(explorer).to_have_attribute("encoding", "fusion-32nd")
    expect(explorer.locator(".points label:has(:checked)")).to_have_attribute("data-name", "fusion-32nd")
    expect(explorer.locator(".tags")).to_contain_text("× 1/32")
    assert _numbers(robust.inner_text())[0] > equal

    explorer.get_by_label("budget ε").fill("0.12")
    expect(robust).to_contain_text("≈")
    assert visit.problems == []


def test_silenced_part_says_nothing(visit: Visit) -> None:
    explorer = put(visit.explorer("fusion"), encoding="fusion", silenced=-1, image=3, attack="none")
    explorer.get_by_role("group", name="silence a part").get_by_label("direct").check(force=True)
    expect(explorer).to_have_attribute("silenced", "0")
    expect(explorer.locator(".tags")).to_contain_text("silenced")
    expect(explorer.locator(".effect")).to_contain_text("Without direct")
    explorer.get_by_role("combobox", name="mix").select_option("direct + onset + latency")
    expect(explorer).to_have_attribute("silenced", "-1")
    expect(explorer).to_have_attribute("encoding", "fusion-three")


def test_network_is_picked_in_the_list_by_keyboard_and_in_the_plane_by_pointer(visit: Visit) -> None:
    explorer = put(visit.explorer("fusion"), encoding="fusion-32nd", silenced=-1, attack="none", eps=0.1)
    expect(explorer.locator(".points label:has(:checked)")).to_have_attribute("data-name", "fusion-32nd")
    explorer.locator(".points :checked").focus()
    visit.page.keyboard.press("ArrowDown")
    expect(explorer).to_have_attribute("encoding", "fusion-8th")
    expect(explorer.locator(".points label:has(:checked)")).to_have_attribute("data-name", "fusion-8th")
    plane = explorer.locator(".plane")
    plane.scroll_into_view_if_needed()
    spot = plane.locator('[data-name="onset"]').bounding_box()
    assert spot
    visit.page.mouse.click(spot["x"] + spot["width"] / 2, spot["y"] + spot["height"] / 2)
    expect(explorer).to_have_attribute("encoding", "onset")


def test_every_stop_of_the_dial_shows_whether_its_network_classifies_the_image_correctly(visit: Visit) -> None:
    explorer = answered(put(visit.explorer("fusion"), image=21, attack="pgd", attacker="spike_train", eps=0.1))
    stops = explorer.locator(".stops:visible span")
    expect(stops.locator("xpath=self::*[contains(text(), '✓') or contains(text(), '✗')]")).to_have_count(4, timeout=20_000)
    for k, name in enumerate(("fusion-32nd", "fusion-8th", "fusion-4th", "fusion")):
        right = "✓" in stops.nth(k).inner_text()
        explorer.get_by_label("gate on direct").fill(str(k))
        expect(explorer).to_have_attribute("encoding", name)
        expect(explorer.locator(".answer")).to_have_attribute("data-tone", "right" if right else "wrong")
    # Another question has other answers.
    answered(put(explorer, attack="none"))
    expect(stops.locator("xpath=self::*[contains(text(), '✓')]")).to_have_count(4, timeout=20_000)
    assert visit.problems == []


def test_coin_is_dragged_along_the_line_between_the_parts_and_set_by_keyboard(visit: Visit) -> None:
    explorer = put(visit.explorer("fusion"), coin=0.5)
    reading = explorer.locator(".reading")
    clean, robust = (
        [_numbers(explorer.locator(f'[data-name="{name}"] b').nth(k).inner_text())[0] for name in PARTS] for k in (0, 1)
    )
    expect(reading).to_contain_text("the coin that is as robust (q = ")
    slider = explorer.get_by_role("slider", name="coin")
    for key, share, place in (("End", "1", 0), ("Home", "0", 1)):
        slider.focus()
        visit.page.keyboard.press(key)
        expect(explorer).to_have_attribute("coin", share)
        expect(reading).to_contain_text(f"clean {clean[place]:.0f}\u202f%, worst case at least {robust[place]:.0f}\u202f%")

    handle = explorer.locator(".plane .coin")
    handle.scroll_into_view_if_needed()
    box, end = handle.bounding_box(), explorer.locator('.plane [data-name="direct"]').bounding_box()
    assert box
    assert end
    middle = [(box[axis] + end[axis]) / 2 + box[size] / 2 for axis, size in (("x", "width"), ("y", "height"))]
    visit.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    visit.page.mouse.down()
    visit.page.mouse.move(*middle, steps=6)
    visit.page.mouse.up()
    expect(explorer).to_have_attribute("coin", re.compile(r"^0\.[456]"))
    expect(explorer).to_have_attribute("encoding", "fusion-8th")  # nothing was picked on the way


def test_coin_is_compared_with_nothing_but_two_parts_trained_alike(visit: Visit) -> None:
    explorer = put(visit.explorer("fusion"), encoding="fusion-three")
    expect(explorer.locator(".reading")).to_contain_text("direct + onset + latency")
    expect(explorer.locator(".reading")).not_to_contain_text("coin")
    expect(explorer.get_by_role("slider", name="coin")).to_be_hidden()
    put(explorer, encoding="fusion-learned-fgsm")
    expect(explorer.locator(".reading")).to_contain_text("learned, FGSM")
    expect(explorer.locator(".plane .coin")).to_have_count(0)
