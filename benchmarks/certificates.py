"""Interval certificates: 1,000 test digits at five ε, every exit step.

    python benchmarks/certificates.py

Seconds on two threads, the median of three repeats. Wanted: under two seconds for each network.
"""

from __future__ import annotations

from statistics import median
from time import perf_counter

import torch

from snnlab import Budget, data, zoo
from snnlab.evaluation.certificates import certify

DIGITS, RADII = 1000, (0.02, 0.05, 0.1, 0.2, 0.3)


def seconds(name: str) -> float:
    """Return how long all certificates of a network take."""
    model, digits, times = zoo.load(name), data.load("mnist5k").test[:DIGITS], []
    for _ in range(3):
        started = perf_counter()
        for eps in RADII:
            certify(model, digits.images, digits.labels, Budget(eps))
        times.append(perf_counter() - started)
    return median(times)


if __name__ == "__main__":
    torch.set_num_threads(2)
    for name in ("certified-onset", "onset", "latency", "fusion"):
        print(f"{name:16} {seconds(name):.1f} s")
