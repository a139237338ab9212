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
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial

import torch.nn.functional as F
from torch import Tensor

from snnlab.networks.classifier import Classifier
from snnlab.networks.decoding import check_exit_step

#: a mean loss over a batch, a function of classifier, images ``[N, C, H, W]`` and labels ``[N]`` that can be differentiated
Loss = Callable[[Classifier, Tensor, Tensor], Tensor]


def count(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Return ``CE(z[E])``, with the decoder's logits at the classifier's exit step."""
    return F.cross_entropy(classifier(images), labels)


def membrane(classifier: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """Return ``CE(Σ_{t<E} U[t])``: what the decoder "membrane" reads."""
    _, potential = classifier.read(images, classifier.exit_step)
    return F.cross_entropy(potential.sum(0), labels)


def anytime(classifier: Classifier, images: Tensor, labels: Tensor, exits: tuple[int, ...] = ()) -> Tensor:
    """Return the mean of ``CE(z[e])`` over exit steps, so that each is trained to answer; none means all up to ``E``."""
    exits = exits or tuple(range(1, classifier.exit_step + 1))
    for e in exits:
        check_exit_step(e, classifier.exit_step)
    logits, _ = classifier.read(images, classifier.exit_step)
    return F.cross_entropy(logits[[e - 1 for e in exits]].flatten(0, 1), labels.repeat(len(exits)))


def latency(classifier: Classifier, images: Tensor, labels: Tensor, beta: float = 1.0) -> Tensor:
    """Return ``CE(-β t_k)``, as "ttfs" decodes; the larger ``β`` (1/step), the sooner a lead of one step is enough.

    Raises:
        ValueError: an ANN, which has no spikes.
    """
    _, spikes, _ = classifier.trace(images, classifier.exit_step)
    return F.cross_entropy(-beta * first_spike_step(spikes), labels)


def first_spike_step(spikes: Tensor) -> Tensor:
    r"""The step of each neuron's first spike, ``T`` if there is none: the number of steps at which no spike has come yet.

    .. math:: t_k = \sum_t n_k[t], \qquad n_k[t] = \prod_{τ \le t} (1 - s_k[τ])

    It is linear in each spike, so its derivative is the change of ``t_k`` when that spike is added or left out: with ``t'_k``
    the second spike (``T`` if none),

    .. math::

        \frac{∂t_k}{∂s_k[τ]} = \begin{cases} -(t_k - τ) & τ < t_k \\ -(t'_k - t_k) & τ = t_k \\ 0 & τ > t_k \end{cases}

    Shapes: ``[T, …]`` → ``[…]``, in steps, ``0 … T``.

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


_KINDS: dict[str, Loss] = {"count": count, "membrane": membrane, "anytime": anytime, "latency": latency}
#: names of the losses
LOSSES: tuple[str, ...] = tuple(_KINDS)


def loss(name: str) -> Loss:
    """Return a loss by name, with numbers in brackets: exits of ``"anytime(4, 8)"``, β of ``"latency(0.5)"``.

    Raises:
        ValueError: unknown name (the message lists the valid ones), numbers that it does not take.

    >>> loss("anytime(4, 8)").keywords
    {'exits': (4, 8)}
    """
    match = re.fullmatch(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*", name)
    if match is None or match.group(1) not in LOSSES:
        raise ValueError(f"unknown loss {name!r}; choose one of {', '.join(LOSSES)}, e.g. 'anytime(4, 8)', 'latency(0.5)'")
    try:
        return _made(match.group(1), [float(n) for n in (match.group(2) or "").split(",") if n.strip()])
    except ValueError as error:
        raise ValueError(f"cannot make loss {name!r}: {error}; e.g. 'count', 'anytime(4, 8)', 'latency(0.5)'") from None


def _made(kind: str, numbers: list[float]) -> Loss:
    if not numbers:
        return _KINDS[kind]
    if kind == "anytime":
        if any(n != int(n) or n < 1 for n in numbers):
            raise ValueError("exit steps are integers from 1 on")
        return partial(anytime, exits=tuple(int(n) for n in numbers))
    if kind != "latency":
        raise ValueError("it takes no numbers")
    if len(numbers) > 1 or not 0 < numbers[0] < float("inf"):
        raise ValueError("it takes one number, a positive β in 1/step")
    return partial(latency, beta=numbers[0])
