"""What a reader does with the explorer of attacks: on a page from disk that holds nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page, put

from snnlab import Budget, zoo
from snnlab.attacks.trajectory import attack_slice, attack_trajectory, per_level
from snnlab.widgets import AttackExplorer
from snnlab.zoo import export


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with the explorer, its script and its data, as the book has them."""
    keys = ("zoo", *(f"model/{name}" for name in zoo.names("codes")))
    data = {key.replace("/", "-"): export.script(key) for key in keys}
    element = AttackExplorer(image=7, encoding="offset", eps=0.1).to_html()
    return lone_page(tmp_path_factory.mktemp("attacks"), element, **data)


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri()).open("index")
    context.close()


def _column(explorer: Locator, method: str) -> Locator:
    return explorer.locator(f'.attack-column[data-method="{method}"]')


def test_the_naive_attacker_is_blind_and_the_others_break_the_same_image(visit: Visit) -> None:
    explorer = visit.explorer("attack")
    naive = _column(explorer, "naive")
    expect(naive.locator(".answer")).to_contain_text("Reads 7")
    expect(naive.locator(".answer")).to_contain_text("correct")
    expect(naive.locator(".zero")).to_contain_text(re.compile(r"zero on 8\d.% of the pixels"))
    expect(naive.locator(".ending")).to_have_text("not broken in 10 steps")
    for method in ("bpda", "eot", "assg"):
        column = _column(explorer, method)
        expect(column.locator(".answer")).to_have_attribute("data-tone", "wrong")
        expect(column.locator(".answer")).to_contain_text("✗")
        expect(column.locator(".ending")).to_contain_text("broken at step")
        expect(column.locator(".zero")).to_have_text("a gradient on every pixel")
    expect(explorer.locator(".effect")).to_contain_text("an attacker who could not see")
    expect(explorer.locator(".people")).to_contain_text("in the worst case of all attacks")
    expect(explorer.locator(".badge")).to_have_text("computed in your browser")
    assert visit.problems == []


def test_step_code_and_budget_are_turned_by_keyboard_and_told_in_words(visit: Visit) -> None:
    explorer = visit.explorer("attack")
    live = explorer.locator('[aria-live="polite"]')
    expect(live).to_contain_text("step 10. naive: gradient zero on", timeout=5000)
    step = explorer.get_by_label("step", exact=True)
    step.focus()
    visit.page.keyboard.press("Home")
    expect(explorer).to_have_attribute("step", "0")
    expect(step).to_have_attribute("aria-valuetext", "0, the clean image")
    expect(_column(explorer, "assg").locator(".answer")).to_contain_text("Reads 7")
    visit.page.keyboard.press("ArrowRight")
    visit.page.keyboard.press("ArrowRight")
    expect(explorer).to_have_attribute("step", "2")
    expect(live).to_contain_text(re.compile(r"step 2\. naive: .*still reads 7.*ASSG: broken at step 2"))

    code = explorer.get_by_role("combobox", name="network")
    code.focus()
    code.select_option("direct")
    expect(_column(explorer, "naive").locator(".zero")).to_have_text("a gradient on every pixel")
    expect(live).to_contain_text("direct, epsilon 0.10")
    expect(live).to_contain_text("A gradient everywhere is not yet one that leads anywhere")

    explorer.get_by_label("budget ε").focus()
    for _ in range(9):
        visit.page.keyboard.press("ArrowLeft")
    expect(explorer).to_have_attribute("eps", "0.01")
    expect(live).to_contain_text("epsilon 0.01")
    expect(_column(explorer, "assg").locator(".answer")).to_have_attribute("data-tone", "right")
    assert visit.problems == []


@pytest.mark.parametrize("code", ["ann", "poisson", "phase", "fusion", "latency", "onset"])
def test_every_network_of_the_codes_is_attacked(code: str, visit: Visit) -> None:
    explorer = put(visit.explorer("attack"), encoding=code, eps=0.2)
    live = explorer.locator('[aria-live="polite"]')
    title = {"ann": "ANN", "fusion": "fusion(direct, latency)"}.get(code, code)
    expect(live).to_contain_text(f"{title}, epsilon 0.20", timeout=15_000)
    column = _column(explorer, "spike_train")
    if code in ("ann", "poisson"):
        expect(column.locator(".doing")).to_contain_text("no spike trains to search among")
        expect(column.locator(".margin-plot")).to_be_hidden()
    else:
        expect(column.locator(".zero")).to_contain_text("train for")
    averages = "10 encodings" if code == "poisson" else "10 images nearby"
    expect(_column(explorer, "eot").locator(".doing")).to_contain_text(averages)
    assert visit.problems == []


