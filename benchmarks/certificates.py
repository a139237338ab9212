"""Certificates: 1,000 test digits at five ε, every exit step; and the complete method on what intervals leave open.

    python benchmarks/certificates.py

Processor seconds, which a busy machine changes little, on one thread; medians of three repeats. Wanted: under four (two seconds
on two cores) for each network, and half of the open digits of the certified network decided within ten seconds each.
"""

from __future__ import annotations

from statistics import median
from time import process_time

import torch

from snnlab import Budget, data, zoo
from snnlab.evaluation.certificates import certify

DIGITS, RADII, REPEATS = 1000, (0.02, 0.05, 0.1, 0.2, 0.3), 3
NETWORKS = ("certified-onset", "onset", "latency", "fusion")
COMPLETE, AT, EXIT, LIMIT = "certified-onset", 0.1, 7, 10.0


def seconds(name: str) -> float:
    """Return the processor seconds of all certificates of a network."""
    model, digits, times = zoo.load(name), data.load("mnist5k").test[:DIGITS], []
    for _ in range(REPEATS):
        started = process_time()
        for eps in RADII:
            certify(model, digits.images, digits.labels, Budget(eps))
        times.append(process_time() - started)
    return median(times)


def completed(eps: float) -> str:
    """Return what attack and branch and bound decide of the digits that intervals leave open."""
    model, digits, budget = zoo.load(COMPLETE), data.load("mnist5k").test[:DIGITS], Budget(eps)
    before = certify(model, digits.images, digits.labels, budget, exit_step=EXIT)
    left = digits[torch.nonzero(before.open).flatten()]
    if not len(left):
        return "no digit is open"
    generator = torch.Generator().manual_seed(0)
    after = certify(model, left.images, left.labels, budget, exit_step=EXIT, time_limit=LIMIT, generator=generator)
    proved, refuted = int(after.proved.sum()), int(after.refuted.sum())
    decided = f"{proved + refuted} of {len(left)} open digits decided ({proved} proved, {refuted} broken)"
    return f"{decided}, {after.seconds:.0f} s in all"


if __name__ == "__main__":
    torch.set_num_threads(1)
    print("| network | processor seconds |\n| --- | --- |")
    for name in NETWORKS:
        print(f"| {name} | {seconds(name):.1f} |", flush=True)
    for eps in (AT, 2 * AT):
        print(f"{COMPLETE}, ε = {eps:g}, at most {LIMIT:g} s a digit: {completed(eps)}", flush=True)
