"""The door for any network: probe a module, and put a classifier around it.

=============================== =====================================================================================
form                            what a network of this form does
=============================== =====================================================================================
``sequence``                    reads all steps ``[T, N, …]`` and returns spikes (and membrane) of every step
``sequence to logits``          reads all steps and returns logits ``[N, K]`` once
``one step``                    reads one step ``[N, …]`` and keeps its state until the next (``init_hidden``)
``steps inside``                reads an image, runs ``T`` steps of its own, returns spikes of every step
``image``                       reads an image and returns logits ``[N, K]``
=============================== =====================================================================================

A probe decides. The network is called with random batches of two sizes and two lengths, all different, so that the axes of its
output show which is which. Calls of its neurons are counted: one a step. Another first sample must not change the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn

from snnlab.encoding import Encoder, encoder
from snnlab.networks.classifier import Classifier, Trace
from snnlab.networks.contexts import all_steps_at_once, is_neuron, probing, reset_state, state_of

__all__ = ["DEFAULT_STEPS", "Adapted", "as_batch", "as_images", "as_labels", "classifier_of", "describe", "device_of"]

Form = Literal["sequence", "sequence to logits", "one step", "steps inside", "image"]
#: steps of a code where none are named
DEFAULT_STEPS = 8
ROUNDING = 1e-6  # by which images may miss [0, 1]
SIZES, LENGTHS = (3, 4), (7, 5)  # of the two probes: no number of steps is a number of samples


@dataclass(frozen=True)
class Layout:
    """How a network wants its input: all steps or a single image; pictures or rows of pixels; the batch first or second."""

    steps: bool
    flat: bool = False
    batch_first: bool = False

    def __call__(self, values: Tensor) -> Tensor:
        """Lay out ``[T, N, C, H, W]`` (``steps``) or ``[N, C, H, W]``."""
        if self.flat:
            values = values.flatten(2 if self.steps else 1)
        return values.transpose(0, 1) if self.batch_first else values

    def __str__(self) -> str:
        axes = ["N", "pixels"] if self.flat else ["N", "C", "H", "W"]
        if self.steps:
            axes.insert(1 if self.batch_first else 0, "T")
        return f"[{', '.join(axes)}]"


IMAGES = (Layout(False), Layout(False, flat=True))
SEQUENCES = tuple(Layout(True, flat, batch_first) for batch_first in (False, True) for flat in (False, True))


class Adapted(nn.Module):
    """A network of any form as one that reads a sequence: ``[T, N, C, H, W]`` → spikes (and membrane) ``[T, N, K]``.

    A network of the form ``image`` maps images to logits ``[N, K]``.

    Args:
        network: any module.
        form, layout: what it does and how it wants its input.
        outputs: of the network, before they are pooled.
        num_steps: that it runs inside; of other forms ``None``.
        batch_first: whether its stacks are ``[N, T, K]``.
        swapped: whether it returns ``(membrane, spikes)``.
        population: neighbouring outputs that stand for one class.
    """

    def __init__(
        self,
        network: nn.Module,
        form: Form,
        layout: Layout,
        outputs: int,
        *,
        num_steps: int | None = None,
        batch_first: bool = False,
        swapped: bool = False,
        population: int = 1,
    ) -> None:
        super().__init__()
        self.network, self.form, self.layout, self.outputs, self.num_steps = network, form, layout, outputs, num_steps
        self.batch_first, self.swapped, self.population = batch_first, swapped, population

    def forward(self, values: Tensor) -> Tensor | Trace | tuple[Tensor, Tensor]:
        """Lay out the input, run the network, turn and pool what it returns."""
        if self.form == "image":
            return self._pooled(_tensors(self.network(self.layout(values)))[0])
        if self.form == "one step":
            steps = [_tensors(self.network(self.layout(step))) for step in values]
            stacks = [torch.stack(column) for column in zip(*steps, strict=True)]
        elif self.form == "steps inside":
            if values.stride(0) and not bool((values == values[:1]).all()):
                raise ValueError("the network shows itself one image at every step; it cannot read a sequence that changes")
            stacks = [stack[: len(values)] for stack in self._turned(self.network(self.layout(values[0])))]
        else:
            output = self.network(self.layout(values))
            if isinstance(output, Trace) and self.population == 1 and not self.batch_first:
                return output
            stacks = self._turned(output)
        if self.form == "sequence to logits":  # they belong to the last step
            membrane = nn.functional.pad(self._pooled(stacks[0])[None], (0, 0, 0, 0, len(values) - 1, 0))
            return torch.zeros_like(membrane), membrane
        # Behind its spikes a neuron returns its states, the potential last: (spikes, current, potential) of ``Synaptic``.
        pooled = [self._pooled(stack) for stack in (*stacks[:1], *stacks[1:][-1:])]
        if len(pooled) == 1:
            return pooled[0]
        return (pooled[1], pooled[0]) if self.swapped else (pooled[0], pooled[1])

    def _turned(self, output: Any) -> list[Tensor]:
        return [stack.transpose(0, 1) if self.batch_first else stack for stack in _tensors(output)]

    def _pooled(self, outputs: Tensor) -> Tensor:
        return outputs if self.population == 1 else outputs.view(*outputs.shape[:-1], -1, self.population).sum(-1)


def classifier_of(
    network: nn.Module,
    images: Tensor,
    *,
    code: str | None = None,
    num_steps: int | None = None,
    decoder: str | None = None,
    population: int = 1,
) -> Classifier:
    """Return a classifier of any network; ``describe`` says what the network was taken for.

    Args:
        network: a module of one of the forms in the module docstring. A ``Classifier`` is returned as it is.
        images: a batch ``[N, C, H, W]`` of the size that the network takes.
        code: name of the code; default ``direct``. ``"none"``: the images themselves. A network of images takes no other.
        num_steps: ``T``; default 8, or the number of steps that the network runs inside.
        decoder: the read-out; default ``rate``.
        population: neighbouring outputs that stand for one class (``population_code`` of snnTorch).

    Raises:
        ValueError: a network that no form fits (the sentence lists what was tried); a code or a number of steps that the
            network cannot take; a population that does not divide the outputs.

    >>> import snntorch as snn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(4, 10), snn.Leaky(beta=0.9, init_hidden=True, output=True))
    >>> describe(classifier_of(net, torch.rand(1, 1, 2, 2), num_steps=5))
    'reads one step at a time [N, C, H, W]: T = 5, code direct, read-out rate, 10 outputs'
    """
    if isinstance(network, Classifier):
        return network
    images = as_images(images)
    if not isinstance(population, int) or population < 1:
        raise ValueError(f"population must be the number of outputs of one class, at least 1, got {population!r}")
    named = None if code in (None, "none") else encoder(code, num_steps=num_steps or DEFAULT_STEPS)
    adapted = _recognised(network, images, named, num_steps)
    form, steps = adapted.form, adapted.num_steps
    if adapted.outputs % population:
        raise ValueError(f"{adapted.outputs} outputs cannot be shared among populations of {population}; name a divisor")
    if population > 1 and decoder not in (None, "rate", "membrane"):
        raise ValueError(f"populations are read by the decoders rate and membrane, got {decoder!r}")
    if form in ("image", "steps inside") and named is not None and (form == "image" or named.name != "direct"):
        inside = f" and runs {steps} steps inside" if steps else ""
        raise ValueError(f"the network takes an image{inside}, not a sequence; leave out the code {code!r}")
    if form == "steps inside" and num_steps not in (None, steps):
        raise ValueError(f"the network runs {steps} steps inside, got num_steps = {num_steps}; leave it out")
    if form.startswith("sequence") and code == "none":
        raise ValueError(
            "the network reads a sequence [T, N, …]; leave out the code 'none', or name the code it was trained on"
        )
    adapted.population = population
    ours = type(network).__module__.startswith("snnlab.") and adapted.layout in (IMAGES[0], SEQUENCES[0])
    inner = network if ours and population == 1 else adapted
    if form == "image":
        return Classifier(inner)
    direct = encoder("direct", num_steps=steps or num_steps or DEFAULT_STEPS)
    decoder = "membrane" if form == "sequence to logits" else decoder or "rate"
    classifier = Classifier(inner, named or direct, decoder)
    classifier.steps_assumed = num_steps is None and steps is None
    return classifier


def describe(classifier: Classifier) -> str:
    """Return what a network was taken for in one line: its form, ``T``, code, read-out and outputs.

    >>> from snnlab import zoo
    >>> describe(zoo.load("onset"))
    'reads a sequence [T, N, C, H, W]: T = 8, code onset, read-out rate'
    """
    network, code = classifier.network, classifier.encoder
    form, layout, outputs = "image" if code is None else "sequence", str(Layout(code is not None)), ""
    inside = ""
    if isinstance(network, Adapted):
        form, layout = network.form, f"{network.layout}" + (", batch-first stacks" if network.batch_first else "")
        pooled = f" in populations of {network.population}" if network.population > 1 else ""
        outputs = f", {network.outputs} outputs{pooled}"
        inside = f", {network.num_steps} steps inside" if network.num_steps else ""
    words = {
        "sequence": "reads a sequence",
        "sequence to logits": "reads a sequence, answers at its end",
        "one step": "reads one step at a time",
        "steps inside": "takes an image, shows it at every step",
        "image": "takes an image",
    }[form]
    if code is None:
        return f"{words} {layout}{inside}: logits{outputs}"
    steps = f"T = {code.num_steps}" + (" (assumed)" if classifier.steps_assumed else "")
    return f"{words} {layout}: {steps}, code {code.title}, read-out {classifier.decoder}{outputs}"


def as_images(images: Any) -> Tensor:
    """Return images as a tensor; those that miss [0, 1] by rounding are clipped, others are left to ``check_images``."""
    values: Tensor = images if isinstance(images, Tensor) else torch.as_tensor(images)
    if values.is_floating_point() and values.numel():
        low, high = map(float, values.detach().aminmax())
        if (low < 0 or high > 1) and low >= -ROUNDING and high <= 1 + ROUNDING:
            return values.clamp(0, 1)
    return values


def as_labels(labels: Any) -> Tensor:
    """Return labels as int64 ``[N]``: from other integers, a list, an array, or one-hot rows ``[N, K]``.

    >>> as_labels([3, 1]), as_labels(torch.eye(3))
    (tensor([3, 1]), tensor([0, 1, 2]))
    """
    values: Tensor = labels if isinstance(labels, Tensor) else torch.as_tensor(labels)
    if values.dim() == 2 and values.shape[1] > 1 and _is_binary(values) and bool((values.sum(1) == 1).all()):
        return values.int().argmax(1)
    return values if values.is_floating_point() or values.dtype == torch.bool else values.long()


def as_batch(network: nn.Module, images: Any, labels: Any) -> tuple[Tensor, Tensor]:
    """Return images and labels as ``as_images`` and ``as_labels`` do, on the network's device."""
    device = device_of(network)
    images, labels = as_images(images).to(device), as_labels(labels).to(device)
    return (images.clone() if images.is_inference() else images), (labels.clone() if labels.is_inference() else labels)


