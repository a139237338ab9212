"""The command: what it prints, and one sentence with exit code 2 for whatever is wrong."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from snnlab import zoo
from snnlab.claims import ledger
from snnlab.cli import main as cli
from snnlab.cli.main import app
from snnlab.data import Split
from snnlab.evaluation.flags import kind_of
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.networks.classifier import Classifier

TUTORIAL = """
import snntorch as snn
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 16), nn.Linear(16, 10)
        self.lif1, self.lif2 = snn.Leaky(beta=0.9), snn.Leaky(beta=0.9)

    def forward(self, x):
        m1, m2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, membranes = [], []
        for step in x:
            s1, m1 = self.lif1(self.fc1(step.flatten(1)), m1)
            s2, m2 = self.lif2(self.fc2(s1), m2)
            spikes.append(s2)
            membranes.append(m2)
        return torch.stack(spikes), torch.stack(membranes)

torch.manual_seed(0)
net = Net().eval()
ann = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).eval()
narrow = nn.Sequential(nn.Flatten(), nn.Linear(784, 3)).eval()
number = 3
"""


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(TUTORIAL)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, list(words))


def refused(*words: str) -> str:
    """What the command says of an input that it does not take: one line, exit code 2, no traceback."""
    result = run(*words)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    (line,) = result.output.strip().splitlines()
    return line


def test_the_claims_are_printed_with_their_verdicts() -> None:
    result = run("claims")
    assert result.exit_code == 0
    for name, record in ledger().items():
        assert re.search(rf"{re.escape(record['measured']['verdict'])}\s+{name}", result.output)


def test_one_claim_is_printed_in_full() -> None:
    text = run("claims", "offset-illusion").output
    for part in ("offset-illusion:", "limits:", "attacks:", "flags:", "hashes", "3 seeds", "n = "):
        assert part in text


def test_building_the_claims_of_an_unchanged_zoo_changes_nothing() -> None:
    before = {path.name: path.read_bytes() for path in (zoo.FOLDER / "claims").glob("*.json")}
    assert run("claims", "build", "pictures-energy", "pictures-transfer").output == "nothing has changed\n"
    assert before == {path.name: path.read_bytes() for path in (zoo.FOLDER / "claims").glob("*.json")}


def test_claims_are_built_into_a_folder_of_one_s_own(here: Path) -> None:
    assert run("claims", "build", "pictures-energy", "--folder", "mine").output == "changed: pictures-energy\n"
    assert [path.name for path in (here / "mine").iterdir()] == ["pictures-energy.json"]


def test_an_unknown_claim_is_refused() -> None:
    assert refused("claims", "moon").startswith("snnlab: unknown claim 'moon'; choose one of paper-encoding")
    assert "unknown claim 'moon'" in refused("claims", "build", "moon")


@pytest.mark.parametrize(
    ("model", "words"),
    [
        ("mine.py", "a model is named file.py:name"),
        ("yours.py:net", "there is no file 'yours.py'"),
        ("mine.py:nett", "mine.py has no 'nett'; its networks: net, ann, narrow"),
        ("mine.py:number", "must be a network .* got int"),
        ("mine.py:Net", "is a class, not a network; give an instance, as in net = Net()"),
        ("mine.py:narrow", "answers with 3 classes, the labels go up to 9"),
        ("zoo:moon", "unknown model 'moon'; choose one of ann"),
    ],
)
def test_a_model_that_cannot_be_had_is_refused(model: str, words: str) -> None:
    assert re.search(words, refused("evaluate", model))


def test_a_file_that_fails_is_told_with_its_line(here: Path) -> None:
    (here / "broken.py").write_text("x = 1\ny = z\n")
    assert refused("evaluate", "broken.py:net") == (
        "snnlab: broken.py could not be run: NameError: name 'z' is not defined (line 2)"
    )


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--encoding", "morse"), "unknown encoding 'morse'"),
        (("--decoder", "vote"), "unknown decoder 'vote'; choose one of rate"),
        (("--suite", "hard"), "unknown suite 'hard'; choose one of gradient_free, quick, standard, full"),
        (("--norm", "L7"), "unknown norm 'L7'; choose one of Linf"),
        (("--eps", "big"), "eps must be numbers with commas, as 0.05,0.1, got 'big'"),
        (("--eps", "-0.1"), "eps must not be negative"),
        (("--n", "0"), r"n must lie in 1 … 1000"),
        (
            ("--data", "cifar"),
            "there is no file or folder 'cifar', nor a data set of this name; the data sets are mnist5k, ",
        ),
        (("--data", "none.npz"), "there is no file or folder 'none.npz'"),
        (("--source", "none.py:ann"), "there is no file 'none.py'"),
        (("--encoding", "none"), "leave out the code 'none'"),
        (("--population", "3"), "10 outputs cannot be shared among populations of 3"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options: tuple[str, str], words: str) -> None:
    assert re.search(words, refused("evaluate", "mine.py:net", *options))


def test_data_of_wrong_shape_or_range_is_refused(here: Path) -> None:
    good, labels = np.zeros((4, 28, 28), np.float32), np.arange(4)
    for arrays, words in (
        ({"images": good}, r"has no images with labels; it has images \[4, 28, 28\]"),
        ({"images": good, "labels": labels[:3]}, r"own.npz: .* got \[4, 1, 28, 28\] and \[3\]"),
        ({"images": good[0], "labels": labels}, r"expected images \[N, C, H, W\]"),
        ({"images": good + 2, "labels": labels}, r"must lie in \[0, 1\]"),
        ({"images": good * np.nan, "labels": labels}, r"must lie in \[0, 1\]"),
        ({"images": good, "labels": labels * 0.5}, "labels must be whole numbers"),
    ):
        np.savez(here / "own.npz", **arrays)
        assert re.search(words, refused("evaluate", "mine.py:net", "--data", "own.npz"))
    np.savez(here / "own.npz", images=good[:, :9, :9], labels=labels)
    result = run("evaluate", "mine.py:net", "--data", "own.npz")
    said, refusal = result.output.strip().splitlines()
    assert result.exit_code == 2
    assert said == "own.npz: test: Split of 4 images 1 x 9 x 9, 4 classes"
    assert "no known form fits the network" in refusal
    (here / "own.npz").write_text("digits")
    assert "is truncated or not a .npz file" in refused("evaluate", "mine.py:net", "--data", "own.npz")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the command asks the evaluation for."""
    calls: list[dict[str, Any]] = []

    def watched(model: Classifier, data: Split, budgets: Any, suite: str, **options: Any) -> Any:
        calls.append({"model": model, "data": data, "budgets": budgets, "suite": suite, **options})
        return evaluate_robustness(model, data, budgets, suite, **options)

    monkeypatch.setattr(cli, "evaluate_robustness", watched)
    return calls


