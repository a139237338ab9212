"""TSSL-BP: the neuron is the package's, its gradient is worked by hand, and it teaches."""

import re

import pytest
import torch
from torch import Tensor

from snnlab.attacks import INFORMED, Budget, attack
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.energy import energy
from snnlab.networks.sequence import lif
from snnlab.networks.surrogate import Surrogate
from snnlab.training.adversarial import AdversarialTraining
from snnlab.training.bptt import Recipe, accuracy, train
from snnlab.training.tssl_bp import WARM_UP, TsslMLP, post_synaptic_potential, timing_lif


def _current(seed: int = 0, scale: float = 0.8) -> Tensor:
    return torch.randn(12, 5, 20, generator=torch.Generator().manual_seed(seed)) * scale + 0.3


def _gradient(current: list[float], upstream: list[float], **options: object) -> list[float]:
    """``∂(Σ upstream · spikes)/∂I`` of one neuron."""
    leaf = torch.tensor(current).view(-1, 1).requires_grad_()
    spikes, _ = timing_lif(leaf, **options)  # type: ignore[arg-type]
    (gradient,) = torch.autograd.grad((spikes.flatten() * torch.tensor(upstream)).sum(), leaf)
    found: list[float] = gradient.flatten().tolist()
    return found


def test_psp_by_hand() -> None:
    """τ_s = 4: a spike adds 1/4 and 3/4 of it is left each step."""
    spikes = torch.tensor([0.0, 1.0, 0.0, 1.0])
    assert post_synaptic_potential(spikes, 4.0).tolist() == [0, 0.25, 0.1875, 0.390625]
    assert torch.equal(post_synaptic_potential(spikes, 1.0), spikes)


def test_a_spike_gathers_what_comes_back_over_its_psp() -> None:
    """τ_s = 2: ε = 1/2, 1/4, 1/8. Upstream 1, 2, 4: 1/2 + 2/4 + 4/8, 2/2 + 4/4, 4/2."""
    spikes = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    upstream = torch.tensor([1.0, 2.0, 4.0], dtype=torch.float64)
    (gradient,) = torch.autograd.grad((post_synaptic_potential(spikes) * upstream).sum(), spikes)
    assert gradient.tolist() == [1.5, 2, 2]
    assert torch.autograd.gradcheck(post_synaptic_potential, (spikes,))


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_forward_is_the_lif_neuron(reset: str) -> None:
    options = {"beta": 0.7, "threshold": 1.1, "reset": reset}
    for ours, theirs in zip(timing_lif(_current(), **options), lif(_current(), **options), strict=True):  # type: ignore[arg-type]
        assert torch.equal(ours, theirs)


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_a_silent_neuron_learns_by_its_surrogate(reset: str) -> None:
    weights, found = _current(1), []
    for neuron in (timing_lif, lif):
        leaf = (_current().clamp(-0.1, 0.09)).requires_grad_()
        spikes, membrane = neuron(leaf, reset=reset, surrogate=Surrogate("arctan", 2.0))  # type: ignore[operator]
        assert spikes.sum() == 0
        (gradient,) = torch.autograd.grad((spikes * weights + membrane * weights.flip(0)).sum(), leaf)
        found.append(gradient)
    assert torch.allclose(found[0], found[1], atol=1e-6)


def test_a_spike_time_moves_by_the_inverse_of_the_rise() -> None:
    """β = .5, I = (.8, .8, .4): U = .8, 1.2 (spike). It rose by .8 - .5·.8 = .4: κ = 2.5, and half of it through step 0."""
    assert _gradient([0.8, 0.8, 0.4], [0, 1, 0], beta=0.5, tau_s=1.0) == pytest.approx([1.25, 2.5, 0])


def test_the_reset_moves_with_its_spike() -> None:
    """Same train, asked at step 2, nearly silent again (τ_s = 1): h(U - 1) there, and back over the spike, with κ = 2.5.

    "zero": U[2] = .4, carry (1-β)·1.2·κ = 1.5. "subtract": U[2] = .5·1.2 + .4 - 1 = 0, carry β + (1-β)·1·κ = 1.75.
    """
    for reset, potential, carry in (("zero", 0.4, 1.5), ("subtract", 0.0, 1.75)):
        h = WARM_UP.derivative(torch.tensor(potential - 1)).item()
        found = _gradient([0.8, 0.8, 0.4], [0, 0, 1], beta=0.5, tau_s=1.0, reset=reset)
        assert found == pytest.approx([0.5 * carry * h, carry * h, h])


def test_between_spikes_only_the_next_spike_time_counts() -> None:
    """τ_s = 2: after the spike at 1 the PSP is 1/2, then 1/4 ≥ 1/8: not silent, so step 2 gets nothing of its own.

    I = (.8, .8, .4, 1.6), "zero": U[3] = .5·.4 + 1.6 = 1.8 (spike), rise 1.6 - .2 = 1.4.
    """
    options = {"beta": 0.5, "tau_s": 2.0, "reset": "zero"}
    assert _gradient([0.8, 0.8, 0.4, 0.0], [0, 0, 1, 0], **options) == [0, 0, 0, 0]
    later = 1 / 1.4
    expected = [0.5 * 1.5 * 0.5 * later, 1.5 * 0.5 * later, 0.5 * later, later]
    assert _gradient([0.8, 0.8, 0.4, 1.6], [0, 0, 0, 1], **options) == pytest.approx(expected)


