"""Aims: at which exit, or exits, an attack wants a wrong answer, and which samples are misclassified there."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule, dynamic_exit

__all__ = ["Aim", "check_aim", "is_wrong", "wrong_answers"]

#: the exit in use (``None``), every exit with one image (``"all"``), or a dynamic exit
Aim = Literal["all"] | ExitRule | None


def wrong_answers(classifier: Classifier, logits: Tensor, membrane: Tensor, labels: Tensor, aim: Aim) -> Tensor:
    """Return which samples are misclassified where the attack aims, ``[N]``, from logits and potentials ``[T, N, K]``."""
    if isinstance(aim, ExitRule):
        return dynamic_exit(logits, membrane, aim).predictions != labels
    answers = classifier.answers(logits, membrane)
    return (answers != labels).all(0) if aim == "all" else answers[classifier.exit_step - 1] != labels


@torch.no_grad()
def is_wrong(classifier: Classifier, images: Tensor, labels: Tensor, aim: Aim) -> Tensor:
    """Return which of these images are misclassified, ``[N]``."""
    return wrong_answers(classifier, *classifier.read(images), labels, aim)


def check_aim(classifier: Classifier, aim: Aim) -> None:
    """Raise ``ValueError`` for an unknown aim, or one that an ANN does not have."""
    if aim is not None and aim != "all" and not isinstance(aim, ExitRule):
        raise ValueError(f"unknown aim {aim!r}; choose None (the exit in use), 'all' or an ExitRule")
    if aim is not None and classifier.encoder is None:
        raise ValueError(f"an ANN has one exit; leave out the aim {aim!r}")
