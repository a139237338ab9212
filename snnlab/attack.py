r"""Attacks on a classifier, inside a budget that every result is checked against.

An attack looks for images :math:`x'` with :math:`\lVert x' - x\rVert_\infty \le ε` on [0, 1] that raise the
cross-entropy :math:`L` of the logits at the exit step in use:

.. math::

    \text{FGSM:}\quad & x' = \mathrm{clip}(x + ε\,\mathrm{sign} ∇_x L) \\
    \text{PGD:}\quad & x'_{i+1} = \mathrm{clip}(Π_ε(x'_i + α\,\mathrm{sign} ∇ L(x'_i))), \quad x'_0 = x + U(-ε, ε)

(Goodfellow et al. 2015; Madry et al. 2018). FGSM and PGD are those of ``torchattacks`` (Kim 2020), which sees a
``Classifier`` as an ordinary ``images -> logits`` module: encoder, exit step and backward rule are inside.

What the gradient is, the *attacker* decides. ``NAIVE`` takes the encoder's straight-through rule and the surrogate the
network was trained with, as the field does. ``INFORMED`` knows that the code is a step and replaces it, in the backward
pass only, by a smooth one (BPDA, Athalye et al. 2018), with a surrogate of heavier tails. Forward passes are the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.nn.functional as F
import torchattacks
from torch import Tensor

from snnlab.data import check_labels
from snnlab.decoding import SILENT
from snnlab.encoding import Backward, check_images
from snnlab.network import Classifier, surrogate_of
from snnlab.neuron import Surrogate

__all__ = [
    "ATTACKERS",
    "ATTACKS",
    "INFORMED",
    "NAIVE",
    "AttackResult",
    "Attacker",
    "Budget",
    "attack",
    "input_gradient",
]

ATTACKS: tuple[str, ...] = ("none", "noise", "fgsm", "pgd")
DIAGNOSED = 64  # images of a batch whose first gradient is looked at: the library keeps its own to itself


@dataclass(frozen=True)
class Budget:
    """How far an attack may go: ``‖x' - x‖∞ ≤ eps`` with ``x'`` in [0, 1].

    Args:
        eps: radius, in pixel units (the range of a pixel is 1), in [0, 1].

    >>> print(Budget(0.1))
    L∞ 0.1 on [0, 1]
    """

    eps: float

    tolerance = 1e-6

    def __post_init__(self) -> None:
        if not 0 <= self.eps <= 1:  # NaN fails this too
            raise ValueError(f"eps must lie in [0, 1] (pixel units), got {self.eps!r}")

    def __str__(self) -> str:
        return f"L∞ {self.eps:g} on [0, 1]"

    def project(self, images: Tensor, reference: Tensor) -> Tensor:
        """The nearest images inside the budget."""
        return torch.clamp(torch.clamp(images, reference - self.eps, reference + self.eps), 0, 1)

    def verify(self, images: Tensor, reference: Tensor) -> None:
        """Raise ``ValueError`` unless ``images`` lie inside the budget (to 1e-6)."""
        if images.shape != reference.shape:
            raise ValueError(f"attacked images have shape {list(images.shape)}, the clean ones {list(reference.shape)}")
        distance = float((images - reference).abs().max())
        low, high = (float(v) for v in images.aminmax())
        if not distance <= self.eps + self.tolerance:
            raise ValueError(f"attack left its budget {self}: moved a pixel by {distance:.6g}")
        if not (low >= -self.tolerance and high <= 1 + self.tolerance):
            raise ValueError(f"attack left [0, 1]: values from {low:.6g} to {high:.6g}")


@dataclass(frozen=True)
class Attacker:
    """What an attacker puts in place of the two steps of a spiking network, in the backward pass only.

    Args:
        name: how records and figures call it.
        backward: the encoder's backward rule.
        slope: slope of the relaxed code, ``None`` keeps the encoder's.
        surrogate: the neurons' surrogate, ``None`` keeps the network's own.
        eot: encodings averaged for a stochastic code.
    """

    name: str
    backward: Backward
    slope: float | None = None
    surrogate: Surrogate | None = None
    eot: int = 10

    @contextmanager
    def view(self, classifier: Classifier) -> Iterator[Classifier]:
        """The classifier as this attacker differentiates it; the network is as before afterwards."""
        code = classifier.encoder
        eot = self.eot if classifier.stochastic else 1
        seen = classifier.at(
            exit_step=classifier.exit_step, encoder=code and code.with_backward(self.backward, self.slope), eot=eot
        )
        with surrogate_of(classifier.network, self.surrogate):
            yield seen


NAIVE = Attacker("naive", "straight_through")
INFORMED = Attacker("informed", "relaxed", surrogate=Surrogate("arctan", 2.0))
ATTACKERS: dict[str, Attacker] = {a.name: a for a in (NAIVE, INFORMED)}


@dataclass(frozen=True)
class AttackResult:
    """What an attack did.

    ``images`` inside the budget; ``logits`` and ``membrane`` of the read-out at every exit ``[T, N, K]``, ``predictions``
    from them ``[T, N]``; ``success`` per sample at the exit that was attacked; ``moved`` and ``zero_gradient``: fraction of
    pixels changed, and whose first gradient is exactly zero (in the first ``DIAGNOSED`` images of the batch).
    """

    images: Tensor
    logits: Tensor
    membrane: Tensor
    predictions: Tensor
    success: Tensor
    moved: float
    zero_gradient: float | None
    budget: Budget

    def __str__(self) -> str:
        zero = "" if self.zero_gradient is None else f", gradient zero on {self.zero_gradient:.0%} of the pixels"
        return f"{self.budget}: {self.success.float().mean():.1%} wrong, {self.moved:.0%} of the pixels moved{zero}"


def attack(
    classifier: Classifier,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    method: str = "pgd",
    attacker: Attacker = INFORMED,
    *,
    steps: int = 10,
    random_start: bool = True,
    generator: torch.Generator | None = None,
) -> AttackResult:
    """Attack ``images`` at the classifier's exit step and verify the result against the budget.

    Args:
        classifier: attacked at ``classifier.exit_step``.
        images: ``[N, C, H, W]`` in [0, 1].
        labels: true classes, ``[N]``.
        budget: what may be changed.
        method: ``"none"``, ``"noise"`` (a random sign times ε, the control), ``"fgsm"`` or ``"pgd"``.
        attacker: what the gradient is.
        steps: iterations of PGD, step size ``ε/4`` (``2.5 ε/steps`` if that is larger).
        random_start: whether PGD starts anywhere in the budget.
        generator: randomness of noise and random start.

    Raises:
        ValueError: unknown method, bad images, labels or steps, a result outside the budget.
    """
    if method not in ATTACKS:
        raise ValueError(f"unknown attack {method!r}; choose one of {', '.join(ATTACKS)}")
    if steps < 1:
        raise ValueError(f"steps must be at least 1, got {steps!r}")
    _check_batch(classifier, images, labels)
    zero_gradient = None
    adversarial = images
    if method == "noise":
        sign = torch.randint(0, 2, images.shape, generator=generator).to(images) * 2 - 1
        adversarial = budget.project(images + budget.eps * sign, images)
    elif method in ("fgsm", "pgd"):
        with attacker.view(classifier) as seen, forked_rng(generator):
            few = slice(DIAGNOSED)
            zero_gradient = float((input_gradient(seen, images[few], labels[few]) == 0).float().mean())
            adversarial = _library_attack(seen, budget, method, steps, random_start)(images, labels)
    return judged(classifier, adversarial, images, labels, budget, zero_gradient)


def judged(
    classifier: Classifier,
    adversarial: Tensor,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    zero_gradient: float | None = None,
) -> AttackResult:
    """Verify what an attack found against its budget, and see what the classifier makes of it: the end of every attack."""
    budget.verify(adversarial, images)
    with torch.no_grad():
        logits, membrane = classifier.read(adversarial)
    predicted = classifier.answers(logits, membrane)
    return AttackResult(
        images=adversarial,
        logits=logits,
        membrane=membrane,
        predictions=predicted,
        success=predicted[classifier.exit_step - 1] != labels,
        moved=float((adversarial != images).float().mean()),
        zero_gradient=zero_gradient,
        budget=budget,
    )


def step_size(eps: float, steps: int) -> float:
    """PGD's step ``α``: ``ε/4``, or ``2.5 ε/steps`` where few steps could not cross the budget otherwise."""
    return max(eps / 4, 2.5 * eps / steps)