def device_of(network: nn.Module) -> torch.device | None:
    """Return the device of a network's parameters; ``None`` where it has none."""
    return next((value.device for value in (*network.parameters(), *network.buffers())), None)


@dataclass(frozen=True)
class _Answer:
    """What a network returned to a probe: its outputs, the calls of its busiest neuron, whether it keeps a state.

    ``other`` is its first output where the first sample was another one; ``None`` where two calls differ anyway.
    """

    outputs: list[Tensor]
    calls: int
    stateful: bool
    other: Tensor | None


class _Other(Exception):
    """Why a network is not of a form; ``raised``: it failed."""

    def __init__(self, reason: str, raised: bool = False) -> None:
        super().__init__(reason)
        self.raised = raised


def _recognised(network: nn.Module, images: Tensor, code: Encoder | None, num_steps: int | None) -> Adapted:
    """Return the network in the first form that fits."""
    spiking = any(is_neuron(module) for module in network.modules())
    shape = list(images.shape[1:])
    of_steps = list(code(torch.zeros(1, *shape)).shape[2:]) if code else shape
    tried: dict[str, str] = {}
    layouts = (*SEQUENCES, *IMAGES) if spiking or code is not None else (*IMAGES, *SEQUENCES)
    with probing(network):
        for layout in layouts:
            length = num_steps or DEFAULT_STEPS
            for lengths in (LENGTHS, (length, length)):  # some networks take one length only
                sizes = tuple(size + 3 * (length in SIZES) for size in SIZES)
                try:
                    return _fits(network, layout, of_steps, sizes, lengths)
                except _Other as reason:
                    tried.setdefault(str(layout), str(reason))
                    if not (reason.raised and layout.steps):
                        break
    reasons = "; ".join(f"{layout}: {reason}" for layout, reason in tried.items())
    raise ValueError(
        f"no known form fits the network (snnlab.networks.adapters lists them). Tried images {shape} as {reasons}. "
        "Return logits [N, K], or spikes and membrane [T, N, K] of the output layer"
    )