def test_a_slow_rise_is_bounded_and_a_fall_moves_nothing() -> None:
    """I = (.95, .1), β = .95: U[1] rises by .1 - .05·.95 = .0525, 1/.0525 = 19 > 8. I = (3, 0): U falls from 3 and fires."""
    found = _gradient([0.95, 0.1001], [0, 1], beta=0.95)
    assert found == pytest.approx([0.95 * 8, 8])
    assert _gradient([3.0, 0.0], [0, 1], beta=0.9) == [0, 0]


def test_loss_falls_along_the_gradient_of_a_spike_time() -> None:
    """More current where the gradient is positive fires the output earlier."""
    network = TsslMLP((1, 4, 1), beta=0.9)
    for layer in network.layers:
        layer.weight.data.fill_(0.6)
        layer.bias.data.zero_()
    sequence = torch.ones(12, 1, 1)
    trace = network(sequence)
    first = int(trace.spikes.flatten().argmax())
    assert first > 0
    gradients = torch.autograd.grad(trace.spikes[: first + 1].sum(), [layer.weight for layer in network.layers])
    with torch.no_grad():
        for layer, gradient in zip(network.layers, gradients, strict=True):
            assert (gradient > 0).all()
            layer.weight += 0.5 * gradient / gradient.norm()
    assert int(network(sequence).spikes.flatten().argmax()) < first


@pytest.mark.slow
@pytest.mark.parametrize(("code", "loss"), [("direct", "count"), ("onset", "count"), ("latency", "latency")])
def test_a_network_learns_through_its_spike_times(code: str, loss: str, mnist: Dataset) -> None:
    model = Classifier(TsslMLP((784, 64, 10)), encoder(code), "ttfs" if loss == "latency" else "rate")
    train(model, mnist.train[:2500], Recipe(epochs=4, loss=loss), progress=False)
    assert accuracy(model, mnist.validation) > 0.8


def test_either_gradient_has_the_same_forward_pass(few: Split) -> None:
    network = TsslMLP((784, 20, 10))
    sequence = encoder("onset")(few.images)
    by_timing = network(sequence)
    network.gradient = "surrogate"
    by_surrogate = network(sequence)
    assert torch.equal(by_timing.membrane, by_surrogate.membrane)
    found = [torch.autograd.grad(t.membrane.sum(), network.layers[0].weight)[0] for t in (by_timing, by_surrogate)]
    assert not torch.equal(found[0], found[1])


def test_without_a_synaptic_filter_it_is_the_spiking_mlp(few: Split) -> None:
    ours, plain = TsslMLP((784, 20, 10), tau_s=1.0), SpikingMLP((784, 20, 10))
    plain.load_state_dict(ours.state_dict())
    sequence = encoder("onset")(few.images)
    assert torch.equal(ours(sequence).spikes, plain(sequence).spikes)


def test_the_package_works_on_it(few: Split) -> None:
    model = Classifier(TsslMLP((784, 20, 10)), encoder("onset"), generator=torch.Generator().manual_seed(0))
    assert attack(model, few.images, few.labels, Budget(0.1), "pgd", INFORMED, steps=2).moved > 0.3
    assert model.network.surrogate == WARM_UP
    shown = AdversarialTraining("trades", Budget(0.1), steps=2).images(model, few.images, few.labels)
    assert (shown != few.images).any()
    assert energy(model, few.images).synops.shape == (8, 40)
    early, every = model.at(exit_step=5)(few.images), model.read(few.images)[0]
    assert torch.allclose(early, every[4])


def test_bad_input_says_what_is_valid() -> None:
    cases = [
        (lambda: post_synaptic_potential(torch.zeros(3), 0.5), "tau_s must be at least 1 step, got 0.5"),
        (lambda: post_synaptic_potential(torch.zeros(0, 3)), "T ≥ 1"),
        (lambda: timing_lif(torch.zeros(3), tau_s=float("nan")), "tau_s must be at least 1"),
        (lambda: timing_lif(torch.zeros(3), beta=2.0), "beta must lie in"),
        (lambda: timing_lif(torch.zeros(3), reset="none"), "choose 'subtract' or 'zero'"),  # type: ignore[arg-type]
        (lambda: TsslMLP(gradient="exact"), "choose one of timing, surrogate"),  # type: ignore[arg-type]
        (lambda: TsslMLP(tau_s=0.0), "tau_s must be at least 1"),
        (lambda: TsslMLP((784,)), "input and output"),
        (lambda: TsslMLP()(torch.zeros(8, 2, 1, 5, 5)), "784 values per sample"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


def test_the_gradient_of_the_text_decays_by_beta_but_for_a_step_with_a_spike() -> None:
    """The listing of the chapter *Training*: the reset moves with the spike that it passes."""
    current = torch.tensor([0.5, 0.4, 0.6, 0.1, 0.7, 0.2, 0.5, 0.5]).requires_grad_()
    spikes, membrane = timing_lif(current)
    assert spikes.nonzero().flatten().tolist()[:2] == [2, 5]
    (gradient,) = torch.autograd.grad(spikes[5], current)
    factors = (gradient[:5] / gradient[1:6]).tolist()
    rise = float((current[2] - 0.1 * membrane[1]).detach())
    assert factors == pytest.approx([0.9, 0.9, 0.9 + 0.1 / rise, 0.9, 0.9])
