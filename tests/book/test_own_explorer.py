"""The page *An explorer of your own in ten lines*: its code has ten lines, runs, and answers its sliders."""

import re
from typing import Any

import pytest
from building import BOOK

CELLS = re.findall(r"```\{code-cell\} python\n(.*?)```", (BOOK / "api" / "own_explorer.md").read_text("utf8"), re.DOTALL)


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """What the cells of the page define."""
    defined: dict[str, Any] = {}
    for cell in CELLS:
        exec(cell, defined)
    return defined


def test_the_explorer_has_ten_lines() -> None:
    assert len([line for line in CELLS[0].splitlines() if line.strip()]) == 10


def test_every_slider_changes_the_figure(names: dict[str, Any]) -> None:
    box = names["box"]
    controls = {widget.description: widget for widget in box.children[:-1]}
    assert list(controls) == ["code", "digit", "amount"]
    said = box.result.alt
    for name, value in {"code": "latency", "digit": 3, "amount": 0.1}.items():
        before, said = said, None
        controls[name].value = value
        box.update()
        said = box.result.alt
        assert said != before, name


def test_fog_adds_spikes_and_no_fog_adds_none(names: dict[str, Any]) -> None:
    assert "more in fog" in names["fog"](amount=0.2).alt
    assert "more" not in names["fog"](amount=0.0).alt
    assert "more under attack" in names["attacked"](eps=0.2).alt
