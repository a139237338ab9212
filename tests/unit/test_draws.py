"""Random codes judged by the majority of several draws."""

import pytest
import torch
from torch import nn

from snnlab import evaluate_robustness, zoo
from snnlab.attacks import Budget
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.evaluation.robustness import evaluate
from snnlab.evaluation.runner import Run
from snnlab.evaluation.suites import QUICK
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.training.bptt import initialise


def fired(num_steps: int = 1) -> Classifier:
    """Answer class 1 if the one pixel fires, else class 0."""
    network = SpikingMLP((1, 2), beta=0.0, reset="none")
    (layer,) = (module for module in network.modules() if isinstance(module, nn.Linear))
    layer.weight.data = torch.tensor([[-4.0], [4.0]])
    layer.bias.data = torch.tensor([2.0, -2.0])
    return Classifier(network, encoder("poisson", num_steps=num_steps))


def run(classifier: Classifier, split: Split, draws: int) -> Run:
    return Run(classifier, None, split, [Budget(0.0)], [classifier.num_steps], (), 0, 250, None, draws)


def split_of(pixels: list[float], labels: list[int]) -> Split:
    return Split(torch.tensor(pixels).view(-1, 1, 1, 1), torch.tensor(labels), 2)


def test_many_draws_answer_what_is_more_probable() -> None:
    split = split_of([0.1, 0.3, 0.7, 0.9] * 20, [0, 0, 1, 1] * 20)
    one, many = (run(fired(), split, draws)._read(split.images)[0][-1] == split.labels for draws in (1, 201))
    assert bool(many.all())
    assert not bool(one.all())


def test_the_majority_is_the_most_frequent_of_the_single_answers() -> None:
    classifier = Classifier(SpikingMLP((9, 12, 10)), encoder("poisson", num_steps=3))
    initialise(classifier.network, 0)
    images = torch.rand(30, 1, 3, 3, generator=torch.Generator().manual_seed(0))
    split = Split(images, torch.zeros(30, dtype=torch.long), 10)
    judged = run(classifier, split, 5)
    single = torch.stack([judged.victim(draw).predict(images) for draw in range(5)])
    together, _ = judged._read(images)
    for answers, answer in zip(single.flatten(1).T, together.flatten(), strict=True):
        counts = {int(k): int((answers == k).sum()) for k in answers}
        assert counts[int(answer)] == max(counts.values())


def test_one_draw_and_codes_without_draws_are_judged_as_before(few: Split) -> None:
    def counted(name: str, **settings: int) -> dict[str, list[list[int]]]:
        return evaluate(zoo.load(name), few[:6], [0, 0.1], suite=QUICK[:2], progress=False, **settings).correct

    assert counted("poisson") == counted("poisson", draws=1)
    assert counted("onset") == counted("onset", draws=7)


def test_a_record_says_how_many_draws_answer_and_has_no_flag_of_single_ones(few: Split) -> None:
    for draws in (1, 3):
        found = evaluate_robustness(zoo.load("poisson"), few[:1], [0, 0.1], QUICK[:1], progress=False, draws=draws)
        assert ("majority of 3 draws" in found.attacks["worst"]) == (draws == 3)
        assert any("one draw" in note for note in found.notes) == (draws == 1)


def test_less_than_one_draw_is_an_error(few: Split) -> None:
    with pytest.raises(ValueError, match="draws must be at least 1, got 0"):
        evaluate_robustness(zoo.load("poisson"), few[:2], [0, 0.1], "quick", progress=False, draws=0)
