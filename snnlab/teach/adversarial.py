"""The chapter *Adversarial examples*: which class wins under attack, and the checks of its exercises."""

from __future__ import annotations

from functools import cache
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attack import NAIVE, Budget, attack

__all__ = ["CHECKS", "winners", "winners_text"]

EPS = 0.1  # of the table of winners
TARGET, TARGET_EPS, TARGET_SHARE = 0, 0.2, 0.7  # of adversarial.3; one step of size ε reads far fewer as 0


@cache
def _confusions() -> Tensor:
    """Return how often the ordinary network answers each class under FGSM: ``[true class, answer]``, all test digits."""
    model, digits = zoo.load("ann"), data.load("mnist5k").test
    images = attack(model, digits.images, digits.labels, Budget(EPS), "fgsm", NAIVE).images
    with torch.no_grad():
        answers = model(images).argmax(1)
    return torch.bincount(digits.labels * 10 + answers, minlength=100).view(10, 10)


def winners() -> pd.DataFrame:
    """Return, for every true class, the wrong class that FGSM produces most often, and its share of the digits."""
    counts = _confusions()
    wrong = counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)
    rows = {
        f"true class {true}": {
            "most frequent wrong class": int(row.argmax()),
            "share of these digits": f"{int(row.max()) / int(counts[true].sum()):.0%}",
            "still right": f"{int(counts[true, true]) / int(counts[true].sum()):.0%}",
        }
        for true, row in enumerate(wrong)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def winners_text() -> str:
    """Return a sentence on how concentrated the wrong answers are, and n, seed and attack of the table, as Markdown."""
    counts = _confusions()
    wrong = counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)
    share = float(wrong.max(1).values.sum() / wrong.sum())
    mutual = [(a, b) for a in range(10) for b in range(a + 1, 10) if wrong[a].argmax() == b and wrong[b].argmax() == a]
    pairs = ", ".join(f"{a} and {b}" for a, b in mutual) or "none"
    return (
        f"The most frequent wrong class takes {share:.0%} of the errors; if all nine were equally frequent it would be "
        f"{1 / 9:.0%}. Pairs of classes that are each other's most frequent error: {pairs}. "
        f"(FGSM, ε = {EPS:g}, n = {int(counts.sum()):,} test digits, one training seed.)"
    )


def _project(answer: Any) -> str | None:
    """adversarial.1: a function ``project(changed, image, eps)``: the nearest picture inside the budget."""
    if not callable(answer):
        return "give the function itself, without calling it"
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(4, 1, 5, 5, generator=generator)
    image[0] = (image[0] > 0.5).float()
    changed = image + torch.randn(image.shape, generator=generator)
    for eps in (0.0, 0.1, 0.4):
        found = answer(changed.clone(), image.clone(), eps)
        if not isinstance(found, Tensor) or found.shape != image.shape:
            return (
                f"the result should have the shape of the image, {list(image.shape)}, got {getattr(found, 'shape', found)}"
            )
        if (found < 0).any() or (found > 1).any():
            return "a pixel has left [0, 1]: no screen can show it"
        if ((found - image).abs() > eps + 1e-6).any():
            return f"with ε = {eps:g} a pixel has moved by more than ε"
        if not torch.allclose(found, Budget(eps).project(changed, image), atol=1e-6):
            return "it is inside the budget, but not the nearest picture that is: change no pixel more than you must"
    return None


def _smallest(answer: Any) -> str | None:
    """adversarial.2: a function ``smallest(score, weights)``: the ε at which a linear score of a picture changes its sign."""
    if not callable(answer):
        return "give the function itself, without calling it"
    generator = torch.Generator().manual_seed(1)
    for size in (2, 50, 784):
        weights = torch.randn(size, generator=generator)
        score = torch.rand(1, generator=generator).item() + 0.1
        found, expected = float(answer(score, weights)), score / float(weights.abs().sum())
        if abs(found - expected) > 1e-4 * expected:
            root = score / float(weights.norm())
            if abs(found - root) < 1e-4 * root:
                return "that is the distance in L2; in L∞ every pixel may move by ε, so each weight counts with its size"
            return f"for {size} pixels it is another: how much can all pixels together change the score, if each moves by ε?"
    return None


def _targeted(answer: Any) -> str | None:
    """adversarial.3: ``read_as(model, images, target, eps)``: images within ε that the model reads as ``target``."""
    if not callable(answer):
        return "give the function itself, without calling it"
    model, digits = zoo.load("ann"), data.load("mnist5k").validation[:60]
    found = answer(model, digits.images.clone(), TARGET, TARGET_EPS)
    if not isinstance(found, Tensor) or found.shape != digits.images.shape:
        return (
            f"the result should be images {list(digits.images.shape)}, got {getattr(found, 'shape', type(found).__name__)}"
        )
    try:
        Budget(TARGET_EPS).verify(found.detach(), digits.images)
    except ValueError:
        return f"an image has left the budget of ε = {TARGET_EPS:g}, or [0, 1]"
    with torch.no_grad():
        share = float((model(found.detach()).argmax(1) == TARGET).float().mean())
    if share < TARGET_SHARE:
        return (
            f"{share:.0%} are read as {TARGET}, more than {TARGET_SHARE:.0%} can be: go *down* the loss of that class, in "
            "several small steps, with a new gradient at each"
        )
    return None


CHECKS = {"adversarial.1": _project, "adversarial.2": _smallest, "adversarial.3": _targeted}
