"""Attacks: inside the budget, as strong as the closed form where there is one, and leaving nothing behind."""

import re
from copy import deepcopy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from snnlab import data, zoo
from snnlab.attacks import ATTACKERS, INFORMED, NAIVE, Attacker, Budget, attack, input_gradient
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier, SpikingMLP

NAMES = ["ann", "direct", "poisson", "onset", "offset", "latency", "phase", "fusion"]


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["noise", "fgsm", "pgd"])
@pytest.mark.parametrize("attacker", list(ATTACKERS.values()), ids=list(ATTACKERS))
def test_budget_is_never_exceeded(name: str, method: str, attacker: Attacker, few: Split) -> None:
    result = attack(zoo.load(name), few.images, few.labels, Budget(0.1), method, attacker, steps=3, generator=_generator())
    assert (result.images - few.images).abs().max() <= 0.1 + 1e-6
    assert 0 <= result.images.min() <= result.images.max() <= 1
    assert result.moved > 0


@pytest.mark.parametrize("name", [n for n in NAMES if n != "ann"])
def test_informed_pgd_moves_pixels_under_every_encoder_and_exit(name: str, few: Split) -> None:
    for exit_step in (6, 8):
        model = zoo.load(name).at(exit_step=exit_step)
        result = attack(model, few.images, few.labels, Budget(0.1), "pgd", INFORMED, random_start=False, steps=3)
        assert result.moved > 0.3


def test_the_naive_attacker_of_a_step_code_is_blind_on_dark_pixels(few: Split) -> None:
    """The illusion that the book is about: with the straight-through rule, black pixels of offset have no gradient."""
    model = zoo.load("offset")
    with NAIVE.view(model) as seen:
        gradient = input_gradient(seen, few.images, few.labels)
    assert (gradient[few.images == 0] == 0).all()
    with INFORMED.view(model) as seen:
        gradient = input_gradient(seen, few.images, few.labels)
    assert (gradient[few.images == 0] != 0).float().mean() > 0.9


@pytest.mark.parametrize("method", ["fgsm", "pgd"])
def test_attack_reaches_the_closed_form_on_a_linear_model(method: str) -> None:
    """Two classes, logits (0, w·x): the best L∞ attack moves every pixel by ε against the sign of w."""
    weights = torch.linspace(-1, 1, 16)
    linear = nn.Linear(16, 2, bias=False)
    linear.weight.data = torch.stack([torch.zeros(16), weights])
    model = Classifier(nn.Sequential(nn.Flatten(), linear))
    images = torch.full((3, 1, 4, 4), 0.5)
    labels = torch.tensor([1, 1, 0])
    result = attack(model, images, labels, Budget(0.2), method, steps=10, generator=_generator())
    direction = torch.where(labels == 1, -1.0, 1.0).view(-1, 1, 1, 1)
    best = images + 0.2 * direction * weights.sign().view(1, 1, 4, 4)
    assert torch.allclose(result.images, best, atol=1e-6)


@pytest.mark.parametrize("name", ["onset", "poisson"])
def test_network_is_bit_identical_after_an_attack(name: str, few: Split) -> None:
    model = zoo.load(name)
    before = deepcopy(model.network.state_dict())
    surrogate, code = model.network.surrogate, model.encoder
    attack(model, few.images, few.labels, Budget(0.1), "pgd", steps=2, generator=_generator())
    after = model.network.state_dict()
    assert all(torch.equal(before[k], after[k]) for k in before)
    assert (model.network.surrogate, model.encoder) == (surrogate, code)
    assert all(p.grad is None for p in model.parameters())


def test_attack_repeats_with_its_generator_and_leaves_the_global_one_alone(onset: Classifier, few: Split) -> None:
    torch.manual_seed(123)
    state = torch.random.get_rng_state()
    results = [
        attack(onset, few.images, few.labels, Budget(0.1), "pgd", steps=2, generator=_generator(seed)).images
        for seed in (1, 1, 2)
    ]
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_success_is_judged_at_the_exit_that_was_attacked(few: Split) -> None:
    model = zoo.load("latency").at(exit_step=5)
    result = attack(model, few.images, few.labels, Budget(0.2), "fgsm")
    assert torch.equal(result.success, result.predictions[4] != few.labels)


