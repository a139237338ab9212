"""The committed records of controls."""

import pytest

from snnlab import zoo
from snnlab.statistics import change_over_seeds, over_seeds
from snnlab.zoo.adaptive import settings_sha256

MEASURED = [name for name in zoo.names("controls") if zoo.measured(name)]


@pytest.mark.parametrize("name", MEASURED)
def test_records_hold_every_seed_and_what_a_reader_needs(name: str) -> None:
    records = zoo.repeats(name)
    assert [r.seed for r in records] == zoo.seeds()
    for record in records:
        recipe = zoo.recipe(name).at_seed(record.seed)
        assert (record.recipe_sha256, record.settings_sha256) == (recipe.sha256, settings_sha256(recipe))
        assert record.n == zoo.evaluation_settings()["samples"]
    assert over_seeds(records, "worst", None, 0.0).mean > 0.85


def test_a_threshold_alone_keeps_more_than_every_spiking_code_as_the_chapters_say() -> None:
    threshold = zoo.repeats("ann-binary")
    for name in (name for name in zoo.names("codes") if name != "ann"):
        for eps in (0.1, 0.2):
            sides = ([r.accuracy(eps=eps) for r in records] for records in (threshold, zoo.repeats(name)))
            assert change_over_seeds(*sides).direction == "higher"


def test_behind_latency_the_neurons_matter_as_the_page_of_claims_says() -> None:
    spiking, shared, pixels = (
        [r.accuracy(eps=0.1) for r in zoo.repeats(name)] for name in ("latency", "shared-latency", "ann")
    )
    assert change_over_seeds(spiking, shared).direction == "higher"
    assert abs(change_over_seeds(shared, pixels).mean) < 0.05


def test_controls_stand_apart_from_the_zoo_and_its_explorers() -> None:
    assert set(zoo.names("controls")).isdisjoint(zoo.names())
    assert set(zoo.recipes()) == set(zoo.names())
