"""A reader paints a code: with the pointer, by keys, as a line; takes its name to Python; trains it and attacks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, lone_page, put

from snnlab import data, encoder, load
from snnlab.zoo import export

LATENCY = "table(rows=0000 0001 0010 0100 1000)"
KEYS = ("zoo", "digits/test", "digits/train", "model/onset")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scripts = {key.replace("/", "-"): export.script(key) for key in KEYS}
    state = f'code="{LATENCY}" image="6" eps="0.1" attack="fgsm"'
    folder = lone_page(tmp_path_factory.mktemp("paint"), f'<snn-lab explorer="paint" {state}></snn-lab>', **scripts)
    page = (folder / "index.html").read_text()
    (folder / "robustness.html").write_text(
        re.sub("<snn-lab.*</snn-lab>", '<snn-lab explorer="robustness"></snn-lab>', page)
    )
    return folder


@pytest.fixture
def reader(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 1000})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    yield Visit(context, folder.as_uri())
    context.close()


def _cell(explorer: Locator, level: str, step: int) -> Locator:
    return explorer.get_by_role("gridcell", name=f"{level}, step {step}", exact=True)


def test_a_code_is_painted_by_pointer_and_by_keys_and_its_name_is_the_code_in_python(reader: Visit) -> None:
    explorer, page = reader.open("index").explorer("paint"), reader.page
    expect(explorer.locator(".about")).to_contain_text("acts first in step 4 of 4")
    _cell(explorer, "black", 1).click()
    expect(explorer).to_have_attribute("code", "table(rows=1000 0001 0010 0100 1000)")
    start, end = (_cell(explorer, f"intensity {level}", 3).bounding_box() for level in ("0.75 to 1.00", "0.00 to 0.25"))
    assert start
    assert end
    page.mouse.move(start["x"] + 5, start["y"] + 5)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 5)
    page.mouse.up()
    expect(explorer).to_have_attribute("code", "table(rows=1000 0011 0010 0110 1010)")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+ArrowUp")
    expect(explorer).to_have_attribute("code", "table(rows=0100 0111 0010 0110 1010)")
    expect(_cell(explorer, "black", 2)).to_have_attribute("aria-selected", "true")
    expect(explorer.locator('[aria-live="polite"]')).to_contain_text("black acts first")
    explorer.get_by_role("button", name="copy its name for Lab").click()
    text = page.evaluate("navigator.clipboard.readText()")
    code = eval(text, {"encoder": encoder})
    assert code.title == explorer.get_attribute("code")
    page.go_back()
    expect(explorer).to_have_attribute("code", re.compile("rows="))
    assert reader.problems == []


def test_a_line_paints_as_it_is_written_and_an_error_is_at_its_character(reader: Visit) -> None:
    explorer = reader.open("index").explorer("paint")
    line = explorer.get_by_label("write it")
    line.fill("fire when t == floor((1 - x) ** p * T)")
    expect(explorer).to_have_attribute("code", LATENCY)
    explorer.get_by_label("p", exact=True).fill("2")
    expect(explorer).to_have_attribute("code", "table(rows=0000 0001 0100 1000 1000)")
    line.fill("fire when t == flor(x)")
    expect(explorer.locator(".wrong")).to_contain_text("At character 16")
    expect(explorer.locator(".wrong mark")).to_have_text("f")
    expect(explorer).to_have_attribute("code", "table(rows=0000 0001 0100 1000 1000)")
    line.fill("table(rows=01 10 11)")  # as a name from Python
    expect(explorer.get_by_label("steps T")).to_have_value("2")
    put(explorer, code="table(rows=01 1)")
    expect(explorer.locator(".notice").nth(1)).to_contain_text("two or more rows of num_steps = 2 signs each")
    assert reader.problems == []


def test_a_painted_code_is_trained_attacked_and_loaded_in_python(reader: Visit, tmp_path: Path) -> None:
    explorer = reader.open("index").explorer("paint")
    put(explorer, code="table(rows=00000000 00000001 00000011 00001111 11111111)")
    name = explorer.get_attribute("code")
    explorer.get_by_role("button", name="Train this code").click()
    expect(explorer.locator(".tested")).to_contain_text("After epoch 1", timeout=90_000)
    explorer.get_by_role("button", name="Pause").click()
    explorer.get_by_role("button", name="Attack it").click()
    expect(explorer.locator(".measured")).to_contain_text(
        re.compile(r"Your code 1 under FGSM \(informed\): .* clean"), timeout=30_000
    )
    explorer.get_by_role("button", name="Stop").click()
    expect(explorer.locator(".legend")).to_contain_text("your code 1")
    with reader.page.expect_download() as download:
        explorer.get_by_role("button", name="Save file").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    model = load(path)
    assert (model.encoder.title, path.name) == (name, "painted.safetensors")
    test = data.load("mnist5k").test[:200]
    with torch.no_grad():
        right = (model.predict(test.images)[-1] == test.labels).float().mean()
    assert right > 0.5
    yours = reader.open("robustness").explorer("robustness")
    yours.get_by_label("code").select_option("yours: painted code")
    put(yours, attack="fgsm", attacker="informed", eps=0.1)
    expect(yours.locator(".curve .empty")).to_contain_text("Your network is in no record")
    expect(yours.locator(".answer")).to_contain_text("Reads")
    assert reader.problems == []
