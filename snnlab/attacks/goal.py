"""Goals of an attack: the loss that it raises, and at which exits it wants a wrong answer.

Beside the cross-entropy, whose gradient vanishes where a spike count is confident, the margin and DLR (Croce & Hein 2020).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule, dynamic_exit

__all__ = ["LOSSES", "Aim", "Goal", "Loss", "margin"]

#: ``(logits [N, K], labels [N]) -> [N]``
Loss = Callable[[Tensor, Tensor], Tensor]
#: the exit in use (``None``), every exit with one image (``"all"``), or a dynamic exit
Aim = Literal["all"] | ExitRule | None


def margin(logits: Tensor, labels: Tensor) -> Tensor:
    """``max_{k≠y} z_k - z_y`` per sample: above 0 where the answer is wrong."""
    true = logits.gather(1, labels[:, None]).squeeze(1)
    return logits.scatter(1, labels[:, None], float("-inf")).amax(1) - true


def _dlr(logits: Tensor, labels: Tensor) -> Tensor:
    ranked = logits.sort(dim=1, descending=True).values
    # Integer logits tie; without the constant the ratio would be 0/0 there.
    return margin(logits, labels) / (ranked[:, 0] - ranked[:, min(2, logits.shape[1] - 1)] + 1e-6)


#: losses per sample, by name; cross-entropy; margin ``max_{k≠y} z_k - z_y``; DLR, the margin over ``z_(1) - z_(3)`` (scale-free)
LOSSES: dict[str, Loss] = {
    "cross_entropy": partial(F.cross_entropy, reduction="none"),
    "margin": margin,
    "dlr": _dlr,
}


@dataclass(frozen=True)
class Goal:
    """The loss that an attack raises on samples of class ``labels [N]``, and where it aims.

    With ``target [N]`` it lowers the loss of that class instead, and is reached by that answer alone.
    """

    loss: Loss
    labels: Tensor
    aim: Aim = None
    target: Tensor | None = None

    @classmethod
    def of(
        cls,
        classifier: Classifier,
        labels: Tensor,
        loss: str = "cross_entropy",
        aim: Aim = None,
        target: Tensor | None = None,
    ) -> Goal:
        """Return the goal with a loss by name; ``ValueError`` for an unknown loss or aim, or an aim for an ANN."""
        if loss not in LOSSES:
            raise ValueError(f"unknown loss {loss!r}; choose one of {', '.join(LOSSES)}")
        if aim is not None and aim != "all" and not isinstance(aim, ExitRule):
            raise ValueError(f"unknown aim {aim!r}; choose None (the exit in use), 'all' or an ExitRule")
        if aim is not None and classifier.encoder is None:
            raise ValueError(f"an ANN has one exit; leave out the aim {aim!r}")
        return cls(LOSSES[loss], labels, aim, target)

    def subset(self, rows: Tensor) -> Goal:
        """Return the goal for some samples of the batch."""
        return replace(self, labels=self.labels[rows], target=None if self.target is None else self.target[rows])

    def at_exit(self, logits: Tensor) -> Tensor:
        """Return the loss of each sample at one exit, from ``logits [N, K]``."""
        return self.loss(logits, self.labels) if self.target is None else -self.loss(logits, self.target)

    def met(self, answers: Tensor) -> Tensor:
        """Return where an answer ``[…, N]`` is the wanted one: the target, or any that is wrong."""
        return answers != self.labels if self.target is None else answers == self.target

    def value(self, logits: Tensor) -> Tensor:
        """Return the loss of each sample, mean over the exits of ``logits [T, N, K]``."""
        return torch.stack([self.at_exit(z) for z in logits]).mean(0)

    def reached(self, classifier: Classifier, logits: Tensor, membrane: Tensor) -> Tensor:
        """Return which samples are answered as wanted at the aim, ``[N]``, from logits and potentials ``[T, N, K]``."""
        if isinstance(self.aim, ExitRule):
            return self.met(dynamic_exit(logits, membrane, self.aim).predictions)
        met = self.met(classifier.answers(logits, membrane))
        return met.all(0) if self.aim == "all" else met[classifier.exit_step - 1]

    @torch.no_grad()
    def reached_by(self, classifier: Classifier, images: Tensor) -> Tensor:
        """Return which of these images are answered as wanted at the aim, ``[N]``."""
        return self.reached(classifier, *classifier.read(images))
