"""The CIFAR-10 zoo: what is shipped is whole, measured by all three attackers, and can be remade by the command."""

import hashlib
import json
from pathlib import Path

import official
import pytest
import torch
from typer.testing import CliRunner

from snnlab.cli import app
from snnlab.convolution import SpikingConvNet
from snnlab.encoding import encoder
from snnlab.records import correct_count
from snnlab.teach import cifar10 as teach
from snnlab.widgets import ResultsExplorer
from snnlab.zoo import cifar10
from snnlab.zoo.cifar10 import build, draws, saved, tasks, trains, web

SMALL = cifar10.names()
CONTROLS = cifar10.names("control")


def test_every_small_model_is_shipped_and_measured_at_every_seed_and_none_of_the_papers_size() -> None:
    assert {name: cifar10.measured(name) for name in SMALL} == dict.fromkeys(SMALL, cifar10.seeds())
    assert {path.name for path in cifar10.MODELS.iterdir() if not path.name.startswith(".")} == {*SMALL, *CONTROLS}
    assert len(cifar10.names("paper")) == 8


def test_shipped_files_are_light_and_hold_no_picture() -> None:
    files = [path for path in cifar10.MODELS.rglob("*") if path.is_file() and ".unfinished" not in path.parts]
    assert sum(path.stat().st_size for path in files) < 8_000_000
    assert {path.suffix for path in files} <= {".json", ".safetensors"}


@pytest.mark.parametrize("name", [*SMALL, *CONTROLS])
def test_a_shipped_model_answers_on_its_code(name: str) -> None:
    model, told = cifar10.load(name), cifar10.card(name)
    assert not model.network.training
    assert model.num_steps == (1 if told["recipe"]["encoding"] == "none" else told["recipe"]["num_steps"])
    assert model(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))).shape == (2, 10)
    assert told["recipe_sha256"] == cifar10.recipe_sha256(name, cifar10.seeds()[0])
    assert "JPEG" in told["data"]["note"]
    assert told["training_seconds"] is None or told["training_seconds"] > 0  # none: it was interrupted by hand


def _exits(encoding: str, decoder: str, seed: int) -> list[int]:
    if encoding == "none":
        return [1]
    return [4] if decoder == "ttfs" or "poisson" in encoding or seed > 0 else [1, 2, 3, 4]


@pytest.mark.parametrize("name", SMALL)
def test_a_record_holds_every_attacker_exit_and_decoding(name: str) -> None:
    told, expected = cifar10.settings(name), [*cifar10.evaluation_settings()["eps"]]
    expected += [8.0] if told["rule"] == "pgd" else []
    spiking = told["encoding"] != "none"
    for seed in cifar10.seeds():
        record = cifar10.results(name, seed)
        assert set(record) >= ({"current", "ttfs"} if spiking else {"current"})
        for decoder in ("current", "ttfs") if spiking else ("current",):
            part = record[decoder]
            assert [round(eps * 255, 3) for eps in part["eps"]] == expected
            assert part["n"] == cifar10.evaluation_settings()["samples"]
            assert part["exits"] == _exits(told["encoding"], decoder, seed)
            for counts in part["correct"].values():
                assert all(0 <= c <= part["n"] for row in counts for c in row)
            worst = part["correct"]["worst"]
            names = [n for n in (*web.THREATS["transfer"], *web.THREATS["naive"]) if n in part["correct"]]
            assert len(names) >= 2
            for attack in names:
                for low, high in zip(worst, part["correct"][attack], strict=True):
                    assert all(a <= b for a, b in zip(low, high, strict=True))
            assert part["flags"]["worst"] is not None


def test_the_first_seed_of_every_model_is_measured_on_the_weights_that_are_shipped() -> None:
    for name in SMALL:
        record = cifar10.results(name)
        assert record["weights_sha256"] == cifar10.card(name)["weights_sha256"], name


