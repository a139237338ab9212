"""Dynamic early exit: worked by hand, and between the first exit and the last."""

import math
import re
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from snnlab import zoo
from snnlab.data import Dataset, Split
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import SILENT
from snnlab.networks.early_exit import DynamicExit, ExitRule, dynamic_exit, exit_steps
from snnlab.networks.energy import energy
from snnlab.training.bptt import accuracy

# T = 4, three samples, two classes: a leader that grows, one that changes, silence
LOGITS = torch.tensor(
    [
        [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
        [[0.0, 2.0], [1.0, 1.0], [0.0, 0.0]],
        [[0.0, 3.0], [1.0, 2.0], [0.0, 0.0]],
        [[0.0, 4.0], [1.0, 3.0], [0.0, 0.0]],
    ]
)
LABELS = torch.tensor([1, 1, 0])


@pytest.mark.parametrize(
    ("rule", "steps", "answers"),
    [
        (ExitRule("margin", 1), [1, 1, 4], [1, 0, SILENT]),
        (ExitRule("margin", 2), [2, 4, 4], [1, 1, SILENT]),
        (ExitRule("margin", 4), [4, 4, 4], [1, 1, SILENT]),
        (ExitRule("confidence", 0.7), [1, 1, 4], [1, 0, SILENT]),  # σ(1) = .731
        (ExitRule("confidence", 0.75), [2, 4, 4], [1, 1, SILENT]),  # σ(2) = .881
        (ExitRule("confidence", 0.5), [1, 1, 1], [1, 0, SILENT]),  # softmax of zeros is 1/2
        (ExitRule("first_spike"), [1, 1, 4], [1, 0, SILENT]),
    ],
    ids=str,
)
def test_rules_by_hand(rule: ExitRule, steps: list[int], answers: list[int]) -> None:
    found = dynamic_exit(LOGITS, LOGITS, rule, LABELS)
    assert found.exit_steps.tolist() == steps
    assert found.predictions.tolist() == answers
    assert found.accuracy == pytest.approx(sum(a == b for a, b in zip(answers, LABELS.tolist(), strict=True)) / 3)
    assert found.mean_exit_step == pytest.approx(sum(steps) / 3)
    assert found.silent == pytest.approx(1 / 3)


def _left(model: Classifier, split: Split, rules: list[ExitRule]) -> list[DynamicExit]:
    with torch.no_grad():
        outputs = model.read(split.images)
    return [dynamic_exit(*outputs, rule, split.labels) for rule in rules]


def _read(name: str, split: Split, decoder: str = "rate") -> tuple[Tensor, Tensor]:
    model = zoo.load(name)
    with torch.no_grad():
        return Classifier(model.network, model.encoder, decoder).read(split.images)


@pytest.mark.parametrize("decoder", ["rate", "membrane", "ttfs"])
@pytest.mark.parametrize("rule", ["margin", "confidence"])
def test_no_threshold_exits_at_the_first_step_and_an_endless_one_at_the_last(rule: str, decoder: str, few: Split) -> None:
    model = zoo.load("onset")
    model = Classifier(model.network, model.encoder, decoder)
    every = model.predict(few.images)
    for threshold, exit_step in ((-math.inf, 1), (0.0, 1), (math.inf, 8)):
        (found,) = _left(model, few, [ExitRule(rule, threshold)])
        assert (found.exit_steps == exit_step).all()
        assert torch.equal(found.predictions, every[exit_step - 1])


@pytest.mark.parametrize("name", ["direct", "onset", "latency"])
@pytest.mark.parametrize("rule", ["margin", "confidence"])
def test_no_sample_leaves_sooner_under_a_higher_threshold(name: str, rule: str, few: Split) -> None:
    thresholds = [0, 0.2, 0.5, 0.9, 0.999, 1, 1.5, 2, 3, 5]
    found = _left(zoo.load(name), few, [ExitRule(rule, t) for t in thresholds])
    for lower, higher in pairwise(found):
        assert (lower.exit_steps <= higher.exit_steps).all()
    means = [f.mean_exit_step for f in found]
    assert means == sorted(means)
    assert means[0] < means[-1]


@pytest.mark.parametrize("decoder", ["rate", "ttfs"])
def test_first_spike_leaves_when_the_first_output_neuron_fires(decoder: str, few: Split) -> None:
    model = zoo.load("latency")
    _, spikes, _ = model.trace(few.images)
    fired = spikes.sum(-1).cumsum(0) > 0
    expected = torch.where(fired.any(0), fired.int().argmax(0) + 1, 8)
    assert torch.equal(exit_steps(_read("latency", few, decoder)[0], ExitRule("first_spike")), expected)


def test_an_endless_threshold_is_the_fixed_last_exit_on_the_whole_split(mnist: Dataset) -> None:
    model = zoo.load("onset")
    (found,) = _left(model, mnist.validation, [ExitRule("margin", math.inf)])
    assert found.accuracy == pytest.approx(accuracy(model, mnist.validation))


def test_leaving_early_costs_less_and_little_accuracy(mnist: Dataset) -> None:
    model, split = zoo.load("direct"), mnist.validation
    sure, fixed = _left(model, split, [ExitRule("margin", 3), ExitRule("margin", math.inf)])
    assert sure.mean_exit_step < 6
    assert sure.accuracy > fixed.accuracy - 0.03
    costs = energy(model, split.images)
    assert (costs.at(sure.exit_steps) <= costs.at(8)).all()


def test_bad_input_says_what_is_valid() -> None:
    rule = ExitRule("margin", 1)
    cases = [
        (lambda: ExitRule("sure", 1), "choose one of margin, confidence, first_spike"),
        (lambda: ExitRule("margin"), "margin needs a threshold"),
        (lambda: ExitRule("confidence", math.nan), "confidence needs a threshold"),
        (lambda: ExitRule("first_spike", 1), "takes no threshold"),
        (lambda: exit_steps(LOGITS[0], rule), "expected logits [T, N, K]"),
        (lambda: exit_steps(LOGITS[:0], rule), "got [0, 3, 2]"),
        (lambda: exit_steps(LOGITS[..., :1], rule), "K ≥ 2"),
        (lambda: dynamic_exit(LOGITS, LOGITS[:2], rule), "got [4, 3, 2], [2, 3, 2]"),
        (lambda: dynamic_exit(LOGITS, LOGITS, rule, LABELS[:2]), "labels [N] with N=3, got [2]"),
        (lambda: DynamicExit(rule, LABELS, LABELS).accuracy, "accuracy needs labels"),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()
