"""The zoo: small, whole, refused when altered, remade from its recipes."""

import gzip
import hashlib
import json
import lzma
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import fmean

import pytest
import torch
from torch import nn
from typer.testing import CliRunner

from snnlab import zoo
from snnlab.attack import has_trains
from snnlab.cli import app
from snnlab.data import Dataset
from snnlab.records import accuracy_of, over_seeds
from snnlab.training import accuracy
from snnlab.zoo import web
from snnlab.zoo.build import build
from snnlab.zoo.storage import MAX_LEVEL, integers, quantise, read_weights, write_weights
from snnlab.zoo.tasks import settings_sha256

NAMES = zoo.names()


@pytest.mark.parametrize("name", NAMES)
def test_card_tells_the_accuracy_of_the_stored_model(name: str, mnist: Dataset) -> None:
    model = zoo.load(name)
    model.generator = torch.Generator().manual_seed(0)
    told = zoo.card(name)["accuracy"]["stored"]["test"]
    # analog input sums in another order on other machines: one image may change sides
    assert accuracy(model, mnist.test) == pytest.approx(told, abs=0.0021)


@pytest.mark.parametrize("name", zoo.names("codes"))
def test_clean_accuracy_is_what_the_book_promises(name: str) -> None:
    for record in zoo.repeats(name):
        assert accuracy_of(record) >= (0.90 if name == "latency" else 0.93)


@pytest.mark.parametrize("name", NAMES)
def test_record_says_how_it_was_measured(name: str) -> None:
    for record in zoo.repeats(name):
        assert record["n"] == zoo.evaluation_settings()["samples"]
        # the costly attacks count in the worst case alone
        assert set(record["attacks"]) - set(record["correct"]) == set(record["left"])
        assert set(record["correct"]) <= set(record["attacks"])
        assert all("single seed" in notes for notes in record["flags"].values())
        assert record["data_sha256"] == zoo.card(name)["data"]["sha256"]
        assert record["recipe_sha256"] == zoo.recipes()[name].at_seed(record["seed"]).sha256


@pytest.mark.parametrize("name", NAMES)
def test_seeds_are_different_networks_measured_alike(name: str) -> None:
    records = zoo.repeats(name)
    assert [record["seed"] for record in records] == zoo.seeds()
    assert len({record["weights_sha256"] for record in records}) == len(records)
    assert all(record["exits"][-1] == records[0]["exits"][-1] for record in records)
    assert over_seeds(records, "worst", None, 0.1).seeds == len(zoo.seeds())


def test_rounding_costs_no_accuracy() -> None:
    """Per model a few images change sides; on average no more than a tenth of a point is lost."""
    lost = [zoo.card(name)["accuracy"] for name in NAMES]
    assert fmean(a["float32"]["test"] - a["stored"]["test"] for a in lost) <= 0.001


def test_weights_and_data_stay_light() -> None:
    """Of all seeds and data sets together; what a page loads has a test of its own."""
    kinds = {".xz", ".safetensors", ".npz"}
    package = Path(zoo.__file__).parents[1]
    kept = (p for p in package.rglob("*") if p.suffix in kinds and not {".unfinished", "node_modules"} & set(p.parts))
    assert sum(p.stat().st_size for p in kept) < 25e6


def test_web_data_is_light_and_holds_every_weight(tmp_path: Path) -> None:
    size = {p.stem: len(gzip.compress(p.read_bytes(), 9)) for p in web.write(tmp_path)}
    assert size["snnlab-zoo"] < 250_000  # what every page loads
    assert max(size.values()) < 500_000  # what a change of model loads
    assert sum(size.values()) < 8_000_000
    for name in NAMES:
        first = web.payload(f"model/{name}")["layers"][0]
        levels = torch.tensor([ord(c) - 80 for c in first["weight"]]).view(first["shape"])
        weight = levels * torch.exp2(torch.tensor(first["exponent"], dtype=torch.float32))[:, None]
        assert torch.equal(weight, zoo.load(name).network.layers[0].weight)


def test_quantising_twice_is_quantising_once_and_survives_the_file(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 5))
    quantise(network)
    once = [p.clone() for p in network.parameters()]
    quantise(network)
    write_weights(network, tmp_path / "w.safetensors")
    other = nn.Sequential(nn.Linear(30, 20), nn.ReLU(), nn.Linear(20, 5))
    read_weights(other, (tmp_path / "w.safetensors").read_bytes(), "test")
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
    shutil.copytree(zoo.MODELS / "ann", tmp_path / "ann")
    return tmp_path


@pytest.mark.parametrize("damage", [lambda b: b[:-7], lambda b: b[:500] + bytes([b[500] ^ 1]) + b[501:], lambda b: b""])
def test_altered_weights_are_refused(damage, copy: Path) -> None:  # type: ignore[no-untyped-def]
    path = copy / "ann" / "weights.safetensors.xz"
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match="altered or truncated"):
        zoo.load("ann", folder=copy)