def test_no_attack_and_no_budget_change_nothing(onset: Classifier, few: Split) -> None:
    for method, eps in (("none", 0.1), ("fgsm", 0.0), ("pgd", 0.0), ("noise", 0.0)):
        result = attack(onset, few.images, few.labels, Budget(eps), method)
        assert torch.equal(result.images, few.images)
        assert result.moved == 0


def test_informed_attack_breaks_offset_that_looked_robust(mnist: Dataset) -> None:
    test = mnist.test[:200]
    model = zoo.load("offset")
    naive = attack(model, test.images, test.labels, Budget(0.1), "fgsm", NAIVE)
    informed = attack(model, test.images, test.labels, Budget(0.1), "pgd", INFORMED, generator=_generator())
    assert naive.success.float().mean() < 0.3
    assert informed.success.float().mean() > 0.8


ONSET = zoo.load("onset")
ONE = data.load("mnist5k").test[:1]


@settings(max_examples=40, deadline=None)
@given(
    eps=st.floats(0, 1),
    method=st.sampled_from(["noise", "fgsm", "pgd"]),
    seed=st.integers(0, 2**31),
    exit_step=st.integers(1, 8),
)
def test_no_random_setting_leaves_the_budget(eps: float, method: str, seed: int, exit_step: int) -> None:
    images = torch.rand(ONE.images.shape, generator=_generator(seed))
    result = attack(
        ONSET.at(exit_step=exit_step), images, ONE.labels, Budget(eps), method, steps=2, generator=_generator(seed)
    )
    result.budget.verify(result.images, images)


@pytest.mark.parametrize("eps", [-0.1, 1.5, float("nan"), float("inf")])
def test_bad_budget_is_refused(eps: float) -> None:
    with pytest.raises(ValueError, match="eps must lie in"):
        Budget(eps)


def test_a_budget_notices_who_left_it() -> None:
    x = torch.full((1, 1, 2, 2), 0.95)
    with pytest.raises(ValueError, match=re.escape("moved a pixel by 0.2")):
        Budget(0.1).verify(x - 0.2, x)
    with pytest.raises(ValueError, match=re.escape("left [0, 1]")):
        Budget(0.1).verify(x + 0.1, x)
    with pytest.raises(ValueError, match="shape"):
        Budget(0.1).verify(x[0], x)
    Budget(0.1).verify(Budget(0.1).project(x + 7, x), x)


def test_bad_requests_say_what_is_valid(onset: Classifier, few: Split) -> None:
    x, y = few.images, few.labels
    cases = [
        (lambda: attack(onset, x, y, Budget(0.1), "magic"), "unknown attack 'magic'; choose one of none, noise, fgsm, pgd"),
        (lambda: attack(onset, x, y[:3], Budget(0.1)), "labels [N] with N=40, got [3]"),
        (lambda: attack(onset, x, y + 5, Budget(0.1)), "labels must lie in 0 … 9"),
        (lambda: attack(onset, x, y - 9, Budget(0.1)), "labels"),
        (lambda: attack(onset, x, y.float(), Budget(0.1)), "labels must be integers"),
        (lambda: attack(onset, x, y, Budget(0.1), steps=0), "steps must be at least 1"),
        (lambda: attack(onset, x[:0], y[:0], Budget(0.1)), "empty batch"),
        (lambda: attack(onset, (x * 255).byte(), y, Budget(0.1)), "divide 8-bit images"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


def test_attack_works_on_a_network_that_only_returns_spikes_and_membrane(few: Split) -> None:
    inner = SpikingMLP((784, 20, 10))

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = inner

        def forward(self, sequence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            trace = self.inner(sequence)
            return trace.spikes, trace.membrane

    model = Classifier(Plain(), encoder("onset"))
    result = attack(model, few.images, few.labels, Budget(0.1), "pgd", steps=2, generator=_generator())
    assert result.predictions.shape == (8, 40)
