"""The door for any network: every form that people write is recognised, run, attacked, and flagged where something is odd."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from snntorch import spikegen, surrogate, utils
from snntorch.functional.acc import _population_code
from torch import Tensor, nn

from snnlab import Budget, Classifier, SpikingMLP, attack, encoder, evaluate_robustness
from snnlab.attacks import ENSEMBLE, INFORMED, NAIVE, input_gradient
from snnlab.data import Split
from snnlab.encoding import check_images
from snnlab.evaluation.flags import kind_of
from snnlab.evaluation.sanity_checks import inspect
from snnlab.networks.adapters import Adapted, as_batch, as_images, as_labels, describe
from snnlab.networks.classifier import MLP
from snnlab.networks.contexts import preserve_buffers, reset_state, use_surrogate
from snnlab.networks.surrogate import Surrogate
from snnlab.widgets import ExitExplorer, RobustnessExplorer, TrainingExplorer

PIXELS, HIDDEN, STEPS = 64, 12, 25


class Tutorial5(nn.Module):
    """A flat image in, 25 steps inside, two stacks out: snnTorch's tutorial 5."""

    def __init__(self, outputs: int = 10, dim: int = 0, num_steps: int = STEPS, only_logits: bool = False) -> None:
        super().__init__()
        self.dim, self.num_steps, self.only_logits = dim, num_steps, only_logits
        self.fc1, self.lif1 = nn.Linear(PIXELS, HIDDEN), snn.Leaky(beta=0.95)
        self.fc2, self.lif2 = nn.Linear(HIDDEN, outputs), snn.Leaky(beta=0.95)

    def forward(self, x: Tensor) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk2_rec, mem2_rec = [], []
        for _ in range(self.num_steps):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        spikes, membrane = torch.stack(spk2_rec, dim=self.dim), torch.stack(mem2_rec, dim=self.dim)
        return spikes.sum(self.dim) if self.only_logits else (spikes, membrane)


def tutorial_6() -> nn.Sequential:
    """One step of a conv network with hidden state, looped by its user: snnTorch's tutorial 6."""
    neuron = {"beta": 0.5, "spike_grad": surrogate.fast_sigmoid(slope=25), "init_hidden": True}
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 3), snn.Leaky(**neuron), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(4 * 9, 10), snn.Leaky(**neuron, output=True)),
    )