def test_a_network_of_one_s_own_gets_a_table_numbers_and_a_page(here: Path, asked: list[dict[str, Any]]) -> None:
    result = run(
        "evaluate",
        "mine.py:net",
        "--n",
        "30",
        "--eps",
        "0.1",
        "--suite",
        "quick",
        "--out",
        "found",
        "--source",
        "mine.py:ann",
    )
    assert result.exit_code == 0, result.output
    (call,) = asked
    assert (len(call["data"]), [b.eps for b in call["budgets"]], call["suite"]) == (30, [0.0, 0.1], "quick")
    assert call["model"].encoder.title == "direct"
    assert call["source"].encoder is None
    assert "worst" in result.output
    told = json.loads((here / "found" / "report.json").read_text())
    for key in (
        "about",
        "n",
        "eps",
        "norm",
        "suite",
        "correct",
        "interval_95",
        "flags",
        "attacks",
        "diagnostics",
        "versions",
    ):
        assert key in told
    assert (
        told["interval_95"]["worst"][-1][0][0]
        <= told["correct"]["worst"][-1][0] / 30
        <= told["interval_95"]["worst"][-1][0][1]
    )
    html = (here / "found" / "report.html").read_text()
    sentences = {s for raised in told["flags"].values() for s in raised}
    assert sentences
    for sentence in sentences:
        assert kind_of(sentence).meaning.split(":")[0].split("'")[0] in html
        assert kind_of(sentence).remedy.split("'")[0] in result.output
    assert not re.search(r"""(src|href)=["'](?!data:)""", html)


def test_data_of_one_s_own_may_be_bytes(here: Path, asked: list[dict[str, Any]]) -> None:
    np.savez(here / "own.npz", images=np.full((3, 28, 28), 255, np.uint8), labels=np.array([0, 1, 1]))
    assert run("evaluate", "mine.py:ann", "--data", "own.npz", "--eps", "0.1").exit_code == 0
    assert asked[0]["data"].images.shape == (3, 1, 28, 28)
    assert torch.equal(asked[0]["data"].images.unique(), torch.ones(1))
    assert asked[0]["data"].num_classes == 10  # as many as the network answers with


