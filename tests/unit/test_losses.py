"""Losses: worked by hand, and each one teaches a network to answer."""

import math
import re
from functools import partial
from itertools import product
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab import zoo
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.sequence import lif
from snnlab.networks.surrogate import Surrogate
from snnlab.training.bptt import Recipe, accuracy, train
from snnlab.training.losses import LOSSES, anytime, count, first_spike_step, latency, loss, membrane

# T = 3, one sample, two classes: class 1 fires at t = 0, class 0 at t = 1 and t = 2
SPIKES = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]).unsqueeze(1)
MEMBRANE = torch.tensor([[0.2, 1.1], [1.3, 0.1], [1.2, 0.4]]).unsqueeze(1)
IMAGE, LABEL = torch.zeros(1, 1, 1, 1), torch.tensor([1])


class Fixed(nn.Module):
    """A network that always answers with the same read-out."""

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        return SPIKES[: len(sequence)], MEMBRANE[: len(sequence)]


def _classifier(decoder: str = "rate", exit_step: int | None = None) -> Classifier:
    return Classifier(Fixed(), encoder("direct", num_steps=3), decoder, exit_step=exit_step)


def _ce(other: float, right: float) -> float:
    return math.log(1 + math.exp(other - right))


@pytest.mark.parametrize(
    ("name", "exit_step", "expected"),
    [
        ("count", 3, _ce(2, 1)),
        ("count", 1, _ce(0, 1)),
        ("membrane", 3, _ce(2.7, 1.6)),
        ("membrane", 2, _ce(1.5, 1.2)),
        ("anytime", 3, (_ce(0, 1) + _ce(1, 1) + _ce(2, 1)) / 3),
        ("anytime(1, 3)", 3, (_ce(0, 1) + _ce(2, 1)) / 2),
        ("anytime", 2, (_ce(0, 1) + _ce(1, 1)) / 2),
        ("latency", 3, _ce(-1, 0)),  # first spikes at steps 1 and 0
        ("latency(2)", 3, _ce(-2, 0)),
        ("latency", 1, _ce(-1, 0)),  # class 0 has not fired after one step: t = 1
    ],
)
def test_losses_by_hand(name: str, exit_step: int, expected: float) -> None:
    found = loss(name)(_classifier(exit_step=exit_step), IMAGE, LABEL)
    assert found.item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("decoder", ["rate", "membrane", "ttfs"])
@pytest.mark.parametrize("exit_step", [3, 8])
def test_anytime_with_one_exit_is_the_plain_loss_and_its_gradient(decoder: str, exit_step: int, few: Split) -> None:
    stored = zoo.load("onset")
    found = []
    for one in (partial(anytime, exits=(exit_step,)), count):
        model = Classifier(stored.network, stored.encoder, decoder, exit_step=exit_step)
        value = one(model, few.images, few.labels)
        found.append((value, torch.autograd.grad(value, model.network.layers[0].weight)[0]))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.allclose(found[0][1], found[1][1], atol=1e-7)


def test_count_is_the_cross_entropy_of_the_classifier_s_logits(few: Split) -> None:
    for name in ("ann", "onset", "direct"):
        model = zoo.load(name)
        assert torch.equal(count(model, few.images, few.labels), F.cross_entropy(model(few.images), few.labels))


def test_losses_of_an_ann_are_all_its_cross_entropy(few: Split) -> None:
    ann = zoo.load("ann")
    for one in (membrane, anytime):
        assert torch.equal(one(ann, few.images, few.labels), count(ann, few.images, few.labels))


TRAINS = [torch.tensor(bits, dtype=torch.float64) for bits in product([0.0, 1.0], repeat=4)]


@pytest.mark.parametrize("train_", TRAINS, ids=lambda s: "".join(str(int(v)) for v in s))
def test_first_spike_and_its_gradient_are_exact_on_every_train_of_four_steps(train_: Tensor) -> None:
    """The gradient is the difference that one spike more or less makes, found here by counting."""

    def first(bits: list[float]) -> int:
        return bits.index(1.0) if 1.0 in bits else len(bits)

    spikes = train_.clone().requires_grad_()
    step = first_spike_step(spikes)
    assert step.item() == first(train_.tolist())
    (gradient,) = torch.autograd.grad(step, spikes)
    for t in range(4):
        without, with_ = train_.clone(), train_.clone()
        without[t], with_[t] = 0.0, 1.0
        assert gradient[t].item() == first(with_.tolist()) - first(without.tolist())
    assert torch.autograd.gradcheck(first_spike_step, (torch.rand(4, 3, dtype=torch.float64, requires_grad=True),))


