r"""NIR files (Neuromorphic Intermediate Representation, Pedersen et al. 2024): read one as a network, and write ours.

A NIR neuron is an equation in continuous time. With a step ``dt`` it runs as

.. math:: U[t] = (1 - dt/τ)\,U[t-1] + (dt/τ)\,(r\,I[t] + v_{leak}), \qquad U[t] := 0 \;\text{after a spike, at once}

So it resets to zero, in the step of the spike. NIR has no word for a reset that subtracts the threshold, one step later, as
``snntorch.Leaky`` does. ``write_nir`` notes it, with ``β`` to the last bit, in the metadata of the node; ``read_nir`` follows the
notes, other simulators do not. ``agreement`` measures what this changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import snntorch as snn
import torch
from torch import Tensor, nn

from snnlab.networks.adapters import Adapted
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.contexts import reset_state
from snnlab.networks.conv import SpikingConvNet, fold

__all__ = ["NirNetwork", "agreement", "read_nir", "write_nir"]

DT = 1e-4  # seconds a step, as in snnTorch and SpikingJelly


def read_nir(path: str | Path, *, exact: bool = True, dt: float = DT) -> NirNetwork:
    """Return the network of a NIR file.

    Args:
        path: of the file.
        exact: whether to follow the notes of ``write_nir``; else neurons run as NIR says.
        dt: seconds a step.

    Raises:
        ValueError: no NIR file, or a node that is not known (the sentence names it).
        ImportError: the package ``nir`` is not installed.
    """
    nir = _nir()
    if not Path(path).is_file():
        raise ValueError(f"there is no file {str(path)!r}; name a NIR file")
    try:
        graph = nir.read(path)
    except Exception as error:  # whatever a damaged file does to h5py and nir
        raise ValueError(f"{Path(path).name} is not a NIR file ({type(error).__name__}: {error})") from None
    if not isinstance(graph, nir.NIRGraph):
        raise ValueError(f"{Path(path).name} holds a single {type(graph).__name__}, not a graph")
    return NirNetwork(graph, exact=exact, dt=dt)


class NirNetwork(nn.Module):
    """The network of a NIR graph, run step by step; an edge that closes a cycle carries the value of the step before.

    Args:
        graph: a ``nir.NIRGraph`` with one input and one output.
        exact, dt: as for ``read_nir``.

    Shapes: ``[T, N, …]`` → spikes and potential ``[T, N, K]`` of the output.
    """

    def __init__(self, graph: Any, *, exact: bool = True, dt: float = DT) -> None:
        super().__init__()
        nir = _nir()
        nodes, edges = _flat(graph)
        inputs = [name for name, node in nodes.items() if isinstance(node, nir.Input)]
        outputs = [name for name, node in nodes.items() if isinstance(node, nir.Output)]
        if len(inputs) != 1 or len(outputs) != 1:
            raise ValueError(f"expected a graph with one input and one output, got {len(inputs)} and {len(outputs)}")
        self.input, self.output = inputs[0], outputs[0]
        self.shape = tuple(int(size) for size in nodes[self.input].input_type["input"])
        self.order = _ordered(self.input, edges)
        if self.output not in self.order:
            raise ValueError("no edges lead from the input of the graph to its output")
        self.before = {name: [a for a, b in edges if b == name and a in self.order] for name in self.order}
        self.nodes = nn.ModuleDict({_key(name): _module(nodes[name], exact, dt) for name in self.order})

    def forward(self, sequence: Tensor) -> Tensor | tuple[Tensor, Tensor]:
        """Run the whole sequence."""
        size = int(np.prod(self.shape))
        if sequence[0, 0].numel() != size:
            raise ValueError(f"the NIR file takes {list(self.shape)}, got {list(sequence.shape[2:])}")
        spikes, potentials = [], []
        values: dict[str, Tensor] = {}
        membrane: Tensor | None = None
        with reset_state(self):
            for step in sequence:
                values[self.input] = step.reshape(len(step), *self.shape)
                for name in self.order:
                    reads = [values[a] for a in self.before[name] if a in values]
                    if name == self.input or not reads:
                        continue
                    result = self.nodes[_key(name)](sum(reads[1:], reads[0]))
                    values[name], membrane = result if isinstance(result, tuple) else (result, membrane)
                spikes.append(values[self.output])
                potentials.append(membrane if membrane is not None else values[self.output])
        stacked = torch.stack(spikes)
        same = potentials[0].shape == spikes[0].shape
        return (stacked, torch.stack(potentials)) if same else stacked


class _Neuron(nn.Module):
    """A neuron of snnTorch behind the scale of its input and a constant current."""

    scale: Tensor
    leak: Tensor

    def __init__(self, neuron: nn.Module, scale: Any, leak: Any = 0.0) -> None:
        super().__init__()
        self.neuron = neuron
        self.register_buffer("scale", _tensor(scale))
        self.register_buffer("leak", _tensor(leak))

    def forward(self, current: Tensor) -> tuple[Tensor, Tensor]:
        spikes, *_, membrane = self.neuron(current * self.scale + self.leak)
        return spikes, membrane


class _SumPool(nn.AvgPool2d):
    def forward(self, values: Tensor) -> Tensor:
        size = self.kernel_size
        return super().forward(values) * (size[0] * size[1] if isinstance(size, tuple) else size**2)


class _Scale(nn.Module):
    scale: Tensor

    def __init__(self, scale: Any) -> None:
        super().__init__()
        self.register_buffer("scale", _tensor(scale))

    def forward(self, values: Tensor) -> Tensor:
        return values * self.scale


def _module(node: Any, exact: bool, dt: float) -> nn.Module:
    """Return the module that runs a node."""
    kind = type(node).__name__
    if kind in ("Input", "Output"):
        return nn.Identity()
    if kind in ("Linear", "Affine"):
        layer: nn.Module = nn.Linear(node.weight.shape[1], node.weight.shape[0], bias=kind == "Affine")
        return _loaded(layer, node)
    if kind == "Conv2d":
        shape, padding = node.weight.shape, node.padding if isinstance(node.padding, str) else _pair(node.padding)
        inputs = shape[1] * int(node.groups)
        settings = (_pair(node.stride), padding, _pair(node.dilation), int(node.groups))
        return _loaded(nn.Conv2d(inputs, shape[0], tuple(shape[2:]), *settings), node)
    if kind in ("AvgPool2d", "SumPool2d"):
        pool = nn.AvgPool2d if kind == "AvgPool2d" else _SumPool
        return pool(_pair(node.kernel_size), _pair(node.stride), _pair(node.padding))
    if kind == "Flatten":
        dims = [int(dim) + 1 if dim >= 0 else int(dim) for dim in (node.start_dim, node.end_dim)]
        return nn.Flatten(*dims)
    if kind == "Scale":
        return _Scale(node.scale)
    if kind not in ("LIF", "IF", "CubaLIF"):
        known = "Linear, Affine, Conv2d, AvgPool2d, SumPool2d, Flatten, Scale, LIF, IF and CubaLIF"
        raise ValueError(f"a NIR node {kind} is not known; known are {known}")
    if np.any(node.v_reset):
        raise ValueError(f"a NIR neuron that resets to {np.max(np.abs(node.v_reset)):g} is not known; expected v_reset = 0")
    notes = node.metadata if exact else {}
    settings_ = {"reset_mechanism": _text(notes.get("reset", "zero")), "reset_delay": bool(notes.get("reset_delay", 0))}
    settings_ |= {"threshold": _tensor(node.v_threshold), "init_hidden": True, "output": True}
    if kind == "CubaLIF":
        alpha, beta = (
            _tensor(notes.get(name, 1 - dt / tau)) for name, tau in (("alpha", node.tau_syn), ("beta", node.tau_mem))
        )
        scale = node.w_in * dt / node.tau_syn * node.r * dt / node.tau_mem
        return _Neuron(snn.Synaptic(alpha=alpha, beta=beta, **settings_), notes.get("scale", scale))
    rate = 1.0 if kind == "IF" else 1 / node.tau
    beta = notes.get("beta", 1.0 if kind == "IF" else 1 - dt / node.tau)
    leak = 0.0 if kind == "IF" else dt / node.tau * node.v_leak
    return _Neuron(snn.Leaky(beta=_tensor(beta), **settings_), notes.get("scale", node.r * dt * rate), leak)


def write_nir(network: nn.Module, path: str | Path, shape: Sequence[int] = (1, 28, 28), *, dt: float = DT) -> list[str]:
    """Write a network to a NIR file, and return what other simulators will not do as it does, a sentence each.

    Args:
        network: a ``Classifier`` of one (its code is not written), a ``SpikingMLP``, a ``SpikingConvNet`` without shortcuts
            (batch norm is folded), or an ``nn.Sequential`` of ``Flatten``, ``Linear``, ``Conv2d``, ``AvgPool2d``, ``Leaky`` and
            ``Synaptic``.
        path: of the file.
        shape: of one image, ``C', H, W``.
        dt: seconds a step.

    Raises:
        ValueError: a layer that NIR cannot hold (the sentence names it).
        ImportError: the package ``nir`` is not installed.
    """
    nir = _nir()
    layers, lost = _layers(network, shape), list[str]()
    values = torch.zeros(1, *shape)
    if layers and isinstance(layers[0], nn.Flatten):  # the input is flat then: snnTorch flattens the batch at a node Flatten
        values, layers = layers[0](values), layers[1:]
    nodes = {"input": nir.Input(np.array(values.shape[1:]))}
    for number, layer in enumerate(layers):
        before, values = values, _shape_after(layer, values)
        nodes[f"{number}"] = _node(layer, before[0], values[0], dt)
        if isinstance(layer, snn.SpikingNeuron) and (layer.reset_mechanism != "zero" or type(layer) is not snn.Leaky):
            when = "one step after the spike" if layer.reset_delay else "at once"
            lost.append(f"neurons of layer {number} reset by {layer.reset_mechanism!r}, {when}; NIR resets to zero at once")
    nodes["output"] = nir.Output(np.array(values.shape[1:]))
    names = list(nodes)
    nir.write(path, nir.NIRGraph(nodes, list(pairwise(names))))
    return lost


@torch.no_grad()
def agreement(classifier: Classifier, path: str | Path, images: Tensor) -> tuple[int, int]:
    """Return on how many of these images the file, run as NIR says, answers as the classifier does; and how many there are."""
    as_nir_says = Classifier(read_nir(path, exact=False), classifier.encoder, classifier.decoder)
    same = as_nir_says.predict(images)[-1] == classifier.predict(images)[-1]
    return int(same.sum()), len(same)


def _layers(network: nn.Module, shape: Sequence[int]) -> list[nn.Module]:
    """Return what a network does in one step, layer after layer."""
    if isinstance(network, Classifier | Adapted):
        return _layers(network.network, shape)
    if isinstance(network, SpikingMLP):
        return [nn.Flatten(), *(module for pair in zip(network.layers, network.neurons, strict=True) for module in pair)]
    if isinstance(network, SpikingConvNet) and not any(block.shortcut for block in network.blocks):
        plain, layers = deepcopy(network), list[nn.Module]()
        fold(plain)
        for layer, block in zip(plain.layers, plain.blocks, strict=True):
            pool = [nn.AvgPool2d(block.pool)] if block.pool > 1 else []
            layers += [layer.current.conv, *pool, layer.activations[0]]  # type: ignore[union-attr, list-item, index]
        values = torch.zeros(1, *shape)
        for layer in layers:
            values = _shape_after(layer, values)
        return [*layers, nn.AvgPool2d(_pair(values.shape[2:])), nn.Flatten(), plain.readout, plain.output]
    if isinstance(network, nn.Sequential):
        return [layer for layer in network if not isinstance(layer, nn.Identity)]
    raise ValueError(
        "can write a SpikingMLP, a SpikingConvNet without shortcuts or an nn.Sequential of layers, got "
        f"{type(network).__name__}"
    )


def _shape_after(layer: nn.Module, values: Tensor) -> Tensor:
    if isinstance(layer, snn.SpikingNeuron):
        return values
    with torch.no_grad():
        result: Tensor = layer(values)
    return result


def _node(layer: nn.Module, before: Tensor, after: Tensor, dt: float) -> Any:
    """Return the NIR node of a layer that maps one sample ``before`` to ``after``."""
    nir = _nir()
    if isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1):
        return nir.Flatten({"input": np.array(before.shape)}, 0, -1)
    if isinstance(layer, nn.Linear):
        weight = _array(layer.weight)
        return nir.Linear(weight) if layer.bias is None else nir.Affine(weight, _array(layer.bias))
    if isinstance(layer, nn.Conv2d) and layer.padding_mode == "zeros":
        bias = np.zeros(layer.out_channels, np.float32) if layer.bias is None else _array(layer.bias)
        settings = (layer.stride, layer.padding, layer.dilation, layer.groups)
        return nir.Conv2d(tuple(before.shape[1:]), _array(layer.weight), *settings, bias)
    if isinstance(layer, nn.AvgPool2d) and not layer.padding and not layer.ceil_mode and layer.divisor_override is None:
        return nir.AvgPool2d(np.array(_pair(layer.kernel_size)), np.array(_pair(layer.stride)), np.array([0, 0]))
    if type(layer) not in (snn.Leaky, snn.Synaptic):
        raise ValueError(f"NIR cannot hold a layer {layer}; write Flatten, Linear, Conv2d, AvgPool2d, Leaky and Synaptic")
    neuron: Any = layer
    beta, threshold, zero = (_filled(value, after) for value in (neuron.beta.clamp(0, 1), neuron.threshold, 0.0))
    notes = {"reset": neuron.reset_mechanism, "reset_delay": int(neuron.reset_delay), "beta": beta, "scale": np.float32(1)}
    if isinstance(layer, snn.Synaptic):
        alpha = _filled(neuron.alpha.clamp(0, 1), after)
        tau = [dt / np.maximum(1 - value.astype(np.float64), 1e-9) for value in (alpha, beta)]
        resistance, weight = tau[1] / dt, tau[0] / dt
        return nir.CubaLIF(*tau, resistance, zero, threshold, zero, weight, metadata=notes | {"alpha": alpha})
    if (beta == 1).all():
        return nir.IF(np.ones_like(beta) / dt, threshold, zero, metadata=notes)
    tau_mem = dt / np.maximum(1 - beta.astype(np.float64), 1e-9)
    return nir.LIF(tau_mem, tau_mem / dt, zero, threshold, zero, metadata=notes)


def _flat(graph: Any, prefix: str = "") -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return nodes and edges of a graph, those of graphs inside it among them."""
    nir = _nir()
    nodes: dict[str, Any] = {}
    edges = [(prefix + a, prefix + b) for a, b in graph.edges]
    for name, node in graph.nodes.items():
        if not isinstance(node, nir.NIRGraph):
            nodes[prefix + name] = node
            continue
        inner, inner_edges = _flat(node, f"{prefix}{name}.")
        ends = {
            kind: next(
                key for key, value in inner.items() if isinstance(value, kind) and key.count(".") == prefix.count(".") + 1
            )
            for kind in (nir.Input, nir.Output)
        }
        whole = prefix + name
        edges = [(ends[nir.Output] if a == whole else a, ends[nir.Input] if b == whole else b) for a, b in edges]
        # An input or output inside a graph is a node like others.
        nodes |= {key: nir.Scale(np.float32(1)) if key in ends.values() else value for key, value in inner.items()}
        edges += inner_edges
    return nodes, edges


