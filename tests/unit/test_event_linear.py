"""Laws of input currents: whatever is spared, the current is ``W s + b``."""

import itertools

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import Classifier, SpikingMLP, encoder
from snnlab.attacks import INFORMED, Budget, sa_pgd_attack
from snnlab.data import Split
from snnlab.networks.contexts import freeze_weights
from snnlab.networks.event_linear import SHORTEST, synaptic_current
from snnlab.zoo.quantised import quantise


def _layer(inputs: int, outputs: int = SHORTEST, seed: int = 0) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(inputs, outputs)


def _events(*shape: int, density: float, seed: int = 0) -> Tensor:
    found = torch.rand(shape, generator=torch.Generator().manual_seed(seed))
    return (found < density).float()


def _spared(current: Tensor) -> bool:
    """Whether events were added up."""
    return type(current.grad_fn).__name__ == "_EventsBackward"


@given(
    num_steps=st.integers(1, 4),
    samples=st.integers(1, 5),
    inputs=st.integers(1, 40),
    density=st.sampled_from([0.0, 0.02, 0.1, 0.9]),
    graded=st.booleans(),
    seed=st.integers(0, 2**16),
)
@settings(deadline=None)
def test_stored_weights_give_the_bits_of_the_product(
    num_steps: int, samples: int, inputs: int, density: float, graded: bool, seed: int
) -> None:
    layer = _layer(inputs, seed=seed)
    quantise(layer)
    sequence = _events(num_steps, samples, inputs, density=density, seed=seed)
    if graded:  # as the phase code and gates are
        sequence = sequence * torch.exp2(-torch.arange(inputs).remainder(8).float())
    with torch.no_grad():
        assert torch.equal(synaptic_current(layer, sequence), F.linear(sequence, layer.weight, layer.bias))


@pytest.mark.parametrize("density", [0.0, 0.01, 0.05])
def test_current_and_gradient_are_the_product_s_to_rounding(density: float) -> None:
    layer = _layer(300)
    leaf = _events(3, 7, 300, density=density).requires_grad_(True)
    push = torch.randn(3, 7, SHORTEST, generator=torch.Generator().manual_seed(1))
    with freeze_weights(layer):
        current = synaptic_current(layer, leaf)
        expected = F.linear(leaf, layer.weight, layer.bias)
        gradients = [torch.autograd.grad(c, leaf, push)[0] for c in (current, expected)]
    assert _spared(current)
    torch.testing.assert_close(current, expected)
    torch.testing.assert_close(*gradients)


def test_a_slice_or_a_view_is_read_as_it_lies() -> None:
    layer = _layer(50)
    wide = _events(6, 4, 100, density=0.02).requires_grad_(True)
    with freeze_weights(layer):
        for sequence in (wide[1::2, :, ::2], wide[:3, ..., 50:], wide[..., :50].transpose(0, 1)):
            current = synaptic_current(layer, sequence)
            assert _spared(current)
            torch.testing.assert_close(current, F.linear(sequence, layer.weight, layer.bias))


def test_only_sparse_spikes_of_a_wide_layer_that_does_not_learn_are_added_up() -> None:
    sparse, dense = (_events(4, 8, 200, density=d).requires_grad_(True) for d in (0.02, 0.6))
    wide, narrow = _layer(200), _layer(200, outputs=10)
    assert not _spared(synaptic_current(wide, sparse))  # it learns
    wide.weight.requires_grad_(False)
    assert not _spared(synaptic_current(wide, sparse))  # its bias does
    with freeze_weights(wide), freeze_weights(narrow):
        assert _spared(synaptic_current(wide, sparse))
        assert not _spared(synaptic_current(wide, dense))
        assert not _spared(synaptic_current(narrow, sparse))
        assert not _spared(synaptic_current(wide, sparse[:1].expand(4, -1, -1)))


def test_training_gets_the_gradients_of_the_weights() -> None:
    layer, sequence = _layer(200), _events(4, 8, 200, density=0.02)
    synaptic_current(layer, sequence).square().sum().backward()
    mine = [p.grad for p in layer.parameters()]
    layer.zero_grad()
    F.linear(sequence, layer.weight, layer.bias).square().sum().backward()
    assert all(torch.equal(a, b.grad) for a, b in zip(mine, layer.parameters(), strict=True))  # type: ignore[arg-type]


def test_no_attack_notices(few: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same pictures, found through events and through products, of networks with stored weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = SpikingMLP((784, SHORTEST, 10))
    quantise(network)
    found = []
    for ratio, name in itertools.product((4, 10**9), ("onset", "latency", "phase")):
        monkeypatch.setattr("snnlab.networks.event_linear.RATIO", ratio)
        classifier = Classifier(network, encoder(name))
        start = torch.Generator().manual_seed(0)
        result = sa_pgd_attack(classifier, few.images, few.labels, Budget(0.1), INFORMED, steps=3, generator=start)
        found.append((result.images, result.logits))
    for mine, theirs in zip(found[:3], found[3:], strict=True):
        assert all(torch.equal(a, b) for a, b in zip(mine, theirs, strict=True))
