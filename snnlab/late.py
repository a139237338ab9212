r"""Late perturbations: noise and attacks that act on the steps ``t ≥ t0`` alone.

Early exit is said to ignore what comes late (Ding et al. 2025). To ask for that, the perturbation has to be late. With the
sequence ``s(x)`` of the clean image and ``t0 = from_step`` in ``0 … T``, the network is given

.. math:: s(x)[t] \;\text{for}\; t < t_0, \qquad s(x')[t] \;\text{for}\; t ≥ t_0, \qquad \lVert x' - x\rVert_\infty \le ε

(``Late``), or a sequence of which some late spikes are flipped (``snnlab.flips``). At ``t0 = 0`` the first is the ordinary
attack; at ``t0 = T`` nothing may change. On the input the code still decides when a changed pixel speaks; on the spikes
nothing stands between.

The sequence of two images need not be the code of any one: a ``latency`` pixel whose spike moves across ``t0`` fires twice,
or never. So a later ``t0`` is not a weaker attack on the input, and accuracy need not rise with it; on the spikes it is.

A spiking network is causal: *what acts from* ``t0`` *on cannot change the answer at an exit* ``e ≤ t0``. This holds for any
network and needs no measurement. What is measured is how much is lost at the exits after ``t0``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor
from tqdm.auto import tqdm

from snnlab.attack import INFORMED, Attacker, Budget, attack, spike_train_attack
from snnlab.data import Split
from snnlab.decoding import SILENT, predictions
from snnlab.encoding import Backward, Encoder, check_images
from snnlab.flips import FlipBudget, FlipResult, check_from_step, flip_attack, flip_noise
from snnlab.network import Classifier, rounded
from snnlab.records import wilson_interval

__all__ = [
    "FLIP_METHODS",
    "LATE_METHODS",
    "FlipBudget",
    "FlipResult",
    "Late",
    "LateAccuracy",
    "flip_attack",
    "flip_noise",
    "late_accuracy",
    "late_flips",
]

#: attacks on the image from a step on
LATE_METHODS: tuple[str, ...] = ("noise", "fgsm", "pgd", "spike_train")
#: attacks on single spikes from a step on
FLIP_METHODS: tuple[str, ...] = ("flip_noise", "flips")


@dataclass(frozen=True, kw_only=True, eq=False)
class Late(Encoder):
    """A code in which another image takes over at step ``t0``. Make it with ``Late.of``.

    Called on ``x`` it gives ``s(images)[t]`` for ``t < from_step`` and ``s(x)[t]`` after. It stands wherever an encoder
    does, so that ``attack(classifier.at(encoder=Late.of(code, images, 4)), images, labels, budget)`` is a late attack. Both
    halves of a stochastic code come from one stream: the two images meet the same random numbers.

    ``x`` must be the batch that ``images`` is, in the same order. Of a part of it nobody can tell which images are meant;
    one case is understood, the first few images themselves, unchanged.

    Args:
        code: the code ``s``.
        images: the clean batch, ``[N, C, H, W]``.
        from_step: ``t0`` in ``0 … T``; ``T`` leaves nothing to ``x``.

    Gradient: that of ``code``, through the late steps only.

    Raises:
        ValueError: ``from_step`` out of range, bad images, a batch that does not match.

    >>> from snnlab.encoding import encoder
    >>> late = Late.of(encoder("onset", num_steps=4), torch.tensor([[[[0.0, 0.5]]]]), from_step=3)
    >>> late(torch.ones(1, 1, 1, 2)).squeeze().T
    tensor([[0., 0., 0., 1.],
            [0., 0., 0., 1.]])
    >>> late.title
    'onset, changed from step 3'
    """

    code: Encoder
    images: Tensor
    from_step: int

    name: ClassVar[str] = "late"
    __eq__ = object.__eq__  # images have no truth value, so two of these are equal if they are one
    __hash__ = object.__hash__

    @classmethod
    def of(cls, code: Encoder, images: Tensor, from_step: int) -> Late:
        """``code`` on ``images`` until ``from_step``, on what it is called with from there."""
        return cls(code.num_steps, code.backward, code.slope, code=code, images=images.detach(), from_step=from_step)

    def __post_init__(self) -> None:
        super().__post_init__()
        check_images(self.images)
        check_from_step(self.from_step, self.code.num_steps)
        if self.num_steps != self.code.num_steps:
            raise ValueError(f"num_steps must be that of the code, {self.code.num_steps}, got {self.num_steps}")

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        """Whether the code is."""
        return self.code.stochastic

    @property
    def title(self) -> str:
        """The code's, with the step from which another image counts."""
        return f"{self.code.title}, changed from step {self.from_step}"

    @property
    def channel_factor(self) -> int:
        """That of the code."""
        return self.code.channel_factor

    def with_backward(self, rule: Backward, slope: float | None = None) -> Late:
        """The same two halves, the late one seen through another backward rule (and slope)."""
        return Late.of(self.code.with_backward(rule, slope), self.images, self.from_step)

    def changeable(self) -> tuple[Encoder, int]:
        """The code, and ``t0``."""
        return self.code, self.from_step

    def rows(self, rows: Tensor) -> Late:
        """The same two halves for these samples of the batch."""
        return Late.of(self.code, self.images[rows], self.from_step)

    def _encode(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        early = self._reference(images)
        if self.from_step == 0:  # exactly the code, with whatever it lets a network save
            return self.code._encode(images, generator)
        stream = torch.default_generator if generator is None else generator
        state = stream.get_state()
        before = self.code._encode(early, stream)
        stream.set_state(state)
        after = self.code._encode(images, stream)
        return torch.cat([before[: self.from_step], after[self.from_step :]])

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return self._encode(images.detach(), generator)

    def _derivative(self, images: Tensor) -> Tensor:
        late = self._step(images) >= self.from_step
        return self.code._derivative(images) * late

    def _reference(self, images: Tensor) -> Tensor:
        """The clean images that belong to ``images``."""
        own = self.images[: len(images)]
        if own.shape != images.shape or (len(own) < len(self.images) and not torch.equal(own, images)):
            raise ValueError(
                f"this code knows the early steps of a batch of shape {list(self.images.shape)}, got "
                f"{list(images.shape)}; give the whole batch in its order, or make another with Late.of"
            )
        return own


@dataclass(frozen=True)
class LateAccuracy:
    """Counts of correct and silent answers under a late perturbation, ``[from_step][exit]``.

    Args:
        method: what perturbed: ``"noise"``, ``"fgsm"``, ``"pgd"`` on the input; ``"flips"``, ``"flip_noise"`` on the spikes.
        attacker: name of the attacker, ``None`` for noise.
        size: ``{"eps": ε}`` or ``{"flips": b}``.
        n: samples.
        from_steps: ``t0`` of each row.
        exits: exit step of each column.
        aimed: the exit that the attack was aimed at, for each column; ``None`` for noise.
        correct, silent: counts; a silent answer is never correct.

    >>> found = LateAccuracy("noise", None, {"eps": 0.1}, 10, [0, 4], [4, 8], None, [[7, 8], [9, 8]], [[0, 0], [0, 0]])
    >>> found.accuracy(from_step=4, exit_step=4)
    0.9
    """

    method: str
    attacker: str | None
    size: dict[str, float]
    n: int
    from_steps: list[int]
    exits: list[int]
    aimed: list[int] | None
    correct: list[list[int]]
    silent: list[list[int]]

    def accuracy(self, from_step: int, exit_step: int) -> float:
        """Fraction correct at an exit where steps from ``from_step`` on are perturbed."""
        return self._count(from_step, exit_step) / self.n

    def interval(self, from_step: int, exit_step: int) -> tuple[float, float]:
        """95 % Wilson interval of ``accuracy``."""
        return wilson_interval(self._count(from_step, exit_step), self.n)

    def _count(self, from_step: int, exit_step: int) -> int:
        if from_step not in self.from_steps or exit_step not in self.exits:
            raise ValueError(
                f"from_step={from_step!r} at exit {exit_step!r} was not measured; there are from_steps {self.from_steps} "
                f"and exits {self.exits}"
            )
        return self.correct[self.from_steps.index(from_step)][self.exits.index(exit_step)]

    def record(self) -> dict[str, Any]:
        """Everything as plain data, with intervals, for a results file."""
        interval = [[[round(b, 4) for b in wilson_interval(c, self.n)] for c in row] for row in self.correct]
        plain = {key: value for key, value in vars(self).items() if key != "size"}
        return plain | self.size | {"interval": interval}


def late_accuracy(
    classifier: Classifier,
    split: Split,
    eps: float,
    from_steps: Sequence[int],
    method: str = "pgd",
    attacker: Attacker = INFORMED,
    *,
    exits: Sequence[int] | None = None,
    steps: int = 10,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = False,
) -> LateAccuracy:
    """Accuracy where the image changes within ε from ``t0`` on, at every exit.

    A stochastic code is judged on draws that the attack did not see.

    Args:
        classifier: a spiking classifier.
        split: images and labels.
        eps: L∞ radius, in pixel units.
        from_steps: every ``t0`` to measure, ``0 … T``.
        method: ``"noise"`` (random sign times ε), ``"fgsm"``, ``"pgd"`` or ``"spike_train"`` (of a step code).
        attacker: what the gradient is.
        exits: exit steps, each attacked for itself; ``None`` aims once, at the classifier's own exit, and reads every exit up
            to that. Noise is aimed at nothing and read at all of them.
        steps: iterations of PGD.
        seed: of all randomness.
        batch_size: images attacked at once.
        progress: whether to show a progress bar.

    Raises:
        ValueError: an ANN, an unknown method, ``from_steps`` or ``exits`` out of range or empty.
    """
    if method not in LATE_METHODS:
        raise ValueError(f"unknown late perturbation {method!r}; choose one of {', '.join(LATE_METHODS)}")
    budget = Budget(eps)

    def perturbed(aimed: Classifier, x: Tensor, y: Tensor, start: int, generator: torch.Generator) -> Tensor:
        code = Late.of(_code(aimed), rounded(x, aimed.levels), start)
        seen = aimed.at(exit_step=aimed.exit_step, encoder=code)
        seen.generator = generator
        if method == "spike_train":
            found = spike_train_attack(seen, x, y, budget, steps=steps, generator=generator)
        else:
            found = attack(seen, x, y, budget, method, attacker, steps=steps, generator=generator)
        return aimed.at(encoder=code).predict(found.images)

    return _measure(
        classifier,
        split,
        from_steps,
        exits,
        perturbed,
        method=method,
        attacker=None if method == "noise" else attacker.name,
        size={"eps": eps},
        nested=False,
        seed=seed,
        batch_size=batch_size,
        progress=progress,
    )


def late_flips(
    classifier: Classifier,
    split: Split,
    flips: int,
    from_steps: Sequence[int],
    method: str = "flips",
    attacker: Attacker = INFORMED,
    *,
    exits: Sequence[int] | None = None,
    steps: int = 20,
    seed: int = 0,
    batch_size: int = 250,
    progress: bool = False,
) -> LateAccuracy:
    """Accuracy where ``flips`` spikes of the code change from ``t0`` on, at every exit.

    Flips found from a later step are flips from every earlier one, too, and count there.

    Args:
        classifier: a spiking classifier with a binary code.
        split: images and labels.
        flips: entries of each sample that may change; ``"flip_noise"`` changes exactly as many.
        from_steps: every ``t0`` to measure, ``0 … T``.
        method: ``"flips"`` (``flip_attack``) or ``"flip_noise"``.
        attacker, exits, seed, batch_size, progress: as in ``late_accuracy``.
        steps: rounds of the attack.

    Raises:
        ValueError: as ``late_accuracy`` and ``flip_attack``.
    """
    if method not in FLIP_METHODS:
        raise ValueError(f"unknown perturbation of spikes {method!r}; choose one of {', '.join(FLIP_METHODS)}")

    def perturbed(aimed: Classifier, x: Tensor, y: Tensor, start: int, generator: torch.Generator) -> Tensor:
        if method == "flips":
            return flip_attack(aimed, x, y, start, flips, attacker, steps=steps).predictions
        with torch.no_grad():
            return predictions(*aimed.respond(flip_noise(aimed.encode(x), start, flips, generator)))

    name = None if method == "flip_noise" else attacker.name
    return _measure(
        classifier,
        split,
        from_steps,
        exits,
        perturbed,
        method=method,
        attacker=name,
        size={"flips": flips},
        nested=name is not None,
        seed=seed,
        batch_size=batch_size,
        progress=progress,
    )


def _measure(
    classifier: Classifier,
    split: Split,
    from_steps: Sequence[int],
    exits: Sequence[int] | None,
    perturbed: Callable[[Classifier, Tensor, Tensor, int, torch.Generator], Tensor],
    *,
    method: str,
    attacker: str | None,
    size: dict[str, float],
    nested: bool,
    seed: int,
    batch_size: int,
    progress: bool,
) -> LateAccuracy:
    """Run ``perturbed`` for every ``t0`` and every exit that is aimed at, and count."""
    last = _code(classifier).num_steps
    for start in from_steps:
        check_from_step(start, last)
    columns = list(range(1, classifier.exit_step + 1) if exits is None else exits)
    if not columns or not from_steps:
        raise ValueError(f"give at least one step and one exit, got from_steps {list(from_steps)} and exits {columns}")
    aimed = [classifier.exit_step if exits is None else e for e in columns]
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
    found = {job: run(*job) for job in tqdm(jobs, unit="job", disable=not progress)}
    answers = torch.stack(
        [
            torch.stack([(clean if e <= start else found[start, aim])[e - 1] for e, aim in zip(columns, aimed, strict=True)])
            for start in from_steps
        ]
    )
    wrong = answers != split.labels
    if attacker is not None:  # an attacker may leave the image alone
        wrong |= (clean != split.labels)[[e - 1 for e in columns]]
    if nested:
        wrong = torch.stack([wrong[[k for k, own in enumerate(from_steps) if own >= t]].any(0) for t in from_steps])
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


def _code(classifier: Classifier) -> Encoder:
    if classifier.encoder is None:
        raise ValueError("an ANN has no steps to perturb late; give a classifier with an encoder")
    return classifier.encoder