@pytest.mark.parametrize("name", cifar10.study_settings("saved")["models"])
def test_of_the_wanted_models_there_is_a_record_of_saved_pictures(name: str) -> None:
    record = saved.record(name)
    assert record["weights_sha256"] == cifar10.card(name)["weights_sha256"]
    assert record["n"] == cifar10.study_settings("saved")["samples"]
    for counts in record["correct"].values():
        assert all(0 <= count <= record["n"] for count in counts)
        assert counts == sorted(counts, reverse=True)  # a larger ε breaks no fewer, by far more than attacks vary
    assert all(
        known <= of_file for known, of_file in zip(record["correct"]["known"], record["correct"]["saved"], strict=True)
    )


@pytest.mark.parametrize("name", cifar10.study_settings("trains")["models"])
def test_of_step_codes_there_is_a_record_of_the_search_among_spike_trains(name: str) -> None:
    record = trains.record(name)
    assert record["weights_sha256"] == cifar10.card(name)["weights_sha256"]
    assert record["n"] == cifar10.study_settings("trains")["samples"]
    images, searched, both = (record["correct"][count] for count in trains.COUNTS)
    for image, search, left in zip(images, searched, both, strict=True):
        assert max(0, image + search - record["n"]) <= left <= min(image, search)
    assert both == sorted(both, reverse=True)


@pytest.mark.parametrize("name", cifar10.study_settings("draws")["models"])
def test_of_random_codes_there_is_a_record_over_draws(name: str) -> None:
    record = draws.record(name)
    assert record["weights_sha256"] == cifar10.card(name)["weights_sha256"]
    assert record["n"] == cifar10.study_settings("draws")["samples"]
    assert set(record["right"]) == (set(draws.DRAWS) if cifar10.load(name).stochastic else {"few"})
    for right in record["right"].values():
        assert record["n"] >= record["clean"] > right[0] > right[-1] > 0


def test_live_pictures_are_found_where_they_may_lie_and_damage_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SNNLAB_CIFAR10", raising=False)
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "cache"))
    assert teach.pictures() is None
    root = official.write_cifar10(tmp_path / "elsewhere")
    archive = tmp_path / "cache" / "cifar10" / "cifar-10-python.tar.gz"
    archive.parent.mkdir(parents=True)
    official.archive_of(root, archive)  # as load("cifar10") keeps it
    found = teach.pictures(3)
    assert found is not None
    assert found.images.shape == (3, 3, 32, 32)
    official.truncated(archive)
    with pytest.raises(ValueError, match="truncated"):
        teach.pictures()
    official.write_cifar10(tmp_path / "data")
    assert torch.equal(teach.pictures(3).images, found.images)
    monkeypatch.setenv("SNNLAB_CIFAR10", str(tmp_path / "cache"))
    with pytest.raises(ValueError, match="no CIFAR-10 in"):
        teach.pictures()


def test_a_spiking_network_counts_less_energy_than_its_twin() -> None:
    spent = {name: teach.energy(name) for name in SMALL}
    assert all(0 < spent[n] < spent["ann"] for n in SMALL if cifar10.settings(n)["encoding"] != "none")
    assert spent["ann"] == spent["ann-second"] == spent["pgd-ann"]  # ReLUs do not skip what is zero


