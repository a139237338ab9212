"""Energy: operations counted by hand, per sample and exit."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest
import torch
from torch import Tensor, nn

from snnlab import zoo
from snnlab.data import Split
from snnlab.encoding import Encoder, encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import Block, ConvNet
from snnlab.networks.energy import LEFT_OUT, energy
from snnlab.training.tssl_bp import TsslMLP

# two pixels: x = (1, .5); T = 4: onset fires (0111, 0001)
IMAGE = torch.tensor([[[[1.0, 0.5]]]])


def _network(code: str, weight: float = 0.5) -> Classifier:
    """2 (per part) → 3 → 2 neurons, β = 0: a hidden neuron fires where its input of this step exceeds 1."""
    code_ = encoder(code, num_steps=4)
    network = SpikingMLP((2 * code_.channel_factor, 3, 2), beta=0.0)
    network.layers[0].weight.data.fill_(weight)
    network.layers[0].bias.data.zero_()
    return Classifier(network, code_)


def test_an_ann_costs_its_weights() -> None:
    """784·256 + 256·10 = 203,264 MACs, 4.6 pJ each: 935 nJ, whatever the image."""
    found = energy(zoo.load("ann"), torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0)))
    assert found.macs.tolist() == [[203264.0] * 3]
    assert torch.allclose(found.picojoules, torch.tensor(935_014.4))


def test_onset_by_hand() -> None:
    """Spikes at t = 0 … 3: 0, 1, 1, 2. Each reaches 3 neurons. With weight 0.6, two spikes together fire all 3 hidden
    neurons (1.2 > 1), and each of them reaches 2: at t = 3, 6 more.
    """
    found = energy(_network("onset", 0.6), IMAGE)
    assert found.synops.flatten().tolist() == [0, 3, 6, 12 + 6]
    assert found.macs.sum() == 0
    assert torch.allclose(found.picojoules.flatten(), torch.tensor([0, 2.7, 5.4, 16.2]))


def test_constant_analog_input_is_multiplied_once_whatever_the_exit() -> None:
    """2·3 MACs. The current is 1.5 · 2 = 3, and 3 - 1 after a reset: three hidden neurons fire at every step."""
    found = energy(_network("direct", 2.0), IMAGE)
    assert found.macs.flatten().tolist() == [6] * 4
    assert found.synops.flatten().tolist() == [6, 12, 18, 24]


def test_each_part_of_a_fusion_is_counted_in_its_own_way() -> None:
    """Latency fires pixel 1 at t = 0 and pixel .5 at t = 2; direct costs 6 MACs once; weight 0 leaves the rest silent."""
    found = energy(_network("fusion(latency, direct)", 0.0), IMAGE)
    assert found.macs.flatten().tolist() == [6] * 4
    assert found.synops.flatten().tolist() == [3, 3, 6, 6]
    nested = energy(_network("fusion(fusion(latency, direct), onset)", 0.0), IMAGE)
    assert nested.macs.flatten().tolist() == [6] * 4
    assert nested.synops.flatten().tolist() == [3, 3 + 3, 6 + 6, 6 + 12]


def test_a_weighted_spike_of_phase_is_one_synaptic_operation() -> None:
    """15 = 1111 and 8 = 1000 of 16 levels: 2, 1, 1, 1 spikes of weight 1/2, 1/4, 1/8, 1/16."""
    found = energy(_network("phase", 0.0), IMAGE)
    assert found.synops.flatten().tolist() == [6, 9, 12, 15]
    assert found.macs.sum() == 0


def test_a_gated_spike_is_one_synaptic_operation_and_a_silenced_part_is_free() -> None:
    """Latency fires at t = 0 and t = 2, onset 0, 1, 1, 2 times; each spike reaches 3."""
    gated = energy(_network("fusion(0.25*latency, 0.5*onset)", 0.0), IMAGE)
    assert gated.synops.flatten().tolist() == [3, 3 + 3, 6 + 6, 6 + 12]
    assert gated.macs.sum() == 0
    assert energy(_network("fusion(latency, 0*direct)", 0.0), IMAGE).picojoules.flatten().tolist() == pytest.approx(
        [2.7, 2.7, 5.4, 5.4]
    )
    assert energy(_network("fusion(0*latency, direct)", 0.0), IMAGE).synops.sum() == 0


def test_a_synaptic_filter_costs_nothing_more() -> None:
    """Weight 0 leaves the hidden layer silent, so that only what the code sends is counted."""
    for code in ("direct", "latency"):
        plain = _network(code, 0.0)
        filtered = Classifier(TsslMLP((2, 3, 2)), plain.encoder)
        filtered.network.load_state_dict(plain.network.state_dict())
        assert torch.equal(energy(filtered, IMAGE).picojoules, energy(plain, IMAGE).picojoules)


@dataclass(frozen=True)
class Fading(Encoder):
    """An analog code that changes over time: ``s_t = x / (t + 1)``."""

    name: ClassVar[str] = "fading"

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return images / (1 + torch.arange(self.num_steps).view(-1, 1, 1, 1, 1))

    def _derivative(self, images: Tensor) -> Tensor:
        return (1 / (1 + torch.arange(self.num_steps).view(-1, 1, 1, 1, 1))).expand(self.num_steps, *images.shape)


def test_analog_input_that_changes_is_multiplied_at_every_step() -> None:
    model = Classifier(_network("direct", 0.0).network, Fading(4))
    found = energy(model, IMAGE)
    assert found.macs.flatten().tolist() == [6, 12, 18, 24]
    assert found.synops.sum() == 0


def test_energy_never_falls_with_the_exit_step(few: Split) -> None:
    for name in ("direct", "onset", "latency", "fusion"):
        found = energy(zoo.load(name), few.images)
        assert found.picojoules.shape == (8, 40)
        assert (found.picojoules.diff(dim=0) >= 0).all()


def test_a_dynamic_exit_pays_each_sample_up_to_its_own_exit(few: Split) -> None:
    found = energy(zoo.load("onset"), few.images)
    exits = torch.arange(40) % 8 + 1
    expected = torch.stack([found.picojoules[e - 1, n] for n, e in enumerate(exits.tolist())])
    assert torch.equal(found.at(exits), expected)
    assert torch.equal(found.at(8), found.picojoules[-1])


def test_what_is_left_out_is_said(few: Split) -> None:
    found = energy(zoo.load("latency"), few.images)
    assert found.left_out == LEFT_OUT
    assert "memory access" in str(found)
    assert "nJ per sample at exit 8" in str(found)


def test_bad_input_says_what_is_valid(few: Split) -> None:
    found = energy(zoo.load("onset"), few.images)
    plain = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    cases = [
        (lambda: energy(Classifier(plain), few.images), "got Sequential with no encoder"),
        (lambda: energy(Classifier(MLP(), encoder("onset")), few.images), "got MLP with onset"),
        (lambda: energy(zoo.load("ann"), few.images * 2), "images must lie in [0, 1]"),
        (lambda: found.at(0), "from 1 to 8"),
        (lambda: found.at(9), "from 1 to 8"),
        (lambda: found.at(torch.ones(3, dtype=torch.long)), "for each of 40 samples"),
        (lambda: found.at(torch.ones(40)), "for each of 40 samples"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


def test_without_products_of_zero_an_ann_is_charged_for_lit_pixels_and_active_units() -> None:
    """X = (1, 0.5, 0): 2 of 3 pixels are lit, each reaches 4 units; with weights of 1 all units are active, with -1 none."""
    network, x = MLP((3, 4, 2)), torch.tensor([[[[1.0, 0.5, 0.0]]]])
    for weight, active in ((1.0, 4), (-1.0, 0)):
        network.layers[0].weight.data.fill_(weight)
        network.layers[0].bias.data.zero_()
        assert energy(Classifier(network), x).macs.tolist() == [[20.0]]
        assert energy(Classifier(network), x, skip_zeros=True).macs.tolist() == [[2.0 * 4 + active * 2]]


def test_a_convolution_without_zeros_has_nothing_to_skip() -> None:
    """With weights of 1 every unit of a lit image is active."""
    network = ConvNet((Block(2), Block(3))).eval()
    for parameter in network.parameters():
        parameter.data.fill_(1.0)
    model, x = Classifier(network), torch.full((1, 3, 8, 8), 0.5)
    assert torch.equal(energy(model, x).macs, energy(model, x, skip_zeros=True).macs)
    assert bool((energy(model, 0 * x, skip_zeros=True).macs < energy(model, 0 * x).macs).all())


@pytest.mark.parametrize("name", ["direct", "latency", "fusion"])
def test_analog_input_may_skip_its_zeros_and_spikes_are_counted_as_before(name: str, few: Split) -> None:
    model = zoo.load(name)
    every, nonzero = (energy(model, few.images, skip_zeros=skip) for skip in (False, True))
    assert torch.equal(every.synops, nonzero.synops)
    lit = (few.images != 0).flatten(1).sum(1).float()
    assert torch.equal(nonzero.macs[-1], 256 * lit if name != "latency" else 0 * lit)


def test_every_mac_and_every_synop_reads_one_weight() -> None:
    spent = energy(_network("fusion(latency, direct)", 0.0), IMAGE)
    assert torch.equal(spent.with_reads(0.0), spent.picojoules)
    assert torch.allclose(spent.with_reads(50.0) - spent.picojoules, 50.0 * (spent.macs + spent.synops))
