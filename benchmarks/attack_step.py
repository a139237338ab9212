"""An iteration of an attack against its peers, in one run on one core.

    python benchmarks/attack_step.py

An iteration is a gradient of the loss with respect to the images, for an informed attacker, and a step. Peers: the same attack
on the same network written as snnTorch's tutorials do (a loop over steps), and the matrix products of the iteration alone
(forward, and back to the input; no weight gradients; over all zeros as well, which ``snnlab.networks.event_linear``
leaves out). Same weights, 128 digits, T = 8; the median of 40 interleaved repeats, so that a busy machine slows all alike.

Wanted: within 1.3 times the products for spiking input, whose products are large; at least 2.5 times faster than the loop for
``direct``, whose products are made once for all steps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from table import Row, markdown
from torch import Tensor, nn
from training_step import BATCH, HIDDEN, TutorialNet, against, median_ms

from snnlab import INFORMED, Budget, Classifier, SpikingMLP, data, encoder
from snnlab.attacks import input_gradient
from snnlab.networks.contexts import freeze_weights

BUDGET = Budget(0.1)


class Loop(TutorialNet):
    """The tutorials' network, with its spikes and potentials at every step."""

    def forward(self, sequence: Tensor) -> tuple[Tensor, Tensor]:
        """Spikes and potential of the read-out, ``[T, N, K]`` each."""
        u, v = self.hidden.init_leaky(), self.out.init_leaky()
        found = []
        for x in sequence.flatten(2):
            s, u = self.hidden(self.first(x), u)
            s, v = self.out(self.second(s), v)
            found.append((s, v))
        spikes, potential = zip(*found, strict=True)
        return torch.stack(spikes), torch.stack(potential)


def iteration(model: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """One step of PGD."""
    with INFORMED.view(model) as seen, freeze_weights(model.network):
        return BUDGET.project(images + BUDGET.step(input_gradient(seen, images, labels), 0.025), images)


def as_written(model: Classifier, images: Tensor, labels: Tensor) -> Tensor:
    """The same without this package's care: weights ask for gradients too."""
    with INFORMED.view(model) as seen:
        leaf = images.clone().requires_grad_(True)
        F.cross_entropy(seen(leaf), labels, reduction="sum").backward()
        assert leaf.grad is not None
        found = BUDGET.project(images + BUDGET.step(leaf.grad, 0.025), images)
    model.network.zero_grad()
    return found


def products(sequence: Tensor, network: SpikingMLP) -> None:
    """The matrix products of the iteration and nothing else."""
    first, second = (layer.weight.detach() for layer in network.layers)
    flat = sequence[0].flatten(1) if sequence.stride(0) == 0 else sequence.flatten(0, 1).flatten(1)
    current = flat @ first.T
    if sequence.stride(0) == 0:
        current = current.repeat(len(sequence), 1)
    back = current @ second.T @ second
    _ = (back.view(len(sequence), -1, HIDDEN).sum(0) if sequence.stride(0) == 0 else back) @ first


def rows() -> list[Row]:
    """A row a code and peer."""
    torch.set_num_threads(1)
    digits = data.load("mnist5k").train[:BATCH]
    loop, ours = Loop(), SpikingMLP((784, HIDDEN, 10))
    for mine, theirs in zip(ours.layers, (loop.first, loop.second), strict=True):
        assert isinstance(mine, nn.Linear)
        mine.load_state_dict(theirs.state_dict())
    found = []
    for name in ("direct", "onset", "latency"):
        code = encoder(name)
        models = [Classifier(network, code) for network in (ours, loop)]
        calls: dict[str, Callable[[], object]] = {
            "ours": lambda m=models[0]: iteration(m, digits.images, digits.labels),
            "snnTorch, loop over steps": lambda m=models[1]: as_written(m, digits.images, digits.labels),
            "its matrix products alone": lambda c=code: products(c(digits.images), ours),
        }
        found += against(f"attack iteration, MLP, {name}", median_ms(calls))
    return found


if __name__ == "__main__":
    print(markdown(rows()))
