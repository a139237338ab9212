"""Evaluation: intervals, worst cases, resumption, flags."""

from dataclasses import replace
from math import inf, sqrt
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from snnlab import zoo
from snnlab.attacks import INFORMED, NAIVE
from snnlab.data import Dataset, Split
from snnlab.evaluation.report import page, table
from snnlab.evaluation.robustness import Evaluation, evaluate, evaluate_robustness
from snnlab.evaluation.runner import Job, JobResult, Run
from snnlab.evaluation.suites import QUICK as SUITE
from snnlab.evaluation.suites import SuiteAttack
from snnlab.networks.early_exit import ExitRule
from snnlab.statistics import wilson_interval

SHORT = (
    SuiteAttack("noise", "noise", "noise", NAIVE),
    SuiteAttack("fgsm.naive", "FGSM", "fgsm", NAIVE),
    SuiteAttack("pgd.informed", "PGD-3", "pgd", INFORMED, steps=3),
    SuiteAttack("transfer", "PGD-3 on the ANN", "pgd", NAIVE, steps=3, transfer=True),
)
EPS = [0.0, 0.05, 0.1, 0.3]


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_interval_holds_the_proportion_and_solves_its_equation(pair: tuple[int, int]) -> None:
    correct, n = pair
    p = correct / n
    low, high = wilson_interval(correct, n)
    assert 0 <= low <= p <= high <= 1
    for bound in (low, high):  # the bounds are where |p - bound| equals z standard errors of the bound
        assert abs(p - bound) == pytest.approx(1.959963984540054 * sqrt(bound * (1 - bound) / n), abs=1e-7)


def test_wilson_refuses_impossible_counts() -> None:
    for correct, n in ((3, 2), (-1, 5), (0, 0)):
        with pytest.raises(ValueError, match="0 ≤ correct ≤ n"):
            wilson_interval(correct, n)


@pytest.fixture(scope="module")
def few(mnist: Dataset) -> Split:
    """Twenty test digits."""
    return mnist.test[:20]


