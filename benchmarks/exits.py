"""Every exit step, and twenty exit rules, from one forward pass: how much longer than reading the last exit alone?

    python benchmarks/exits.py

The zoo's networks on 200 test digits, one core; the median of 30 interleaved repeats, so that a busy machine slows all alike.
Wanted: every exit within 1.1 times a plain forward pass.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter

import torch

from snnlab import Classifier, data, zoo
from snnlab.exiting import ExitRule, sweep

REPEATS, IMAGES = 30, 200
RULES = [ExitRule("margin", m) for m in range(1, 11)] + [ExitRule("confidence", c / 20) for c in range(10, 20)]


def plain(model: Classifier, digits: data.Split) -> object:
    """Spike counts at the last exit, ``[N, K]``, and nothing else."""
    assert model.encoder is not None
    return model.network(model.encoder(digits.images)).spikes.sum(0)


def main() -> None:
    torch.set_num_threads(1)
    digits = data.load("mnist5k").test[:IMAGES]
    tasks: dict[str, Callable[[Classifier, data.Split], object]] = {
        "last exit": plain,
        "every exit": lambda model, split: model.read(split.images),
        "twenty rules": lambda model, split: sweep(model, split, RULES),
    }
    for name in ("direct", "onset", "latency"):
        model, seconds = zoo.load(name), {task: [] for task in tasks}
        with torch.no_grad():
            for repeat in range(REPEATS + 3):  # three to warm up
                for task, run in tasks.items():
                    started = perf_counter()
                    run(model, digits)
                    if repeat >= 3:
                        seconds[task].append(perf_counter() - started)
        median = {task: statistics.median(found) for task, found in seconds.items()}
        told = ", ".join(f"{task} {1000 * s:.2f} ms ({s / median['last exit']:.2f})" for task, s in median.items())
        print(f"{name}: {told}")


if __name__ == "__main__":
    main()
