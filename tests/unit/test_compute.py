"""Frames of late perturbations and silenced parts, and what they cost."""

import re
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from snnlab import zoo
from snnlab.attacks import spike_train
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.evaluation.suites import QUICK
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.energy import energy
from snnlab.widgets.compute import Request, frame
from snnlab.widgets.fallback import network_still
from snnlab.zoo import export

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


@pytest.mark.case("make this 3 an 8: targeted attacks")
@pytest.mark.parametrize(("attack", "attacker"), [("fgsm", "informed"), ("pgd", "naive"), ("pgd", "spike_train")])
def test_a_frame_moves_towards_the_class_that_is_asked_for(attack: str, attacker: str, few: Split) -> None:
    model, truth = zoo.load("latency"), int(few.labels[0])
    target = (truth + 3) % 10
    away, towards = (
        frame(model, _request(few, "latency", attack=attack, attacker=attacker, target=wanted)) for wanted in (-1, target)
    )
    assert (away["towards"], towards["towards"], towards["target"]) == (-1, target, truth)
    assert not np.array_equal(away["attacked"]["image"], towards["attacked"]["image"])
    ahead = [shown["attacked"]["votes"].reshape(8, -1)[-1] for shown in (away, towards)]
    assert ahead[1][target] - ahead[1][truth] >= ahead[0][target] - ahead[0][truth]
    assert f"towards class {target}" in network_still(towards, _request(few, "latency", attack=attack, target=target)).alt


def test_nothing_is_attacked_towards_the_class_that_an_image_has(few: Split) -> None:
    own = frame(zoo.load("latency"), _request(few, "latency", target=int(few.labels[0])))
    assert (own["attacked"], own["towards"]) == (None, own["target"])
    noise = frame(zoo.load("latency"), _request(few, "latency", attack="noise", target=int(few.labels[0])))
    assert noise["attacked"] is not None
    assert noise["towards"] == -1


def test_a_target_that_the_network_does_not_have_is_refused(few: Split) -> None:
    with pytest.raises(ValueError, match="target must be a whole number from -1 to 9, got 10"):
        frame(zoo.load("latency"), _request(few, "latency", target=10))


@pytest.mark.parametrize("name", zoo.names("codes"))
def test_a_frame_costs_what_the_package_counts(name: str, few: Split) -> None:
    model = zoo.load(name)
    shown = frame(model, _request(few, name))
    for side in ("clean", "attacked"):
        model.generator = torch.Generator().manual_seed(0)
        counted = energy(model, torch.from_numpy(shown[side]["image"]).view(1, 1, 28, 28)).picojoules[:, 0]
        assert shown[side]["energy"].tolist() == counted.tolist()


@pytest.mark.parametrize("name", ["onset", "latency", "fusion"])
def test_the_attacker_who_knows_the_spike_trains_stays_in_the_budget_and_moves_the_image(name: str, few: Split) -> None:
    model = zoo.load(name)
    shown = frame(model, _request(few, name, attack="pgd", attacker="spike_train", eps=0.1))
    change = shown["attacked"]["image"] - shown["clean"]["image"]
    assert 0 < np.abs(change).max() <= 0.1 + 1e-6
    assert shown["moved"] > 0


@pytest.mark.parametrize("name", ["direct", "poisson", "ann"])
def test_an_attacker_cannot_search_where_there_are_no_spike_trains_and_the_message_says_so(name: str, few: Split) -> None:
    asked = _request(few, name, attack="pgd", attacker="spike_train")
    with pytest.raises(ValueError, match='no spike trains to search among; use the attacker "informed"'):
        frame(zoo.load(name), asked)
    with pytest.raises(ValueError, match='iterative: use attack="pgd", got "fgsm"'):
        _request(few, name, attacker="spike_train")


def test_the_page_searches_with_the_constants_of_the_package() -> None:
    sent = export.model_payload("onset", zoo.load("onset"))["spike_train"]
    assert (sent["momentum"], tuple(sent["shares"])) == (spike_train.MOMENTUM, spike_train.SHARES)
    assert (tuple(sent["sharpness"]), sent["softness"]) == (spike_train.SHARPNESS, spike_train.SOFTNESS)
    assert sent["steps"] == next(a.steps for a in QUICK if a.name == "spike_train")


def test_a_still_of_an_ann_names_no_exit_and_one_of_a_tie_says_what_decided_it(few: Split) -> None:
    ann = _request(few, "ann")
    assert "exit" not in network_still(frame(zoo.load("ann"), ann), ann).alt
    request = _request(few, "onset", attack="none")
    shown = frame(zoo.load("onset"), request)
    shown["clean"]["votes"] = np.ones_like(shown["clean"]["votes"])
    assert "(tie, decided by potential)" in network_still(shown, request).alt


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
