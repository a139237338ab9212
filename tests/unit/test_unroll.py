"""Every neuron that snnTorch exports runs over a sequence as in snnTorch's own loop."""

from collections.abc import Callable
from typing import Any

import pytest
import snntorch as snn
import snntorch.surrogate
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab.networks.sequence import is_fused, unroll
from snnlab.networks.surrogate import SURROGATES, Surrogate, derivative_of, is_step

T, N, F = 7, 3, 5
CONV = (N, 2, 6, 6)
BASES = {"SpikingNeuron", "LIF"}  # parent classes, which have no forward

#: a neuron of every class, and in the tutorials' forms
NEURONS: dict[str, Callable[[], nn.Module]] = {
    "Leaky": lambda: snn.Leaky(beta=0.9),
    "Leaky zero": lambda: snn.Leaky(beta=0.8, reset_mechanism="zero"),
    "Leaky none": lambda: snn.Leaky(beta=0.8, reset_mechanism="none"),
    "Leaky learnable": lambda: snn.Leaky(beta=0.8, threshold=0.7, learn_beta=True, learn_threshold=True),
    "Leaky learnable zero": lambda: snn.Leaky(beta=0.8, learn_beta=True, learn_threshold=True, reset_mechanism="zero"),
    "Leaky per neuron": lambda: snn.Leaky(
        beta=torch.linspace(0.1, 1.2, F), threshold=torch.linspace(0.4, 1.1, F), learn_beta=True, learn_threshold=True
    ),
    "Leaky hidden": lambda: snn.Leaky(beta=0.9, init_hidden=True),
    "Leaky hidden output": lambda: snn.Leaky(beta=0.9, init_hidden=True, output=True),
    "Leaky no delay": lambda: snn.Leaky(beta=0.9, reset_delay=False),
    "Leaky graded": lambda: snn.Leaky(beta=0.9, graded_spikes_factor=0.5),
    "Leaky fast sigmoid": lambda: snn.Leaky(beta=0.9, spike_grad=snntorch.surrogate.fast_sigmoid(slope=25)),
    "Leaky ours": lambda: snn.Leaky(beta=0.9, spike_grad=Surrogate("triangular", 2.0)),
    "Leaky no surrogate": lambda: snn.Leaky(beta=0.9, surrogate_disable=True),
    "Lapicque": lambda: snn.Lapicque(beta=0.9),
    "Synaptic": lambda: snn.Synaptic(alpha=0.8, beta=0.9),
    "Alpha": lambda: snn.Alpha(alpha=0.9, beta=0.8),
    "RLeaky": lambda: snn.RLeaky(beta=0.9, linear_features=F),
    "RSynaptic": lambda: snn.RSynaptic(alpha=0.8, beta=0.9, linear_features=F),
    "SLSTM": lambda: snn.SLSTM(F, F, threshold=0.05),
    "SConv2dLSTM": lambda: snn.SConv2dLSTM(2, 2, kernel_size=3, threshold=0.05),
    "DeltaLeaky": lambda: snn.DeltaLeaky(beta=0.9, delta_threshold=0.3),
    "DeltaLeaky hidden": lambda: snn.DeltaLeaky(beta=0.9, delta_threshold=0.3, init_hidden=True),
    "LeakyParallel": lambda: snn.LeakyParallel(F, F, beta=0.9),
    "StateLeaky": lambda: snn.StateLeaky(beta=0.9, channels=F),
    "LinearLeaky": lambda: snn.LinearLeaky(beta=0.9, in_features=F, out_features=4, output=True),
    "AssociativeLeaky": lambda: snn.AssociativeLeaky(F, 3, 3, 9, use_q_projection=False),
}
FUSED = {
    name for name in NEURONS if name.startswith("Leaky") and name not in ("Leaky no delay", "Leaky graded", "LeakyParallel")
}


def own_loop(neuron: nn.Module, current: Tensor) -> tuple[Tensor, Tensor | None]:
    """Run a neuron as snnTorch's tutorials do: state from ``reset_mem``, a call a step; all steps where the class takes them."""
    if isinstance(neuron, snn.LeakyParallel | snn.AssociativeLeaky):
        return neuron(current), None
    if isinstance(neuron, snn.StateLeaky):
        return neuron(current)
    state = neuron.reset_mem()
    state = state if isinstance(state, tuple) else (state,)
    spikes, membrane = [], []
    for step in current:
        if neuron.init_hidden:
            result = neuron(step)
        elif isinstance(neuron, snn.DeltaLeaky):
            result = neuron(step, state)
        else:
            result = neuron(step, *state)
        result = result if isinstance(result, tuple) else (result,)
        if isinstance(neuron, snn.DeltaLeaky):
            state = result[1]
        elif isinstance(neuron, snn.RLeaky | snn.RSynaptic):
            state = result
        else:
            state = result[1:]
        spikes.append(result[0])
        membrane.append(neuron.mem)
    return torch.stack(spikes), torch.stack(membrane)


