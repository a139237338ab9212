"""Fused codes: gates scale, learn and silence their parts."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from snnlab import Recipe, data, encoder, train
from snnlab.attacks import INFORMED, input_gradient
from snnlab.encoding import Fusion
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.training.gates import GRAIN, LearnedGate, frozen, silenced

GATES = st.lists(st.sampled_from([0.0, 0.03125, 0.125, 0.5, 1.0, 2.0]), min_size=3, max_size=3)


def _fusion(name: str = "fusion(direct, onset, latency)") -> Fusion:
    code = encoder(name)
    assert isinstance(code, Fusion)
    return code


def _classifier(code: Fusion, pixels: int = 4) -> Classifier:
    torch.manual_seed(0)
    return Classifier(SpikingMLP((len(code.parts) * pixels, 12, 10)), code)


@given(GATES)
def test_a_gate_scales_its_part_and_no_other(gate: list[float]) -> None:
    x = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    code = _fusion()
    plain, gated = (torch.split(c(x), 1, dim=2) for c in (code, code.with_gate(gate)))
    for g, before, after in zip(gate, plain, gated, strict=True):
        assert torch.equal(after, g * before)


@given(GATES)
def test_the_gradient_of_a_part_is_scaled_like_the_part(gate: list[float]) -> None:
    x = torch.rand(3, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    for k, part in enumerate(("direct", "onset", "latency")):
        leaf, other = x.clone().requires_grad_(), x.clone().requires_grad_()
        _fusion().with_backward("relaxed").with_gate(gate)(leaf)[:, :, k].sum().backward()
        encoder(part, backward="relaxed")(other).sum().backward()
        assert leaf.grad is not None
        assert other.grad is not None
        assert torch.allclose(leaf.grad, gate[k] * other.grad, atol=1e-6)


def test_a_title_with_gates_names_the_same_code() -> None:
    code = _fusion("fusion(0.125*direct, latency)")
    assert code.gate == (0.125, 1.0)
    assert encoder(code.title) == code


def test_an_attack_goes_through_all_branches() -> None:
    """Without the gradient of one part, the input gradient would be that of the other part alone."""
    code = _fusion("fusion(direct, latency)")
    classifier = _classifier(code)
    x = torch.rand(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    y = torch.zeros(8, dtype=torch.long)
    whole, *alone = (
        _informed_gradient(c, x, y) for c in (classifier, silenced_backward(classifier, 0), silenced_backward(classifier, 1))
    )
    assert torch.allclose(whole, alone[0] + alone[1], atol=1e-6)
    assert alone[0].abs().max() > 0
    assert alone[1].abs().max() > 0


def silenced_backward(classifier: Classifier, part: int) -> Classifier:
    """The same forward pass, in which the gradient of one part is cut."""

    class Cut(SpikingMLP):
        def forward(self, spikes: Tensor):  # type: ignore[no-untyped-def]
            mask = torch.ones(spikes.shape[2])
            mask[part] = 0
            mask = mask.view(1, 1, -1, 1, 1)
            return super().forward(spikes * mask + (spikes * (1 - mask)).detach())

    network = Cut(classifier.network.sizes)  # type: ignore[arg-type]
    network.load_state_dict(classifier.network.state_dict())
    return Classifier(network, classifier.encoder)


def _informed_gradient(classifier: Classifier, x: Tensor, y: Tensor) -> Tensor:
    with INFORMED.view(classifier) as seen:
        return input_gradient(seen, x, y)


def test_a_silenced_part_may_show_what_it_likes() -> None:
    """The answer is that of a network whose weights on this part are zero."""
    classifier = _classifier(_fusion("fusion(direct, latency)"))
    x = torch.rand(8, 1, 2, 2, generator=torch.Generator().manual_seed(0))
    ablated = silenced(classifier, 0).read(x)[1]
    with torch.no_grad():
        classifier.network.layers[0].weight[:, :4] = 0  # type: ignore[index,union-attr]
    assert torch.allclose(ablated, classifier.read(x)[1], atol=1e-6)


def test_a_learned_gate_learns_sums_to_its_parts_and_freezes_to_a_grain(mnist: data.Dataset) -> None:
    code = _fusion("fusion(direct, latency)")
    classifier = Classifier(LearnedGate(SpikingMLP((1568, 16, 10)), code), code)
    train(classifier, mnist.train[slice(300)], Recipe(epochs=2, learning_rate=2e-2), progress=False)
    gate = classifier.network
    assert isinstance(gate, LearnedGate)
    assert not torch.equal(gate.values, torch.ones(2))
    assert float(gate.values.sum()) == pytest.approx(2)
    fixed = frozen(classifier)
    assert isinstance(fixed.encoder, Fusion)
    for g, learned in zip(fixed.encoder.gate, gate.values.tolist(), strict=True):
        assert g / GRAIN == round(g / GRAIN)
        assert abs(g - learned) <= GRAIN / 2 + 1e-6
    x = mnist.test[slice(50)].images
    assert (fixed.predict(x)[-1] == classifier.predict(x)[-1]).float().mean() > 0.9


def test_gates_that_are_none_say_what_is_valid() -> None:
    code = _fusion("fusion(direct, latency)")
    for gate in ([1.0], [1.0, 1.0, 1.0], [-0.5, 1.0], [float("nan"), 1.0], [float("inf"), 1.0]):
        with pytest.raises(ValueError, match="a weight of at least 0 for each of 2 parts"):
            code.with_gate(gate)
    with pytest.raises(ValueError, match="the gate of a part is a number"):
        encoder("fusion(half*direct, latency)")
    with pytest.raises(ValueError, match="at least two parts"):
        encoder("fusion()")
    classifier = _classifier(code)
    with pytest.raises(ValueError, match=r"has parts 0 … 1, got 2"):
        silenced(classifier, 2)
    with pytest.raises(ValueError, match="only a fusion"):
        silenced(Classifier(SpikingMLP((4, 10)), encoder("direct")), 0)
    with pytest.raises(ValueError, match="behind a LearnedGate"):
        frozen(classifier)
    with pytest.raises(ValueError, match="only a fusion has a gate to learn"):
        LearnedGate(SpikingMLP((4, 10)), encoder("direct"))  # type: ignore[arg-type]