def test_altered_weights_and_strange_names_are_refused(tmp_path: Path) -> None:
    for name in ("latency",):
        (tmp_path / name).mkdir()
        (tmp_path / name / "card.json").write_text((cifar10.MODELS / name / "card.json").read_text())
        with pytest.raises(ValueError, match="is missing"):
            cifar10.load(name, tmp_path)
        blob = (cifar10.MODELS / name / "weights.safetensors").read_bytes()
        (tmp_path / name / "weights.safetensors").write_bytes(blob[:-5])
        with pytest.raises(ValueError, match="altered or truncated"):
            cifar10.load(name, tmp_path)
    with pytest.raises(ValueError, match="choose one of ann, ann-second"):
        cifar10.load("lstm")
    with pytest.raises(ValueError, match="unknown seed"):
        cifar10.results("latency", 7)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """One epoch of a recipe, eight samples, two radii, and attacks of two steps."""
    told = json.loads(json.dumps(cifar10._file()))
    told["defaults"] |= {"epochs": 1, "num_steps": 2}
    for model in told["models"].values():
        model.pop("epochs", None)
    told["evaluation"] |= {"samples": 8, "eps": [0.0, 4.0], "eps_adversarial": [0.0, 8.0]}
    told["saved"] |= {"models": ["latency"], "samples": 8, "eps": [4.0]}
    told["trains"] |= {"models": ["latency"], "samples": 8, "eps": [4.0]}
    told["draws"] |= {"models": ["ann-poisson"], "samples": 8, "eps": [4.0]}
    monkeypatch.setattr(cifar10, "_file", lambda: told)
    from dataclasses import replace

    monkeypatch.setattr(tasks, "SUITE", tuple(replace(a, steps=min(a.steps, 2)) for a in tasks.SUITE))
    for study in build.STUDIES:
        monkeypatch.setattr(study, "STEPS", 2)


@pytest.mark.usefixtures("quick")
def test_a_zoo_is_built_from_the_files_and_what_is_done_is_skipped(tmp_path: Path) -> None:
    root, folder = official.write_cifar10(tmp_path / "data"), tmp_path / "zoo"
    models = ["ann", "latency", "poisson", "pgd-direct", "ann-poisson"]
    options = ["zoo", "cifar10", *models, "--root", str(root), "--folder", str(folder)]
    first = CliRunner().invoke(app, options)
    assert first.exit_code == 0, first.output
    assert f"built {', '.join(models)}" in first.output
    for seed in cifar10.seeds():
        record = cifar10.results("latency", seed, folder)
        assert record["current"]["exits"] == ([1, 2] if seed == cifar10.seeds()[0] else [2])
        assert "single seed" in record["current"]["flags"]["worst"]
        assert {"noise", "transfer", "transfer.mifgsm", "pgd.naive", "worst"} <= set(record["ttfs"]["correct"])
        assert correct_count(record["current"], "worst", 2, 0.0) <= 8
        assert len(record["current"]["energy_pj"]) == 2
    assert "transfer" not in cifar10.results("ann", 0, folder)["current"]["correct"]
    assert cifar10.results("pgd-direct", 0, folder)["current"]["eps"][-1] == pytest.approx(8 / 255)
    blob = (folder / "latency" / "weights.safetensors").read_bytes()
    assert cifar10.card("latency", folder)["weights_sha256"] == hashlib.sha256(blob).hexdigest()
    assert "nothing to do" in CliRunner().invoke(app, options).output
    for file in ("results.json", "saved.json", "trains.json"):
        (folder / "latency" / file).unlink()
        assert "built latency" in CliRunner().invoke(app, options).output
    control = draws.record("ann-poisson", folder)
    assert not cifar10.measured("ann-poisson", folder)  # a control has its study alone
    assert 0 <= control["right"]["many"][0] <= 8
    searched = trains.record("latency", folder)["correct"]
    assert searched["both"][0] <= min(searched["images"][0], searched["trains"][0])
    counts = saved.record("latency", folder)["correct"]
    assert set(counts) == set(saved.COUNTS)
    assert all(known <= of_file for known, of_file in zip(counts["known"], counts["saved"], strict=True))


@pytest.mark.usefixtures("quick")
def test_a_record_of_another_suite_or_of_other_weights_is_measured_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, folder = official.write_cifar10(tmp_path / "data"), tmp_path / "zoo"
    own = {"root": root, "only": [0], "progress": False}
    assert build.build(["ann"], folder, **own) == ["ann"]
    assert build.build(["ann"], folder, **own) == []
    path = folder / "ann" / "results.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"weights_sha256": "0" * 64}))
    assert build.build(["ann"], folder, **own) == ["ann"]
    monkeypatch.setattr(tasks, "SUITE", tasks.SUITE[:-1])
    assert build.build(["ann"], folder, **own) == ["ann"]


