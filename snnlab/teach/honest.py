"""Checks of the chapter *Honest evaluation*, and the flawed models of its exercises."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attacks import NAIVE, Budget, attack
from snnlab.evaluation.flags import FLAGS
from snnlab.networks.classifier import Classifier, Trace
from snnlab.teach.exercises import Function, Hint, expect, expect_keys, tensor_of


class _LostSpikes(nn.Module):
    """Lose spikes of the code at random in every forward pass."""

    def forward(self, sequence: Tensor) -> Tensor:
        return sequence * (torch.rand(sequence.shape) > 0.1)


class _StateKept(nn.Module):
    """Carry charge from one call to the next."""

    charge = 0.0

    def forward(self, sequence: Tensor) -> Tensor:
        charged = sequence + self.charge
        self.charge = 0.1 + self.charge / 2
        return charged


class _ScaledVotes(nn.Module):
    """Multiply the votes by 100: the answers stay the same, but softmax saturates and the cross-entropy has no gradient."""

    def forward(self, trace: Trace) -> tuple[Tensor, Tensor]:
        return 100 * trace.spikes, trace.membrane


def flawed_models() -> dict[str, Classifier]:
    """Return four networks whose accuracy under attack means little, each for another reason (``EXPECTED_FLAGS``)."""
    models = {}
    for name, flaw in (("A", _LostSpikes()), ("B", nn.Dropout(0.2)), ("C", _StateKept())):
        model = zoo.load("onset")
        models[name] = Classifier(nn.Sequential(flaw, model.network), model.encoder).eval()
    models["B"].network.train()
    return models | {"D": zoo.load("offset")}


def gradient_masked_model() -> Classifier:
    """Return a network with the code ``offset`` whose votes are so large that the cross-entropy has no gradient."""
    model = zoo.load("offset")
    return Classifier(nn.Sequential(model.network, _ScaledVotes()), model.encoder).eval()


#: name of the flag that each flawed model raises
EXPECTED_FLAGS = {"A": "stochastic_without_eot", "B": "training_mode", "C": "state_kept", "D": "zero_gradient"}


@cache
def _correct_digits() -> tuple[Tensor, Tensor]:
    """Return the validation digits that the gradient-masked model classifies correctly."""
    digits, model = data.load("mnist5k").validation[slice(80)], gradient_masked_model()
    right = model.predict(digits.images)[-1] == digits.labels
    return digits.images[right], digits.labels[right]


def _survivors(answer: Function) -> None:
    """honest.1: a function ``worst_case(correct)``: attack → bool ``[N]`` to the fraction that survives every attack."""
    generator = torch.Generator().manual_seed(0)
    correct = {name: torch.rand(50, generator=generator) < 0.7 for name in ("fgsm", "pgd", "square")}
    outcomes = torch.stack(list(correct.values())).float()
    result = float(tensor_of(answer(correct), (), "the robust accuracy"))
    expect(0 <= result <= 1, "give a fraction of the samples, between 0 and 1, and not a count or a percentage")
    for wrong, hint in (
        (outcomes.mean(1).min(), "that is the strongest single attack; another may break samples that this one leaves"),
        (outcomes.mean(), "that is the mean over attacks: a weak attack would make the network look better"),
    ):
        expect(abs(result - float(wrong)) > 1e-6, hint)
    right = abs(result - float(outcomes.all(0).float().mean())) < 1e-6
    expect(right, "a sample counts only if it is right under every attack; take the fraction of those samples")


def _flags(answer: Any) -> None:
    """honest.2: ``{model: name of the flag}``."""
    expect_keys(answer, EXPECTED_FLAGS, "the name of a flag")
    named = {name: getattr(flag, "name", flag) for name, flag in answer.items()}  # a flag of ``FLAGS``, or its name
    unknown = sorted(set(map(str, named.values())) - set(FLAGS))
    expect(not unknown, f"no flag is called {', '.join(map(repr, unknown))}; choose from {', '.join(FLAGS)}")
    for name, flag in EXPECTED_FLAGS.items():
        expect(named[name] == flag, f"look at model {name} again: ask it twice, and look at its gradient")


def _break(answer: Function) -> None:
    """honest.3: a function ``break_it(model, images, labels, eps)`` that gives images inside L∞ ε which are misread."""
    model, eps, (images, labels) = gradient_masked_model(), 0.1, _correct_digits()
    result = tensor_of(answer(model, images.clone(), labels.clone(), eps), images.shape).to(images)
    Budget(eps).verify(result.detach(), images)
    left = float((model.predict(result.detach())[-1] == labels).float().mean())
    if left > 0.2:
        naive = 1 - float(attack(model, images, labels, Budget(eps), "fgsm", NAIVE).success.float().mean())
        raise Hint(
            f"{left:.0%} of {len(images)} digits are still correct (naive FGSM leaves {naive:.0%}): which of code, surrogate "
            "and loss hides the slope?"
        )


CHECKS = {"honest.1": _survivors, "honest.2": _flags, "honest.3": _break}
