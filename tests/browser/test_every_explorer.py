"""What explorers share: time that plays, the strip of images, the state as Python. On pages that hold nothing else."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page, put

from snnlab import widgets, zoo
from snnlab.widgets.traits import DECLARED, Explorer
from snnlab.zoo import export

EXPLORERS = {name.removesuffix("Explorer").lower(): getattr(widgets, name) for name in widgets.__all__}
#: explorers of a network's spikes over time
TIMED = ("robustness", "training", "exit", "fusion", "encoder", "neuron", "retiming")
WITH_IMAGES = tuple(kind for kind in EXPLORERS if "image" in DECLARED["explorers"][kind])
WIDTHS = (360, 768, 1000, 1280, 1400, 1680)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of the book's pages, without a page."""
    folder = tmp_path_factory.mktemp("explorers")
    for key in (
        "zoo",
        "cifar10",
        "events5k",
        "everyday",
        "retimed",
        "pictures",
        "picture/latency",
        *(f"model/{name}" for name in zoo.names("codes", "training", "fusion")),
    ):
        (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
    return folder


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield Visit(context, folder.as_uri())
    context.close()


def _open(visit: Visit, folder: Path, kind: str, **state: Any) -> Locator:
    explorer = EXPLORERS[kind]()
    attributes = {name: getattr(explorer, name) for name in DECLARED["explorers"][kind]} | state
    element = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    lone_page(folder, f'<snn-lab explorer="{kind}" {element}></snn-lab>')
    return visit.open("index").explorer(kind)


def _number(text: str) -> int:
    return int(re.search(r"\d+", text)[0])  # type: ignore[index]


@pytest.mark.parametrize("kind", EXPLORERS)
def test_state_is_copied_as_python_that_makes_the_same_state(kind: str, visit: Visit, folder: Path) -> None:
    changes: dict[str, Any] = {"eps": 0.125} if kind != "neuron" else {"drive": 0.35, "reset": "zero"}
    explorer = _open(visit, folder, kind, **changes)
    explorer.get_by_role("button", name="copy as Python").click()
    expect(explorer.locator(".copy span").first).to_have_text("copied")
    code = visit.page.evaluate("navigator.clipboard.readText()")
    names: dict[str, Any] = {}
    exec(code, names)
    made = names["explorer"]
    assert isinstance(made, Explorer)
    assert made.kind == kind
    for name in DECLARED["explorers"][kind]:
        assert str(getattr(made, name)) == explorer.get_attribute(name)
    assert visit.problems == []


@pytest.mark.parametrize("kind", TIMED)
def test_play_shows_step_after_step_and_leaves_the_state_alone(kind: str, visit: Visit, folder: Path) -> None:
    state = {} if kind == "neuron" else {"exit_step": 3} if kind != "fusion" else {}
    explorer = _open(visit, folder, kind, **state)
    visit.page.emulate_media(reduced_motion="reduce")  # one step at each press
    before = explorer.evaluate("e => [...e.attributes].map((a) => a.value).join()")
    play = explorer.get_by_role("button", name="play")
    if kind == "neuron":
        marks = explorer.locator(".equation").last
    elif kind == "encoder":
        marks = explorer.locator(".code .steps").first.locator(".read").last
    else:
        marks = explorer.locator(".cursor:not(.other) .grip").first
    shown = []
    for _ in range(2):
        play.click()
        shown.append(_number(marks.inner_text()))
    assert shown == [1, 2]
    assert explorer.evaluate("e => [...e.attributes].map((a) => a.value).join()") == before
    if "exit_step" in state:
        play.click()  # the last step that is read is the state again
        expect(marks).to_have_text(re.compile("exit 3|^3$"))
    assert visit.problems == []


def test_time_that_plays_stops_when_the_reader_changes_something(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness", encoding="latency", attack="none")
    explorer.get_by_role("button", name="play").click()
    expect(explorer.get_by_role("button", name="pause")).to_be_visible()
    explorer.get_by_label("exit step").fill("7")
    expect(explorer.get_by_role("button", name="play")).to_be_visible()
    expect(explorer.locator(".cursor:not(.other) .grip").first).to_have_text("exit 7")


@pytest.mark.parametrize("kind", WITH_IMAGES)
def test_images_can_be_picked_at_every_width(kind: str, visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, kind)
    strip, tiles = explorer.locator(".strip"), explorer.locator(".strip label")
    later = explorer.locator(".page").last
    for k, width in enumerate(WIDTHS):
        visit.page.set_viewport_size({"width": width, "height": 900})
        assert strip.evaluate("s => s.clientWidth") >= 4 * tiles.first.evaluate("t => t.offsetWidth")
        if strip.evaluate("s => s.scrollWidth > s.clientWidth + 2"):
            expect(later).to_be_visible()
            strip.evaluate("s => s.scrollTo({left: 0})")
            expect(later).to_be_enabled()
            later.click()
            assert strip.evaluate("s => s.scrollLeft") > 0
        else:
            expect(later).to_be_hidden()
        tile = tiles.nth(tiles.count() - 1 - k)
        tile.click()
        expect(explorer).to_have_attribute("image", str(tiles.count() - 1 - k))


def test_an_ann_has_no_exit_and_no_code_to_know(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness", encoding="ann", attack="fgsm", eps=0.1, exit_step=3)
    for hidden in (explorer.get_by_label("exit step"), explorer.get_by_role("group", name="knows the code?")):
        expect(hidden).to_be_hidden()
    expect(explorer.get_by_role("button", name="play")).to_be_hidden()
    expect(explorer.locator(".curve h4")).not_to_contain_text("exit")
    put(explorer, encoding="onset")
    expect(explorer.get_by_label("exit step")).to_be_visible()
    expect(explorer.locator(".curve h4")).to_contain_text("at exit 3")


def test_attacked_input_spikes_stand_above_every_network(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "training", code="latency", attack="pgd", eps=0.15)
    expect(explorer.locator(".column .input canvas")).to_have_count(3)
    expect(explorer.locator(".column .input .key").first).to_contain_text("made by the attack")
    for panel in explorer.locator(".column .input canvas").all():
        red = """c => {
            const {data} = c.getContext('2d').getImageData(0, 0, c.width, c.height);
            let n = 0;
            for (let i = 0; i < data.length; i += 4) n += data[i] > 150 && data[i + 1] < 60;
            return n;
        }"""
        assert panel.evaluate(red) > 100


def test_a_tie_is_drawn_and_its_potentials_are_told(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness", encoding="latency", attack="none")
    for image in range(30):  # at the first exits many digits have one vote for several classes
        put(explorer, image=image, exit_step=2)
        visit.page.wait_for_timeout(60)
        if "tie" in explorer.locator(".answer .note").inner_text():
            break
    expect(explorer.locator(".effect")).to_contain_text("the output potential decides")
    labels = [text for text in explorer.locator(".votes .label").all_text_contents() if text.startswith("=")]
    assert len(labels) >= 2
    assert len(set(labels)) == 1


def test_the_window_is_drawn_only_where_the_image_is_attacked(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "exit", encoding="latency", attack="none", eps=0.2)
    expect(explorer.locator(".reach")).to_be_hidden()
    put(explorer, attack="noise")
    expect(explorer.locator(".reach")).to_be_visible()
    put(explorer, encoding="onset", eps=0.1)  # which has nothing to show at this ε
    expect(explorer.locator(".reach")).to_be_hidden()


def test_points_of_a_rule_say_how_many_runs_they_are(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "exit", encoding="latency", rule="margin", threshold=2, eps=0.1)
    expect(explorer.locator(".facts")).to_contain_text("points of the rule: 1 training run")
    put(explorer, rule="fixed")
    expect(explorer.locator(".facts")).not_to_contain_text("points of the rule")


#: sliders too short to be moved, and choices that lie on each other or are cut
CROWDED = """(explorer) => {
    const seen = (selector, within) => [...within.querySelectorAll(selector)].filter((e) => e.getClientRects().length);
    const root = explorer.shadowRoot;
    const short = seen('input[type=range]', root).filter((e) => e.offsetWidth < 60).map((e) => `short: ${e.id}`);
    const cut = seen('.options', root).filter((e) => e.scrollWidth > e.clientWidth + 1).map((e) => `cut: ${e.textContent}`);
    const apart = [];
    for (const controls of root.querySelectorAll('.controls')) {
        const boxes = seen('.options', controls).map((e) => [e.textContent, e.getBoundingClientRect()]);
        for (const [k, [name, a]] of boxes.entries())
            for (const [other, b] of boxes.slice(k + 1))
                if (a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1)
                    apart.push(`${name} lies on ${other}`);
    }
    return [...short, ...cut, ...apart];
}"""


@pytest.mark.parametrize("kind", EXPLORERS)
def test_controls_have_room_at_every_width(kind: str, visit: Visit, folder: Path) -> None:
    trains = {"encoding": "latency", "attack": "pgd", "attacker": "spike_train"}  # the longest row of choices
    state = {name: value for name, value in trains.items() if name in DECLARED["explorers"][kind] and kind == "robustness"}
    explorer = _open(visit, folder, kind, **state)
    for width in WIDTHS:
        visit.page.set_viewport_size({"width": width, "height": 900})
        visit.page.wait_for_timeout(100)
        assert explorer.evaluate(CROWDED) == [], width
