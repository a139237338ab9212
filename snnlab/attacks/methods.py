"""Common attacks by name: none, noise, FGSM and PGD, and others of torchattacks (Kim 2020).

FGSM and PGD in L∞ are those of torchattacks. In other norms they are ``snnlab.attacks.iterate``; in L2 without random start PGD
is the BIM-L2 of the literature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from snnlab.attacks.base import Attack, Rng
from snnlab.attacks.budget import NORMS, Budget
from snnlab.attacks.iterate import ascend
from snnlab.attacks.registry import register_attack
from snnlab.attacks.result import forked_rng, input_gradient, step_size, uniform
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import preserve_mode

__all__ = ["APGD", "DIFGSM", "FGSM", "MIFGSM", "PGD", "LibraryAttack", "NoAttack", "Noise", "Square", "library_attack"]


@register_attack
@dataclass(frozen=True)
class NoAttack(Attack):
    """Return the clean images."""

    name, white_box, control = "none", False, True

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Change nothing."""
        return images


@register_attack
@dataclass(frozen=True)
class Noise(Attack):
    """Add random signs of size ε, or a step of the budget along them: the control."""

    name, white_box, control = "noise", False, True

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Draw the signs from ``generator``."""
        sign = torch.randint(0, 2, images.shape, generator=generator, device="cpu").to(images) * 2 - 1
        if budget.norm not in ("Linf", "L2"):  # the step takes a few entries: random ones
            sign = sign * uniform(images, generator)
        return budget.project(images + budget.step(sign, budget.eps), images)


@register_attack
@dataclass(frozen=True)
class FGSM(Attack):
    """Take one step of size ε along the gradient (Goodfellow et al. 2015)."""

    name = "fgsm"

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Step once."""
        if budget.norm == "Linf":
            return library_attack("FGSM", classifier, eps=budget.eps)(images, labels)
        return ascend(images, images, budget, lambda x: input_gradient(classifier, x, labels), budget.eps, 1)


@dataclass(frozen=True)
class LibraryAttack(Attack):
    """Run the class ``library`` of torchattacks with some ``steps``."""

    steps: int = 10

    library: ClassVar[str]
    norms: ClassVar[tuple[str, ...]] = ("Linf",)

    def options(self, budget: Budget) -> dict[str, Any]:
        """Return the arguments of the class."""
        return {"eps": budget.eps, "alpha": step_size(budget.eps, self.steps), "steps": self.steps}

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Run it."""
        return library_attack(self.library, classifier, **self.options(budget))(images, labels)


@register_attack
@dataclass(frozen=True)
class PGD(LibraryAttack):
    """Take steps of ``step_size(ε, steps)`` and project each on the budget (Madry et al. 2018).

    Args:
        steps: number of steps.
        random_start: whether to start anywhere in the budget, not at the image.
    """

    random_start: bool = True

    name, library = "pgd", "PGD"
    norms = tuple(NORMS)

    def options(self, budget: Budget) -> dict[str, Any]:
        """Return the arguments of the class."""
        return super().options(budget) | {"random_start": self.random_start}

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Step ``steps`` times."""
        if budget.norm == "Linf":
            return super().perturb(classifier, images, labels, budget, generator)
        start = images
        if self.random_start:
            direction = budget.step(torch.randn_like(images), budget.eps * float(torch.rand((), device="cpu")))
            start = budget.project(images + direction, images)
        size = step_size(budget.eps, self.steps)
        return ascend(start, images, budget, lambda x: input_gradient(classifier, x, labels), size, self.steps)


@register_attack
@dataclass(frozen=True)
class MIFGSM(LibraryAttack):
    """PGD with momentum, whose images transfer well (Dong et al. 2018)."""

    name, library = "mifgsm", "MIFGSM"


@register_attack
@dataclass(frozen=True)
class DIFGSM(LibraryAttack):
    """PGD with momentum on randomly resized images (Xie et al. 2019)."""

    name, library = "difgsm", "DIFGSM"

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Run it from a random start."""
        options = self.options(budget) | {"decay": 1.0, "random_start": True}
        return library_attack("DIFGSM", _Clamped(classifier), **options)(images, labels)


@register_attack
@dataclass(frozen=True)
class APGD(LibraryAttack):
    """PGD with momentum and a step that adapts, on the cross-entropy (Croce & Hein 2020)."""

    name, library = "apgd", "APGD"
    norms = ("Linf", "L2")

    def options(self, budget: Budget) -> dict[str, Any]:
        """Return the arguments of the class."""
        return {"norm": budget.norm, "eps": budget.eps, "steps": self.steps, "seed": _drawn_seed()}


@register_attack
@dataclass(frozen=True)
class Square(LibraryAttack):
    """Random search with squares that asks for answers alone, ``steps`` times an image (Andriushchenko et al. 2020)."""

    name, library, white_box = "square", "Square", False
    norms = ("Linf", "L2")

    def options(self, budget: Budget) -> dict[str, Any]:
        """Return the arguments of the class."""
        return {"norm": budget.norm, "eps": budget.eps, "n_queries": self.steps, "seed": _drawn_seed()}

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Run it with numbers from ``generator``."""
        with torch.no_grad(), forked_rng(generator), preserve_mode(classifier):
            return super().perturb(classifier, images, labels, budget, generator).detach()


def library_attack(name: str, model: nn.Module, **options: Any) -> Callable[[Tensor, Tensor], Tensor]:
    """Return an attack of torchattacks by its name: a function of images ``[N, C, H, W]`` and labels ``[N]`` to images.

    Raises:
        ImportError: torchattacks is not installed.
    """
    try:
        import torchattacks
    except ImportError:
        raise ImportError(
            f"{name} is that of torchattacks; install it with 'pip install --no-deps torchattacks==3.5.1'"
        ) from None
    made: Callable[[Tensor, Tensor], Tensor] = getattr(torchattacks, name)(model, **options)
    return made


class _Clamped(nn.Sequential):
    """Clamp images that resizing has left a rounding error outside [0, 1], then classify them."""

    def forward(self, images: Tensor) -> Any:
        return self[0](images.clamp(0, 1))


def _drawn_seed() -> int:
    """Return a seed from the global generator, for attacks that set the global generator themselves."""
    return int(torch.randint(2**31 - 1, (1,), device="cpu"))
