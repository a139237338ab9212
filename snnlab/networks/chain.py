r"""A network as a chain of layers, for an engine that is not PyTorch.

``chain_of`` runs a network once and records its tensor operations in order. Every operation must read what the one before
it returned. The chain is then run by itself, and must give the logits of the network at every exit.

========== =============================================================================================
kind       layer
========== =============================================================================================
linear     ``W x + b``
conv       a convolution of two dimensions, with stride, padding, dilation and groups
average    average pooling (also adaptive, and the mean over all positions)
max        maximum pooling
scale      ``a x + b``, one ``a`` and ``b`` a channel: batch norm in evaluation mode
relu       ``max(0, x)``
neuron     ``Leaky`` or ``Synaptic`` with constants for each neuron, reset subtract, zero or none
========== =============================================================================================

Flatten and dropout (in evaluation mode) are no layers: they change no value. ``Chain.payload`` writes a chain as data, with
weights as base64 of whole numbers with a power of two a row: int8 where that holds them exactly, else 24 bits, which change a sum
by less than the order of its terms does; or as float32 (``packed``).
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any, cast

import numpy as np
import snntorch as snn
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from snnlab.networks.adapters import Adapted, device_of
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import is_neuron, probing, reset_state
from snnlab.networks.decoding import logits_at_every_exit
from snnlab.networks.event_linear import synaptic_current
from snnlab.networks.sequence import is_fused, unroll
from snnlab.networks.surrogate import SpikeGrad, Surrogate, derivative_of

__all__ = ["Chain", "Layer", "NoChain", "chain_of", "packed", "surrogate_of"]

TOLERANCE = 1e-4  # of logits, between the network and its chain
#: operations that change no value of a sample, or nothing that the comparison at the end would not show
REARRANGING = frozenset([
    "view", "reshape", "flatten", "unflatten", "squeeze", "unsqueeze", "contiguous", "float", "to", "expand", "expand_as",
    "__getitem__", "unbind", "clone", "detach", "dropout", "dropout1d", "dropout2d", "alpha_dropout", "stack", "cat",
    "transpose", "permute", "select", "narrow", "chunk", "split", "type",
])  # fmt: skip


class NoChain(ValueError):
    """The network is no chain of layers of a known kind; the message says why, as the end of a sentence."""


@dataclass(frozen=True)
class Layer:
    """One layer: its kind (module docstring), its shapes without the batch, and its tensors and settings by name."""

    kind: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    values: dict[str, Any]
    identity: tuple[Any, ...]  # equal if another step calls the same layer again

    def __call__(self, values: Tensor) -> Tensor:
        """Return what a layer without a state makes of ``[N, …]``."""
        given, x = self.values, values.reshape(len(values), *self.inputs)
        match self.kind:
            case "linear":
                return F.linear(x.flatten(1), given["weight"], given["bias"])
            case "conv":
                settings = {name: tuple(given[name]) for name in ("stride", "padding", "dilation")}
                return F.conv2d(x, given["weight"], given["bias"], **settings, groups=given["groups"])
            case "average":
                return F.avg_pool2d(x, given["kernel"], given["stride"], given["padding"])
            case "max":
                return F.max_pool2d(x, given["kernel"], given["stride"], given["padding"])
            case "scale":
                columns = (-1, *[1] * (len(self.inputs) - 1))
                scaled: Tensor = x * given["gain"].view(columns) + given["offset"].view(columns)
                return scaled
            case "relu":
                return x.relu()
        raise ValueError(f"{self.kind} is no layer without a state")


@dataclass(frozen=True)
class Chain:
    """The layers of a network, first to last.

    Args:
        layers: as recorded.
        inputs: shape ``[C, H, W]`` of a step.
        potential: whether the network returns the potential of its last layer, which decides ties.
        population: neighbouring outputs that stand for one class.
    """

    layers: tuple[Layer, ...]
    inputs: tuple[int, ...]
    potential: bool = True
    population: int = 1

    @torch.no_grad()
    def run(self, sequence: Tensor, folded: bool = False) -> tuple[Tensor, Tensor]:
        """Return spikes and potential of the last layer, ``[T, N, K]``, for a sequence ``[T, N, …]``; of an ANN, its logits.

        ``folded``: layers without a state take all steps as one batch.
        """
        membrane = torch.zeros(())
        for layer in self.layers:
            if layer.kind == "neuron":
                sequence, membrane = unroll(layer.values["module"], sequence)
            elif folded:
                outputs = layer(sequence.flatten(0, 1))
                sequence = outputs.view(*sequence.shape[:2], *outputs.shape[1:])
            else:
                sequence = torch.stack([layer(step) for step in sequence])
        spikes, membrane = (sequence, membrane) if membrane.dim() else (sequence, sequence)
        if self.population > 1:
            spikes, membrane = (x.view(*x.shape[:-1], -1, self.population).sum(-1) for x in (spikes, membrane))
        return spikes, membrane if self.potential else torch.zeros_like(membrane)

    def payload(self) -> dict[str, Any]:
        """Return the chain as plain JSON values, with which the browser engine runs it (``widgets/js/src/layers``)."""
        return {
            "inputs": list(self.inputs),
            "potential": self.potential,
            "population": self.population,
            "layers": [_layer(layer) for layer in self.layers],
        }


def _layer(layer: Layer) -> dict[str, Any]:
    about: dict[str, Any] = {"kind": layer.kind, "inputs": list(layer.inputs), "outputs": list(layer.outputs)}
    if layer.kind == "neuron":
        return about | _neurons(layer)
    if layer.kind == "conv":
        about["kernel"] = list(layer.values["weight"].shape[2:])
    for name, value in layer.values.items():
        about[name] = packed(value) if isinstance(value, Tensor) else value
    return about


def _neurons(layer: Layer) -> dict[str, Any]:
    neuron = layer.values["module"]

    def each(value: Any) -> dict[str, Any]:
        """A number for all neurons, or one for each."""
        numbers = cast(Tensor, value).detach().float().cpu()
        numbers = numbers.view(-1) if numbers.numel() == 1 else numbers.expand(layer.outputs)
        return packed(numbers) | {"count": numbers.numel()}

    constants = {"beta": each(neuron.beta.clamp(0, 1)), "threshold": each(neuron.threshold)}
    if hasattr(neuron, "alpha"):
        constants["alpha"] = each(neuron.alpha.clamp(0, 1))
    return {"reset": neuron.reset_mechanism, "surrogate": vars(surrogate_of(neuron.spike_grad))} | constants


def packed(values: Tensor) -> dict[str, Any]:
    """Return numbers as base64, with the exponent of a power of two for each row, or as float32.

    ============ ============================================================================================================
    ``int8``     where it holds the numbers exactly
    ``int24``    matrices: a number is off by at most half of the last float32 digit of the largest in its row. A quarter
                 smaller than float32, since leading digits stand together and compress: the four characters of a number
                 come in four runs, first the first ones
    ``float32``  all others: vectors, and matrices with a row whose largest number is over 128 times the average
    ============ ============================================================================================================

    >>> packed(torch.tensor([[0.5, -1.0], [3.0, 0.0]]))
    {'int8': 'IMBgAA==', 'exponent': [-6, -5]}
    >>> packed(torch.tensor([[0.1, -0.3]]).repeat(2, 1))
    {'int24': 'mMmMZzZzmMmMazaz', 'exponent': [-24, -24]}
    """
    rows = values.detach().float().cpu().reshape(len(values) if values.dim() > 1 else 1, -1)
    largest = rows.abs().amax(1).clamp(min=2.0**-100)
    if (whole := _whole(rows, largest, 127))[2]:
        return {"int8": base64.b64encode(whole[0].to(torch.int8).numpy().tobytes()).decode(), "exponent": whole[1]}
    average = rows.abs().sum(1) / (rows != 0).sum(1).clamp(min=1)
    if values.dim() > 1 and bool((largest <= 128 * average.clamp(min=2.0**-100)).all()):
        digits, exponent, _ = _whole(rows, largest, 2**23 - 1)
        big_endian = (digits.flatten().int().numpy() + 2**23).astype(">i4").view(np.uint8).reshape(-1, 4)[:, 1:]
        characters = np.frombuffer(base64.b64encode(big_endian.tobytes()), np.uint8).reshape(-1, 4)
        return {"int24": characters.T.tobytes().decode(), "exponent": exponent}
    return {"float32": base64.b64encode(rows.contiguous().numpy().astype("<f4").tobytes()).decode()}


def _whole(rows: Tensor, largest: Tensor, most: int) -> tuple[Tensor, list[int], bool]:
    """Return rows as whole numbers up to ``most``, the exponent of each row, and whether nothing was rounded."""
    exponent = torch.ceil(torch.log2(largest.double() / most))
    scaled = rows.double() / torch.exp2(exponent)[:, None]
    whole = scaled.round().clamp(-most, most)
    return whole, exponent.int().tolist(), bool((whole == scaled).all())


def chain_of(classifier: Classifier, images: Tensor) -> Chain:
    """Return the chain of layers that a classifier's network is, compared with the classifier on images.

    Args:
        classifier: of any network.
        images: ``[N, C, H, W]`` in [0, 1], on which logits at every exit must agree to 1e-4; random images are added.

    Raises:
        NoChain: what hinders, as the end of a sentence.

    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), snn.Leaky(beta=0.9, init_hidden=True, output=True))
    >>> images = torch.rand(5, 1, 2, 2)
    >>> [layer.kind for layer in chain_of(Classifier.of(net, images), images).layers]
    ['linear', 'neuron']
    """
    network, code = classifier.network, classifier.encoder
    form = network.form if isinstance(network, Adapted) else ""
    if form == "sequence to logits":
        raise NoChain("it answers once, at its end")
    if code is None and isinstance(network, Adapted) and network.num_steps:
        raise NoChain("it runs its steps inside and returns logits alone; return the spikes of every step")
    if classifier.levels is not None:
        raise NoChain(f"it rounds images to {classifier.levels} levels")
    random = torch.rand(8, *images.shape[1:], generator=torch.Generator().manual_seed(0))
    images = torch.cat([images[:8].cpu().float(), random]).to(device_of(network))
    with probing(network), reset_state(network):
        torch.manual_seed(0)
        sequence = images[None] if code is None else classifier.encode(images).contiguous()
        layers = _recorded(network, images if code is None else sequence, tuple(sequence.shape[2:]))
        expected = classifier.read(images) if code is None else classifier.respond(sequence)
        return _agreeing(classifier, layers, sequence, expected)


def _agreeing(classifier: Classifier, layers: tuple[Layer, ...], sequence: Tensor, expected: tuple[Tensor, Tensor]) -> Chain:
    """Return the chain, if it answers as the network does; what it computes may be batched by steps or all at once."""
    spiking, population = classifier.encoder is not None, getattr(classifier.network, "population", 1)
    if spiking and layers[-1].kind != "neuron":
        raise NoChain(f"it ends with a layer of kind {layers[-1].kind!r}, not with neurons")
    if not spiking and any(layer.kind == "neuron" for layer in layers):
        raise NoChain("it has neurons, but no steps")
    potential = not spiking or bool(expected[1].any())
    chain = Chain(layers, tuple(sequence.shape[2:]), potential, population)
    for folded in (False, True):
        spikes, membrane = chain.run(sequence, folded)
        logits = spikes
        if spikes.shape == expected[0].shape and spiking:
            logits = logits_at_every_exit(spikes, membrane, classifier.decoder, classifier.num_steps)
        answer = (logits, membrane) if spiking else (logits, logits)
        if all(a.shape == b.shape and _close(a, b) for a, b in zip(answer, expected, strict=True)):
            return chain
    raise NoChain(
        "its layers in a row give other outputs than the network does (a connection that skips layers, or arithmetic)"
    )


def _close(given: Tensor, expected: Tensor) -> bool:
    return bool(((given - expected).abs() <= TOLERANCE * expected.abs().clamp(min=1)).all())


def _recorded(network: nn.Module, values: Tensor, inputs: tuple[int, ...]) -> tuple[Layer, ...]:
    plain = {id(m) for m in network.modules() if is_neuron(m) and (is_fused(m) or _is_plain_synaptic(m))}
    recorder = _Recorder(values, inputs, plain)
    hooks: list[Any] = []
    for module in network.modules():
        if is_neuron(module):
            hooks.append(module.register_forward_pre_hook(recorder.enters))
            hooks.append(module.register_forward_hook(recorder.leaves))
    try:
        with recorder:
            network(values)
    finally:
        for hook in hooks:
            hook.remove()
    if not recorder.layers:
        raise NoChain("no layer of a known kind reads the input")
    return tuple(recorder.layers)


class _Recorder(TorchFunctionMode):
    """Records which layer each tensor comes from: its number in the chain, 0 for the input; a name for anything else."""

    def __init__(self, values: Tensor, inputs: tuple[int, ...], plain: set[int]) -> None:
        super().__init__()
        self.inputs = inputs
        self.plain = plain  # neurons of a known kind, by id
        self.layers: list[Layer] = []
        self.source: dict[int, int | str] = {}
        self.alive: list[Any] = []  # so that no other tensor gets the same id
        self.inside = 0
        self._mark(values, 0)

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.inside += func is unroll  # it calls the neuron itself
        output = func(*args, **(kwargs or {}))
        self.inside -= func is unroll
        if not self.inside:
            self._note(func, args, kwargs or {}, output)
        return output

    def enters(self, module: nn.Module, args: Any) -> None:
        """Note that a neuron begins: its arithmetic is its own."""
        self.inside += 1

    def leaves(self, module: nn.Module, args: Any, output: Any) -> None:
        """Note that a neuron has answered."""
        self.inside -= 1
        if not self.inside:
            self._neuron(module, args[0], output[0] if isinstance(output, tuple) else output)

    def _note(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], output: Any) -> None:
        name = getattr(func, "__name__", "")
        if func is unroll:
            return self._neuron(args[0], args[1], output[0])
        if func is synaptic_current:
            func, name, args = F.linear, "linear", (args[1], args[0].weight, args[0].bias)
        given = [x for x in _tensors((args, kwargs)) if id(x) in self.source]
        if not given:
            return None
        sources = {self.source[id(x)] for x in given}
        if name in LAYERS and len(sources) == 1 and isinstance(output, Tensor):
            made = LAYERS[name](*args, **kwargs)
            if made is not None:
                return self._layer(given[0], output, *made)
        if (
            name in REARRANGING
            and len(sources) == 1
            and not (name.startswith(("dropout", "alpha")) and _random(args, kwargs))
        ):
            source: int | str = sources.pop()
        else:
            source = f"its layers are joined by {name}"
        for x in _tensors(output):
            self._mark(x, source)
        return None

    def _neuron(self, module: nn.Module, current: Tensor, spikes: Tensor) -> None:
        name = type(module).__name__
        if id(module) not in self.plain:
            raise NoChain(
                f"it has a {name} of a kind that is not known" if name in ("Leaky", "Synaptic") else f"it has a {name}"
            )
        self._layer(current, spikes, "neuron", (id(module),), {"module": module})

    def _layer(self, before: Tensor, after: Tensor, kind: str, identity: tuple[Any, ...], values: dict[str, Any]) -> None:
        source = self.source.get(id(before), "a layer reads what does not come from the image")
        if isinstance(source, str):
            raise NoChain(source)
        inputs, outputs = _shapes(kind, before, after, self.layers[source - 1].outputs if source else self.inputs)
        layer = Layer(kind, inputs, outputs, values, (kind, *identity))
        if source < len(self.layers):
            if self.layers[source].identity != layer.identity:
                raise NoChain(f"its layers branch: two of them ({self.layers[source].kind}, {kind}) read the same values")
        else:
            self.layers.append(layer)
        self._mark(after, source + 1)

    def _mark(self, tensor: Tensor, source: int | str) -> None:
        self.source[id(tensor)] = source
        self.alive.append(tensor)


def _tensors(value: Any) -> list[Tensor]:
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = tuple(value.values())
    return [x for part in value for x in _tensors(part)] if isinstance(value, tuple | list) else []


def _random(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return bool(kwargs.get("training", args[2] if len(args) > 2 else True))


def _shapes(kind: str, before: Tensor, after: Tensor, here: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the shapes of one sample in front of a layer and behind it; ``here``: of what it is given."""
    if kind in ("conv", "average", "max"):
        reduced = after.dim() < before.dim()  # the mean over all positions
        return tuple(before.shape[-3:]), (before.shape[-3], 1, 1) if reduced else tuple(after.shape[-3:])
    if kind == "linear":
        if prod(here) != before.shape[-1]:
            raise NoChain(f"a linear layer of {before.shape[-1]} inputs reads {list(here)} in parts")
        return (before.shape[-1],), (after.shape[-1],)
    if kind == "scale" and before.dim() > 2:
        here = tuple(before.shape[-3:])
    return here, here