def _fits(network: nn.Module, layout: Layout, shape: list[int], sizes: tuple[int, ...], lengths: tuple[int, ...]) -> Adapted:
    """Return the network in the form that fits this layout."""
    answers = [_probe(network, layout, shape, n, t) for n, t in zip(sizes, lengths, strict=True)]
    first, calls = [answer.outputs[0].shape for answer in answers], [answer.calls for answer in answers]
    where = f"returned {' and '.join(str(list(s)) for s in first)} for N = {sizes[0]} and {sizes[1]}"
    dims = {len(s) for s in first}
    batch = next(
        (axis for axis in (0, 1) if all(len(s) > axis and s[axis] == n for s, n in zip(first, sizes, strict=True))), None
    )
    if batch is None or dims not in ({2}, {3}) or (dims == {2} and batch == 1):
        raise _Other(where)
    last = answers[-1]
    if last.other is not None and last.other.shape == first[-1]:
        rest = range(1, sizes[-1])
        moved = [(last.outputs[0].select(batch, n) - last.other.select(batch, n)).abs() > 1e-3 for n in rest]
        if torch.stack(moved).float().mean() > 0.01:
            raise _Other("one sample changes the answers to the others")
    stacks, pair = dims == {3}, [output for output in last.outputs if output.shape == first[-1]]
    if stacks and (len(pair) != len(last.outputs) or len(pair) > 2):
        raise _Other("returned several stacks that are not (spikes, membrane) of the output layer")
    if layout.steps:
        if any(calls) and (calls[0] * lengths[1] != calls[1] * lengths[0] or calls[0] % lengths[0]):
            raise _Other(f"neurons are called {calls[1]} times for T = {lengths[1]}")
        if stacks and [s[1 - batch] for s in first] != list(lengths):
            raise _Other(f"{where}, T = {lengths[0]} and {lengths[1]}")
        form: Form = "sequence" if stacks else "sequence to logits"
    else:
        if calls[0] != calls[1]:
            raise _Other("its neurons run along the batch")
        form = "steps inside" if stacks else "one step" if calls[1] == 1 and last.stateful else "image"
    spikes, *membrane = pair
    inside = first[-1][1 - batch] if form == "steps inside" else calls[1] if form == "image" and calls[1] else None
    swapped = form != "image" and bool(membrane) and not _is_binary(spikes) and _is_binary(membrane[0])
    return Adapted(
        network,
        form,
        layout,
        first[-1][-1],
        num_steps=inside,
        batch_first=stacks and batch == 0,
        swapped=swapped,
    )


