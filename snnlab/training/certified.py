r"""Certified training: learn to be proved.

With the upper bound ``d_k ≥ z_k(x') - z_y(x')`` over all ``x'`` inside the budget (``snnlab.networks.bounds``; ``d_y = 0``),

.. math:: L = κ\,\mathrm{CE}(z(x), y) + (1 - κ)\,\mathrm{CE}(d, y)

The gradient of a bound's spikes ``1[U_{low} > θ]`` and ``1[U_{high} > θ]`` is the surrogate's. From a share ``start`` of the
training on, ``κ`` falls from 1 and ``ε`` rises from 0 to their values, until a share ``end`` of it is done: bounds of an
untrained network are too loose to learn from. Sources: Gowal et al. 2019 (loss, schedule); Liang et al. 2022 (spiking networks).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch.nn.functional as F
from torch import Tensor

from snnlab.attacks import Budget
from snnlab.networks.bounds import Range, difference_bounds, input_bounds
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import preserve_mode
from snnlab.training.losses import Loss


@dataclass(frozen=True)
class CertifiedTraining:
    """An objective for ``snnlab.training.bptt.train`` (module docstring).

    Args:
        budget: in L∞, that of the certificate or somewhat larger.
        clean_weight: ``κ`` at the end.
        start: share of the training after which ε begins to rise and ``κ`` to fall.
        end: share of the training at which both have their values.
        progress: share of the training that is done; ``train`` sets it through ``at``.

    Raises:
        ValueError: another norm than L∞, a weight or share out of range.

    >>> from snnlab import MLP, Classifier, Recipe, data, train
    >>> model, digits = Classifier(MLP((784, 16, 10))), data.load("mnist5k").train[:100]
    >>> history = train(model, digits, Recipe(epochs=2), objective=CertifiedTraining(Budget(0.05)), progress=False)
    >>> len(history.loss)
    2
    """

    budget: Budget
    clean_weight: float = 0.3
    start: float = 0.05
    end: float = 0.5
    progress: float = 1.0

    def __post_init__(self) -> None:
        if self.budget.norm != "Linf":
            raise ValueError(f"certified training needs a budget in L∞, got {self.budget}")
        if not (0 <= self.clean_weight <= 1 and 0 <= self.start < self.end <= 1 and 0 <= self.progress <= 1):
            raise ValueError(f"clean_weight and progress must lie in [0, 1], start before end and both in it, got {self}")

    def at(self, progress: float) -> CertifiedTraining:
        """Return the objective of a training of which this share is done."""
        return replace(self, progress=progress)

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor, loss: Loss) -> Tensor:
        """Return the objective on one batch; the clean part is the recipe's loss."""
        rise = min(1.0, max(0.0, (self.progress - self.start) / (self.end - self.start)))
        clean = loss(classifier, images, labels)
        if rise == 0:
            return clean
        eps, weight = rise * self.budget.eps, 1 - rise * (1 - self.clean_weight)
        pixels = Range((images - eps).clamp(min=0), (images + eps).clamp(max=1))
        with preserve_mode(classifier.network):
            classifier.network.eval()  # batch norm has no statistics of a bound: it uses those of the images so far
            bounds = difference_bounds(classifier, input_bounds(classifier, pixels), labels)[classifier.exit_step - 1]
        return weight * clean + (1 - weight) * F.cross_entropy(bounds, labels)
