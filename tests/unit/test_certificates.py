"""Certificates: nothing is proved that is false, and on tiny networks the complete method decides every image."""

from itertools import pairwise, product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attacks import Budget, attack
from snnlab.attacks.registry import ATTACKS
from snnlab.encoding import encoder
from snnlab.evaluation.certificates import certify
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import Block, ConvNet, SpikingConvNet
from snnlab.networks.decoding import DECODERS
from snnlab.zoo.networks import CodedMLP

KNOWN = st.sampled_from(("onset", "latency", "offset", "phase", "negative(latency)", "fusion(onset, 0.5*latency)"))
#: codes that a reader paints: any train at any level, in no order
PAINTED = st.lists(st.text("01", min_size=3, max_size=3), min_size=2, max_size=6).map(lambda r: f"table(rows={' '.join(r)})")


def corner_images(classifier: Classifier, image: Tensor, eps: float) -> Tensor:
    """Return one image for every combination of trains that the pixels of ``image`` ``[1, 1, H, W]`` can reach."""
    table = classifier.encoder.table
    low, high = (image - eps).clamp(min=0), (image + eps).clamp(max=1)
    first, last = (ends.flatten().tolist() for ends in table.reachable(low, high))
    choices = []
    for pixel, (a, b) in enumerate(zip(first, last, strict=True)):
        ends = [torch.maximum(table.lower[k], low.flatten()[pixel]) for k in range(a, b + 1)]
        choices.append([float(torch.minimum(end, high.flatten()[pixel])) for end in ends])
    return torch.tensor(list(product(*choices))).view(-1, *image.shape[1:])


@st.composite
def tiny(draw: st.DrawFn, codes: st.SearchStrategy[str] = KNOWN) -> Classifier:
    code = encoder(draw(codes), num_steps=3)
    generator = torch.Generator().manual_seed(draw(st.integers(0, 2**31)))
    network = SpikingMLP(
        (4 * code.channel_factor, draw(st.integers(1, 5)), 3),
        beta=draw(st.sampled_from([0.0, 0.5, 0.9, 1.0])),
        threshold=draw(st.sampled_from([0.5, 1.0])),
        reset=draw(st.sampled_from(["subtract", "zero", "none"])),
    )
    for parameter in network.parameters():
        nn.init.normal_(parameter, 0.1, draw(st.sampled_from([0.3, 1.0])), generator=generator)
    return Classifier(network, code, draw(st.sampled_from(DECODERS)), generator=generator)


@settings(max_examples=60)
@given(tiny() | tiny(PAINTED), st.sampled_from([0.02, 0.1, 0.3]), st.integers(0, 2**31))
def test_nothing_is_proved_that_enumeration_refutes(classifier: Classifier, eps: float, seed: int) -> None:
    image = torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        predicted = classifier.predict(image)  # [T, 1]
        everything = classifier.predict(corner_images(classifier, image, eps))
        logits, _ = classifier.read(corner_images(classifier, image, eps))
    label = predicted[-1].clamp(min=0)
    certificate = certify(classifier, image, label, Budget(eps))
    safe = (everything == label).all(1)
    assert not (certificate.proved_at_every_exit[:, 0] & ~safe).any()
    apart = logits - logits.gather(2, label.expand(*logits.shape[:2]).unsqueeze(2))
    assert (apart <= certificate.differences + 1e-6).all()


def test_an_ordinary_network_behind_a_code_is_bounded_at_its_last_step() -> None:
    generator = torch.Generator().manual_seed(5)
    classifier = Classifier(CodedMLP((3 * 4, 8, 3)), encoder("onset", num_steps=3), "membrane")
    for parameter in classifier.network.parameters():
        nn.init.normal_(parameter, 0.0, 0.5, generator=generator)
    for _ in range(40):
        image = torch.rand(1, 1, 2, 2, generator=generator)
        with torch.no_grad():
            label = classifier.predict(image)[-1]
            logits = classifier.read(corner_images(classifier, image, 0.1))[0][-1]
            others = classifier.predict(corner_images(classifier, image, 0.1))[-1]
        certificate = certify(classifier, image, label, Budget(0.1))
        assert (logits - logits[:, label] <= certificate.differences[-1] + 1e-6).all()
        assert not certificate.proved_at_every_exit[:-1].any()
        assert not bool(certificate.proved) or bool((others == label).all())


@pytest.mark.slow
@settings(max_examples=40)
@given(tiny() | tiny(PAINTED), st.sampled_from([0.05, 0.2]), st.integers(0, 2**31))
def test_the_complete_method_decides_tiny_networks(classifier: Classifier, eps: float, seed: int) -> None:
    image = torch.rand(1, 1, 2, 2, generator=torch.Generator().manual_seed(seed))
    with torch.no_grad():
        label = classifier.predict(image)[-1].clamp(min=0)
        outputs = corner_images(classifier, image, eps)
        safe = bool((classifier.predict(outputs)[-1] == label).all())
        logits = classifier.read(outputs)[0][-1]
    certificate = certify(classifier, image, label, Budget(eps), time_limit=20)
    assert bool(certificate.refuted) != safe or bool(certificate.open)
    if certificate.refuted:
        Budget(eps).verify(certificate.counterexamples, image)
        assert classifier.predict(certificate.counterexamples)[-1] != label
    others = logits.scatter(1, label.expand(len(logits), 1), -torch.inf).amax(1)
    tied = (others >= logits[:, int(label)] - 1e-4).any()  # a tie that the potential decides, or rounding
    if not tied or not safe:
        assert not bool(certificate.open)


