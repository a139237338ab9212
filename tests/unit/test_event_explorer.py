"""The explorer of events as a widget."""

from __future__ import annotations

import pytest
import torch
import traitlets

from snnlab.widgets import EventExplorer


@pytest.mark.parametrize("tamper", ["noise", "add", "remove", "polarity"])
def test_result_holds_what_the_state_says(tamper: str) -> None:
    explorer = EventExplorer(image=6, tamper=tamper, number=10)
    shown = explorer.result()
    changed = (shown["spikes"] != shown["clean"]).sum().item()
    assert 0 < changed <= (20 if tamper == "polarity" else 10)
    assert shown["predictions"].shape == (9,)
    assert len(shown["events"]) > 1000
    assert {"add": (shown["spikes"] >= shown["clean"]).all(), "remove": (shown["spikes"] <= shown["clean"]).all()}.get(
        tamper, torch.tensor(True)
    )


def test_a_drawn_digit_is_recorded_too() -> None:
    drawing = [255 if 10 < k % 28 < 14 else 0 for k in range(784)]
    shown = EventExplorer(image=-1, drawing=drawing).result()
    assert torch.equal(shown["spikes"], shown["clean"])
    assert len(shown["events"]) > 100


@pytest.mark.parametrize("state", [{"exit_step": 10}, {"number": 41}, {"number": -1}, {"tamper": "move"}, {"image": 99}])
def test_state_that_does_not_exist_is_an_error(state: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        EventExplorer(**state)


def test_still_says_that_the_camera_is_simulated() -> None:
    html = EventExplorer(image=6, tamper="add", number=10).to_html()
    assert "simulated event camera" in html
    assert "with at most 10 spikes changed (add)" in html
    assert 'explorer="event"' in html
