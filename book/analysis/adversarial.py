"""Table of the chapter *Adversarial examples*: which class wins under attack."""

from __future__ import annotations

from functools import cache

import pandas as pd
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import NAIVE, Budget, attack

__all__ = ["winners", "winners_text"]

EPS = 0.1  # of the table of winners


@cache
def _confusions() -> Tensor:
    """Return how often the ordinary network answers each class under FGSM: ``[true class, answer]``, all test digits."""
    model, digits = zoo.load("ann"), data.load("mnist5k").test
    images = attack(model, digits.images, digits.labels, Budget(EPS), "fgsm", NAIVE).images
    with torch.no_grad():
        answers = model(images).argmax(1)
    return torch.bincount(digits.labels * 10 + answers, minlength=100).view(10, 10)


def winners() -> pd.DataFrame:
    """Return, for every true class, the wrong class that FGSM produces most often, and its share of the digits."""
    counts = _confusions()
    wrong = counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)
    rows = {
        f"true class {true}": {
            "most frequent wrong class": int(row.argmax()),
            "share of these digits": f"{int(row.max()) / int(counts[true].sum()):.0%}",
            "still right": f"{int(counts[true, true]) / int(counts[true].sum()):.0%}",
        }
        for true, row in enumerate(wrong)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def winners_text() -> str:
    """Return a sentence on how concentrated the wrong answers are, and n, seed and attack of the table, as Markdown."""
    counts = _confusions()
    wrong = counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)
    share = float(wrong.max(1).values.sum() / wrong.sum())
    mutual = [(a, b) for a in range(10) for b in range(a + 1, 10) if wrong[a].argmax() == b and wrong[b].argmax() == a]
    pairs = ", ".join(f"{a} and {b}" for a, b in mutual) or "none"
    return (
        f"The most frequent wrong class takes {share:.0%} of the errors; if all nine were equally frequent it would be "
        f"{1 / 9:.0%}. Pairs of classes that are each other's most frequent error: {pairs}. "
        f"(FGSM, ε = {EPS:g}, n = {int(counts.sum()):,} test digits, one training seed.)"
    )
