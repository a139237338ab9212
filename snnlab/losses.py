r"""Losses: what a spiking network is trained to do, and when.

All are cross-entropies ``CE(z) = -log softmax(z)_y``, averaged over the batch; they differ in the logits. With exit step
``E`` (``T`` unless the classifier says otherwise) and the decoder's logits ``z[e]`` at exit ``e``:

============== ============================================== ==============================================
loss           minimises                                      teaches
============== ============================================== ==============================================
count          ``CE(z[E])``, ``z = Σ s_k`` (decoder "rate")    the right class to fire most, by the end
membrane       ``CE(Σ_{t<E} U_k[t])``                         the right potential to be highest, over time
anytime        mean of ``CE(z[e])`` over exits ``e``          an answer at every exit, not only at the last
latency        ``CE(-β t_k)``, ``t_k`` the first spike        the right class to fire first
============== ============================================== ==============================================

``count`` takes the logits of the classifier's own decoder, whichever that is; an ANN's logits too.

**First spike.** The step of the first spike, ``E`` if there is none, is the number of steps at which no spike has come yet:

.. math:: t_k = \sum_{t<E} n_k[t], \qquad n_k[t] = \prod_{τ \le t} (1 - s_k[τ])

For spikes in {0, 1} that is exact, and it is a polynomial in the spikes, linear in each one. So its derivative is exactly
what happens to ``t_k`` when that spike is added, or is left out:

.. math::

    \frac{∂t_k}{∂s_k[τ]} = -\sum_{t=τ}^{E-1} \prod_{σ \le t,\, σ \ne τ} (1 - s_k[σ])
    = \begin{cases} -(t_k - τ) & τ < t_k \\ -(t'_k - t_k) & τ = t_k \\ 0 & τ > t_k \end{cases}

with ``t'_k`` the second spike (``E`` if none). No part is invented so far; the only surrogate is the neuron's ``∂s/∂U``
(``snnlab.neuron``): the "not yet fired" product is the whole path of the gradient. A silent neuron is pulled at every step,
at the earliest ones most, and can learn to fire.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch.nn.functional as F
from torch import Tensor

from snnlab.decoding import check_exit_step
from snnlab.network import Classifier

__all__ = ["LOSSES", "Anytime", "Count", "Latency", "Loss", "Membrane", "first_spike_step", "loss"]


class Loss(Protocol):
    """A mean loss over a batch: images ``[N, C, H, W]`` and labels ``[N]`` → a scalar that can be differentiated."""

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        """The loss of ``classifier`` on one batch."""
        ...


@dataclass(frozen=True)
class Count:
    """Cross-entropy of the decoder's logits at the classifier's exit step; with decoder "rate", of the spike count."""

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        """``CE(z[E])``."""
        return F.cross_entropy(classifier(images), labels)


@dataclass(frozen=True)
class Membrane:
    """Cross-entropy of the read-out potential summed up to the exit step: what the decoder "membrane" reads."""

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        """``CE(Σ_{t<E} U[t])``."""
        _, membrane = classifier.read(images, classifier.exit_step)
        return F.cross_entropy(membrane.sum(0), labels)


@dataclass(frozen=True)
class Anytime:
    """The mean of the cross-entropies at several exits, so that each of them is trained to answer.

    Args:
        exits: exit steps; none means all from 1 to the classifier's exit step.
    """

    exits: tuple[int, ...] = ()

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        """Mean of ``CE(z[e])`` over ``exits``."""
        exits = self.exits or tuple(range(1, classifier.exit_step + 1))
        for e in exits:
            check_exit_step(e, classifier.exit_step)
        logits, _ = classifier.read(images, classifier.exit_step)
        chosen = logits[[e - 1 for e in exits]]
        return F.cross_entropy(chosen.flatten(0, 1), labels.repeat(len(exits)))


@dataclass(frozen=True)
class Latency:
    """Cross-entropy of ``-β t_k``: the class whose neuron fires first (module docstring), as "ttfs" decodes.

    Args:
        beta: ``β > 0``, in 1/step; the larger, the sooner a lead of one step is enough.
    """

    beta: float = 1.0

    def __post_init__(self) -> None:
        if not 0 < self.beta < float("inf"):
            raise ValueError(f"latency needs a positive β in 1/step, got {self.beta!r}")

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
        """``CE(-β t)``.

        Raises:
            ValueError: an ANN, which has no spikes.
        """
        _, spikes, _ = classifier.trace(images, classifier.exit_step)
        return F.cross_entropy(-self.beta * first_spike_step(spikes), labels)


def first_spike_step(spikes: Tensor) -> Tensor:
    """The step of each neuron's first spike, ``T`` if there is none.

    Shapes: ``[T, …]`` → ``[…]``, in steps, ``0 … T``.

    Gradient: exact for a spike more or less (module docstring).

    Raises:
        ValueError: no step.

    >>> import torch
    >>> spikes = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    >>> first_spike_step(spikes)
    tensor([1., 3.])
    """
    if spikes.dim() < 1 or len(spikes) == 0:
        raise ValueError(f"spikes must have shape [T, …] with T ≥ 1, got {list(spikes.shape)}")
    return (1 - spikes).cumprod(0).sum(0)


def _plain(kind: Callable[[], Loss]) -> Callable[[list[float]], Loss]:
    """A loss that takes no numbers."""

    def make(numbers: list[float]) -> Loss:
        if numbers:
            raise ValueError("it takes no numbers")
        return kind()

    return make


def _anytime(numbers: list[float]) -> Loss:
    if any(n != int(n) or n < 1 for n in numbers):
        raise ValueError("exit steps are integers from 1 on")
    return Anytime(tuple(int(n) for n in numbers))


def _latency(numbers: list[float]) -> Loss:
    if len(numbers) > 1:
        raise ValueError("it takes one number, β")
    return Latency(*numbers)


_MAKERS: dict[str, Callable[[list[float]], Loss]] = {
    "count": _plain(Count),
    "membrane": _plain(Membrane),
    "anytime": _anytime,
    "latency": _latency,
}
#: names of the losses
LOSSES: tuple[str, ...] = tuple(_MAKERS)


def loss(name: str) -> Loss:
    """Make a loss by name: one of ``LOSSES``, with numbers in brackets where it takes some.

    ``"anytime(4, 8)"`` averages over exits 4 and 8, ``"latency(0.5)"`` sets β = 0.5.

    Raises:
        ValueError: unknown name (the message lists the valid ones), numbers that it does not take.

    >>> loss("anytime(4, 8)")
    Anytime(exits=(4, 8))
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*", name)
    if match is None or match.group(1) not in _MAKERS:
        raise ValueError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}, e.g. 'anytime(4, 8)', 'latency(0.5)'")
    try:
        return _MAKERS[match.group(1)]([float(n) for n in (match.group(2) or "").split(",") if n.strip()])
    except ValueError as error:
        raise ValueError(f"cannot make loss {name!r}: {error}; e.g. 'count', 'anytime(4, 8)', 'latency(0.5)'") from None
