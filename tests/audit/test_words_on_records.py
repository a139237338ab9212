"""Sentences of chapters that depend on numbers, against the records."""

import pytest

from analysis.cifar10 import accuracy
from analysis.votes import VOTES, numbers
from snnlab import zoo
from snnlab.statistics import Change, change_between, change_over_seeds, over_seeds


def _mean(name: str, eps: float, attack: str = "worst") -> float:
    return over_seeds(zoo.repeats(name), attack, None, eps).mean


def _change(new: str, old: str, eps: float) -> Change:
    return change_between(zoo.repeats(new), zoo.repeats(old), eps=eps)


@pytest.mark.parametrize("chapter", VOTES)
def test_the_numbers_of_a_vote_come_with_what_a_reader_needs(chapter: str) -> None:
    text = numbers(chapter)
    assert "95 % intervals" in text or "against" in text
    assert "nan" not in text


def test_random_signs_cost_a_few_digits_of_a_hundred_and_chosen_signs_most() -> None:
    assert 0.02 < _mean("ann", 0.0) - _mean("ann", 0.1, "noise") < 0.1
    assert _mean("ann", 0.1, "fgsm.naive") < 0.2


def test_the_mean_of_plain_training_in_time_is_the_lowest_of_three_rules_on_latency() -> None:
    plain = _mean("latency", 0.1)
    for rule in ("tsslbp-latency", "converted-latency"):
        assert 0.02 < _mean(rule, 0.1) - plain < 0.15


@pytest.mark.parametrize(("code", "helps"), [("latency", True), ("direct", False)])
def test_leaving_after_six_steps_helps_latency_and_not_direct_and_costs_no_clean_digits(code: str, helps: bool) -> None:
    def change(eps: float) -> Change:
        records = zoo.repeats(code)
        early, whole = ([r.accuracy("worst", e, eps) for r in records] for e in (6, 8))
        return change_over_seeds(early, whole, records[0].n)

    assert (change(0.2).direction == "higher") == helps
    assert not change(0.0).clear


def test_plain_fusion_is_about_as_robust_as_direct_and_far_from_half_way() -> None:
    assert _mean("fusion", 0.1) - _mean("direct", 0.1) < 0.05
    assert _mean("fusion", 0.1) < (_mean("direct", 0.1) + _mean("latency", 0.1)) / 4
    assert _mean("direct", 0.0) > _mean("latency", 0.0)


def test_one_mixture_trained_on_attacked_digits_has_a_slightly_higher_mean_than_its_parts_and_no_more() -> None:
    parts = ("fgsm-direct", "fgsm-latency")
    assert all(_change("fusion-learned-fgsm", part, 0.1).mean > 0 for part in parts)
    assert not _change("fusion-learned-fgsm", "fgsm-latency", 0.1).clear
    assert not _change("fusion-learned-fgsm", "fgsm-latency", 0.2).clear


@pytest.mark.parametrize("name", ["fgsm-latency", "pgd-latency", "trades-latency"])
def test_behind_latency_adversarial_training_brings_no_more_than_longer_training_that_could_be_shown(name: str) -> None:
    assert _change(name, "latency", 0.1).direction == "higher"
    assert not _change(name, "latency-long", 0.1).clear


def test_latency_has_three_factors_beside_the_ordinary_network_on_pictures() -> None:
    def factor(attack: str, level: float, rival: str) -> float:
        snn, ann = accuracy("latency", attack, level), accuracy(rival, attack, level)
        assert snn is not None
        assert ann is not None
        return snn.mean / ann.mean

    assert 0.9 < factor("transfer", 4.0, "ann-second") < 1.3
    assert factor("pgd.naive", 2.0, "ann") > 2
    assert factor("worst", 1.0, "ann") < 1


def test_a_code_with_its_most_important_bit_first_gains_little_at_the_small_eps_and_nothing_at_the_large_one() -> None:
    assert 0 < _change("phase", "direct", 0.1).mean < 0.15
    assert _mean("phase", 0.2) < 0.01
