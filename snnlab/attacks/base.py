"""Attacks: frozen dataclasses whose fields are their settings and whose class variables say what they can do.

After ``snnlab.attacks.register_attack``, ``attack``, every suite and the measurements over time know an attack by name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import torch
from torch import Tensor

from snnlab.attacks.attacker import INFORMED, Attacker
from snnlab.attacks.budget import NORMS, Budget
from snnlab.attacks.result import (
    DIAGNOSED,
    AttackResult,
    check_batch,
    check_counts,
    forked_rng,
    input_gradient,
    judged,
    targets_of,
)
from snnlab.attacks.targeted import Towards
from snnlab.attacks.time_restricted import subset
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import freeze_weights, preserve_mode, with_gradients

__all__ = ["Attack", "FunctionAttack", "Rng"]

#: where random numbers come from; ``None``: the global generator
Rng = torch.Generator | None


@dataclass(frozen=True)
class Attack:
    """Search for images inside a budget that a classifier gets wrong.

    Override ``perturb``. Class variables:

    ================== =========================================================================================
    ``name``           by which it is registered
    ``norms``          of the budgets that it can attack in
    ``white_box``      whether it follows the gradient of the network
    ``control``        whether it is a control and not a search: its images depend on nothing but the budget
    ``aims_at_exits``  whether it takes an ``aim``: all exits at once, or a dynamic exit
    ``on_trains``      whether it searches among the spike trains of the code, not among intensities
    ================== =========================================================================================
    """

    name: ClassVar[str]
    norms: ClassVar[tuple[str, ...]] = tuple(NORMS)
    white_box: ClassVar[bool] = True
    control: ClassVar[bool] = False
    aims_at_exits: ClassVar[bool] = False
    on_trains: ClassVar[bool] = False

    def __post_init__(self) -> None:
        check_counts(**{name: getattr(self, name, 1) for name in ("steps", "restarts")})

    @with_gradients()
    def __call__(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        budget: Budget,
        attacker: Attacker = INFORMED,
        *,
        target: Tensor | int | None = None,
        generator: Rng = None,
    ) -> AttackResult:
        """Attack at the classifier's exit step, and return a result that is verified against the budget.

        Raises:
            ValueError: an unsupported norm, bad images or labels, a result outside the budget.
        """
        if budget.norm not in self.norms:
            raise ValueError(
                f"{self.name!r} supports the norms {' and '.join(self.norms)}, got {budget.norm!r}; use 'pgd' or 'sa_pgd'"
            )
        images, labels = as_batch(classifier, images, labels)
        check_batch(classifier, images, labels)
        targets = targets_of(classifier, images, labels, target)
        if not self.white_box:
            adversarial = self._perturbed(classifier, images, labels, targets, budget, generator)
            return judged(classifier, adversarial, images, labels, budget, target=targets)
        with (
            attacker.view(classifier) as view,
            freeze_weights(view.network),
            forked_rng(generator),
            preserve_mode(view.network),  # torchattacks sets the training mode of all modules at its end
        ):
            zero = input_gradient(view, images[:DIAGNOSED], labels[:DIAGNOSED]) == 0
            adversarial = self._perturbed(view, images, labels, targets, budget, generator)
        return judged(classifier, adversarial, images, labels, budget, float(zero.float().mean()), targets)

    def _perturbed(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        targets: Tensor | None,
        budget: Budget,
        generator: Rng,
    ) -> Tensor:
        """Return attacked images; with targets, those of each target by itself (``snnlab.attacks.targeted``)."""
        if targets is None:
            return self.perturb(classifier, images, labels, budget, generator).detach()
        moved = images.clone()
        for wanted in torch.unique(targets).tolist():
            rows = torch.nonzero(targets == wanted).flatten()
            towards = Towards(subset(classifier, rows), wanted)
            moved[rows] = self.perturb(towards, images[rows], targets[rows], budget, generator).detach()
        return moved

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Return attacked images ``[N, C, H, W]`` inside the budget."""
        raise NotImplementedError(f"{type(self).__name__} must define perturb or __call__")

    @property
    def cost(self) -> int:
        """Passes over the samples."""
        return int(getattr(self, "steps", 1)) * int(getattr(self, "restarts", 1))

    @property
    def identity(self) -> str:
        """Settings, and the source of methods outside this package; a cache keys on them."""
        outside = [cls for cls in type(self).__mro__ if not cls.__module__.startswith(("snnlab.", "builtins"))]
        methods = [inspect.unwrap(value) for cls in outside for value in vars(cls).values() if inspect.isfunction(value)]
        written = [m for m in methods if not (m.__name__.startswith("__") and m.__code__.co_filename == "<string>")]
        return "\n".join([repr(self), *map(_source, written)])

    def suits(self, classifier: Classifier, norm: str = "Linf") -> bool:
        """Return whether it can attack this classifier in this norm."""
        return norm in self.norms

    def settings(self) -> dict[str, Any]:
        """Return the settings by name."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def with_settings(self, **settings: Any) -> Self:
        """Return the attack with other settings, without those that it does not have."""
        return replace(self, **{key: value for key, value in settings.items() if key in self.settings()})


@dataclass(frozen=True, kw_only=True)
class FunctionAttack(Attack):
    """Attack by a plain function ``(classifier, images, labels, budget, generator) -> images``."""

    function: Callable[[Classifier, Tensor, Tensor, Budget, Rng], Tensor]
    name: str  # type: ignore[misc]  # of one attack, not of the class
    norms: tuple[str, ...] = tuple(NORMS)  # type: ignore[misc]

    @property
    def identity(self) -> str:
        """Name and source text of the function."""
        return f"{self.name}: {_source(self.function)}"

    def perturb(self, classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, generator: Rng) -> Tensor:
        """Call the function."""
        return self.function(classifier, images, labels, budget, generator)


def _source(function: Callable[..., Any]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        raise ValueError(
            f"the source of {function!r} cannot be read, so that results of this attack cannot be cached; leave out the cache, "
            "or define the attack in a file or notebook"
        ) from None
