"""Reading results: means and intervals over seeds, and refusals."""

import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnlab.statistics import (
    MIN_EFFECT,
    Change,
    Record,
    change_over_seeds,
    flags_line,
    over_seeds,
    seed_summary,
    small_print,
    wilson_interval,
)


def _record(correct: int, n: int = 100, num_steps: int = 8, **described: Any) -> Record:
    exits = [4, 8] if num_steps > 1 else [1]
    counts = [[n, correct], [n, correct - 1]][: len(exits)]
    return Record(n=n, eps=[0.0, 0.1], num_steps=num_steps, exits=exits, correct={"worst": counts}, **described)


@given(st.lists(st.integers(1, 100), min_size=2, max_size=6))
def test_the_interval_over_seeds_holds_their_mean_and_lies_in_the_unit_interval(counts: list[int]) -> None:
    found = over_seeds([_record(c) for c in counts], "worst", 4, 0.1)
    assert found.mean == pytest.approx(sum(counts) / len(counts) / 100)
    assert 0 <= found.low <= found.mean <= found.high <= 1
    assert (found.n, found.seeds) == (100, len(counts))


def test_the_interval_over_three_seeds_is_students() -> None:
    # mean .5, standard deviation .1, t(0.975; 2) = 4.3027: half width 4.3027 · .1 / √3 = .24842
    found = over_seeds([_record(c) for c in (40, 50, 60)], "worst", 4, 0.1)
    assert (found.low, found.high) == (pytest.approx(0.25158, abs=1e-4), pytest.approx(0.74842, abs=1e-4))


def test_a_single_seed_has_the_interval_over_its_samples() -> None:
    found = over_seeds([_record(70)], "worst", 4, 0.1)
    assert (found.low, found.high) == wilson_interval(70, 100)
    assert found.seeds == 1


def test_seeds_that_agree_are_known_as_well_as_one_and_others_less_well() -> None:
    one, agreed, apart = (
        over_seeds([_record(k) for k in counts], "worst", 4, 0.1) for counts in ([70], [70] * 3, [65, 70, 75])
    )
    assert (agreed.low, agreed.mean, agreed.high) == pytest.approx((one.low, one.mean, one.high))
    assert apart.low < agreed.low < agreed.high < apart.high


def test_what_a_seed_does_to_both_cancels_in_their_difference() -> None:
    found = change_over_seeds([0.9, 0.5, 0.7], [0.8, 0.4, 0.6], None)
    assert (found.mean, found.low, found.high) == pytest.approx((0.1, 0.1, 0.1))
    assert found.clear
    assert not change_over_seeds([0.9, 0.5, 0.7], [0.8, 0.6, 0.7], None).clear
    with pytest.raises(ValueError, match="two values for every seed, got 2 and 3"):
        change_over_seeds([0.9, 0.5], [0.8, 0.4, 0.6], 100)


def test_seeds_that_agree_do_not_make_a_difference_clear_that_other_digits_could_undo() -> None:
    few, many = (change_over_seeds([0.52] * 3, [0.5] * 3, n) for n in (500, 100_000))
    assert (few.low, few.high) == (pytest.approx(-0.0418, abs=1e-3), pytest.approx(0.0816, abs=1e-3))  # Newcombe's, by hand
    assert (few.clear, many.clear) == (False, True)


def test_two_networks_that_lost_every_digit_differ_by_an_interval_that_has_a_width() -> None:
    found = change_over_seeds([0.0] * 3, [0.0] * 3, 500)
    assert -0.01 < found.low < found.mean == 0 < found.high < 0.01


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=2, max_size=4))
def test_the_interval_of_a_difference_is_never_narrower_than_over_seeds_alone(pairs: list[tuple[int, int]]) -> None:
    new, old = ([count / 100 for count in side] for side in zip(*pairs, strict=True))
    seeds, both = change_over_seeds(new, old, None), change_over_seeds(new, old, 100)
    assert both.low <= seeds.low <= seeds.high <= both.high


def test_an_attack_that_only_takes_digits_away_is_known_better_than_two_networks_that_differ_as_much() -> None:
    apart, nested = (change_over_seeds([0.5] * 3, [0.42] * 3, 500, nested=nested) for nested in (False, True))
    assert apart.low < nested.low < 0.08 < nested.high < apart.high


def test_a_count_belongs_to_its_exit_and_eps() -> None:
    assert _record(70).count("worst", 4, 0.1) == 70
    assert _record(70).count("worst", 8, 0.1) == 69
    assert _record(70).count("worst", None, 0.1) == 69
    assert _record(70).accuracy() == 1.0


def test_an_ann_answers_alike_at_every_exit() -> None:
    assert _record(70, num_steps=1).count("worst", 5, 0.1) == 70


def test_what_was_not_measured_is_named() -> None:
    record = _record(70)
    for wrong, words in (
        (("fgsm", 8, 0.1), "'fgsm' was not measured; choose one of worst"),
        (("worst", 5, 0.1), r"exit 5 was not measured; choose one of \[4, 8\]"),
        (("worst", 8, 0.3), r"ε = 0.3 was not measured; choose one of \[0.0, 0.1\]"),
    ):
        with pytest.raises(ValueError, match=words):
            record.count(*wrong)
    with pytest.raises(ValueError, match="got no record"):
        over_seeds([], "worst", 8, 0.1)
    with pytest.raises(ValueError, match="the same n"):
        over_seeds([record, _record(70, n=200)], "worst", 8, 0.1)


