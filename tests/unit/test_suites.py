"""Suites, inspection and flags: each suite holds the one before, results are cached by content, faults are flagged."""

import json
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attacks import Budget
from snnlab.data import Split
from snnlab.evaluation.flags import FLAGS, kind_of
from snnlab.evaluation.result import CLEARLY, Evaluation
from snnlab.evaluation.robustness import evaluate, evaluate_robustness
from snnlab.evaluation.runner import Run, jobs_of
from snnlab.evaluation.sanity_checks import inspect
from snnlab.evaluation.suites import ENOUGH, QUICK, SUITES
from snnlab.networks.classifier import MLP, Classifier
from snnlab.networks.early_exit import ExitRule

EPS = [0.0, 0.1]


@pytest.fixture(scope="module")
def ten() -> Split:
    return data.load("mnist5k").test[:10]


def test_each_suite_holds_the_one_before() -> None:
    quick, standard, full = (SUITES[name] for name in ("quick", "standard", "full"))
    assert standard[: len(quick)] == quick
    assert full[: len(standard)] == standard
    assert len({a.name for a in full}) == len(full)


def test_attacks_on_survivors_come_last_in_every_suite() -> None:
    for suite in SUITES.values():
        on_survivors = [a.on_survivors for a in suite]
        assert on_survivors == sorted(on_survivors)


def test_results_are_known_by_a_text_that_later_settings_leave_alone() -> None:
    """The zoo's records hash these texts: an attack without the newer settings reads as it always did."""
    assert repr(QUICK[0]).endswith("eot=10), steps=10, transfer=False, standing=False)")
    joint = next(a for a in SUITES["standard"] if a.aim == "joint")
    assert "aim='joint'" in repr(joint)


@pytest.fixture(scope="module")
def standard(ten: Split) -> Evaluation:
    return evaluate_robustness(zoo.load("offset"), ten, EPS, "standard", source=zoo.load("ann"), progress=False)


def test_a_larger_suite_never_raises_the_worst_case(ten: Split, standard: Evaluation) -> None:
    quick = evaluate_robustness(zoo.load("offset"), ten, EPS, "quick", source=zoo.load("ann"), progress=False)
    assert standard.correct["worst"][-1][1] <= quick.correct["worst"][-1][1]
    assert {name: standard.correct[name] for name in quick.correct if name != "worst"} == {
        name: counts for name, counts in quick.correct.items() if name != "worst"
    }


def test_what_is_left_falls_to_the_worst_case(standard: Evaluation) -> None:
    left = [counts[-1][1] for counts in standard.survivors.values()]
    assert left == sorted(left, reverse=True)
    assert left[-1] == standard.correct["worst"][-1][1]


def test_the_worst_case_per_sample_is_its_count(standard: Evaluation) -> None:
    assert standard.unbroken is not None
    assert standard.unbroken.sum(1).tolist() == standard.correct["worst"][-1]
    assert (standard.unbroken[1] <= standard.unbroken[0]).all()


def test_the_record_is_plain_and_names_every_attack(standard: Evaluation) -> None:
    record = json.loads(json.dumps(standard.plain()))
    assert record["suite"] == "standard"
    assert set(record["correct"]) | set(record["left"]) == set(record["attacks"])
    for notes in record["flags"].values():
        assert all(kind_of(note) for note in notes)