@pytest.fixture(scope="module")
def measured(few: Split) -> dict[str, Evaluation]:
    source = zoo.load("ann")
    return {
        name: evaluate(zoo.load(name), few, EPS, suite=SHORT, source=source, progress=False)
        for name in ("ann", "offset", "latency", "poisson")
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ann", "offset", "latency", "poisson"])
def test_accuracy_never_rises_with_eps(name: str, measured: dict[str, Evaluation]) -> None:
    for attack, counts in measured[name].correct.items():
        for row in counts if attack != "noise" else []:
            assert row == sorted(row, reverse=True)


@pytest.mark.parametrize("name", ["ann", "offset", "latency", "poisson"])
def test_worst_case_is_at_most_every_attack(name: str, measured: dict[str, Evaluation]) -> None:
    counts = measured[name].correct
    for attack in counts:
        for worst, row in zip(counts["worst"], counts[attack], strict=True):
            assert all(w <= c for w, c in zip(worst, row, strict=True))


def test_a_superset_of_attacks_never_raises_the_worst_case(few: Split, measured: dict[str, Evaluation]) -> None:
    fewer = evaluate(zoo.load("latency"), few, EPS, suite=SHORT[:2], progress=False)
    for more_row, row in zip(measured["latency"].correct["worst"], fewer.correct["worst"], strict=True):
        assert all(m <= f for m, f in zip(more_row, row, strict=True))


def test_the_clean_point_is_plain_accuracy(few: Split, measured: dict[str, Evaluation]) -> None:
    predicted = zoo.load("latency").predict(few.images)
    expected = (predicted == few.labels).sum(1).tolist()
    for counts in measured["latency"].correct.values():
        assert [row[0] for row in counts] == expected


def test_silence_counts_as_wrong(measured: dict[str, Evaluation]) -> None:
    first_exit = measured["latency"].silent["fgsm.naive"][0][0]
    assert first_exit > 0  # after one step some outputs have not spoken
    assert measured["latency"].correct["fgsm.naive"][0][0] <= 20 - first_exit


def test_an_interrupted_evaluation_resumes_from_its_cache_to_the_same_numbers(
    few: Split, measured: dict[str, Evaluation], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stop(Exception):
        pass

    runs = 0
    run = Run.__call__

    def stopped(self: Run, job: Job, broken: Tensor | None) -> JobResult:
        nonlocal runs
        runs += 1
        if runs == 6:
            raise Stop
        return run(self, job, broken)

    monkeypatch.setattr(Run, "__call__", stopped)
    options: dict[str, Any] = {"suite": SHORT, "source": zoo.load("ann"), "cache": tmp_path, "progress": False}
    with pytest.raises(Stop):
        evaluate(zoo.load("latency"), few, EPS, **options)
    assert len(list(tmp_path.glob("*.pt"))) == 5
    assert evaluate(zoo.load("latency"), few, EPS, **options) == measured["latency"]
    assert runs == 6 + 18 - 5  # noise and transfer run once, the others once an exit; five were stored


def test_flags_say_what_is_wrong_with_a_number(measured: dict[str, Evaluation]) -> None:
    flags = measured["offset"].flags
    assert all("single seed" in notes for notes in flags.values())
    assert any("zero input gradient" in note for note in flags["fgsm.naive"])
    assert any("transferred attack beats it" in note for note in flags["fgsm.naive"])
    assert not any("zero input gradient" in note for note in flags["pgd.informed"])


def test_record_holds_everything_a_reader_needs(measured: dict[str, Evaluation]) -> None:
    record = measured["offset"].plain()
    assert {"n", "eps", "exits", "correct", "silent", "energy_pj", "flags"} <= set(record)
    low, high = measured["offset"].interval("worst", 8, 0.1)
    assert low <= measured["offset"].accuracy("worst", 8, 0.1) <= high


SURVIVORS = SuiteAttack("sa_pgd", "SA-PGD-4 on the survivors", "sa_pgd", INFORMED, steps=4, on_survivors=True)


@pytest.mark.slow
def test_an_attack_on_the_survivors_lowers_the_worst_case_and_nothing_else(
    few: Split, measured: dict[str, Evaluation]
) -> None:
    source = zoo.load("ann")
    more = evaluate(zoo.load("latency"), few, EPS, suite=(*SHORT, SURVIVORS), source=source, progress=False)
    before = measured["latency"]
    assert {n: c for n, c in more.correct.items() if n != "worst"} == {
        n: c for n, c in before.correct.items() if n != "worst"
    }
    rows = zip(more.correct["worst"], before.correct["worst"], strict=True)
    pairs = [pair for row in rows for pair in zip(*row, strict=True)]
    assert all(m <= b for m, b in pairs)
    assert any(m < b for m, b in pairs)


def test_measuring_one_exit_gives_that_row_of_measuring_all(few: Split, measured: dict[str, Evaluation]) -> None:
    """For every attack but the worst case, which may be helped by attacks on other exits."""
    source = zoo.load("ann")
    last = evaluate(zoo.load("latency"), few, EPS, suite=SHORT, exits=[8], source=source, progress=False)
    assert last.exits == [8]
    for name, counts in last.correct.items():
        row = measured["latency"].correct[name][-1]
        assert all(o >= a for o, a in zip(counts[0], row, strict=True)) if name == "worst" else counts == [row]


def test_a_dynamic_exit_is_judged_on_every_image_of_the_suite(few: Split) -> None:
    """At -∞ and ∞ it is the first and the last exit, so no more samples survive than in their worst cases."""
    rules = [ExitRule("margin", -inf), ExitRule("margin", 2.0), ExitRule("margin", inf)]
    found = evaluate(zoo.load("latency"), few, EPS, suite=SHORT, rules=rules, progress=False)
    assert found.dynamic is not None
    for k, eps in enumerate(EPS):
        counts = found.dynamic.counts(eps)
        assert counts[0] == found.correct["worst"][0][k]
        assert counts[2] == found.correct["worst"][-1][k]
    assert found.dynamic.mean_exit[0] == 1
    assert found.dynamic.mean_exit[2] == 8
    assert found.energy_pj is not None
    assert found.dynamic.energy_pj[2] == pytest.approx(found.energy_pj[-1], rel=1e-4)


def test_bad_requests_say_what_is_valid(few: Split) -> None:
    model = zoo.load("onset")
    with pytest.raises(ValueError, match="eps must rise from 0"):
        evaluate(model, few, [0.1, 0.2], progress=False)
    with pytest.raises(ValueError, match="eps must rise from 0"):
        evaluate(model, few, [0.0, 0.2, 0.1], progress=False)
    with pytest.raises(ValueError, match="exit_step must be"):
        evaluate(model, few, EPS, exits=[9], progress=False)
    with pytest.raises(ValueError, match="must come last"):
        evaluate(model, few, EPS, suite=(SURVIVORS, *SHORT), progress=False)
    with pytest.raises(ValueError, match="one exit only"):
        evaluate(zoo.load("ann"), few, EPS, rules=[ExitRule("margin", 1.0)], progress=False)


def test_names_of_the_suite_are_unique_and_described() -> None:
    assert len({a.name for a in SUITE}) == len(SUITE)
    assert all(a.description for a in SUITE)


def test_an_evaluation_gives_the_classifier_no_other_generator(few: Split) -> None:
    classifier, generator = zoo.load("poisson"), torch.Generator().manual_seed(5)
    classifier.generator = generator
    evaluate_robustness(classifier, few[:5], [0, 0.1], SHORT[:1], progress=False)
    assert classifier.generator is generator


def test_a_list_of_attacks_is_never_reported_as_a_suite(few: Split) -> None:
    record = evaluate_robustness(zoo.load("onset"), few[:5], [0, 0.1], SHORT[:1], progress=False)
    assert record.suite == "custom"
    assert "suite custom" in table(record)
    assert "suite custom" in page(replace(record, about={"model": "mine", "data": "digits"}), [])
