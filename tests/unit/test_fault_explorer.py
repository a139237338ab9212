"""The explorer of faults as a widget: its state is the faults of Python, and its curves are the records."""

from __future__ import annotations

import pytest
import torch
import traitlets

from snnlab.networks.faults import FAULTS
from snnlab.widgets import FaultExplorer
from snnlab.zoo import export
from snnlab.zoo.everyday import everyday


def test_a_sound_chip_changes_nothing_and_every_fault_has_a_slider() -> None:
    explorer = FaultExplorer(encoding="onset")
    assert explorer.severities() == dict.fromkeys(FAULTS, 0)
    shown = explorer.result()
    assert torch.equal(shown["sound"], shown["faulty"])
    assert "with no fault" in explorer._still().alt


def test_faults_are_those_of_python_and_the_network_is_whole_afterwards() -> None:
    explorer = FaultExplorer(encoding="latency", lost=1.0, bits=4)
    shown = explorer.result()
    assert shown["faulty"].sum() == 0
    assert shown["faulty_answers"][-1] == -1
    assert "is silent with lost 1, fewer bits 0.571" in explorer._still().alt
    assert torch.equal(FaultExplorer(encoding="latency").result()["faulty"], shown["sound"])


def test_curves_are_means_over_seeds_of_the_records() -> None:
    table = export.payload("everyday")
    records = [of_seed["faults"] for of_seed in everyday("onset")]
    assert (table["n"], table["seeds"]) == (records[0].n, len(records))
    for severity, mean, low, high in table["models"]["onset"]["faults"]["lost"]:
        found = [record.accuracy("lost", severity).mean for record in records]
        assert mean == pytest.approx(sum(found) / len(found), abs=1e-3)
        assert low <= mean <= high
    assert set(table["models"]) == set(FaultExplorer()._models.names)


@pytest.mark.parametrize("state", [{"encoding": "ann"}, {"lost": 1.5}, {"dead": -0.1}, {"bits": 0}, {"bits": 9}])
def test_state_that_does_not_exist_is_an_error(state: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        FaultExplorer(**state)
