"""Every exit step, and twenty exit rules, from one forward pass: how much longer than reading the last exit alone?

    python benchmarks/exits.py

The zoo's networks on 200 test digits, one core; the median of 30 interleaved repeats, so that a busy machine slows all alike.
Wanted: every exit within 1.1 times a plain forward pass.
"""

from __future__ import annotations

import torch
from table import Row, markdown
from training_step import against, median_ms

from snnlab import Classifier, data, zoo
from snnlab.networks.early_exit import ExitRule, dynamic_exit

IMAGES = 200
RULES = [ExitRule("margin", m) for m in range(1, 11)] + [ExitRule("confidence", c / 20) for c in range(10, 20)]


def plain(model: Classifier, digits: data.Split) -> object:
    """Spike counts at the last exit, ``[N, K]``, and nothing else."""
    assert model.encoder is not None
    return model.network(model.encoder(digits.images)).spikes.sum(0)


def each(model: Classifier, digits: data.Split) -> object:
    """What one would write first: a pass for every exit."""
    assert model.encoder is not None
    sequence = model.encoder(digits.images)
    return [model.network(sequence[:exit_step]).spikes.sum(0) for exit_step in range(1, len(sequence) + 1)]


def rows() -> list[Row]:
    """A row a code and peer."""
    torch.set_num_threads(1)
    digits = data.load("mnist5k").test[:IMAGES]
    found = []
    for name in ("direct", "onset", "latency"):
        model = zoo.load(name)
        with torch.no_grad():
            ms = median_ms(
                {
                    "ours": lambda m=model: m.read(digits.images),  # type: ignore[misc]
                    "a pass for every exit": lambda m=model: each(m, digits),  # type: ignore[misc]
                    "the last exit alone": lambda m=model: plain(m, digits),  # type: ignore[misc]
                    "rules": lambda m=model: [dynamic_exit(*o, rule) for o in [m.read(digits.images)] for rule in RULES],  # type: ignore[misc]
                }
            )
        rules = ms.pop("rules")
        found += against(f"all eight exits, {name}", ms)
        found.append(Row(f"twenty exit rules, {name}", "the last exit alone", rules, ms["the last exit alone"]))
    return found


if __name__ == "__main__":
    print(markdown(rows()))
