r"""An attack watched step by step: one image, and what one attacker sees and does at every iteration.

Four climbers raise the margin :math:`\max_{k≠y} z_k - z_y` of one network at one image. Each changes one thing of the one
before it. A fifth searches among the spike trains that the budget can reach:

=========== ================================================================== =========================================
name        what its gradient is                                               how it steps
=========== ================================================================== =========================================
naive       through the spikes as they are (straight-through code)             PGD: ``ε/4`` along the sign
bpda        through smooth steps in place of the code's (Athalye et al. 2018)  the same
eot         that of ``bpda``, averaged over ``DRAWS`` draws                    the same
assg        that of ``bpda``, with adaptive sharpness in every neuron          SA-PGD (Wang et al. 2025)
spike_train of the encoded sequence: exact for the code                        ``snnlab.attack.spike_train_attack``
=========== ================================================================== =========================================

The first three keep the surrogate that the network was trained with. The last raises the cross-entropy of logits and soft spikes,
and its ``gradients`` are gains: what each pixel's best train gains to first order, with the sign of its change of intensity. It
needs a code with spike trains (``snnlab.attack.has_trains``). All start at the image itself, without noise, so that
they can be compared step by step, and stop once the image is misread. ``eot`` averages over encodings of a stochastic code.
A deterministic code has only one, so there it averages over images within ``JITTER`` of the present one: the slope of the
hill around it, not of the stair that it stands on.

The browser engine climbs in the same way (``js/src/engine/climb.js``); ``tests/test_browser_engine.py`` holds the two together.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import Tensor

from snnlab.attack import LOSSES, NAIVE, AdaptiveSharpness, Attacker, Budget, has_trains, step_size, surrogate_of
from snnlab.attack.sapgd import _checkpoints, _mean
from snnlab.attack.spike_train import TrainSearch, goal_of, share_at
from snnlab.decoding import SILENT
from snnlab.encoding import check_images
from snnlab.network import Classifier
from snnlab.swapping import frozen_weights
from snnlab.widgets.frames import SPIKE_TRAIN

__all__ = ["CLIMBERS", "DRAWS", "JITTER", "STEPS", "Climb", "ClimbRequest", "Climber", "climb", "climb_frame", "taken_for"]

STEPS = 10  # as the PGD of all explorers
DRAWS = 10  # encodings, or images, that are averaged over
JITTER = 1 / 16  # in pixel units: half a step of a code with eight


@dataclass(frozen=True)
class Climber:
    """How one attacker climbs (table in the module docstring)."""

    attacker: Attacker
    averages: bool = False
    adapts: bool = False
    searches: bool = False


_RELAXED = Attacker("bpda", "relaxed", eot=1)
CLIMBERS: dict[str, Climber] = {
    "naive": Climber(Attacker(NAIVE.name, NAIVE.backward, eot=1)),
    "bpda": Climber(_RELAXED),
    "eot": Climber(Attacker("eot", "relaxed", eot=DRAWS), averages=True),
    "assg": Climber(_RELAXED, adapts=True),
    SPIKE_TRAIN: Climber(_RELAXED, searches=True),
}


@dataclass(frozen=True)
class Climb:
    """What happened on the way: ``S`` steps, ``S + 1`` images.

    ``images`` ``[S + 1, C, H, W]`` from the start on; ``gradients`` ``[S, C, H, W]``, followed at each but the last (of
    ``spike_train``, gains);
    ``margins`` and ``predictions`` ``[S + 1]`` as the network reads each image, above 0 where the answer is wrong.
    """

    images: Tensor
    gradients: Tensor
    margins: Tensor
    predictions: Tensor
    label: int

    @property
    def broken_at(self) -> int | None:
        """The step at which the image was first misread, 0 if before any, ``None`` if never."""
        wrong = torch.nonzero(self.predictions != self.label).flatten()
        return int(wrong[0]) if len(wrong) else None

    @property
    def zero_gradient(self) -> Tensor:
        """Fraction of pixels whose gradient is exactly zero, per step ``[S]``."""
        return (self.gradients == 0).flatten(1).float().mean(1)


@dataclass(frozen=True)
class ClimbRequest:
    """An image ``[C, H, W]`` in [0, 1], its class (``None``: as what it is read), and who climbs.

    Raises:
        ValueError: unknown method, ε outside [0, 1] or not a number.
    """

    image: Tensor
    label: int | None
    encoding: str
    method: str
    eps: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in CLIMBERS:
            raise ValueError(f"unknown climber {self.method!r}; choose one of {', '.join(CLIMBERS)}")
        Budget(self.eps)


def climb(
    classifier: Classifier,
    image: Tensor,
    label: int,
    budget: Budget,
    method: str,
    *,
    steps: int = STEPS,
    draws: int = DRAWS,
    start: Tensor | None = None,
    seed: int = 0,
) -> Climb:
    """Attack one image and keep every step.

    Args:
        classifier: attacked at its exit step.
        image: ``[C, H, W]`` in [0, 1].
        label: the class to get away from.
        budget: what may be changed, L∞.
        method: a key of ``CLIMBERS``.
        steps: at most.
        draws: that ``eot`` averages over.
        start: where to begin, inside the budget; the image itself if not given.
        seed: of the draws; a stochastic code shows every image under the same random numbers.

    Raises:
        ValueError: unknown method, fewer than one step or draw, a bad image, a start outside the budget, ``spike_train`` on a
            code without spike trains.

    >>> from snnlab import data, zoo
    >>> digit = data.load("mnist5k").test[:1]
    >>> found = climb(zoo.load("offset"), digit.images[0], int(digit.labels[0]), Budget(0.1), "naive")
    >>> bool(found.zero_gradient[0] > 0.8), bool((found.images[0] == digit.images[0]).all())
    (True, True)
    """
    if method not in CLIMBERS:
        raise ValueError(f"unknown climber {method!r}; choose one of {', '.join(CLIMBERS)}")
    if steps < 1 or draws < 1:
        raise ValueError(f"steps and draws must be at least 1, got {steps!r} and {draws!r}")
    clean, y = image.unsqueeze(0), torch.tensor([label])
    check_images(clean)
    current = clean if start is None else start.unsqueeze(0)
    budget.verify(current, clean)
    who, generator = CLIMBERS[method], torch.Generator().manual_seed(seed + 1)  # not the numbers that judge
    if who.searches:
        return _search(classifier, clean, current, label, budget, steps, seed, generator)
    sharpness = AdaptiveSharpness() if who.adapts else None
    rise: Callable[[Tensor, Tensor], Tensor] = _SaPgd(budget.eps, steps) if who.adapts else _Pgd(budget.eps, steps)
    images, gradients, read = [current], [], [_look(classifier, current, y, seed)]
    with ExitStack() as stack:
        seen = stack.enter_context(who.attacker.view(classifier))
        stack.enter_context(surrogate_of(classifier.network, sharpness))
        seen.generator, seen.eot = generator, draws if who.averages and classifier.stochastic else 1
        for _ in range(steps):
            if read[-1][1] != label:
                break
            if sharpness is not None:
                sharpness.begin()
            blurred = who.averages and not classifier.stochastic
            gradient = _blurred(seen, current, y, draws, generator) if blurred else _gradient(seen, current, y)
            current = budget.project(rise(current, gradient), clean)
            images.append(current)
            gradients.append(gradient)
            read.append(_look(classifier, current, y, seed))
    budget.verify(current, clean)
    return _recorded(images, gradients, read, label)


def _search(
    classifier: Classifier,
    clean: Tensor,
    start: Tensor,
    label: int,
    budget: Budget,
    steps: int,
    seed: int,
    generator: torch.Generator,
) -> Climb:
    """The search of ``snnlab.attack.spike_train_attack``, step by step; a test holds the two together."""
    if not has_trains(classifier.encoder):
        name = "an ANN" if classifier.encoder is None else f"the code {classifier.encoder.title!r}"
        raise ValueError(f"{name} has no spike trains to search among; choose one of {', '.join(list(CLIMBERS)[:-1])}")
    y = torch.tensor([label])
    search = TrainSearch(classifier, clean, goal_of(y), budget, DRAWS, generator)
    used = search.begin(start)
    images, gains, read = [start], [], [_look(classifier, start, y, seed)]
    momentum: Tensor | None = None
    everywhere = torch.arange(clean.numel())
    with ExitStack() as stack:
        stack.enter_context(surrogate_of(classifier.network, used))
        stack.enter_context(frozen_weights(classifier.network))
        for step in range(steps):
            if read[-1][1] != label:
                break
            momentum = search.gathered(momentum, search.look(used)[2])
            _, values, gained = search.best(momentum, everywhere)
            gains.append((gained.clamp(min=0) * (values - search.values.view(-1)).sign()).view_as(clean))
            search.move(momentum, share_at(step, steps))
            images.append(search.values.detach().clone().view_as(clean))
            read.append(_look(classifier, images[-1], y, seed))
    budget.verify(images[-1], clean)
    return _recorded(images, gains, read, label)


def _recorded(images: list[Tensor], gradients: list[Tensor], read: list[tuple[float, int]], label: int) -> Climb:
    margins, predictions = (torch.tensor(values) for values in zip(*read, strict=True))
    followed = torch.cat(gradients) if gradients else images[0][:0]
    return Climb(torch.cat(images), followed, margins, predictions, label)


def climb_frame(classifier: Classifier, request: ClimbRequest) -> dict[str, Any]:
    """One climb as the explorer shows it: plain values, and numpy arrays under ``path``; all steps are read."""
    started = perf_counter()
    whole = classifier.at()
    label = taken_for(whole, request.image, request.seed) if request.label is None else request.label
    found = climb(whole, request.image, label, Budget(request.eps), request.method, seed=request.seed)
    return {
        "shape": list(request.image.shape),
        "encoding": request.encoding,
        "method": request.method,
        "steps": STEPS,
        "computed_by": "kernel",
        "label": request.label,
        "target": label,
        "path": {
            "images": found.images.flatten().numpy(),
            "gradients": found.gradients.flatten().numpy(),
            "margins": found.margins.numpy(),
            "predictions": found.predictions.to(torch.int8).numpy(),
        },
        "ms": 1000 * (perf_counter() - started),
    }


def taken_for(classifier: Classifier, image: Tensor, seed: int = 0) -> int:
    """The class that an image ``[C, H, W]`` is read as; if the network is silent, that of the highest potential."""
    _, membrane, answer = _answer(classifier, image.unsqueeze(0), seed)
    return int(membrane.argmax() if int(answer) == SILENT else answer)


class _Pgd:
    """``x + α sign g`` (Madry et al. 2018)."""

    def __init__(self, eps: float, steps: int) -> None:
        self.alpha = step_size(eps, steps)

    def __call__(self, current: Tensor, gradient: Tensor) -> Tensor:
        return current + self.alpha * gradient.sign()


class _SaPgd:
    """The step of ``snnlab.attack.sa_pgd``; a test holds the two together."""

    def __init__(self, eps: float, steps: int) -> None:
        self.rate, self.halvings, self.step = eps, _checkpoints(steps), 0
        self.momentum: Tensor | float = 0.0
        self.second: Tensor | float = 0.0

    def __call__(self, current: Tensor, gradient: Tensor) -> Tensor:
        self.momentum = 0.5 * self.momentum + gradient / _mean(gradient.abs())
        self.second = 0.8 * self.second + gradient**2 / _mean(gradient**2)
        self.rate = self.rate / 2 if self.step in self.halvings else self.rate
        self.step += 1
        move = (self.rate * self.momentum / (self.second.sqrt() + 1e-12)).clamp(-self.rate, self.rate)
        return current + move


def _gradient(seen: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """``∇_x`` of the margin as this attacker sees it, ``[1, C, H, W]``."""
    leaf = images.detach().clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(LOSSES["margin"](seen(leaf), labels).sum(), leaf, allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient


def _blurred(seen: Classifier, images: Tensor, labels: Tensor, draws: int, generator: torch.Generator) -> Tensor:
    """The mean gradient over images within ``JITTER`` of this one."""
    total = torch.zeros_like(images)
    for _ in range(draws):
        noise = JITTER * (2 * torch.rand(images.shape, generator=generator) - 1)
        total += _gradient(seen, (images + noise).clamp(0, 1), labels)
    return total / draws


def _look(classifier: Classifier, images: Tensor, labels: Tensor, seed: int) -> tuple[float, int]:
    """Margin of the votes, and the answer."""
    logits, _, answer = _answer(classifier, images, seed)
    return float(LOSSES["margin"](logits, labels)), int(answer)


@torch.no_grad()
def _answer(classifier: Classifier, images: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Logits, read-out potential and answer at the exit in use, ``[1, K]``, ``[1, K]`` and ``[1]``."""
    if classifier.stochastic:
        classifier = classifier.at(exit_step=classifier.exit_step)
        classifier.generator = torch.Generator().manual_seed(seed)
    logits, membrane = (values[-1] for values in classifier.read(images, classifier.exit_step))
    return logits, membrane, classifier.answers(logits, membrane)
