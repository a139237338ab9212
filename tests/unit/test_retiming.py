"""Laws of retiming: budgets on time, the best trains within them, and the attacks."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab import encoder
from snnlab.attacks.retiming import METHODS, retiming_attack, spike_values
from snnlab.attacks.time_budget import TimeBudget, best_trains, every_train
from snnlab.networks.classifier import Classifier, SpikingMLP

BUDGETS: tuple[str, ...] = ("shift 1", "shift 2", "total 2", "moved 1", "shift 1, moved 2", "total 3, moved 2")
seeds = st.integers(0, 10_000)


def tiny(seed: int, code: str = "latency", pixels: int = 4, num_steps: int = 4) -> tuple[Classifier, Tensor, Tensor]:
    """Return a small random network, four images and the classes that it reads them as."""
    generator = torch.Generator().manual_seed(seed)
    code_of = encoder(code, num_steps=num_steps)
    network = SpikingMLP((pixels * code_of.channel_factor, 6, 3))
    for parameter in network.parameters():
        parameter.data = 1.5 * torch.randn(parameter.shape, generator=generator)
    classifier = Classifier(network, code_of).eval()
    images = torch.rand(4, 1, 1, pixels, generator=generator)
    return classifier, images, classifier.predict(images)[-1].clamp(min=0)


def retimings(spikes: Tensor, budget: TimeBudget) -> Tensor:
    """Return every retiming of one sample ``[T, P]`` within a budget, ``[T, R, 1, 1, P]``, by trying all."""
    columns = [every_train(tuple(train.int().tolist()), budget) for train in spikes.T]
    tried = torch.tensor(list(product(*columns))).float().movedim(2, 0)
    amounts = budget.amounts(tried, spikes[:, None].expand_as(tried))
    inside = torch.stack([amounts[name] <= limit for name, limit in budget.limits.items()]).all(0)
    return tried[:, inside][:, :, None, None]


@pytest.mark.parametrize("text", BUDGETS)
@pytest.mark.parametrize(("method", "steps", "restarts"), [("gradient", 20, 1), ("search", 50, 1)])
def test_retiming_reaches_brute_force_on_tiny_trains(text: str, method: str, steps: int, restarts: int) -> None:
    budget = TimeBudget(text)
    for seed, code in enumerate(("latency", "onset")):
        classifier, images, labels = tiny(seed, code)
        spikes = classifier.encode(images)
        broken = []
        for k in range(len(images)):
            tried = retimings(spikes[:, k].flatten(1), budget)
            answers = classifier.answers(*classifier.respond(tried))[-1]
            broken.append(bool((answers != labels[k]).any()))
        options = {"steps": steps, "restarts": restarts, "generator": torch.Generator().manual_seed(0)}
        assert retiming_attack(classifier, spikes, labels, budget, method, **options).wrong.tolist() == broken


@settings(max_examples=15, deadline=None)
@given(seed=seeds, text=st.sampled_from(BUDGETS), most=st.sampled_from((1, 3)))
def test_best_trains_are_the_best_within_the_shift_and_never_leave_the_budget(seed: int, text: str, most: int) -> None:
    generator, budget = torch.Generator().manual_seed(seed), TimeBudget(text)
    trains = torch.randint(0, most + 1, (4, 6), generator=generator).float()
    scores = torch.randn(4, 6, generator=generator)
    sample = torch.tensor([0, 0, 0, 1, 1, 1])
    left = {name: torch.full((2,), float(limit)) for name, limit in budget.limits.items() if name != "shift"}
    put = best_trains(scores, trains, budget, sample, left, most)
    budget.verify(put.view(4, 2, 3), trains.view(4, 2, 3).clone().index_put_((torch.tensor(0),) * 3, trains[0, 0]))
    if not left:
        for k in range(6):
            options = torch.tensor(every_train(tuple(trains[:, k].int().tolist()), budget, most)).float()
            assert (scores[:, k] @ put[:, k]).item() == pytest.approx((options @ scores[:, k]).max().item(), abs=1e-4)


@settings(max_examples=10, deadline=None)
@given(seed=seeds, text=st.sampled_from(BUDGETS), method=st.sampled_from(METHODS), counts=st.booleans())
def test_every_method_keeps_the_spikes_of_every_neuron_and_the_budget(
    seed: int, text: str, method: str, counts: bool
) -> None:
    classifier, images, labels = tiny(seed, num_steps=5)
    spikes = classifier.encode(images)
    if counts:  # frames of events hold more than one spike a step
        spikes = torch.randint(0, 4, spikes.shape, generator=torch.Generator().manual_seed(seed)).float()
    result = retiming_attack(classifier, spikes, labels, text, method, steps=5)
    assert torch.equal(result.spikes.sum(0), spikes.sum(0))
    result.budget.verify(result.spikes, spikes)  # raises
    assert torch.equal(result.predictions[-1] != labels, result.wrong)


def test_a_budget_of_nothing_changes_nothing() -> None:
    classifier, images, labels = tiny(0)
    spikes = classifier.encode(images)
    for text in ("shift 0", "total 0", "moved 0"):
        for method in METHODS:
            assert torch.equal(retiming_attack(classifier, spikes, labels, text, method, steps=3).spikes, spikes)


def test_amounts_are_the_smallest_over_all_matchings() -> None:
    before, after = torch.tensor([1.0, 1, 0, 0]).view(4, 1, 1), torch.tensor([0.0, 1, 0, 1]).view(4, 1, 1)
    assert {k: v.tolist() for k, v in TimeBudget.amounts(after, before).items()} == {
        "shift": [2],  # 0 → 1 and 1 → 3
        "total": [3],
        "moved": [1],  # 0 → 3, the other stays
    }


def test_a_spike_takes_the_value_of_the_step_that_it_moves_to() -> None:
    code = encoder("fusion(0.5*phase, direct)", num_steps=3)
    spikes = code(torch.tensor([[[[0.6]]]]))
    values = spike_values(code, spikes)
    assert values.flatten(2).squeeze(1).tolist() == [[0.25, 0.0], [0.125, 0.0], [0.0625, 0.0]]
    classifier = Classifier(SpikingMLP((2, 4, 3)), code).eval()
    result = retiming_attack(classifier, spikes, torch.tensor([0]), "shift 2", "noise")
    assert torch.equal(result.spikes[:, :, 1], spikes[:, :, 1])  # the analog channel stays
    assert set((result.spikes / values)[:, :, 0].flatten().tolist()) <= {0.0, 1.0}


def test_spikes_behind_the_exit_are_not_read() -> None:
    classifier, images, labels = tiny(1)
    early = classifier.at(exit_step=1)
    spikes = early.encode(images)
    result = retiming_attack(early, spikes, labels, "shift 3", steps=10)
    assert torch.equal(result.predictions[0] != labels, result.wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ("shift", "such as 'shift 2'"),
        ("B2 3", "such as 'shift 2'"),
        ("shift -1", "such as 'shift 2'"),
        ({}, "limits shift, total or moved"),
        ({"total": -1}, "at least 0"),
    ],
)
def test_bad_budgets_are_explained(wrong: str | dict[str, int], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        TimeBudget(wrong) if isinstance(wrong, str) else TimeBudget(**wrong)


def test_bad_input_of_a_retiming_is_explained() -> None:
    classifier, images, labels = tiny(0)
    spikes = classifier.encode(images)
    analog = Classifier(SpikingMLP((4, 6, 3)), encoder("direct", num_steps=4)).eval()
    ann = Classifier(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(4, 3)))
    for call, sentence in (
        (lambda: retiming_attack(classifier, spikes, labels, "shift 1", "guess"), "unknown method"),
        (lambda: retiming_attack(classifier, spikes, labels[:1], "shift 1"), "labels"),
        (lambda: retiming_attack(classifier, 0 * spikes, labels, "shift 1"), "no spikes that could move"),
        (lambda: retiming_attack(analog, analog.encode(images), labels, "shift 1"), "only spikes can move"),
        (lambda: retiming_attack(ann, spikes, labels, "shift 1"), "an ANN has no spikes"),
        (lambda: TimeBudget("shift 1").verify(spikes.flip(0), spikes), "left its budget"),
        (lambda: TimeBudget("shift 1").verify(spikes[:3], spikes), "expected spikes"),
        (lambda: TimeBudget("shift 1").verify(1 - spikes, spikes), "more or fewer spikes"),
    ):
        with pytest.raises(ValueError, match=sentence):
            call()
    with pytest.raises(TypeError, match="whole number"):
        TimeBudget(total=1.5)  # type: ignore[arg-type]
