"""Convolutional networks: the same neurons as anywhere, time folded into the batch, a norm that can be folded away."""

from collections.abc import Iterator

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from snnlab.attacks import INFORMED, Budget, attack, sa_pgd_attack
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import use_surrogate
from snnlab.networks.conv import (
    VGG11,
    Block,
    CodedConvNet,
    ConvNet,
    ResNet18,
    SpikingConvNet,
    SpikingResNet18,
    SpikingVGG11,
    fold,
)
from snnlab.networks.decoding import logits_at_every_exit
from snnlab.networks.energy import energy
from snnlab.networks.sequence import lif
from snnlab.networks.surrogate import Surrogate
from snnlab.training.bptt import initialise
from snnlab.zoo.quantised import packed, quantise, read_weights

TINY = (Block(4, stride=2), Block(6, pool=2))
RESIDUAL = (Block(4), Block(6, stride=2, shortcut=True), Block(6, shortcut=True))


def _net(blocks: tuple[Block, ...] = TINY, **options: object) -> SpikingConvNet:
    torch.manual_seed(0)
    return SpikingConvNet(blocks, **options)  # type: ignore[arg-type]


def _awake(network: SpikingConvNet) -> SpikingConvNet:
    """With norms as after a training: some neurons fire, and no statistic is what it was made with."""
    generator = torch.Generator().manual_seed(1)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            for values, low, high in (
                (module.weight, 1, 3),
                (module.bias, 0, 1),
                (module.running_mean, -0.2, 0.2),
                (module.running_var, 0.05, 0.2),
            ):
                assert values is not None
                values.data.uniform_(low, high, generator=generator)
    return network.eval()


def _images(num: int = 3) -> Tensor:
    return torch.rand(num, 3, 8, 8, generator=torch.Generator().manual_seed(2))


def test_the_network_is_its_blocks_run_step_by_step() -> None:
    network, sequence = _awake(_net()), encoder("latency", num_steps=4)(_images())
    trace = network(sequence)
    membranes: list[Tensor | None] = [None, None]
    fired: list[Tensor | float] = [0.0, 0.0]
    charge = torch.zeros(3, 10)
    for t, spikes in enumerate(sequence):
        for k, layer in enumerate(network.layers):
            body = layer.current
            current = body.norm(F.avg_pool2d(body.conv(spikes), body.pool))
            before = membranes[k]
            membranes[k] = current if before is None else network.layers[0].activations[0].beta * before + current - fired[k]
            spikes = fired[k] = (membranes[k] > 1).float()  # type: ignore[operator]
            assert torch.equal(trace.hidden[k][t], spikes)
        charge += network.readout(spikes.mean((-2, -1)))
        logits = logits_at_every_exit(trace.spikes, trace.membrane, "current")[t]
        assert torch.allclose(logits, charge, atol=1e-5)
    assert 0.05 < float(trace.hidden[1].detach().mean()) < 0.95


def test_the_gradient_of_the_current_read_out_is_that_of_the_charge() -> None:
    current = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(0)).requires_grad_()
    spikes, membrane = lif(current, beta=1.0)
    weight = torch.randn(5, 2, 3, generator=torch.Generator().manual_seed(1))
    (found,) = torch.autograd.grad((weight * logits_at_every_exit(spikes, membrane, "current")).sum(), current)
    (expected,) = torch.autograd.grad((weight * current.cumsum(0)).sum(), current)
    assert torch.allclose(found, expected, atol=1e-6)


