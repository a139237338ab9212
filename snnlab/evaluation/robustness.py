r"""Evaluation: accuracy over attacks × ε × exit step, an upper bound of robustness by these rules.

* Every exit step is attacked by itself. ``worst`` counts a sample as wrong if any attack, aimed at any exit, breaks it.
* An image within a small ε counts within every larger one: accuracy never rises with ε.
* The costly attacks of a suite (``on_survivors``) run on samples that survived all earlier attacks, from large to small ε, and
  count in ``worst`` alone; ``survivors`` holds how many survive each.
* The suite "standard" ends by a convergence check: twice the steps and restarts, and twice again, until less than one sample in a
  hundred falls; otherwise the number has the flag *attacks have not ended*.
* A *dynamic* exit is scored on every image that the suite made for a sample. A silent prediction is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from snnlab.attacks import INFORMED, Budget, attack, sa_pgd_attack
from snnlab.attacks.result import check_counts
from snnlab.data import Split
from snnlab.evaluation.cache import JobCache
from snnlab.evaluation.flags import FLAGS
from snnlab.evaluation.result import HUGE_EPS, WORST, Evaluation
from snnlab.evaluation.runner import Job, JobResult, Run, jobs_of
from snnlab.evaluation.sanity_checks import inspect
from snnlab.evaluation.suites import QUICK, SUITES, SuiteAttack
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import SILENT
from snnlab.networks.early_exit import ExitRule
from snnlab.networks.energy import energy
from snnlab.statistics.parts import DynamicExits

__all__ = ["WORST", "Evaluation", "evaluate", "evaluate_robustness"]

WORST_DESCRIPTION = "per-sample worst case over all attacks listed here, aimed at any exit that was measured"
SQUARE_QUERIES = 300  # of that check, where no gradient reaches the image
CHECKED = 100  # samples of the check at HUGE_EPS


def evaluate_robustness(
    model: nn.Module,
    data: Split | tuple[Tensor, Tensor],
    budgets: Sequence[float | str | Budget],
    suite: str | Sequence[SuiteAttack] = "quick",
    *,
    source: nn.Module | None = None,
    exits: Sequence[int] | None = None,
    rules: Sequence[ExitRule] = (),
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = True,
    cache: str | Path | None = None,
    proved: Tensor | None = None,
    draws: int = 1,
) -> Evaluation:
    """Inspect a network, attack it by a suite from cheap to costly, and return the worst case per sample with its flags.

    Args:
        model: a ``Classifier``, or any module that ``Classifier.of(net, images)`` recognises.
        data: images ``[N, C, H, W]`` in [0, 1] and labels ``[N]`` (integers, a list or one-hot rows).
        budgets: radii rising from 0, such as ``[0, "8/255"]``, or budgets of one norm.
        suite: a key of ``snnlab.evaluation.suites.SUITES``, or a list of attacks.
        source: a network on which transferred attacks are made; best an ANN trained on the same data.
        exits: exit steps to attack and read; default the last.
        rules: dynamic exits to score as well.
        seed: of all randomness; neither the suite nor a resume changes the starts of an attack.
        batch_size: images attacked at once.
        progress: whether to show a progress bar.
        cache: folder for the results of single attacks, from which a stopped evaluation resumes.
        proved: samples that no attack can break (``snnlab.evaluation.certificates``), ``[ε, T, N]``: attacks that run on the
            survivors spare them.
        draws: how many draws of a random code answer together, by majority; 1: each attack meets one draw.

    Raises:
        ValueError: unknown suite; fewer than one draw; bad data, budgets, exits or rules; a network that cannot be attacked.

    >>> from snnlab import data, evaluate_robustness, zoo
    >>> digits = data.load("mnist5k").test[:10]
    >>> result = evaluate_robustness(zoo.load("onset"), digits, [0, "8/255"], progress=False)
    >>> result.n, result.suite
    (10, 'quick')
    """
    if isinstance(suite, str) and suite not in SUITES:
        raise ValueError(f"unknown suite {suite!r}; choose one of {', '.join(SUITES)}")
    name, attacks = (suite, SUITES[suite]) if isinstance(suite, str) else ("custom", suite)
    images, labels = (data.images, data.labels) if isinstance(data, Split) else data
    classifier = Classifier.of(model, images)
    images, labels = as_batch(classifier, images, labels)
    notes = inspect(classifier, images, labels, data.num_classes if isinstance(data, Split) else None)
    split = Split(images, labels, data.num_classes if isinstance(data, Split) else int(labels.max()) + 1)
    if FLAGS["no_gradient"]() in notes:
        name, attacks = "gradient_free", SUITES["gradient_free"]
    result = evaluate(
        classifier,
        split,
        budgets,
        suite=attacks,
        exits=exits or [classifier.exit_step],
        rules=rules,
        source=None if source is None else Classifier.of(source, images),
        seed=seed,
        batch_size=batch_size,
        progress=progress,
        cache=cache,
        proved=proved,
        draws=draws,
    )
    if draws > 1 and classifier.stochastic:
        notes = [note for note in notes if note != FLAGS["single_draws"]()]
    return replace(
        result, suite=name, notes=notes, diagnostics=_at_huge_eps(classifier, split, seed, name != "gradient_free")
    ).with_flags()


def evaluate(
    classifier: Classifier,
    split: Split,
    budgets: Sequence[float | str | Budget],
    *,
    suite: Sequence[SuiteAttack] = QUICK,
    exits: Sequence[int] | None = None,
    rules: Sequence[ExitRule] = (),
    source: Classifier | None = None,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = True,
    cache: str | Path | None = None,
    proved: Tensor | None = None,
    draws: int = 1,
) -> Evaluation:
    """Run a list of attacks on every exit and ε without inspecting the network; arguments as ``evaluate_robustness``.

    Args:
        suite: attacks in their order; those on the survivors come last.
        exits: default all.

    Raises:
        ValueError: radii that do not rise from 0, an unknown exit, rules for an ANN, a suite in another order.
    """
    radii = [b if isinstance(b, Budget) else Budget(b if isinstance(b, str) else float(b)) for b in budgets]
    norms = {budget.norm for budget in radii}
    if len(norms) != 1:
        raise ValueError(f"budgets of one evaluation need one norm, got {sorted(norms) or 'none'}")
    eps, norm = [budget.eps for budget in radii], norms.pop()
    if eps[0] != 0 or any(b <= a for a, b in pairwise(eps)):
        raise ValueError(f"eps must rise from 0, got {eps}")
    if rules and classifier.encoder is None:
        raise ValueError("an ANN has one exit only; give no rules")
    if any(a.on_survivors and not b.on_survivors for a, b in pairwise(suite)):
        raise ValueError("attacks on the survivors must come last in a suite")
    exits = sorted(exits or range(1, classifier.num_steps + 1))
    for e in exits:
        classifier.at(exit_step=e)  # raises before any work is done
    attacks = [
        a.for_code(classifier.encoder) for a in suite if a.suits(classifier, norm) and (source is not None or not a.transfer)
    ]
    jobs = jobs_of(attacks, exits, classifier.num_steps, len(rules))
    check_counts(draws=draws)
    run = Run(classifier, source, split, radii, exits, tuple(rules), seed, batch_size, proved, draws)
    stored = JobCache(Path(cache), run) if cache is not None else None
    partial: dict[Job, JobResult] = {}
    with tqdm(total=sum(job.attack.attack.cost for job in jobs), unit="pass", disable=not progress) as bar:
        for job in jobs:
            bar.set_postfix_str(f"{job.attack.name}, exit {job.exit_step}")
            if run.called_for(job, partial):
                broken = run.broken_for(job, partial)
                partial[job] = stored(job, broken) if stored else run(job, broken)
            bar.update(job.attack.attack.cost)
    return _collect(attacks, partial, run)


def _collect(attacks: Sequence[SuiteAttack], partial: dict[Job, JobResult], run: Run) -> Evaluation:
    """Count per attack, and the per-sample worst case over all of them."""
    rows = [e - 1 for e in run.exits]
    wrong: dict[str, Tensor] = {}
    silent: dict[str, Tensor] = {}
    zero, moved, survivors = {}, {}, {}
    so_far: dict[Job, JobResult] = {}
    for a in attacks:
        results = {job: result for job, result in partial.items() if job.attack.name == a.name}
        so_far |= results
        if not results:  # a joint attack where there is one exit, an attack on rules where there are none
            continue
        by_exit = {job.exit_step: result for job, result in results.items()}
        last = by_exit[max(by_exit)]
        answers = torch.stack([by_exit.get(e, last)["predictions"].long()[:, e - 1] for e in run.exits], dim=1)
        silent[a.name] = answers == SILENT
        if a.on_survivors:
            survivors[a.name] = (~run.wrong_in_any(so_far)[:, rows]).sum(-1).T.tolist()
            continue
        wrong[a.name] = answers != run.split.labels
        if not a.attack.control:  # of a control, the result at one ε says nothing about the next
            wrong[a.name] = wrong[a.name].int().cummax(0).values.bool()
        zero[a.name], moved[a.name] = last["zero_gradient"], last["moved"]
    ran = [a for a in attacks if a.name in silent]
    worst = run.wrong_in_any(partial)[:, rows]
    if ran:
        wrong[WORST], silent[WORST] = worst, torch.stack(list(silent.values())).any(0)
    drawn = f"; an answer is the majority of {run.draws} draws" if run.draws > 1 and run.classifier.stochastic else ""
    return Evaluation(
        n=len(run.split),
        eps=[budget.eps for budget in run.budgets],
        num_steps=run.classifier.num_steps,
        exits=run.exits,
        correct={name: (~w).sum(-1).T.tolist() for name, w in wrong.items()},
        silent={name: silent[name].sum(-1).T.tolist() for name in wrong},
        zero_gradient=zero,
        moved=moved,
        survivors=survivors,
        energy_pj=_energy(run),
        dynamic=_dynamic(run, partial) if run.rules else None,
        norm=run.budgets[0].norm,
        suite="custom",
        attacks={a.name: a.description for a in ran} | ({WORST: WORST_DESCRIPTION + drawn} if ran else {}),
        probes={a.name: a.probe for a in ran if a.probe},
        samples={a.name: a.sample for a in ran if a.sample},
        white_box=[a.name for a in ran if a.white_box],
        unbroken=~worst[:, -1],
    ).with_flags()


def _energy(run: Run) -> list[float] | None:
    """Return the mean energy of the clean samples at every exit, in pJ; ``None`` for a network that cannot be counted."""
    try:
        return [round(float(e), 1) for e in energy(run.victim(), run.split.images).picojoules.mean(1)]
    except ValueError:
        return None


def _dynamic(run: Run, partial: dict[Job, JobResult]) -> DynamicExits:
    """Return counts of the rules on all images up to each ε, with exit and energy of the clean samples."""
    right = run.right_by_rule(partial)
    counts = {f"{budget.eps:g}": right[k].sum(-1).tolist() for k, budget in enumerate(run.budgets)}
    return DynamicExits([asdict(rule) for rule in run.rules], counts, *run.clean_exits())


def _at_huge_eps(classifier: Classifier, split: Split, seed: int, with_gradient: bool) -> dict[str, float]:
    """Return the accuracy where an attacker can make all images alike, and chance."""
    first, generator = split[slice(CHECKED)], torch.Generator().manual_seed(seed)
    victim = classifier.at(exit_step=classifier.exit_step)
    victim.generator = generator
    batch = first.images, first.labels, Budget(HUGE_EPS)
    if with_gradient:
        result = sa_pgd_attack(victim, *batch, INFORMED, steps=20, generator=generator)
    else:
        result = attack(victim, *batch, "square", steps=SQUARE_QUERIES, generator=generator)
    accuracy = 1 - float(result.success.float().mean())
    return {"accuracy_at_huge_eps": round(accuracy, 4), "chance": 1 / result.logits.shape[-1]}
