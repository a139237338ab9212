r"""Evaluation: accuracy over attacks × ε × exit step, each number with its interval, attack list and flags.

For every exit step the attacks are aimed at *that* exit. These rules make a number an honest upper bound of robustness:

* An image found within a small ε also lies within every larger one, and counts there: accuracy never rises with ε, and an
  attack need not be run again on a sample that it has broken already.
* ``worst`` counts a sample as wrong if any attack of the suite, aimed at any exit, breaks it at this exit.
* The costly attacks of the suite (``standing``) are run on what the others have left, and count in ``worst`` alone.
* A *dynamic* exit is judged on every image that the suite made for a sample, aimed at any exit.
* A prediction that is silent is wrong.

Intervals are in ``snnlab.records``: they follow from the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from snnlab.attack import INFORMED, NAIVE, Attacker, AttackResult, Budget, attack, sa_pgd
from snnlab.data import Split
from snnlab.decoding import SILENT
from snnlab.energy import energy
from snnlab.exiting import ExitRule, dynamic_exit
from snnlab.network import Classifier
from snnlab.records import seed_summary, summary, wilson_interval

__all__ = ["SUITE", "Evaluation", "SuiteAttack", "evaluate", "seed_summary", "summary", "wilson_interval"]


@dataclass(frozen=True)
class SuiteAttack:
    """One attack of a suite: its name in records, what it does in words, and its settings.

    ``transfer``: made on another model. ``standing``: run only on samples that no other attack has broken.
    """

    name: str
    description: str
    method: str
    attacker: Attacker
    steps: int = 10
    transfer: bool = False
    standing: bool = False

    @property
    def aims(self) -> bool:
        """Whether it is made anew for every exit."""
        return not self.transfer and self.method != "noise"


SUITE: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", NAIVE),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", NAIVE),
    SuiteAttack("fgsm.informed", "FGSM, relaxed code (slope 10), arctan surrogate (2)", "fgsm", INFORMED),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", NAIVE, steps=20, transfer=True),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", NAIVE),
    SuiteAttack("pgd.informed", "PGD-10, relaxed code (slope 10), arctan surrogate (2)", "pgd", INFORMED),
    SuiteAttack(
        "sa_pgd",
        "SA-PGD-20 on the margin, relaxed code (slope 10), surrogate of adaptive sharpness, on what still stands",
        "sa_pgd",
        INFORMED,
        steps=20,
        standing=True,
    ),
)
WORST = "worst"


@dataclass
class Evaluation:
    """Counts of correct and silent answers, ``[exit][ε]`` for every attack, and what qualifies them.

    ``exits`` are the exit steps of the rows. ``energy_pj`` is the mean of the clean samples at every exit ``1 … T``, where
    it can be counted. ``dynamic`` has a row for every exit rule that was asked for.
    """

    n: int
    eps: list[float]
    num_steps: int
    exits: list[int]
    correct: dict[str, list[list[int]]]
    silent: dict[str, list[list[int]]]
    zero_gradient: dict[str, list[float]] = field(default_factory=dict)
    moved: dict[str, list[float]] = field(default_factory=dict)
    energy_pj: list[float] | None = None
    dynamic: dict[str, Any] | None = None

    def accuracy(self, name: str, exit_step: int, eps: float) -> float:
        """Fraction correct under attack ``name`` at this exit and ε."""
        return self._count(name, exit_step, eps) / self.n

    def interval(self, name: str, exit_step: int, eps: float) -> tuple[float, float]:
        """95 % Wilson interval of ``accuracy``."""
        return wilson_interval(self._count(name, exit_step, eps), self.n)

    def _count(self, name: str, exit_step: int, eps: float) -> int:
        return self.correct[name][self.exits.index(exit_step)][self.eps.index(eps)]

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
            if (white_box or name == WORST) and last[name][-1] > 0.2 * self.n:
                notes.append(f"accuracy not near chance at ε = {self.eps[-1]:g}")
            found[name] = notes
        return found

    def record(self, seeds: int = 1) -> dict[str, Any]:
        """Everything as plain data, with flags, for a results file."""
        return {key: value for key, value in vars(self).items() if value is not None} | {"flags": self.flags(seeds)}


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
    rules: Sequence[ExitRule] = (),
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
        suite: attacks, run in this order; those on what still stands come last.
        exits: exit steps to aim at; default all.
        rules: dynamic exits to judge as well, of a spiking classifier.
        source: where transferred attacks are made (the ANN twin); without it they are left out.
        seed: of all randomness, per attack, exit and ε, so that a resumed run equals an uninterrupted one.
        batch_size: images attacked at once.
        progress: whether to show a progress bar.
        done: partial results to take up.
        save: called with the partial results after each attack and exit.

    Raises:
        ValueError: ``eps`` not rising from 0, unknown exit, rules for an ANN, a suite whose order is another.
    """
    if not eps or eps[0] != 0 or any(b <= a for a, b in pairwise(eps)):
        raise ValueError(f"eps must rise from 0, got {list(eps)}")
    if rules and classifier.encoder is None:
        raise ValueError("an ANN has one exit only; give no rules")
    if any(a.standing and not b.standing for a, b in pairwise(suite)):
        raise ValueError("attacks on what still stands must come last in a suite")
    steps = classifier.num_steps
    exits = sorted(exits or range(1, steps + 1))
    for e in exits:
        classifier.at(exit_step=e)  # raises before any work is done
    attacks = [a for a in suite if source is not None or not a.transfer]
    partial = done if done is not None else {}
    jobs = [(a, e) for a in attacks for e in (exits if a.aims else [steps])]
    run = _Run(classifier, source, split, list(eps), tuple(rules), seed, batch_size)
    with tqdm(total=len(jobs), unit="job", disable=not progress) as bar:
        for a, e in jobs:
            bar.set_postfix_str(f"{a.name} at exit {e}")
            key = f"{a.name}@{e}"
            if key not in partial:
                partial[key] = run(a, e, run.wrong_in_any(partial)[:, e - 1] if a.standing else None)
                if save is not None:
                    save(partial)
            bar.update()
    return _collect(attacks, exits, partial, run)