def current_for(name: str, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    shape = CONV if name == "SConv2dLSTM" else (N, F)
    return 1.5 * torch.rand(T, *shape, generator=generator)


def gradients(result: tuple[Tensor, Tensor | None], leaf: Tensor, neuron: nn.Module) -> list[Tensor | None]:
    generator = torch.Generator().manual_seed(1)
    spikes, membrane = result
    total = (spikes * torch.rand(spikes.shape, generator=generator)).sum()
    if membrane is not None:
        total = total + (membrane * torch.rand(membrane.shape, generator=generator)).sum()
    leaves = [leaf, *(p for p in neuron.parameters() if p.requires_grad)]
    return list(torch.autograd.grad(total, leaves, allow_unused=True))


@pytest.mark.parametrize("name", NEURONS)
def test_a_neuron_runs_as_in_snntorch_s_own_loop(name: str) -> None:
    torch.manual_seed(0)
    neuron = NEURONS[name]()
    leaf = current_for(name).requires_grad_(True)
    wanted = own_loop(neuron, leaf)
    wanted_gradients = gradients(wanted, leaf, neuron)
    found = unroll(neuron, leaf)
    assert torch.equal(found[0], wanted[0])
    if wanted[1] is not None:
        assert torch.equal(found[1], wanted[1])
    result = found if wanted[1] is not None else (found[0], None)
    for ours, theirs in zip(gradients(result, leaf, neuron), wanted_gradients, strict=True):
        assert (ours is None) == (theirs is None)
        if ours is not None:
            assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def test_neurons_of_every_class_that_snntorch_exports_are_compared() -> None:
    exported = {
        name
        for name, value in vars(snn).items()
        if isinstance(value, type) and issubclass(value, nn.Module) and value.__module__.startswith("snntorch._neurons")
    }
    assert exported - BASES == {name.split()[0] for name in NEURONS}


@pytest.mark.parametrize("name", NEURONS)
def test_only_what_is_the_same_takes_the_fused_path(name: str) -> None:
    assert is_fused(NEURONS[name]()) == (name in FUSED)


@pytest.mark.parametrize("name", NEURONS)
def test_a_second_run_is_the_first_and_state_stays_as_it_was(name: str) -> None:
    torch.manual_seed(0)
    neuron, current = NEURONS[name](), current_for(name)
    first = unroll(neuron, current)
    again = unroll(neuron, current)
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


def test_silent_currents_and_one_step_are_sequences_too() -> None:
    neuron = snn.Leaky(beta=0.9)
    assert not unroll(neuron, torch.zeros(4, 2, 3))[0].any()
    spikes, membrane = unroll(neuron, torch.full((1, 2, 3), 1.5))
    assert spikes.all()
    assert (membrane == 1.5).all()


def test_bad_currents_and_neurons_without_spikes_are_named() -> None:
    with pytest.raises(ValueError, match=r"expected a current \[T, N, …\] with T ≥ 1, got \[0, 2, 3\]"):
        unroll(snn.Leaky(beta=0.9), torch.zeros(0, 2, 3))
    with pytest.raises(ValueError, match=r"expected a current \[T, N, …\] with T ≥ 1, got \[4\]"):
        unroll(snn.Leaky(beta=0.9), torch.zeros(4))
    with pytest.raises(ValueError, match="StateLeaky emits no spikes; make it with output=True"):
        unroll(snn.StateLeaky(beta=0.9, channels=F, output=False), torch.zeros(T, N, F))


#: of snnTorch; ``LSO`` cannot be called in 1.0, the others are random in the forward pass
SPIKE_GRADS: dict[str, Any] = {
    name: getattr(snntorch.surrogate, name)()
    for name in ("straight_through_estimator", "triangular", "fast_sigmoid", "atan", "heaviside", "sigmoid", "SFS")
}


@pytest.mark.parametrize("name", SPIKE_GRADS)
@given(v=st.lists(st.floats(-3, 3, width=32), min_size=1, max_size=6))
def test_the_derivative_of_any_spike_grad_is_what_autograd_gives(name: str, v: list[float]) -> None:
    leaf = torch.tensor(v, requires_grad=True)
    (wanted,) = torch.autograd.grad(SPIKE_GRADS[name](leaf).sum(), leaf)
    assert torch.equal(derivative_of(SPIKE_GRADS[name])(leaf.detach()), wanted)


@pytest.mark.parametrize("shape", SURROGATES)
def test_our_surrogates_are_spike_grads(shape: str) -> None:
    surrogate = Surrogate(shape, 2.0)
    assert is_step(surrogate)
    leaf = torch.linspace(-1, 1, 21, requires_grad=True)
    (slope,) = torch.autograd.grad(surrogate(leaf).sum(), leaf)
    assert torch.equal(slope, surrogate.derivative(leaf.detach()))


def test_arctan_and_fast_sigmoid_are_snntorch_s() -> None:
    v = torch.linspace(-2, 2, 41)
    for ours, theirs in (
        (Surrogate("arctan", 2.0), snntorch.surrogate.atan(2.0)),
        (Surrogate("fast_sigmoid", 25.0), snntorch.surrogate.fast_sigmoid(25)),
    ):
        assert torch.allclose(ours.derivative(v), derivative_of(theirs)(v), rtol=1e-5)
