r"""The time-restricted threat: an attacker that can change only the steps ``t ≥ t0``.

With the sequence ``s(x)`` of the clean image and ``t0 = from_step`` in ``0 … T``, the network reads

.. math:: s(x)[t] \;\text{for}\; t < t_0, \qquad s(x')[t] \;\text{for}\; t ≥ t_0, \qquad \lVert x' - x\rVert_\infty \le ε

At ``t0 = 0`` this is the ordinary threat; at ``t0 = T`` nothing may change. The sequence need not be the code of one image: a
``latency`` pixel whose spike moves across ``t0`` fires twice, or never. So accuracy need not rise with ``t0``.

A spiking network is causal: a change from ``t0`` on cannot change the answer at an exit ``e ≤ t0``. How much is lost at
later exits is measured by ``snnlab.evaluation.late`` (Ding et al. 2025).
"""

from __future__ import annotations

import torch
from torch import Tensor

from snnlab.attacks.spike_flips import check_from_step
from snnlab.encoding import Encoder, check_images
from snnlab.networks.classifier import Classifier, rounded

__all__ = ["TimeRestricted", "splice", "subset"]


def splice(
    code: Encoder, clean: Tensor, changed: Tensor, from_step: int, generator: torch.Generator | None = None
) -> Tensor:
    """Return the sequence ``[T, N, C', H, W]`` of ``clean`` until a step, and that of ``changed`` from there on.

    Both halves of a stochastic code come from the same random numbers. The gradient is that of ``code`` at ``changed``.

    Args:
        code: encodes both.
        clean: ``[N, C, H, W]`` in [0, 1].
        changed: the same shape.
        from_step: first step of ``changed``, ``0 … T``.
        generator: randomness of a stochastic code.

    >>> from snnlab import encoder
    >>> dark, bright = torch.tensor([[[[0.0, 0.5]]]]), torch.ones(1, 1, 1, 2)
    >>> splice(encoder("onset", num_steps=4), dark, bright, from_step=3).squeeze().T
    tensor([[0., 0., 0., 1.],
            [0., 0., 0., 1.]])
    """
    if from_step == 0:  # exactly the code, with whatever it lets a network save
        return code(changed, generator=generator)
    stream = torch.default_generator if generator is None else generator
    state = stream.get_state()
    before = code(clean, generator=stream)
    stream.set_state(state)
    after = code(changed, generator=stream)
    return torch.cat([before[:from_step], after[from_step:]])


class TimeRestricted(Classifier):
    """A classifier whose early steps are those of clean images, whatever its input.

    It shares network and settings with ``classifier``. Give it the batch that ``images`` is, or the first images of it
    unchanged; for another part use ``subset``.

    Args:
        classifier: a spiking classifier.
        images: the clean batch, ``[N, C, H, W]``.
        from_step: ``t0`` in ``0 … T``; ``T`` leaves nothing to the attacker.

    Raises:
        ValueError: an ANN, ``from_step`` out of range, bad images; when called, a batch that does not match.

    >>> from snnlab import Budget, attack, data, zoo
    >>> digits, model = data.load("mnist5k").test[:10], zoo.load("onset")
    >>> late = TimeRestricted(model, digits.images, from_step=6)
    >>> result = attack(late, digits, Budget(0.2))
    >>> bool((result.predictions[:6] == model.predict(digits.images)[:6]).all())
    True
    """

    def __init__(self, classifier: Classifier, images: Tensor, from_step: int) -> None:
        if classifier.encoder is None:
            raise ValueError("an ANN has no steps to perturb late; give a classifier with an encoder")
        check_images(images)
        check_from_step(from_step, classifier.num_steps)
        super().__init__(classifier.network, classifier.encoder, classifier.decoder, **classifier.options)
        self.clean, self.from_step = images.detach(), from_step

    def encode(self, images: Tensor, num_steps: int | None = None) -> Tensor:
        """Return the spliced sequence ``[T, N, …]``, up to ``num_steps``."""
        assert self.encoder is not None
        clean = rounded(self._clean(images), self.levels)
        sequence = splice(self.encoder, clean, rounded(images, self.levels), self.from_step, self.generator)
        return sequence if num_steps is None or num_steps >= len(sequence) else sequence[:num_steps]

    def at(self, *, exit_step: int | None = None, encoder: Encoder | None = None, eot: int = 1) -> TimeRestricted:
        """Return the same restriction read at another exit, through another view of the code, or with EOT."""
        return TimeRestricted(super().at(exit_step=exit_step, encoder=encoder, eot=eot), self.clean, self.from_step)

    def _clean(self, images: Tensor) -> Tensor:
        clean = self.clean[: len(images)]
        if clean.shape != images.shape or (len(clean) < len(self.clean) and not torch.equal(clean, images)):
            raise ValueError(
                f"this classifier has the early steps of a batch of shape {list(self.clean.shape)}, got "
                f"{list(images.shape)}; give the whole batch in its order, or make another TimeRestricted"
            )
        return clean


def subset(classifier: Classifier, rows: Tensor) -> Classifier:
    """Return the classifier for some samples of its batch: itself, unless it is time-restricted."""
    if not isinstance(classifier, TimeRestricted):
        return classifier
    part = classifier.at(exit_step=classifier.exit_step, eot=classifier.eot)
    part.clean = classifier.clean[rows]
    return part
