"""A training step of the MLP against its peers, in one run on one core.

    python benchmarks/training_step.py

Peers: the same network written as snnTorch's tutorials do (a loop over steps), and the matrix products of the step alone
(forward and both backward products), which no implementation of these layers can do without. Same weights, same batch of
128 images, T = 8; the median of 40 interleaved repeats, so that a busy machine slows all alike.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from time import perf_counter

import snntorch
import torch
import torch.nn.functional as F
from table import Row, markdown
from torch import Tensor, nn

from snnlab import SpikingMLP, data, encoder

BATCH, REPEATS, HIDDEN = 128, 40, 256


class TutorialNet(nn.Module):
    """snnTorch's tutorials: one call of every layer for every step."""

    def __init__(self) -> None:
        super().__init__()
        gradient = snntorch.surrogate.sigmoid(slope=4)
        self.first, self.second = nn.Linear(784, HIDDEN), nn.Linear(HIDDEN, 10)
        self.hidden = snntorch.Leaky(beta=0.9, spike_grad=gradient)
        self.out = snntorch.Leaky(beta=0.9, spike_grad=gradient)

    def forward(self, sequence: Tensor) -> Tensor:
        """Spike counts ``[N, K]``."""
        u, v = self.hidden.init_leaky(), self.out.init_leaky()
        spikes = []
        for x in sequence.flatten(2):
            s, u = self.hidden(self.first(x), u)
            s, v = self.out(self.second(s), v)
            spikes.append(s)
        return torch.stack(spikes).sum(0)


def training_step(forward: Callable[[Tensor], Tensor], network: nn.Module, sequence: Tensor, labels: Tensor) -> None:
    """Forward, loss, backward, Adam, on a batch that is encoded already."""
    optimizer = optimizers.setdefault(id(network), torch.optim.Adam(network.parameters(), 1e-4, fused=True))
    loss = F.cross_entropy(forward(sequence), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()


optimizers: dict[int, torch.optim.Optimizer] = {}


def products(sequence: Tensor, network: SpikingMLP) -> None:
    """The matrix products of one step of training and nothing else (weight gradients, no image gradient)."""
    first, second = (layer.weight.detach() for layer in network.layers)
    flat = sequence.flatten(0, 1).flatten(1)
    current = flat @ first.T
    out = current @ second.T
    back = out @ second
    _ = out.T @ current, back.T @ flat


def against(what: str, ms: dict[str, float]) -> list[Row]:
    """The first call against each of the others."""
    (_, ours), *peers = ms.items()
    return [Row(what, peer, ours, theirs) for peer, theirs in peers]


def median_ms(calls: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Median time of each call, the calls taking turns."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for repeat in range(REPEATS + 3):
        for name, call in calls.items():
            started = perf_counter()
            call()
            if repeat >= 3:
                times[name].append(1000 * (perf_counter() - started))
    return {name: statistics.median(t) for name, t in times.items()}


def rows() -> list[Row]:
    """A row a code and peer."""
    torch.set_num_threads(1)
    train = data.load("mnist5k").train[:BATCH]
    loop, ours = TutorialNet(), SpikingMLP((784, HIDDEN, 10))
    found = []
    for name in ("direct", "onset", "latency"):
        sequence = encoder(name)(train.images)
        calls: dict[str, Callable[[], None]] = {
            "ours": lambda s=sequence: training_step(lambda x: ours(x).spikes.sum(0), ours, s, train.labels),
            "snnTorch, loop over steps": lambda s=sequence: training_step(loop, loop, s, train.labels),
            "its matrix products alone": lambda s=sequence: products(s, ours),
        }
        found += against(f"training step, MLP, {name}", median_ms(calls))
    return found


if __name__ == "__main__":
    print(markdown(rows()))