@pytest.mark.case("pictures with channels last, in a file")
def test_pictures_with_channels_last_are_turned_for_the_network_and_in_the_report(
    here: Path, asked: list[dict[str, Any]]
) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (6, 3, 32, 32), dtype=np.uint8)
    np.savez(here / "own.npz", images=pictures.transpose(0, 2, 3, 1), labels=np.arange(6) % 3)
    (here / "colour.py").write_text(
        "from torch import nn\nconv = nn.Sequential(nn.Conv2d(3, 2, 31), nn.Flatten(), nn.Linear(8, 3))\n"
        "flat = nn.Sequential(nn.Flatten(), nn.Linear(3072, 3))\n"
    )
    for net in ("conv", "flat"):
        result = run(
            "evaluate", f"colour.py:{net}", "--data", "own.npz", "--eps", "0.1", "--suite", "quick", "--out", "report"
        )
        assert result.exit_code == 0, result.output
        assert torch.equal(asked[-1]["data"].images, torch.from_numpy(pictures).float() / 255)
    about = json.loads((here / "report" / "report.json").read_text())["about"]["data"]
    assert about == (
        "own.npz, 6 images; channels last [6, 32, 32, 3]: turned to [N, C, H, W]; intensities 0–255: divided by 255"
    )


@pytest.mark.case("frames of events [T, N, 2, H, W]")
def test_frames_of_events_pass_through_the_whole_command(here: Path, asked: list[dict[str, Any]]) -> None:
    frames = np.random.default_rng(0).integers(0, 5, (4, 6, 2, 8, 8))
    np.savez(here / "events.npz", frames=frames, labels=np.arange(6) % 3)
    (here / "gestures.py").write_text(
        "import snntorch as snn\nfrom torch import nn\nfrom snnlab.networks import unroll\n\n\n"
        "class Net(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.layer, self.neuron = nn.Linear(128, 3), snn.Leaky(0.9)\n\n"
        "    def forward(self, frames):\n"
        "        assert frames.shape[2:] == (2, 8, 8)\n"
        "        return unroll(self.neuron, self.layer(frames.flatten(2)))\n\n\n"
        "net = Net()\n"
    )
    result = run(
        "evaluate", "gestures.py:net", "--data", "events.npz", "--eps", "0.2", "--suite", "quick", "--out", "report"
    )
    assert result.exit_code == 0, result.output
    (call,) = asked
    assert (call["model"].encoder.title, call["model"].num_steps) == ("frames(scale=4)", 4)
    assert torch.allclose(call["model"].encode(call["data"].images), torch.from_numpy(frames).float())
    assert (here / "report" / "report.html").is_file()


TUTORIALS = """
import snntorch as snn
import torch
from torch import nn

class Net(nn.Module):  # snnTorch's tutorial 5
    def __init__(self):
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(784, 16), snn.Leaky(beta=0.95)
        self.fc2, self.lif2 = nn.Linear(16, 10), snn.Leaky(beta=0.95)

    def forward(self, x):
        mem1, mem2, spk2_rec, mem2_rec = self.lif1.init_leaky(), self.lif2.init_leaky(), [], []
        for step in range(25):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spk2_rec.append(spk2)
            mem2_rec.append(mem2)
        return torch.stack(spk2_rec, dim=0), torch.stack(mem2_rec, dim=0)

torch.manual_seed(0)
five = Net()
six = nn.Sequential(  # snnTorch's tutorial 6
    nn.Conv2d(1, 2, 5), nn.MaxPool2d(2), snn.Leaky(beta=0.5, init_hidden=True), nn.Flatten(), nn.Linear(2 * 144, 10),
    snn.Leaky(beta=0.5, init_hidden=True, output=True),
)
"""


@pytest.mark.case("snnTorch's tutorials 5 and 6 on the command line")
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("five",), "takes an image, shows it at every step [N, pixels]: T = 25, code direct, read-out rate, 10 outputs"),
        (("five", "--encoding", "none"), "takes an image, shows it at every step [N, pixels]: T = 25"),
        (("six",), "reads one step at a time [N, C, H, W]: T = 8 (assumed), code direct, read-out rate, 10 outputs"),
        (("six", "--encoding", "onset", "--num-steps", "5"), "T = 5, code onset, read-out rate, 10 outputs"),
    ],
)
def test_networks_of_the_tutorials_are_evaluated_as_they_are(here: Path, words: tuple[str, ...], says: str) -> None:
    (here / "net.py").write_text(TUTORIALS)
    result = run(
        "evaluate", f"net.py:{words[0]}", *words[1:], "--n", "5", "--suite", "quick", "--eps", "0.1", "--no-progress"
    )
    assert result.exit_code == 0, result.output
    assert says in result.output
    assert ("number of steps not named: T = 8" in result.output) == ("assumed" in says)


@pytest.mark.slow
def test_a_model_that_starts_from_another_is_not_trained_alone() -> None:
    pytest.importorskip("accelerate")
    command = [sys.executable, "-m", "snnlab.cli.train", "mnist5k/fgsm-ann"]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert "mnist5k/fgsm-ann starts from another model" in failed.stderr
