"""Jobs: the pieces of an evaluation, each one attack aimed at one exit (or all, or a dynamic one) over all samples and ε.

A job gives what the victim answers at every exit and by every exit rule, so that whatever an attack was aimed at, it counts
everywhere. Jobs are what is saved, resumed and cached: an evaluation that was stopped goes on to the same numbers.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from snnlab.attack import AttackResult, Budget
from snnlab.data import Split
from snnlab.energy import energy
from snnlab.exiting import ExitRule, dynamic_exit
from snnlab.network import Classifier, constants
from snnlab.suites import ENOUGH, SuiteAttack

__all__ = ["Job", "JobCache", "Run"]

Found = dict[str, Any]


@dataclass(frozen=True)
class Job:
    """One attack, aimed at exit ``exit_step``; or, with ``rule``, at the dynamic exit of that number among the run's."""

    attack: SuiteAttack
    exit_step: int
    rule: int | None = None

    @property
    def key(self) -> str:
        """Its name among the jobs of one evaluation."""
        return f"{self.attack.name}@{self.exit_step}" + ("" if self.rule is None else f"#{self.rule}")


def jobs_of(attacks: Sequence[SuiteAttack], exits: Sequence[int], num_steps: int, num_rules: int) -> list[Job]:
    """All jobs of a suite, in its order."""
    found: list[Job] = []
    for a in attacks:
        if a.aim == "rules":
            found += [Job(a, num_steps, k) for k in range(num_rules)]
        elif a.aim == "last":
            found += [Job(a, max(exits))]
        elif a.aim == "joint":
            found += [Job(a, num_steps)] if len(exits) > 1 else []
        else:
            found += [Job(a, e) for e in (exits if a.aims else [num_steps])]
    return found


@dataclass(frozen=True)
class _Step:
    """What a job found at one ε: answers ``[T, N]``, whether each rule is right ``[R, N]``, and diagnostics."""

    predicted: Tensor
    dynamic: Tensor
    zero_gradient: float = 0.0
    moved: float = 0.0


