"""The committed models of CIFAR-10: weights, records and studies."""

import json

import pytest
import torch

from analysis import cifar10 as tables
from snnlab import zoo
from snnlab.zoo import results_table
from snnlab.zoo.adaptive import settings_sha256
from snnlab.zoo.studies import DRAWS, STUDIES

CIFAR10 = "cifar10"


SMALL = zoo.names(dataset=CIFAR10)


CONTROLS = zoo.names("controls", dataset=CIFAR10)


SEEDS = zoo.seeds(CIFAR10)


EVALUATION = zoo.evaluation_settings(CIFAR10)
saved, draws, trains = STUDIES


def path(name: str) -> str:
    return f"{CIFAR10}/{name}"


def test_every_small_model_is_shipped_and_measured_at_every_seed_and_none_of_the_papers_size() -> None:
    assert {name: zoo.measured(path(name)) for name in SMALL} == dict.fromkeys(SMALL, SEEDS)
    assert {of.name for of in (zoo.MODELS / CIFAR10).iterdir()} == {*SMALL, *CONTROLS}
    assert len(zoo.names("paper", dataset=CIFAR10)) == 8


def test_shipped_files_are_light_and_hold_no_picture() -> None:
    files = [file for file in (zoo.MODELS / CIFAR10).rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) < 8_000_000
    assert {file.suffix for file in files} <= {".json", ".xz"}


@pytest.mark.parametrize("name", [*SMALL, *CONTROLS])
def test_a_shipped_model_answers_on_its_code(name: str) -> None:
    model, card, recipe = zoo.load(path(name)), zoo.card(path(name)), zoo.recipe(path(name))
    assert not model.network.training
    assert model.num_steps == (recipe["num_steps"] if recipe.coded else 1)
    assert model(torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))).shape == (2, 10)
    assert card["recipe_sha256"] == recipe.sha256
    assert "JPEG" in card["data"]["note"]


def _exits(name: str, decoder: str, seed: int) -> list[int]:
    recipe = zoo.recipe(path(name))
    if not recipe.coded:
        return [1]
    return [4] if decoder == "ttfs" or recipe.stochastic or seed > 0 else [1, 2, 3, 4]


@pytest.mark.parametrize("name", SMALL)
def test_a_record_holds_every_attacker_exit_and_decoding(name: str) -> None:
    recipe, expected = zoo.recipe(path(name)), [*EVALUATION["eps"]]
    expected += [8.0] if recipe["rule"] == "pgd" else []
    for seed in SEEDS:
        for decoder in EVALUATION["decoders"] if recipe.coded else ["current"]:
            record = zoo.results(path(name), seed, decoder=decoder)
            assert [round(eps * 255, 3) for eps in record.eps] == expected
            assert record.n == EVALUATION["samples"]
            assert record.exits == _exits(name, decoder, seed)
            worst = record.correct["worst"]
            threats = results_table.THREATS
            names = [n for n in (*threats["transfer"], *threats["naive"]) if n in record.correct]
            assert len(names) >= 2
            for attack in names:
                for low, high in zip(worst, record.correct[attack], strict=True):
                    assert all(a <= b for a, b in zip(low, high, strict=True))
        whole = json.loads(
            (zoo.MODELS / CIFAR10 / name / ("results.json" if seed == 0 else f"results-{seed}.json")).read_text()
        )
        at_seed = recipe.at_seed(seed)
        assert (whole["recipe_sha256"], whole["settings_sha256"]) == (at_seed.sha256, settings_sha256(at_seed))
    with pytest.raises(ValueError, match="choose one of current"):
        zoo.results(path(name), decoder="vote")


@pytest.mark.parametrize(("study", "name"), [(study, name) for study in STUDIES for name in study.models(CIFAR10)])
def test_a_study_has_a_record_of_every_model_that_it_names(study, name: str) -> None:  # type: ignore[no-untyped-def]
    record, n = study.record(path(name)), zoo.recipe(path(name)).studies[study.name]["samples"]
    assert record["weights_sha256"] == zoo.card(path(name))["weights_sha256"]
    assert record["n"] == n
    if study is draws:
        assert set(record["right"]) == (set(DRAWS) if zoo.recipe(path(name)).stochastic else {"few"})
        assert all(n >= record["clean"] > right[0] > right[-1] > 0 for right in record["right"].values())
        return
    columns = [record["correct"][count] for count in study.counts]
    assert all(counts == sorted(counts, reverse=True) for counts in columns[:1])  # a larger ε breaks no fewer
    for first, second, last in zip(*columns, strict=True):
        if study is saved:
            assert 0 <= last <= second <= n
        else:
            assert max(0, first + second - n) <= last <= min(first, second)


def test_a_spiking_network_counts_less_energy_than_its_twin() -> None:
    spent = {name: tables.energy(name) for name in SMALL}
    assert all(0 < spent[n] < spent["ann"] for n in SMALL if zoo.recipe(path(n)).coded)
    assert spent["ann"] == spent["ann-second"] == spent["pgd-ann"]  # ReLUs do not skip what is zero
