"""Attacks by name: the register, and ``attack``, which runs any of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, nn

from snnlab.attacks.attacker import INFORMED, Attacker
from snnlab.attacks.base import Attack, FunctionAttack, Rng
from snnlab.attacks.budget import NORMS, Budget
from snnlab.attacks.result import AttackResult
from snnlab.data import Split
from snnlab.networks.classifier import Classifier

__all__ = ["ATTACKS", "attack", "find_attack", "register_attack"]

#: the registered attacks by name, each with its usual settings
ATTACKS: dict[str, Attack] = {}

Registered = TypeVar("Registered", bound=Attack | type[Attack] | Callable[..., Tensor])


def register_attack(attack: Registered, name: str = "", norms: tuple[str, ...] = tuple(NORMS)) -> Registered:
    """Make an attack known by its name, and return it; also a decorator of a class or function.

    Args:
        attack: an ``Attack``, a class of attacks, or a function ``(classifier, images, labels, budget, generator) -> images``,
            which gets the classifier as the attacker differentiates it.
        name: of a function; default ``__name__``.
        norms: in which a function can attack.

    Raises:
        ValueError: a name that is taken by an attack of this package.
        TypeError: something that is not an attack.

    >>> @register_attack
    ... def brighter(classifier, images, labels, budget, generator):
    ...     return budget.project(images + budget.eps, images)
    >>> from snnlab import Budget, attack, data, zoo
    >>> print(attack(zoo.load("onset"), data.load("mnist5k").test[:20], Budget("8/255"), "brighter").budget)
    L∞ 0.0313725 on [0, 1]
    """
    made = _made(attack() if isinstance(attack, type) else attack, name, norms)
    known = ATTACKS.get(made.name)
    if known is not None and type(known).__module__.startswith("snnlab.") and not isinstance(known, FunctionAttack):
        raise ValueError(f"the name {made.name!r} is taken by an attack of this package; choose another")
    ATTACKS[made.name] = made
    return attack


def _made(attack: Any, name: str = "", norms: tuple[str, ...] = tuple(NORMS)) -> Attack:
    if isinstance(attack, Attack):
        return attack
    if not callable(attack):
        raise TypeError(
            f"expected an Attack or a function (classifier, images, labels, budget, generator) -> images, got {attack!r}"
        )
    return FunctionAttack(function=attack, name=name or getattr(attack, "__name__", type(attack).__name__), norms=norms)


def find_attack(method: str | Attack | Callable[..., Tensor]) -> Attack:
    """Return a registered attack by its name, an attack as it is, a function as an attack.

    Raises:
        ValueError: a name that is not registered.
        TypeError: something that is not an attack.
    """
    if not isinstance(method, str):
        return _made(method)
    if method not in ATTACKS:
        raise ValueError(f"unknown attack {method!r}; choose one of {', '.join(ATTACKS)}, or register it (register_attack)")
    return ATTACKS[method]


def attack(classifier: nn.Module, images: Split | Tensor, *given: Any, **settings: Any) -> AttackResult:
    """Attack images at the classifier's exit step and verify the result against the budget.

    Args:
        classifier: attacked at ``classifier.exit_step``. Any other module goes through ``Classifier.of``.
        images: a ``Split``; or ``[N, C, H, W]`` in [0, 1], followed by the true classes ``[N]``.
        budget: limit of the change.
        method: a key of ``ATTACKS`` such as ``"noise"``, ``"fgsm"``, ``"pgd"`` or ``"sa_pgd"``, or an ``Attack``.
        attacker: how it differentiates; the gradient of a stochastic code is averaged (EOT).
        target: the class that the attacked images shall be taken for, one or ``[N]``; ``None``: any wrong one.
        generator: randomness of the attack.
        settings: of the attack, such as ``steps=10``; see its class.

    Raises:
        ValueError: an unknown attack, a norm that it does not support, bad images, labels or settings, a result outside the
            budget, a target that is no class or the true one.
        TypeError: a setting that no attack has.

    >>> from snnlab import Budget, attack, data, zoo
    >>> result = attack(zoo.load("offset"), data.load("mnist5k").test[:20], Budget(0.1), "fgsm")
    >>> result.images.shape
    torch.Size([20, 1, 28, 28])
    >>> sevens = [k for k, label in enumerate(data.load("mnist5k").test.labels[:100]) if label == 7]
    >>> aimed = attack(zoo.load("direct"), data.load("mnist5k").test[sevens], Budget(0.2), "pgd", target=9)
    >>> bool(aimed.success.any()) and set(aimed.predictions[-1][aimed.success].tolist()) == {9}
    True
    """
    batch = (images.images, images.labels) if isinstance(images, Split) else (images,)
    return _attack(classifier, *batch, *given, **settings)


def _attack(
    network: nn.Module,
    images: Tensor,
    labels: Tensor,
    budget: Budget,
    method: str | Attack = "pgd",
    attacker: Attacker = INFORMED,
    *,
    target: Tensor | int | None = None,
    generator: Rng = None,
    **settings: Any,
) -> AttackResult:
    chosen = find_attack(method)
    known = {name for other in (chosen, *ATTACKS.values()) for name in other.settings()}
    if strange := set(settings) - known:
        names = ", ".join(chosen.settings()) or "none"
        raise TypeError(f"no attack has the settings {', '.join(sorted(strange))}; {chosen.name!r} has {names}")
    classifier = Classifier.of(network, images)
    options: dict[str, Any] = {"generator": generator} | ({} if target is None else {"target": target})
    return chosen.with_settings(**settings)(classifier, images, labels, budget, attacker, **options)
