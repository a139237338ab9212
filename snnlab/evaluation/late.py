"""Late perturbations: accuracy at every exit where the steps ``t ≥ t0`` alone are perturbed.

On the input by any registered attack (``snnlab.attacks.time_restricted``), or on the spikes themselves
(``snnlab.attacks.spike_flips``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from tqdm.auto import tqdm

from snnlab.attacks import INFORMED, Attack, Attacker, Budget, TimeRestricted
from snnlab.attacks.registry import find_attack
from snnlab.attacks.spike_flips import check_from_step, flip_attack, flip_noise
from snnlab.data import Split
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import SILENT, predictions
from snnlab.statistics.parts import LateAccuracy

__all__ = ["late_accuracy", "late_flips"]

#: perturbs a batch from a step on, and returns the predictions at every exit
Perturbed = Callable[[Classifier, Tensor, Tensor, int, torch.Generator], Tensor]


def late_accuracy(
    classifier: Classifier,
    split: Split,
    eps: float,
    from_steps: Sequence[int],
    method: str | Attack = "pgd",
    attacker: Attacker = INFORMED,
    *,
    steps: int = 10,
    **options: Any,
) -> LateAccuracy:
    """Measure the accuracy where the image changes within ε from ``t0`` on, at every exit.

    A stochastic code is judged on draws that the attack did not see.

    Args:
        classifier: a spiking one.
        split: images and labels.
        eps: L∞ radius, in pixel units.
        from_steps: every ``t0`` to measure, ``0 … T``.
        method: a key of ``snnlab.attacks.ATTACKS``, or an ``Attack``.
        attacker: what the gradient is.
        steps: iterations of the attack.
        options: ``exits``: exit steps, each attacked for itself; without them the attack aims once, at the classifier's own exit,
            and every exit up to that is read (noise: all exits). ``seed=0`` of all randomness, ``batch_size=250`` of the attack,
            ``progress=False`` for a progress bar.

    Raises:
        ValueError: an ANN, an unknown attack, ``from_steps`` or ``exits`` out of range or empty.
    """
    chosen, budget = find_attack(method).with_settings(steps=steps), Budget(eps)

    def perturbed(aimed: Classifier, x: Tensor, y: Tensor, start: int, generator: torch.Generator) -> Tensor:
        view = TimeRestricted(aimed, x, start)
        view.generator = generator
        images = chosen(view, x, y, budget, attacker, generator=generator).images
        return TimeRestricted(aimed, x, start).predict(images)

    name = None if chosen.control else attacker.name
    return _measure(classifier, split, from_steps, perturbed, chosen.name, name, {"eps": eps}, **options)


def late_flips(
    classifier: Classifier,
    split: Split,
    flips: int,
    from_steps: Sequence[int],
    method: str = "flips",
    attacker: Attacker = INFORMED,
    *,
    steps: int = 20,
    **options: Any,
) -> LateAccuracy:
    """Measure the accuracy where ``flips`` spikes of the code change from ``t0`` on, at every exit.

    Flips that are found from a later step count at every earlier one, too.

    Args:
        classifier: a spiking classifier with a binary code.
        flips: entries of each sample that may change; ``"flip_noise"`` changes exactly as many.
        method: ``"flips"`` (``flip_attack``) or ``"flip_noise"``.
        steps: rounds of the attack.
        split, from_steps, attacker, options: as in ``late_accuracy``.

    Raises:
        ValueError: as ``late_accuracy`` and ``flip_attack``.
    """
    if method not in ("flip_noise", "flips"):
        raise ValueError(f"unknown perturbation of spikes {method!r}; choose one of flip_noise, flips")

    def perturbed(aimed: Classifier, x: Tensor, y: Tensor, start: int, generator: torch.Generator) -> Tensor:
        if method == "flips":
            spikes = flip_attack(aimed, x, y, start, flips, attacker, steps=steps)
        else:
            spikes = flip_noise(aimed.encode(x).detach(), start, flips, generator)
        with torch.no_grad():
            return predictions(*aimed.respond(spikes))

    name = None if method == "flip_noise" else attacker.name
    return _measure(
        classifier, split, from_steps, perturbed, method, name, {"flips": flips}, nested=name is not None, **options
    )


def _measure(
    classifier: Classifier,
    split: Split,
    from_steps: Sequence[int],
    perturbed: Perturbed,
    method: str,
    attacker: str | None,
    size: dict[str, float],
    *,
    exits: Sequence[int] | None = None,
    nested: bool = False,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = False,
) -> LateAccuracy:
    """Run ``perturbed`` for every ``t0`` and every exit that is aimed at, and count."""
    if classifier.encoder is None:
        raise ValueError("an ANN has no steps to perturb late; give a classifier with an encoder")
    last = classifier.num_steps
    for start in from_steps:
        check_from_step(start, last)
    columns = list(range(1, classifier.exit_step + 1) if exits is None else exits)
    if not columns or not from_steps:
        raise ValueError(f"give at least one step and one exit, got from_steps {list(from_steps)} and exits {columns}")
    aimed = [classifier.exit_step] * len(columns) if exits is None else columns
    if attacker is None:
        aimed = [last] * len(columns)  # noise is aimed at nothing: one pass for all
    for e in (*columns, *aimed):
        classifier.at(exit_step=e)  # raises before any work is done

    def run(start: int, aim: int) -> Tensor:
        victim, generator = classifier.at(exit_step=aim), torch.Generator().manual_seed(seed + aim)
        victim.generator = torch.Generator().manual_seed(seed)  # the same draws for all, unknown to attacks on the input
        batches = split.batches(batch_size)
        if aim <= start:  # causal: nothing that is read can change
            return torch.cat([victim.predict(x) for x, _ in batches], dim=1)
        return torch.cat([perturbed(victim, x, y, start, generator) for x, y in batches], dim=1)

    clean = run(last, last)
    jobs = [(start, aim) for start in from_steps for aim in dict.fromkeys(aimed)]
    answered = {job: run(*job) for job in tqdm(jobs, unit="job", disable=not progress)}
    pairs = list(zip(columns, aimed, strict=True))
    rows = [[(clean if e <= start else answered[start, aim])[e - 1] for e, aim in pairs] for start in from_steps]
    answers = torch.stack([torch.stack(row) for row in rows])
    wrong = answers != split.labels
    if attacker is not None:  # an attacker may leave the image alone
        wrong |= (clean != split.labels)[[e - 1 for e in columns]]
    if nested:
        wrong = torch.stack([wrong[[k for k, later in enumerate(from_steps) if later >= t]].any(0) for t in from_steps])
    return LateAccuracy(
        method=method,
        attacker=attacker,
        size=size,
        n=len(split),
        from_steps=list(from_steps),
        exits=columns,
        aimed=None if attacker is None else aimed,
        correct=(~wrong).sum(-1).tolist(),
        silent=(answers == SILENT).sum(-1).tolist(),
    )
