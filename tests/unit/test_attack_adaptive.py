"""Adaptive attacks: never more than brute force finds, nearly as much, and nothing left behind."""

import itertools
import re
from math import pi, tan

import pytest
import torch
from torch import Tensor, nn

from snnlab import zoo
from snnlab.attacks import LOSSES, AdaptiveSharpness, Budget, attack, has_trains, sa_pgd_attack
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.training.bptt import initialise


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _tiny(code: str, seed: int) -> tuple[Classifier, Tensor, Tensor]:
    """Five pixels, four steps, two classes: small enough to enumerate, strong enough weights to spike."""
    network = SpikingMLP((5 * encoder(code).channel_factor, 6, 2))
    initialise(network, seed)
    for layer in network.layers:
        layer.weight.data *= 4
    model = Classifier(network, encoder(code, num_steps=4))
    images = torch.rand(6, 1, 1, 5, generator=_generator(seed))
    return model, images, model.predict(images)[-1].clamp(min=0)


def _brute_force(model: Classifier, images: Tensor, labels: Tensor, eps: float) -> Tensor:
    """Whether any spike pattern inside the budget is misread, per image: all combinations of distinct values."""
    assert model.encoder is not None
    found = []
    for image, label in zip(images, labels, strict=True):
        options = []
        for pixel in image.flatten().tolist():
            values = torch.cat([model.encoder.levels(), torch.tensor([pixel])])
            values = values[(values >= max(pixel - eps, 0)) & (values <= min(pixel + eps, 1))]
            trains = {tuple(model.encoder(v.view(1, 1, 1, 1)).flatten().tolist()): float(v) for v in values}
            options.append(list(trains.values()))
        every = torch.tensor(list(itertools.product(*options))).view(-1, 1, 1, 5)
        found.append(bool((model.predict(every)[model.exit_step - 1] != label).any()))
    return torch.tensor(found)


@pytest.mark.slow
@pytest.mark.parametrize("code", ["onset", "offset", "latency", "phase", "fusion(onset, latency)"])
@pytest.mark.parametrize("seed", range(4))
def test_no_attack_claims_more_than_brute_force_and_together_they_find_all(code: str, seed: int) -> None:
    eps = 0.1 if code == "phase" else 0.3
    model, images, labels = _tiny(code, seed)
    possible = _brute_force(model, images, labels, eps)
    budget = Budget(eps)
    results = [
        attack(model, images, labels, budget, "pgd", steps=20, generator=_generator()),
        sa_pgd_attack(model, images, labels, budget, steps=20, restarts=3, generator=_generator()),
        attack(model, images, labels, budget, "lattice", steps=20_000, generator=_generator()),
    ]
    for result in results:
        assert not (result.success & ~possible).any()
    found = torch.stack([r.success for r in results]).any(0)
    assert torch.equal(found, possible)


@pytest.mark.parametrize("loss", list(LOSSES))
def test_sa_pgd_reaches_the_closed_form_on_a_linear_model(loss: str) -> None:
    weights = torch.linspace(-1, 1, 16)
    linear = nn.Linear(16, 3, bias=False)
    linear.weight.data = torch.stack([torch.zeros(16), weights, -5 * torch.ones(16)])
    model = Classifier(nn.Sequential(nn.Flatten(), linear))
    images, labels = torch.full((2, 1, 4, 4), 0.5), torch.tensor([1, 0])
    result = sa_pgd_attack(model, images, labels, Budget(0.2), loss=loss, steps=30, generator=_generator())
    # each class scores its best against the other two; where the margin is already lost any iterate may be kept
    direction = torch.where(labels == 1, -1.0, 1.0).view(-1, 1, 1, 1)
    best = images + 0.2 * direction * weights.sign().view(1, 1, 4, 4)
    assert (result.success == (model(best).argmax(1) != labels)).all()


