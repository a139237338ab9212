"""A network of a reader in a page without a kernel: recognised as a chain of layers, refused in a sentence, written whole."""

import base64
import gzip
import html
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import snntorch as snn
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from test_door import Tutorial5, tutorial_6
from torch import Tensor, nn
from typer.testing import CliRunner

from snnlab import Classifier, SpikingMLP, data, encoder, zoo
from snnlab.cli.main import app
from snnlab.networks.chain import NoChain, chain_of, packed
from snnlab.networks.conv import Block, ConvNet, SpikingConvNet
from snnlab.widgets import AttackExplorer, EncoderExplorer, ResultsExplorer, RobustnessExplorer
from snnlab.widgets import live as live_module

IMAGES = torch.rand(6, 1, 8, 8, generator=torch.Generator().manual_seed(0))
LABELS = torch.arange(6)


class Step(nn.Module):
    """One step of two layers, between which a test does something."""

    def __init__(self, change: str = "") -> None:
        super().__init__()
        self.change = change
        self.first, self.hidden = nn.Linear(64, 64), snn.Leaky(beta=0.9, init_hidden=True)
        self.second, self.last = nn.Linear(64, 10), snn.Leaky(beta=0.9, init_hidden=True, output=True)

    def forward(self, x: Tensor) -> Any:
        x = x.flatten(1)
        spikes = self.hidden(self.first(x))
        if self.change == "skip":
            spikes = spikes + x
        if self.change == "branch":
            return self.last(self.second(spikes) + self.second(x))
        if self.change == "random":
            spikes = F.dropout(spikes, 0.5, training=True)
        out, membrane = self.last(self.second(spikes))
        return (out, membrane * 2) if self.change == "potential" else (out, membrane)


