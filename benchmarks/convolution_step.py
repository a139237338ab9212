"""A training step of the convolutional network against its peers, in one run.

    python benchmarks/convolution_step.py

Peers, same layers (convolution, batch norm, LIF; 32-64-128 channels, strides of 2; T = 8; 128 pictures; float32; Adam): a loop
over steps of snnTorch's ``Leaky``, as its tutorials write it, and SpikingJelly's multi-step mode on its torch backend. A second
table says how many pictures a second the small network of the CIFAR-10 zoo trains on, with the zoo's own recipe (T = 4,
bfloat16).

SpikingJelly is no dependency of this package. The version compared with installs without its own:
``pip install --no-deps spikingjelly==0.0.0.0.14``; without it its row is left out, and said to be.

The medians of interleaved repeats, so that a busy machine slows all alike. Wanted: at least 1.25 times faster than the faster
peer; at least 1,000 pictures a second on two threads for ``direct`` and ``latency``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import snntorch as snn
import torch
import torch.nn.functional as F
from table import Row, markdown
from torch import Tensor, nn
from training_step import against, median_ms

from snnlab import zoo
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier
from snnlab.networks.conv import Block, SpikingConvNet

CHANNELS, STEPS, BATCH = (32, 64, 128), 8, 128


class Loop(nn.Module):
    """The same network as a loop over steps."""

    def __init__(self) -> None:
        super().__init__()
        widths = (3, *CHANNELS)
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, 2, 1, bias=False) for a, b in zip(widths, CHANNELS, strict=False))
        self.norms = nn.ModuleList(nn.BatchNorm2d(c) for c in CHANNELS)
        grad = snn.surrogate.sigmoid(slope=4)
        self.neurons = nn.ModuleList(snn.Leaky(beta=0.5, spike_grad=grad) for _ in CHANNELS)
        self.readout = nn.Linear(CHANNELS[-1], 10)

    def forward(self, sequence: Tensor) -> Tensor:
        """Logits ``[N, K]``: the current of the read-out, summed over steps."""
        membranes = [neuron.init_leaky() for neuron in self.neurons]
        charge: Any = 0.0
        for x in sequence:
            for k, (conv, norm, neuron) in enumerate(zip(self.convs, self.norms, self.neurons, strict=True)):
                x, membranes[k] = neuron(norm(conv(x)), membranes[k])
            charge = charge + self.readout(x.mean((-2, -1)))
        return charge  # type: ignore[no-any-return]


def multi_step() -> nn.Module | None:
    """The same network in SpikingJelly's multi-step mode; ``None`` where that is not installed."""
    try:
        from spikingjelly.activation_based import functional, layer, neuron, surrogate
    except ImportError:
        return None

    class Jelly(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            widths = (3, *CHANNELS)
            parts: list[nn.Module] = []
            for a, b in zip(widths, CHANNELS, strict=False):
                lif = neuron.LIFNode(
                    tau=2.0, decay_input=False, v_reset=None, surrogate_function=surrogate.Sigmoid(4.0), step_mode="m"
                )
                conv = layer.Conv2d(a, b, 3, 2, 1, bias=False, step_mode="m")
                parts += [conv, layer.BatchNorm2d(b, step_mode="m"), lif]
            self.body, self.readout = nn.Sequential(*parts), nn.Linear(CHANNELS[-1], 10)

        def forward(self, sequence: Tensor) -> Tensor:
            functional.reset_net(self)
            found: Tensor = self.readout(self.body(sequence).mean((-2, -1))).sum(0)
            return found

    return Jelly()


def stepping(forward: Callable[[], Tensor], network: nn.Module, labels: Tensor) -> Callable[[], None]:
    """A training step as a function without arguments."""
    optimizer = torch.optim.Adam(network.parameters(), 1e-3, fused=True)

    def step() -> None:
        loss = F.cross_entropy(forward().float(), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def rows() -> list[Row]:
    """A row a code and peer."""
    torch.set_num_threads(1)
    images, labels = batch()
    found = []
    for code in ("direct", "latency"):
        sequence = encoder(code, num_steps=STEPS)(images)
        spread = sequence.contiguous()  # peers are given every step, as their users do
        ours = SpikingConvNet(tuple(Block(c, stride=2) for c in CHANNELS))
        model = Classifier(ours, encoder(code, num_steps=STEPS), "current")
        loop, jelly = Loop(), multi_step()
        calls = {
            "ours": stepping(lambda model=model: model(images), ours, labels),  # type: ignore[misc]
            "snnTorch, loop over steps": stepping(lambda loop=loop, spread=spread: loop(spread), loop, labels),  # type: ignore[misc]
        }
        if jelly is not None:
            run = stepping(lambda jelly=jelly, spread=spread: jelly(spread), jelly, labels)  # type: ignore[misc]
            calls["SpikingJelly, multi-step"] = run
        found += against(f"training step, convolutions, {code}", median_ms(calls))
    return found


def throughput() -> dict[str, float]:
    """Pictures a second that the zoo's own recipe trains on, by code, on two threads."""
    torch.set_num_threads(2)
    images, labels = batch()
    found = {}
    for code in ("direct", "latency"):
        model = zoo.classifier_for(zoo.recipe(code, "cifar10"))

        def forward(model: Classifier = model) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
                answer: Tensor = model(images)
                return answer

        found[code] = 1000 * BATCH / median_ms({code: stepping(forward, model.network, labels)})[code]
    return found


def batch() -> tuple[Tensor, Tensor]:
    """Random pictures: what they show costs nothing."""
    return torch.rand(BATCH, 3, 32, 32, generator=torch.Generator().manual_seed(0)), torch.arange(BATCH) % 10


if __name__ == "__main__":
    print(markdown(rows()))
    print(
        "\nTraining with the zoo's recipe:",
        ", ".join(f"{code} {rate:,.0f} pictures/s" for code, rate in throughput().items()),
    )