class Loop(nn.Module):
    """A sequence in: time or batch first, in and out; spikes and membrane in either order; or logits at the end."""

    def __init__(self, dim: int = 0, batch_first: bool = False, only_logits: bool = False, swapped: bool = False) -> None:
        super().__init__()
        self.dim, self.batch_first, self.only_logits, self.swapped = dim, batch_first, only_logits, swapped
        self.fc1, self.lif1 = nn.Linear(PIXELS, HIDDEN), snn.Leaky(beta=0.95)
        self.fc2, self.lif2 = nn.Linear(HIDDEN, 10), snn.Leaky(beta=0.95)

    def forward(self, x: Tensor) -> Any:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spk2_rec, mem2_rec = [], []
        for step in x.unbind(1 if self.batch_first else 0):
            spk1, mem1 = self.lif1(self.fc1(step.flatten(1)), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        spikes, membrane = torch.stack(spk2_rec, dim=self.dim), torch.stack(mem2_rec, dim=self.dim)
        if self.only_logits:
            return spikes.sum(self.dim)
        return (membrane, spikes) if self.swapped else (spikes, membrane)


class Recurrent(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(PIXELS, HIDDEN), snn.RLeaky(beta=0.9, linear_features=HIDDEN)
        self.fc2, self.lif2 = nn.Linear(HIDDEN, 10), snn.Leaky(beta=0.9)

    def forward(self, x: Tensor) -> Tensor:
        spk1, mem1 = self.lif1.init_rleaky()
        mem2, spikes = self.lif2.init_leaky(), []
        for step in x:
            spk1, mem1 = self.lif1(self.fc1(step.flatten(1)), spk1, mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
        return torch.stack(spikes)


class EncodesInside(nn.Module):
    def __init__(self, code: str) -> None:
        super().__init__()
        self.code, self.fc, self.lif = code, nn.Linear(PIXELS, 10), snn.Leaky(beta=0.9)

    def forward(self, x: Tensor) -> Tensor:
        steps = {
            "rate": lambda: spikegen.rate(x.flatten(1), 10),
            "latency": lambda: spikegen.latency(x.flatten(1), 10, normalize=True, linear=True),
        }[self.code]()
        mem, counts = self.lif.init_leaky(), torch.zeros(())
        for step in steps:
            spikes, mem = self.lif(self.fc(step), mem)
            counts = counts + spikes
        return counts


class Node(nn.Module):
    """A neuron that looks like SpikingJelly's: ``surrogate_function``, state ``v``, ``reset``."""

    def __init__(self) -> None:
        super().__init__()
        self.surrogate_function, self.v = Surrogate("sigmoid", 4.0), 0.0

    def reset(self) -> None:
        self.v = 0.0

    def forward(self, x: Tensor) -> Tensor:
        self.v = self.v + (x - self.v) / 2.0
        spikes = self.surrogate_function(self.v - 0.2)
        self.v = (1 - spikes) * self.v
        return spikes


class HandWritten(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return (x > 0).float()

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return grads[0]


class OwnSpike(nn.Module):
    """Spikes by an autograd function that no attacker can exchange."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(PIXELS, HIDDEN), nn.Linear(HIDDEN, 10)

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.fc2(HandWritten.apply(self.fc1(x.flatten(1))))  # type: ignore[no-untyped-call]
        return logits


def ann() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 10))


def stepped_nodes() -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, HIDDEN), Node(), nn.Linear(HIDDEN, 10), Node())


def parallel() -> nn.Sequential:
    return nn.Sequential(snn.LeakyParallel(PIXELS, HIDDEN), nn.Linear(HIDDEN, HIDDEN), snn.LeakyParallel(HIDDEN, 10))


class AllSteps(nn.Module):
    """Flat images in, two of snnTorch's neurons that take all steps at once, spikes and membrane out."""

    def __init__(self, inner: nn.Module, outer: nn.Module) -> None:
        super().__init__()
        self.inner, self.between, self.outer = inner, nn.Linear(HIDDEN, 10), outer

    def forward(self, x: Tensor) -> Any:
        return self.outer(self.between(self.inner(x)[0]))


def linear_leaky() -> nn.Module:
    hidden = snn.LinearLeaky(beta=0.9, in_features=PIXELS, out_features=HIDDEN, output=True)
    return AllSteps(hidden, snn.LinearLeaky(beta=0.9, in_features=10, out_features=10, output=True))


def state_leaky() -> nn.Module:
    hidden = snn.LinearLeaky(beta=0.9, in_features=PIXELS, out_features=HIDDEN, output=True)
    return AllSteps(hidden, snn.StateLeaky(beta=0.9, channels=10, output=True))


PICTURES = "[N, C, H, W]"
FORMS: dict[str, tuple[Callable[[], nn.Module], str]] = {
    "tutorial 5": (Tutorial5, "takes an image, shows it at every step [N, pixels]: T = 25, code direct"),
    "three steps inside": (lambda: Tutorial5(num_steps=3), "shows it at every step [N, pixels]: T = 3"),
    "tutorial 5, batch first": (lambda: Tutorial5(dim=1), "[N, pixels], batch-first stacks: T = 25"),
    "tutorial 5, logits": (
        lambda: Tutorial5(only_logits=True),
        "takes an image [N, pixels], 25 steps inside: logits, 10 outputs",
    ),
    "tutorial 6": (
        tutorial_6,
        f"reads one step at a time {PICTURES}: T = 8 (assumed), code direct, read-out rate, 10 outputs",
    ),
    "sequence": (Loop, "reads a sequence [T, N, C, H, W]: T = 8 (assumed)"),
    "batch-first stacks": (lambda: Loop(dim=1), "reads a sequence [T, N, C, H, W], batch-first stacks: T = 8"),
    "batch first": (lambda: Loop(dim=1, batch_first=True), "reads a sequence [N, T, C, H, W], batch-first stacks: T = 8"),
    "batch first in": (lambda: Loop(batch_first=True), "reads a sequence [N, T, C, H, W]: T = 8"),
    "logits at the end": (lambda: Loop(only_logits=True), "reads a sequence, answers at its end [T, N, C, H, W]: T = 8"),
    "membrane first": (lambda: Loop(swapped=True), "reads a sequence [T, N, C, H, W]: T = 8"),
    "recurrent": (Recurrent, "reads a sequence [T, N, C, H, W]: T = 8"),
    "time-parallel": (parallel, "reads a sequence [T, N, pixels]: T = 8"),
    "StateLeaky": (state_leaky, "reads a sequence [T, N, pixels]: T = 8"),
    "LinearLeaky": (linear_leaky, "reads a sequence [T, N, pixels]: T = 8"),
    "rate inside": (lambda: EncodesInside("rate"), "takes an image [N, C, H, W], 10 steps inside: logits, 10 outputs"),
    "latency inside": (lambda: EncodesInside("latency"), "takes an image [N, C, H, W], 10 steps inside: logits, 10 outputs"),
    "look-alike of SpikingJelly": (stepped_nodes, f"reads one step at a time {PICTURES}: T = 8"),
    "own spikes": (OwnSpike, "takes an image [N, C, H, W]: logits, 10 outputs"),
    "ANN": (ann, "takes an image [N, C, H, W]: logits, 10 outputs"),
    "flat ANN": (lambda: nn.Linear(PIXELS, 10), "takes an image [N, pixels]: logits, 10 outputs"),
    "our ANN": (lambda: MLP((PIXELS, 10)), "takes an image [N, C, H, W]: logits"),
    "our network": (
        lambda: SpikingMLP((PIXELS, HIDDEN, 10)),
        "reads a sequence [T, N, C, H, W]: T = 8 (assumed), code direct",
    ),
}


@pytest.fixture
def batch() -> Split:
    generator = torch.Generator().manual_seed(0)
    return Split(torch.rand(12, 1, 8, 8, generator=generator), torch.arange(12) % 10, 10)


def made(name: str) -> nn.Module:
    """A network with weights large enough to fire."""
    torch.manual_seed(1)
    network = FORMS[name][0]().eval()
    for parameter in network.parameters():
        if parameter.dim() > 1:
            parameter.data.mul_(3)
    return network


@pytest.mark.parametrize("name", FORMS)
def test_a_network_is_taken_for_what_it_is(name: str, batch: Split) -> None:
    assert FORMS[name][1] in describe(Classifier.of(made(name), batch.images))


def by_hand(name: str, network: nn.Module, images: Tensor) -> Tensor:
    """Logits as the network's author computes them."""
    if name == "tutorial 6":
        utils.reset(network)
        return torch.stack([network(images)[0] for _ in range(8)]).sum(0)
    if name in ("tutorial 5", "three steps inside"):
        return network(images.flatten(1))[0].sum(0)  # type: ignore[no-any-return]
    if name == "tutorial 5, logits":
        return network(images.flatten(1))  # type: ignore[no-any-return]
    if name == "sequence":
        return network(images.expand(8, *images.shape))[0].sum(0)  # type: ignore[no-any-return]
    if name == "tutorial 5, batch first":
        return network(images.flatten(1))[0].sum(1)  # type: ignore[no-any-return]
    steps = images.expand(8, *images.shape)
    if name == "batch-first stacks":
        return network(steps)[0].sum(1)  # type: ignore[no-any-return]
    if name == "batch first":
        return network(steps.transpose(0, 1))[0].sum(1)  # type: ignore[no-any-return]
    if name == "batch first in":
        return network(steps.transpose(0, 1))[0].sum(0)  # type: ignore[no-any-return]
    if name == "membrane first":
        return network(steps)[1].sum(0)  # type: ignore[no-any-return]
    if name == "logits at the end":
        return network(steps)  # type: ignore[no-any-return]
    if name.endswith("Leaky"):
        return network(steps.flatten(2))[0].sum(0)  # type: ignore[no-any-return]
    if name == "time-parallel":
        return network(steps.flatten(2)).sum(0)  # type: ignore[no-any-return]
    if name == "recurrent":
        return network(steps).sum(0)  # type: ignore[no-any-return]
    return network(images)  # type: ignore[no-any-return]


@pytest.mark.case(
    "snnTorch's tutorials 5 and 6 as they are written",
    "batch-first stacks with as many samples as steps",
    "time-parallel neurons",
)
@pytest.mark.parametrize(
    "name", [name for name in FORMS if "inside" not in name.split() and "our" not in name and "look" not in name]
)
@pytest.mark.parametrize("num", [1, 8, 12])  # 8 images are as many as steps
def test_its_answers_are_those_of_its_author(name: str, num: int, batch: Split) -> None:
    network, images = made(name), batch.images[:num]
    with torch.no_grad():
        expected = by_hand(name, network, images) if name != "flat ANN" else network(images.flatten(1))
        result = Classifier.of(network, images)(images)
    assert expected.abs().sum() > 0
    assert torch.allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("name", ["tutorial 5", "tutorial 6", "sequence", "batch first", "recurrent"])
def test_every_exit_reads_the_steps_before_it(name: str, batch: Split) -> None:
    classifier = Classifier.of(made(name), batch.images)
    whole, _ = classifier.read(batch.images)
    assert len(whole) == (STEPS if name == "tutorial 5" else 8)
    assert torch.allclose(classifier.at(exit_step=3)(batch.images), whole[2])


@pytest.mark.case("attacks inside no_grad or inference_mode", "time-parallel neurons under SA-PGD")
@pytest.mark.parametrize("name", [name for name in FORMS if name.split()[-1] != "inside"])
def test_it_is_attacked_inside_no_grad_and_left_as_it_was(name: str, batch: Split) -> None:
    network = made(name).train()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    with torch.no_grad():
        result = attack(network, batch, Budget(0.1), "sa_pgd", steps=2)
    with torch.inference_mode():
        attack(network, batch.images.clone(), batch.labels, Budget(0.1), "pgd", steps=2)
    assert result.images.shape == batch.images.shape
    assert network.training
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())


@pytest.mark.case("time-parallel neurons in a suite")
@pytest.mark.parametrize("name", ["time-parallel", "StateLeaky", "LinearLeaky"])
def test_neurons_that_take_all_steps_at_once_go_through_a_suite(name: str, batch: Split) -> None:
    found = evaluate_robustness(made(name), batch[:4], [0, 0.1], "quick", progress=False)
    assert found.count("worst", eps=0.1) <= found.count("worst", eps=0.0)


@pytest.mark.case("one image through batch norm in training mode")
def test_batch_norm_that_was_left_in_training_mode_is_flagged_and_one_image_alone_is_refused(batch: Split) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(PIXELS, 12), nn.BatchNorm1d(12), nn.Linear(12, 10)).train()
    for method in ("pgd", "sa_pgd", "square"):
        with pytest.raises(ValueError, match="when training"):
            attack(network, batch[:1], Budget(0.1), method)
        assert network.training
        assert attack(network.eval(), batch[:1], Budget(0.1), method).success.shape == (1,)
        network.train()
    assert [kind_of(note).name for note in inspect(Classifier.of(network, batch.images), batch.images, batch.labels)] == [
        "training_mode"
    ]


@pytest.mark.case("an attack where nothing is right")
@pytest.mark.parametrize("method", ["square", "pgd", "sa_pgd"])
def test_where_every_answer_is_wrong_already_nothing_is_left_to_attack(method: str, batch: Split) -> None:
    network = made("ANN")
    wrong = (network(batch.images).argmax(1) + 1) % 10
    assert attack(network, batch.images, wrong, Budget(0.05), method).success.all()


@pytest.mark.case("a network on another device than the images")
def test_images_and_labels_follow_the_network_to_its_device(batch: Split) -> None:
    images, labels = as_batch(made("ANN").to("meta"), batch.images, batch.labels.tolist())
    assert {images.device.type, labels.device.type} == {"meta"}
    assert as_batch(nn.Flatten(), batch.images, batch.labels)[0].device == batch.images.device  # it has no weights


@pytest.mark.case("a hidden state that nobody resets")
@pytest.mark.parametrize("name", ["tutorial 6", "look-alike of SpikingJelly"])
def test_a_state_that_nobody_resets_is_reset_at_the_door(name: str, batch: Split) -> None:
    classifier = Classifier.of(made(name), batch.images, num_steps=6)
    assert torch.equal(classifier(batch.images), classifier(batch.images))
    assert inspect(classifier, batch.images, batch.labels) == []


@pytest.mark.case("neurons with surrogate_function and v, as SpikingJelly's")
def test_the_surrogate_of_a_look_alike_is_exchanged(batch: Split) -> None:
    classifier = Classifier.of(made("look-alike of SpikingJelly"), batch.images)
    gradients = []
    for attacker in (NAIVE, INFORMED):
        with attacker.view(classifier) as view:
            gradients.append(input_gradient(view, batch.images, batch.labels))
    assert not torch.allclose(*gradients)
    assert inspect(classifier, batch.images, batch.labels)[0].startswith("number of steps not named")


def flagged(network: nn.Module, batch: Split, **options: Any) -> list[str]:
    classifier = Classifier.of(network, batch.images, **options)
    return [kind_of(note).name for note in inspect(classifier, batch.images, batch.labels, batch.num_classes)]


class Softmax(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.inner = made("ANN")

    def forward(self, x: Tensor) -> Tensor:
        return torch.softmax(self.inner(x), -1)


@pytest.mark.case(
    "softmax at the output",
    "100 outputs for 10 classes",
    "a number of steps that nobody named",
    "a surrogate that cannot be exchanged",
)
def test_what_is_odd_about_a_network_is_flagged(batch: Split) -> None:
    assert flagged(made("own spikes"), batch) == ["surrogate_not_replaced"]
    assert flagged(Softmax(), batch) == ["softmax"]
    assert flagged(made("sequence"), batch) == ["steps_assumed"]
    assert flagged(made("sequence"), batch, num_steps=9) == []
    assert flagged(made("tutorial 5"), batch) == []
    torch.manual_seed(0)
    wide = Tutorial5(outputs=100)
    assert flagged(wide, batch) == ["outputs_and_classes"]
    assert flagged(wide, batch, population=10) == []
    assert [kind_of(note).name for note in inspect(Classifier.of(wide, batch.images), batch.images, batch.labels)] == [
        "outputs_and_classes"
    ]


@pytest.mark.case("population codes")
def test_populations_are_pooled_as_snntorch_pools_them(batch: Split) -> None:
    torch.manual_seed(0)
    network = Tutorial5(outputs=100).eval()
    for parameter in network.parameters():
        parameter.data.mul_(2)
    classifier = Classifier.of(network, batch.images, population=10)
    with torch.no_grad():
        spikes = network(batch.images.flatten(1))[0]
    pooled = _population_code(spikes, 10, 100)
    assert pooled.sum() > 0
    assert torch.equal(classifier(batch.images), pooled)
    assert "100 outputs in populations of 10" in describe(classifier)
    for population, words in ((7, "cannot be shared"), (0, "at least 1"), ("ten", "at least 1")):
        with pytest.raises(ValueError, match=words):
            Classifier.of(network, batch.images, population=population)


@pytest.mark.case("networks that encode inside")
@pytest.mark.parametrize("name", ["rate inside", "latency inside"])
def test_a_network_that_encodes_inside_is_attacked_without_gradients(name: str, batch: Split) -> None:
    result = evaluate_robustness(made(name), batch, [0, 0.1], progress=False)
    if name == "latency inside":  # of a random code the zero gradient is torch's answer, so it is flagged where answers move
        assert result.suite == "gradient_free"
        assert "no_gradient" in [kind_of(note).name for note in result.flags["worst"]]
        with pytest.raises(ValueError, match="gradient_free"):
            attack(made(name), batch, Budget(0.1), "pgd")
    assert result.count("worst", eps=0.1) <= result.count("worst", eps=0.0)


def test_a_suite_without_gradients_can_be_asked_for(batch: Split) -> None:
    assert set(evaluate_robustness(made("ANN"), batch, [0, 0.1], "gradient_free", progress=False).attacks) == {
        "noise", "square_search", "worst",
    }  # fmt: skip


@pytest.mark.case("refusals that lead in a circle")
@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("tutorial 5", {"code": "latency"}, "takes an image and runs 25 steps inside"),
        ("tutorial 5", {"num_steps": 8}, "runs 25 steps inside, got num_steps = 8; leave it out"),
        ("ANN", {"code": "onset"}, "takes an image, not a sequence; leave out the code 'onset'"),
        ("sequence", {"code": "none"}, "leave out the code 'none'"),
        ("sequence", {"code": "morse"}, "unknown encoding 'morse'"),
    ],
)
def test_what_does_not_fit_is_refused_with_a_way_on(name: str, options: dict[str, Any], says: str, batch: Split) -> None:
    with pytest.raises(ValueError, match=says):
        Classifier.of(made(name), batch.images, **options)
    assert Classifier.of(made(name), batch.images)(batch.images).shape == (12, 10)  # the way on is one


class Odd(nn.Module):
    def __init__(self, output: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.output = output

    def forward(self, x: Tensor) -> Any:
        return self.output(x)


@pytest.mark.parametrize(
    "output",
    [
        lambda x: None,
        lambda x: {"scores": x},
        lambda x: torch.zeros(7),
        lambda x: x.mean(),
        lambda x: (torch.zeros(5, len(x), 4), torch.zeros(5, len(x), 4), torch.zeros(5, len(x), 4)),
        lambda x: x.flatten(1).mean(0, keepdim=True).expand(len(x), -1),  # one sample changes the others
        lambda x: 1 / 0,
    ],
)
def test_a_network_of_no_form_is_refused_in_one_line(output: Callable[[Tensor], Any], batch: Split) -> None:
    with pytest.raises(ValueError, match="no known form fits the network") as caught:
        Classifier.of(Odd(output), batch.images)
    assert "\n" not in str(caught.value)


@pytest.mark.case("a model that returns a tuple or a dict")
def test_logits_beside_other_outputs_are_taken(batch: Split) -> None:
    inner = made("ANN")
    for output in (lambda x: (inner(x), x.flatten(1)), lambda x: {"logits": inner(x), "loss": x.mean()}):
        classifier = Classifier.of(Odd(output), batch.images)
        assert torch.equal(classifier(batch.images), inner(batch.images))


def test_a_network_of_one_length_is_probed_at_that_length(batch: Split) -> None:
    fixed = Odd(lambda x: x.transpose(0, 1).reshape(x.shape[1], 5 * PIXELS)[:, :10])
    classifier = Classifier.of(nn.Sequential(fixed), batch.images, code="onset", num_steps=5)
    assert "answers at its end" in describe(classifier)
    assert classifier(batch.images).shape == (12, 10)


def test_a_probe_changes_nothing(batch: Split) -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Dropout(), nn.Flatten(), nn.Linear(144, 10)).train()
    before, state = {key: value.clone() for key, value in network.state_dict().items()}, torch.random.get_rng_state()
    Classifier.of(network, batch.images)
    assert all(module.training for module in network.modules())
    assert torch.equal(state, torch.random.get_rng_state())
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
    assert not any(module._forward_pre_hooks for module in network.modules())


def test_an_image_that_is_shown_at_every_step_cannot_change(batch: Split) -> None:
    classifier = Classifier.of(made("tutorial 5"), batch.images)
    assert isinstance(classifier.network, Adapted)
    with pytest.raises(ValueError, match="cannot read a sequence that changes"):
        classifier.respond(torch.rand(STEPS, 2, 1, 8, 8))


@given(
    st.lists(st.integers(0, 9), min_size=1, max_size=12),
    st.sampled_from(["int32", "uint8", "int16", "list", "numpy", "hot"]),
)
def test_labels_of_any_kind_are_the_same_labels(values: list[int], kind: str) -> None:
    expected = torch.tensor(values)
    given_as = {
        "list": lambda: values,
        "numpy": lambda: np.array(values),
        "hot": lambda: nn.functional.one_hot(expected, 10),
    }.get(kind, lambda: expected.to(getattr(torch, kind)))()
    result = as_labels(given_as)
    assert result.dtype == torch.int64
    assert torch.equal(result, expected)


@pytest.mark.case("images outside [0, 1] by rounding, or normalised")
@given(st.floats(-1e-6, 1e-6), st.floats(1e-5, 1))
def test_rounding_outside_the_range_is_clipped_and_nothing_else(small: float, large: float) -> None:
    images = torch.tensor([0.0 - abs(small), 0.5, 1.0 + abs(small)]).view(1, 1, 1, 3)
    assert as_images(images).aminmax() == (0, 1)
    inside = images.clamp(0, 1)
    assert as_images(inside) is inside
    with pytest.raises(ValueError, match="put a normalisation into the network"):
        check_images(as_images(images - 2e-6 - large))


@pytest.mark.case("int32, one-hot and listed labels")
@pytest.mark.parametrize("method", ["fgsm", "pgd", "mifgsm", "apgd", "sa_pgd", "square", "noise"])
@pytest.mark.parametrize("kind", ["int32", "one-hot", "list"])
def test_every_attack_takes_labels_of_any_kind(method: str, kind: str, batch: Split) -> None:
    labels = {"int32": batch.labels.int(), "one-hot": torch.eye(10)[batch.labels], "list": batch.labels.tolist()}[kind]
    images = batch.images.clone()
    images[0, 0, 0, 0], images[0, 0, 0, 1] = -3e-8, 1 + 1e-7
    result = attack(made("ANN"), images, labels, Budget(0.05), method, generator=torch.Generator().manual_seed(0))
    assert result.success.shape == (12,)


@pytest.mark.case("pictures with channels last, as tensors")
def test_channels_last_pictures_are_refused_with_the_turn() -> None:
    with pytest.raises(ValueError, match=r"give images.permute\(0, 3, 1, 2\)"):
        evaluate_robustness(MLP((3072, 10)), (torch.rand(4, 32, 32, 3), torch.arange(4)), [0, 0.1], progress=False)


@pytest.mark.case("networks on a GPU")
@pytest.mark.parametrize("method", ["noise", "fgsm", "pgd", "sa_pgd", "spike_train", "lattice"])
def test_attacks_make_no_tensor_on_another_device_than_the_images(method: str, batch: Split) -> None:
    classifier = Classifier(SpikingMLP((PIXELS, HIDDEN, 10)), encoder("onset", num_steps=4))
    batch = Split(batch.images, classifier.predict(batch.images)[-1].clamp(min=0), 10)  # all are right, so all are attacked
    plain = attack(classifier, batch, Budget(0.1), method, generator=torch.Generator().manual_seed(0), steps=3)
    with torch.device("meta"):  # whatever does not name its device lands there, and cannot meet the images
        other = attack(classifier, batch, Budget(0.1), method, generator=torch.Generator().manual_seed(0), steps=3)
    assert torch.equal(plain.images, other.images)


@pytest.mark.case("a tutorial's network or an ordinary one in an explorer")
@pytest.mark.parametrize("name", ["tutorial 5", "tutorial 6", "recurrent", "ANN", "look-alike of SpikingJelly"])
def test_explorers_take_it_and_say_what_for(name: str, batch: Split, capsys: pytest.CaptureFixture[str]) -> None:
    explorer = RobustnessExplorer(model=made(name), images=batch.images, labels=batch.labels.tolist(), attack="pgd", eps=0.1)
    said = capsys.readouterr().out
    assert FORMS[name][1] in said
    assert said.count("T = ") <= 1, "a network behind several codes is described once"
    assert explorer.result()["attacked"]["image"].shape == (PIXELS,)
    TrainingExplorer(models={"mine": made(name)}, images=batch.images, labels=batch.labels)
    if name == "ANN":
        with pytest.raises(ValueError, match="no steps to leave early"):
            ExitExplorer(model=made(name), images=batch.images, labels=batch.labels)
    else:
        shown = ExitExplorer(model=made(name), images=batch.images, labels=batch.labels).result()
        assert len(shown["clean"]["predictions"]) == (STEPS if name == "tutorial 5" else 8)


@settings(max_examples=20, deadline=None)
@given(
    st.sampled_from([name for name in FORMS if name != "latency inside"]),
    st.integers(1, 6),
    st.integers(1, 9),
    st.sampled_from(["rate", "membrane"]),
)
def test_logits_are_one_row_a_picture_whatever_comes(name: str, num: int, num_steps: int, decoder: str) -> None:
    network, images = made(name), torch.rand(num, 1, 8, 8)
    if "tutorial 5" in name or name == "three steps inside":
        num_steps = STEPS if "tutorial" in name else 3
    if decoder == "membrane" and name in ("recurrent", "time-parallel", "look-alike of SpikingJelly"):
        decoder = "rate"  # they return no membrane
    classifier = Classifier.of(network, images, num_steps=num_steps, decoder=decoder)
    logits = classifier(images)
    assert logits.shape == (num, 10)
    single = torch.cat([classifier(image[None]) for image in images])
    assert name == "rate inside" or torch.allclose(logits, single, atol=1e-4)


def test_contexts_restore_what_they_change_after_an_exception() -> None:
    network = stepped_nodes()
    network(torch.rand(2, 1, 8, 8))
    state, function = network[2].v, network[2].surrogate_function
    with (
        pytest.raises(KeyError),
        reset_state(network),
        preserve_buffers(network),
        use_surrogate(network, Surrogate("arctan")),
    ):
        network({}["nothing"])
    assert network[2].v is state
    assert network[2].surrogate_function is function


def of_spikingjelly(mode: str) -> nn.Module:
    """Two layers of SpikingJelly's neurons, in step mode ``s`` or ``m``."""
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based import functional, layer, neuron
    from spikingjelly.activation_based import surrogate as surrogates

    torch.manual_seed(1)
    neurons = [neuron.LIFNode(tau=2.0, surrogate_function=surrogates.ATan()) for _ in range(2)]
    network = nn.Sequential(layer.Flatten(), layer.Linear(PIXELS, HIDDEN), neurons[0], layer.Linear(HIDDEN, 10), neurons[1])
    for parameter in network.parameters():
        parameter.data.mul_(6)
    functional.set_step_mode(network, mode)
    return network


class FashionExample(nn.Module):
    """The network of SpikingJelly's example ``conv_fashion_mnist``, smaller: an image in, steps inside, the firing rate out."""

    def __init__(self, num_steps: int = 4, channels: int = 4) -> None:
        pytest.importorskip("spikingjelly")
        from spikingjelly.activation_based import functional, layer, neuron
        from spikingjelly.activation_based import surrogate as surrogates

        super().__init__()
        self.T = num_steps
        fires = [neuron.IFNode(surrogate_function=surrogates.ATan()) for _ in range(2)]
        self.conv_fc = nn.Sequential(
            layer.Conv2d(1, channels, kernel_size=3, padding=1, bias=False),
            layer.BatchNorm2d(channels),
            fires[0],
            layer.MaxPool2d(2, 2),
            layer.Flatten(),
            layer.Linear(channels * 16, 10, bias=False),
            fires[1],
        )
        functional.set_step_mode(self, step_mode="m")

    def forward(self, x: Tensor) -> Tensor:
        x_seq = self.conv_fc(x.unsqueeze(0).expand(self.T, -1, -1, -1, -1))
        return x_seq.mean(0)  # type: ignore[no-any-return]


def test_both_step_modes_of_spikingjelly_give_the_same_answers(batch: Split) -> None:
    single, multi = of_spikingjelly("s"), of_spikingjelly("m")
    multi.load_state_dict(single.state_dict())
    classifiers = [Classifier.of(network, batch.images, num_steps=6) for network in (single, multi)]
    assert [describe(c).split(" [")[0] for c in classifiers] == ["reads one step at a time", "reads a sequence"]
    first, second = (classifier(batch.images) for classifier in classifiers)
    assert first.sum() > 0
    assert torch.equal(first, second)
    assert torch.equal(first, classifiers[0](batch.images))  # the state is fresh in every call
    assert all(inspect(classifier, batch.images, batch.labels) == [] for classifier in classifiers)


@pytest.mark.case("networks of SpikingJelly under informed attackers")
@pytest.mark.parametrize("make", [lambda: of_spikingjelly("s"), lambda: of_spikingjelly("m"), FashionExample])
def test_an_attacker_exchanges_spikingjelly_s_surrogate(make: Callable[[], nn.Module], batch: Split) -> None:
    torch.manual_seed(3)
    network = make().eval()
    classifier = Classifier.of(network, batch.images)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    gradients = []
    for attacker in (NAIVE, ENSEMBLE[0]):  # the informed surrogate is SpikingJelly's ATan
        with attacker.view(classifier) as view:
            gradients.append(input_gradient(view, batch.images, batch.labels))
    assert not torch.allclose(*gradients)
    assert "surrogate_not_replaced" not in [kind_of(note).name for note in inspect(classifier, batch.images, batch.labels)]
    with torch.no_grad():
        result = attack(network, batch, Budget(0.1), "sa_pgd", steps=3)
    assert result.images.shape == batch.images.shape
    assert all(torch.equal(before[key], value) for key, value in network.state_dict().items())
