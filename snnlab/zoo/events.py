"""The suite "events", for classifiers of events: spikes are added, removed, both, or change their polarity.

Its records are those of the other suites with another budget: ``eps`` is the number of changed spikes, ``norm`` is L0. The
worst case is what no attack breaks, sample by sample. A budget contains every smaller one, so a sample that a smaller one breaks
counts as broken. The controls ``noise.*`` make as many random changes. Channels without polarities (``[T, N, 1, …]``) have none
to flip.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from snnlab.attacks.event_changes import ATTACKERS, KINDS, EventBudget, event_attack, event_noise
from snnlab.data import Split
from snnlab.evaluation.result import WORST, Evaluation
from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import SILENT

__all__ = ["EVENTS", "evaluate_events"]

STEPS = 20
#: the attacks, as records describe them
EVENTS: dict[str, str] = {
    **{
        kind: f"{EventBudget(0, kind)}".replace("at most 0 ", "").capitalize()
        + f": search by gain and trial, {STEPS} rounds through each of {len(ATTACKERS)} surrogates"
        for kind in KINDS
    },
    **{f"noise.{kind}": f"as many random changes of the kind {kind} (control), one draw" for kind in KINDS},
}


def evaluate_events(victim: Classifier, samples: Split, numbers: list[int], *, seed: int = 0) -> Evaluation:
    """Attack a classifier of events at its last exit, and return the record.

    Args:
        victim: a classifier behind the code ``frames``, or any whose code gives spikes of 0 and 1 as ``[T, N, C, …]``.
        samples: images ``[N, T C, H, W]`` with labels, as ``EventSplit.as_images`` gives them.
        numbers: of changed spikes of each sample, rising from 0.
        seed: of the random changes.

    Raises:
        ValueError: spikes that are not binary; numbers that do not rise from 0.
    """
    if numbers[:1] != [0] or sorted(set(numbers)) != list(numbers):
        raise ValueError(f"numbers of changed spikes must rise from 0, got {numbers}")
    spikes, labels = victim.encode(samples.images), samples.labels
    kinds = KINDS if spikes.shape[2] == 2 else tuple(kind for kind in KINDS if kind != "polarity")
    attacks = {name: text for name, text in EVENTS.items() if name.removeprefix("noise.") in kinds}
    right: dict[str, list[Tensor]] = {name: [] for name in attacks}
    silent: dict[str, list[int]] = {name: [] for name in attacks}

    def answers(sequence: Tensor) -> Tensor:
        with torch.no_grad():
            return victim.answers(*victim.respond(sequence))[-1]

    for kind in kinds:
        attacked, generator = spikes.clone(), torch.Generator().manual_seed(seed)
        for number in numbers:
            budget = EventBudget(number, kind)
            rows = torch.nonzero(answers(attacked) == labels).flatten()
            if len(rows):
                attacked[:, rows] = _attacked(victim, spikes[:, rows], labels[rows], budget, generator)
            for name, sequence in ((kind, attacked), (f"noise.{kind}", event_noise(spikes, budget, generator))):
                given = answers(sequence)
                right[name].append(given == labels)
                silent[name].append(int((given == SILENT).sum()))
    worst = [torch.stack(of_number).all(0) for of_number in zip(*right.values(), strict=True)]
    counts = {name: [[int(mask.sum()) for mask in masks]] for name, masks in {WORST: worst, **right}.items()}
    every = {WORST: [max(column) for column in zip(*silent.values(), strict=True)], **silent}
    return Evaluation(
        n=len(labels),
        eps=[float(number) for number in numbers],
        norm="L0",
        num_steps=victim.num_steps,
        exits=[victim.num_steps],
        correct=counts,
        silent={name: [row] for name, row in every.items()},
        suite="events",
        attacks=attacks | {WORST: "the smallest of them, sample by sample"},
        diagnostics={"chance": 1 / samples.num_classes},
        white_box=list(kinds),
    ).with_flags()


def _attacked(victim: Classifier, spikes: Tensor, labels: Tensor, budget: EventBudget, generator: Any) -> Tensor:
    return event_attack(victim, spikes, labels, budget, steps=STEPS, generator=generator).spikes
