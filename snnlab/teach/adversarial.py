"""Checks of the chapter *Adversarial examples*."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attack import Budget

__all__ = ["CHECKS"]


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
    eps, target = 0.2, 3
    found = answer(model, digits.images.clone(), target, eps)
    if not isinstance(found, Tensor) or found.shape != digits.images.shape:
        return (
            f"the result should be images {list(digits.images.shape)}, got {getattr(found, 'shape', type(found).__name__)}"
        )
    try:
        Budget(eps).verify(found.detach(), digits.images)
    except ValueError:
        return f"an image has left the budget of ε = {eps:g}, or [0, 1]"
    with torch.no_grad():
        share = float((model(found.detach()).argmax(1) == target).float().mean())
    if share < 0.7:
        return f"{share:.0%} are read as {target}, more than 70 % can be: go *down* the loss of that class, in several steps"
    return None


CHECKS = {"adversarial.1": _project, "adversarial.2": _smallest, "adversarial.3": _targeted}
