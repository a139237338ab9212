"""Sentences of the chapter *Your turn*."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["reading"]


def reading(measured: Mapping[str, Any]) -> str:
    """Return how the verdict of the chapter's claim is to be read: the effect decides, not the number of comparisons.

    Args:
        measured: ``record["measured"]``; its comparisons are effect, reason and price, in this order.
    """
    effect, reason, _ = measured["comparisons"]
    confirmed = effect["outcome"] == "as claimed"
    text = (
        f"**How to read it.** The effect is what the idea was for, and it was {'' if confirmed else 'not '}confirmed. "
        f"The verdict, *{measured['verdict']}*, counts comparisons. {_larger(effect)} {_larger(reason)}"
    )
    if reason["outcome"] == "as claimed" and reason["change"]["high"] < 0:
        text += (
            " The reason counts as claimed because it asked only that there be *no gain* at ε = 0.1. But there is a clear loss, "
            'which our reason does not explain. A better comparison would have asked for "the same".'
        )
    return text


def _larger(row: Mapping[str, Any]) -> str:
    """Return which of the two effects of the vote is larger at the ε of a comparison, in a sentence."""
    eps, change = row["new"].get("eps", 0.0), row["change"]
    if change["low"] <= 0 <= change["high"]:
        return f"At ε = {eps:g} the gain on black and the loss on white are not told apart."
    larger = "gain on black" if change["low"] > 0 else "loss on white"
    return f"At ε = {eps:g} the {larger} is the larger of the two."
