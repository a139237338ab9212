"""Targeted attacks: every attack can be sent towards a class, and only the answer of that class counts."""

import pytest
import torch
from torch import nn

from snnlab import data, zoo
from snnlab.attacks import ATTACKS, LOSSES, Budget, attack
from snnlab.attacks.targeted import Towards
from snnlab.attacks.time_restricted import TimeRestricted
from snnlab.data import Split
from snnlab.networks.classifier import Classifier

BUDGET = Budget(0.2)


def _aims(labels: torch.Tensor) -> torch.Tensor:
    """The next class."""
    return (labels + 1) % 10


@pytest.mark.case("make this 3 an 8: targeted attacks")
@pytest.mark.parametrize("method", sorted(ATTACKS))
def test_every_attack_stays_in_its_budget_and_succeeds_where_the_target_is_answered(method: str, few: Split) -> None:
    model, target = zoo.load("onset"), _aims(few.labels)
    options = {"target": target, "generator": torch.Generator().manual_seed(0)}
    result = attack(model, few, BUDGET, method, **options, **({} if method in ("none", "noise", "fgsm") else {"steps": 10}))
    answers = model.predict(result.images)[-1]
    assert torch.equal(result.success, answers == target)
    assert torch.equal(result.wrong, answers != few.labels)
    assert (result.images - few.images).abs().max() <= BUDGET.eps + 1e-6


@pytest.mark.parametrize("method", ["fgsm", "pgd", "mifgsm", "apgd", "square", "sa_pgd", "fixed_surrogate"])
def test_a_target_is_reached_far_more_often_than_by_an_attack_that_takes_any_class(method: str) -> None:
    digits, model = data.load("mnist5k").test[:60], zoo.load("ann")
    target, draws = _aims(digits.labels), torch.Generator()
    steps = {} if method == "fgsm" else {"steps": 200 if method == "square" else 20}
    aimed = attack(model, digits, BUDGET, method, target=target, generator=draws.manual_seed(0), **steps)
    free = attack(model, digits, BUDGET, method, generator=draws.manual_seed(0), **steps)
    assert int(aimed.success.sum()) >= 1.5 * int((free.predictions[-1] == target).sum())
    assert aimed.success.float().mean() > 0.3


@pytest.mark.parametrize("name", ["onset", "latency", "fusion"])
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_the_search_among_spike_trains_finds_targets(name: str, loss: str) -> None:
    digits, model = data.load("mnist5k").test[:30], zoo.load(name)
    target = _aims(digits.labels)
    draws = torch.Generator().manual_seed(0)
    aimed = attack(model, digits, Budget(0.3), "spike_train", steps=60, loss=loss, target=target, generator=draws)
    chance = (model.predict(digits.images)[-1] == target).float().mean()
    assert aimed.success.float().mean() > chance + 0.2


def test_a_linear_model_is_moved_to_its_closed_form() -> None:
    """Three classes on two pixels: the best attack towards class 2 raises its pixel and lowers that of its rival."""
    linear = nn.Linear(2, 3, bias=False)
    linear.weight.data = torch.tensor([[4.0, 0.0], [0.0, 0.0], [0.0, 4.0]])
    model = Classifier(nn.Sequential(nn.Flatten(), linear))
    images, labels = torch.tensor([[[[0.6, 0.5]]]]), torch.tensor([0])
    result = attack(model, images, labels, Budget(0.1), "fgsm", target=2)
    assert torch.allclose(result.images.flatten(), torch.tensor([0.5, 0.6]))
    assert result.success.all()
    assert not attack(model, images, labels, Budget(0.1), "fgsm", target=1).success.any()


def test_exchanged_logits_are_wrong_exactly_where_the_target_is_answered() -> None:
    digits = data.load("mnist5k").test[:80]
    for name in ("ann", "onset", "ttfs-onset", "membrane-direct"):
        model = zoo.load(name)
        logits, membrane = model.read(digits.images)
        answers = model.answers(logits, membrane)
        for target in (3, 9):
            towards = Towards(model, target)
            moved = towards.answers(*towards.read(digits.images)) != target
            tied = (logits == logits.amax(-1, keepdim=True)).sum(-1) > 1
            assert torch.equal(moved[~tied], (answers == target)[~tied]), name
            assert (answers == target)[moved].all(), name


def test_a_time_restricted_network_is_attacked_towards_a_class_of_each_sample(few: Split) -> None:
    late = TimeRestricted(zoo.load("direct"), few.images, from_step=4)
    result = attack(late, few, Budget(0.3), "pgd", target=_aims(few.labels))
    clean = late.predict(few.images)
    assert torch.equal(result.predictions[:4], clean[:4])


@pytest.mark.parametrize(
    ("target", "words"),
    [(10, "10"), (-1, "-1"), (torch.zeros(3), "one for each of 8 samples"), (None, "")],
)
def test_a_target_that_cannot_be_is_named(target: object, words: str, few: Split) -> None:
    digits = Split(few.images[:8], torch.arange(8), 10)
    if target is None:
        with pytest.raises(ValueError, match="true class of 1 of 8 samples, the first of them sample 5"):
            attack(zoo.load("ann"), digits, BUDGET, "fgsm", target=5)
        return
    for method in ("fgsm", "sa_pgd"):
        with pytest.raises(ValueError, match=words):
            attack(zoo.load("ann"), digits, BUDGET, method, target=target)
