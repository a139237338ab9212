"""A training step of the convolutional network against its peers, in one run.

    python benchmarks/convolution_step.py [--threads 1]

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

import argparse
from collections.abc import Callable
from typing import Any

import snntorch as snn
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from training_step import median_ms

from snnlab.convolution import Block, SpikingConvNet
from snnlab.encoding import encoder
from snnlab.network import Classifier
from snnlab.zoo import cifar10

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


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="of the first table")
    torch.set_num_threads(parser.parse_args().threads)
    generator = torch.Generator().manual_seed(0)
    images, labels = torch.rand(BATCH, 3, 32, 32, generator=generator), torch.arange(BATCH) % 10

    for code in ("direct", "latency"):
        sequence = encoder(code, num_steps=STEPS)(images)
        spread = sequence.contiguous()  # peers are given every step, as their users do
        ours = SpikingConvNet(tuple(Block(c, stride=2) for c in CHANNELS))
        model = Classifier(ours, encoder(code, num_steps=STEPS), "current")
        loop, jelly = Loop(), multi_step()
        contestants = {
            "snnlab": stepping(lambda model=model: model(images), ours, labels),  # type: ignore[misc]
            "snnTorch, loop over steps": stepping(lambda loop=loop, spread=spread: loop(spread), loop, labels),  # type: ignore[misc]
        }
        if jelly is not None:
            contestants["SpikingJelly, multi-step"] = stepping(
                lambda jelly=jelly, spread=spread: jelly(spread), jelly, labels
            )  # type: ignore[misc]
        else:
            print("SpikingJelly is not installed: its row is missing")
        found = median_ms(contestants)
        for name, ms in found.items():
            print(f"{code:8} T = {STEPS}  {name:26} {ms:7.0f} ms  {ms / found['snnlab']:5.2f} ×")

    torch.set_num_threads(2)
    for code in ("direct", "latency"):
        model = cifar10.classifier_for(code)

        def forward(model: Classifier = model) -> Tensor:
            with torch.autocast("cpu", torch.bfloat16, cache_enabled=False):
                found: Tensor = model(images)
                return found

        ms = median_ms({code: stepping(forward, model.network, labels)})[code]
        print(f"{code:8} T = {model.num_steps}  the zoo's recipe, two threads {1000 * BATCH / ms:7.0f} pictures a second")


if __name__ == "__main__":
    main()
