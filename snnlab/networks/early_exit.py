r"""Dynamic early exit: each sample is answered at the first step at which the network is sure enough.

With the logits ``z[e]`` at every exit step ``e = 1 … T`` (``snnlab.networks.decoding``), a sample leaves at

.. math:: e^* = \min\big(\{e : \text{rule}(z[e])\} ∪ \{T\}\big)

=========== ============================================ =============================================
rule        holds at exit ``e`` when                     reads as
=========== ============================================ =============================================
margin      ``z_(1) - z_(2) ≥ m``                        the leading class is ``m`` ahead of the next
confidence  ``max_k softmax(z)_k ≥ c``                   the softmax gives the leading class ``c``
first_spike ``z ≠ 0`` (decoders ``rate`` and ``ttfs``)   some output neuron has fired
=========== ============================================ =============================================

One forward pass answers for every rule and threshold (Ding et al. 2025, early exit). Steps after a sample's exit cost no energy
(``snnlab.networks.energy``).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import torch
from torch import Tensor

from snnlab.networks.decoding import SILENT, predictions

#: names of the rules by which an image leaves
EXIT_RULES: tuple[str, ...] = ("margin", "confidence", "first_spike")


@dataclass(frozen=True)
class ExitRule:
    """When a sample may leave (table in the module docstring).

    Args:
        name: one of ``EXIT_RULES``.
        threshold: ``m`` in units of the logits or ``c`` as a probability, ±∞ allowed; ``first_spike`` takes none.

    Raises:
        ValueError: unknown rule, a threshold that is missing, too many or NaN.

    >>> print(ExitRule("margin", 2))
    margin ≥ 2
    """

    name: str
    threshold: float | None = None

    def __post_init__(self) -> None:
        if self.name not in EXIT_RULES:
            raise ValueError(f"unknown exit rule {self.name!r}; choose one of {', '.join(EXIT_RULES)}")
        if self.name == "first_spike" and self.threshold is not None:
            raise ValueError(f"first_spike takes no threshold, got {self.threshold!r}")
        if self.name != "first_spike" and (self.threshold is None or isnan(self.threshold)):
            raise ValueError(f"{self.name} needs a threshold (a number, ±inf allowed), got {self.threshold!r}")

    def __str__(self) -> str:
        return "first spike" if self.threshold is None else f"{self.name} ≥ {self.threshold:g}"

    def evidence(self, logits: Tensor) -> Tensor:
        """What is compared with the threshold, ``[…, K]`` → ``[…]``; for ``first_spike`` 1 after a spike, else 0."""
        if self.name == "margin":
            first, second = logits.topk(2, dim=-1).values.unbind(-1)
            return first - second
        if self.name == "confidence":
            return logits.softmax(-1).amax(-1)
        return (logits != 0).any(-1).to(logits)


@dataclass(frozen=True)
class DynamicExit:
    """Exit and answer of each sample, ``[N]`` each: ``exit_steps`` in ``1 … T``, ``predictions``, ``correct`` given labels."""

    rule: ExitRule
    exit_steps: Tensor
    predictions: Tensor
    correct: Tensor | None = None

    @property
    def mean_exit_step(self) -> float:
        """Steps that are read on average."""
        return float(self.exit_steps.double().mean())

    @property
    def silent(self) -> float:
        """Fraction of samples that left without an answer; each counts as an error."""
        return float((self.predictions == SILENT).double().mean())

    @property
    def accuracy(self) -> float:
        """Fraction answered correctly; ``ValueError`` where no labels were given."""
        if self.correct is None:
            raise ValueError("accuracy needs labels; give them to dynamic_exit")
        return float(self.correct.double().mean())

    def __str__(self) -> str:
        right = "" if self.correct is None else f"accuracy {self.accuracy:.3f}, "
        return f"{self.rule}: {right}mean exit step {self.mean_exit_step:.2f}, {self.silent:.1%} silent"


def exit_steps(logits: Tensor, rule: ExitRule) -> Tensor:
    """The step at which each sample leaves.

    Shapes: ``[T, N, K]``, logits at every exit → ``[N]`` integers in ``1 … T``.

    Raises:
        ValueError: wrong shape; fewer than two classes for a margin.

    >>> exit_steps(torch.tensor([[[0.0, 0.0]], [[1.0, 0.0]], [[3.0, 0.0]]]), ExitRule("margin", 1))
    tensor([2])
    """
    if logits.dim() != 3 or 0 in logits.shape or logits.shape[-1] < 2:
        raise ValueError(f"expected logits [T, N, K] at every exit, with K ≥ 2, got {list(logits.shape)}")
    threshold = 1.0 if rule.threshold is None else rule.threshold
    holds = rule.evidence(logits) >= threshold
    holds[-1] = True
    return holds.int().argmax(0) + 1


def dynamic_exit(logits: Tensor, membrane: Tensor, rule: ExitRule, labels: Tensor | None = None) -> DynamicExit:
    """Read every sample at its own exit.

    Args:
        logits, membrane: at every exit, ``[T, N, K]`` (``Classifier.read``).
        rule: when to leave.
        labels: true classes ``[N]``, for an accuracy.

    Raises:
        ValueError: shapes that do not belong together.

    >>> logits = torch.tensor([[[0.0, 0.0], [0.0, 1.0]], [[0.0, 0.0], [2.0, 1.0]]])
    >>> print(dynamic_exit(logits, logits, ExitRule("first_spike"), torch.tensor([0, 1])))
    first spike: accuracy 0.500, mean exit step 1.50, 50.0% silent
    """
    if logits.shape != membrane.shape:
        raise ValueError(f"expected logits and membrane [T, N, K], got {list(logits.shape)}, {list(membrane.shape)}")
    steps = exit_steps(logits, rule)
    if labels is not None and labels.shape != steps.shape:
        raise ValueError(f"expected labels [N] with N={len(steps)}, got {list(labels.shape)}")
    at = torch.arange(len(steps), device=steps.device)
    answers = predictions(logits[steps - 1, at], membrane[steps - 1, at])
    return DynamicExit(rule, steps, answers, None if labels is None else answers == labels)
