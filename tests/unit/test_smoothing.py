"""Certificates of votes: exact on tiny distributions, and never beyond what draws show."""

from itertools import product
from math import comb

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.encoding import encoder
from snnlab.evaluation.smoothing import certify_vote, lower_confidence, total_variation_bound
from snnlab.networks.classifier import Classifier, SpikingMLP


def total_variation(x: Tensor, y: Tensor, num_steps: int) -> float:
    """Enumerate all trains of two images with few pixels."""
    tv = 0.0
    for train in product((0.0, 1.0), repeat=len(x) * num_steps):
        spikes = torch.tensor(train).view(num_steps, len(x)).double()
        p, q = ((spikes * image + (1 - spikes) * (1 - image)).prod() for image in (x, y))
        tv += float((p - q).abs()) / 2
    return tv


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=2), st.integers(1, 3))
def test_the_bound_of_the_total_variation_holds_and_is_smaller_than_the_l1_bound(
    pixels: list[tuple[float, float]], num_steps: int
) -> None:
    x, y = (torch.tensor(values, dtype=torch.double) for values in zip(*pixels, strict=True))
    bound = float(total_variation_bound((x - y).unsqueeze(0), num_steps))
    assert total_variation(x, y, num_steps) <= bound + 1e-9
    assert bound <= num_steps * float((x - y).abs().sum()) + 1e-9


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 3))
def test_the_bound_is_exact_for_black_pixels(first: float, second: float, num_steps: int) -> None:
    x, y = torch.zeros(2).double(), torch.tensor([first, second]).double()
    bound = float(total_variation_bound(y.unsqueeze(0), num_steps))
    assert total_variation(x, y, num_steps) == pytest.approx(bound, abs=1e-9)


@given(st.integers(1, 30), st.integers(0, 30), st.floats(0.001, 0.2))
def test_the_lower_bound_of_a_probability_has_its_level_exactly(draws: int, hits: int, alpha: float) -> None:
    hits = min(hits, draws)
    low = float(lower_confidence(torch.tensor([hits]), draws, alpha))
    if hits == 0:
        assert low == 0
    else:  # with this probability, so many hits or more are seen with probability alpha
        seen = sum(comb(draws, k) * low**k * (1 - low) ** (draws - k) for k in range(hits, draws + 1))
        assert seen == pytest.approx(alpha, rel=1e-6)


def tiny(code: str, num_steps: int) -> Classifier:
    """Answer class 1 if the one pixel fired at any step, else class 0."""
    network = SpikingMLP((1, 1, 2), beta=1.0, reset="none")
    with torch.no_grad():
        for layer, weight, bias in zip(network.layers, ([[2.0]], [[-2.0], [2.0]]), ([0.0], [1.5, -0.5]), strict=True):
            assert isinstance(layer, nn.Linear)
            layer.weight.copy_(torch.tensor(weight))
            layer.bias.copy_(torch.tensor(bias))
    return Classifier(network, encoder(code, num_steps=num_steps), "membrane")


def test_no_image_inside_the_radius_changes_the_vote_of_an_enumerated_network() -> None:
    classifier, label = tiny("poisson", 1), torch.tensor([0])
    generator = torch.Generator().manual_seed(0)
    vote = certify_vote(classifier, torch.full((1, 1, 1, 1), 0.1), label, draws=2000, generator=generator)
    assert bool(vote.right)
    assert 0.85 < float(vote.probability) < 0.9  # of 0.9
    # Class 0 is answered with probability 1 - x, so the vote turns at x = 0.5.
    assert 0.35 < float(vote.radius) < 0.4
    assert float(vote.radius) == pytest.approx(float(vote.linf))
    assert bool(vote.proved(0.3))
    assert not bool(vote.proved(0.41))


def test_gaussian_noise_has_the_radius_of_cohen_and_more_steps_tell_the_image_better() -> None:
    digits = data.load("mnist5k").test[:4]
    network = zoo.load("ann").network
    assert isinstance(network, nn.Module)

    class Repeated(nn.Module):
        def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
            logits = torch.stack([network(step) for step in sequence])
            return torch.zeros_like(logits), logits

    for steps in (1, 2):
        noisy = Classifier(Repeated(), encoder("gaussian(0.25)", num_steps=steps), "membrane")
        generator = torch.Generator().manual_seed(0)
        vote = certify_vote(noisy, digits.images, digits.labels, draws=200, selection=20, generator=generator)
        cohen = 0.25 * norm.ppf(vote.probability.numpy()) / steps**0.5
        assert vote.radius.tolist() == pytest.approx([max(0.0, r) for r in cohen])
        assert vote.linf.tolist() == pytest.approx([r / 28 for r in vote.radius.tolist()])


def test_other_codes_norms_and_numbers_are_errors() -> None:
    generator, image, label = torch.Generator(), torch.zeros(1, 1, 1, 1), torch.tensor([0])
    with pytest.raises(ValueError, match="expected poisson or gaussian"):
        certify_vote(tiny("onset", 2), image, label, generator=generator)
    with pytest.raises(ValueError, match="0 < alpha < 1"):
        certify_vote(tiny("poisson", 1), image, label, alpha=0, generator=generator)
    with pytest.raises(ValueError, match="choose Linf or L1"):
        certify_vote(tiny("poisson", 1), image, label, draws=9, generator=generator).proved(0.1, "L2")
