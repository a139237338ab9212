"""Laws of attacks that add, remove and flip spikes."""

import itertools

import pytest
import torch

from snnlab import data, zoo
from snnlab.attacks.event_changes import KINDS, EventBudget, Kind, event_attack, event_noise
from snnlab.data import EventSplit
from snnlab.encoding.frames import Frames
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.decoding import SILENT
from snnlab.zoo.events import evaluate_events
from snnlab.zoo.networks import SummedMLP


def tiny(seed: int, steps: int = 3) -> tuple[Classifier, torch.Tensor, torch.Tensor]:
    """A classifier of frames ``[3, N, 2, 1, 2]``, spikes and the answers that it gives them."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = SpikingMLP([4, 6, 3])
        for layer in network.layers:
            layer.weight.data *= 3
    model = Classifier(network, Frames(steps)).eval()
    spikes = (torch.rand(steps, 12, 2, 1, 2, generator=torch.Generator().manual_seed(seed)) < 0.5).float()
    labels = model.answers(*model.respond(spikes))[-1]
    spoken = labels >= 0
    return model, spikes[:, spoken], labels[spoken]


@pytest.mark.parametrize("kind", KINDS)
def test_no_result_leaves_its_budget(kind: Kind) -> None:
    model, spikes, labels = tiny(0)
    for number in (0, 1, 4):
        budget = EventBudget(number, kind)
        result = event_attack(model, spikes, labels, budget, steps=5)
        assert int(result.changes.max()) <= number
        noise = event_noise(spikes, budget, torch.Generator().manual_seed(0))
        assert int(budget.verify(noise, spikes).max()) <= number
        if kind == "add":
            assert bool((result.spikes >= spikes).all())
        if kind == "remove":
            assert bool((result.spikes <= spikes).all())
        if kind == "polarity":
            assert torch.equal(result.spikes.sum(2), spikes.sum(2))


@pytest.mark.parametrize("kind", KINDS)
def test_one_change_is_as_good_as_trying_all(kind: Kind) -> None:
    """Brute force over every single change: what it breaks the search breaks, given rounds to try them all."""
    broken = reachable = 0
    for seed in range(4):
        model, spikes, labels = tiny(seed)
        budget = EventBudget(1, kind)
        allowed = budget.allowed(spikes)
        possible = torch.zeros(len(labels), dtype=torch.bool)
        for entry in range(allowed.shape[1]):
            where = torch.zeros_like(allowed)
            where[:, entry] = allowed[:, entry]
            possible |= model.answers(*model.respond(budget.changed(spikes, where)))[-1] != labels
        found = event_attack(model, spikes, labels, budget, steps=2 * allowed.shape[1]).wrong
        assert not bool((found & ~possible).any())
        broken, reachable = broken + int(found.sum()), reachable + int(possible.sum())
    assert reachable > 0
    assert broken == reachable


def test_two_changes_come_close_to_brute_force() -> None:
    model, spikes, labels = tiny(1, steps=2)
    budget = EventBudget(2)
    entries = budget.allowed(spikes).shape[1]
    possible = torch.zeros(len(labels), dtype=torch.bool)
    for pair in itertools.combinations(range(entries), 2):
        where = torch.zeros(len(labels), entries, dtype=torch.bool)
        where[:, list(pair)] = True
        possible |= model.answers(*model.respond(budget.changed(spikes, where)))[-1] != labels
    found = event_attack(
        model, spikes, labels, budget, steps=60, restarts=4, generator=torch.Generator().manual_seed(0)
    ).wrong
    assert int(found.sum()) >= 0.8 * int(possible.sum()) > 0


def test_a_network_without_time_does_not_notice_when() -> None:
    model = Classifier(SummedMLP([4, 3]), Frames(3), "membrane").eval()
    spikes = (torch.rand(3, 5, 2, 1, 2, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    assert torch.equal(model.respond(spikes)[0][-1], model.respond(spikes[[2, 0, 1]])[0][-1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda m, s, y: EventBudget(-1), "at least 0"),
        (lambda m, s, y: EventBudget(1, "move"), "unknown kind 'move'"),  # type: ignore[arg-type]
        (lambda m, s, y: event_attack(m, s + 0.5, y, EventBudget(1)), "of 0 and 1"),
        (lambda m, s, y: event_attack(m, s, y[:-1], EventBudget(1)), "labels"),
        (lambda m, s, y: event_attack(Classifier(SpikingMLP([4, 3])), s, y, EventBudget(1)), "reads no spikes"),
        (lambda m, s, y: EventBudget(1, "polarity").allowed(s[:, :, :1]), "polarities are the channels"),
        (lambda m, s, y: EventBudget(1, "add").verify(1 - s, s), "left its budget"),
        (lambda m, s, y: EventBudget(9, "polarity").verify(1 - s, s), "not flipped"),
    ],
)
def test_what_cannot_be_attacked_is_said(call, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call(*tiny(0))


@pytest.mark.parametrize("numbers", [[], [5, 10], [0, 10, 5], [0, 5, 5]])
def test_numbers_of_a_suite_rise_from_zero(numbers: list[int]) -> None:
    model, recordings = zoo.load("events5k/mlp"), data.load("events5k").test[:2]
    with pytest.raises(ValueError, match="must rise from 0"):
        evaluate_events(model, recordings, numbers)


def test_a_recording_without_a_spike_is_attacked_by_what_can_be_added() -> None:
    """It has no spike to remove and none to flip, and is silent."""
    model, recordings = zoo.load("events5k/mlp"), data.load("events5k").test[:2]
    silent = torch.zeros_like(model.encode(recordings.images))
    assert (model.answers(*model.respond(silent))[-1] == SILENT).all()
    for kind in KINDS:
        result = event_attack(model, silent, recordings.labels, EventBudget(3, kind), steps=2)
        assert result.wrong.all()
        assert event_noise(silent, EventBudget(3, kind)).sum() == (0 if kind in ("remove", "polarity") else 6)
    empty = EventSplit(torch.zeros(2, 0, 2, 4, 4), torch.zeros(0, dtype=torch.long))
    assert empty.as_images().images.shape == (0, 4, 4, 4)
