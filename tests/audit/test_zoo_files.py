"""The committed models of digits: cards, weights and records."""

import gzip
from pathlib import Path

import pytest
import torch

from snnlab import zoo
from snnlab.attacks import has_trains
from snnlab.data import Dataset
from snnlab.statistics import over_seeds
from snnlab.training.bptt import accuracy
from snnlab.zoo import export
from snnlab.zoo.adaptive import settings_sha256

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
        assert record.accuracy() >= (0.90 if name == "latency" else 0.93)


@pytest.mark.parametrize("name", NAMES)
def test_record_says_how_it_was_measured(name: str) -> None:
    for record in zoo.repeats(name):
        assert record.n == zoo.evaluation_settings()["samples"]
        # the costly attacks count in the worst case alone
        assert set(record.attacks) - set(record.correct) == set(record.survivors)
        assert set(record.correct) <= set(record.attacks)
        assert all("single seed" in notes for notes in record.flags.values())
        assert record.data_sha256 == zoo.card(name)["data"]["sha256"]
        assert record.recipe_sha256 == zoo.recipes()[name].at_seed(record.seed).sha256


@pytest.mark.parametrize("name", NAMES)
def test_seeds_are_different_networks_measured_alike(name: str) -> None:
    records = zoo.repeats(name)
    assert [record.seed for record in records] == zoo.seeds()
    assert len({record.weights_sha256 for record in records}) == len(records)
    assert all(record.exits[-1] == records[0].exits[-1] for record in records)
    assert over_seeds(records, "worst", None, 0.1).seeds == len(zoo.seeds())


def test_weights_and_data_stay_light() -> None:
    """Of all seeds and data sets together; what a page loads has a test of its own."""
    kinds = {".xz", ".safetensors", ".npz"}
    package = Path(zoo.__file__).parents[1]
    kept = (p for p in package.rglob("*") if p.suffix in kinds and not {".unfinished", "node_modules"} & set(p.parts))
    assert sum(p.stat().st_size for p in kept) < 25e6


def test_web_data_is_light_and_holds_every_weight(tmp_path: Path) -> None:
    size = {p.stem: len(gzip.compress(p.read_bytes(), 9)) for p in export.write(tmp_path)}
    assert size["snnlab-zoo"] < 250_000  # what every page loads
    digits = {name for name in size if name.startswith("snnlab-digits-")}  # loaded when the page measures or trains
    assert size["snnlab-digits-test"] < 250_000
    assert max(size[name] for name in size.keys() - digits) < 500_000  # what a change of model loads
    pictures = {name for name in size if name.startswith("snnlab-picture-")}  # one at a time, in one chapter
    assert sum(size[name] for name in pictures) < 4_500_000
    assert sum(size[name] for name in size.keys() - pictures) < 8_000_000
    for name in NAMES:
        first = export.payload(f"model/{name}")["layers"][0]
        levels = torch.tensor([ord(c) - 80 for c in first["weight"]]).view(first["shape"])
        weight = levels * torch.exp2(torch.tensor(first["exponent"], dtype=torch.float32))[:, None]
        assert torch.equal(weight, zoo.load(name).network.layers[0].weight)


def test_shipped_weights_come_from_their_recipes() -> None:
    for name, recipe in zoo.recipes().items():
        assert zoo.card(name)["recipe_sha256"] == recipe.sha256


@pytest.mark.parametrize(("name", "seed"), [(name, seed) for name in NAMES for seed in zoo.seeds()])
def test_records_are_of_the_present_suite_recipe_and_weights(name: str, seed: int) -> None:
    record, recipe = zoo.results(name, seed), zoo.recipes()[name].at_seed(seed)
    assert (record.settings_sha256, record.recipe_sha256) == (settings_sha256(recipe), recipe.sha256)
    assert (record.suite, record.eps) == (zoo.evaluation_settings()["suite"], zoo.evaluation_settings()["eps"])
    left = [counts[-1][-1] for counts in record.survivors.values()]
    assert left == sorted(left, reverse=True)
    assert has_trains(zoo.load(name, seed).encoder) == ("spike_train" in record.attacks)
