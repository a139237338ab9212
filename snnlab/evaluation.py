r"""Evaluation: accuracy over attacks × ε × exit step, each number with its interval, attack list and flags.

For every exit step the attacks are aimed at *that* exit. These rules make a number an honest upper bound of robustness:

* An image found within a small ε also lies within every larger one, and counts there: accuracy never rises with ε, and an
  attack need not be run again on a sample that it has broken already.
* ``worst`` counts a sample as wrong if any attack of the suite, aimed at any exit, breaks it at this exit.
* The costly attacks of a suite (``standing``) are run on the survivors of the others, and count in ``worst`` alone; ``left``
  says how many survive each. They go from large to small ε: a sample that survives them is not attacked within smaller ones.
* A convergence check ends the suite "standard": twice the steps and restarts on a sample, and twice again, until less than one
  sample in a hundred falls; else the number is flagged *attacks have not ended*.
* A *dynamic* exit is judged on every image that the suite made for a sample, aimed at any exit.
* A prediction that is silent is wrong.

``evaluate_robustness`` is the front door: a suite by name, the network inspected first, jobs cached. What qualifies a number
is in ``snnlab.flags``, intervals are in ``snnlab.records``: they follow from the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial as partial_of
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from snnlab.attack import INFORMED, Budget, sa_pgd
from snnlab.data import Split
from snnlab.decoding import SILENT
from snnlab.energy import energy
from snnlab.exiting import ExitRule
from snnlab.flags import FLAGS
from snnlab.inspection import inspect
from snnlab.jobs import JobCache, Run, jobs_of
from snnlab.network import Classifier
from snnlab.records import seed_summary, summary, wilson_interval
from snnlab.suites import ENOUGH, QUICK, SUITES, SuiteAttack

__all__ = ["Evaluation", "evaluate", "evaluate_robustness", "seed_summary", "summary", "wilson_interval"]

WORST = "worst"
CUSTOM = "custom"  # a list of attacks that is not one of ``SUITES``
WORST_IN_WORDS = "per-sample worst case over all attacks listed here, aimed at any exit that was measured"
HUGE_EPS = 0.5  # every image can be made uniformly grey
CHECKED = 100  # samples of the check at HUGE_EPS
CLEARLY = 0.02  # a fraction of the samples that is no accident
#: pairs of attacks of which the first knows or does at least as much as the second
DOMINATES = (
    ("fgsm.informed", "fgsm.naive"),
    ("pgd.informed", "pgd.naive"),
    ("pgd.naive", "fgsm.naive"),
    ("pgd.informed", "fgsm.informed"),
)


@dataclass
class Evaluation:
    """Counts of correct and silent answers, ``[exit][ε]`` for every attack, and what qualifies them.

    ``exits`` are the exit steps of the rows. ``left``: how many survive each attack on the survivors, in the order of the
    suite. ``samples``: of attacks that ran on the first samples alone, how many. ``energy_pj`` is the mean of the clean samples
    at every exit ``1 … T``, where it can be counted. ``dynamic`` has a row for every exit rule that was asked for. ``standing``
    ``[ε, N]``: the samples that no attack has broken at the last exit. ``notes``: flags of the network itself.
    """

    n: int
    eps: list[float]
    num_steps: int
    exits: list[int]
    correct: dict[str, list[list[int]]]
    silent: dict[str, list[list[int]]]
    zero_gradient: dict[str, list[float]] = field(default_factory=dict)
    moved: dict[str, list[float]] = field(default_factory=dict)
    left: dict[str, list[list[int]]] = field(default_factory=dict)
    energy_pj: list[float] | None = None
    dynamic: dict[str, Any] | None = None
    norm: str = "Linf"
    suite: str = CUSTOM
    attacks: dict[str, str] = field(default_factory=dict)
    probes: dict[str, str] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    diagnostics: dict[str, float] = field(default_factory=dict)
    standing: Tensor | None = field(default=None, repr=False, compare=False)

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
        found: dict[str, list[str]] = {}
        for name in self.correct:
            notes = [FLAGS["single_seed"]()] if seeds == 1 else []
            if max(self.zero_gradient.get(name, [0.0])) > 0.5:
                notes.append(FLAGS["zero_gradient"](f"{max(self.zero_gradient[name]):.0%} of the pixels"))
            silent = max(self.silent[name][-1]) / self.n
            if silent > 0.01:
                notes.append(FLAGS["silent"](f"{silent:.1%}"))
            white_box = name.startswith(("fgsm", "pgd"))
            if white_box and "transfer" in last and _beats(last["transfer"], last[name], self.n):
                notes.append(FLAGS["transfer_beats"]())
            if white_box and "noise" in last and _beats(last["noise"], last[name], self.n):
                notes.append(FLAGS["noise_beats"]())
            if (white_box or name == WORST) and last[name][-1] > 0.2 * self.n and self.eps[-1] >= HUGE_EPS:
                notes.append(FLAGS["not_near_chance"](f"{self.eps[-1]:g}"))
            found[name] = notes
        for stronger, weaker in DOMINATES:
            if stronger in last and weaker in last and _beats(last[weaker], last[stronger], self.n):
                found[stronger].append(FLAGS["attacks_disagree"](f"{weaker} breaks more"))
        if WORST in found:
            found[WORST] += self._probed() + self.notes
        return found

    def _probed(self) -> list[str]:
        """What the last attacks on the survivors reveal about those before them."""
        notes = []
        before: list[int] | None = None
        unfinished = ""
        for name, counts in self.left.items():
            drop = max((b - a for b, a in zip(before or counts[-1], counts[-1], strict=True)), default=0)
            if drop > CLEARLY * self.n and self.probes.get(name) == "gradient_free":
                notes.append(FLAGS["gradient_free_beats"](f"{drop / self.n:.1%} more ({name})"))
            if self.probes.get(name) == "more_steps":
                sample = self.samples.get(name, self.n)
                unfinished = f"longer ones break {drop / sample:.1%} more ({name})" if drop >= ENOUGH * sample else ""
            before = counts[-1]
        if unfinished:
            notes.append(FLAGS["not_ended"](unfinished))
        huge = self.diagnostics.get("accuracy_at_huge_eps", 0.0)
        if huge > 2 * self.diagnostics.get("chance", 1.0):
            notes.append(FLAGS["not_near_chance"](f"{HUGE_EPS:g} ({huge:.0%})"))
        return notes

    def record(self, seeds: int = 1) -> dict[str, Any]:
        """Everything as plain data, with flags, for a results file."""
        kept = {key: value for key, value in vars(self).items() if key != "standing" and value not in (None, {}, [])}
        return kept | {"flags": self.flags(seeds)}


def _beats(stronger: Sequence[int], weaker: Sequence[int], n: int) -> bool:
    """Whether one attack leaves clearly fewer correct than another, at any ε."""
    return any(a < b - CLEARLY * n for a, b in zip(stronger, weaker, strict=True))


def evaluate_robustness(
    model: nn.Module,
    data: Split | tuple[Tensor, Tensor],
    budgets: Sequence[float | Budget],
    suite: str | Sequence[SuiteAttack] = "quick",
    *,
    source: nn.Module | None = None,
    exits: Sequence[int] | None = None,
    rules: Sequence[ExitRule] = (),
    seed: int = 0,
    batch_size: int = 250,
    cache: str | Path | None = None,
    progress: bool = True,
) -> Evaluation:
    """Inspect a network, attack it by a suite from cheap to costly, and return the worst case per sample with its flags.

    Args:
        model: a ``Classifier``; or a module from images to logits, which is taken for a conventional network. A module of
            snnTorch neurons that reads a sequence goes behind its code first: ``Classifier(net, encoder("direct"))``.
        data: images ``[N, C, H, W]`` in [0, 1] and labels ``[N]``.
        budgets: radii rising from 0, or budgets of one norm.
        suite: a key of ``snnlab.suites.SUITES``, or attacks of your own choice.
        source: a network on which transferred attacks are made; best an ANN trained on the same data.
        exits: exit steps to attack and read; default the last.
        rules: dynamic exits to judge as well.
        seed: of all randomness.
        batch_size: images attacked at once.
        cache: folder for the results of single attacks. The same attack on the same weights and images is not run again, and
            an evaluation that was stopped goes on from there.
        progress: whether to show a progress bar.

    Raises:
        ValueError: unknown suite; bad data, budgets, exits or rules; a network that cannot be attacked (``snnlab.inspection``).
    """
    if isinstance(suite, str) and suite not in SUITES:
        raise ValueError(f"unknown suite {suite!r}; choose one of {', '.join(SUITES)}")
    classifier, split = _classifier(model), _split(data)
    eps, norm = _radii(budgets)
    notes = inspect(classifier, split.images, split.labels)
    found = evaluate(
        classifier,
        split,
        eps,
        norm=norm,
        suite=SUITES[suite] if isinstance(suite, str) else suite,
        exits=exits or [classifier.exit_step],
        rules=rules,
        source=None if source is None else _classifier(source),
        seed=seed,
        batch_size=batch_size,
        cache=cache,
        progress=progress,
    )
    found.suite = suite if isinstance(suite, str) else CUSTOM
    found.notes, found.diagnostics = notes, _at_huge_eps(classifier, split, seed)
    return found


def evaluate(
    classifier: Classifier,
    split: Split,
    eps: Sequence[float],
    *,
    norm: str = "Linf",
    suite: Sequence[SuiteAttack] = QUICK,
    exits: Sequence[int] | None = None,
    rules: Sequence[ExitRule] = (),
    source: Classifier | None = None,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = True,
    cache: str | Path | None = None,
    done: dict[str, Any] | None = None,
    save: Callable[[dict[str, Any]], None] | None = None,
) -> Evaluation:
    """Run any list of attacks on every exit and ε and count who is left.

    Args:
        classifier: model under test.
        split: images and labels.
        eps: radii in pixel units, rising, the first 0.
        norm: of the budgets, see ``snnlab.attack.Budget``.
        suite: attacks, run in this order; those on what still stands come last.
        exits: exit steps to aim at; default all.
        rules: dynamic exits to judge as well, of a spiking classifier.
        source: where transferred attacks are made (the ANN twin); without it they are left out.
        seed: of all randomness. Attacks on one exit at one ε start from the same numbers, so that neither the suite nor a resume
            changes what one of them finds; of two that search the same samples the first starts are the same.
        batch_size: images attacked at once.
        progress: whether to show a progress bar.
        cache: folder for the results of jobs (``snnlab.jobs.JobCache``).
        done: partial results to take up.
        save: called with the partial results after each job.

    Raises:
        ValueError: ``eps`` not rising from 0, unknown norm or exit, rules for an ANN, a suite whose order is another.
    """
    if not eps or eps[0] != 0 or any(b <= a for a, b in pairwise(eps)):
        raise ValueError(f"eps must rise from 0, got {list(eps)}")
    if rules and classifier.encoder is None:
        raise ValueError("an ANN has one exit only; give no rules")
    if any(a.standing and not b.standing for a, b in pairwise(suite)):
        raise ValueError("attacks on the survivors must come last in a suite")
    steps = classifier.num_steps
    exits = sorted(exits or range(1, steps + 1))
    for e in exits:
        classifier.at(exit_step=e)  # raises before any work is done
    attacks = [
        a.for_code(classifier.encoder) for a in suite if a.suits(classifier, norm) and (source is not None or not a.transfer)
    ]
    partial = done if done is not None else {}
    jobs = jobs_of(attacks, exits, steps, len(rules))
    budgets = [Budget(e, norm) for e in eps]
    run = Run(classifier, source, split, budgets, exits, tuple(rules), seed, batch_size)
    kept = JobCache(Path(cache), run) if cache is not None else None
    with tqdm(total=sum(job.attack.cost for job in jobs), unit="pass", disable=not progress) as bar:
        for job in jobs:
            bar.set_postfix_str(job.key)
            if job.key not in partial and run.called_for(job, partial):
                broken = run.broken_for(job, partial)
                make = partial_of(run, job, broken)
                partial[job.key] = kept(job, broken, make) if kept else make()
                if save is not None:
                    save(partial)
            bar.update(job.attack.cost)
    return _collect(attacks, partial, run)


def _collect(attacks: Sequence[SuiteAttack], partial: dict[str, Any], run: Run) -> Evaluation:
    """Counts per attack, and the per-sample worst case over all of them."""
    labels, exits = run.split.labels, run.exits
    rows = [e - 1 for e in exits]
    wrong: dict[str, Tensor] = {}
    silent: dict[str, Tensor] = {}
    zero, moved, left = {}, {}, {}
    so_far: dict[str, Any] = {}
    for a in attacks:
        own = {key: found for key, found in partial.items() if key.split("@")[0] == a.name}
        so_far |= own
        if not own:  # a joint attack where there is one exit, an attack on rules where there are none
            continue
        by_exit = {int(key.split("@")[1].split("#")[0]): found for key, found in own.items()}
        last = by_exit[max(by_exit)]
        answers = torch.stack([by_exit.get(e, last)["predictions"].long()[:, e - 1] for e in exits], dim=1)
        silent[a.name] = answers == SILENT
        if a.standing:
            left[a.name] = (~run.wrong_in_any(so_far)[:, rows]).sum(-1).T.tolist()
            continue
        # Noise is a control, not a search: what it finds at one ε says nothing of the next.
        wrong[a.name] = answers != labels if a.method == "noise" else (answers != labels).int().cummax(0).values.bool()
        zero[a.name], moved[a.name] = last["zero_gradient"], last["moved"]
    worst = run.wrong_in_any(partial)[:, rows]
    if silent:
        wrong[WORST] = worst
        silent[WORST] = torch.stack(list(silent.values())).any(0)
    ran = [a for a in attacks if a.name in silent]
    return Evaluation(
        n=len(run.split),
        eps=[budget.eps for budget in run.budgets],
        num_steps=run.classifier.num_steps,
        exits=exits,
        correct={name: (~w).sum(-1).T.tolist() for name, w in wrong.items()},
        silent={name: silent[name].sum(-1).T.tolist() for name in wrong},
        zero_gradient=zero,
        moved=moved,
        left=left,
        energy_pj=_energy(run),
        dynamic=_dynamic(run, partial) if run.rules else None,
        norm=run.budgets[0].norm,
        attacks={a.name: a.description for a in ran} | ({WORST: WORST_IN_WORDS} if ran else {}),
        probes={a.name: a.probe for a in ran if a.probe},
        samples={a.name: a.sample for a in ran if a.sample},
        standing=~worst[:, -1],
    )


def _energy(run: Run) -> list[float] | None:
    """Mean energy of the clean samples at every exit, in pJ; ``None`` for a network that cannot be counted."""
    classifier = run.classifier.at()
    classifier.generator = torch.Generator().manual_seed(run.seed)
    try:
        return [round(float(e), 1) for e in energy(classifier, run.split.images).picojoules.mean(1)]
    except ValueError:
        return None


def _dynamic(run: Run, partial: dict[str, Any]) -> dict[str, Any]:
    """What every rule gives: who is right on all images of the suite up to each ε, and what the clean samples cost."""
    right = run.right_by_rule(partial)
    counts = {f"{budget.eps:g}": right[k].sum(-1).tolist() for k, budget in enumerate(run.budgets)}
    return {"rules": [asdict(rule) for rule in run.rules], "correct": counts, **run.clean_exits()}


def _at_huge_eps(classifier: Classifier, split: Split, seed: int) -> dict[str, float]:
    """Accuracy where an attacker can make all images alike: anything far from chance is the attack's failure."""
    few, generator = split[slice(CHECKED)], torch.Generator().manual_seed(seed)
    victim = classifier.at(exit_step=classifier.exit_step)
    victim.generator = generator
    found = sa_pgd(victim, few.images, few.labels, Budget(HUGE_EPS), INFORMED, steps=20, generator=generator)
    accuracy = 1 - float(found.success.float().mean())
    return {"accuracy_at_huge_eps": round(accuracy, 4), "chance": 1 / found.logits.shape[-1]}


def _classifier(model: nn.Module) -> Classifier:
    return model if isinstance(model, Classifier) else Classifier(model)


def _split(data: Split | tuple[Tensor, Tensor]) -> Split:
    if isinstance(data, Split):
        return data
    images, labels = data
    return Split(images, labels, int(labels.max()) + 1)


def _radii(budgets: Sequence[float | Budget]) -> tuple[list[float], str]:
    """Radii and their norm."""
    norms = {b.norm if isinstance(b, Budget) else "Linf" for b in budgets}
    if len(norms) != 1:
        raise ValueError(f"budgets of one evaluation need one norm, got {sorted(norms) or 'none'}")
    return [b.eps if isinstance(b, Budget) else float(b) for b in budgets], norms.pop()
