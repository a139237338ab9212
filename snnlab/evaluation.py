r"""Evaluation: accuracy over attacks × ε × exit step, each number with its interval, attack list and flags.

For every exit step the attacks are aimed at *that* exit. Three rules make a number an honest upper bound of robustness:

* An image found within a small ε also lies within every larger one, and counts there (accuracy never rises with ε).
* ``worst`` counts a sample as wrong if any attack of the suite, aimed at any exit, breaks it at this exit.
* A prediction that is silent is wrong.

Intervals are Wilson's (1927) at 95 %, over samples:

.. math:: \frac{1}{1 + z²/n}\Big(\hat p + \frac{z²}{2n} ± z\sqrt{\frac{\hat p (1-\hat p)}{n} + \frac{z²}{4n²}}\Big)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm.auto import tqdm

from snnlab.attack import INFORMED, NAIVE, Attacker, Budget, attack
from snnlab.data import Split
from snnlab.decoding import SILENT
from snnlab.network import Classifier
from snnlab.neuron import Surrogate

__all__ = ["SUITE", "Evaluation", "SuiteAttack", "evaluate", "summary", "wilson_interval"]

Z95 = 1.959963984540054


def wilson_interval(correct: int, n: int, z: float = Z95) -> tuple[float, float]:
    """Wilson's interval for a proportion of ``correct`` out of ``n`` (equation in the module docstring).

    >>> tuple(round(v, 3) for v in wilson_interval(90, 100))
    (0.826, 0.945)
    """
    if n < 1 or not 0 <= correct <= n:
        raise ValueError(f"need 0 ≤ correct ≤ n and n ≥ 1, got correct={correct}, n={n}")
    p = correct / n
    centre = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The interval holds p; where a bound equals p (0 or 1) rounding must not push it past.
    return max(0.0, min(p, (centre - half) / scale)), min(1.0, max(p, (centre + half) / scale))


@dataclass(frozen=True)
class SuiteAttack:
    """One attack of a suite: its name in records, what it does in words, and its settings."""

    name: str
    description: str
    method: str
    attacker: Attacker
    steps: int = 10
    transfer: bool = False


SHARP = Attacker("sharp", "relaxed", slope=20.0, surrogate=Surrogate("arctan", 4.0))

SUITE: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", NAIVE),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", NAIVE),
    SuiteAttack("fgsm.informed", "FGSM, relaxed code (slope 10), arctan surrogate (2)", "fgsm", INFORMED),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", NAIVE),
    SuiteAttack("pgd.informed", "PGD-10, relaxed code (slope 10), arctan surrogate (2)", "pgd", INFORMED),
    SuiteAttack("pgd.sharp", "PGD-20, relaxed code (slope 20), arctan surrogate (4)", "pgd", SHARP, steps=20),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", NAIVE, steps=20, transfer=True),
)
WORST = "worst"


@dataclass
class Evaluation:
    """Counts of correct and silent answers, ``[exit step][ε]`` for every attack, and what qualifies them."""

    n: int
    eps: list[float]
    num_steps: int
    correct: dict[str, list[list[int]]]
    silent: dict[str, list[list[int]]]
    zero_gradient: dict[str, list[float]] = field(default_factory=dict)
    moved: dict[str, list[float]] = field(default_factory=dict)

    def accuracy(self, name: str, exit_step: int, eps: float) -> float:
        """Fraction correct under attack ``name`` at this exit and ε."""
        return self.correct[name][exit_step - 1][self.eps.index(eps)] / self.n

    def interval(self, name: str, exit_step: int, eps: float) -> tuple[float, float]:
        """95 % Wilson interval of ``accuracy``."""
        return wilson_interval(self.correct[name][exit_step - 1][self.eps.index(eps)], self.n)

    def flags(self, seeds: int = 1) -> dict[str, list[str]]:
        """What a reader must know beside each attack's numbers (read at the last exit); never dropped."""
        last = {name: counts[-1] for name, counts in self.correct.items()}
        silent = {name: max(counts[-1]) / self.n for name, counts in self.silent.items()}
        found: dict[str, list[str]] = {}
        for name in self.correct:
            notes = ["single seed"] if seeds == 1 else []
            if max(self.zero_gradient.get(name, [0.0])) > 0.5:
                notes.append(f"zero input gradient on {max(self.zero_gradient[name]):.0%} of the pixels")
            if silent[name] > 0.01:
                notes.append(f"silent outputs up to {silent[name]:.1%}")
            white_box = name.startswith(("fgsm", "pgd"))
            if white_box and "transfer" in last and _beats(last["transfer"], last[name], self.n):
                notes.append("a transferred attack beats it")
            if white_box and "noise" in last and _beats(last["noise"], last[name], self.n):
                notes.append("random noise beats it")
            if white_box and last[name][-1] > 0.2 * self.n:
                notes.append(f"accuracy not near chance at ε = {self.eps[-1]:g}")
            found[name] = notes
        return found

    def record(self, seeds: int = 1) -> dict[str, Any]:
        """Everything as plain data, with intervals and flags, for a results file."""
        interval = {
            name: [[[round(b, 4) for b in wilson_interval(c, self.n)] for c in row] for row in counts]
            for name, counts in self.correct.items()
        }
        return vars(self) | {"interval": interval, "flags": self.flags(seeds)}


