"""The explorer of retiming as a widget: its budget is Python's, and its curves are the records."""

from __future__ import annotations

import pytest
import torch
import traitlets

from snnlab.attacks.time_budget import TimeBudget
from snnlab.widgets import RetimingExplorer
from snnlab.zoo import export
from snnlab.zoo.retiming import RETIMING, retimed


def test_no_budget_moves_nothing() -> None:
    shown = RetimingExplorer(encoding="latency").result()
    assert torch.equal(shown["clean"], shown["spikes"])
    assert (shown["moved"], shown["answer"]) == (0, shown["moved_answer"])
    assert "after no spike moved" in RetimingExplorer(encoding="latency")._still().alt


def test_what_moves_is_inside_the_budget_and_each_pixel_keeps_its_spikes() -> None:
    explorer = RetimingExplorer(encoding="phase", shift=1, moved=20, eps=0.05)
    assert explorer.budget() == TimeBudget(shift=1, moved=20)
    shown = explorer.result()
    assert 0 < shown["moved"] <= 20
    assert shown["shift"] == 1
    assert torch.equal((shown["clean"] > 0).sum(0), (shown["spikes"] > 0).sum(0))
    assert f"moved {shown['moved']} spikes by at most 1 step" in explorer._still().alt
    assert RetimingExplorer(moved=100, shift=3).budget() == TimeBudget(shift=3)


def test_curves_are_means_over_seeds_of_the_records() -> None:
    table = export.payload("retimed")
    assert set(table["models"]) == set(RETIMING.models("mnist5k")) == set(RetimingExplorer()._models.names)
    of = table["models"]["latency"]["exits"]
    for step, part in ((8, "worst"), (4, "exit 4")):
        assert of[step]["clean"][0] == pytest.approx(retimed("latency", part=part).mean, abs=1e-4)
        for limit, mean, low, high in of[step]["shift"]:
            assert mean == pytest.approx(retimed("latency", f"shift {limit}", part).mean, abs=1e-4)
            assert low <= mean <= high


@pytest.mark.parametrize("state", [{"encoding": "direct"}, {"shift": 8}, {"shift": -1}, {"moved": 101}, {"mover": "wind"}])
def test_state_that_does_not_exist_is_an_error(state: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        RetimingExplorer(**state)
