"""Networks and classifiers: shapes, causality, folding, and what is refused."""

import re

import pytest
import snntorch
import torch
from torch import Tensor, nn

from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP, rounded
from snnlab.networks.contexts import use_surrogate
from snnlab.networks.surrogate import Surrogate


class TutorialNet(nn.Module):
    """The network as snnTorch's tutorials write it: a loop over steps, one neuron module a layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(784, 20), nn.Linear(20, 10)
        self.hidden, self.out = snntorch.Leaky(beta=0.9), snntorch.Leaky(beta=0.9)

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        u, v = self.hidden.init_leaky(), self.out.init_leaky()
        spikes, potentials = [], []
        for x in sequence.flatten(2):
            s, u = self.hidden(self.first(x), u)
            s, v = self.out(self.second(s), v)
            spikes.append(s)
            potentials.append(v)
        return torch.stack(spikes), torch.stack(potentials)


@pytest.mark.parametrize("name", ["direct", "onset"])
def test_spiking_mlp_equals_the_tutorial_loop(name: str, few: Split) -> None:
    loop, ours = TutorialNet(), SpikingMLP((784, 20, 10))
    for theirs, layer in zip((loop.first, loop.second), ours.layers, strict=True):
        layer.load_state_dict({k: 8 * v for k, v in theirs.state_dict().items()})
        theirs.load_state_dict(layer.state_dict())
    sequence = encoder(name)(few.images)
    trace, (spikes, membrane) = ours(sequence), loop(sequence)
    assert spikes.sum() > 0
    assert torch.allclose(trace.membrane, membrane, atol=1e-5)
    assert (trace.spikes != spikes).float().mean() < 1e-3  # products summed in another order


def test_constant_input_is_computed_once_and_gives_the_same(few: Split) -> None:
    network = SpikingMLP((784, 30, 10))
    folded = encoder("direct")(few.images)
    assert folded.stride(0) == 0
    assert torch.allclose(network(folded).membrane, network(folded.contiguous()).membrane, atol=1e-5)


def test_trace_holds_every_layer_s_spikes(few: Split) -> None:
    trace = SpikingMLP((784, 30, 20, 10))(encoder("onset", num_steps=5)(few.images))
    assert [tuple(h.shape) for h in trace.hidden] == [(5, 40, 30), (5, 40, 20)]
    assert trace.spikes.shape == trace.membrane.shape == (5, 40, 10)


@pytest.mark.parametrize("decoder", ["rate", "membrane", "ttfs"])
def test_one_forward_pass_answers_for_every_exit(decoder: str, onset: Classifier, few: Split) -> None:
    """Reading e of T steps equals running only e steps."""
    model = Classifier(onset.network, onset.encoder, decoder)
    every, _ = model.read(few.images)
    for e in range(1, 9):
        assert torch.equal(every[e - 1], model.at(exit_step=e)(few.images))


def test_an_earlier_exit_does_not_see_later_steps(onset: Classifier, few: Split) -> None:
    assert onset.encoder is not None
    sequence = onset.encoder(few.images)
    changed = sequence.clone()
    changed[5:] = 1 - changed[5:]
    assert torch.equal(onset.network(sequence).spikes[:5], onset.network(changed).spikes[:5])


def test_eot_averages_logits_over_fresh_encodings(few: Split) -> None:
    network, code = SpikingMLP((784, 20, 10)), encoder("poisson")
    seeded = [torch.Generator().manual_seed(4) for _ in range(2)]
    single = Classifier(network, code, generator=seeded[0])
    expected = torch.stack([single(few.images) for _ in range(3)]).mean(0)
    assert torch.equal(Classifier(network, code, eot=3, generator=seeded[1])(few.images), expected)


def test_surrogate_is_put_back_even_after_an_exception() -> None:
    network = SpikingMLP((4, 3, 2))

    def fail() -> None:
        with use_surrogate(network, Surrogate("arctan", 9.0)):
            assert network.surrogate.surrogate.shape == "arctan"
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert network.surrogate == Surrogate("sigmoid", 4.0)


def test_surrogate_changes_gradients_and_no_spike(onset: Classifier, few: Split) -> None:
    with use_surrogate(onset.network, Surrogate("arctan", 1.0)):
        changed = onset(few.images)
    assert torch.equal(changed, onset(few.images))


class Wrong(nn.Module):
    def __init__(self, output: object) -> None:
        super().__init__()
        self.output = output

    def forward(self, x: Tensor) -> object:
        return self.output


@pytest.mark.parametrize(
    ("output", "says"),
    [
        (torch.zeros(8, 40), "must return spikes [T, N, K] with T=8, N=40, got [8, 40]"),
        ((torch.zeros(8, 39, 10), torch.zeros(8, 39, 10)), "T=8, N=40, got [8, 39, 10]"),
        ((torch.zeros(40, 10), torch.zeros(40, 10)), "got [40, 10]"),
        ((torch.zeros(8, 40, 10), None), "got NoneType"),
    ],
)
def test_a_network_of_wrong_output_is_refused(output: object, says: str, few: Split) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        Classifier(Wrong(output), encoder("onset"))(few.images)


def test_an_ann_of_wrong_output_is_refused(few: Split) -> None:
    with pytest.raises(ValueError, match=re.escape("logits [N, K] with N=40, got [3, 10]")):
        Classifier(Wrong(torch.zeros(3, 10)))(few.images)


@pytest.mark.parametrize("exit_step", [0, 9, -1, 2.5, True])
def test_exit_step_outside_the_sequence_is_refused(exit_step: object, onset: Classifier) -> None:
    with pytest.raises(ValueError, match="from 1 to num_steps=8"):
        onset.at(exit_step=exit_step)  # type: ignore[arg-type]


def test_bad_construction_says_what_is_valid(few: Split) -> None:
    with pytest.raises(ValueError, match="choose one of rate, membrane, ttfs"):
        Classifier(MLP(), None, "loudest")
    with pytest.raises(ValueError, match="input and output"):
        SpikingMLP((784,))
    with pytest.raises(ValueError, match="784 values per sample"):
        SpikingMLP()(torch.zeros(8, 2, 1, 5, 5))
    with pytest.raises(ValueError, match="eot"):
        Classifier(MLP(), eot=0)
    with pytest.raises(ValueError, match="no spikes"):
        Classifier(MLP()).trace(few.images)


@pytest.mark.parametrize("name", ["direct", "latency", ""])
def test_a_classifier_of_few_levels_answers_as_the_other_does_on_rounded_images(name: str) -> None:
    images = torch.rand(6, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    network, code = (SpikingMLP((16, 8, 3)), encoder(name)) if name else (MLP((16, 8, 3)), None)
    plain, coarse = Classifier(network, code), Classifier(network, code, levels=5)
    saved = rounded(images, 5)
    assert set((saved * 4).flatten().tolist()) <= {0.0, 1.0, 2.0, 3.0, 4.0}
    assert float((saved - images).abs().max()) <= 1 / 8 + 1e-6
    assert torch.equal(rounded(saved, 5), saved)
    for model in (coarse, coarse.at()):
        assert torch.equal(model(images), plain(saved))
    leaf, other = images.clone().requires_grad_(True), saved.clone().requires_grad_(True)
    (mine,) = torch.autograd.grad(coarse(leaf).sum(), leaf)
    (theirs,) = torch.autograd.grad(plain(other).sum(), other)
    assert torch.equal(mine, theirs)
    for wrong in (1, 2.5):
        for call in (lambda levels: Classifier(network, code, levels=levels), lambda levels: rounded(images, levels)):
            with pytest.raises(ValueError, match="at least 2"):
                call(wrong)
