r"""Gates: the weight of each part of a fused code (``snnlab.encoding.Fusion``), learned, or 0 at test time (an ablation).

.. math:: g_k = K\,\mathrm{softmax}(a)_k, \qquad \sum_k g_k = K

for ``K`` parts, shared by all pixels and steps of a part and trained with the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from snnlab.encoding import Fusion
from snnlab.networks.classifier import Classifier, SpikingMLP, Trace

#: learned gates are rounded to this, so that sums of gated spikes stay exact (``snnlab.zoo.quantised``)
GRAIN = 1 / 64


class LearnedGate(nn.Module):
    """A network behind a gate that it learns, which multiplies the gate of its fused ``code``.

    Shapes: ``[T, N, C', H, W]`` → as ``network``.

    Raises:
        ValueError: a code that is no fusion.

    >>> from snnlab import encoder
    >>> LearnedGate(SpikingMLP((2, 10)), encoder("fusion(direct, latency)")).values
    tensor([1., 1.])
    """

    def __init__(self, network: SpikingMLP, code: Fusion) -> None:
        super().__init__()
        if not isinstance(code, Fusion):
            raise ValueError(f"only a fusion has a gate to learn, got the code {getattr(code, 'title', code)!r}")
        self.network = network
        self.widths = [part.channel_factor for part in code.parts]
        self.logits = nn.Parameter(torch.zeros(len(code.parts)))

    def reset_parameters(self) -> None:
        """Every part counts alike again."""
        nn.init.zeros_(self.logits)

    @property
    def values(self) -> Tensor:
        """``g``, ``[K]``."""
        return self._values().detach()

    def _values(self) -> Tensor:
        return len(self.logits) * self.logits.softmax(0)

    def forward(self, sequence: Tensor) -> Trace:
        """Scale every part, then run the network."""
        channels = sequence.shape[2] // sum(self.widths)
        repeats = torch.tensor([channels * width for width in self.widths])
        gate = torch.repeat_interleave(self._values(), repeats).view(1, 1, -1, *[1] * (sequence.dim() - 3))
        trace: Trace = self.network(sequence * gate)
        return trace


def frozen(classifier: Classifier) -> Classifier:
    """Return the classifier with its learned gate in the code, rounded to 1/64; ``ValueError`` without a ``LearnedGate``."""
    gate, code = classifier.network, classifier.encoder
    if not isinstance(gate, LearnedGate) or not isinstance(code, Fusion):
        raise ValueError(f"only a network behind a LearnedGate can be frozen, got {type(gate).__name__}")
    learned = [max(GRAIN, round(float(g) / GRAIN) * GRAIN) for g in gate.values]
    code = code.with_gate([own * g for own, g in zip(code.gate, learned, strict=True)])
    return Classifier(gate.network, code, classifier.decoder, levels=classifier.levels, generator=classifier.generator)


def silenced(classifier: Classifier, part: int) -> Classifier:
    """Return the same network (shared weights) with one part of its fused code, an index from 0, silenced.

    Raises:
        ValueError: a code that is no fusion, an index that it has no part for.

    >>> from snnlab import zoo
    >>> silenced(zoo.load("fusion"), 0).encoder.title
    'fusion(0*direct, latency)'
    """
    code = classifier.encoder
    if not isinstance(code, Fusion):
        raise ValueError(f"only a fusion has parts to silence, got {'an ANN' if code is None else code.title}")
    if not 0 <= part < len(code.parts):
        raise ValueError(f"{code.title} has parts 0 … {len(code.parts) - 1}, got {part!r}")
    gate = [0.0 if k == part else g for k, g in enumerate(code.gate)]
    return classifier.at(exit_step=classifier.exit_step, encoder=code.with_gate(gate))