@dataclass
class Run:
    """What all jobs of one evaluation share: the victim, the samples, the budgets."""

    classifier: Classifier
    source: Classifier | None
    split: Split
    budgets: list[Budget]
    exits: list[int]
    rules: tuple[ExitRule, ...]
    seed: int
    batch_size: int

    def __call__(self, job: Job, broken: Tensor | None) -> Found:
        """Run one job: answers at every exit ``[ε, T, N]``, whether each rule is right ``[ε, R, N]``, and diagnostics.

        An attack on all samples goes from small to large ε, and a sample that is broken keeps its image. An attack on the
        survivors goes from large to small ε: a sample that survives it at one ε is not attacked at smaller ones, since an image
        that broke it there would break it here too.

        Args:
            job: which attack, and where it aims.
            broken: ``[ε, N]``: samples to leave alone; of an attack on the survivors.
        """
        a = job.attack
        target = self.source if a.transfer and self.source is not None else self.classifier
        aimed = target.at(exit_step=job.exit_step if a.aims else None)
        images = self.split.images.clone()
        predicted, dynamic = self._read(images)
        clean = _Step(predicted, dynamic)
        found = {0: clean}
        lost, reached = self._lost(job, predicted, dynamic), torch.ones(len(self.split), dtype=torch.bool)
        radii = range(1, len(self.budgets))
        for k in radii if broken is None else reversed(radii):
            searched = torch.ones_like(lost) if a.method == "noise" else ~lost
            if broken is not None:
                searched = reached & ~broken[k] & ~lost
            rows = torch.nonzero(searched).flatten()
            results = list(self._attack(job, aimed, rows, self.budgets[k], self.seed + 1000 * k + aimed.exit_step))
            if broken is not None:
                images, predicted, dynamic = self.split.images.clone(), clean.predicted, clean.dynamic
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
            now = self._lost(job, predicted, dynamic)
            if broken is None:
                lost = lost | now
            else:
                reached = broken[k] | now
            zero = [r.zero_gradient for r in results if r.zero_gradient is not None]
            moved = sum(r.moved for r in results) / len(results) if results else 0.0
            found[k] = _Step(predicted, dynamic, sum(zero) / len(zero) if zero else 0.0, moved)
        steps = [found[k] for k in range(len(self.budgets))]
        return {
            "predictions": torch.stack([step.predicted for step in steps]).to(torch.int8),
            "dynamic": torch.stack([step.dynamic for step in steps]),
            "zero_gradient": [step.zero_gradient for step in steps],
            "moved": [step.moved for step in steps],
        }

    def _lost(self, job: Job, predicted: Tensor, dynamic: Tensor) -> Tensor:
        """Whether a sample is broken where the job aims, ``[N]``, from answers ``[T, N]`` and rules ``[R, N]``."""
        if job.rule is not None:
            return ~dynamic[job.rule]
        wrong = predicted != self.split.labels
        if job.attack.aim == "joint":
            return wrong[[e - 1 for e in self.exits]].all(0)
        return wrong[job.exit_step - 1]

    def _attack(self, job: Job, aimed: Classifier, rows: Tensor, budget: Budget, seed: int) -> Iterator[AttackResult]:
        generator = torch.Generator().manual_seed(seed)
        aimed.generator = generator
        rule = None if job.rule is None else self.rules[job.rule]
        for part in torch.split(rows, self.batch_size):
            if len(part):
                yield job.attack.run(aimed, self.split.images[part], self.split.labels[part], budget, generator, rule)

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

    def wrong_in_any(self, partial: dict[str, Found]) -> Tensor:
        """Per ε, exit and sample, whether any job so far has broken it: ``[ε, T, N]``."""
        wrong = torch.zeros(len(self.budgets), self.classifier.num_steps, len(self.split), dtype=torch.bool)
        for found in partial.values():
            wrong |= found["predictions"].long() != self.split.labels
        return wrong.int().cummax(0).values.bool()

    def right_by_rule(self, partial: dict[str, Found]) -> Tensor:
        """Per ε, rule and sample, whether it is right on every image so far: ``[ε, R, N]``."""
        right = torch.stack([found["dynamic"] for found in partial.values()]).all(0)
        return right.int().cummin(0).values.bool()

    def broken_for(self, job: Job, partial: dict[str, Found]) -> Tensor | None:
        """The samples ``[ε, N]`` that a job on the survivors may leave alone; ``None`` for a job that looks at all."""
        if not job.attack.standing:
            return None
        wrong = self.wrong_in_any(partial)
        if job.rule is not None:
            broken = ~self.right_by_rule(partial)[:, job.rule]
        elif job.attack.aim == "joint":
            broken = wrong[:, [e - 1 for e in self.exits]].all(1)
        else:
            broken = wrong[:, job.exit_step - 1]
        if job.attack.sample:
            broken[:, job.attack.sample :] = True
        return broken

    def called_for(self, job: Job, partial: dict[str, Found]) -> bool:
        """Whether a job is to be run: always, unless it depends on what another one has broken (``SuiteAttack.only_if``)."""
        if not job.attack.only_if:
            return True
        key = f"{job.attack.only_if}@{job.exit_step}"
        if key not in partial:
            return False
        before = {name: found for name, found in partial.items() if name != key}
        fallen = (self.wrong_in_any(partial) & ~self.wrong_in_any(before))[:, job.exit_step - 1].sum(1).max()
        return int(fallen) >= ENOUGH * (job.attack.sample or len(self.split))

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


class JobCache:
    """Results of jobs in a folder, under a hash of everything that decides them: weights, data, attack, budgets, seed.

    Args:
        folder: made if it is not there; may be shared by many evaluations.
        run: what its jobs share.

    A network is known by its modules, their plain attributes, weights and buffers: change what ``forward`` does without
    changing these, and the folder must be cleared.
    """

    def __init__(self, folder: Path, run: Run) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        networks = [_described(run.classifier), _described(run.source) if run.source else ""]
        settings = [run.budgets, run.rules, run.exits, run.seed, run.batch_size, torch.__version__]
        self._shared = _hash(repr(networks + settings).encode(), *map(_bytes, (run.split.images, run.split.labels)))

    def __call__(self, job: Job, broken: Tensor | None, make: Callable[[], Found]) -> Found:
        """The result of a job: read, or made and kept."""
        mask = b"" if broken is None else _bytes(broken)
        path = self.folder / f"{_hash(self._shared.encode(), repr(job).encode(), mask)}.pt"
        if path.exists():
            kept: Found = torch.load(path, weights_only=True)
            return kept
        found = make()
        part_written = path.with_suffix(".part")
        torch.save(found, part_written)
        part_written.replace(path)
        return found


def _described(classifier: Classifier) -> str:
    weights = _hash(*(name.encode() + _bytes(value) for name, value in classifier.network.state_dict().items()))
    # Left out where there are none: what was kept before classifiers knew of levels is found as before.
    levels = () if classifier.levels is None else (classifier.levels,)
    return repr((constants(classifier.network), classifier.encoder, classifier.decoder, weights, *levels))


def _bytes(values: Tensor) -> bytes:
    return values.detach().cpu().contiguous().numpy().tobytes()


def _hash(*parts: bytes) -> str:
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "little") + part)
    return found.hexdigest()
