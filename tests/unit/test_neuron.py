"""The LIF neuron: the book's equations, snnTorch and our code are one."""

import math

import pytest
import snntorch
import torch
from torch import Tensor

from snnlab.attacks import AdaptiveSharpness
from snnlab.networks import sequence
from snnlab.networks.sequence import lif
from snnlab.networks.surrogate import SURROGATES, Surrogate


def _snntorch(current: Tensor, beta: float, threshold: float, reset: str, surrogate: Surrogate) -> tuple[Tensor, Tensor]:
    """The loop of snnTorch's tutorials, with our surrogate in its interface."""

    class Spike(torch.autograd.Function):
        @staticmethod
        def forward(ctx, distance):  # type: ignore[no-untyped-def]
            ctx.save_for_backward(distance)
            return (distance > 0).float()

        @staticmethod
        def backward(ctx, grad):  # type: ignore[no-untyped-def]
            return grad * surrogate.derivative(ctx.saved_tensors[0])

    neuron = snntorch.Leaky(beta=beta, threshold=threshold, reset_mechanism=reset, spike_grad=Spike.apply)
    membrane = neuron.init_leaky()
    spikes, membranes = [], []
    for now in current:
        spike, membrane = neuron(now, membrane)
        spikes.append(spike)
        membranes.append(membrane)
    return torch.stack(spikes), torch.stack(membranes)


@pytest.mark.case("another version of snnTorch resets otherwise")
@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize(("beta", "threshold"), [(0.9, 1.0), (0.5, 0.7), (1.0, 1.3), (0.0, 1.0)])
@pytest.mark.parametrize("shape", list(SURROGATES))
def test_lif_matches_snntorch_step_by_step(reset: str, beta: float, threshold: float, shape: str) -> None:
    generator = torch.Generator().manual_seed(0)
    current = torch.randn(12, 5, 20, generator=generator).mul_(0.8).add_(0.3)
    weights = torch.randn(12, 5, 20, generator=generator)
    surrogate = Surrogate(shape, 2.0)
    found = []
    for run in (lif, _snntorch):
        leaf = current.clone().requires_grad_()
        options = {"beta": beta, "threshold": threshold, "reset": reset, "surrogate": surrogate}
        spikes, membrane = run(leaf, **options)  # type: ignore[operator]
        (gradient,) = torch.autograd.grad((spikes * weights + membrane * weights.flip(0)).sum(), leaf)
        found.append((spikes.detach(), membrane.detach(), gradient))
    (spikes, membrane, gradient), (their_spikes, their_membrane, their_gradient) = found
    assert spikes.sum() > 0
    assert torch.equal(spikes, their_spikes)
    assert torch.allclose(membrane, their_membrane, atol=1e-6)
    assert torch.allclose(gradient, their_gradient, atol=1e-5, rtol=1e-5)


def test_lif_is_the_book_s_equation_worked_by_hand() -> None:
    """β = 1/2, θ = 1, I = 3/4: U = .75, 1.125 (spike), .3125, .90625, 1.203125 (spike)."""
    spikes, membrane = lif(torch.full((5, 1), 0.75), beta=0.5)
    assert membrane.flatten().tolist() == [0.75, 1.125, 0.3125, 0.90625, 1.203125]
    assert spikes.flatten().tolist() == [0, 1, 0, 0, 1]


def test_reset_to_zero_keeps_the_input_of_the_next_step() -> None:
    spikes, membrane = lif(torch.full((3, 1), 1.5), beta=0.5, reset="zero")
    assert membrane.flatten().tolist() == [1.5, 1.5, 1.5]
    assert spikes.flatten().tolist() == [1, 1, 1]


def test_membrane_at_threshold_does_not_spike() -> None:
    assert lif(torch.ones(1, 1))[0].item() == 0


def test_lif_is_causal() -> None:
    current = torch.randn(8, 3, generator=torch.Generator().manual_seed(1)) + 0.5
    changed = current.clone()
    changed[5:] = 9
    for before, after in zip(lif(current), lif(changed), strict=True):
        assert torch.equal(before[:5], after[:5])


PRIMITIVES = {
    "sigmoid": lambda v, a: torch.sigmoid(a * v),
    "arctan": lambda v, a: torch.atan(math.pi * a / 2 * v) / math.pi,
    "fast_sigmoid": lambda v, a: v / (1 + a * v.abs()),
    "triangular": lambda v, a: v * a - a * a * v * v.abs() / 2,
}


