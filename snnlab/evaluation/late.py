"""Late perturbations: accuracy at every exit where the steps ``t ≥ t0`` alone are perturbed.

On the input by any registered attack (``snnlab.attacks.time_restricted``), or on the spikes (``snnlab.attacks.spike_flips``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from snnlab.attacks import INFORMED, Attack, Attacker, Budget, TimeRestricted
from snnlab.attacks.registry import find_attack
from snnlab.attacks.spike_flips import check_from_step, flip_attack, flip_noise
from snnlab.data import Split
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import SILENT, predictions
from snnlab.statistics.parts import LateAccuracy

__all__ = ["late_accuracy"]

FLIPS, FLIP_NOISE = "flips", "flip_noise"
#: perturbs a batch from a step on, and returns the predictions at every exit
Perturbed = Callable[[Classifier, Tensor, Tensor, int, torch.Generator], Tensor]


def late_accuracy(
    classifier: Classifier,
    split: Split,
    size: float,
    from_steps: Sequence[int],
    method: str | Attack = "pgd",
    attacker: Attacker = INFORMED,
    *,
    exits: Sequence[int] | None = None,
    steps: int = 10,
    seed: int = 0,
    batch_size: int = 250,
) -> LateAccuracy:
    """Measure the accuracy where the image or its spikes change from ``t0`` on; every exit is attacked by itself.

    A stochastic code is scored on draws that the attack did not use. Flips from a later step count at every earlier one.

    Args:
        classifier: a spiking one; for flips, with a binary code.
        split: images and labels.
        size: L∞ radius in pixel units; for flips, the number of entries of each sample that may change.
        from_steps: every ``t0`` to measure, ``0 … T``.
        method: a key of ``snnlab.attacks.ATTACKS`` or an ``Attack``; ``"flips"`` (``flip_attack``), ``"flip_noise"``.
        attacker: what the gradient is.
        exits: exit steps; default all.
        steps: iterations of the attack.
        seed: of all randomness.
        batch_size: images attacked at once.

    Raises:
        ValueError: an ANN, an unknown attack, ``from_steps`` or ``exits`` out of range or empty.
    """
    if classifier.encoder is None:
        raise ValueError("an ANN has no steps to perturb late; give a classifier with an encoder")
    last = classifier.num_steps
    for start in from_steps:
        check_from_step(start, last)
    columns = list(range(1, last + 1) if exits is None else exits)
    if not columns or not from_steps:
        raise ValueError(f"give at least one step and one exit, got from_steps {list(from_steps)} and exits {columns}")
    for e in columns:
        classifier.at(exit_step=e)  # raises before any work is done
    flips = method in (FLIPS, FLIP_NOISE)
    chosen = None if flips else find_attack(method).with_settings(steps=steps)
    control = method == FLIP_NOISE if chosen is None else chosen.control
    perturbed = _on_spikes(int(size), control, attacker, steps) if chosen is None else _on_image(chosen, size, attacker)
    aimed = [last] * len(columns) if control else columns  # noise is aimed at no exit: one pass for all

    def run(start: int, aim: int) -> Tensor:
        victim, generator = classifier.at(exit_step=aim), torch.Generator().manual_seed(seed + aim)
        victim.generator = torch.Generator().manual_seed(seed)  # the same draws for all, unknown to attacks on the input
        batches = split.batches(batch_size)
        if aim <= start:  # causal: nothing that is read can change
            return torch.cat([victim.predict(x) for x, _ in batches], dim=1)
        return torch.cat([perturbed(victim, x, y, start, generator) for x, y in batches], dim=1)

    clean = run(last, last)
    answered = {(start, aim): run(start, aim) for start in from_steps for aim in dict.fromkeys(aimed)}
    pairs = list(zip(columns, aimed, strict=True))
    rows = [[(clean if e <= start else answered[start, aim])[e - 1] for e, aim in pairs] for start in from_steps]
    answers = torch.stack([torch.stack(row) for row in rows])
    wrong = answers != split.labels
    if not control:  # an attacker may leave the image alone
        wrong |= (clean != split.labels)[[e - 1 for e in columns]]
    if method == FLIPS:
        wrong = torch.stack([wrong[[k for k, later in enumerate(from_steps) if later >= t]].any(0) for t in from_steps])
    return LateAccuracy(
        method=str(method) if chosen is None else chosen.name,
        attacker=None if control else attacker.name,
        n=len(split),
        from_steps=list(from_steps),
        exits=columns,
        aimed=None if control else aimed,
        correct=(~wrong).sum(-1).tolist(),
        silent=(answers == SILENT).sum(-1).tolist(),
        size={"flips" if flips else "eps": size},
    )


def _on_image(attack: Attack, eps: float, attacker: Attacker) -> Perturbed:
    budget = Budget(eps)

    def perturbed(aimed: Classifier, x: Tensor, y: Tensor, start: int, generator: torch.Generator) -> Tensor:
        view = TimeRestricted(aimed, x, start)
        view.generator = generator
        images = attack(view, x, y, budget, attacker, generator=generator).images
        return TimeRestricted(aimed, x, start).predict(images)

    return perturbed


def _on_spikes(flips: int, noise: bool, attacker: Attacker, steps: int) -> Perturbed:
    def perturbed(aimed: Classifier, x: Tensor, y: Tensor, start: int, generator: torch.Generator) -> Tensor:
        if noise:
            spikes = flip_noise(aimed.encode(x).detach(), start, flips, generator)
        else:
            spikes = flip_attack(aimed, x, y, start, flips, attacker, steps=steps)
        with torch.no_grad():
            return predictions(*aimed.respond(spikes))

    return perturbed
