"""Table and sentences of the chapter *Training*."""

from __future__ import annotations

import pandas as pd
import torch

from analysis.first_edition import printed
from snnlab import zoo
from snnlab.data import Split
from snnlab.statistics import Change, change_over_seeds, over_seeds

__all__ = ["adversarial_finding", "adversarial_table", "output_spikes"]

#: adversarially trained network → plainly trained network to compare it with
HARDENED: dict[str, str] = {
    "fgsm-ann": "ann",
    "fgsm-direct": "direct",
    "fgsm-onset": "onset",
    "fgsm-latency": "latency",
    "pgd-latency": "latency",
    "trades-latency": "latency",
}


#: other rules on ``latency``, for comparison
RULES: dict[str, str] = {"tsslbp-latency": "TSSL-BP", "converted-latency": "conversion"}
RADII = (0.1, 0.2)


@torch.no_grad()
def output_spikes(name: str, digits: Split) -> float:
    """Return how many spikes the output neurons of a spiking network of the zoo fire on these digits, all steps together.

    >>> from snnlab import data
    >>> output_spikes("converted-latency", data.load("mnist5k").validation[:10])
    0.0
    """
    _, spikes, _ = zoo.load(name).trace(digits.images)
    return float(spikes.sum())


def adversarial_table() -> pd.DataFrame:
    """Return the worst case of adversarially trained networks, their gain over plain training, and the first edition's number.

    Means over seeds with 95 % intervals; the first edition's number is that of the first seed.
    """
    rows: dict[str, dict[str, str]] = {}
    for name in HARDENED:
        records = zoo.repeats(name)
        rows[name] = {}
        for eps in RADII:
            change = _gain(name, eps)
            rows[name][f"worst case, ε = {eps:g}"] = str(over_seeds(records, "worst", None, eps))
            rows[name][f"gain, {eps:g}"] = f"{change} {change.direction}" if change.clear else str(change)
            rows[name][f"first printed, {eps:g}"] = f"{printed(name, eps) / records[0].n:.3f}"
    return pd.DataFrame.from_dict(rows, orient="index")


def adversarial_finding() -> str:
    """Return where adversarial training still gains, where not, and which network is left as the most robust, as Markdown."""
    sentences = []
    for eps in RADII:
        gains = {name: _gain(name, eps) for name in HARDENED}
        clear = [f"`{name}` ({gain.mean:+.2f})" for name, gain in gains.items() if gain.direction == "higher"]
        rest = [f"`{name}` ({gain.mean:+.2f})" for name, gain in gains.items() if gain.direction != "higher"]
        sentences.append(
            f"At ε = {eps:g} the gain over plain training is clear for {', '.join(clear) or 'none'}"
            + (f", not for {', '.join(rest)}." if rest else ".")
        )
    rules = [f"{title} {_gain(name, RADII[0])}" for name, title in RULES.items()]
    sentences.append(f"Beside it, on `latency` at ε = {RADII[0]:g}, the choice of the rule is worth: {', '.join(rules)}.")
    largest = RADII[-1]
    worst = {name: over_seeds(zoo.repeats(name), "worst", None, largest) for name in zoo.names()}
    before, now = max(zoo.names(), key=lambda name: printed(name, largest)), max(worst, key=lambda name: worst[name].mean)
    changed = f"is now `{now}`" if now != before else "still is that network"
    n = zoo.results(before).n
    sentences.append(
        f"The network that was printed as the most robust of all at ε = {largest:g}, `{before}` with "
        f"{printed(before, largest) / n:.3f}, keeps {worst[before]}. The most robust {changed}, with {worst[now]}."
    )
    return f"**Finding 3: it is worth what the attacker in training saw.** {' '.join(sentences)}"


def _gain(name: str, eps: float) -> Change:
    plain = "latency" if name in RULES else HARDENED[name]
    sides = ([record.accuracy(eps=eps) for record in zoo.repeats(n)] for n in (name, plain))
    return change_over_seeds(*sides)