def test_latency_gradient_by_hand_through_the_neuron() -> None:
    """β = 0, θ = 1, I = (.5, 2, 0): U = (.5, 2 spike, -1). The triangle h(v) = 1 - |v| at v = (-.5, 1, -2) is (.5, 0, 0).

    dt/ds = (-(1 - 0), -(3 - 1), 0): a spike at 0 gains one step, losing that at 1 costs two. dt/dI = (-.5, 0, 0).
    """
    current = torch.tensor([0.5, 2.0, 0.0]).view(3, 1).requires_grad_()
    spikes, _ = lif(current, beta=0.0, surrogate=Surrogate("triangular", 1.0))
    assert spikes.flatten().tolist() == [0, 1, 0]
    (gradient,) = torch.autograd.grad(first_spike_step(spikes).sum(), current)
    assert gradient.flatten().tolist() == [-0.5, 0, 0]


def test_a_silent_neuron_is_pulled_most_at_its_earliest_step() -> None:
    current = torch.full((4, 1), 0.1).requires_grad_()
    spikes, _ = lif(current, beta=0.0)
    (gradient,) = torch.autograd.grad(first_spike_step(spikes).sum(), current)
    assert (gradient < 0).all()
    assert (gradient.flatten().diff() > 0).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("count", "direct"),
        ("membrane", "onset"),
        ("anytime", "onset"),
        ("anytime(4, 8)", "direct"),
        ("latency", "direct"),
        ("latency", "onset"),
    ],
)
def test_every_loss_teaches_a_network_to_answer(name: str, code: str, mnist: Dataset) -> None:
    decoder = {"membrane": "membrane", "latency": "ttfs"}.get(name, "rate")
    model = Classifier(SpikingMLP((784, 48, 10)), encoder(code), decoder)
    history = train(model, mnist.train[:2000], Recipe(epochs=3, loss=name), progress=False)
    assert history.loss[-1] < history.loss[0]
    assert accuracy(model, mnist.validation) > 0.7


def test_anytime_training_answers_sooner_than_training_for_the_last_exit(mnist: Dataset) -> None:
    found = {}
    for name in ("count", "anytime"):
        model = Classifier(SpikingMLP((784, 48, 10)), encoder("direct"))
        train(model, mnist.train[:1500], Recipe(epochs=2, loss=name), progress=False)
        found[name] = accuracy(model.at(exit_step=1), mnist.validation)
    assert found["anytime"] > found["count"] + 0.05


def test_a_checkpoint_of_another_loss_is_refused(mnist: Dataset, tmp_path: Path) -> None:
    data, checkpoint = mnist.train[:100], tmp_path / "run.checkpoint"

    def run(name: str) -> None:
        model = Classifier(SpikingMLP((784, 8, 10)), encoder("onset"))
        train(model, data, Recipe(epochs=1, loss=name), checkpoint=checkpoint, progress=False)

    run("count")
    run("count")
    with pytest.raises(ValueError, match="remove it to start anew"):
        run("anytime")


def test_a_warm_start_keeps_the_weights_and_its_checkpoint_knows_them(mnist: Dataset, tmp_path: Path) -> None:
    model, checkpoint = zoo.load("onset"), tmp_path / "run.checkpoint"
    before = accuracy(model, mnist.validation)
    recipe = Recipe(epochs=1, learning_rate=1e-6, loss="latency")
    train(model, mnist.train[:100], recipe, warm_start=True, checkpoint=checkpoint, progress=False)
    assert accuracy(model, mnist.validation) == pytest.approx(before, abs=0.01)
    with pytest.raises(ValueError, match="remove it to start anew"):  # other weights to start from
        train(model, mnist.train[:100], recipe, warm_start=True, checkpoint=checkpoint, progress=False)
    again = zoo.load("onset")
    train(again, mnist.train[:100], recipe, warm_start=True, checkpoint=checkpoint, progress=False)
    for a, b in zip(model.network.parameters(), again.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_bad_input_says_what_is_valid(few: Split) -> None:
    cases = [
        (lambda: loss("hinge"), "choose one of count, membrane, anytime, latency"),
        (lambda: loss("count(3)"), "takes no numbers"),
        (lambda: loss("anytime(0)"), "integers from 1 on"),
        (lambda: loss("anytime(2.5)"), "integers from 1 on"),
        (lambda: loss("latency(1, 2)"), "takes one number"),
        (lambda: loss("latency(-1)"), "positive β"),
        (lambda: loss("latency(fast)"), "cannot make loss"),
        (lambda: Recipe(loss="hinge"), "unknown loss 'hinge'"),
        (lambda: anytime(zoo.load("onset"), few.images, few.labels, (9,)), "from 1 to num_steps=8, got 9"),
        (lambda: latency(Classifier(MLP()), few.images, few.labels), "an ANN has no spikes"),
        (lambda: first_spike_step(torch.zeros(0, 3)), "T ≥ 1"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()
    assert [loss(n).__name__ for n in LOSSES] == list(LOSSES)
