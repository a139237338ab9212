"""Gradients of other papers: by hand on one neuron, and as attackers of whole networks."""

import pytest
import snntorch as snn
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab.attacks import INFORMED, Budget, attack, input_gradient
from snnlab.attacks.attacker import Attacker
from snnlab.attacks.peers import HART, PDSG, PEERS
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.contexts import use_surrogate
from snnlab.networks.sequence import unroll
from snnlab.networks.surrogate import Surrogate
from snnlab.training.bptt import initialise


def gradient(name: str, neuron: nn.Module, current: Tensor, weights: Tensor) -> Tensor:
    """Return the gradient of ``(weights * spikes).sum()`` with respect to the current."""
    leaf = current.clone().requires_grad_(True)
    with use_surrogate(neuron, PEERS[name].surrogate):
        spikes, _ = unroll(neuron, leaf)
        return torch.autograd.grad((weights * spikes).sum(), leaf)[0]


RANDOM = st.tuples(
    st.integers(0, 2**31),
    st.sampled_from(["subtract", "zero", "none"]),
    st.sampled_from([0.0, 0.5, 0.9]),
    st.sampled_from([0.5, 2.0]),
)


def drawn(seed: int, reset: str, beta: float, threshold: float) -> tuple[nn.Module, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    neuron = snn.Leaky(beta=beta, threshold=threshold, reset_mechanism=reset)
    current = torch.randn(4, 3, 5, generator=generator) + 0.3
    return neuron, current, torch.randn(current.shape, generator=generator)


@given(RANDOM)
def test_bptr_passes_what_arrives_at_neurons_that_fire(case: tuple[int, str, float, float]) -> None:
    neuron, current, weights = drawn(*case)
    fires = unroll(neuron, current)[0].sum(0) > 0
    torch.testing.assert_close(gradient("bptr", neuron, current, weights), weights * fires)


@given(RANDOM)
def test_rga_passes_it_by_the_slope_of_the_rate_at_the_mean_current(case: tuple[int, str, float, float]) -> None:
    neuron, current, weights = drawn(*case)
    beta, threshold = case[2:]
    expected = torch.zeros_like(current)
    for n, k in ((n, k) for n in range(3) for k in range(5)):
        mean = float(current[:, n, k].mean()) / threshold
        if min(abs(mean - end) for end in (0, 1 - beta, 2)) < 1e-5:
            return  # the rebuilt current rounds to either side of an edge
        slope = 0.0 if mean < 0 or mean > 2 else 0.2 if mean < 1 - beta else (0.8 + 0.2 * beta) / (1 + beta)
        expected[:, n, k] = weights[:, n, k] * slope / threshold
    torch.testing.assert_close(gradient("rga", neuron, current, weights), expected)


@given(RANDOM)
def test_hart_without_memory_is_the_mean_over_steps_of_the_ordinary_gradient(case: tuple[int, str, float, float]) -> None:
    neuron, current, weights = drawn(case[0], case[1], 0.0, case[3])
    found = gradient("hart", neuron, current, weights)
    leaf = current.clone().requires_grad_(True)
    with use_surrogate(neuron, Surrogate("triangular", HART().slope)):
        ordinary = torch.autograd.grad((weights * unroll(neuron, leaf)[0]).sum(), leaf)[0]
    torch.testing.assert_close(found, ordinary.mean(0).expand_as(found))


@given(st.integers(0, 2**31), st.sampled_from([(4, 3, 5), (2, 2, 3, 4, 4), (3, 1, 6), (1, 1, 2)]))
def test_pdsg_has_the_spread_of_each_neuron_up_to_its_step(seed: int, shape: tuple[int, ...]) -> None:
    v = torch.randn(shape, generator=torch.Generator().manual_seed(seed))
    found = PDSG().derivative(v.clone())
    for t, channel in ((t, c) for t in range(shape[0]) for c in range(shape[2])):
        sigma = v[: t + 1, :, channel].std() if v[: t + 1, :, channel].numel() > 1 else torch.tensor(1.0)
        gauss = torch.exp(-((v[t, :, channel] - sigma / 2) ** 2) / (2 * sigma**2)) / (2 * torch.pi * sigma**2) ** 0.5
        torch.testing.assert_close(found[t, :, channel], gauss)


def test_without_spread_pdsg_has_width_one() -> None:
    v = torch.full((2, 1, 1), 0.5)
    assert PDSG().derivative(v).flatten().tolist() == pytest.approx([0.3989, 0.3989], abs=1e-4)


@given(RANDOM)
def test_what_reaches_the_potential_is_differentiated_as_usual(case: tuple[int, str, float, float]) -> None:
    neuron, current, weights = drawn(*case)
    found = []
    for surrogate in (PEERS["rga"].surrogate, INFORMED.surrogate):
        leaf = current.clone().requires_grad_(True)
        with use_surrogate(neuron, surrogate):
            found.append(torch.autograd.grad((weights * unroll(neuron, leaf)[1]).sum(), leaf)[0])
    torch.testing.assert_close(*found)


@pytest.mark.parametrize("attacker", PEERS.values(), ids=PEERS)
@pytest.mark.parametrize("code", ["direct", "latency"])
def test_every_peer_attacks_a_network_and_leaves_its_answers_alone(attacker: Attacker, code: str) -> None:
    generator = torch.Generator().manual_seed(0)
    classifier = Classifier(SpikingMLP((36, 24, 10)), encoder(code, num_steps=4))
    initialise(classifier.network, 0)
    for layer in classifier.network.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.data *= 3  # BPTR has no gradient through neurons that never fire
    images = torch.rand(12, 1, 6, 6, generator=generator)
    logits = classifier(images)
    labels = classifier.predict(images)[-1].clamp(min=0)
    with attacker.view(classifier) as view:
        assert torch.equal(view(images), logits)
        moved = input_gradient(view, images, labels)
    assert bool(moved.isfinite().all())
    assert bool((moved != 0).any())
    for method in ("fixed_surrogate", *(["spike_train"] if code == "latency" else [])):
        found = attack(classifier, images, labels, Budget(0.3), method, attacker, steps=10, generator=generator)
        assert bool(found.success.any())


def test_a_neuron_that_is_run_step_by_step_has_no_gradient_of_rates() -> None:
    neuron = snn.Synaptic(alpha=0.5, beta=0.5)
    current = torch.ones(3, 2, 4)
    with pytest.raises(ValueError, match=r"plain snntorch\.Leaky"):
        gradient("rga", neuron, current, current)
    assert gradient("pdsg", neuron, current, current).shape == current.shape
