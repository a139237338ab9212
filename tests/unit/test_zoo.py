"""The zoo: small, whole, refused when altered, remade from its recipes; a data set is a loader and a recipe file."""

import base64
import hashlib
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from snnlab import data, zoo
from snnlab.cli.main import app
from snnlab.data import Dataset, Split
from snnlab.zoo import export, registry, results_table
from snnlab.zoo.build import build
from snnlab.zoo.quantised import MAX_LEVEL, integers, packed, quantise, read_weights
from snnlab.zoo.storage import stored

NAMES = zoo.names()


def test_rounding_costs_no_accuracy() -> None:
    """Per model a few images change sides; on average no more than a tenth of a point is lost."""
    lost = [zoo.card(name)["accuracy"] for name in NAMES]
    assert fmean(a["float32"]["test"] - a["stored"]["test"] for a in lost) <= 0.001


def test_quantising_twice_is_quantising_once_and_survives_the_file() -> None:
    network = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 5))
    quantise(network)
    once = [p.clone() for p in network.parameters()]
    quantise(network)
    other = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 5))
    read_weights(other, packed(network), "test")
    for a, b, c in zip(once, network.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert torch.equal(a, c)


def test_rounding_moves_a_weight_by_half_a_level_at_most() -> None:
    layer = nn.Linear(300, 40)
    weight = layer.weight.detach().clone()
    q, _, exponent = integers(layer)
    assert q.abs().max() <= MAX_LEVEL
    step = torch.exp2(exponent.float())[:, None]
    assert ((weight - q * step).abs() <= step / 2).all()


def test_sums_of_stored_weights_are_exact_in_any_order() -> None:
    weight = zoo.load("onset").network.layers[0].weight.detach()
    spikes = (torch.rand(784, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    order = torch.randperm(784, generator=torch.Generator().manual_seed(1))
    assert torch.equal(weight @ spikes, (weight.double() @ spikes.double()).float())
    assert torch.equal(weight @ spikes, weight[:, order] @ spikes[order])


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(zoo.MODELS / "mnist5k" / "ann", tmp_path / "mnist5k" / "ann")
    return tmp_path


@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b[:500] + bytes([b[500] ^ 1]) + b[501:], lambda b: b""])
def test_altered_weights_are_refused(damage, copy: Path) -> None:  # type: ignore[no-untyped-def]
    path = copy / "mnist5k" / "ann" / "weights.safetensors.xz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="altered or truncated"):
        zoo.load("ann", folder=copy)


def test_weights_of_another_network_are_refused(copy: Path) -> None:
    card = json.loads((copy / "mnist5k" / "ann" / "card.json").read_text())
    blob = stored(zoo.recipe("fusion"), zoo.MODELS).weights
    (copy / "mnist5k" / "ann" / "weights.safetensors.xz").write_bytes(lzma.compress(blob))
    (copy / "mnist5k" / "ann" / "card.json").write_text(
        json.dumps(card | {"weights_sha256": hashlib.sha256(blob).hexdigest()})
    )
    with pytest.raises(ValueError, match="the network expects"):
        zoo.load("ann", folder=copy)


def test_altered_results_are_refused(copy: Path) -> None:
    path = copy / "mnist5k" / "ann" / "results.json"
    whole = json.loads(path.read_text())
    cases = {
        "not valid JSON": path.read_text()[:-40],
        "lacks": json.dumps({k: v for k, v in whole.items() if k != "n"}),
        "other weights": json.dumps(whole | {"weights_sha256": "0"}),
        "are altered": json.dumps(whole | {"correct": whole["correct"] | {"worst": [[1001] * 7]}}),
    }
    for says, text in cases.items():
        path.write_text(text)
        with pytest.raises(ValueError, match=says):
            zoo.results("ann", folder=copy)


def test_unknown_and_missing_models_are_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of ann, direct"):
        zoo.load("resnet")
    with pytest.raises(ValueError, match="snnlab zoo build onset"):
        zoo.load("onset", folder=tmp_path)
    with pytest.raises(ValueError, match=r"choose one of zoo, .*model/ann, .* cifar10"):
        export.payload("models")
    with pytest.raises(ValueError, match="unknown model 'resnet'"):
        build(["resnet"], tmp_path)


def test_all_digits_of_a_split_reach_a_page_as_they_are() -> None:
    for split in export.SPLITS:
        payload = export.payload(f"digits/{split}")
        digits = getattr(data.load("mnist5k"), split)
        pixels = zlib.decompress(base64.b64decode(payload["pixels"]))
        assert payload["labels"] == digits.labels.tolist()
        images = torch.frombuffer(bytearray(pixels), dtype=torch.uint8).view_as(digits.images) / 255
        assert torch.equal(images, digits.images)
    with pytest.raises(ValueError, match=r"choose one of .*digits/test, digits/train"):
        export.payload("digits/validation")


def recipes_with(monkeypatch: pytest.MonkeyPatch, folder: Path, changes: list[tuple[str, str]]) -> None:
    """Put the recipe file of the digits, with some text replaced, in the place of all others."""
    text = (zoo.FOLDER / "recipes" / "mnist5k.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    changed = folder / "changed.toml"
    changed.write_text(text)
    monkeypatch.setattr(registry, "RECIPE_FILES", [changed])


def test_build_makes_a_model_once_and_remakes_it_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipes_with(monkeypatch, tmp_path, [("hidden = [256]", "hidden = [16]"), ("epochs = 15", "epochs = 2")])
    for folder in ("a", "b"):
        assert build(["onset"], tmp_path / folder, seeds=[0], measure=False, progress=False) == ["onset"]
    assert build(["onset"], tmp_path / "a", seeds=[0], measure=False, progress=False) == []
    files = [tmp_path / folder / "mnist5k" / "onset" / "weights.safetensors.xz" for folder in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not list(tmp_path.rglob("*.checkpoint"))


@pytest.mark.slow
def test_ctrl_c_is_survived(tmp_path: Path) -> None:
    """Stopped in the middle of a training, the same command goes on and ends as an uninterrupted one."""
    command = [sys.executable, "-m", "snnlab.cli.main", "zoo", "build", "phase", "--no-measure", "--seed", "0", "--folder"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    # Whoever started these tests in the background has had them ignore the signal.
    heard = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    running = subprocess.Popen([*command, str(tmp_path)], stderr=subprocess.DEVNULL, env=environment, preexec_fn=heard)
    checkpoints = (tmp_path / ".unfinished").glob
    while not list(checkpoints("phase-0-*.checkpoint")) and running.poll() is None:
        time.sleep(0.02)
    running.send_signal(signal.SIGINT)
    assert running.wait() == 130
    assert list(checkpoints("phase-0-*.checkpoint"))
    assert not (tmp_path / "mnist5k" / "phase" / "weights.safetensors.xz").exists()
    subprocess.run([*command, str(tmp_path)], check=True, stderr=subprocess.DEVNULL, env=environment)
    # spikes are exact, training is not: another processor may round other weights
    assert zoo.card("phase", folder=tmp_path)["accuracy"]["stored"]["test"] == pytest.approx(
        zoo.card("phase")["accuracy"]["stored"]["test"], abs=0.02
    )


@pytest.mark.slow
def test_processes_build_what_one_process_builds(tmp_path: Path) -> None:
    """A model and one that starts from it; the second waits for the first wherever they run."""
    names = ["converted-onset"]
    with one_thread():
        assert build(names, tmp_path / "here", seeds=[0], measure=False, progress=False) == ["ann", *names]
    build(names, tmp_path / "there", seeds=[0], measure=False, jobs=2, progress=False)
    for name in ("ann", *names):
        here, there = (tmp_path / folder / "mnist5k" / name / "weights.safetensors.xz" for folder in ("here", "there"))
        assert here.read_bytes() == there.read_bytes()
    assert build(names, tmp_path / "here", seeds=[0], measure=False, progress=False) == []


@contextmanager
def one_thread() -> Iterator[None]:
    """As the workers do: another number of threads rounds otherwise."""
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)


def test_a_model_is_remade_when_the_one_it_starts_from_changes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    before = {name: zoo.recipe(name).sha256 for name in ("ttfs-latency", "ttfs-onset")}
    recipes_with(monkeypatch, tmp_path, [("[models.latency]", "[models.latency]\nepochs = 3")])
    assert {name: zoo.recipe(name).sha256 == sha256 for name, sha256 in before.items()} == {
        "ttfs-latency": False,
        "ttfs-onset": True,
    }


def test_how_a_model_is_shown_does_not_decide_its_weights() -> None:
    recipe = zoo.recipes()["latency"]
    assert recipe.varied({"group": "exit", "exits": "last", "studies": []}).sha256 == recipe.sha256
    assert recipe.varied({"epochs": 3}).sha256 != recipe.sha256
    assert recipe.at_seed(1).sha256 != recipe.sha256


def test_bad_requests_of_a_build_say_what_is_valid(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown seeds \[7\]; choose from 0, 1, 2"):
        build(["ann"], tmp_path, seeds=[7])
    with pytest.raises(ValueError, match="unknown group 'spikes'; choose one of codes, training, exit, fusion"):
        zoo.names("spikes")
    with pytest.raises(ValueError, match="run 'snnlab zoo build ann'"):
        zoo.results("ann", folder=tmp_path)
    with pytest.raises(ValueError, match="unknown seed 7; choose one of 0, 1, 2"):
        zoo.results("ann", seed=7)


def test_the_command_lists_models_and_explains_mistakes() -> None:
    runner = CliRunner()
    listing = runner.invoke(app, ["zoo", "list"])
    assert listing.exit_code == 0
    assert all(name in listing.output for name in NAMES)
    mistake = runner.invoke(app, ["zoo", "build", "resnet"])
    assert mistake.exit_code == 2
    assert mistake.output.startswith("snnlab: unknown model 'resnet'; choose one of ann, direct")


STRIPES = """
limits = "Stripes."

[defaults]
dataset = "stripes"
num_steps = 4
hidden = [24]
beta = 0.9
threshold = 1.0
reset = "subtract"
decoder = "rate"
surrogate = { shape = "sigmoid", slope = 4.0 }
epochs = 20
batch_size = 20
learning_rate = 3e-2
loss = "count"

[evaluation]
seeds = [3, 4]
suite = "quick"
samples = 12
eps = [0.0, 0.2]
source = "plain"

[models.plain]
code = "ann"
encoding = "none"

[models.rows]
code = "latency"
encoding = "latency"
title = "rows by latency"

[models.wider]
group = "controls"
stored = "none"
encoding = "latency"
tried = [{ hidden = [8] }, { hidden = [9] }]
"""


def stripes(root: Path | None, progress: bool) -> Dataset:
    """Images of 3 x 3 pixels, the bright row is the class, in three equal splits."""
    labels = torch.arange(60) % 3
    images = torch.rand(60, 1, 3, 3, generator=torch.Generator().manual_seed(0)) * 0.3
    images[torch.arange(60), 0, labels] += 0.7
    return Dataset("stripes", *(Split(images, labels, 3) for _ in range(3)), sha256="0" * 64)


@pytest.mark.slow
def test_a_data_set_is_a_loader_and_a_recipe_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Registered at run time, its models are trained, measured, loaded, listed and exported as all others."""
    monkeypatch.setattr(registry, "RECIPE_FILES", list(registry.RECIPE_FILES))
    data.register(data.DatasetInfo("stripes", stripes, (1, 3, 3), classes=3, title="Stripes"))
    (tmp_path / "stripes.toml").write_text(STRIPES)
    zoo.register_recipes(tmp_path / "stripes.toml")
    assert zoo.names(dataset="stripes") == ["plain", "rows"]
    assert zoo.names("controls", dataset="stripes") == ["wider"]
    models = tmp_path / "models"
    options = {"dataset": "stripes", "progress": False}
    assert build([], models, **options) == ["plain", "rows"]
    assert build(["stripes/wider"], models, progress=False) == ["wider"]
    assert build(["rows", "wider"], models, **options) == []
    model = zoo.load("stripes/rows", folder=models)
    assert model(torch.rand(2, 1, 3, 3)).shape == (2, 3)
    for record in zoo.repeats("stripes/rows", models):
        assert (record.dataset, record.n, record.suite) == ("stripes", 12, "quick")
        assert record.accuracy() > 0.9
        assert record.diagnostics["chance"] == pytest.approx(1 / 3)
    assert not list((models / "stripes" / "wider").glob("weights*"))
    assert {tuple(record.other["recipe"]["hidden"]) for record in zoo.repeats("stripes/wider", models)} <= {(8,), (9,)}
    assert export.model_payload("rows", model)["layers"][0]["shape"] == [24, 9]
    monkeypatch.setattr(zoo, "repeats", partial(zoo.repeats, folder=models))
    monkeypatch.setattr(zoo, "measured", partial(zoo.measured, folder=models))
    table = export.payload("stripes")
    assert (table["dataset"], table["chance"], table["source"]) == ("Stripes", pytest.approx(1 / 3, abs=1e-6), "plain")
    assert [model["title"] for model in table["models"]] == ["ANN", "rows by latency"]
    assert set(results_table.accuracies(table, "worst", "current", 0.2, 4)) == {"plain", "rows"}


def test_another_network_is_a_function_of_recipe_and_code() -> None:
    zoo.register_network("linear", lambda recipe, code: nn.Sequential(nn.Flatten(), nn.Linear(784, 10)))
    recipe = zoo.recipe("ann").varied({"network": "linear"})
    assert zoo.classifier_for(recipe)(torch.rand(2, 1, 28, 28)).shape == (2, 10)
    assert recipe.sha256 != zoo.recipe("ann").sha256
    with pytest.raises(ValueError, match=r"unknown network 'cubic' of 'ann'; choose one of mlp, .*linear"):
        zoo.classifier_for(recipe.varied({"network": "cubic"}))