class Tutorial6(nn.Module):
    """Convolutions with pooling as a function and a view, ``T`` steps inside: snnTorch's tutorial 6."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.lif1 = nn.Conv2d(1, 3, 3), snn.Leaky(beta=0.5)
        self.conv2, self.lif2 = nn.Conv2d(3, 4, 2), snn.Leaky(beta=0.5)
        self.fc1, self.lif3 = nn.Linear(4, 10), snn.Leaky(beta=0.5)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mem1, mem2, mem3 = self.lif1.init_leaky(), self.lif2.init_leaky(), self.lif3.init_leaky()
        spikes, potentials = [], []
        for _ in range(5):
            spk1, mem1 = self.lif1(F.max_pool2d(self.conv1(x), 2), mem1)
            spk2, mem2 = self.lif2(F.max_pool2d(self.conv2(spk1), 2), mem2)
            spk3, mem3 = self.lif3(self.fc1(spk2.view(x.size(0), -1)), mem3)
            spikes.append(spk3)
            potentials.append(mem3)
        return torch.stack(spikes), torch.stack(potentials)


def recurrent() -> nn.Sequential:
    last = snn.RLeaky(beta=0.9, linear_features=10, init_hidden=True, output=True)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 10), last)


NETWORKS = {
    "tutorial 5": (Tutorial5(), "linear neuron linear neuron"),
    "tutorial 6": (Tutorial6(), "conv max neuron conv max neuron linear neuron"),
    "tutorial 6, in a row": (tutorial_6(), "conv neuron max linear neuron"),
    "a step": (Step(), "linear neuron linear neuron"),
    "ours": (SpikingMLP((64, 5, 10)), "linear neuron linear neuron"),
    "our convolutions": (
        SpikingConvNet([Block(4, pool=2)], in_channels=1),
        "conv average scale neuron average linear neuron",
    ),
    "an ANN": (ConvNet([Block(4, stride=2)], in_channels=1), "conv scale relu average linear"),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_is_a_chain_is_recognised_however_it_is_written(name: str) -> None:
    network, kinds = NETWORKS[name]
    chain = chain_of(Classifier.of(network.eval(), IMAGES), IMAGES)
    assert " ".join(layer.kind for layer in chain.layers) == kinds


REFUSED = {
    "skip": (lambda: Step("skip"), "joined by add"),
    "branch": (lambda: Step("branch"), "branch"),
    "random": (lambda: Step("random"), "joined by dropout"),
    "potential": (lambda: Step("potential"), "other outputs"),
    "recurrent": (recurrent, "has a RLeaky"),
    "logits alone": (lambda: Tutorial5(only_logits=True), "logits alone"),
    "shortcut": (lambda: SpikingConvNet([Block(4), Block(4, shortcut=True)], in_channels=1), "joined by add"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_that_is_no_chain_is_never_live_and_the_page_says_why(name: str, tmp_path: Path) -> None:
    make, reason = REFUSED[name]
    network = make().eval()
    with pytest.raises(NoChain, match=reason):
        chain_of(Classifier.of(network, IMAGES), IMAGES)
    explorer = RobustnessExplorer(network, IMAGES, LABELS)
    for text in (explorer.to_html(), explorer.save(tmp_path / "page.html").read_text()):
        assert "<snn-lab" not in text
        assert "data:image/png" in text
        assert reason in html.unescape(text)
    assert reason in explorer.not_live


def test_recognising_a_network_changes_neither_its_state_nor_its_mode() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10), tutorial_6()[-1])
    classifier = Classifier.of(network, IMAGES)
    network.train()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    chain_of(classifier, IMAGES)
    assert network.training
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=6), st.booleans())
def test_numbers_travel_unchanged(values: list[float], whole: bool) -> None:
    numbers = torch.tensor(values)
    if whole:
        numbers = (numbers.clamp(-100, 100)).round() / 64
    sent = packed(numbers)
    if "int8" in sent:
        rows = torch.frombuffer(bytearray(base64.b64decode(sent["int8"])), dtype=torch.int8).double()
        back = rows * 2.0 ** torch.tensor(sent["exponent"], dtype=torch.float64)
    else:
        assert not whole
        back = torch.frombuffer(bytearray(base64.b64decode(sent["float32"])), dtype=torch.float32).double()
    assert torch.equal(back, numbers.double())


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(-20, 10))
def test_weights_of_24_bits_are_off_by_less_than_the_last_digit_of_the_largest(seed: int, rows: int, power: int) -> None:
    weights = torch.randn(rows, 50, generator=torch.Generator().manual_seed(seed)) * 2.0**power
    sent = packed(weights)
    characters = [sent["int24"][k :: 50 * rows] for k in range(50 * rows)]
    digits = np.frombuffer(base64.b64decode("".join(characters)), np.uint8).reshape(-1, 3).astype(np.int64)
    whole = digits @ [1 << 16, 1 << 8, 1] - 2**23
    back = whole.reshape(rows, 50) * 2.0 ** np.array(sent["exponent"])[:, None]
    last_digit = torch.exp2(torch.floor(torch.log2(weights.abs().amax(1, keepdim=True))) - 23).double()
    assert bool(((torch.from_numpy(back) - weights.double()).abs() <= last_digit).all())


def test_a_matrix_with_one_huge_weight_keeps_its_small_ones() -> None:
    weights = torch.full((2, 1000), 1e-3)
    weights[0, 0] = 1e4
    assert set(packed(weights)) == {"float32"}


def carried(text: str) -> dict[str, Any]:
    """The data that the first block of a page holds."""
    found = re.search(r'<script type="application/x-snnlab">([^<]+)</script>', text)
    assert found
    data: dict[str, Any] = json.loads(gzip.decompress(base64.b64decode(found[1])))
    return data


def test_codes_of_one_network_share_its_weights() -> None:
    found = carried(RobustnessExplorer(Step().eval(), IMAGES, LABELS).to_html())
    models = [key for key in found if key.startswith("model/")]
    assert len(models) > 3
    assert {found[key]["network"] for key in models} == {"network/0"}
    assert found["zoo"]["custom"]
    assert [layer["kind"] for layer in found["network/0"]["layers"]] == ["linear", "neuron", "linear", "neuron"]


def test_weights_that_are_too_many_for_an_output_are_written_into_a_page(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("snnlab.widgets.traits.MOST_BYTES", 1000)
    explorer = RobustnessExplorer(Tutorial5().eval(), IMAGES, LABELS)
    assert "explorer.save" in html.unescape(explorer.to_html())
    assert "network/0" in carried(explorer.save(tmp_path / "page.html").read_text())


@pytest.mark.parametrize("explorer", [EncoderExplorer(image=3), ResultsExplorer(), AttackExplorer(encoding="onset")])
def test_explorers_of_the_zoo_are_saved_with_what_they_show(explorer: Any, tmp_path: Path) -> None:
    text = explorer.save(tmp_path / "page.html", "Spikes <1>").read_text()
    assert "Spikes &lt;1&gt;" in text
    assert not re.findall(r'(?:src|href)="(?!data:)', text), "a page of one file loads nothing"
    found = carried(text)
    assert ("model/onset" in found) == (explorer.kind == "attack")
    assert ("cifar10" in found) == (explorer.kind == "results")


@pytest.mark.case("a page of a network that can be sent to somebody")
def test_the_page_of_a_network_of_784_100_10_neurons_takes_half_a_megabyte(tmp_path: Path) -> None:
    torch.manual_seed(0)
    spiking = {"beta": 0.9, "init_hidden": True}
    first, second = nn.Linear(784, 100), nn.Linear(100, 10)
    net = nn.Sequential(nn.Flatten(), first, snn.Leaky(**spiking), second, snn.Leaky(**spiking, output=True))
    digits = data.load("mnist5k").test
    page = RobustnessExplorer(net, digits.images, digits.labels).save(tmp_path / "page.html")
    assert page.stat().st_size <= 500_000


def test_a_page_is_written_whole_or_not_at_all(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    explorer = RobustnessExplorer(Tutorial5().eval(), IMAGES, LABELS)
    with pytest.raises(ValueError, match=r"ends in \.html"):
        explorer.save(tmp_path / "page.txt")
    (tmp_path / "page.html").write_text("before")
    monkeypatch.setattr(live_module, "chain_of", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        explorer.save(tmp_path / "page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "before"


NET = """
import snntorch as snn
from torch import nn
net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), snn.Leaky(beta=0.9, init_hidden=True, output=True))
small = nn.Sequential(nn.Flatten(), nn.Linear(4, 10))
ann = nn.Sequential(nn.Conv2d(1, 4, 5), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(4), nn.Flatten(), nn.Linear(144, 10)).eval()
loop = nn.Sequential(nn.Flatten(), nn.Linear(784, 10), snn.RLeaky(0.9, linear_features=10, init_hidden=True, output=True))
"""


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["net.py:net", "--encoding", "onset"], "live"),
        (["net.py:ann"], "live"),
        (["zoo:onset", "--explorer", "exit", "--n", "5"], "live"),
        (["net.py:loop"], "a still picture. The page's engine cannot run this network: it has a RLeaky."),
    ],
)
def test_publish_writes_a_page(arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    result = CliRunner().invoke(app, ["publish", *arguments, "--out", "page.html"])
    assert result.exit_code == 0, result.output
    assert says in result.output
    assert ("<snn-lab" in (tmp_path / "page.html").read_text()) == ("live" in says)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.py:net"], "there is no file"),
        (["net.py:other"], "has no 'other'; its networks: net, small, ann, loop"),
        (["net.py:small"], "no known form fits"),
        (["net.py:net", "--data", "nowhere.npz"], "there is no file or folder"),
        (["net.py:net", "--explorer", "magic"], "choose one of robustness, exit, attack"),
        (["net.py:net", "--out", "page.txt"], "ends in .html"),
        (["net.py:net", "--out", "net.py/page.html"], "could not be written"),
    ],
)
def test_publish_refuses_in_a_sentence_and_writes_nothing(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.py").write_text(NET)
    result = CliRunner().invoke(app, ["publish", *arguments])
    assert result.exit_code == 2, result.output
    assert says in " ".join(result.output.split())
    assert [path.name for path in tmp_path.iterdir()] == ["net.py"]


def test_a_code_that_a_page_cannot_compute_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Any) -> dict[str, Any]:
        raise ValueError("no page has it")

    classifier = Classifier(zoo.load("onset").network, encoder("onset"))
    monkeypatch.setattr(type(classifier.encoder), "payload", refuse)
    images = torch.rand(2, 1, 28, 28)
    assert "no code 'onset'" in RobustnessExplorer(classifier, images, torch.zeros(2, dtype=torch.int64)).not_live
