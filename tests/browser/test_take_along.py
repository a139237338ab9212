"""What a reader takes along from an explorer, and the pictures that he brings. From disk, and without a network."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Browser, Download, Locator, expect
from visiting import Visit, handed, lone_page

from snnlab import data, widgets, zoo
from snnlab.data.drawings import drawings
from snnlab.widgets.traits import DECLARED
from snnlab.zoo import export

SVG = "{http://www.w3.org/2000/svg}"
KINDS = [name.removesuffix("Explorer").lower() for name in widgets.__all__]
#: a column of the table of each explorer, and the arrays of its images
TABLES = {
    "robustness": ("accuracy", {"clean", "attacked"}),
    "training": ("accuracy", {"clean", "attacked_onset", "attacked_tsslbp-onset", "attacked_converted-onset"}),
    "exit": ("exit", {"clean", "attacked"}),
    "fusion": ("worst", {"clean", "attacked"}),
    "attack": ("margin", {"clean", "attacked_naive", "attacked_bpda"}),
    "encoder": ("input_clean", {"clean", "attacked"}),
    "energy": ("total_pJ", {"clean"}),
    "fault": ("accuracy", {"clean"}),
    "retiming": ("accuracy", {"clean", "attacked"}),
    "results": ("accuracy", set()),
    "neuron": ("membrane", set()),
    "playground": ("loss", {"clean"}),
    "picture": ("votes_attacked", {"clean", "attacked"}),
    "paint": ("accuracy", {"clean", "attacked"}),
    "event": ("microsecond", {"clean"}),
}
STATE: dict[str, Any] = {"image": 3, "eps": 0.1, "lost": 0.3, "attack": "fgsm", "code": "onset", "compare": "pair"}
#: a camera that sees a black stroke on white paper
CAMERA = """navigator.mediaDevices.getUserMedia = async () => {
    const canvas = Object.assign(document.createElement('canvas'), {width: 320, height: 240});
    const context = canvas.getContext('2d');
    const draw = () => {
        context.fillStyle = '#eee';
        context.fillRect(0, 0, 320, 240);
        context.fillStyle = '#222';
        context.fillRect(150, 40, 20, 160);
    };
    draw();
    setInterval(draw, 50);
    return canvas.captureStream();
};"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("along")
    for key in (
        "zoo",
        "cifar10",
        "everyday",
        "retimed",
        "pictures",
        "picture/latency",
        "events5k",
        "digits/test",
        "digits/train",
        *(f"model/{name}" for name in zoo.names("codes", "training", "fusion")),
    ):
        (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
    return folder


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1100, "height": 900}, offline=True)
    yield Visit(context, folder.as_uri())
    context.close()


def _open(visit: Visit, folder: Path, kind: str, **state: Any) -> Locator:
    known = DECLARED["explorers"][kind]
    explorer = getattr(widgets, f"{kind.capitalize()}Explorer")()
    attributes = {name: getattr(explorer, name) for name in known} | {k: v for k, v in state.items() if k in known}
    element = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    lone_page(folder, f'<snn-lab explorer="{kind}" {element}></snn-lab>')
    shown = visit.open("index").explorer(kind)
    if kind == "playground":  # its table is that of the training
        shown.get_by_role("button", name="One batch").click()
        expect(shown.get_by_role("button", name="Continue")).to_be_visible()
    shown.get_by_role("button", name="take along").click()
    expect(shown.get_by_role("group", name="take along")).to_be_visible()
    return shown


def _settled(explorer: Locator) -> None:
    """Wait until an explorer's text stays for a second: sentences that take longer to compute come one by one."""
    texts = [""]
    while len(texts) < 4 or len(set(texts[-3:])) > 1:
        explorer.page.wait_for_timeout(500)
        texts.append(explorer.inner_text())
        assert len(texts) < 60, "the explorer never comes to rest"


def _saved(visit: Visit, explorer: Locator, button: str) -> bytes:
    with visit.page.expect_download() as waiting:
        explorer.get_by_role("button", name=button).click()
    download: Download = waiting.value
    expect(explorer.get_by_role("status").last).to_contain_text(f"Saved as {download.suggested_filename}")
    return Path(download.path()).read_bytes()


def _sample(index: int) -> np.ndarray[Any, Any]:
    test = data.load("mnist5k").test
    pixels: np.ndarray[Any, Any] = (test.images[export.sample_digits()[index], 0] * 255).round().to(torch.uint8).numpy()
    return pixels


def _on_paper(pixels: np.ndarray[Any, Any], side: int = 340) -> bytes:
    """A digit as it is written: dark on light paper, large, not in the middle."""
    page = Image.new("L", (side + 120, side + 40), 250)
    page.paste(Image.fromarray(255 - pixels).resize((side, side), Image.Resampling.BICUBIC), (100, 10))
    stream = io.BytesIO()
    page.point(lambda v: min(v, 250)).convert("RGB").save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.case("take figure and numbers along")
