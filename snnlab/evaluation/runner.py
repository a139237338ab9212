"""Jobs: one attack aimed at one exit (or all, or a dynamic one), over all samples and ε.

The result of a job holds the answers at every exit and by every exit rule, because an attack counts wherever it was aimed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

import torch
from torch import Tensor

from snnlab.attacks import AttackResult, Budget
from snnlab.data import Split
from snnlab.evaluation.suites import ENOUGH, SuiteAttack
from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule, dynamic_exit
from snnlab.networks.energy import energy

__all__ = ["Job", "JobResult", "Run", "jobs_of"]

BETWEEN_DRAWS = 1_000_003  # seeds between two draws: no attack has one of them


class JobResult(TypedDict):
    """Answers ``predictions`` ``[ε, T, N]``, whether each rule is right ``dynamic`` ``[ε, R, N]``, and diagnostics ``[ε]``."""

    predictions: Tensor
    dynamic: Tensor
    zero_gradient: list[float]
    moved: list[float]


@dataclass(frozen=True)
class Job:
    """One attack, aimed at exit ``exit_step``; or, with ``rule``, at the dynamic exit of that number among the run's."""

    attack: SuiteAttack
    exit_step: int
    rule: int | None = None


def jobs_of(attacks: Sequence[SuiteAttack], exits: Sequence[int], num_steps: int, num_rules: int) -> list[Job]:
    """Return all jobs of a suite, in its order."""
    jobs: list[Job] = []
    for a in attacks:
        if a.aim == "rules":
            jobs += [Job(a, num_steps, k) for k in range(num_rules)]
        elif a.aim == "last":
            jobs += [Job(a, max(exits))]
        elif a.aim == "joint":
            jobs += [Job(a, num_steps)] if len(exits) > 1 else []
        else:
            jobs += [Job(a, e) for e in (exits if a.aims else [num_steps])]
    return jobs


