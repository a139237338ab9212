"""The CIFAR-10 zoo: what is shipped is whole, measured by all three attackers, and can be remade by the command."""

import json
from dataclasses import replace
from pathlib import Path

import official
import pytest
import torch
from typer.testing import CliRunner

from analysis import cifar10 as tables
from analysis import cifar10_studies
from snnlab import zoo
from snnlab.cli.main import app
from snnlab.encoding import encoder
from snnlab.networks.conv import SpikingConvNet
from snnlab.widgets import ResultsExplorer
from snnlab.zoo import adaptive, build, registry, results_table, studies
from snnlab.zoo.studies import STUDIES
from snnlab.zoo.train import objective_for

CIFAR10 = "cifar10"


SMALL = zoo.names(dataset=CIFAR10)


SEEDS = zoo.seeds(CIFAR10)


saved, draws, trains = STUDIES


def path(name: str) -> str:
    return f"{CIFAR10}/{name}"


def test_live_pictures_are_found_where_they_may_lie_and_damage_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_CIFAR10", raising=False)
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "cache"))
    assert tables.pictures() is None
    root = official.write_cifar10(tmp_path / "elsewhere")
    archive = tmp_path / "cache" / "cifar10" / "cifar-10-python.tar.gz"
    archive.parent.mkdir(parents=True)
    official.archive_of(root, archive)  # as load("cifar10") keeps it
    found = tables.pictures(3)
    assert found is not None
    assert found.images.shape == (3, 3, 32, 32)
    official.truncated(archive)
    with pytest.raises(ValueError, match="truncated"):
        tables.pictures()
    official.write_cifar10(tmp_path / "data")
    assert torch.equal(tables.pictures(3).images, found.images)
    (empty := tmp_path / "empty").mkdir()
    monkeypatch.setenv("SNNLAB_CIFAR10", str(empty))
    with pytest.raises(ValueError, match="the folder empty has nothing"):
        tables.pictures()


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One epoch of two steps, eight samples, two radii, and attacks of two steps."""
    text = (zoo.FOLDER / "recipes" / "cifar10.toml").read_text()
    for key, value in (
        ("epochs", "1"),
        ("num_steps = 4", "num_steps = 2"),
        ("samples", "8"),
        ("eps = [0.0", "eps = [0.0, 4.0]"),
        ("eps_adversarial", "[0.0, 8.0]"),
        ("eps = [1.0", "eps = [4.0]"),
    ):
        replaced = value if "=" in value else f"{key} = {value}"
        text = "\n".join(replaced if line.startswith(key) else line for line in text.split("\n"))
    (tmp_path / "quick.toml").write_text(text)
    monkeypatch.setattr(registry, "RECIPE_FILES", [registry.RECIPE_FILES[0], tmp_path / "quick.toml"])
    monkeypatch.setattr(adaptive, "ADAPTIVE", tuple(replace(a, steps=min(a.steps, 2)) for a in adaptive.ADAPTIVE))
    monkeypatch.setattr(studies, "STEPS", 2)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_zoo_is_built_from_the_files_and_what_is_done_is_skipped(tmp_path: Path) -> None:
    root, folder = official.write_cifar10(tmp_path / "data"), tmp_path / "zoo"
    models = ["ann", "latency", "poisson", "pgd-direct", "ann-poisson"]
    options = ["zoo", "build", *models, "--dataset", CIFAR10, "--root", str(root), "--folder", str(folder)]
    first = CliRunner().invoke(app, options)
    assert first.exit_code == 0, first.output
    assert f"built {', '.join(models)}" in first.output
    for seed in SEEDS:
        record = zoo.results("cifar10/latency", seed, folder)
        assert record.exits == ([1, 2] if seed == SEEDS[0] else [2])
        assert record.suite == "adaptive"
        assert "single seed" in record.flags["worst"]
        by_spike = zoo.results("cifar10/latency", seed, folder, decoder="ttfs")
        assert {"noise", "transfer", "transfer.mifgsm", "pgd.naive", "worst"} <= set(by_spike.correct)
        assert record.count("worst", 2) <= 8
        assert len(record.energy_pj) == 2
    assert "transfer" not in zoo.results("cifar10/ann", 0, folder).correct
    assert zoo.results("cifar10/pgd-direct", 0, folder).eps[-1] == pytest.approx(8 / 255)
    assert not list((folder / CIFAR10).rglob("weights-1*"))  # of the first seed alone
    assert "nothing to do" in CliRunner().invoke(app, options).output
    for file in ("results.json", "saved.json", "trains.json"):
        (folder / CIFAR10 / "latency" / file).unlink()
        assert "built latency" in CliRunner().invoke(app, options).output
    control = draws.record("cifar10/ann-poisson", folder)
    assert not zoo.measured("cifar10/ann-poisson", folder)  # a study is all that it has
    assert 0 <= control["right"]["many"][0] <= 8
    searched = trains.record("cifar10/latency", folder)["correct"]
    assert searched["both"][0] <= min(searched["images"][0], searched["trains"][0])
    counts = saved.record("cifar10/latency", folder)["correct"]
    assert all(known <= of_file for known, of_file in zip(counts["known"], counts["saved"], strict=True))


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_a_record_of_another_suite_or_of_other_weights_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder = official.write_cifar10(tmp_path / "data"), tmp_path / "zoo"
    options = {"dataset": CIFAR10, "root": root, "seeds": [0], "progress": False}
    assert build.build(["ann"], folder, **options) == ["ann"]
    assert build.build(["ann"], folder, **options) == []
    file = folder / CIFAR10 / "ann" / "results.json"
    record = json.loads(file.read_text())
    file.write_text(json.dumps(record | {"weights_sha256": "0" * 64}))
    assert build.build(["ann"], folder, **options) == ["ann"]
    monkeypatch.setattr(adaptive, "ADAPTIVE", adaptive.ADAPTIVE[:-1])
    assert build.build(["ann"], folder, **options) == ["ann"]


def test_what_cannot_be_built_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="resnet18-ann is neither stored nor measured; train it by"):
        build.build(["cifar10/resnet18-ann"])
    failed = CliRunner().invoke(app, ["zoo", "build", "--dataset", CIFAR10, "--root", str(tmp_path / "nothing")])
    assert failed.exit_code == 2
    assert "is no folder" in failed.output
    with pytest.raises(ValueError, match="no models of 'stl10'; choose one of mnist5k, cifar10"):
        zoo.names(dataset="stl10")
    with pytest.raises(ValueError, match="choose one of ann, ann-second"):
        zoo.load("cifar10/lstm")
    with pytest.raises(ValueError, match="unknown seed"):
        zoo.results("cifar10/latency", 7)


def test_the_architecture_follows_the_recipe() -> None:
    model = zoo.classifier_for(zoo.recipe("cifar10/fusion-poisson"))
    assert isinstance(model.network, SpikingConvNet)
    assert model.network.in_channels == 6
    assert model.encoder == encoder("fusion(poisson, latency)", num_steps=4)
    assert zoo.classifier_for(zoo.recipe("cifar10/resnet18-latency")).network.checkpointing
    assert objective_for(zoo.recipe("cifar10/pgd-latency")).budget.eps == pytest.approx(4 / 255)
    assert objective_for(zoo.recipe("cifar10/latency")) is None


def test_the_table_of_the_page_says_what_each_seed_was_measured_at() -> None:
    """Later seeds are measured at the last exit alone; at the others the first one stands for itself."""
    table = results_table.payload()
    for name in SMALL:
        for decoder, part in table["results"][name].items():
            records = zoo.repeats(path(name), decoder=decoder)
            for attack, seeds in part["correct"].items():
                for record, rows in zip(records, seeds, strict=True):
                    own = {e: counts for e, counts in zip(part["exits"], rows, strict=True) if counts is not None}
                    assert own == dict(zip(record.exits, record.correct[attack], strict=True))
                    assert max(part["exits"]) in own
            for exit_step in part["exits"]:
                shares = results_table.accuracies(table, "worst", decoder, 1 / 255, exit_step)[name]
                assert len(shares) == sum(exit_step in record.exits for record in records)
                told = tables.accuracy(name, "worst", 1.0, decoder=decoder, exit_step=exit_step)
                assert (told.seeds, told.mean) == (len(shares), pytest.approx(sum(shares) / len(shares)))
            assert tables.accuracy(name, "worst", 1.0, decoder=decoder, exit_step=9) is None


@pytest.mark.parametrize(
    ("spikes", "ordinary", "says"),
    [(300, 100, "clearly more"), (100, 300, "clearly less"), (200, 210, "as much, for all that the intervals can tell")],
)
def test_what_the_spikes_keep_beside_their_control_is_told_by_intervals(
    monkeypatch: pytest.MonkeyPatch, spikes: float, ordinary: float, says: str
) -> None:
    kept = {"poisson": spikes, "fusion-poisson": 400.0, "ann-poisson": ordinary, "ann": 9.0}

    def record(_: object, name: str, dataset: str) -> dict[str, object]:
        few = kept[name] + 90 * (name == "fusion-poisson")  # the patient attacker finds more of this one
        many = {} if name == "ann" else {"many": [kept[name]]}
        return {"n": 500, "clean": 500.0, "eps": [4 / 255], "right": {"few": [few], **many}}

    monkeypatch.setattr(type(draws), "record", record)
    told = cifar10_studies.draws_finding(4.0)
    assert "break clearly more of: `fusion-poisson`." in told
    assert f": `poisson` keeps {says}." in told
    assert "`ann-poisson` keeps clearly more, " in told  # than the network that draws nothing


def test_the_still_picture_of_the_results_says_which_network_where_and_how_sure() -> None:
    explorer = ResultsExplorer(against="worst", eps=4 / 255)
    told = explorer._still().alt
    assert "ANN (attacked training)" in told
    assert "exit 4" in told
    assert "95 % interval" in told
    assert "networks carry flags" in told
