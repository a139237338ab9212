"""A network learns in the page: it pauses, goes on, is compared, kept and saved; under a strict policy too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, expect
from visiting import Visit, lone_page, put

from snnlab import data, load
from snnlab.zoo import export

STATE = 'code="onset" neurons="32" image="6"'


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scripts = {key.replace("/", "-"): export.script(key) for key in ("zoo", "digits/test", "digits/train")}
    folder = tmp_path_factory.mktemp("playground")
    (folder / "favicon.ico").touch()  # a browser asks every server for it
    return lone_page(folder, f'<snn-lab explorer="playground" {STATE}></snn-lab>', **scripts)


@pytest.fixture
def reader(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri())
    context.close()


def test_network_learns_pauses_goes_on_is_kept_and_is_loaded_in_python(reader: Visit, tmp_path: Path) -> None:
    explorer = reader.open("index").explorer("playground")
    progress, tested = explorer.locator(".progress"), explorer.locator(".tested")
    expect(progress).to_contain_text("Not trained")
    explorer.get_by_role("button", name="One batch").click()
    expect(progress).to_contain_text("epoch 1 of 5", timeout=30_000)
    explorer.get_by_role("button", name="Continue").click()
    expect(tested).to_contain_text("1 of 5", timeout=90_000)
    explorer.get_by_role("button", name="Pause").click()
    expect(explorer.get_by_role("button", name="Continue")).to_be_visible()
    reader.page.wait_for_timeout(500)  # the batch under way is counted
    with reader.page.expect_download() as download:
        explorer.get_by_role("button", name="Save file").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    model, test = load(path), data.load("mnist5k").test[:200]
    with torch.no_grad():
        right = (model.predict(test.images)[-1] == test.labels).float().mean()
    assert right > 0.6
    put(explorer, steps=5)
    expect(progress).to_contain_text("Not trained")
    expect(tested.locator(".before")).to_contain_text("beforeonset, T = 8")
    reader.page.reload()
    again = reader.explorer("playground")
    again.get_by_role("button", name="Go on after epoch 1 of 5").click()
    expect(again.locator(".tested")).to_contain_text("1 of 5")
    expect(again.locator(".progress")).to_contain_text("epoch 2 of 5")
    expect(again.get_by_role("button", name="Pause")).to_be_visible()
    assert reader.problems == []


def test_a_run_is_kept_and_others_of_one_and_of_two_hidden_layers_are_compared_with_it(reader: Visit) -> None:
    explorer = reader.open("index").explorer("playground")
    progress, tested = explorer.locator(".progress"), explorer.locator(".tested")
    keep = explorer.get_by_role("button", name="Keep this run to compare")
    expect(keep).to_be_disabled()
    explorer.get_by_label("second hidden layer").select_option("32")
    expect(progress).to_contain_text("32 + 32 hidden")
    explorer.get_by_role("button", name="Train", exact=True).click()
    expect(tested.locator(".now")).to_contain_text("1 of 5", timeout=90_000)
    explorer.get_by_role("button", name="Pause").click()
    expect(explorer.get_by_text("hidden spikes, second layer")).to_be_visible()
    keep.click()
    before = tested.locator(".before")
    expect(before).to_contain_text("keptonset, T = 8, β = 0.90, 32 + 32 hidden")
    expect(before).to_contain_text("1 of 5")
    # Runs that follow are compared with it, and not with each other.
    put(explorer, second=0)
    expect(progress).to_contain_text("Not trained")
    explorer.get_by_role("button", name="One batch").click()
    expect(progress).to_contain_text("epoch 1 of 5", timeout=30_000)
    put(explorer, steps=5)
    expect(progress).to_contain_text("Not trained")
    expect(before).to_contain_text("32 + 32 hidden")
    assert reader.problems == []


def test_network_learns_under_the_policy(guarded: Visit) -> None:
    explorer = guarded.open("index").explorer("playground")
    explorer.get_by_role("button", name="One batch").click()
    expect(explorer.locator(".progress")).to_contain_text("epoch 1 of 5", timeout=30_000)
    assert guarded.problems == []