def test_what_cannot_be_built_is_said(tmp_path: Path) -> None:
    root = official.write_cifar10(tmp_path)
    with pytest.raises(ValueError, match="unknown models or seeds"):
        build.build(["resnet18-ann"], root=root)
    failed = CliRunner().invoke(app, ["zoo", "cifar10", "--root", str(tmp_path / "nothing")])
    assert failed.exit_code == 2
    assert "is no folder" in failed.output


def test_the_architecture_follows_the_recipe() -> None:
    model = cifar10.classifier_for("fusion-poisson")
    assert isinstance(model.network, SpikingConvNet)
    assert model.network.in_channels == 6
    assert model.encoder == encoder("fusion(poisson, latency)", num_steps=4)
    assert cifar10.classifier_for("resnet18-latency").network.checkpointing
    assert cifar10.objective_for("pgd-latency") is not None
    assert cifar10.objective_for("latency") is None
    with pytest.raises(ValueError, match="choose one of"):
        cifar10.settings("nothing")


def test_the_table_of_the_page_says_what_each_seed_was_measured_at() -> None:
    """Later seeds are measured at the last exit alone; at the others the first one stands for itself."""
    table = web.payload()
    for name in SMALL:
        for decoder, part in table["results"][name].items():
            records = cifar10.repeats(name, decoder=decoder)
            for attack, seeds in part["correct"].items():
                for record, rows in zip(records, seeds, strict=True):
                    own = {e: counts for e, counts in zip(part["exits"], rows, strict=True) if counts is not None}
                    assert own == dict(zip(record["exits"], record["correct"][attack], strict=True))
                    assert max(part["exits"]) in own
            for exit_step in part["exits"]:
                shares = web.accuracies(table, "worst", decoder, 1 / 255, exit_step)[name]
                assert len(shares) == sum(exit_step in record["exits"] for record in records)
                told = teach.kept(name, "worst", 1.0, decoder=decoder, exit_step=exit_step)
                assert (told.seeds, told.mean) == (len(shares), pytest.approx(sum(shares) / len(shares)))
            assert teach.kept(name, "worst", 1.0, decoder=decoder, exit_step=9) is None


@pytest.mark.parametrize(
    ("spikes", "ordinary", "says"),
    [(300, 100, "clearly more"), (100, 300, "clearly less"), (200, 210, "as much, for all that the intervals can tell")],
)
def test_what_the_spikes_keep_beside_their_control_is_told_by_intervals(
    monkeypatch: pytest.MonkeyPatch, spikes: float, ordinary: float, says: str
) -> None:
    kept = {"poisson": spikes, "fusion-poisson": 400.0, "ann-poisson": ordinary, "ann": 9.0}

    def record(name: str) -> dict[str, object]:
        few = kept[name] + 90 * (name == "fusion-poisson")  # the patient attacker finds more of this one
        many = {} if name == "ann" else {"many": [kept[name]]}
        return {"n": 500, "clean": 500.0, "eps": [4 / 255], "right": {"few": [few], **many}}

    monkeypatch.setattr(draws, "record", record)
    told = teach.draws_finding(4.0)
    assert "break clearly more of: `fusion-poisson`." in told
    assert f"the spikes keep {says}." in told
    assert told.endswith("the draws keep clearly more.")


def test_the_still_picture_of_the_results_says_which_network_where_and_how_sure() -> None:
    explorer = ResultsExplorer(against="worst", eps=4 / 255)
    told = explorer._still().alt
    assert "ANN (attacked training)" in told
    assert "exit 4" in told
    assert "95 % interval" in told
    assert "networks carry flags" in told
