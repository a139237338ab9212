"""What a reader does with the explorer of pictures: on a page from disk, and from a server that allows little."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, expect
from visiting import Visit, handed, lone_page, put

from snnlab.data.drawings import drawings
from snnlab.widgets import PictureExplorer
from snnlab.zoo import export

KEYS = ("pictures", "picture/latency", "picture/ann")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "favicon.ico").touch()  # a browser asks every server for it
    data = {key.replace("/", "-"): export.script(key) for key in KEYS}
    return lone_page(folder, '<snn-lab explorer="picture" encoding="latency" image="6" exit_step="4"></snn-lab>', **data)


@pytest.fixture
def reader(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    yield Visit(context, folder.as_uri())
    context.close()


def _ship(width: int = 96, height: int = 64) -> bytes:
    """The drawing of a ship three times as large, in the middle of a wider picture."""
    pixels = (drawings().images[8].permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)
    page = Image.new("RGB", (width, height), (200, 30, 30))
    page.paste(Image.fromarray(pixels).resize((height, height), Image.Resampling.NEAREST), ((width - height) // 2, 0))
    stream = io.BytesIO()
    page.save(stream, "PNG")
    return stream.getvalue()


def test_attack_names_the_classes_and_what_changed_block_by_block(reader: Visit) -> None:
    explorer = reader.open("index").explorer("picture")
    answer, effect = explorer.locator(".answer"), explorer.locator(".effect .effect")
    expect(answer).to_contain_text("Reads frog")
    expect(explorer.locator(".source")).to_have_text("Pictures: drawings of our own, not from CIFAR-10.")
    explorer.get_by_label("PGD", exact=True).check(force=True)
    expect(explorer).to_have_attribute("eps", re.compile(r"0\.0078"))
    expect(effect).to_contain_text("PGD (informed) moved", timeout=30_000)
    expect(effect).to_contain_text("block by block")
    expect(answer).to_contain_text(re.compile(r"Reads (?!frog)\w+.*it shows: frog"))
    explorer.get_by_role("radio", name="naive").check(force=True)
    expect(effect).to_contain_text("PGD (naive) moved", timeout=30_000)
    assert reader.problems == []


def test_network_without_steps_has_no_exit_and_loads_when_it_is_chosen(reader: Visit) -> None:
    asked: list[str] = []
    reader.page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    explorer = reader.open("index").explorer("picture")
    assert "snnlab-picture-ann.js" not in asked
    explorer.get_by_role("combobox", name="network").select_option("ann")
    expect(explorer.locator(".blocks h4")).to_have_text("activity in the blocks", timeout=30_000)
    assert "snnlab-picture-ann.js" in asked
    expect(explorer.locator(".about").first).to_contain_text(re.compile(r"Reads \d+.% of the 10,000 test pictures.*0\.5 MB"))
    for hidden in (explorer.get_by_label("exit step"), explorer.get_by_role("group", name="knows the code?")):
        expect(hidden).to_be_hidden()
    assert reader.problems == []


def test_picture_that_is_opened_is_cropped_and_read(reader: Visit) -> None:
    explorer = reader.open("index").explorer("picture")
    file = {"name": "ship.png", "mimeType": "image/png", "buffer": _ship()}
    explorer.locator("input[type=file]").set_input_files(files=[file])  # type: ignore[list-item]
    said = explorer.locator(".opener .said")
    expect(said).to_contain_text("cropped to its middle square, scaled from 64×64 to 32×32 pixels")
    expect(explorer).to_have_attribute("image", "-1")
    expect(explorer.locator(".answer")).to_contain_text("Reads ship")
    expect(explorer.get_by_role("button", name="your picture")).to_have_attribute("aria-pressed", "true")
    explorer.locator(".strip label").first.click()
    expect(explorer.locator(".answer")).to_contain_text("airplane")
    explorer.get_by_role("button", name="your picture").click()
    expect(explorer.locator(".answer")).to_contain_text("Reads ship")
    explorer.locator("input[type=file]").set_input_files(
        files=[{"name": "a.txt", "mimeType": "image/png", "buffer": b"text"}]
    )
    expect(said).to_contain_text("⚠ this file is not a picture that the browser reads")
    assert reader.problems == []


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_picture_is_dropped_or_pasted(way: str, reader: Visit) -> None:
    explorer = reader.open("index").explorer("picture")
    explorer.locator(".source").click()  # what is pasted goes to the explorer that was touched last
    handed(explorer, way, "ship.png", _ship())
    expect(explorer.locator(".answer")).to_contain_text("Reads ship")
    expect(explorer.locator(".answer")).to_contain_text("your picture")
    assert reader.problems == []


def test_next_move_stops_an_attack(reader: Visit) -> None:
    explorer = reader.open("index").explorer("picture")
    explorer.get_by_label("PGD", exact=True).check(force=True)
    for k in range(1, 9):
        put(explorer, eps=k / 255)
        reader.page.wait_for_timeout(40)
    expect(explorer.locator(".effect .effect")).to_contain_text("by at most 8/255", timeout=30_000)
    assert reader.problems == []


def test_pictures_are_attacked_under_the_policy(guarded: Visit) -> None:
    explorer = guarded.open("index").explorer("picture")
    explorer.get_by_label("FGSM", exact=True).check(force=True)
    expect(explorer.locator(".effect .effect")).to_contain_text("FGSM (informed) moved", timeout=30_000)
    assert guarded.problems == []


def test_one_file_holds_pictures_and_networks(chromium: Browser, tmp_path: Path) -> None:
    explorer = PictureExplorer(drawings().images[7:9], [7, 8], image=1)
    path = explorer.save(tmp_path / "index.html", "Mine")
    context = chromium.new_context(offline=True)
    visit = Visit(context, path.parent.as_uri())
    shown = visit.open("index").explorer("picture")
    expect(shown.locator(".answer")).to_contain_text("Reads ship", timeout=30_000)
    expect(shown.locator(".source")).to_have_text("Pictures: yours.")
    assert visit.problems == []
    context.close()
