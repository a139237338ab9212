r"""Targeted attacks: images that are taken for a class that the attacker names.

An attack with a loss of its own lowers that loss of the target (``Goal``). Any other attack raises a loss of the labels; it is
run on a classifier whose logits are *exchanged* for the target ``t``,

.. math:: z'_t = \max_{k \ne t} z_k, \qquad z'_k = z_t \;\text{for}\; k \ne t,

with ``t`` as the label. Its answer is wrong there exactly where the classifier answers ``t``, and its cross-entropy
:math:`\log(1 + (K-1)\,e^{z_t - \max_{k \ne t} z_k})` rises with the margin of the target.
"""

from __future__ import annotations

import torch
from torch import Tensor

from snnlab.data import check_labels
from snnlab.networks.classifier import Classifier

__all__ = ["Towards", "as_targets"]


def as_targets(target: Tensor | int | None, labels: Tensor, classes: int) -> Tensor | None:
    """Return the target of every sample, ``[N]``, on the device of ``labels``; ``None`` for ``None``.

    Args:
        target: one class for all samples, or a class for each.
        labels: true classes, ``[N]``.
        classes: ``K``.

    Raises:
        ValueError: a class that does not exist, another number of samples, a target that is the true class.
    """
    if target is None:
        return None
    wanted = torch.as_tensor(target, device=labels.device).to(labels.dtype)
    wanted = wanted.expand(len(labels)).clone() if wanted.dim() == 0 else wanted
    if wanted.shape != labels.shape:
        raise ValueError(f"expected one target or one for each of {len(labels)} samples, got {list(wanted.shape)}")
    check_labels(wanted, classes)
    if (same := wanted == labels).any():
        raise ValueError(
            f"the target is the true class of {int(same.sum())} of {len(labels)} samples, the first of them sample "
            f"{int(same.nonzero()[0])}; leave them out, or give them another target"
        )
    return wanted


class Towards(Classifier):
    """A classifier with exchanged logits (module docstring): to move it away from ``target`` moves ``classifier`` towards it.

    It shares network and settings with ``classifier``.
    """

    def __init__(self, classifier: Classifier, target: int) -> None:
        super().__init__(classifier.network, classifier.encoder, classifier.decoder, **classifier.options)
        self.classifier, self.target = classifier, target

    def read(self, images: Tensor, num_steps: int | None = None) -> tuple[Tensor, Tensor]:
        """Exchanged logits and potential at every exit, ``[T, N, K]`` each."""
        logits, membrane = self.classifier.read(images, num_steps)
        return self._exchanged(logits), self._exchanged(membrane)

    def answers(self, logits: Tensor, membrane: Tensor) -> Tensor:
        """``target`` where the classifier does not answer so, another class where it does.

        Of a tie the potential decides; no votes at all are no answer.
        """
        last = logits.shape[-1] - 1
        other = last if self.target != last else 0
        ahead = logits[..., other] - logits[..., self.target]
        tied = membrane[..., other] - membrane[..., self.target]
        reached = (ahead > 0) | ((ahead == 0) & (tied > 0) & (logits[..., other] != 0))
        return torch.where(reached, other, self.target)

    def _exchanged(self, logits: Tensor) -> Tensor:
        index = torch.full_like(logits[..., :1], self.target, dtype=torch.long)
        rival = logits.scatter(-1, index, float("-inf")).amax(-1, keepdim=True)
        return logits.gather(-1, index).expand_as(logits).scatter(-1, index, rival)