@pytest.mark.parametrize("name", ["ann", "direct", "poisson", "onset", "fusion"])
def test_budget_is_never_exceeded_and_the_network_is_untouched(name: str, few: Split) -> None:
    model = zoo.load(name)
    before = {k: v.clone() for k, v in model.network.state_dict().items()}
    surrogate = getattr(model.network, "surrogate", None)
    x, y = few.images[:10], few.labels[:10]
    for result in (
        sa_pgd_attack(model, x, y, Budget(0.1), steps=4, generator=_generator()),
        *(
            [attack(model, x, y, Budget(0.1), "lattice", steps=4, generator=_generator())]
            if has_trains(model.encoder)
            else []
        ),
    ):
        assert (result.images - x).abs().max() <= 0.1 + 1e-6
        assert 0 <= result.images.min() <= result.images.max() <= 1
    assert getattr(model.network, "surrogate", None) is surrogate
    assert all(torch.equal(before[k], v) for k, v in model.network.state_dict().items())


def test_more_restarts_never_raise_accuracy(mnist: Dataset) -> None:
    split, model = mnist.validation[:60], zoo.load("latency")
    found = [
        sa_pgd_attack(model, split.images, split.labels, Budget(0.2), steps=8, restarts=r, generator=_generator()).success
        for r in (1, 3)
    ]
    assert not (found[0] & ~found[1]).any()


def test_adaptive_attack_beats_pgd_of_the_same_length(mnist: Dataset) -> None:
    """On latency, where the gradient is poorest; measured on validation digits."""
    split, model, budget = mnist.validation[:150], zoo.load("latency"), Budget(0.2)
    plain = attack(model, split.images, split.labels, budget, "pgd", steps=30, generator=_generator())
    adaptive = sa_pgd_attack(model, split.images, split.labels, budget, steps=30, generator=_generator())
    assert adaptive.success.float().mean() > plain.success.float().mean() + 0.03


def test_margin_and_dlr_by_hand() -> None:
    logits, labels = torch.tensor([[5.0, 3.0, 1.0], [2.0, 2.0, 0.0]]), torch.tensor([0, 1])
    assert LOSSES["margin"](logits, labels).tolist() == [-2, 0]
    assert LOSSES["dlr"](logits, labels).tolist() == pytest.approx([-0.5, 0], abs=1e-5)
    assert torch.isfinite(LOSSES["dlr"](torch.zeros(1, 10), torch.tensor([3]))).all()


def test_sharpness_follows_the_equation_over_two_iterations() -> None:
    surrogate = AdaptiveSharpness()
    v = torch.tensor([0.5, -0.1])
    surrogate.begin()
    surrogate.derivative(v)
    surrogate.begin()
    found = surrogate.derivative(2 * v)
    d = v.abs()
    mean = 0.9 * d + 0.1 * 2 * d
    deviation = 0.1 * (2 * d - mean).abs()
    alpha = (2 / pi) * tan(0.425 * pi) / (mean + 1.5 * deviation + 1e-4)
    expected = (alpha / 2) / (1 + (pi / 2 * alpha * 2 * v) ** 2)
    assert torch.allclose(found, expected)


def test_bad_requests_say_what_is_valid(few: Split) -> None:
    x, y, model = few.images, few.labels, Classifier(MLP())
    cases = [
        (lambda: sa_pgd_attack(model, x, y, Budget(0.1), loss="hinge"), "choose one of cross_entropy, margin, dlr"),
        (lambda: sa_pgd_attack(model, x, y, Budget(0.1), steps=0), "at least 1"),
        (lambda: attack(model, x, y, Budget(0.1), "lattice"), "needs a code with spike trains"),
        (lambda: attack(zoo.load("onset"), x, y, Budget(0.1), "lattice", steps=0), "at least 1"),
        (lambda: AdaptiveSharpness(a=0.7), "between 0 and 1/2"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


def test_sharpness_refuses_another_batch() -> None:
    surrogate = AdaptiveSharpness()
    surrogate.derivative(torch.zeros(3))
    surrogate.begin()
    with pytest.raises(ValueError, match="make a new one"):
        surrogate.derivative(torch.zeros(4))