def _ordered(first: str, edges: Sequence[tuple[str, str]]) -> list[str]:
    """Return the nodes that the first leads to, each after all that lead to it, but for edges that close a cycle."""
    order: list[str] = []
    entered: set[str] = set()

    def visit(name: str) -> None:
        entered.add(name)
        for _, after in (edge for edge in edges if edge[0] == name and edge[1] not in entered):
            if after not in entered:
                visit(after)
        order.append(name)

    visit(first)
    return order[::-1]


def _nir() -> Any:
    try:
        import nir
    except ImportError:
        raise ImportError("NIR files need the package nir; install it with 'pip install nir'") from None
    return nir


def _loaded(layer: nn.Module, node: Any) -> nn.Module:
    for name in ("weight", "bias"):
        if getattr(layer, name, None) is not None:
            getattr(layer, name).data = _tensor(getattr(node, name))
    return layer


def _filled(value: Any, like: Tensor) -> np.ndarray[Any, Any]:
    """Return a constant as an array with a value for each neuron."""
    return np.ascontiguousarray(torch.as_tensor(value).detach().float().expand(like.shape).numpy())


def _array(values: Tensor) -> np.ndarray[Any, Any]:
    array: np.ndarray[Any, Any] = values.detach().contiguous().numpy()
    return array


def _tensor(value: Any) -> Tensor:
    return torch.from_numpy(np.array(value, dtype=np.float32))


def _pair(value: Any) -> tuple[int, int]:
    first, *rest = np.atleast_1d(value).tolist()
    return int(first), int(rest[0] if rest else first)


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _key(name: str) -> str:
    return "node_" + name.replace(".", "_")