def test_weights_of_another_network_are_refused(copy: Path) -> None:
    card = json.loads((copy / "ann" / "card.json").read_text())
    blob = zoo.weights("fusion")
    (copy / "ann" / "weights.safetensors.xz").write_bytes(lzma.compress(blob))
    (copy / "ann" / "card.json").write_text(json.dumps(card | {"weights_sha256": hashlib.sha256(blob).hexdigest()}))
    with pytest.raises(ValueError, match="the network expects"):
        zoo.load("ann", folder=copy)


def test_altered_results_are_refused(copy: Path) -> None:
    path = copy / "ann" / "results.json"
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
    with pytest.raises(ValueError, match="choose one of zoo, model/ann"):
        web.payload("models")
    with pytest.raises(ValueError, match="unknown models"):
        build(["resnet"], tmp_path)


TRIAL = {"epochs": 2, "hidden": [16]}


def test_build_makes_a_model_once_and_remakes_it_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = zoo.recipes()
    trial = {n: zoo.ModelRecipe(n, {**r.settings, **TRIAL}) for n, r in known.items()}
    monkeypatch.setattr(zoo, "recipes", lambda: trial)
    for folder in ("a", "b"):
        assert build(["onset"], tmp_path / folder, seeds=[0], measure=False, progress=False) == ["onset"]
    assert build(["onset"], tmp_path / "a", seeds=[0], measure=False, progress=False) == []
    files = [tmp_path / folder / "onset" / "weights.safetensors.xz" for folder in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert not list(tmp_path.rglob("*.checkpoint"))


def test_shipped_weights_come_from_their_recipes() -> None:
    for name, recipe in zoo.recipes().items():
        assert zoo.card(name)["recipe_sha256"] == recipe.sha256


def test_ctrl_c_is_survived(tmp_path: Path) -> None:
    """Stopped in the middle of a training, the same command goes on and ends as an uninterrupted one."""
    command = [sys.executable, "-m", "snnlab.cli", "zoo", "build", "phase", "--no-measure", "--seed", "0", "--folder"]
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
    assert not (tmp_path / "phase" / "weights.safetensors.xz").exists()
    subprocess.run([*command, str(tmp_path)], check=True, stderr=subprocess.DEVNULL, env=environment)
    # spikes are exact, training is not: another processor may round other weights
    assert zoo.card("phase", folder=tmp_path)["accuracy"]["stored"]["test"] == pytest.approx(
        zoo.card("phase")["accuracy"]["stored"]["test"], abs=0.02
    )


def test_processes_build_what_one_process_builds(tmp_path: Path) -> None:
    """A model and one that starts from it; the second waits for the first wherever they run."""
    names = ["converted-onset"]
    with one_thread():
        assert build(names, tmp_path / "here", seeds=[0], measure=False, progress=False) == ["ann", *names]
    build(names, tmp_path / "there", seeds=[0], measure=False, jobs=2, progress=False)
    for name in ("ann", *names):
        here, there = (tmp_path / folder / name / "weights.safetensors.xz" for folder in ("here", "there"))
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


def test_a_model_is_remade_when_the_one_it_starts_from_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    before = zoo.recipes()["ttfs-latency"].sha256
    known = dict(zoo.recipes())
    known["latency"] = zoo.ModelRecipe("latency", {**known["latency"].settings, "epochs": 3})
    monkeypatch.setattr(zoo, "recipes", lambda: known)
    assert known["ttfs-latency"].sha256 != before


def test_how_a_model_is_shown_does_not_decide_its_weights() -> None:
    recipe = zoo.recipes()["latency"]
    shown = zoo.ModelRecipe("latency", {**recipe.settings, "group": "exit", "exits": "last"})
    assert shown.sha256 == recipe.sha256
    assert recipe.at_seed(1).sha256 != recipe.sha256


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name in NAMES for seed in zoo.seeds()])
def test_records_are_of_the_present_suite_recipe_and_weights(name: str, seed: int) -> None:
    record, recipe = zoo.results(name, seed), zoo.recipes()[name].at_seed(seed)
    assert (record["settings_sha256"], record["recipe_sha256"]) == (settings_sha256(recipe), recipe.sha256)
    assert (record["suite"], record["eps"]) == (zoo.evaluation_settings()["suite"], zoo.evaluation_settings()["eps"])
    left = [counts[-1][-1] for counts in record["left"].values()]
    assert left == sorted(left, reverse=True)
    assert has_trains(zoo.load(name, seed).encoder) == ("spike_train" in record["attacks"])


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
    assert "unknown models" in mistake.output