def _is_plain_synaptic(module: Any) -> bool:
    if module._forward_hooks or module._forward_pre_hooks:
        return False
    if type(module) is not snn.Synaptic or module.inhibition or module.state_quant or not module.reset_delay:
        return False
    return bool((module.threshold > 0).all())


def surrogate_of(spike_grad: SpikeGrad) -> Surrogate:
    """Return the ``Surrogate`` that a ``spike_grad`` of snnTorch equals.

    Raises:
        NoChain: none of the known shapes.

    >>> import snntorch.surrogate
    >>> surrogate_of(snntorch.surrogate.fast_sigmoid(slope=25))
    Surrogate(shape='fast_sigmoid', slope=25.0)
    """
    if isinstance(spike_grad, Surrogate):
        return spike_grad
    v = torch.linspace(-1, 1, 201)
    h = derivative_of(spike_grad)(v)
    top, half = float(h[100]), float(h[150])
    slopes = {"arctan": 2 * top, "sigmoid": 4 * top, "triangular": top}
    if half > 0:
        slopes["fast_sigmoid"] = 2 * (half**-0.5 - 1)
    for shape, slope in slopes.items():
        if slope > 0:
            guess = Surrogate(shape, round(slope, 4))
            if torch.allclose(guess.derivative(v), h, rtol=1e-3, atol=1e-4 * max(top, 1e-6)):
                return guess
    name = getattr(spike_grad, "__qualname__", type(spike_grad).__name__).partition(".")[0]
    raise NoChain(f"its surrogate {name} has no shape of {', '.join(slopes)}")


