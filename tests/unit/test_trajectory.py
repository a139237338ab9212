"""Trajectories of attacks: inside the budget, the steps of the package's attacks, the network unchanged."""

import re
from typing import Any

import numpy as np
import pytest
import torch

from snnlab import Budget, zoo
from snnlab.attacks import NAIVE, has_trains, input_gradient, spike_train_attack
from snnlab.attacks.trajectory import STEPS, VARIANTS, attack_slice, attack_trajectory, per_level, predicted_class
from snnlab.data import Split
from snnlab.widgets.compute import TrajectoryRequest, trajectory_frame

CODES = zoo.names("codes")
EPS = Budget(0.1)


def _able(name: str) -> list[str]:
    """The attackers that can attack a model: a search among spike trains needs a code that has some."""
    return [m for m in VARIANTS if m != "spike_train" or has_trains(zoo.load(name).encoder)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "method"), [(name, method) for name in CODES for method in _able(name)])
def test_a_trajectory_stays_in_its_budget_and_ends_where_the_answer_is_wrong(name: str, method: str, few: Split) -> None:
    model = zoo.load(name)
    label = predicted_class(model, few.images[0])
    found = attack_trajectory(model, few.images[0], label, EPS, method)
    for image in found.images:
        EPS.verify(image, few.images[0])
    assert len(found.images) == len(found.gradients) + 1 == len(found.margins) == len(found.predictions)
    assert (found.predictions[:-1] == label).all()
    assert found.broken_at in (None, len(found.gradients))
    assert found.broken_at is not None or len(found.gradients) == STEPS


@pytest.mark.parametrize("name", [code for code in CODES if has_trains(zoo.load(code).encoder)])
def test_the_search_among_spike_trains_is_that_of_the_attack(name: str, few: Split) -> None:
    model, budget = zoo.load(name), Budget(0.2)
    image, label = few.images[:1], few.labels[:1]
    whole = spike_train_attack(model, image, label, budget, steps=6, generator=torch.Generator().manual_seed(1))
    found = attack_trajectory(model, image[0], int(label), budget, "spike_train", steps=6)
    if found.broken_at is None:
        assert any(torch.equal(step, whole.images[0]) for step in found.images)
    else:
        assert torch.equal(found.images[-1], whole.images[0])


@pytest.mark.parametrize("name", ["direct", "poisson", "ann"])
def test_codes_without_spike_trains_are_not_searched_and_the_message_says_so(name: str, few: Split) -> None:
    with pytest.raises(ValueError, match="no spike trains to search among; choose one of naive"):
        attack_trajectory(zoo.load(name), few.images[0], int(few.labels[0]), EPS, "spike_train")


def test_the_naive_trajectory_is_plain_pgd_on_the_margin_through_the_spikes(few: Split) -> None:
    model = zoo.load("offset")
    found = attack_trajectory(model, few.images[0], int(few.labels[0]), EPS, "naive")
    with NAIVE.view(model) as seen:
        blind = input_gradient(seen, few.images[:1], few.labels[:1])[0] == 0
    assert torch.equal(found.gradients[0] == 0, blind)
    for before, gradient, after in zip(found.images, found.gradients, found.images[1:], strict=False):
        moved = EPS.project(before + EPS.eps / 4 * gradient.sign(), few.images[0])
        assert torch.equal(after, moved)
        assert torch.equal((after != before) & blind, torch.zeros_like(blind))


def test_naive_attacker_is_blind_on_offset_where_bpda_is_not(few: Split) -> None:
    model = zoo.load("offset")
    zero = {m: attack_trajectory(model, few.images[0], int(few.labels[0]), EPS, m).zero_gradient[0] for m in _able("offset")}
    assert zero["naive"] > 0.75
    assert max(zero["bpda"], zero["eot"], zero["assg"]) == 0


@pytest.mark.parametrize("name", ["direct", "ann"])
def test_without_steps_to_replace_bpda_is_the_naive_attacker(name: str, few: Split) -> None:
    naive, bpda = (attack_trajectory(zoo.load(name), few.images[0], int(few.labels[0]), EPS, m) for m in ("naive", "bpda"))
    assert torch.equal(naive.images, bpda.images)


def test_every_attacker_meets_the_same_encoding_of_the_clean_image(few: Split) -> None:
    margins = [
        attack_trajectory(zoo.load("poisson"), few.images[0], int(few.labels[0]), EPS, m).margins.tolist()
        for m in _able("poisson")
    ]
    assert len({first for first, *_ in margins}) == 1


def test_the_network_after_a_trajectory_is_as_before(few: Split) -> None:
    model = zoo.load("latency")
    surrogate, before = model.network.surrogate, [p.clone() for p in model.network.parameters()]
    for method in VARIANTS:
        attack_trajectory(model, few.images[0], int(few.labels[0]), EPS, method)
    assert model.network.surrogate is surrogate
    assert all(torch.equal(a, b) and b.grad is None for a, b in zip(before, model.network.parameters(), strict=True))


def test_an_image_that_is_misread_already_is_left_alone(few: Split) -> None:
    model = zoo.load("onset")
    wrong = (predicted_class(model, few.images[0]) + 1) % 10
    found = attack_trajectory(model, few.images[0], wrong, EPS, "assg")
    assert found.broken_at == 0
    assert found.gradients.shape == (0, 1, 28, 28)


def test_a_frame_holds_the_trajectory(few: Split) -> None:
    model = zoo.load("phase")
    shown = trajectory_frame(model, TrajectoryRequest(few.images[0], None, "phase", "bpda", 0.1))
    found = attack_trajectory(model, few.images[0], shown["target"], EPS, "bpda")
    assert shown["target"] == predicted_class(model, few.images[0])
    assert np.array_equal(shown["path"]["images"], found.images.flatten().numpy())
    assert np.array_equal(shown["path"]["gradients"], found.gradients.flatten().numpy())
    assert shown["path"]["predictions"].dtype == np.int8


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "magic"}, "choose one of naive, bpda, eot, assg"),
        ({"eps": -0.1}, "eps must lie in"),
        ({"eps": float("nan")}, "eps must lie in"),
    ],
)
def test_a_bad_request_says_what_is_valid(changes: dict[str, Any], says: str, few: Split) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        TrajectoryRequest(**{"image": few.images[0], "label": 7, "encoding": "onset", "method": "bpda"} | changes)


def test_a_slice_runs_along_the_sign_of_a_gradient_to_twice_the_budget(few: Split) -> None:
    """Every ``per_level``-th image has whole grey levels: the answer is that of the saved image."""
    model, budget = zoo.load("offset"), Budget(0.02)
    image, label = few.images[0], int(few.labels[0])
    gradient = attack_trajectory(model, image, label, budget, "bpda").gradients[0]
    margins, answers = attack_slice(model, image, label, budget, gradient)
    per = per_level(0.02)
    assert len(margins) == len(answers) == 10 * per + 1
    assert torch.equal(attack_slice(model, image, label, budget, 1000 * gradient)[0], margins)
    for k in (0, 3, 10):
        moved = (image + k / 255 * gradient.sign()).clamp(0, 1)
        stored = (moved * 255).round().to(torch.uint8).float() / 255
        logits = model(stored.unsqueeze(0))[0].detach()
        others = torch.cat([logits[:label], logits[label + 1 :]]).max()
        assert float(margins[k * per]) == pytest.approx(float(others - logits[label]))
    flat, _ = attack_slice(model, image, label, budget, torch.zeros_like(gradient))
    assert bool((flat == margins[0]).all())
