"""Checks of the chapter *Adversarial examples*."""

from __future__ import annotations

import torch

from snnlab import data, zoo
from snnlab.attacks import Budget
from snnlab.teach.exercises import Function, Hint, expect, tensor_of

TARGET, TARGET_EPS, TARGET_SHARE = 0, 0.2, 0.7  # of adversarial.3; one step of size ε reads far fewer as 0


def _project(answer: Function) -> None:
    """adversarial.1: a function ``project(changed, image, eps)``: the nearest picture inside the budget."""
    generator = torch.Generator().manual_seed(0)
    image = torch.rand(4, 1, 5, 5, generator=generator)
    image[0] = (image[0] > 0.5).float()
    changed = image + torch.randn(image.shape, generator=generator)
    for eps in (0.0, 0.1, 0.4):
        result = tensor_of(answer(changed.clone(), image.clone(), eps), image.shape).to(image.dtype)
        expect(((result >= 0) & (result <= 1)).all(), "a pixel has left [0, 1]: no screen can show it")
        expect(((result - image).abs() <= eps + 1e-6).all(), f"with ε = {eps:g} a pixel has moved by more than ε")
        nearest = torch.allclose(result, Budget(eps).project(changed, image), atol=1e-6)
        expect(nearest, "it is inside the budget, but not the nearest picture that is: change no pixel more than you must")


def _smallest(answer: Function) -> None:
    """adversarial.2: a function ``smallest(score, weights)``: the ε at which a linear score of a picture changes its sign."""
    generator = torch.Generator().manual_seed(1)
    for size in (2, 50, 784):
        weights = torch.randn(size, generator=generator)
        score = torch.rand(1, generator=generator).item() + 0.1
        result, right, root = (
            float(tensor_of(answer(score, weights), ())),
            score / float(weights.abs().sum()),
            score / float(weights.norm()),
        )
        expect(
            abs(result - root) > 1e-4 * root,
            "that is the distance in L2; in L∞ every pixel may move by ε, so each weight counts with its size",
        )
        expect(
            abs(result - right) <= 1e-4 * right,
            f"for {size} pixels it is another: how much can all pixels together change the score, if each moves by ε?",
        )


def _targeted(answer: Function) -> None:
    """adversarial.3: ``read_as(model, images, target, eps)``: images within ε that the model reads as ``target``."""
    model, digits = zoo.load("ann"), data.load("mnist5k").validation[:60]
    result = tensor_of(answer(model, digits.images.clone(), TARGET, TARGET_EPS), digits.images.shape).detach().float()
    try:
        Budget(TARGET_EPS).verify(result, digits.images)
    except ValueError:
        raise Hint(f"an image has left the budget of ε = {TARGET_EPS:g}, or [0, 1]") from None
    with torch.no_grad():
        share = float((model(result).argmax(1) == TARGET).float().mean())
    expect(
        share >= TARGET_SHARE,
        f"{share:.0%} are read as {TARGET}, more than {TARGET_SHARE:.0%} can be: go *down* the loss of that class, in "
        "several small steps, with a new gradient at each",
    )


CHECKS = {"adversarial.1": _project, "adversarial.2": _smallest, "adversarial.3": _targeted}