def _pair(value: Any) -> list[int]:
    return [int(v) for v in (value if isinstance(value, tuple | list) else (value, value))]


Made = tuple[str, tuple[Any, ...], dict[str, Any]] | None


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Made:
    return "linear", (id(weight),), {"weight": weight, "bias": bias}


def _conv(
    x: Tensor, weight: Tensor, bias: Any = None, stride: Any = 1, padding: Any = 0, dilation: Any = 1, groups: int = 1
) -> Made:
    if isinstance(padding, str):
        reach = [d * (k - 1) for d, k in zip(_pair(dilation), weight.shape[2:], strict=True)]
        if padding == "same" and any(r % 2 for r in reach):
            raise NoChain("it pads a convolution by more on one side")
        padding = [r // 2 for r in reach] if padding == "same" else 0
    settings = {"stride": _pair(stride), "padding": _pair(padding), "dilation": _pair(dilation), "groups": groups}
    return "conv", (id(weight), str(settings)), {"weight": weight, "bias": bias, **settings}


def _pool(kind: str, kernel: Any, stride: Any, padding: Any, plain: bool) -> Made:
    if not plain:
        raise NoChain("it pools with options beyond kernel, stride and padding")
    settings = {"kernel": _pair(kernel), "stride": _pair(stride or kernel), "padding": _pair(padding)}
    return kind, (str(settings),), settings


def _average(
    x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, ceil_mode: bool = False,
    count_include_pad: bool = True, divisor_override: Any = None,
) -> Made:  # fmt: skip
    plain = not ceil_mode and divisor_override is None and (count_include_pad or not any(_pair(padding)))
    return _pool("average", kernel_size, stride, padding, plain)


def _max(
    x: Tensor, kernel_size: Any, stride: Any = None, padding: Any = 0, dilation: Any = 1, ceil_mode: bool = False,
    return_indices: bool = False,
) -> Made:  # fmt: skip
    return _pool("max", kernel_size, stride, padding, not ceil_mode and _pair(dilation) == [1, 1] and not return_indices)


def _adaptive(x: Tensor, output_size: Any) -> Made:
    sizes = [have if want is None else int(want) for have, want in zip(x.shape[-2:], _outputs(output_size), strict=True)]
    kernel = [have // want for have, want in zip(x.shape[-2:], sizes, strict=True)]
    return _pool("average", kernel, kernel, 0, [k * n for k, n in zip(kernel, sizes, strict=True)] == list(x.shape[-2:]))


def _outputs(size: Any) -> tuple[Any, Any]:
    return tuple(size) if isinstance(size, tuple | list) else (size, size)


def _mean(x: Tensor, dim: Any = None, keepdim: bool = False, **others: Any) -> Made:
    axes = sorted(d % x.dim() for d in ([dim] if isinstance(dim, int) else dim or []))
    if x.dim() < 4 or axes != [x.dim() - 2, x.dim() - 1] or others:
        return None
    return _pool("average", list(x.shape[-2:]), None, 0, True)


def _norm(
    x: Tensor, running_mean: Any, running_var: Any, weight: Any = None, bias: Any = None, training: bool = False,
    momentum: float = 0.1, eps: float = 1e-5,
) -> Made:  # fmt: skip
    if training or running_mean is None:
        raise NoChain("its batch norm takes the statistics of the batch")
    gain = (1 if weight is None else weight) / torch.sqrt(running_var + eps)
    return "scale", (id(running_mean),), {"gain": gain, "offset": (0 if bias is None else bias) - running_mean * gain}


def _relu(x: Tensor, inplace: bool = False) -> Made:
    return "relu", (), {}


#: by name of the operation, how it is read; ``None`` where it is no layer
LAYERS: dict[str, Callable[..., Made]] = {
    "linear": _linear,
    "conv2d": _conv,
    "avg_pool2d": _average,
    "max_pool2d": _max,
    "adaptive_avg_pool2d": _adaptive,
    "mean": _mean,
    "batch_norm": _norm,
    "relu": _relu,
    "relu_": _relu,
}