@pytest.mark.slow
def test_jobs_are_kept_by_content(ten: Split, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = evaluate_robustness(zoo.load("onset"), ten, EPS, "quick", cache=tmp_path, progress=False)
    runs: list[str] = []
    whole = Run.__call__
    monkeypatch.setattr(
        Run, "__call__", lambda self, job, broken: (runs.append(job.attack.name), whole(self, job, broken))[1]
    )
    again = evaluate_robustness(zoo.load("onset"), ten, EPS, "quick", cache=tmp_path, progress=False)
    assert (again, runs) == (first, [])
    changed = zoo.load("onset")
    changed.network.neurons[0].beta.fill_(0.8)
    evaluate_robustness(changed, ten, EPS, "quick", cache=tmp_path, progress=False)
    assert runs
    runs.clear()
    evaluate_robustness(zoo.load("onset"), ten, EPS, "quick", seed=1, cache=tmp_path, progress=False)
    assert runs


@pytest.mark.slow
def test_several_exits_are_attacked_jointly_and_rules_by_themselves(ten: Split) -> None:
    suite = [a for a in SUITES["standard"] if a.aim in ("joint", "rules")]
    rules = [ExitRule("margin", 2.0), ExitRule("first_spike")]
    expected = {(f"{name}.joint", 8, None) for name in ("spike_train", "sa_pgd")}
    expected |= {(f"{name}.rules", 8, rule) for name in ("spike_train", "sa_pgd") for rule in (0, 1)}
    assert {(job.attack.name, job.exit_step, job.rule) for job in jobs_of(suite, [6, 8], 8, len(rules))} == expected
    assert jobs_of(suite, [8], 8, 0) == []
    found = evaluate(zoo.load("latency"), ten, EPS, suite=suite, exits=[6, 8], rules=rules, progress=False)
    assert set(found.survivors) == {a.name for a in suite}


class Sick(nn.Module):
    """An ordinary network with one thing wrong."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what, self.calls = what, 0
        self.inner, self.dropout = MLP((784, 20, 10)), nn.Dropout(0.5)

    def forward(self, images: Tensor) -> Tensor:
        self.calls += 1
        if self.what == "dropout":
            images = self.dropout(images)
        if self.what == "random":
            images = images + 0.1 * torch.rand_like(images)
        if self.what == "state":
            images = images * self.calls
        if self.what == "detached":
            images = images.detach()
        if self.what == "rounded":
            images = images.round()
        logits: Tensor = self.inner(images)
        return logits / 0 if self.what == "nan" else logits


@pytest.mark.case("train and eval mode left wrong")
@pytest.mark.parametrize(
    ("what", "flag"),
    [("dropout", "training_mode"), ("random", "stochastic_without_eot"), ("state", "state_kept")],
)
def test_a_sick_network_is_flagged(what: str, flag: str, ten: Split) -> None:
    found = evaluate_robustness(Sick(what).train(), ten, EPS, "quick", progress=False)
    assert flag in [kind_of(note).name for note in found.flags["worst"]]


def test_a_network_whose_answers_are_no_numbers_is_refused(ten: Split) -> None:
    with pytest.raises(ValueError, match="NaN"):
        evaluate_robustness(Sick("nan").eval(), ten, EPS, progress=False)


@pytest.mark.parametrize("what", ["detached", "rounded"])
def test_a_network_without_a_gradient_is_attacked_without_gradients(what: str, ten: Split) -> None:
    found = evaluate_robustness(Sick(what).eval(), ten, EPS, "standard", progress=False)
    assert found.suite == "gradient_free"
    assert list(found.attacks) == ["noise", "square_search", "worst"]
    assert not found.white_box
    assert "no_gradient" in [kind_of(note).name for note in found.flags["worst"]]


@pytest.mark.case("a random defence judged by one draw")
def test_a_healthy_network_is_not_flagged_and_not_changed(ten: Split) -> None:
    norm = Classifier(nn.Sequential(nn.Flatten(), nn.Linear(784, 20), nn.BatchNorm1d(20), nn.Linear(20, 10)))
    before = {name: value.clone() for name, value in norm.state_dict().items()}
    assert inspect(norm.train(), ten.images, ten.labels) == [FLAGS["training_mode"]("batch norm")]
    assert all(torch.equal(before[name], value) for name, value in norm.state_dict().items())
    assert inspect(norm.eval(), ten.images, ten.labels) == []
    for name, flags in {"latency": [], "ann": [], "poisson": [FLAGS["single_draws"]()]}.items():
        assert inspect(zoo.load(name), ten.images, ten.labels) == flags


@pytest.mark.parametrize(
    ("probe", "flag", "bound"), [("gradient_free", "gradient_free_beats", CLEARLY), ("more_steps", "not_ended", ENOUGH)]
)
def test_a_probe_raises_its_flag_when_it_breaks_more_than_its_bound(probe: str, flag: str, bound: float) -> None:
    n = 200
    settings = {"n": n, "eps": EPS, "num_steps": 1, "exits": [1], "probes": {"probe": probe}}
    for drop in (0, 1, 2, 5, 30):
        counts, survivors = {"worst": [[190, 160 - drop]]}, {"first": [[190, 160]], "probe": [[190, 160 - drop]]}
        found = Evaluation(**settings, correct=counts, silent={"worst": [[0, 0]]}, survivors=survivors).with_flags()  # type: ignore[arg-type]
        raised = [kind_of(note).name for note in found.flags["worst"]]
        assert (flag in raised) == (drop > bound * n if probe == "gradient_free" else drop >= bound * n)


def test_attacks_that_have_not_ended_are_told_by_the_last_doubling_alone() -> None:
    settings = {"n": 100, "eps": EPS, "num_steps": 1, "exits": [1], "probes": {"a": "more_steps", "b": "more_steps"}}
    for second, flagged in ((70, False), (60, True)):
        survivors = {"first": [[90, 80]], "a": [[90, 70]], "b": [[90, second]]}
        counts = {"worst": [[90, second]]}
        found = Evaluation(**settings, correct=counts, silent={"worst": [[0, 0]]}, survivors=survivors).with_flags()  # type: ignore[arg-type]
        assert ("not_ended" in [kind_of(note).name for note in found.flags["worst"]]) == flagged


def test_an_attack_that_knows_more_and_breaks_less_is_flagged() -> None:
    settings = {"n": 100, "eps": EPS, "num_steps": 1, "exits": [1]}
    for naive, flagged in ((58, False), (50, True)):
        counts = {"pgd.naive": [[90, naive]], "pgd.informed": [[90, 60]]}
        silent = {name: [[0, 0]] for name in counts}
        found = Evaluation(**settings, correct=counts, silent=silent).with_flags()  # type: ignore[arg-type]
        assert ("attacks_disagree" in [kind_of(note).name for note in found.flags["pgd.informed"]]) == flagged


def test_no_attack_is_left_out_for_a_group_of_models() -> None:
    ran = {name: {a.name for a in SUITES["standard"] if a.suits(zoo.load(name))} for name in ("latency", "fgsm-latency")}
    assert ran["latency"] == ran["fgsm-latency"]
    assert {"pgd.naive", "pgd.steep-100", "spike_train"} <= {a.name for a in QUICK}


def test_a_sample_that_survives_is_not_attacked_within_a_smaller_eps(ten: Split, tmp_path: Path) -> None:
    suite = [a for a in SUITES["quick"] if a.name == "spike_train"]
    evaluate(zoo.load("onset"), ten, [0.0, 0.1, 0.3], suite=suite, exits=[8], cache=tmp_path, progress=False)
    (stored,) = tmp_path.glob("*.pt")
    wrong = torch.load(stored, weights_only=True)["predictions"].long()[:, -1] != ten.labels
    assert (wrong[1] <= wrong[2]).all()


def test_an_attack_that_fails_at_a_huge_eps_is_flagged() -> None:
    base = {"n": 10, "eps": EPS, "num_steps": 1, "exits": [1], "correct": {"worst": [[9, 5]]}, "silent": {"worst": [[0, 0]]}}
    for accuracy, raised in ((0.1, False), (0.5, True)):
        found = Evaluation(**base, diagnostics={"accuracy_at_huge_eps": accuracy, "chance": 0.1}).with_flags()  # type: ignore[arg-type]
        assert ("not_near_chance" in [kind_of(note).name for note in found.flags["worst"]]) == raised


def test_bad_requests_say_what_is_valid(ten: Split) -> None:
    model = zoo.load("onset")
    with pytest.raises(ValueError, match="choose one of gradient_free, quick, standard, full"):
        evaluate_robustness(model, ten, EPS, "hard", progress=False)
    with pytest.raises(ValueError, match="need one norm"):
        evaluate_robustness(model, ten, [0.0, Budget(1.0, "L2")], progress=False)
    with pytest.raises(ValueError, match="labels"):
        evaluate_robustness(model, (ten.images, ten.labels[:3]), EPS, progress=False)
    with pytest.raises(ValueError, match="no flag says"):
        kind_of("all is well")


def test_other_norms_are_measured_too(ten: Split) -> None:
    budgets = [Budget(0.0, "L2"), Budget(2.0, "L2")]
    found = evaluate_robustness(zoo.load("direct"), ten, budgets, "quick", source=zoo.load("ann"), progress=False)
    assert found.norm == "L2"
    assert found.correct["worst"][-1][1] < found.correct["worst"][-1][0]