@pytest.mark.parametrize("shape", list(SURROGATES))
@pytest.mark.parametrize("slope", [1.0, 4.0])
def test_surrogate_is_the_derivative_of_its_smooth_step(shape: str, slope: float) -> None:
    v = torch.linspace(-0.2, 0.2, 40, dtype=torch.float64)  # inside the triangle, off its corners
    h = 1e-6
    primitive = PRIMITIVES[shape]
    expected = (primitive(v + h, slope) - primitive(v - h, slope)) / (2 * h)
    assert torch.allclose(Surrogate(shape, slope).derivative(v), expected, atol=1e-6)


@pytest.mark.parametrize("shape", list(SURROGATES))
def test_surrogate_is_even_and_never_negative(shape: str) -> None:
    v = torch.linspace(-3, 3, 101)
    h = Surrogate(shape, 3.0).derivative(v)
    assert (h >= 0).all()
    assert torch.allclose(h, h.flip(0), atol=1e-6)
    assert h.argmax() == 50


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"beta": 1.2}, "beta must lie in"),
        ({"beta": float("nan")}, "beta must lie in"),
        ({"threshold": 0.0}, "threshold must be positive"),
        ({"reset": "hard"}, "choose 'subtract', 'zero' or 'none'"),
    ],
)
def test_bad_neuron_says_what_is_valid(options: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        lif(torch.zeros(2, 1), **options)  # type: ignore[arg-type]


def test_no_steps_and_unknown_surrogates_are_refused() -> None:
    with pytest.raises(ValueError, match="T ≥ 1"):
        lif(torch.zeros(0, 3))
    with pytest.raises(ValueError, match="choose one of sigmoid, arctan"):
        Surrogate("step")
    with pytest.raises(ValueError, match="positive"):
        Surrogate("sigmoid", 0)


@pytest.mark.parametrize("shape", [(7,), (5, 6), (4, 6, 3, 2)])
@pytest.mark.parametrize("kind", [*SURROGATES, "adaptive"])
def test_it_does_not_matter_how_a_sequence_is_cut_for_its_derivatives(
    kind: str, shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    given = torch.Generator().manual_seed(0)
    current, wanted = (torch.randn(shape, generator=given) for _ in range(2))

    def gradients(chunk: int) -> list[Tensor]:
        monkeypatch.setattr(sequence, "CHUNK", chunk)
        surrogate = AdaptiveSharpness() if kind == "adaptive" else Surrogate(kind, 3.0)
        found = []
        for _ in range(3):  # an adaptive one remembers
            if isinstance(surrogate, AdaptiveSharpness):
                surrogate.begin()
            leaf = current.clone().requires_grad_(True)
            found += torch.autograd.grad(lif(leaf, surrogate=surrogate)[0], leaf, wanted)
        return found

    whole = gradients(1 << 20)
    for chunk in (1, 8, 50):
        for mine, theirs in zip(gradients(chunk), whole, strict=True):
            torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(("current", "rate"), [(0.9, 0.0), (1.5, 0.5), (2.1, 1.0)])
def test_without_memory_a_neuron_that_subtracts_needs_twice_the_threshold_after_a_spike(current: float, rate: float) -> None:
    spikes, _ = lif(torch.full((24,), current), beta=0.0, reset="subtract")
    assert float(spikes.mean()) == rate


def test_without_memory_a_neuron_reset_to_zero_compares_each_current_with_the_threshold() -> None:
    current = torch.rand(50, generator=torch.Generator().manual_seed(0)) * 2
    spikes, _ = lif(current, beta=0.0, reset="zero")
    assert torch.equal(spikes, (current > 1).float())


def test_the_rate_rises_steadily_with_the_current_only_under_reset_by_subtraction() -> None:
    currents = torch.linspace(0.54, 0.98, 12)
    rates = {reset: lif(currents.expand(240, 12), reset=reset)[0].mean(0) for reset in ("subtract", "zero")}
    assert float(rates["subtract"].diff().min()) >= 0
    assert float(rates["subtract"][-1] - rates["subtract"][0]) > 0.3
    assert len(rates["zero"].unique()) == 1