@pytest.mark.parametrize("kind", KINDS)
def test_every_explorer_gives_a_picture_a_table_and_its_images(kind: str, visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, kind, **STATE)
    if kind == "robustness":  # what no attacker can do is known a little later than the frame
        expect(explorer.get_by_text(re.compile(r"\b(Proved|Open|Broken)\b")).first).to_be_visible(timeout=20_000)
    _settled(explorer)
    column, images = TABLES[kind]

    drawn = ET.fromstring(_saved(visit, explorer, "picture, SVG"))
    said = " ".join(" ".join(text.itertext()) for text in drawn.iter(f"{SVG}text"))
    for name in DECLARED["explorers"][kind]:
        assert f"{name} " in said.split(f'explorer "{kind}"')[1], "the caption says the settings"
    assert list(drawn.iter(f"{SVG}path")) or list(drawn.iter(f"{SVG}image"))
    assert all(image.attrib["href"].startswith("data:image/png") for image in drawn.iter(f"{SVG}image"))

    png = Image.open(io.BytesIO(_saved(visit, explorer, "picture, PNG")))
    assert (png.width, png.height) == (2 * int(drawn.attrib["width"]), 2 * int(drawn.attrib["height"]))
    assert len(set(png.convert("L").resize((200, 200)).tobytes())) > 10, "it is not empty"

    rows = list(csv.DictReader(io.StringIO(_saved(visit, explorer, "table, CSV").decode())))
    assert rows
    assert all(np.isfinite(float(row[column])) for row in rows if row[column])

    if images:
        saved = np.load(io.BytesIO(_saved(visit, explorer, "images, NPZ")), allow_pickle=False)
        assert set(saved.files) == images | {"label", "settings"}
        sample = (drawings().images[3] * 255).round().numpy() if kind == "picture" else _sample(3)[None]
        assert np.array_equal(np.round(saved["clean"] * 255), sample)
        assert int(saved["label"]) == 3
        assert "eps 0.1" in str(saved["settings"]) or "eps" not in DECLARED["explorers"][kind]
        for name in images - {"clean"}:
            attacked = saved[name] if saved[name].ndim == 3 else saved[name][-1]
            assert attacked.shape == saved["clean"].shape == sample.shape
            assert 0 < np.abs(attacked - saved["clean"]).max() < 0.1 + 1e-6
    else:
        expect(explorer.get_by_role("button", name="images, NPZ")).to_have_count(0)
    assert visit.problems == []


@pytest.mark.case("start anew")
def test_reset_brings_back_the_first_settings_and_back_undoes_it(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness", image=5, eps=0.15, exit_step=6)
    explorer.get_by_label("budget ε").fill("0.21")
    explorer.get_by_label("exit step").fill("3")
    explorer.get_by_role("button", name="reset").click()
    for name, value in {"image": "5", "eps": "0.15", "exit_step": "6"}.items():
        expect(explorer).to_have_attribute(name, value)
    visit.page.go_back()
    expect(explorer).to_have_attribute("exit_step", "3")


def test_menu_is_worked_by_keys_and_fingers_and_escape_leads_back(visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness")
    opener, menu = explorer.get_by_role("button", name="take along"), explorer.get_by_role("group", name="take along")
    expect(opener).to_have_attribute("aria-expanded", "true")
    expect(menu.get_by_role("button").first).to_be_focused()
    for width in (390, 1100):
        visit.page.set_viewport_size({"width": width, "height": 900})
        for button in [opener, *menu.get_by_role("button").all()]:
            if button.is_visible():
                box = button.bounding_box()
                assert box
                assert min(box["width"], box["height"]) >= 24
                assert box["x"] + box["width"] <= width
    menu.get_by_role("button", name="reset").focus()
    visit.page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(opener).to_be_focused()
    expect(opener).to_have_attribute("aria-expanded", "false")
    visit.page.keyboard.press("Enter")
    expect(menu).to_be_visible()


def _drawn(explorer: Locator, visit: Visit) -> np.ndarray[Any, Any]:
    expect(explorer).to_have_attribute("image", "-1")
    saved = np.load(io.BytesIO(_saved(visit, explorer, "images, NPZ")))
    assert int(saved["label"]) == -1
    pixels: np.ndarray[Any, Any] = np.round(saved["clean"][0] * 255)
    return pixels


@pytest.mark.case("a picture of my own")
@pytest.mark.parametrize("digit", [2, 4, 8])
def test_a_digit_on_white_paper_becomes_the_training_digit_that_it_was(digit: int, visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness", attack="none")
    file = {"name": "paper.png", "mimeType": "image/png", "buffer": _on_paper(_sample(digit))}
    explorer.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    status = explorer.get_by_role("status").last
    expect(status).to_contain_text("inverted, because its paper is white")
    expect(status).to_contain_text("scaled to 20×20 pixels and centred")
    assert np.abs(_drawn(explorer, visit) - _sample(digit)).mean() < 12
    expect(explorer.locator(".answer")).to_contain_text(f"Reads {digit}")
    assert visit.problems == []


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(way: str, visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "encoder")
    handed(explorer, way, "digit.png", _on_paper(_sample(6)))
    expect(explorer.get_by_role("status").last).to_contain_text("Your picture is shown")
    expect(explorer).to_have_attribute("image", "-1")
    assert visit.problems == []


def test_the_camera_takes_a_picture_and_is_switched_off(visit: Visit, folder: Path) -> None:
    visit.page.add_init_script(CAMERA)
    explorer = _open(visit, folder, "robustness")
    explorer.get_by_role("button", name="use the camera").click()
    explorer.get_by_role("button", name="take the picture").click()
    expect(explorer.get_by_role("status").last).to_contain_text("inverted, because its paper is white")
    expect(explorer.locator("video")).to_be_hidden()
    assert explorer.locator("video").evaluate("v => v.srcObject") is None
    assert _drawn(explorer, visit).max() > 200
    assert visit.problems == []


@pytest.mark.parametrize("content", [b"%PDF-1.7 no picture", _on_paper(np.zeros((28, 28), np.uint8))], ids=["text", "blank"])
def test_what_is_no_picture_is_refused_in_a_sentence(content: bytes, visit: Visit, folder: Path) -> None:
    explorer = _open(visit, folder, "robustness", image=4)
    file = {"name": "x.png", "mimeType": "image/png", "buffer": content}
    explorer.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    expect(explorer.get_by_role("status").last).to_contain_text("picture")
    expect(explorer.get_by_role("status").last).to_contain_text("⚠")
    expect(explorer).to_have_attribute("image", "4")