def test_a_larger_budget_proves_nothing_new() -> None:
    digits, model = data.load("mnist5k").test[:30], zoo.load("latency")
    counts = []
    for eps in (0.0, 0.005, 0.01, 0.02, 0.05):
        certificate = certify(model, digits.images, digits.labels, Budget(eps))
        counts.append(certificate.proved_at_every_exit)
    for smaller, larger in pairwise(counts):
        assert not (larger & ~smaller).any()


def test_without_a_budget_all_that_is_read_clearly_is_proved() -> None:
    digits, model = data.load("mnist5k").test[:50], zoo.load("onset")
    certificate = certify(model, digits.images, digits.labels, Budget(0.0))
    top = model.read(digits.images)[0][-1].topk(2).values
    clear = (top[:, 0] > top[:, 1]) & ~certificate.refuted
    assert torch.equal(certificate.proved, clear)


@pytest.mark.parametrize("name", ["onset", "latency", "ann", "fusion-onset-latency"])
def test_no_attack_contradicts_a_proof(name: str) -> None:
    digits, model, budget = data.load("mnist5k").test[:40], zoo.load(name), Budget(0.01)
    certificate = certify(model, digits.images, digits.labels, budget)
    assert certificate.proved.sum() >= 2
    attacked = attack(model, digits.images, digits.labels, budget, "sa_pgd", generator=torch.Generator().manual_seed(0))
    assert not (attacked.success & certificate.proved).any()


@pytest.mark.parametrize("spiking", [True, False])
def test_convolutions_are_bounded(spiking: bool) -> None:
    """Random images inside the budget stay inside the bounds, with batch norm, pooling and a shortcut."""
    generator = torch.Generator().manual_seed(3)
    blocks = (Block(4, pool=2), Block(4, shortcut=True), Block(6, stride=2, shortcut=True))
    network = SpikingConvNet(blocks, in_channels=1, classes=3) if spiking else ConvNet(blocks, in_channels=1, classes=3)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.3, 0.3, generator=generator)
            nn.init.uniform_(module.running_var, 0.2, 2.0, generator=generator)
    classifier = (
        Classifier(network.eval(), encoder("latency", num_steps=4), "current") if spiking else Classifier(network.eval())
    )
    images = torch.rand(2, 1, 8, 8, generator=generator)
    labels, eps = torch.tensor([0, 2]), 0.1
    bound = certify(classifier, images, labels, Budget(eps)).differences
    for _ in range(200):
        sign = torch.randint(-1, 2, images.shape, generator=generator)
        with torch.no_grad():
            logits = classifier.read((images + eps * sign).clamp(0, 1))[0]
        apart = logits - logits.gather(2, labels.view(1, 2, 1).expand(len(logits), 2, 1))
        assert (apart <= bound + 1e-6).all()


def test_a_linear_network_is_bounded_exactly() -> None:
    network = MLP((4, 2))
    classifier, image, label, eps = Classifier(network), torch.full((1, 1, 2, 2), 0.5), torch.tensor([0]), 0.1
    weight, bias = network.layers[0].weight.detach().double(), network.layers[0].bias.detach().double()
    expected = ((weight[1] - weight[0]) * 0.5).sum() + bias[1] - bias[0] + eps * (weight[1] - weight[0]).abs().sum()
    assert certify(classifier, image, label, Budget(eps)).differences[0, 0, 1] == pytest.approx(float(expected), abs=1e-4)


@pytest.mark.parametrize(
    ("classifier", "budget", "says"),
    [
        (lambda: zoo.load("onset"), Budget(1.0, "L2"), "L∞"),
        (lambda: zoo.load("poisson"), Budget(0.1), "no bound known for the code 'poisson'"),
        (lambda: Classifier(nn.Sequential(nn.Flatten(), nn.Linear(784, 10))), Budget(0.1), "no bound known for a network"),
        (lambda: Classifier(MLP(), levels=256), Budget(0.1), "rounded"),
    ],
)
def test_what_has_no_bound_is_never_proved(classifier, budget: Budget, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        certify(classifier(), torch.rand(1, 1, 28, 28), torch.tensor([0]), budget)


@pytest.mark.parametrize("method", sorted(name for name, of in ATTACKS.items() if not of.control))
def test_no_registered_attack_contradicts_a_proof_of_a_small_network(method: str) -> None:
    generator = torch.Generator().manual_seed(3)
    images, labels = torch.rand(12, 1, 2, 2, generator=generator), torch.randint(3, (12,), generator=generator)
    proved_any = False
    for code in ("onset", "latency", "direct"):
        network = SpikingMLP((4, 5, 3), beta=0.5, reset="none")
        for parameter in network.parameters():
            nn.init.normal_(parameter, 0.1, 1.0, generator=generator)
        classifier = Classifier(network, encoder(code, num_steps=3), "membrane")
        labels = classifier.predict(images)[-1].clamp(min=0)
        for eps in (0.02, 0.2):
            if not ATTACKS[method].suits(classifier):
                continue
            proved = certify(classifier, images, labels, Budget(eps)).proved
            found = attack(classifier, images, labels, Budget(eps), method, generator=generator)
            assert not bool((found.success & proved).any())
            proved_any |= bool(proved.any())
    assert proved_any or method not in ("pgd", "sa_pgd", "spike_train")
