r"""Adversarial training: learn from attacked images.

Inside the budget ``‖δ‖∞ ≤ ε`` (``x + δ`` in [0, 1]), with ``L`` the recipe's loss, ``CE`` the cross-entropy of the logits at
the exit step in use and ``p`` their softmax:

====== ================================================== ===================================================
method minimises                                          with ``δ``
====== ================================================== ===================================================
fgsm   ``L(x + δ)``                                       ``ε sign ∇CE(x)`` (Goodfellow et al. 2015)
pgd    ``L(x + δ)``                                       from a random start, steps up ``CE`` (Madry et al. 2018)
trades ``L(x) + w KL(p(x) ‖ p(x + δ))``                   from a random start, steps up the ``KL`` (Zhang et al. 2019)
====== ================================================== ===================================================

Images are made through the encoder's *relaxed* backward rule, with the network in evaluation mode. TRADES starts anywhere in the
budget: a little noise would change no spike count and give a ``KL`` without a gradient. Start from a network that was trained on
plain images (``train(…, warm_start=True)``): from random weights the read-out of ``direct`` falls silent at ε = 0.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.attacks import Attacker, Budget, input_gradient, step_size
from snnlab.attacks.iterate import ascend
from snnlab.attacks.result import gradient_of
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import preserve_mode
from snnlab.training.losses import Loss

#: ways to train on attacked images
METHODS: tuple[str, ...] = ("fgsm", "pgd", "trades")

#: the attacker to train against, through the relaxed code, the network's own surrogate, one draw of a stochastic code a step
TRAINER = Attacker("trainer", "relaxed", eot=1)


@dataclass(frozen=True)
class AdversarialTraining:
    """An objective for ``snnlab.training.bptt.train`` (table in the module docstring).

    Args:
        method: one of ``METHODS``.
        budget: limit of the change; with ε = 0 training is plain.
        steps: iterations of PGD and TRADES, step size as in ``snnlab.attacks``.
        weight: ``w`` of TRADES; a larger one trades accuracy for robustness.
        attacker: how it differentiates.

    Raises:
        ValueError: unknown method, fewer than one step, negative weight.

    >>> from snnlab import MLP, Classifier, Recipe, data, train
    >>> model, digits = Classifier(MLP((784, 16, 10))), data.load("mnist5k").train[:100]
    >>> objective = AdversarialTraining("fgsm", Budget(0.1))
    >>> len(train(model, digits, Recipe(epochs=2), objective=objective, progress=False).loss)
    2
    """

    method: str
    budget: Budget
    steps: int = 7
    weight: float = 6.0
    attacker: Attacker = TRAINER

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise ValueError(f"unknown adversarial training {self.method!r}; choose one of {', '.join(METHODS)}")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps!r}")
        if not 0 <= self.weight < float("inf"):
            raise ValueError(f"weight must be 0 or more, got {self.weight!r}")

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor, loss: Loss) -> Tensor:
        """The objective on one batch; its images are verified against the budget."""
        if self.budget.eps == 0:
            return loss(classifier, images, labels)
        shown = self.images(classifier, images, labels)
        if self.method != "trades":
            return loss(classifier, shown, labels)
        return loss(classifier, images, labels) + self.weight * _divergence(classifier(images), classifier(shown))

    def images(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        """The images ``x + δ`` that are shown for ``x``; the random start is drawn from ``classifier.generator``."""
        with preserve_mode(classifier.network), self.attacker.view(classifier) as view:
            classifier.network.eval()
            if self.method == "fgsm":
                gradient = input_gradient(view, images, labels)
                shown = self.budget.project(images + self.budget.eps * gradient.sign(), images)
            elif self.method == "pgd":
                shown = self._ascend(images, classifier.generator, lambda x: input_gradient(view, x, labels))
            else:
                with torch.no_grad():
                    clean = view(images)
                shown = self._ascend(
                    images, classifier.generator, lambda x: gradient_of(lambda y: _divergence(clean, view(y)), x)
                )
        self.budget.verify(shown, images)
        return shown

    def _ascend(self, images: Tensor, generator: torch.Generator | None, gradient: Callable[[Tensor], Tensor]) -> Tensor:
        start = torch.rand(images.shape, generator=generator, dtype=images.dtype, device=images.device)
        start = self.budget.project(images + self.budget.eps * (2 * start - 1), images)
        return ascend(start, images, self.budget, gradient, step_size(self.budget.eps, self.steps), self.steps)


def _divergence(clean: Tensor, shown: Tensor) -> Tensor:
    """``KL(softmax(clean) ‖ softmax(shown))`` of logits ``[N, K]``, mean over the batch."""
    return F.kl_div(shown.log_softmax(-1), clean.log_softmax(-1), reduction="batchmean", log_target=True)
