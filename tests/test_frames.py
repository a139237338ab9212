"""Frames of late perturbations and silenced parts, and what they cost."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from snnlab import zoo
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.energy import energy
from snnlab.network import Classifier, SpikingMLP
from snnlab.widgets.frames import Request, frame

SPIKING = [name for name in zoo.names("codes") if name != "ann"]


def _request(few: Split, encoding: str, **changes: Any) -> Request:
    state: dict[str, Any] = {"attack": "fgsm", "eps": 0.2} | changes
    return Request(few.images[0], int(few.labels[0]), encoding, **state)


@pytest.mark.parametrize("name", SPIKING)
@pytest.mark.parametrize("method", ["noise", "fgsm", "pgd"])
def test_a_late_perturbation_leaves_the_early_steps_as_they_were(name: str, method: str, few: Split) -> None:
    shown = frame(zoo.load(name), _request(few, name, attack=method, from_step=5))
    clean, attacked = (shown[side]["input"].reshape(8, -1) for side in ("clean", "attacked"))
    assert np.array_equal(clean[:5], attacked[:5])
    assert not np.array_equal(clean[5:], attacked[5:])


@pytest.mark.parametrize("name", SPIKING)
def test_a_perturbation_after_the_last_step_changes_nothing(name: str, few: Split) -> None:
    shown = frame(zoo.load(name), _request(few, name, from_step=8))
    for part in ("image", "input", "hidden", "votes", "predictions", "energy"):
        assert np.array_equal(shown["clean"][part], shown["attacked"][part])
    assert shown["gradient_zero"] == 1


@pytest.mark.parametrize("name", zoo.names("codes"))
def test_a_frame_costs_what_the_package_counts(name: str, few: Split) -> None:
    model = zoo.load(name)
    shown = frame(model, _request(few, name))
    for side in ("clean", "attacked"):
        model.generator = torch.Generator().manual_seed(0)
        counted = energy(model, torch.from_numpy(shown[side]["image"]).view(1, 1, 28, 28)).picojoules[:, 0]
        assert shown[side]["energy"].tolist() == counted.tolist()


def test_a_network_that_cannot_be_counted_has_no_energy(few: Split) -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = SpikingMLP((784, 10))

        def forward(self, sequence: torch.Tensor) -> Any:
            return self.network(sequence)

    assert frame(Classifier(Own(), encoder("onset")), _request(few, "own"))["clean"]["energy"] is None


def test_a_silenced_part_shows_no_spike_and_costs_nothing(few: Split) -> None:
    model = zoo.load("fusion")  # direct, latency
    for part in (0, 1):
        shown = frame(model, _request(few, "fusion", silenced=part))
        for side in ("clean", "attacked"):
            blocks = shown[side]["input"].reshape(8, 2, -1)
            assert (blocks[:, part] == 0).all()
            assert (blocks[:, 1 - part] != 0).any()
        full = frame(model, _request(few, "fusion"))
        assert (shown["clean"]["energy"] < full["clean"]["energy"]).all()


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("fusion", {"silenced": 2}, "has parts 0 … 1, got 2"),
        ("onset", {"silenced": 0}, "only a fusion has parts to silence, got onset"),
        ("ann", {"silenced": 0}, "only a fusion has parts to silence, got an ANN"),
        ("ann", {"from_step": 2}, "an ANN has no steps that could be late, got from_step = 2; use 0"),
        ("onset", {"from_step": 9}, "from_step"),
    ],
)
def test_a_part_or_a_step_that_does_not_exist_is_refused(name: str, changes: dict[str, Any], says: str, few: Split) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        frame(zoo.load(name), _request(few, name, **changes))
