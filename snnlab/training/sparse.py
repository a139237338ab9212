r"""Sparse input gradients: a published defence of spiking networks, rebuilt from its paper (Liu et al. 2024).

With ``p`` the softmax of the logits at the exit in use, the size of the true class's gradient is added to the loss,

.. math:: L = \mathrm{loss}(x, y) + λ\,‖∇_x p_y(x)‖_1, \qquad
    ‖∇_x p_y(x)‖_1 ≈ \frac{|p_y(x + h d) - p_y(x)|}{h}, \quad d = \mathrm{sign}\,∇_x p_y(x)

The moved image is clamped to [0, 1]. The finite difference needs no second derivative. Both gradients are those of the network's
own surrogate: the defence makes small what a *naive* attacker follows. The paper shows: the gap between random and adversarial
noise is at most the size of this gradient, to first order; an attacker with another surrogate follows another gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from snnlab.attacks.result import gradient_of
from snnlab.networks.classifier import Classifier
from snnlab.training.losses import Loss


@dataclass(frozen=True)
class SparseGradients:
    """An objective for ``snnlab.training.bptt.train`` (module docstring).

    Args:
        weight: ``λ``, 0 or more; 0 is plain training.
        step: ``h`` of the finite difference, in pixel units.

    Raises:
        ValueError: a negative weight, a step that is not positive.

    >>> from snnlab import MLP, Classifier, Recipe, data, train
    >>> model, digits = Classifier(MLP((784, 16, 10))), data.load("mnist5k").train[:100]
    >>> len(train(model, digits, Recipe(epochs=2), objective=SparseGradients(0.01), progress=False).loss)
    2
    """

    weight: float
    step: float = 0.01

    def __post_init__(self) -> None:
        if not 0 <= self.weight < float("inf") or not 0 < self.step < float("inf"):
            raise ValueError(f"weight must be 0 or more and step positive, got {self}")

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor, loss: Loss) -> Tensor:
        """Return the objective on one batch."""
        plain = loss(classifier, images, labels)
        if self.weight == 0:
            return plain
        own = labels.unsqueeze(1)

        def likelihood(x: Tensor) -> Tensor:
            logits: Tensor = classifier(x)
            return logits.softmax(-1).gather(1, own).squeeze(1)

        direction = gradient_of(lambda x: likelihood(x).sum(), images).sign()
        apart = likelihood((images + self.step * direction).clamp(0, 1)) - likelihood(images)
        return plain + self.weight * apart.abs().mean() / self.step
