"""The answer of an explorer for one state, as plain arrays from PyTorch; the browser engine answers with the same fields."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from snnlab.attacks import ATTACKERS, INFORMED, AttackResult, Budget, TimeRestricted, attack, has_trains, spike_train_attack
from snnlab.attacks.trajectory import STEPS, VARIANTS, attack_slice, attack_trajectory, predicted_class
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import ConvNet, SpikingConvNet
from snnlab.networks.decoding import SILENT, check_exit_step, logits_at_every_exit, predictions
from snnlab.networks.energy import Energy, energy, energy_of_trace
from snnlab.training.gates import silenced
from snnlab.vocabulary import VOCABULARY
from snnlab.zoo.export import TRAIN_STEPS

#: the attacker that searches among the code's spike trains, in place of a gradient of the image
SPIKE_TRAIN = "spike_train"
PGD_STEPS = 10
NO_PART = -1  # of a fusion is silenced
ANY = -1  # wrong class: the attack has no target


@dataclass(frozen=True)
class Request:
    """One state of an explorer: an image ``[C, H, W]`` in [0, 1], its class (``None`` if unknown) and the settings.

    The attacker ``spike_train`` searches among the code's trains (``attack="pgd"`` alone). ``silenced`` is the index of a
    silenced part of a fusion (-1: none). The perturbation acts on steps ``t ≥ from_step`` only. ``target`` is the class that a
    gradient attack moves towards (-1: any wrong one).

    Raises:
        ValueError: unknown attack or attacker, or two that do not go together, ε outside [0, 1] or not a number.
    """

    image: Tensor
    label: int | None
    encoding: str
    attack: str = "none"
    attacker: str = "informed"
    eps: float = 0.0
    exit_step: int = 8
    seed: int = 0
    silenced: int = NO_PART
    from_step: int = 0
    target: int = ANY

    def __post_init__(self) -> None:
        _check_known("attack", self.attack, VOCABULARY.attacks)
        _check_known("attacker", self.attacker, VOCABULARY.attackers)
        if self.attacker == SPIKE_TRAIN and self.attack == "fgsm":
            raise ValueError('the search among spike trains is iterative: use attack="pgd", got "fgsm"')
        Budget(self.eps)


@dataclass(frozen=True)
class TrajectoryRequest:
    """An image ``[C, H, W]`` in [0, 1], its class (``None``: its predicted class), and the variant of the attack.

    ``slices``: whether margin and answer along the first gradient are computed too.

    Raises:
        ValueError: an unknown variant, ε outside [0, 1] or not a number.
    """

    image: Tensor
    label: int | None
    encoding: str
    method: str
    eps: float = 0.1
    seed: int = 0
    slices: bool = False

    def __post_init__(self) -> None:
        _check_known("variant", self.method, VARIANTS)
        Budget(self.eps)


def _check_known(kind: str, name: str, known: Collection[str]) -> None:
    if name not in known:
        raise ValueError(f"unknown {kind} {name!r}; choose one of {', '.join(known)}")


def frame(classifier: Classifier, request: Request) -> dict[str, Any]:
    """Return clean and attacked image, spikes, votes and answers at every exit, as numpy arrays.

    An image without a label is attacked as its predicted class (if silent: the class of the highest potential). ``attacked`` is
    ``None`` without an attack, ``energy`` (pJ up to every exit) and ``operations`` (MACs, MACs without products of zero, SynOps)
    if operations cannot be counted. ``target`` is the class that the attack moves away from, ``towards`` the one that it moves
    towards (-1: any other); towards the class that the image has, nothing is attacked.

    Raises:
        ValueError: an exit step, a part, a late step or a target class that this classifier does not have.
    """
    started = perf_counter()
    images = request.image.unsqueeze(0)
    num_steps = classifier.num_steps
    if request.silenced != NO_PART:
        classifier = silenced(classifier, request.silenced)
    # An ANN has one exit, but stands beside networks that have several.
    exit_step = 1 if classifier.encoder is None else check_exit_step(request.exit_step, num_steps)
    aimed = attacked_view = classifier.at(exit_step=exit_step)
    if request.from_step and classifier.encoder is None:
        raise ValueError(f"an ANN has no steps that could be late, got from_step = {request.from_step!r}; use 0")
    if request.from_step:
        attacked_view = TimeRestricted(aimed, images, request.from_step)
    clean = _side(aimed, images, request.seed)
    truth = predicted_class(aimed, request.image, request.seed) if request.label is None else request.label
    towards = request.target if _is_aimed(request) else ANY
    classes = clean["votes"].size // len(clean["predictions"])
    if not ANY <= towards < classes:
        raise ValueError(f"target must be a whole number from {ANY} to {classes - 1}, got {towards}")
    shown: dict[str, Any] = {
        "shape": list(request.image.shape),
        "num_steps": num_steps,
        "encoding": request.encoding,
        "exit_step": request.exit_step,
        "computed_by": "kernel",
        "label": request.label,
        "target": truth,
        "towards": towards,
        "clean": clean,
        "attacked": None,
        "order": {"input": _input_order(request.image, clean), **_hidden_order(classifier, clean)},
        "gradient_zero": None,
        "moved": 0.0,
        "maps": _maps(classifier.network, request.image),
    }
    if request.attack != "none" and request.eps > 0 and towards != truth:
        result = _attacked(attacked_view, images, truth, request)
        shown |= {
            "attacked": _side(attacked_view, result.images, request.seed),
            "gradient_zero": result.zero_gradient,
            "moved": result.moved,
        }
    return shown | {"ms": 1000 * (perf_counter() - started)}


def _is_aimed(request: Request) -> bool:
    """Return whether the attack follows a gradient: only then it can move towards a class."""
    return VOCABULARY.attacks[request.attack].gradient


def _attacked(classifier: Classifier, images: Tensor, truth: int, request: Request) -> AttackResult:
    generator = torch.Generator().manual_seed(request.seed)
    classifier.generator = generator
    labels, budget = torch.tensor([truth]), Budget(request.eps)
    target = request.target if _is_aimed(request) and request.target != ANY else None
    if request.attacker == SPIKE_TRAIN and request.attack == "pgd":
        if not has_trains(classifier.encoder):
            name = "an ANN" if classifier.encoder is None else f"the code {classifier.encoder.title}"
            raise ValueError(f'{name} has no spike trains to search among; use the attacker "informed"')
        return spike_train_attack(classifier, images, labels, budget, steps=TRAIN_STEPS, target=target, generator=generator)
    attacker = ATTACKERS.get(request.attacker, INFORMED)  # of noise it does not matter
    options = {"steps": PGD_STEPS, "target": target, "generator": generator}
    return attack(classifier, images, labels, budget, request.attack, attacker, **options)


def pack(shown: Mapping[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
    """Split a frame into JSON and binary buffers; ``buffers`` names them, in order, with their dtype."""
    plain: dict[str, Any] = {}
    names: list[tuple[str, str]] = []
    buffers: list[memoryview] = []
    for key, value in shown.items():
        if not isinstance(value, Mapping):
            plain[key] = value
            continue
        plain[key] = {}
        for part, array in value.items():
            if array is not None:
                names.append((f"{key}.{part}", str(array.dtype)))
                buffers.append(memoryview(np.ascontiguousarray(array).tobytes()))
    return plain | {"buffers": names}, buffers


def _side(classifier: Classifier, images: Tensor, seed: int) -> dict[str, Any]:
    """Run one image through the network; the same seed gives a stochastic code the same random numbers."""
    code, network = classifier.encoder, classifier.network
    shown: dict[str, Any] = {"image": images[0].flatten().numpy()}
    if code is None:
        with torch.no_grad():
            logits = classifier(images)
            activation = torch.relu(network.layers[0](images.flatten(1))) if isinstance(network, MLP) else None
        answer = logits[0].argmax() if logits.any() else torch.tensor(SILENT)
        counted = isinstance(network, MLP | ConvNet)
        return (
            shown
            | dict.fromkeys(("input", "hidden", "output", "membrane"))
            | ({"blocks": _blocks(network.run(images[None])[0])} if isinstance(network, ConvNet) else {})
            | {
                "activation": None if activation is None else activation[0].numpy(),
                "votes": logits[0].numpy(),
                "predictions": answer.to(torch.int8).reshape(1).numpy(),
            }
            | _spent(*(energy(classifier, images, skip_zeros=skip) for skip in (False, True)) if counted else ())
        )
    classifier.generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        layers, spikes, membrane = classifier.trace(images)
    logits = logits_at_every_exit(spikes, membrane, classifier.decoder)
    counts: list[Energy] = []
    if isinstance(network, SpikingMLP | SpikingConvNet):
        counts = [energy_of_trace(network, code, layers, skip_zeros=skip) for skip in (False, True)]
    if isinstance(network, SpikingConvNet):
        shown["blocks"] = _blocks(layers[1:]).astype(np.uint8)
    return (
        shown
        | {
            "input": layers[0][:, 0].flatten().numpy(),
            "hidden": layers[-1][:, 0].flatten().to(torch.uint8).numpy() if len(layers) > 1 else None,
            "output": spikes[:, 0].flatten().to(torch.uint8).numpy(),
            "votes": logits[:, 0].flatten().numpy(),
            "membrane": membrane[:, 0].flatten().numpy(),
            "predictions": predictions(logits, membrane)[:, 0].to(torch.int8).numpy(),
        }
        | _spent(*counts)
    )


def _blocks(layers: Sequence[Tensor]) -> np.ndarray[Any, Any]:
    """Return the activity of all blocks ``[T, 1, C, H, W]`` side by side, as ``[T, neurons]``, flattened."""
    return torch.cat([layer[:, 0].flatten(1) for layer in layers], 1).detach().flatten().numpy()


def _maps(network: nn.Module, image: Tensor) -> list[list[int]]:
    """Return the shape ``[C, H, W]`` of every block of a convolutional network; of any other none."""
    if not isinstance(network, ConvNet | SpikingConvNet):
        return []
    with torch.no_grad():
        layers, _ = network.run(image.new_zeros(1, 1, network.in_channels, *image.shape[1:]))
    return [list(layer.shape[2:]) for layer in layers]


def _spent(*counts: Energy) -> dict[str, Any]:
    """Return the energy of one sample, and its operations ``[3, T]``, flattened; counts with and without products of zero."""
    if not counts:
        return {"energy": None, "operations": None}
    every, nonzero = counts
    operations = torch.stack([every.macs[:, 0], nonzero.macs[:, 0], every.synops[:, 0]])
    return {"energy": every.picojoules[:, 0].numpy(), "operations": operations.flatten().numpy()}


def _input_order(image: Tensor, clean: Mapping[str, Any]) -> np.ndarray[Any, Any]:
    """Input neurons by intensity of their pixel in the clean image, brightest first, part by part of a fusion."""
    pixels = image.flatten().numpy()
    by_intensity = np.argsort(-pixels, kind="stable")
    trains = clean["input"]
    steps = len(clean["predictions"])
    parts = 1 if trains is None else len(trains) // steps // len(pixels)
    return np.concatenate([by_intensity + k * len(pixels) for k in range(parts)]).astype(np.int32)


def _hidden_order(classifier: Classifier, clean: Mapping[str, Any]) -> dict[str, np.ndarray[Any, Any] | None]:
    """Return hidden neurons by the class that they excite most, and that class (``None`` for a network of the reader)."""
    network = classifier.network
    if not isinstance(network, SpikingMLP | MLP):
        trains = clean["hidden"]
        count = 0 if trains is None else len(trains) // len(clean["predictions"])
        return {"hidden": np.arange(count, dtype=np.int32) if count else None, "preferred": None}
    readout = network.layers[-1].weight
    assert isinstance(readout, Tensor)
    preferred = readout.detach().argmax(0).numpy()
    order = np.argsort(preferred, kind="stable")
    return {"hidden": order.astype(np.int32), "preferred": preferred[order].astype(np.int8)}


def trajectory_frame(classifier: Classifier, request: TrajectoryRequest) -> dict[str, Any]:
    """Return one trajectory as the explorer shows it: plain values, and numpy arrays under ``path``; all steps are read."""
    started = perf_counter()
    whole = classifier.at()
    label = predicted_class(whole, request.image, request.seed) if request.label is None else request.label
    budget, seed = Budget(request.eps), request.seed
    trajectory = attack_trajectory(whole, request.image, label, budget, request.method, seed=seed)
    path = {
        "images": trajectory.images.flatten().numpy(),
        "gradients": trajectory.gradients.flatten().numpy(),
        "margins": trajectory.margins.numpy(),
        "predictions": trajectory.predictions.to(torch.int8).numpy(),
    }
    if request.slices and len(trajectory.gradients):
        margins, answers = attack_slice(whole, request.image, label, budget, trajectory.gradients[0], seed=seed)
        path |= {"slice_margins": margins.numpy(), "slice_predictions": answers.to(torch.int8).numpy()}
    return {
        "shape": list(request.image.shape),
        "encoding": request.encoding,
        "method": request.method,
        "eps": request.eps,
        "steps": STEPS,
        "computed_by": "kernel",
        "label": request.label,
        "target": label,
        "path": path,
        "ms": 1000 * (perf_counter() - started),
    }
