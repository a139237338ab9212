"""A reader before the explorer of events: his camera, his drawing, and the cloud that he turns. From disk, without a network."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import BROWSERS, QUIET
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, answered, lone_page

from snnlab import data
from snnlab.data.event_camera import saccade_path, saccades
from snnlab.zoo import export

ELEMENT = '<snn-lab explorer="event" image="0" tamper="none" number="20" exit_step="9"></snn-lab>'
SIDE, MARGIN = 280, 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    scripts = {key: export.script(key) for key in ("zoo", "events5k")}
    return lone_page(tmp_path_factory.mktemp("events"), ELEMENT, **scripts)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A wide film (Y4M) of a digit that moves along the three strokes, and its class."""
    path, digits = tmp_path_factory.mktemp("film") / "digit.y4m", data.load("mnist5k").test
    number = export.sample_digits()[6]
    sequence = saccades(digits.images[number : number + 1], saccade_path(9))[:9]
    frames = torch.nn.functional.interpolate(sequence, size=SIDE, mode="nearest")[:, 0].mul(255).round().byte().numpy()
    with path.open("wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F30:1 Ip A1:1 C420jpeg\n" % (SIDE + 2 * MARGIN, SIDE))
        for frame in frames:
            wide = np.pad(frame, ((0, 0), (MARGIN, MARGIN)))
            file.write(b"FRAME\n" + wide.tobytes() + bytes([128]) * (wide.size // 2))
    return path, int(digits.labels[number])


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1100, "height": 900}, offline=True)
    yield Visit(context, folder.as_uri())
    context.close()


def test_the_camera_becomes_an_event_camera_that_the_network_reads(
    chromium: Browser, folder: Path, film: tuple[Path, int]
) -> None:
    path, label = film
    fake = ("use-fake-device-for-media-stream", "use-fake-ui-for-media-stream", f"use-file-for-fake-video-capture={path}")
    browser = chromium.browser_type.launch(
        executable_path=next(found for name in BROWSERS if (found := shutil.which(name))),
        args=[*QUIET, *(f"--{flag}" for flag in fake)],
    )
    visit = Visit(browser.new_context(viewport={"width": 1100, "height": 900}, offline=True), folder.as_uri())
    visit.page.add_init_script(
        """const media = navigator.mediaDevices, ask = media.getUserMedia.bind(media);
        media.getUserMedia = async (what) => (globalThis.given = await ask(what));"""
    )
    explorer = visit.open("index").explorer("event")
    explorer.get_by_role("button", name="use the camera").click()
    expect(explorer.get_by_text("Nothing is stored or sent.")).to_be_visible()
    answer = explorer.locator(".answer")
    expect(answer).to_contain_text("in front of your camera")
    expect(answer).to_contain_text(f"Reads {label}", timeout=20_000)
    expect(explorer.get_by_text(re.compile(r"fired [\d,]+ events in the last 300 ms"))).to_be_visible()
    expect(explorer.locator("input[type=radio]:checked")).to_have_count(0)
    explorer.get_by_label("change spikes").select_option("noise")
    expect(explorer.get_by_text("20 spikes are changed at random")).to_be_visible()

    explorer.locator("input[type=radio]").first.check(force=True)
    expect(explorer.get_by_role("button", name="use the camera")).to_be_visible()
    assert visit.page.evaluate("given.getTracks().every((track) => track.readyState === 'ended')")
    expect(answer).to_contain_text("Reads 0")
    expect(explorer.get_by_text("three strokes, 300 ms")).to_be_visible()
    assert visit.problems == []
    browser.close()


@pytest.mark.parametrize(
    ("lacks", "words"),
    [
        ("getUserMedia = () => Promise.reject(new DOMException('', 'NotAllowedError'))", "not allowed for this page"),
        ("getUserMedia = () => Promise.reject(new DOMException('', 'NotReadableError'))", "used by another program"),
        ("getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError'))", "no camera is there"),
        ("getUserMedia = undefined", "no camera is there"),
    ],
    ids=["refused", "busy", "none", "old browser"],
)
def test_a_camera_that_is_refused_or_absent_is_said_in_a_sentence(lacks: str, words: str, visit: Visit) -> None:
    visit.page.add_init_script(f"navigator.mediaDevices.{lacks}")
    explorer = visit.open("index").explorer("event")
    explorer.get_by_role("button", name="use the camera").click()
    expect(explorer.get_by_text(re.compile(f"{words}.*; choose a digit or draw one"))).to_be_visible()
    expect(explorer.get_by_role("button", name="use the camera")).to_be_enabled()
    expect(explorer.locator(".answer")).to_contain_text("Reads 0")
    assert visit.problems == []


def _pixels(cloud: Locator) -> str:
    return str(cloud.evaluate("(canvas) => canvas.toDataURL()"))


def test_the_cloud_is_turned_by_dragging_and_by_keys_and_turned_back(visit: Visit) -> None:
    explorer = answered(visit.open("index").explorer("event"))
    cloud = explorer.get_by_role("img", name=re.compile("events in space and time"))
    first = _pixels(cloud)
    cloud.focus()
    for key in ("ArrowLeft", "ArrowUp"):
        before = _pixels(cloud)
        visit.page.keyboard.press(key)
        assert _pixels(cloud) != before
    for key in ("ArrowRight", "ArrowDown"):
        visit.page.keyboard.press(key)
    assert _pixels(cloud) == first, "what is turned there and back is as before"
    box = cloud.bounding_box()
    assert box
    visit.page.mouse.move(box["x"] + 200, box["y"] + 100)
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 260, box["y"] + 120, steps=3)
    visit.page.mouse.up()
    assert _pixels(cloud) != first
    turned = _pixels(cloud)
    visit.page.mouse.move(box["x"] + 300, box["y"] + 150)
    assert _pixels(cloud) == turned, "the button is up"
    cloud.dblclick()
    assert _pixels(cloud) == first
    assert visit.problems == []


def test_a_drawn_digit_goes_through_the_camera_and_is_attacked(visit: Visit) -> None:
    explorer = visit.open("index").explorer("event")
    explorer.get_by_role("button", name="draw").click()
    pad = explorer.locator(".drawing canvas")
    box = pad.bounding_box()
    assert box
    visit.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.2 * box["height"])
    visit.page.mouse.down()
    visit.page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.8 * box["height"], steps=8)
    visit.page.mouse.up()
    expect(explorer).to_have_attribute("image", "-1")
    expect(explorer.locator(".answer")).to_contain_text("your digit")
    expect(explorer.get_by_text(re.compile(r"The sensor fired [\d,]{3,} events;"))).to_be_visible()
    explorer.get_by_label("change spikes").select_option("add")
    expect(explorer.locator(".effect")).to_contain_text("20 spikes are added")
    assert visit.problems == []
