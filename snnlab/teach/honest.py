"""The chapter *Honest evaluation*: its suspects and its fortress, its table, and the checks of its exercises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd
import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attack import NAIVE, Budget, attack
from snnlab.flags import FLAGS
from snnlab.network import Classifier, SpikingMLP, Trace
from snnlab.records import Change, accuracy_of, change_over_seeds, seed_summary

__all__ = ["CHECKS", "fortress", "gap", "square_question", "suspects", "table"]

Records = Sequence[Mapping[str, Any]]
COLUMNS = (
    ("clean", "worst", 0.0),
    ("noise, ε = 0.1", "noise", 0.1),
    ("FGSM naive, 0.1", "fgsm.naive", 0.1),
    ("FGSM informed, 0.1", "fgsm.informed", 0.1),
    ("worst case, 0.1", "worst", 0.1),
    ("worst case, 0.2", "worst", 0.2),
)


def table(repeats: Mapping[str, Records]) -> pd.DataFrame:
    """Accuracy under ever stronger attacks, mean over seeds with 95 % interval."""
    return seed_summary(repeats, COLUMNS)


def gap(records: Records, eps: float) -> Change:
    """How much accuracy is left by naive FGSM that the worst case takes, seed by seed."""
    naive, worst = ([accuracy_of(r, attack, None, eps) for r in records] for attack in ("fgsm.naive", "worst"))
    return change_over_seeds(naive, worst)


def square_question(images: Tensor, side: int, eps: float, generator: torch.Generator) -> Tensor:
    """Return the images with one square of pixels changed by +ε or by -ε, at one random place: a question that Square asks.

    Shapes: ``[N, C, H, W]`` → ``[N, C, H, W]``, in [0, 1].

    Raises:
        ValueError: a square that does not fit into the images.
    """
    height, width = images.shape[-2:]
    if not 1 <= side <= min(height, width):
        raise ValueError(f"expected a side from 1 to {min(height, width)} pixels, got {side!r}")
    top, left = (int(torch.randint(length - side + 1, (1,), generator=generator)) for length in (height, width))
    sign = 1 - 2 * int(torch.randint(2, (1,), generator=generator))
    asked = images.clone()
    asked[..., top : top + side, left : left + side] += sign * eps
    return asked.clamp(0, 1)


class _Forgetful(nn.Module):
    """Dropout between code and network, left switched on."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.dropout = inner, nn.Dropout(0.2)

    def forward(self, sequence: Tensor) -> Trace:
        trace: Trace = self.inner(self.dropout(sequence))
        return trace


class _Jittered(nn.Module):
    """Every spike of the code may be lost, at random, whenever the network is asked."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, sequence: Tensor) -> Trace:
        trace: Trace = self.inner(sequence * (torch.rand(sequence.shape) > 0.1))
        return trace


class _Tired(nn.Module):
    """Charge of one call leaks into the next."""

    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner, self.rest = inner, 0.0

    def forward(self, sequence: Tensor) -> Trace:
        trace: Trace = self.inner(sequence + self.rest)
        self.rest = 0.1 + self.rest / 2
        return trace


class _Loud(nn.Module):
    """The same answers with a hundredfold voice: softmax is certain, and the cross-entropy has no slope left."""

    def __init__(self, inner: SpikingMLP) -> None:
        super().__init__()
        self.inner = inner

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        trace = self.inner(sequence)
        return 100 * trace.spikes, trace.membrane


def suspects() -> dict[str, Classifier]:
    """Four networks on which every attack would give a number that means little, each for another reason."""
    found = {}
    for name, kind in (("A", _Jittered), ("B", _Forgetful), ("C", _Tired)):
        model = zoo.load("onset")
        found[name] = Classifier(kind(model.network), model.encoder).eval()
    found["B"].network.train()
    return found | {"D": zoo.load("offset")}


def fortress() -> Classifier:
    """A classifier behind ``offset`` with votes so loud that the cross-entropy leaves a gradient attack nothing to see."""
    model = zoo.load("offset")
    network = model.network
    assert isinstance(network, SpikingMLP)
    return Classifier(_Loud(network), model.encoder).eval()


#: what is wrong with each suspect
GUILT = {"A": "stochastic_without_eot", "B": "training_mode", "C": "state_kept", "D": "zero_gradient"}


@cache
def _few() -> tuple[Tensor, Tensor]:
    """Validation digits that the fortress reads correctly."""
    digits, model = data.load("mnist5k").validation[slice(80)], fortress()
    right = model.predict(digits.images)[-1] == digits.labels
    return digits.images[right], digits.labels[right]


def _survivors(answer: Any) -> str | None:
    """honest.1: a function ``worst_case(correct)``: attack → bool ``[N]`` to the fraction that survives every attack."""
    if not callable(answer):
        return "give the function itself, without calling it"
    generator = torch.Generator().manual_seed(0)
    correct = {name: torch.rand(50, generator=generator) < 0.7 for name in ("fgsm", "pgd", "square")}
    outcomes = torch.stack(list(correct.values()))
    found = float(answer(correct))
    if abs(found - float(outcomes.all(0).float().mean())) < 1e-6:
        return None
    if abs(found - float(outcomes.float().mean(1).min())) < 1e-6:
        return "that is the strongest single attack; another one may break samples that this one leaves"
    if abs(found - float(outcomes.float().mean())) < 1e-6:
        return "that is the mean over attacks: a weak attack would make the network look better"
    return "a sample counts only if it is right under every attack; take the fraction of those samples"


def _flags(answer: Any) -> str | None:
    """honest.2: ``{suspect: name of the flag}``."""
    if not isinstance(answer, Mapping) or set(answer) != set(GUILT):
        return f"give a dictionary with the name of a flag for each of {', '.join(GUILT)}"
    unknown = sorted(set(map(str, answer.values())) - set(FLAGS))
    if unknown:
        return f"no flag is called {', '.join(map(repr, unknown))}; choose from {', '.join(FLAGS)}"
    wrong = [name for name, flag in GUILT.items() if answer[name] != flag]
    return f"look at suspect {wrong[0]} again: ask it twice, and look at its gradient" if wrong else None


def _break(answer: Any) -> str | None:
    """honest.3: a function ``break_it(model, images, labels, eps)`` that gives images inside L∞ ε which are misread."""
    if not callable(answer):
        return "give the function itself, without calling it"
    model, eps, (images, labels) = fortress(), 0.1, _few()
    found = answer(model, images.clone(), labels.clone(), eps)
    if not isinstance(found, Tensor) or found.shape != images.shape:
        return f"the result should be images of shape {list(images.shape)}, got {getattr(found, 'shape', type(found))}"
    Budget(eps).verify(found.detach(), images)
    left = float((model.predict(found.detach())[-1] == labels).float().mean())
    if left <= 0.2:
        return None
    naive = 1 - float(attack(model, images, labels, Budget(eps), "fgsm", NAIVE).success.float().mean())
    return (
        f"{left:.0%} of {len(images)} digits still stand (naive FGSM leaves {naive:.0%}): which of code, surrogate and loss "
        "hides the slope?"
    )


CHECKS = {"honest.1": _survivors, "honest.2": _flags, "honest.3": _break}