def _probe(network: nn.Module, layout: Layout, shape: list[int], n: int, t: int) -> _Answer:
    """Call a network with ``n`` random images of ``t`` steps."""
    generator = torch.Generator().manual_seed(0)
    values = torch.rand([t, n, *shape] if layout.steps else [n, *shape], generator=generator).to(device_of(network))
    calls: Counter[nn.Module] = Counter()
    hooks = [
        module.register_forward_pre_hook(lambda module, _: calls.update([module]))
        for module in network.modules()
        if is_neuron(module) and not all_steps_at_once(module)
    ]
    try:
        outputs = _ask(network, layout(values))
        count = max(calls.values(), default=0)
        other = values.clone()
        other[(slice(None), 0) if layout.steps else 0] = torch.rand(shape, generator=generator).to(values)
        others, again = _ask(network, layout(other)), _ask(network, layout(values))
        stateful = count == 1 and not layout.steps and _keeps_state(network, layout(values))
    finally:
        for hook in hooks:
            hook.remove()
    return _Answer(outputs, count, stateful, others[0] if torch.equal(outputs[0], again[0]) else None)


def _ask(network: nn.Module, values: Tensor) -> list[Tensor]:
    torch.manual_seed(0)
    try:
        with reset_state(network):
            return _tensors(network(values))
    except Exception as error:  # the network is anybody's: whatever it raises says that this form does not fit
        raise _Other(next(iter(str(error).strip().splitlines()), type(error).__name__), raised=True) from error


def _keeps_state(network: nn.Module, values: Tensor) -> bool:
    """Whether a second call goes on from the state that the first left."""
    with reset_state(network):
        network(values)
        before = state_of(network)
        network(values)
        after = state_of(network)
    return any(a.shape != b.shape or not torch.equal(a, b) for a, b in zip(before, after, strict=False))


def _tensors(output: Any) -> list[Tensor]:
    """What a network returns, as a list of tensors, the output layer's first."""
    if isinstance(output, Trace):
        return [output.spikes, output.membrane]
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, Mapping):
        output = [output["logits"]] if "logits" in output else []
    tensors = list(output) if isinstance(output, tuple | list) else []
    if not tensors or not all(isinstance(value, Tensor) for value in tensors):
        raise ValueError(f"the network must return a tensor or a pair (spikes, membrane), got {type(output).__name__}")
    if isinstance(output, list) and len(tensors) > 2 and len({value.shape for value in tensors}) == 1:
        return [torch.stack(cast(list[Tensor], tensors))]  # a step each
    return tensors


def _is_binary(values: Tensor) -> bool:
    return bool(((values == 0) | (values == 1)).all())
