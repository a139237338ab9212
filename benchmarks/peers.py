"""Attacks that the suite does not contain: the gradients of four papers, and a thousand steps.

    python benchmarks/peers.py            # prints the tables
    python benchmarks/peers.py --write    # and writes the record of which the chapter "Honest evaluation" takes its numbers

Each network is attacked by the suite "standard" on the first digits of the test split, at the last exit. Then every gradient of
``snnlab.attacks.peers`` drives two attacks of 50 steps on all digits: PGD with momentum on the margin, and for step codes the
search among spike trains. Beside them the same two by adaptive sharpness, which the suite has. What an attack *breaks in
addition* are digits that survived the whole suite. On the first 50 digits, the two attacks by adaptive sharpness and APGD run for
1,000 steps on the suite's survivors.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import INFORMED, Attacker, Budget, attack, has_trains
from snnlab.attacks.peers import PEERS
from snnlab.data import Split
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.files import write_json
from snnlab.networks.classifier import Classifier

RECORD = Path(zoo.__file__).with_name("peers.json")
NETWORKS, LONG = ("onset", "latency", "direct", "fgsm-onset"), ("onset", "latency", "direct")
RADII, SAMPLES, STEPS = (0.1, 0.2), 200, 50
LONG_SAMPLES, LONG_STEPS = 50, 1000


def broken(classifier: Classifier, digits: Split, eps: float, attacker: Attacker, steps: int, adaptive: str) -> Tensor:
    """Return which digits an attacker breaks by any of its attacks, ``[N]``."""
    attacks = [(adaptive, {"loss": "margin"})]
    if has_trains(classifier.encoder):
        attacks.append(("spike_train", {"loss": "cross_entropy"}))
    if steps > STEPS:
        attacks.append(("apgd", {}))
    found = torch.zeros(len(digits), dtype=torch.bool)
    for method, settings in attacks:
        left = torch.nonzero(~found).flatten()
        if len(left):
            generator = torch.Generator().manual_seed(0)
            given = classifier, digits.images[left], digits.labels[left], Budget(eps), method, attacker
            found[left] = attack(*given, steps=steps, generator=generator, **settings).success
    return found


def compared(name: str, digits: Split) -> dict[str, Any]:
    """Return what suite and peers leave of the digits, and a thousand steps of the first ones, by ε."""
    classifier, source = zoo.load(name), zoo.load("ann")
    budgets = [0.0, *RADII]
    suite = evaluate_robustness(classifier, digits, budgets, "standard", source=source, progress=False)
    assert suite.unbroken is not None
    by_eps: dict[str, Any] = {}
    for row, eps in enumerate(RADII, 1):
        left, first = suite.unbroken[row], torch.nonzero(suite.unbroken[row][:LONG_SAMPLES]).flatten()
        alone = {"assg": broken(classifier, digits, eps, INFORMED, STEPS, "sa_pgd")}
        for key, attacker in PEERS.items():
            alone[key] = broken(classifier, digits, eps, attacker, STEPS, "fixed_surrogate")
        found = by_eps[f"{eps:g}"] = {
            "suite": int(left.sum()),
            "alone": {key: int((~lost).sum()) for key, lost in alone.items()},
            "added": {key: int((left & lost).sum()) for key, lost in alone.items()},
        }
        if name in LONG:
            lost = broken(classifier, digits[first], eps, INFORMED, LONG_STEPS, "sa_pgd") if len(first) else first.bool()
            found["long"] = {"suite": len(first), "left": len(first) - int(lost.sum())}
    return {"weights_sha256": zoo.card(name)["weights_sha256"], "n": len(digits), "by_eps": by_eps}


def rows(record: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the tables, and of what a thousand steps break."""
    attackers = ["assg", *PEERS]
    yield f"left of {SAMPLES} digits; in brackets: broken after the suite"
    yield " ".join(f"{title:>12}" for title in ("network", "ε", "suite", *attackers))
    for name, of in record["networks"].items():
        for eps, found in of["by_eps"].items():
            cells = [f"{found['alone'][key]} ({found['added'][key]})" for key in attackers]
            yield " ".join(f"{cell:>12}" for cell in (name, eps, found["suite"], *cells))
    for name, of in record["networks"].items():
        for eps, found in of["by_eps"].items():
            if "long" in found:
                yield f"{name}, ε = {eps}: {LONG_STEPS} steps leave {found['long']['left']} of {found['long']['suite']} survivors"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="write the record of the chapter")
    write = parser.parse_args().write
    torch.set_num_threads(1)
    digits = data.load("mnist5k").test[:SAMPLES]
    record = {
        "seed": 0,
        "steps": STEPS,
        "long": {"n": LONG_SAMPLES, "steps": LONG_STEPS},
        "networks": {name: compared(name, digits) for name in NETWORKS},
    }
    print("\n".join(rows(record)))
    if write:
        write_json(RECORD, record)
