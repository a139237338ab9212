"""The committed classifiers of events: cards, weights and records."""

from __future__ import annotations

import pytest

from snnlab import data, zoo
from snnlab.attacks.event_changes import KINDS
from snnlab.training.bptt import accuracy

DATASET = "events5k"
STORED = [name for name, of in zoo.recipes(dataset=DATASET).items() if of["stored"] == "all"]
EVERY = zoo.names("events", dataset=DATASET)


@pytest.mark.parametrize("name", STORED)
def test_card_states_the_accuracy_of_the_stored_weights(name: str) -> None:
    card, model = zoo.card(f"{DATASET}/{name}"), zoo.load(f"{DATASET}/{name}")
    stated = card["accuracy"]["stored"]["validation"]
    assert accuracy(model, data.load(DATASET).validation) == pytest.approx(stated, abs=0.0041)
    assert card["recipe_sha256"] == zoo.recipe(name, DATASET).sha256


@pytest.mark.parametrize("name", EVERY)
def test_records_count_every_kind_of_change_beside_chance(name: str) -> None:
    records = zoo.repeats(f"{DATASET}/{name}")
    assert [record.seed for record in records] == zoo.seeds(DATASET)
    for record in records:
        assert record.n == zoo.evaluation_settings(DATASET)["samples"]
        assert record.norm == "L0"
        assert set(record.correct) == {"worst", *KINDS, *(f"noise.{kind}" for kind in KINDS)}
        assert all("single seed" in flags for flags in record.flags.values())
        for kind in KINDS:
            counts = record.correct[kind][-1]
            assert counts == sorted(counts, reverse=True), "a budget contains every smaller one"
            assert counts[-1] < record.correct[f"noise.{kind}"][-1][-1], "chance is no attack"