def input_gradient(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """``∇_x L`` of the summed cross-entropy at the exit in use, ``[N, C, H, W]``: what an attack steps along."""
    leaf = images.detach().clone().requires_grad_(True)
    loss = F.cross_entropy(classifier(leaf), labels, reduction="sum")
    (gradient,) = torch.autograd.grad(loss, leaf, allow_unused=True)
    return torch.zeros_like(images) if gradient is None else gradient


@contextmanager
def forked_rng(generator: torch.Generator | None) -> Iterator[None]:
    """Seed the global generator, which ``torchattacks`` uses, from ``generator``; restore it afterwards."""
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def _library_attack(
    seen: Classifier, budget: Budget, method: str, steps: int, random_start: bool
) -> torchattacks.attack.Attack:
    if method == "fgsm":
        return torchattacks.FGSM(seen, eps=budget.eps)
    alpha = step_size(budget.eps, steps)
    return torchattacks.PGD(seen, eps=budget.eps, alpha=alpha, steps=steps, random_start=random_start)


def _check_batch(classifier: Classifier, images: Tensor, labels: Tensor) -> None:
    check_images(images)
    if labels.shape != images.shape[:1]:
        raise ValueError(f"expected labels [N] with N={len(images)}, got {list(labels.shape)}")
    with torch.no_grad():
        num_classes = classifier(images[:1]).shape[-1]
    if (labels == SILENT).any():
        raise ValueError("labels hold -1 (silent); attack a sample with its true class")
    check_labels(labels, num_classes)
