r"""The trajectory of an attack: one image, and the gradient, image, margin and answer at every step.

Variants, each of which changes one thing of the one before it; all raise the margin :math:`\max_{k≠y} z_k - z_y` but the last:

=========== ================================================================== =========================================
name        gradient                                                           step
=========== ================================================================== =========================================
naive       through the spikes as they are (straight-through code)             PGD: ``ε/4`` along the sign
bpda        through smooth steps in place of the code's (Athalye et al. 2018)  the same
eot         that of ``bpda``, averaged over ``DRAWS`` draws                    the same
assg        that of ``bpda``, with adaptive sharpness in every neuron          SA-PGD (Wang et al. 2025)
spike_train of the encoded sequence: exact for the code                        ``snnlab.attacks.spike_train_attack``
=========== ================================================================== =========================================

The first three use the surrogate of training. The ``gradients`` of the last are gains: what each pixel's best train gains to
first order, with the sign of its change of intensity. All start at the image without noise, and stop once it is misclassified.
``eot`` averages over encodings of a stochastic code, of a deterministic one over images within ``JITTER`` of the present one.

The browser engine takes the same steps (``js/src/engine/trajectory.js``; ``tests/parity/test_browser_engine.py``).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from snnlab.attacks.attacker import NAIVE, Attacker
from snnlab.attacks.budget import Budget
from snnlab.attacks.goal import Goal, margin
from snnlab.attacks.iterate import iterate
from snnlab.attacks.result import check_counts, gradient_of, step_size, uniform
from snnlab.attacks.sa_pgd import SaPgdStep
from snnlab.attacks.sharpness import AdaptiveSharpness
from snnlab.attacks.spike_train import TrainSearch, has_trains
from snnlab.encoding import check_images
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import use_surrogate, with_gradients
from snnlab.networks.decoding import SILENT

__all__ = [
    "DRAWS",
    "JITTER",
    "STEPS",
    "VARIANTS",
    "AttackTrajectory",
    "attack_slice",
    "attack_trajectory",
    "per_level",
    "predicted_class",
]

STEPS = 10  # as the PGD of all explorers
DRAWS = 10  # encodings, or images, that are averaged over
LEVELS = 255  # grey levels of a stored image
JITTER = 1 / 16  # in pixel units: half a step of a code with eight

#: the attackers of the variants by name
VARIANTS: dict[str, Attacker] = {
    "naive": Attacker("naive", NAIVE.backward, eot=1),
    **{name: Attacker(name, "relaxed", eot=1) for name in ("bpda", "eot", "assg", "spike_train")},
}


@dataclass(frozen=True)
class AttackTrajectory:
    """The ``S`` steps of an attack on one image, and its ``S + 1`` images.

    Args:
        images: ``[S + 1, C, H, W]``, the start first.
        gradients: ``[S, C, H, W]``; of ``spike_train``, gains.
        margins: ``[S + 1]``, above 0 where the answer is wrong; so are ``predictions``.
        label: the true class.
    """

    images: Tensor
    gradients: Tensor
    margins: Tensor
    predictions: Tensor
    label: int

    @property
    def broken_at(self) -> int | None:
        """The step at which the image was first misclassified, 0 if before any, ``None`` if never."""
        wrong = torch.nonzero(self.predictions != self.label).flatten()
        return int(wrong[0]) if len(wrong) else None

    @property
    def zero_gradient(self) -> Tensor:
        """Fraction of pixels whose gradient is exactly zero, per step ``[S]``."""
        return (self.gradients == 0).flatten(1).float().mean(1)


class _Recorder:
    """Remember every image, the answer to it, and the gradient that led on from it."""

    def __init__(self, classifier: Classifier, start: Tensor, label: int, seed: int) -> None:
        self.classifier, self.labels, self.seed = classifier, torch.tensor([label], device=start.device), seed
        self.images, self.gradients, self.margins, self.predictions = (list[Tensor]() for _ in range(4))
        self(start)

    def __call__(self, image: Tensor, gradient: Tensor | None = None) -> Tensor:
        """Record a step; this is the ``on_step`` of ``iterate``."""
        self.images.append(image)
        if gradient is not None:
            self.gradients.append(gradient)
        logits, _, answer = _read(self.classifier, image, self.seed)
        self.margins.append(margin(logits, self.labels))
        self.predictions.append(answer)
        return image

    @property
    def ended(self) -> bool:
        """Whether the image is misclassified."""
        return bool(self.predictions[-1] != self.labels)

    def trajectory(self) -> AttackTrajectory:
        """Return what was recorded."""
        gradients = torch.cat(self.gradients or [self.images[0][:0]])
        images, margins, predictions = (torch.cat(part) for part in (self.images, self.margins, self.predictions))
        return AttackTrajectory(images, gradients, margins, predictions, int(self.labels))


@with_gradients()
def attack_trajectory(
    classifier: Classifier,
    image: Tensor,
    label: int,
    budget: Budget,
    variant: str,
    *,
    steps: int = STEPS,
    draws: int = DRAWS,
    seed: int = 0,
) -> AttackTrajectory:
    """Attack one image and record every step.

    Args:
        classifier: attacked at its exit step.
        image: ``[C, H, W]`` in [0, 1], of class ``label``.
        budget: limit of the change, L∞.
        variant: a key of ``VARIANTS``.
        steps: at most.
        draws: that ``eot`` averages over.
        seed: of the draws; a stochastic code encodes every image with the same random numbers.

    Raises:
        ValueError: an unknown variant, fewer than one step or draw, a bad image, ``spike_train`` on a code without trains.

    >>> from snnlab import data, zoo
    >>> digit = data.load("mnist5k").test[:1]
    >>> result = attack_trajectory(zoo.load("offset"), digit.images[0], int(digit.labels[0]), Budget(0.1), "naive")
    >>> bool(result.zero_gradient[0] > 0.8), bool((result.images[0] == digit.images[0]).all())
    (True, True)
    """
    if variant not in VARIANTS:
        raise ValueError(f"unknown variant {variant!r}; choose one of {', '.join(VARIANTS)}")
    check_counts(steps=steps, draws=draws)
    clean = image.unsqueeze(0)
    check_images(clean)
    recorder = _Recorder(classifier, clean, label, seed)
    generator = torch.Generator().manual_seed(seed + 1)  # other numbers than those of the answers
    if variant == "spike_train":
        _search(recorder, budget, steps, generator)
    else:
        _ascend(recorder, budget, variant, steps, draws, generator)
    budget.verify(recorder.images[-1], clean)
    return recorder.trajectory()


def _ascend(recorder: _Recorder, budget: Budget, variant: str, steps: int, draws: int, generator: torch.Generator) -> None:
    classifier, clean = recorder.classifier, recorder.images[0]
    sharpness = AdaptiveSharpness() if variant == "assg" else None
    size = step_size(budget.eps, steps)
    step = SaPgdStep(budget.eps, steps) if sharpness else lambda x, g: x + size * g.sign()
    blurred = variant == "eot" and not classifier.stochastic
    with VARIANTS[variant].view(classifier) as view, use_surrogate(classifier.network, sharpness):
        view.generator, view.eot = generator, draws if variant == "eot" and classifier.stochastic else 1

        def raised(image: Tensor) -> Tensor:
            return margin(view(image), recorder.labels).sum()

        def gradient(image: Tensor) -> Tensor | None:
            if recorder.ended:
                return None
            if sharpness:
                sharpness.begin()
            if not blurred:
                return gradient_of(raised, image)
            noise = (JITTER * (2 * uniform(image, generator) - 1) for _ in range(draws))
            near = (gradient_of(raised, (image + shift).clamp(0, 1)) for shift in noise)
            return sum(near, torch.zeros_like(image)) / draws

        iterate(clean, gradient, step, lambda x: budget.project(x, clean), steps, recorder)


def _search(recorder: _Recorder, budget: Budget, steps: int, generator: torch.Generator) -> None:
    classifier, clean = recorder.classifier, recorder.images[0]
    if not has_trains(classifier.encoder):
        name = "an ANN" if classifier.encoder is None else f"the code {classifier.encoder.title!r}"
        raise ValueError(f"{name} has no spike trains to search among; choose one of {', '.join(list(VARIANTS)[:-1])}")
    if recorder.ended:
        return
    search = TrainSearch(classifier, clean, Goal.of(classifier, recorder.labels), budget, DRAWS, generator)

    def record(values: Tensor, gains: Tensor) -> bool:
        recorder(values.detach().clone().view_as(clean), gains.view_as(clean))
        return recorder.ended

    search.run(clean, steps, None, record)


def attack_slice(
    classifier: Classifier, image: Tensor, label: int, budget: Budget, gradient: Tensor, *, seed: int = 0
) -> tuple[Tensor, Tensor]:
    """Return margin and answer along the direction of a gradient, ``[S]`` each.

    The images are ``clip(x + t sign g)`` at ``t = j / (255 per_level)`` for ``0 ≤ t ≤ 2ε``. At each ``per_level``-th point the
    image has whole grey levels, as a file stores it; between them lies what rounding removes.

    Args:
        classifier: attacked at its exit step.
        image: ``[C, H, W]`` in [0, 1], of class ``label``.
        budget: ε, L∞.
        gradient: ``[C, H, W]``.
        seed: a stochastic code encodes every image with the same random numbers.
    """
    per, labels = per_level(budget.eps), torch.tensor([label])
    margins, answers = [], []
    for j in range(int(2 * LEVELS * budget.eps + 1e-9) * per + 1):
        moved = (image + j / (LEVELS * per) * gradient.sign()).clamp(0, 1).unsqueeze(0)
        logits, _, answer = _read(classifier, moved, seed)
        margins.append(margin(logits, labels))
        answers.append(answer)
    return torch.cat(margins), torch.cat(answers)


def per_level(eps: float) -> int:
    """Return the number of points of a slice between two grey levels: about 160 in all."""
    return min(4, max(1, int(160 / (2 * LEVELS * eps)))) if eps > 0 else 4


def predicted_class(classifier: Classifier, image: Tensor, seed: int = 0) -> int:
    """Return the class that an image ``[C, H, W]`` is classified as; of a silent network that of the highest potential."""
    _, membrane, answer = _read(classifier, image.unsqueeze(0), seed)
    return int(membrane.argmax() if int(answer) == SILENT else answer)


@torch.no_grad()
def _read(classifier: Classifier, images: Tensor, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits, read-out potential and answer at the exit in use, ``[1, K]``, ``[1, K]`` and ``[1]``."""
    if classifier.stochastic:
        classifier = classifier.at(exit_step=classifier.exit_step)
        classifier.generator = torch.Generator().manual_seed(seed)
    logits, membrane = (values[-1] for values in classifier.read(images, classifier.exit_step))
    return logits, membrane, classifier.answers(logits, membrane)