@dataclass
class _Run:
    """What all jobs of one evaluation share."""

    classifier: Classifier
    source: Classifier | None
    split: Split
    eps: list[float]
    rules: tuple[ExitRule, ...]
    seed: int
    batch_size: int

    def __call__(self, a: SuiteAttack, exit_step: int, broken: Tensor | None) -> dict[str, Any]:
        """One attack aimed at one exit: what the victim answers at every exit ``[ε, T, N]``, and diagnostics.

        From one ε to the next, a sample that is broken keeps its image.
        """
        target = self.source if a.transfer and self.source is not None else self.classifier
        aimed = target.at(exit_step=exit_step if a.aims else None)
        images = self.split.images.clone()
        predicted, dynamic = self._read(images)
        wrong = predicted[exit_step - 1] != self.split.labels
        found: dict[str, list[Any]] = {
            "predictions": [predicted],
            "dynamic": [dynamic],
            "zero_gradient": [0.0],
            "moved": [0.0],
        }
        for k, radius in enumerate(self.eps[1:], 1):
            searched = torch.ones_like(wrong) if a.method == "noise" else ~wrong
            if broken is not None:
                searched &= ~broken[k]
            rows = torch.nonzero(searched).flatten()
            results = list(self._attack(a, aimed, rows, Budget(radius), self.seed + 1000 * k + aimed.exit_step))
            if results:
                images[rows] = torch.cat([r.images for r in results])
            # A stochastic code is judged on one draw for the whole split, the same for all attacks and unknown to them:
            # the worst case over attacks is then not also one over draws.
            predicted, dynamic = predicted.clone(), dynamic.clone()
            if self.classifier.stochastic:
                predicted, dynamic = self._read(images)
            elif len(rows) and a.transfer:
                predicted[:, rows], dynamic[:, rows] = self._read(images[rows], self.split.labels[rows])
            elif len(rows):  # the attack has read the victim already
                predicted[:, rows] = torch.cat([r.predictions for r in results], dim=1)
                logits, membrane = (torch.cat([getattr(r, name) for r in results], dim=1) for name in ("logits", "membrane"))
                dynamic[:, rows] = self._leave(logits, membrane, self.split.labels[rows])
            wrong = wrong | (predicted[exit_step - 1] != self.split.labels)
            zero = [r.zero_gradient for r in results if r.zero_gradient is not None]
            found["predictions"].append(predicted)
            found["dynamic"].append(dynamic)
            found["zero_gradient"].append(sum(zero) / len(zero) if zero else 0.0)
            found["moved"].append(sum(r.moved for r in results) / len(results) if results else 0.0)
        return found | {
            "predictions": torch.stack(found["predictions"]).to(torch.int8),
            "dynamic": torch.stack(found["dynamic"]),
        }

    def _attack(self, a: SuiteAttack, aimed: Classifier, rows: Tensor, budget: Budget, seed: int) -> Iterator[AttackResult]:
        generator = torch.Generator().manual_seed(seed)
        aimed.generator = generator
        for part in torch.split(rows, self.batch_size):
            if len(part):
                x, y = self.split.images[part], self.split.labels[part]
                if a.method == "sa_pgd":
                    yield sa_pgd(aimed, x, y, budget, a.attacker, steps=a.steps, generator=generator)
                else:
                    yield attack(aimed, x, y, budget, a.method, a.attacker, steps=a.steps, generator=generator)

    @torch.no_grad()
    def _read(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Predictions at every exit ``[T, N]``, and whether each rule answers correctly ``[R, N]``."""
        truth = self.split.labels if labels is None else labels
        victim = self.classifier.at()
        victim.generator = torch.Generator().manual_seed(self.seed)
        predicted, right = [], []
        for x, y in zip(torch.split(images, self.batch_size), torch.split(truth, self.batch_size), strict=True):
            logits, membrane = victim.read(x)
            predicted.append(victim.answers(logits, membrane))
            right.append(self._leave(logits, membrane, y))
        return torch.cat(predicted, dim=1), torch.cat(right, dim=1)

    def _leave(self, logits: Tensor, membrane: Tensor, labels: Tensor) -> Tensor:
        """Whether each rule answers correctly, ``[R, N]``, for logits and potentials ``[T, N, K]``."""
        right = [dynamic_exit(logits, membrane, rule).predictions == labels for rule in self.rules]
        return torch.stack(right) if right else torch.zeros(0, len(labels), dtype=torch.bool)

    def wrong_in_any(self, partial: dict[str, Any]) -> Tensor:
        """Per ε, exit and sample, whether any job so far has broken it: ``[ε, T, N]``."""
        wrong = torch.zeros(len(self.eps), self.classifier.num_steps, len(self.split), dtype=torch.bool)
        for job in partial.values():
            wrong |= job["predictions"].long() != self.split.labels
        return wrong.int().cummax(0).values.bool()

    @torch.no_grad()
    def clean_exits(self) -> dict[str, list[float]]:
        """Mean exit step and energy in pJ of every rule on the clean samples."""
        victim = self.classifier.at()
        victim.generator = torch.Generator().manual_seed(self.seed)
        logits, membrane = victim.read(self.split.images)
        used = energy(victim, self.split.images)
        leaves = [dynamic_exit(logits, membrane, rule) for rule in self.rules]
        return {
            "mean_exit": [round(found.mean_exit_step, 4) for found in leaves],
            "energy_pj": [round(float(used.at(found.exit_steps).mean()), 1) for found in leaves],
        }


def _collect(attacks: Sequence[SuiteAttack], exits: list[int], partial: dict[str, Any], run: _Run) -> Evaluation:
    """Counts per attack, and the per-sample worst case over all of them."""
    labels, steps = run.split.labels, run.classifier.num_steps
    wrong: dict[str, Tensor] = {}
    silent: dict[str, Tensor] = {}
    zero, moved = {}, {}
    for a in attacks:
        own = {int(k.split("@")[1]): v for k, v in partial.items() if k.split("@")[0] == a.name}
        answers = torch.stack([own.get(e, own[max(own)])["predictions"].long()[:, e - 1] for e in exits], dim=1)
        silent[a.name] = answers == SILENT
        if a.standing:
            continue
        # Noise is a control, not a search: what it finds at one ε says nothing of the next.
        wrong[a.name] = answers != labels if a.method == "noise" else (answers != labels).int().cummax(0).values.bool()
        zero[a.name], moved[a.name] = own[max(own)]["zero_gradient"], own[max(own)]["moved"]
    if attacks:
        wrong[WORST] = run.wrong_in_any(partial)[:, [e - 1 for e in exits]]
        silent[WORST] = torch.stack(list(silent.values())).any(0)
    return Evaluation(
        n=len(run.split),
        eps=run.eps,
        num_steps=steps,
        exits=exits,
        correct={name: (~w).sum(-1).T.tolist() for name, w in wrong.items()},
        silent={name: silent[name].sum(-1).T.tolist() for name in wrong},
        zero_gradient=zero,
        moved=moved,
        energy_pj=_energy(run),
        dynamic=_dynamic(run, partial) if run.rules else None,
    )


def _energy(run: _Run) -> list[float] | None:
    """Mean energy of the clean samples at every exit, in pJ; ``None`` for a network that cannot be counted."""
    run.classifier.generator = torch.Generator().manual_seed(run.seed)
    try:
        return [round(float(e), 1) for e in energy(run.classifier, run.split.images).picojoules.mean(1)]
    except ValueError:
        return None


def _dynamic(run: _Run, partial: dict[str, Any]) -> dict[str, Any]:
    """What every rule gives: who is right on all images of the suite up to each ε, and what the clean samples cost."""
    right = torch.stack([job["dynamic"] for job in partial.values()]).all(0)  # [ε, R, N]
    right = right.int().cummin(0).values
    counts = {f"{eps:g}": right[k].sum(-1).tolist() for k, eps in enumerate(run.eps)}
    return {"rules": [asdict(rule) for rule in run.rules], "correct": counts, **run.clean_exits()}