def test_attacks_are_played_from_the_beginning_and_paused(visit: Visit) -> None:
    explorer = visit.explorer("attack")
    play = explorer.get_by_role("button", name="play")
    play.click()
    expect(explorer).to_have_attribute("step", "0")
    expect(explorer).to_have_attribute("step", "2", timeout=5000)
    explorer.get_by_role("button", name="pause").click()
    here = explorer.get_attribute("step")
    visit.page.wait_for_timeout(1500)
    assert explorer.get_attribute("step") == here
    explorer.get_by_role("button", name="play").click()
    expect(explorer).to_have_attribute("step", "10", timeout=15_000)
    expect(explorer.get_by_role("button", name="play")).to_be_visible()


def test_without_motion_a_press_is_a_step(chromium: Browser, folder: Path) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    visit = Visit(context, folder.as_uri()).open("index")
    explorer = put(visit.explorer("attack"), step=1)
    explorer.get_by_role("button", name="play").click()
    expect(explorer).to_have_attribute("step", "2")
    visit.page.wait_for_timeout(1500)
    assert explorer.get_attribute("step") == "2"
    context.close()


def test_step_is_dragged_in_any_of_the_curves(visit: Visit) -> None:
    explorer = visit.explorer("attack")
    plot = _column(explorer, "eot").locator(".margin-plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    visit.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 40)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 40, steps=6)
    visit.page.mouse.up()
    expect(explorer).to_have_attribute("step", re.compile("^[345]$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_five_without_scrolling_sideways(scheme: str, chromium: Browser, folder: Path) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    visit = Visit(context, folder.as_uri()).open("index")
    explorer = visit.explorer("attack")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    expect(explorer.locator(".attack-column:visible")).to_have_count(5)
    controls = explorer.locator(".controls").bounding_box()
    assert controls
    assert controls["y"] + controls["height"] <= 741  # pinned where the thumb is
    assert visit.problems == []
    context.close()


def test_a_state_that_does_not_exist_is_refused_in_a_sentence(visit: Visit) -> None:
    explorer = put(visit.explorer("attack"), step=99)
    expect(explorer.get_by_role("alert")).to_contain_text("step must be a whole number from 0 to 10, got 99")
    put(explorer, step=3, encoding="morse")
    expect(explorer.get_by_role("alert")).to_contain_text("morse")
    put(explorer, encoding="onset")
    expect(explorer.get_by_role("alert")).to_be_hidden()


def test_the_image_to_attack_can_be_drawn(visit: Visit) -> None:
    explorer = visit.explorer("attack")
    explorer.get_by_role("button", name="draw").click()
    box = explorer.locator(".drawing canvas").bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2
    visit.page.mouse.move(middle, box["y"] + 0.15 * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(middle, box["y"] + 0.85 * box["height"], steps=12)
    visit.page.mouse.up()
    expect(explorer).to_have_attribute("image", "-1")
    put(explorer, step=0)
    expect(_column(explorer, "naive").locator(".answer")).to_contain_text("Reads 1")


@pytest.mark.parametrize("code", ["offset", "latency"])
def test_film_of_two_attackers_shows_the_slices_that_the_package_computes(code: str, visit: Visit) -> None:
    explorer = put(visit.explorer("attack"), image=6, encoding=code, compare="pair")
    explorer.get_by_role("radio", name="naive | informed").check(force=True)
    expect(explorer.locator(".attack-column:visible")).to_have_count(2)
    digit = AttackExplorer(image=6, encoding=code, eps=0.1, compare="pair")
    image, label = digit._subject()
    assert label is not None
    for method in ("naive", "bpda"):
        path = attack_trajectory(zoo.load(code), image, label, Budget(0.1), method)
        _, answers = attack_slice(zoo.load(code), image, label, Budget(0.1), path.gradients[0])
        wrong = [k for k, answer in enumerate(answers[:: per_level(0.1)]) if answer != label]
        first = f"Misclassified from {wrong[0]} grey level" if wrong else "Correct at every whole grey level"
        expect(_column(explorer, method).locator(".sliced")).to_contain_text(first, timeout=20_000)
    assert set(digit.result()) == {"naive", "bpda"}
    put(explorer, step=0)
    explorer.get_by_role("button", name="play").click()
    expect(explorer).to_have_attribute("step", "1", timeout=5000)
    put(explorer, compare="all")
    expect(explorer.locator(".attack-column:visible")).to_have_count(5)
    expect(_column(explorer, "naive").locator(".slice")).to_be_hidden()
    assert visit.problems == []