def test_tables_show_a_dash_where_an_attack_was_not_run() -> None:
    columns = [("clean", "worst", 0.0), ("transfer", "transfer", 0.1)]
    single = seed_summary({"ann": [_record(70)]}, columns)
    several = seed_summary({"ann": [_record(70), _record(72)]}, columns)
    assert single.loc["ann", "transfer"] == several.loc["ann", "transfer"] == "—"
    assert single.loc["ann", "clean"].startswith("1.000 [")
    assert several.loc["ann", "clean"] == single.loc["ann", "clean"]


def test_the_small_print_names_attacks_and_whose_flags_there_are() -> None:
    attacks = {"pgd": "PGD-10", "square": "Square, 300 queries", "worst": "any"}
    sampled = {"pgd": "PGD-10", "square": "Square, 300 queries, first 100 samples", "lattice": "lattice", "worst": "any"}
    seeds = [_record(70, model="onset", attacks=attacks, suite="quick", flags={"worst": flags}) for flags in FLAGS]
    on_samples: Any = {"samples": {"square": 100}, "survivors": {"pgd": [[9, 9], [9, 8]], "square": [[9, 9], [9, 6]]}}
    latency = [replace(seeds[0], model="latency", attacks=sampled, **on_samples)] * 3
    text = small_print({"onset": seeds, "latency": latency})
    assert text.startswith("n = 100 test digits, 3 training seeds")
    assert "if any attack of the suite `quick` broke it. Codes allow 2 to 3 of these attacks." in text
    assert (
        "Some attacks ran on the first 100 digits only; of those that survived the rest, they broke at most 2 (`latency`)."
        in text
    )
    rows = re.findall(r"<tr><td><code>(\w+)</code></td><td>(.*?)</td></tr>", text)
    assert rows == [
        ("pgd", "PGD-10"),
        ("square", "Square, 300 queries (first 100 samples where the code has spike trains)"),
        ("lattice", "lattice"),
    ]
    assert (
        "<tr><td>2 attacks</td><td><code>onset</code></td></tr><tr><td>3 attacks</td><td><code>latency</code></td>" in text
    )
    assert text.endswith(
        "*Flags.* Accuracy not near chance at ε = 0.3 (`onset`, `latency`). Silent outputs up to 3.0% (`onset`)."
    )


def test_flags_of_one_kind_share_its_sign() -> None:
    flagged = {"silent outputs up to 2.0%": ["a"], "single seed": ["a", "b"], "silent outputs up to 3.0%": ["b", "c"]}
    line, _, table = flags_line(flagged).partition("\n\n")
    assert line == "*Flags.* Silent outputs up to 3.0% (largest of `a`, `b`, `c`). Single seed (`a`, `b`)."
    assert [note for note in flagged if f"<td>{note}</td>" not in table] == []
    assert flags_line({"single seed": list("abcdefg")}).startswith("*Flags.* Single seed (7 networks).")
    assert flags_line({}) == "*Flags.* None."


def test_the_small_print_of_one_seed_claims_no_interval_over_seeds() -> None:
    record = _record(70, seed=2, attacks={"pgd": "PGD-10"}, flags={"worst": ["single seed"]})
    text = small_print({"onset": [record]})
    assert text.startswith("n = 100 test digits, training seed 2; 95 % intervals over digits (Wilson's). ")
    assert text.endswith("*Flags.* Single seed (`onset`).")


FLAGS = (
    ["single seed", "accuracy not near chance at ε = 0.3"],
    ["accuracy not near chance at ε = 0.2", "silent outputs up to 2.0%"],
    ["silent outputs up to 3.0%"],
)


def test_a_change_is_said_as_far_as_its_interval_allows() -> None:
    told = [change_over_seeds(new, [0.5, 0.5, 0.5], None).direction for new in ([0.6] * 3, [0.4] * 3, [0.4, 0.6, 0.5])]
    assert told == ["higher", "lower", "not told apart"]


def test_two_digits_of_500_are_not_clear_however_narrow_the_interval() -> None:
    found = change_over_seeds([0.504] * 3, [0.5] * 3, None)
    assert found.low > 0
    assert (found.clear, found.direction) == (False, "not told apart")
    assert change_over_seeds([0.51] * 3, [0.5] * 3, None).direction == "higher"  # 0.51 - 0.5 is a little less than 0.01
    assert change_over_seeds([0.49] * 3, [0.5] * 3, None).direction == "lower"


@given(st.floats(-1, 1), st.floats(0, 1))
def test_a_clear_change_is_at_least_a_point_and_its_interval_excludes_zero(mean: float, half: float) -> None:
    found = Change(mean, mean - half, mean + half, seeds=3)
    assert found.clear == (found.direction != "not told apart")
    if found.clear:
        assert abs(mean) > MIN_EFFECT - 1e-8
        assert found.low > 0 or found.high < 0
