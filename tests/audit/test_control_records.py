"""The committed records of controls."""

import pytest

from snnlab import zoo
from snnlab.statistics import Change, change_between, over_seeds
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
    without_memory = name.endswith(("-memoryless", "-beta0"))  # latency gives such a neuron one step of each pixel
    assert over_seeds(records, "worst", None, 0.0).mean > (0.75 if without_memory else 0.85)


def _change(new: str, old: str, eps: float) -> Change:
    return change_between(zoo.repeats(new), zoo.repeats(old), eps=eps)


def test_a_threshold_alone_keeps_as_much_as_every_spiking_code_and_more_at_the_larger_eps_as_the_chapters_say() -> None:
    for name in (name for name in zoo.names("codes") if name != "ann"):
        assert _change("ann-binary", name, 0.1).mean > 0
        assert _change("ann-binary", name, 0.2).direction == "higher"
        if name != "onset":
            assert _change("ann-binary", name, 0.1).direction == "higher"
    assert not _change("ann-binary", "onset", 0.1).clear
    assert _change("ann-binary", "onset", 0.0).mean < -0.01  # its price on clean digits


def test_behind_latency_the_neurons_matter_as_the_page_of_claims_says() -> None:
    assert _change("latency", "shared-latency", 0.1).direction == "higher"
    assert abs(_change("shared-latency", "ann", 0.1).mean) < 0.05


def test_time_protects_behind_latency_and_hardly_behind_onset_as_the_chapters_say() -> None:
    def gain(code: str, control: str) -> float:
        return _change(code, control, 0.1).mean

    for kind in ("shuffled", "memoryless"):
        assert over_seeds(zoo.repeats(f"latency-{kind}"), "worst", None, 0.1).mean < 0.01
        assert gain("latency", f"latency-{kind}") > 0.5
        assert -0.05 < gain("onset", f"onset-{kind}") < 0.1
    assert -0.1 < gain("onset", "shared-onset") < 0.0


def test_controls_stand_apart_from_the_zoo_and_its_explorers() -> None:
    assert set(zoo.names("controls")).isdisjoint(zoo.names())
    assert set(zoo.recipes()) == set(zoo.names())


@pytest.mark.parametrize("code", ["latency", "onset"])
def test_dark_pixels_first_cost_at_the_last_exit_and_at_early_exits_at_large_budgets_only(code: str) -> None:
    """The take-away of *Encoding*."""

    def gain(eps: float, exit_step: int | None) -> Change:
        return change_between(zoo.repeats(code), zoo.repeats(f"{code}-reversed"), "worst", exit_step, eps)

    assert gain(0.1, None).direction == "higher"
    assert gain(0.2, 4).direction == "higher"
    assert gain(0.1, 4).direction != "higher"
    assert gain(0.1, 2).direction == "lower"


@pytest.mark.parametrize("code", ["latency", "onset"])
def test_more_steps_than_eight_cost_robustness(code: str) -> None:
    """The take-away of *Training*."""
    for steps in (16, 32):
        for eps in (0.1, 0.2):
            assert change_between(zoo.repeats(f"{code}-T{steps}"), zoo.repeats(code), eps=eps).mean < 0
        assert change_between(zoo.repeats(f"{code}-T{steps}"), zoo.repeats(code), eps=0.1).direction == "lower"