@dataclass
class Run:
    """What all jobs of one evaluation share: the classifier, the samples, the budgets.

    ``proved``: which samples no attack can break, ``[ε, T, N]``; searches on the survivors at one exit leave them alone.
    ``draws``: how many draws of a stochastic code answer together; the class that most of them give counts.
    """

    classifier: Classifier
    source: Classifier | None
    split: Split
    budgets: list[Budget]
    exits: list[int]
    rules: tuple[ExitRule, ...]
    seed: int
    batch_size: int
    proved: Tensor | None = None
    draws: int = 1

    def __call__(self, job: Job, broken: Tensor | None) -> JobResult:
        """Run one job.

        An attack on all samples goes from small to large ε, and a broken sample keeps its image. An attack on the survivors
        (``broken`` ``[ε, N]``: samples to leave alone) goes from large to small ε and stops at a sample that survives.
        """
        a, count = job.attack, len(self.budgets)
        target = self.source if a.transfer and self.source is not None else self.classifier
        aimed = target.at(exit_step=job.exit_step if a.aims else None)
        images = self.split.images.clone()
        predicted, dynamic = self._read(images)
        predictions, rules = predicted.repeat(count, 1, 1), dynamic.repeat(count, 1, 1)
        zero_gradient, moved = [0.0] * count, [0.0] * count
        lost, reached = (
            self._lost(job, predicted != self.split.labels, dynamic),
            torch.ones(len(self.split), dtype=torch.bool),
        )
        for k in range(1, count) if broken is None else reversed(range(1, count)):
            searched = torch.ones_like(lost) if a.attack.control else ~lost
            if broken is not None:
                searched = reached & ~broken[k] & ~lost
                images, predicted, dynamic = self.split.images.clone(), predictions[0], rules[0]
            rows = torch.nonzero(searched).flatten()
            results = self._attack(job, aimed, rows, self.budgets[k], self.seed + 1000 * k + aimed.exit_step)
            if results:
                images[rows] = torch.cat([r.images for r in results])
            # Stochastic codes are scored on fixed draws, hidden from the attacks.
            predicted, dynamic = predicted.clone(), dynamic.clone()
            if self.classifier.stochastic:
                predicted, dynamic = self._read(images)
            elif len(rows) and a.transfer:
                predicted[:, rows], dynamic[:, rows] = self._read(images[rows], self.split.labels[rows])
            elif len(rows):  # the attack has read the victim already
                predicted[:, rows] = torch.cat([r.predictions for r in results], dim=1)
                logits, membrane = (torch.cat([getattr(r, name) for r in results], dim=1) for name in ("logits", "membrane"))
                dynamic[:, rows] = self._leave(logits, membrane, self.split.labels[rows])
            now = self._lost(job, predicted != self.split.labels, dynamic)
            if broken is None:
                lost = lost | now
            else:
                reached = broken[k] | now
            predictions[k], rules[k] = predicted, dynamic
            zero_gradient[k] = _mean([r.zero_gradient for r in results if r.zero_gradient is not None])
            moved[k] = _mean([r.moved for r in results])
        return {
            "predictions": predictions.to(torch.int16),
            "dynamic": rules,
            "zero_gradient": zero_gradient,
            "moved": moved,
        }

    def _lost(self, job: Job, wrong: Tensor, right: Tensor) -> Tensor:
        """Return whether a sample is broken where the job aims, ``[…, N]``."""
        if job.rule is not None:
            return ~right[..., job.rule, :]
        if job.attack.aim == "joint":
            return wrong[..., [e - 1 for e in self.exits], :].all(-2)
        return wrong[..., job.exit_step - 1, :]

    def _attack(self, job: Job, aimed: Classifier, rows: Tensor, budget: Budget, seed: int) -> list[AttackResult]:
        generator = torch.Generator().manual_seed(seed)
        aimed.generator = generator
        a, options = job.attack, dict[str, Any](generator=generator)
        if a.aim == "joint" or job.rule is not None:
            options["aim"] = "all" if job.rule is None else self.rules[job.rule]
        x, y = self.split.images, self.split.labels
        parts = torch.split(rows, self.batch_size) if len(rows) else ()
        return [a.attack(aimed, x[part], y[part], budget, a.attacker, **options) for part in parts]

    def victim(self, draw: int = 0) -> Classifier:
        """Return the classifier with the draw of this number, on which everything is scored."""
        victim = self.classifier.at()
        victim.generator = torch.Generator().manual_seed(self.seed + BETWEEN_DRAWS * draw)
        return victim

    @torch.no_grad()
    def _read(self, images: Tensor, labels: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return predictions at every exit ``[T, N]``, and whether each rule answers correctly ``[R, N]``.

        Over several draws, the most frequent prediction (of a tie the smaller class), and what a rule is in most draws.
        """
        truth = self.split.labels if labels is None else labels
        if self.draws == 1 or not self.classifier.stochastic:
            return self._read_once(self.victim(), images, truth)
        drawn = [self._read_once(self.victim(draw), images, truth) for draw in range(self.draws)]
        predicted, right = (torch.stack(of) for of in zip(*drawn, strict=True))
        return predicted.mode(0).values, 2 * right.sum(0) > self.draws

    def _read_once(self, victim: Classifier, images: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        predicted, right = [], []
        for x, y in zip(torch.split(images, self.batch_size), torch.split(truth, self.batch_size), strict=True):
            logits, membrane = victim.read(x)
            predicted.append(victim.answers(logits, membrane))
            right.append(self._leave(logits, membrane, y))
        return torch.cat(predicted, dim=1), torch.cat(right, dim=1)

    def _leave(self, logits: Tensor, membrane: Tensor, labels: Tensor) -> Tensor:
        """Return whether each rule answers correctly, ``[R, N]``, for logits and potentials ``[T, N, K]``."""
        right = [dynamic_exit(logits, membrane, rule).predictions == labels for rule in self.rules]
        return torch.stack(right) if right else torch.zeros(0, len(labels), dtype=torch.bool)

    def wrong_in_any(self, partial: Mapping[Job, JobResult]) -> Tensor:
        """Return per ε, exit and sample whether any job so far has broken it: ``[ε, T, N]``."""
        wrong = torch.zeros(len(self.budgets), self.classifier.num_steps, len(self.split), dtype=torch.bool)
        for result in partial.values():
            wrong |= result["predictions"].long() != self.split.labels
        return wrong.int().cummax(0).values.bool()

    def right_by_rule(self, partial: Mapping[Job, JobResult]) -> Tensor:
        """Return per ε, rule and sample whether it is right on every image so far: ``[ε, R, N]``."""
        right = torch.ones(len(self.budgets), len(self.rules), len(self.split), dtype=torch.bool)
        for result in partial.values():
            right &= result["dynamic"]
        return right.int().cummin(0).values.bool()

    def broken_for(self, job: Job, partial: Mapping[Job, JobResult]) -> Tensor | None:
        """Return the samples ``[ε, N]`` that a job on the survivors leaves alone; ``None`` for a job on all samples."""
        if not job.attack.on_survivors:
            return None
        broken = self._lost(job, self.wrong_in_any(partial), self.right_by_rule(partial))
        if job.attack.sample:
            broken[:, job.attack.sample :] = True
        if self.proved is not None and job.rule is None and job.attack.aim != "joint":
            broken |= self.proved[:, job.exit_step - 1]
        return broken

    def called_for(self, job: Job, partial: Mapping[Job, JobResult]) -> bool:
        """Return whether to run a job: if the attack in ``SuiteAttack.only_if`` has broken enough."""
        if not job.attack.only_if:
            return True
        before = {j: r for j, r in partial.items() if (j.attack.name, j.exit_step) != (job.attack.only_if, job.exit_step)}
        if len(before) == len(partial):
            return False
        fallen = (self.wrong_in_any(partial) & ~self.wrong_in_any(before))[:, job.exit_step - 1].sum(1).max()
        return int(fallen) >= ENOUGH * (job.attack.sample or len(self.split))

    @torch.no_grad()
    def clean_exits(self) -> tuple[list[float], list[float]]:
        """Return mean exit step and mean energy in pJ of every rule on the clean samples."""
        victim = self.victim()
        logits, membrane = victim.read(self.split.images)
        used = energy(victim, self.split.images)
        leaves = [dynamic_exit(logits, membrane, rule) for rule in self.rules]
        spent = [round(float(used.at(exits.exit_steps).mean()), 1) for exits in leaves]
        return [round(exits.mean_exit_step, 4) for exits in leaves], spent


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