def summary(
    records: Mapping[str, Mapping[str, Any]],
    columns: Sequence[tuple[str, str, float]],
    exit_step: int | None = None,
) -> pd.DataFrame:
    """A table of accuracies with their 95 % intervals, one row a model, from recorded results.

    Args:
        records: results by model name, as ``snnlab.zoo.results`` gives them.
        columns: title, attack and ε of each column.
        exit_step: steps that are read; ``None`` reads all.
    """
    rows = {}
    for name, record in records.items():
        cells = {}
        for title, attack_name, eps in columns:
            counts = record["correct"].get(attack_name)
            if counts is None:  # an attack that was not run on this model, such as a transfer to its own source
                cells[title] = "—"
                continue
            row = counts[-1 if exit_step is None else min(exit_step, len(counts)) - 1]
            correct = row[record["eps"].index(eps)]
            low, high = wilson_interval(correct, record["n"])
            cells[title] = f"{correct / record['n']:.3f} [{low:.3f}, {high:.3f}]"
        rows[name] = cells
    return pd.DataFrame.from_dict(rows, orient="index")


def _beats(stronger: Sequence[int], weaker: Sequence[int], n: int) -> bool:
    """Whether one attack leaves fewer correct than another, by more than two points, at any ε."""
    return any(a < b - 0.02 * n for a, b in zip(stronger, weaker, strict=True))


def evaluate(
    classifier: Classifier,
    split: Split,
    eps: Sequence[float],
    *,
    suite: Sequence[SuiteAttack] = SUITE,
    exits: Sequence[int] | None = None,
    source: Classifier | None = None,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = True,
    done: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] | None = None,
) -> Evaluation:
    """Run the suite on every exit and ε and count who is left.

    Args:
        classifier: model under test.
        split: images and labels.
        eps: radii in pixel units, rising, the first 0.
        suite: attacks, run in this order.
        exits: exit steps to aim at; default all.
        source: where transferred attacks are made (the ANN twin); without it they are left out.
        seed: of all randomness, per attack, exit and ε, so that a resumed run equals an uninterrupted one.
        batch_size: images attacked at once.
        progress: whether to show a progress bar.
        done: partial results to take up.
        save: called with the partial results after each attack and exit.

    Raises:
        ValueError: ``eps`` not rising from 0, unknown exit.
    """
    if not eps or eps[0] != 0 or any(b <= a for a, b in pairwise(eps)):
        raise ValueError(f"eps must rise from 0, got {list(eps)}")
    steps = classifier.num_steps
    exits = list(exits or range(1, steps + 1))
    for e in exits:
        classifier.at(exit_step=e)  # raises before any work is done
    attacks = [a for a in suite if source is not None or not a.transfer]
    partial = done if done is not None else {}
    jobs = [(a, e) for a in attacks for e in ([steps] if a.transfer or a.method == "noise" else exits)]
    with tqdm(total=len(jobs), unit="job", disable=not progress) as bar:
        for a, e in jobs:
            bar.set_postfix_str(f"{a.name} at exit {e}")
            key = f"{a.name}@{e}"
            if key not in partial:
                target = source if a.transfer and source is not None else classifier
                aimed = target.at(exit_step=None if a.transfer else e)
                partial[key] = _run(a, aimed, classifier, split, eps, seed, batch_size)
                if save is not None:
                    save(partial)
            bar.update()
    return _collect(attacks, exits, partial, split, list(eps), steps)


