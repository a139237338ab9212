"""AutoAttack as a yardstick: does it break digits that the suite of this book leaves?

    python benchmarks/autoattack.py                 # the networks below; writes snnlab/zoo/autoattack.json
    python benchmarks/autoattack.py onset --samples 20 --out /tmp/a.json

AutoAttack (Croce & Hein 2020) is four attacks in a row, each on the digits that the earlier ones left: APGD on the
cross-entropy, targeted APGD on the DLR loss, targeted FAB, and Square with 5,000 queries. The classes are those of torchattacks.
Its ``AutoAttack`` gives them 10 steps, the paper 100: here the classes run as long as in the paper.

They differentiate the network that they are given. So each network is attacked twice: as it is, and through the view of the
informed attacker, which has the same spikes and another backward pass. Survivors are counted on the network itself. The suite
"standard" attacks the same digits, so that the two worst cases are comparable digit by digit.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import INFORMED, NAIVE, Attacker, Budget
from snnlab.attacks.methods import library_attack
from snnlab.attacks.result import forked_rng
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.networks.classifier import Classifier

NETWORKS = ("ann", "direct", "onset", "latency", "offset")
RADII = (0.1, 0.2)
STEPS, QUERIES = 100, 5000
MEMBERS: dict[str, tuple[str, dict[str, Any]]] = {
    "apgd-ce": ("APGD", {"steps": STEPS, "loss": "ce"}),
    "apgd-t": ("APGDT", {"steps": STEPS, "n_classes": 10}),
    "fab-t": ("FAB", {"steps": STEPS, "n_classes": 10, "multi_targeted": True}),
    "square": ("Square", {"n_queries": QUERIES}),
}


def survivors(
    classifier: Classifier, images: Tensor, labels: Tensor, budget: Budget, attacker: Attacker
) -> Iterator[Tensor]:
    """Yield which digits ``[N]`` are still classified correctly: of the clean digits, then after each attack of AutoAttack."""
    with torch.no_grad():
        left = classifier(images).argmax(1) == labels
    yield left.clone()
    for name, options in MEMBERS.values():
        rows = left.nonzero().flatten()
        if len(rows):
            with attacker.view(classifier) as view, forked_rng(torch.Generator().manual_seed(0)):
                attacked = library_attack(name, view, eps=budget.eps, norm="Linf", seed=0, **options)(
                    images[rows], labels[rows]
                )
            attacked = budget.project(attacked.detach(), images[rows])
            with torch.no_grad():
                left[rows] = classifier(attacked).argmax(1) == labels[rows]
        yield left.clone()


def measure(model: str, samples: int) -> dict[str, Any]:
    """Return how many of the first test digits survive, by ε: after each attack of AutoAttack, after the suite, after both."""
    record, classifier = zoo.results(model), zoo.load(model)
    digits = data.load(record.dataset).test[:samples]
    source = None if model == "ann" else zoo.load("ann")
    suite = evaluate_robustness(classifier, digits, [0, *RADII], "standard", source=source, progress=False)
    assert suite.unbroken is not None
    counts: dict[str, Any] = {"weights_sha256": record.weights_sha256}
    for eps, unbroken in zip(RADII, suite.unbroken[1:], strict=True):
        result: dict[str, Any] = {}
        left = torch.ones(len(digits.labels), dtype=torch.bool)
        for attacker in (NAIVE, INFORMED):
            stages = list(survivors(classifier, digits.images, digits.labels, Budget(eps), attacker))
            result[attacker.name] = [int(stage.sum()) for stage in stages]
            left &= stages[-1]
        result |= {"autoattack": int(left.sum()), "suite": int(unbroken.sum()), "both": int((left & unbroken).sum())}
        counts[f"{eps:g}"] = result
        print(f"{model}, ε = {eps:g}: {result}", flush=True)
    return counts


def main() -> None:
    """Measure, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=NETWORKS)
    parser.add_argument("--samples", type=int, default=100, help="number of test digits (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=Path(zoo.FOLDER) / "autoattack.json")
    args = parser.parse_args()
    torch.set_num_threads(1)
    record: dict[str, Any] = {
        "dataset": "mnist5k",
        "split": "test",
        "n": args.samples,
        "seed": 0,
        "norm": "Linf",
        "suite": "standard",
        "stages": ["clean", *MEMBERS],
        "attacks": {key: f"torchattacks.{name}, {_words(options)}" for key, (name, options) in MEMBERS.items()},
        "versions": {name: metadata.version(name) for name in ("torch", "snntorch", "torchattacks")},
        "networks": {},
    }
    for model in args.models:
        record["networks"][model] = measure(model, args.samples)
        args.out.write_text(json.dumps(record, indent=1) + "\n")


def _words(options: dict[str, Any]) -> str:
    return ", ".join(f"{key} = {value}" for key, value in options.items())


if __name__ == "__main__":
    main()