@pytest.mark.parametrize("blocks", [TINY, RESIDUAL])
def test_a_code_that_never_changes_gives_what_its_copy_in_memory_gives(blocks: tuple[Block, ...]) -> None:
    network, sequence = _awake(_net(blocks)), encoder("direct", num_steps=3)(_images())
    assert sequence.stride(0) == 0
    once, thrice = network(sequence), network(sequence.contiguous())
    for a, b in zip((*once.hidden, once.spikes), (*thrice.hidden, thrice.spikes), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("cls", [SpikingVGG11, SpikingResNet18])
def test_the_papers_sizes_answer_and_learn(cls: type[SpikingConvNet]) -> None:
    network = cls(in_channels=6)
    model = Classifier(network, encoder("fusion(direct, latency)", num_steps=2), "current")
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    F.cross_entropy(model(images), torch.tensor([0, 1])).backward()  # type: ignore[no-untyped-call]
    assert model(images).shape == (2, 10)
    assert all(p.grad is not None and torch.isfinite(p.grad).all() for p in network.parameters())
    expected = {SpikingVGG11: 9_200_000, SpikingResNet18: 11_200_000}[cls]
    assert abs(sum(p.numel() for p in network.parameters()) - expected) < 0.02 * expected


@pytest.mark.parametrize(
    ("spiking", "twin"), [(SpikingVGG11, VGG11), (SpikingResNet18, ResNet18), (SpikingConvNet, ConvNet)]
)
def test_a_twin_has_the_weights_of_its_spiking_network(spiking: type[SpikingConvNet], twin: type[ConvNet]) -> None:
    assert [(n, p.shape) for n, p in spiking().named_parameters()] == [(n, p.shape) for n, p in twin().named_parameters()]
    assert twin().eval()(torch.rand(2, 3, 32, 32)).shape == (2, 10)


@pytest.mark.parametrize("blocks", [TINY, RESIDUAL])
def test_folding_the_norm_changes_no_answer(blocks: tuple[Block, ...]) -> None:
    network = _awake(_net(blocks))
    model = Classifier(network, encoder("onset", num_steps=4), "current")
    before, _ = model.read(_images())
    fold(network)
    after, _ = model.read(_images())
    assert torch.allclose(before, after, atol=1e-4)
    fold(network)
    assert torch.equal(model.read(_images())[0], after)
    assert not any(isinstance(m, nn.BatchNorm2d) for m in network.modules())


def test_the_norm_gives_currents_the_standard_deviation_of_the_threshold() -> None:
    network = _net(threshold=0.7).train()
    initialise(network, 0)  # as training does
    sequence = encoder("poisson", num_steps=6)(torch.rand(8, 3, 8, 8), generator=torch.Generator().manual_seed(0))
    current = network.layers[0].current(sequence)
    assert torch.allclose(current.mean((0, 1, 3, 4)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(current.std((0, 1, 3, 4), unbiased=False), torch.full((4,), 0.7), atol=1e-2)


@pytest.fixture
def _without_onednn() -> Iterator[None]:
    """PyTorch's own convolutions: with one thread, oneDNN's backward pass frees memory twice on some processors."""
    with torch.backends.mkldnn.flags(enabled=False):
        yield


@pytest.mark.usefixtures("_without_onednn")
def test_checkpointing_changes_memory_alone() -> None:
    gradients, buffers = [], []
    for checkpointing in (False, True):
        network = _net(RESIDUAL, checkpointing=checkpointing).train()
        model = Classifier(network, encoder("latency", num_steps=3), "current")
        F.cross_entropy(model(_images()), torch.tensor([0, 1, 2])).backward()  # type: ignore[no-untyped-call]
        gradients.append(torch.cat([p.grad.flatten() for p in network.parameters() if p.grad is not None]))
        buffers.append(torch.cat([b.flatten() for b in network.buffers()]))
    assert torch.equal(*gradients)
    assert torch.equal(*buffers)  # what is run twice counts once


def test_stored_weights_come_back_and_storing_twice_is_storing_once() -> None:
    network = _awake(_net(RESIDUAL))
    with pytest.raises(ValueError, match="fold the batch norm"):
        packed(network)
    fold(network)
    quantise(network)
    blob = packed(network)
    other = _net(RESIDUAL)
    fold(other)
    read_weights(other, blob, "it")
    for a, b in zip(network.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
    quantise(other)
    assert packed(other) == blob


def test_stored_weights_of_another_architecture_are_refused() -> None:
    network, other = _awake(_net(TINY)), _awake(_net((Block(4, stride=2), Block(8, pool=2))))
    fold(network)
    fold(other)
    with pytest.raises(ValueError, match="the network expects"):
        read_weights(other, packed(network), "it")


@pytest.mark.parametrize("decoder", ["current", "rate", "ttfs"])
def test_attacks_reach_the_image_through_every_read_out_and_leave_the_network_as_it_was(decoder: str) -> None:
    network = _awake(_net())
    model = Classifier(network, encoder("latency", num_steps=4), decoder)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    budget, labels = Budget(0.1), torch.tensor([0, 1, 2])
    found = attack(model, _images(), labels, budget, "fgsm", INFORMED)
    assert found.moved > 0.5
    searched = sa_pgd_attack(model, _images(), labels, budget, steps=3, generator=torch.Generator().manual_seed(0))
    budget.verify(searched.images, _images())
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_one_surrogate_serves_all_neurons_the_read_outs_too() -> None:
    network = _awake(_net())
    model = Classifier(network, encoder("direct", num_steps=3), "ttfs")

    def gradient() -> Tensor:
        leaf = _images().requires_grad_()
        return torch.autograd.grad(model(leaf).sum(), leaf)[0]

    own = gradient()
    with use_surrogate(network, Surrogate("arctan", 1.0)):
        other = gradient()
    assert not torch.allclose(own, other)
    assert torch.equal(gradient(), own)


def test_energy_by_hand() -> None:
    """One 3 x 3 kernel layer of 4 channels, stride 2, on 4 x 4 pixels: output 2 x 2.

    An ANN multiplies wherever a kernel's window lies on the image: windows at rows and columns 0, 2 with padding 1 see
    rows {0, 1} and {1, 2, 3}: 2 + 3 = 5 each way, 25 pixels in all, 3 channels, 4 kernels: 300, and 4 x 10 for the read-out.
    """
    blocks = (Block(4, stride=2),)
    ann = Classifier(ConvNet(blocks))
    assert energy(ann, torch.rand(2, 3, 4, 4)).macs.tolist() == [[340.0, 340.0]]

    network = _net(blocks)
    fold(network)
    network.layers[0].current.conv.weight.data.zero_()
    network.layers[0].current.conv.bias.data.fill_(2.0)  # every hidden neuron fires at every step
    one = torch.zeros(1, 3, 4, 4)
    one[0, 0, 1, 1] = 1.0  # seen by all four windows, fires at t = 0
    found = energy(Classifier(network, encoder("latency", num_steps=2), "current"), one)
    assert found.macs.tolist() == [[0.0], [0.0]]
    assert found.synops.tolist() == [[4 * 4 + 16 * 10.0], [4 * 4 + 2 * 16 * 10.0]]
    direct = energy(Classifier(network, encoder("direct", num_steps=2), "current"), one)
    assert direct.macs.tolist() == [[300.0], [300.0]]  # computed once


def test_wrong_sequences_and_blocks_are_refused_with_their_shapes() -> None:
    with pytest.raises(ValueError, match=r"C=3 channels, got shape \[2, 1, 1, 8, 8\]"):
        _net()(torch.zeros(2, 1, 1, 8, 8))
    with pytest.raises(ValueError, match="at least one block"):
        SpikingConvNet(())
    with pytest.raises(ValueError, match="must be at least 1"):
        Block(0)


def test_the_control_reads_all_steps_at_once_and_answers_once() -> None:
    """No neurons and no time: an ordinary network on the channels of all steps, which says nothing before the last."""
    torch.manual_seed(0)
    network = CodedConvNet((Block(4), Block(6)), in_channels=3, num_steps=2).eval()
    classifier = Classifier(network, encoder("latency", num_steps=2), "current")
    images = torch.rand(5, 3, 8, 8)
    sequence = classifier.encode(images)
    ordinary = ConvNet((Block(4), Block(6)), in_channels=6).eval()
    ordinary.load_state_dict(network.state_dict())
    logits = classifier.read(images)[0]
    assert torch.equal(logits[-1], ordinary(torch.cat([sequence[0], sequence[1]], dim=1)))
    assert not logits[0].any()
    with pytest.raises(ValueError, match="C=6 channels"):
        network(sequence[:1])
