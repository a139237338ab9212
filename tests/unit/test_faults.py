"""Faults: they are what they say, in every network, and gone afterwards."""

from contextlib import suppress

import pytest
import snntorch as snn
import torch
from torch import nn

from snnlab import data, encoder, zoo
from snnlab.data import Split
from snnlab.networks import unroll
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.faults import FAULTS, faulty

OF_SPIKES = ("lost", "late", "dead", "stuck", "threshold")


class Loop(nn.Module):
    """As a tutorial writes it: every step by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 20), nn.Linear(20, 10)
        self.lif1, self.lif2 = snn.Leaky(beta=0.9), snn.Synaptic(alpha=0.5, beta=0.9)

    def forward(self, sequence: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        u, (current, v), outputs = self.lif1.init_leaky(), self.lif2.init_synaptic(), []
        for step in sequence.flatten(2):
            spikes, u = self.lif1(self.fc1(step), u)
            out, current, v = self.lif2(self.fc2(spikes), current, v)
            outputs.append((out, v))
        spikes, potentials = zip(*outputs, strict=True)
        return torch.stack(spikes), torch.stack(potentials)


class Parallel(nn.Module):
    """All steps at once."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(784, 20), snn.LeakyParallel(20, 10)

    def forward(self, sequence: torch.Tensor) -> torch.Tensor:
        out: torch.Tensor = self.second(self.first(sequence.flatten(2)))
        return out


def _networks() -> dict[str, Classifier]:
    torch.manual_seed(0)
    code = encoder("onset")
    return {
        "zoo": zoo.load("onset"),
        "loop": Classifier(Loop(), code),
        "parallel": Classifier(Parallel(), code),
        "tssl": zoo.load("tsslbp-onset"),
    }


NETWORKS = _networks()


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_network_is_afterwards_what_it_was_even_after_an_exception(name: str, fault: str, few: Split) -> None:
    model = NETWORKS[name]
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    before = model.read(few.images)
    with suppress(RuntimeError), faulty(model, fault, 0.7, _generator()):
        model.predict(few.images)
        raise RuntimeError
    assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())
    assert all(torch.equal(a, b) for a, b in zip(before, model.read(few.images), strict=True))
    with faulty(model, fault, 0.0):
        assert torch.equal(before[0], model.read(few.images)[0])


@pytest.mark.parametrize("fault", sorted(set(FAULTS) - {"fewer_bits"}))
def test_the_same_generator_is_the_same_fault_and_another_is_another(fault: str, few: Split) -> None:
    model = NETWORKS["zoo"]

    def logits(seed: int) -> torch.Tensor:
        with faulty(model, fault, 0.3, _generator(seed)):
            return model.read(few.images)[1]

    assert torch.equal(logits(1), logits(1))
    assert not torch.equal(logits(1), logits(2))


@pytest.mark.parametrize("name", NETWORKS)
def test_what_is_lost_or_dead_does_not_fire_and_what_is_stuck_fires_at_every_step(name: str, few: Split) -> None:
    model = NETWORKS[name]
    with faulty(model, "lost", 1.0):
        assert (model.predict(few.images) == -1).all()
    if name == "zoo":
        for fault, value in (("dead", 0.0), ("stuck", 1.0)):
            with faulty(model, fault, 1.0):
                (_, hidden), _, _ = model.trace(few.images)
            assert (hidden == value).all()


def test_a_share_of_the_neurons_is_dead_and_the_same_ones_at_every_step_and_sample(few: Split) -> None:
    model = NETWORKS["zoo"]
    with faulty(model, "stuck", 0.25, _generator()):
        (_, hidden), _, _ = model.trace(few.images)
    stuck = (hidden == 1).all(0).all(0)
    assert 0.25 - 0.1 < stuck.float().mean() < 0.25 + 0.1


def test_late_spikes_come_one_step_later_and_none_is_new() -> None:
    neuron, current = snn.Leaky(beta=0.9), torch.rand(6, 3, 4, generator=_generator()) * 2
    chain = nn.ModuleList([neuron])
    on_time, _ = unroll(neuron, current)
    with faulty(chain, "late", 1.0):
        late, _ = unroll(neuron, current)
    assert torch.equal(late[1:], on_time[:-1])
    assert not late[0].any()
    with faulty(chain, "late", 0.5, _generator()):
        some, _ = unroll(neuron, current)
    assert some.sum() <= on_time.sum()


def test_nothing_waits_from_one_batch_to_the_next(few: Split) -> None:
    model = NETWORKS["loop"]
    with faulty(model.network, "late", 1.0):
        first, again = model.read(few.images), model.read(few.images[:7])
    assert torch.equal(first[0][:, :7], again[0])


@pytest.mark.parametrize("reset", ["subtract", "zero", "none"])
def test_a_divided_current_is_a_multiplied_threshold(reset: str) -> None:
    current = torch.rand(20, 1, 5, generator=_generator(1))
    neuron = snn.Leaky(beta=0.9, threshold=1.0, reset_mechanism=reset)
    with faulty(nn.ModuleList([neuron]), "threshold", 0.5, _generator(3)):
        mismatched, _ = unroll(neuron, current)
    factor = (1 + 0.5 * torch.randn(5, generator=_generator(3))).clamp(min=0.05)
    multiplied, _ = unroll(snn.Leaky(beta=0.9, threshold=factor, reset_mechanism=reset), current)
    assert (mismatched != multiplied).float().mean() < 0.02  # rounding at the threshold
    assert not torch.equal(mismatched, unroll(neuron, current)[0])


def test_bits_of_weights_are_those_of_two_s_complement() -> None:
    layer = nn.Linear(3, 1, bias=False)
    layer.weight.data = torch.tensor([[127.0, 1.0, -127.0]]) / 4
    with faulty(layer, "flipped_bits", 1.0):
        assert torch.equal(layer.weight * 4, torch.tensor([[-128.0, -2.0, 126.0]]))
    torch.manual_seed(0)
    wide = nn.Linear(500, 4)
    for severity, bits in ((3 / 7, 5), (6 / 7, 2), (1.0, 1)):
        with faulty(wide, "fewer_bits", severity):
            assert max(len(row.unique()) for row in wide.weight) <= 2**bits
    error = []
    for severity in (1 / 7, 3 / 7, 5 / 7):
        before = wide.weight.detach().clone()
        with faulty(wide, "fewer_bits", severity):
            error.append((wide.weight.detach() - before).abs().mean())
    assert error == sorted(error)


def test_more_of_a_fault_costs_accuracy() -> None:
    model, digits = zoo.load("onset"), data.load("mnist5k").test[:200]
    for fault in set(FAULTS) - {"late"}:  # all spikes a step later are the same spikes
        right = []
        for severity in (0.0, 0.5, 1.0):
            with faulty(model, fault, severity, _generator()):
                right.append(int((model.predict(digits.images)[-1] == digits.labels).sum()))
        assert right[0] > right[2], fault
        assert right[0] >= right[1] - 2, fault


@pytest.mark.parametrize(
    ("fault", "severity", "words"),
    [("rust", 0.1, "choose one of lost, late"), ("lost", 1.1, "got 1.1"), ("lost", -0.1, "got -0.1")],
)
def test_strange_faults_are_named(fault: str, severity: float, words: str) -> None:
    with pytest.raises(ValueError, match=words), faulty(SpikingMLP((4, 2)), fault, severity):
        pass
    with pytest.raises(ValueError, match="the network has none"), faulty(nn.Linear(2, 2), "dead", 0.5):
        pass
