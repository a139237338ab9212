"""Conversion: the rescaled ANN gives the same answers, and so, in the end, do its spikes."""

import re

import pytest
import torch

from analysis.training import output_spikes
from snnlab import zoo
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.training.bptt import accuracy
from snnlab.training.conversion import activation_scales, convert, rescale


@pytest.fixture(scope="module")
def ann() -> MLP:
    network = zoo.load("ann").network
    assert isinstance(network, MLP)
    return network


def _activations(network: MLP, images: torch.Tensor) -> list[torch.Tensor]:
    activity, found = images.flatten(1), []
    for layer in network.layers:
        activity = torch.relu(layer(activity))
        found.append(activity)
    return found


@pytest.mark.parametrize("decoder", ["rate", "membrane"])
@pytest.mark.parametrize("percentile", [99.9, 100])
def test_accuracy_converges_to_the_ann_s(decoder: str, percentile: float, ann: MLP, mnist: Dataset) -> None:
    whole = accuracy(Classifier(ann), mnist.validation)
    found = []
    for num_steps in (2, 8, 64):
        code = encoder("direct", num_steps=num_steps)
        model = convert(ann, mnist.train.images, percentile=percentile, code=code, decoder=decoder)
        found.append(accuracy(model, mnist.validation))
    assert found[0] < found[2]
    assert abs(found[2] - whole) <= 0.01


def test_rates_converge_to_the_rescaled_activations(ann: MLP, mnist: Dataset) -> None:
    """Max-norm, direct input: the first layer's rate is its activation, to one spike in T and the strict threshold."""
    images, num_steps = mnist.train[:100].images, 256
    model = convert(ann, mnist.train.images, percentile=100, code=encoder("direct", num_steps=num_steps))
    (_, hidden), _, _ = model.trace(images)
    expected = _activations(rescale(ann, activation_scales(ann, mnist.train.images, 100)), images)[0]
    assert (hidden.mean(0) - expected).abs().max() <= 1.01 / num_steps


@pytest.mark.parametrize("percentile", [50, 99, 100])
def test_normalisation_leaves_every_answer_unchanged(percentile: float, ann: MLP, mnist: Dataset) -> None:
    scales = activation_scales(ann, mnist.train.images, percentile)
    before, after = ann(mnist.validation.images), rescale(ann, scales)(mnist.validation.images)
    assert torch.equal(before.argmax(-1), after.argmax(-1))
    assert torch.allclose(after * scales[-1], before, atol=1e-4)


def test_max_norm_bounds_every_activation_by_one(ann: MLP, mnist: Dataset) -> None:
    images = mnist.train.images
    for activity in _activations(rescale(ann, activation_scales(ann, images, 100)), images):
        assert activity.max().item() == pytest.approx(1, abs=1e-5)


def test_a_percentile_lets_its_share_of_the_active_neurons_saturate(ann: MLP, mnist: Dataset) -> None:
    images = mnist.train.images
    for activity in _activations(rescale(ann, activation_scales(ann, images, 90)), images):
        assert (activity[activity > 0] > 1).float().mean().item() == pytest.approx(0.1, abs=1e-3)


def test_scales_worked_by_hand() -> None:
    """Images (1, .5) and (.5, 0); W1 = (2 1; -1 1): hidden (2.5, 0), (1, 0); W2 = 3, b2 = 1: logits 8.5, 4."""
    network = MLP((2, 2, 1))
    network.layers[0].weight.data = torch.tensor([[2.0, 1.0], [-1.0, 1.0]])
    network.layers[0].bias.data.zero_()
    network.layers[1].weight.data = torch.tensor([[3.0, 0.0]])
    network.layers[1].bias.data.fill_(1.0)
    images = torch.tensor([[[[1.0, 0.5]]], [[[0.5, 0.0]]]])
    assert activation_scales(network, images, 100) == (2.5, 8.5)
    assert activation_scales(network, images, 50) == (1.0, 4.0)
    model = convert(network, images, percentile=100)
    assert torch.allclose(model.network.layers[1].weight, torch.tensor([[3 * 2.5 / 8.5, 0.0]]))
    assert torch.allclose(model.network.layers[1].bias, torch.tensor([1 / 8.5]))


def test_a_membrane_read_out_only_integrates(ann: MLP, few: Split) -> None:
    model = convert(ann, few.images, code=encoder("onset", num_steps=16), decoder="membrane")
    _, spikes, membrane = model.trace(torch.ones_like(few.images))
    assert spikes.sum() == 0
    assert membrane.max() <= 1
    assert (model.predict(few.images) >= 0).all()  # a read-out that never fires has still answered


def test_conversion_changes_nothing_of_the_ann(ann: MLP, few: Split) -> None:
    before = [p.clone() for p in ann.parameters()]
    model = convert(ann, few.images)
    assert all(torch.equal(a, b) for a, b in zip(before, ann.parameters(), strict=True))
    assert isinstance(model.network, SpikingMLP)
    assert (model.network.beta, model.network.reset, model.num_steps) == (1.0, "subtract", 64)


def test_conversion_repeats_without_touching_randomness(ann: MLP, few: Split) -> None:
    first, second = (convert(ann, few.images)(few.images) for _ in range(2))
    assert torch.equal(first, second)


def test_bad_input_says_what_is_valid(ann: MLP, few: Split) -> None:
    dead = MLP((784, 5, 10))
    dead.layers[0].bias.data.fill_(-1e6)
    cases = [
        (lambda: convert(Classifier(ann), few.images), "got Classifier; give its .network"),  # type: ignore[arg-type]
        (lambda: convert(SpikingMLP(), few.images), "got SpikingMLP"),  # type: ignore[arg-type]
        (lambda: convert(ann, few.images[:0]), "empty batch"),
        (lambda: convert(ann, few.images * 255), "images must lie in [0, 1]"),
        *[
            (lambda p=p: convert(ann, few.images, percentile=p), "percentile must lie in (0, 100]")
            for p in (0, -1, 100.1, float("nan"))
        ],
        (lambda: convert(ann, few.images, decoder="ttfs"), "choose one of rate, membrane"),
        (lambda: convert(ann, few.images, code=encoder("fusion(direct, latency)")), "2 channels of one"),
        (lambda: convert(dead, few.images), "layer 1 of 2 is never active on these 40 images"),
        (lambda: rescale(ann, (1.0,)), "expected 2 positive scales"),
        (lambda: rescale(ann, (1.0, 0.0)), "expected 2 positive scales"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


@pytest.mark.parametrize("name", ["converted-direct", "converted-onset", "converted-latency"])
def test_the_outputs_of_a_converted_network_that_is_read_by_its_membrane_never_fire(name: str, mnist: Dataset) -> None:
    assert output_spikes(name, mnist.validation) == 0
