"""NIR files: written and read back to the last bit, run as NIR says by two other simulators, refused where not known."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import official
import pytest
import snntorch as snn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from typer.testing import CliRunner

from snnlab import Classifier, data, encoder, zoo
from snnlab.cli.main import app
from snnlab.networks.conv import Block, SpikingConvNet
from snnlab.networks.nir import NirNetwork, agreement, read_nir, write_nir

nir = pytest.importorskip("nir")


@pytest.fixture(scope="module")
def digits() -> data.Split:
    return data.load("mnist5k").test[:100]


@pytest.mark.parametrize("name", ["onset", "direct"])
def test_a_network_of_the_zoo_comes_back_to_the_last_bit(name: str, digits: data.Split, tmp_path: Path) -> None:
    model = zoo.load(name)
    lost = write_nir(model, tmp_path / "net.nir")
    assert any("reset by 'subtract', one step after the spike" in sentence for sentence in lost)
    again = Classifier(read_nir(tmp_path / "net.nir"), model.encoder, model.decoder)
    for expected, result in zip(model.read(digits.images), again.read(digits.images), strict=True):
        assert torch.equal(expected, result)
    same, n = agreement(model, tmp_path / "net.nir", digits.images)
    assert n == 100
    assert 50 < same <= 100  # what the reset changes; a wrong weight or leak would change nearly all


def stepped(network: Any, sequence: Tensor) -> Tensor:
    """Spike counts of a network of nirtorch, which hands its state from step to step."""
    state, counts = None, torch.zeros(())
    with torch.no_grad():
        for step in sequence:
            spikes, state = network(step, state)
            counts = counts + (spikes[0] if isinstance(spikes, tuple) else spikes)
    return counts


def snntorch_reads(path: Path) -> Any:
    pytest.importorskip("nirtorch")
    from snntorch.import_nir import import_from_nir

    return import_from_nir(nir.read(path))


def spikingjelly_reads(path: Path) -> Any:
    pytest.importorskip("spikingjelly")
    from spikingjelly.activation_based.nir_exchange import import_from_nir

    return import_from_nir(path)


@pytest.mark.case("NIR files in another simulator")
@pytest.mark.parametrize("reader", [snntorch_reads, spikingjelly_reads])
def test_another_simulator_gives_the_answers_that_nir_says(
    reader: Callable[[Path], Any], digits: data.Split, tmp_path: Path
) -> None:
    model = zoo.load("onset")
    write_nir(model, tmp_path / "net.nir")
    as_nir_says = Classifier(read_nir(tmp_path / "net.nir", exact=False), model.encoder)
    counts = stepped(reader(tmp_path / "net.nir"), model.encode(digits.images).flatten(2))
    expected = as_nir_says(digits.images)
    assert expected.sum() > 0
    # SpikingJelly fires at the threshold, snnTorch above it, and the stored weights are multiples of a step: potentials meet it.
    assert (counts == expected).all(1).float().mean() >= (0.98 if reader is snntorch_reads else 0.9)
    chosen = expected.argmax(1, keepdim=True)
    agreed = counts.gather(1, chosen) == counts.amax(1, keepdim=True)
    assert agreed.all()


def test_a_reset_to_zero_is_all_that_nir_needs(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, padding=1), nn.AvgPool2d(2), snn.Leaky(beta=0.8, reset_mechanism="zero", init_hidden=True)),
        *(nn.Flatten(), nn.Linear(48, 5, bias=False)),
        snn.Leaky(beta=0.7, threshold=0.1, reset_mechanism="zero", init_hidden=True, output=True),
    )
    assert write_nir(net, tmp_path / "net.nir", (1, 8, 8)) == []
    images = torch.rand(20, 1, 8, 8)
    classifier = Classifier.of(net, images, num_steps=6)
    assert classifier(images).sum() > 0
    as_nir_says = Classifier(read_nir(tmp_path / "net.nir", exact=False), classifier.encoder)
    assert torch.equal(as_nir_says(images), classifier(images))
    net[5] = snn.Synaptic(alpha=0.5, beta=0.7, threshold=0.1, reset_mechanism="zero", init_hidden=True, output=True)
    (sentence,) = write_nir(net, tmp_path / "net.nir", (1, 8, 8))  # its reset clears the current as well
    assert "one step after the spike" in sentence
    again = Classifier(read_nir(tmp_path / "net.nir"), classifier.encoder)
    assert torch.equal(again(images), Classifier.of(net, images, num_steps=6)(images))


def test_a_spiking_conv_net_is_folded_and_written(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = SpikingConvNet((Block(4, stride=2), Block(6, pool=2)), in_channels=1).eval()
    for layer in net.layers:
        layer.current.norm.running_mean.uniform_(-0.1, 0.1)  # type: ignore[union-attr, operator]
        layer.current.norm.running_var.uniform_(0.01, 0.1)  # type: ignore[union-attr, operator]
    write_nir(net, tmp_path / "net.nir", (1, 8, 8))
    classifier, images = Classifier(net, encoder("onset", num_steps=5), "current"), torch.rand(6, 1, 8, 8)
    again = Classifier(read_nir(tmp_path / "net.nir"), classifier.encoder, "current")
    assert torch.allclose(classifier(images), again(images), atol=1e-4)


def test_the_command_reads_a_nir_file_as_a_network(tmp_path: Path) -> None:
    write_nir(zoo.load("onset"), tmp_path / "net.nir")
    words = [
        "evaluate",
        str(tmp_path / "net.nir"),
        "--encoding",
        "onset",
        "--num-steps",
        "8",
        "--n",
        "5",
        "--suite",
        "quick",
    ]
    result = CliRunner().invoke(app, [*words, "--no-progress", "--out", str(tmp_path / "report"), "--eps", "0,0.05"])
    assert result.exit_code == 0, result.output
    assert "reads a sequence [T, N, C, H, W]: T = 8, code onset, read-out rate" in result.output


def test_a_recurrent_graph_feeds_the_step_before_back(tmp_path: Path) -> None:
    one, weight = np.ones(2), np.array([[0.0, 0.9], [0.3, 0.0]], np.float32)
    nodes = {
        "input": nir.Input(np.array([2])),
        "lif": nir.LIF(tau=2e-4 * one, r=2 * one, v_leak=0 * one, v_threshold=0.8 * one, v_reset=0 * one),
        "again": nir.Linear(weight),
        "output": nir.Output(np.array([2])),
    }
    edges = [("input", "lif"), ("lif", "again"), ("again", "lif"), ("lif", "output")]
    nir.write(tmp_path / "net.nir", nir.NIRGraph(nodes, edges))
    sequence, expected = torch.rand(12, 3, 2, generator=torch.Generator().manual_seed(0)), []
    potential = spikes = torch.zeros(3, 2)
    for step in sequence:
        potential = potential / 2 + step + spikes @ torch.from_numpy(weight).T
        spikes = (potential > 0.8).float()
        potential = potential * (1 - spikes)
        expected.append(spikes)
    result, _ = read_nir(tmp_path / "net.nir")(sequence)
    assert 0 < result.sum() < result.numel()
    assert torch.equal(result, torch.stack(expected))


def test_a_graph_inside_a_graph_is_a_part_of_it() -> None:
    one = np.ones(3)
    inner = nir.NIRGraph(
        {"input": nir.Input(np.array([3])), "lif": nir.IF(one * 1e4, one), "output": nir.Output(np.array([3]))},
        [("input", "lif"), ("lif", "output")],
    )
    outer = nir.NIRGraph(
        {"input": nir.Input(np.array([3])), "inside": inner, "output": nir.Output(np.array([3]))},
        [("input", "inside"), ("inside", "output")],
    )
    result = NirNetwork(outer)(torch.full((4, 1, 3), 0.6))
    spikes = result[0] if isinstance(result, tuple) else result
    assert spikes[:, 0, 0].tolist() == [0, 1, 0, 1]


@pytest.mark.parametrize(
    ("node", "says"),
    [
        (lambda one: nir.LI(one, one, 0 * one), "a NIR node LI is not known; known are Linear"),
        (lambda one: nir.LIF(one, one, 0 * one, one, one), "resets to 1 is not known; expected v_reset = 0"),
    ],
)
def test_a_node_that_is_not_known_is_named(node: Callable[[Any], Any], says: str) -> None:
    nodes = {"input": nir.Input(np.array([2])), "x": node(np.ones(2)), "output": nir.Output(np.array([2]))}
    with pytest.raises(ValueError, match=says):
        NirNetwork(nir.NIRGraph(nodes, [("input", "x"), ("x", "output")]))


def test_a_layer_that_nir_cannot_hold_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="NIR cannot hold a layer MaxPool2d"):
        write_nir(nn.Sequential(nn.MaxPool2d(2)), tmp_path / "net.nir", (1, 4, 4))
    with pytest.raises(ValueError, match="SpikingConvNet without shortcuts"):
        write_nir(zoo.load("ann"), tmp_path / "net.nir")


def replaced(path: Path, name: str, value: Any) -> None:
    """Replace what a file says at one place, wherever its writer put it."""
    with h5py.File(path, "r+") as file:
        places: list[str] = []
        file.visit(lambda place: places.append(place) if place.split("/")[-1] == name else None)
        assert places
        for place in places:
            del file[place]
            file[place] = value


@pytest.mark.case("hostile NIR files")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("weight", np.void(official.evil_batch())),
        ("weight", official.evil_batch().hex()),
        ("type", "os.system"),
        ("type", f"__import__('os').system('touch {official.MARKER}')"),
    ],
)
def test_a_hostile_nir_file_runs_no_code(name: str, value: Any, tmp_path: Path) -> None:
    official.MARKER.unlink(missing_ok=True)
    write_nir(nn.Sequential(nn.Linear(4, 2), snn.Leaky(beta=0.5, init_hidden=True)), tmp_path / "net.nir", (4,))
    replaced(tmp_path / "net.nir", name, value)
    with pytest.raises(ValueError, match=r"net\.nir"):
        read_nir(tmp_path / "net.nir")
    assert not official.MARKER.exists()


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_bytes_that_are_no_nir_file_are_refused(content: bytes) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nir"
        path.write_bytes(content)
        with pytest.raises(ValueError, match="is not a NIR file"):
            read_nir(path)


@settings(max_examples=30, deadline=None, derandomize=True)  # HDF5 itself can read some files for ever
@given(st.data())
def test_a_damaged_nir_file_is_refused_or_read(draw: st.DataObject) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.nir"
        write_nir(nn.Sequential(nn.Linear(4, 2), snn.Leaky(beta=0.5, init_hidden=True)), path, (4,))
        content = bytearray(path.read_bytes())
        for _ in range(20):
            content[draw.draw(st.integers(0, len(content) - 1))] = draw.draw(st.integers(0, 255))
        path.write_bytes(content)
        try:
            read_nir(path)
        except ValueError as error:
            assert str(error)  # noqa: PT017