def _run(
    a: SuiteAttack,
    aimed: Classifier,
    victim: Classifier,
    split: Split,
    eps: Sequence[float],
    seed: int,
    batch_size: int,
) -> dict[str, Any]:
    """Predictions of the victim at every exit under one attack aimed at one exit, ``[ε, T, N]``, and diagnostics."""
    predicted, zero, moved = [], [], []
    for k, radius in enumerate(eps):
        generator = torch.Generator().manual_seed(seed + 1000 * k + aimed.exit_step)
        aimed.generator = generator
        # A stochastic code is judged on one draw, the same for all attacks and unknown to them: the worst case over
        # attacks is then not also one over draws.
        victim.generator = torch.Generator().manual_seed(seed)
        rows, zeros, moves = [], [], []
        for x, y in split.batches(batch_size):
            method = a.method if radius > 0 else "none"
            result = attack(aimed, x, y, Budget(radius), method, a.attacker, steps=a.steps, generator=generator)
            rows.append(victim.predict(result.images))
            moves.append(result.moved)
            if result.zero_gradient is not None:
                zeros.append(result.zero_gradient)
        predicted.append(torch.cat(rows, dim=1))
        moved.append(sum(moves) / len(moves))
        zero.append(sum(zeros) / len(zeros) if zeros else 0.0)
    return {"predictions": torch.stack(predicted).to(torch.int8), "zero_gradient": zero, "moved": moved}


def _collect(
    attacks: Sequence[SuiteAttack],
    exits: Sequence[int],
    partial: dict[str, Any],
    split: Split,
    eps: list[float],
    steps: int,
) -> Evaluation:
    """Counts per attack, and the per-sample worst case over all of them."""
    wrong: dict[str, Tensor] = {}
    silent: dict[str, Tensor] = {}
    worst = torch.zeros(len(eps), steps, len(split), dtype=torch.bool)
    zero, moved = {}, {}
    for a in attacks:
        own = {int(k.split("@")[1]): v for k, v in partial.items() if k.split("@")[0] == a.name}
        every = {e: v["predictions"].long() for e, v in own.items()}
        for p in every.values():
            worst |= p != split.labels
        aimed = torch.stack([every.get(e, every[max(every)])[:, e - 1] for e in exits], dim=1)
        wrong[a.name] = aimed != split.labels
        silent[a.name] = aimed == SILENT
        zero[a.name], moved[a.name] = own[max(own)]["zero_gradient"], own[max(own)]["moved"]
    if attacks:
        wrong[WORST] = worst[:, [e - 1 for e in exits]]
        silent[WORST] = torch.stack([silent[a.name] for a in attacks]).any(0)
    for name, w in wrong.items():
        if name != "noise":  # noise is a control, not a search: what it finds at one ε says nothing of the next
            wrong[name] = w.int().cummax(0).values.bool()
    counts = {name: (~w).sum(-1).T.tolist() for name, w in wrong.items()}
    quiet = {name: s.sum(-1).T.tolist() for name, s in silent.items()}
    return Evaluation(len(split), eps, len(exits), counts, quiet, zero, moved)
