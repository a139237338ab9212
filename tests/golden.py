"""Golden vectors: what PyTorch makes of test images, for the browser engine to be held against.

``python tests/golden.py FILE`` writes them by hand; the tests write their own, so nothing here is ever out of date.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import (
    ATTACKERS,
    Budget,
    attack,
    has_trains,
    input_gradient,
    spike_train_attack,
    trajectory,
    use_surrogate,
)
from snnlab.attacks.goal import Goal
from snnlab.attacks.spike_train import TrainSearch, share_at
from snnlab.encoding import Fusion, encoder
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.decoding import predictions
from snnlab.networks.early_exit import ExitRule, exit_steps
from snnlab.networks.sequence import lif
from snnlab.training.tssl_bp import TsslMLP, post_synaptic_potential
from snnlab.widgets import compute
from snnlab.zoo import export, quantised

NUM_IMAGES = 200  # of the codes, on which everything else stands
FEW_IMAGES = 40  # of every other model
DETAILED, FEW_DETAILED = 12, 4  # of which input spikes and gradients are kept
EXITS = (8, 5)
REPEATS = 20  # encodings per image where only the distribution can agree
FGSM_EPS = 0.1
TRAJECTORY_STEPS, TRAJECTORY_DRAWS = 6, 3  # of an attack that is watched step by step
SEARCH_LOOKS = 4  # iterations of a search among spike trains
SEARCHED = 12  # images of a whole search
RULES = (
    ExitRule("margin", 1),
    ExitRule("margin", 2),
    ExitRule("margin", float("-inf")),
    ExitRule("margin", float("inf")),
    ExitRule("confidence", 0.1),
    ExitRule("confidence", 0.5),
    ExitRule("confidence", 0.9),
    ExitRule("first_spike"),
)

Model = tuple[Classifier, dict[str, Any]]


def write(path: Path, names: list[str]) -> None:
    """Write the golden vectors of the models called ``names``, and of networks that nobody has trained."""
    models = {name: (zoo.load(name), export.payload(f"model/{name}")) for name in names}
    models |= {name: (model, export.model_payload(name, model)) for name, model in untrained().items()}
    listing = export.payload("zoo") | {"models": [{"name": name} for name in models]}
    path.write_text(json.dumps(golden(models, data.load("mnist5k").test) | {"zoo": listing}))


def untrained() -> dict[str, Classifier]:
    """Small networks with random weights: every kind of network with every decoder, fusions of every part."""
    found = {}
    for code in ("direct", "onset"):
        for decoder in ("rate", "membrane", "ttfs"):
            found[f"untrained-tssl-{decoder}-{code}"] = _untrained(code, decoder, tau_s=2.0)
            found[f"untrained-{decoder}-{code}"] = _untrained(code, decoder, reset="zero")
            found[f"untrained-integrator-{decoder}-{code}"] = _untrained(code, decoder, beta=1.0)
    for code in ("fusion(0.125*direct, onset)", "fusion(latency, 0.5*offset, 0.25*phase)", "fusion(1.5*onset, 0*latency)"):
        found[f"untrained-{code}"] = _untrained(code, "rate")
    return found


def _untrained(code: str, decoder: str, **options: Any) -> Classifier:
    """A network whose weights are large enough for its neurons to fire."""
    found = encoder(code)
    kind = TsslMLP if "tau_s" in options else SpikingMLP
    network = kind((784 * found.channel_factor, 32, 10), **options)
    generator = torch.Generator().manual_seed(len(code) + len(decoder))
    for layer in network.layers:
        torch.nn.init.normal_(layer.weight, std=3 / layer.in_features**0.5, generator=generator)
        torch.nn.init.uniform_(layer.bias, -0.1, 0.1, generator=generator)
    quantised.quantise(network)
    if isinstance(network, TsslMLP):
        network.gradient = "surrogate"
    return Classifier(network, found, decoder)


def golden(models: dict[str, Model], test: data.Split) -> dict[str, Any]:
    """What every model makes of the first images of ``test``; arrays as base64, image first."""
    split = test[slice(NUM_IMAGES)]
    pixels = (split.images * 255).round().to(torch.uint8)
    assert torch.equal(pixels.float() / 255, split.images), "the engine computes pixels as v/255"
    return {
        "num_steps": 8,
        "images": _pack(pixels),
        "labels": split.labels.tolist(),
        "models": {name: _model(*model, split) for name, model in models.items()},
    }


def _model(classifier: Classifier, payload: dict[str, Any], split: data.Split) -> dict[str, Any]:
    many = payload["name"] in zoo.names("codes")
    detailed = DETAILED if many else FEW_DETAILED
    split = split if many else split[slice(FEW_IMAGES)]
    few = split[slice(detailed)]
    vectors = {
        "payload": payload,
        "count": len(split),
        "detailed": detailed,
        "exact": not _analog(classifier),
        "gradients": _gradients(classifier, few),
        "frames": _frames(classifier, payload["name"], few),
        "trajectories": [
            _trajectory(classifier, few, method) for method in trajectory.VARIANTS if _has_trajectory(classifier, method)
        ],
        "trains": _trains(classifier, split) if has_trains(classifier.encoder) else None,
    }
    if classifier.stochastic:
        return vectors | _activity(classifier, few, detailed) | {"poisson": _distribution(classifier, split)}
    if classifier.encoder is None:
        logits, _ = classifier.read(split.images)
        logits = logits.expand(8, *logits.shape[1:])
        votes = {"votes": _pack(_image_first(logits)), "predictions": _pack(_image_first(logits.argmax(-1)), np.int8)}
    else:
        votes = _activity(classifier, split, detailed)
    attacked = attack(classifier, split.images, split.labels, Budget(FGSM_EPS), "fgsm", ATTACKERS["informed"])
    last = attacked.predictions[classifier.exit_step - 1].tolist()
    fgsm = {"eps": FGSM_EPS, "attacker": "informed", "predictions": last, "certain": _certain(classifier, split).tolist()}
    return vectors | votes | {"fgsm": fgsm}


@torch.no_grad()
def _certain(classifier: Classifier, split: data.Split) -> Tensor:
    """Whether 1 - p(label) is lost in the rounding of PyTorch's float32, and the gradient's signs with it, per image."""
    wrong = classifier(split.images).double().softmax(-1).scatter(1, split.labels[:, None], 0).sum(-1)
    return wrong < 1e-4


@torch.no_grad()
def _activity(classifier: Classifier, split: data.Split, detailed: int) -> dict[str, Any]:
    """Spikes of code and hidden layer, read-out potential, votes, predictions, exits; and which images are marginal."""
    _seed(classifier)
    (sequence, hidden), _, _ = classifier.trace(split.images)
    votes, membrane = classifier.respond(sequence)
    exits = [{"rule": r.name, "threshold": _number(r.threshold), "steps": exit_steps(votes, r).tolist()} for r in RULES]
    return {
        "input": _pack(_image_first(sequence[:, :detailed])),
        "hidden": _pack(_image_first(hidden), np.uint8),
        "membrane": _pack(_image_first(membrane)),
        "votes": _pack(_image_first(votes)),
        "predictions": _pack(_image_first(predictions(votes, membrane)), np.int8),
        "exits": exits,
        "marginal": _marginal(classifier, sequence, hidden).tolist(),
    }


def _marginal(classifier: Classifier, sequence: Tensor, hidden: Tensor) -> Tensor:
    """Whether a potential of the hidden layer comes within 1e-5 of the threshold, per image ``[N]``.

    Only analog input has such images: the sums of all others are exact.
    """
    network = classifier.network
    assert isinstance(network, SpikingMLP)
    if not _analog(classifier):
        return torch.zeros(hidden.shape[1], dtype=torch.bool)
    constants = {"beta": network.beta, "threshold": network.threshold, "reset": network.reset}
    if isinstance(network, TsslMLP):
        sequence = post_synaptic_potential(sequence, network.tau_s)
    _, membrane = lif(network.layers[0](sequence.flatten(2)), **constants)
    return ((membrane - network.threshold).abs() < 1e-5).any(0).any(-1)


def _gradients(classifier: Classifier, split: data.Split) -> list[dict[str, Any]]:
    """Input gradients for both attackers at several exits; a stochastic code is differentiated as first sampled."""
    found = []
    for name, attacker in ATTACKERS.items():
        for exit_step in EXITS if classifier.encoder else (1,):
            _seed(classifier)
            with attacker.view(classifier.at(exit_step=exit_step)) as seen:
                gradient = input_gradient(seen.at(exit_step=exit_step, eot=1), split.images, split.labels)
            found.append({"attacker": name, "exit_step": exit_step, "values": _pack(gradient)})
    return found


def _frames(classifier: Classifier, name: str, split: data.Split) -> list[dict[str, Any]]:
    """What an explorer with a kernel shows for the first image in several states; arrays as ``[dtype, base64]``."""
    states: list[dict[str, int]] = [{"exit_step": EXITS[-1]}]
    if classifier.encoder is not None:
        states += [{"exit_step": 8, "from_step": 4}, {"exit_step": 8, "from_step": 8}]
    if isinstance(classifier.encoder, Fusion):
        states += [{"exit_step": 8, "silenced": part} for part in range(len(classifier.encoder.parts))]
    return [_frame(classifier, name, split, state) for state in states]


def _frame(classifier: Classifier, name: str, split: data.Split, state: dict[str, int]) -> dict[str, Any]:
    request = compute.Request(split.images[0], int(split.labels[0]), name, "fgsm", "informed", FGSM_EPS, **state)
    shown = compute.frame(classifier, request)
    arrays = {
        group: {part: [str(a.dtype), _pack(torch.from_numpy(a))] for part, a in shown[group].items() if a is not None}
        for group in ("clean", "attacked", "order")
    }
    return {"state": state} | shown | arrays


def _trajectory(classifier: Classifier, split: data.Split, method: str) -> dict[str, Any]:
    """What one attacker sees and does to an image, step by step, and the random numbers that it met."""
    index = _on_threshold(classifier, split.images).index(False)
    image, label = split.images[index], int(split.labels[index])
    if classifier.encoder is not None:
        label = trajectory.predicted_class(classifier, image)  # an image that is misread already would not be attacked
    budget = Budget(FGSM_EPS)
    found = trajectory.attack_trajectory(
        classifier, image, label, budget, method, steps=TRAJECTORY_STEPS, draws=TRAJECTORY_DRAWS
    )
    looks = classifier.num_steps * image.numel() if classifier.stochastic else image.numel()
    return {
        "method": method,
        "index": index,
        "eps": FGSM_EPS,
        "label": label,
        "steps": TRAJECTORY_STEPS,
        "draws": TRAJECTORY_DRAWS,
        "images": _pack(found.images),
        "gradients": _pack(found.gradients),
        "margins": found.margins.tolist(),
        "predictions": found.predictions.tolist(),
        "zero": found.zero_gradient.tolist(),
        "marginal": _on_threshold(classifier, found.images),
        "random": _pack(_numbers(1, 1 + TRAJECTORY_STEPS * TRAJECTORY_DRAWS * looks)) if _draws(classifier, method) else "",
        "coin": _pack(_numbers(0, looks)) if classifier.stochastic else "",
    }


def _draws(classifier: Classifier, method: str) -> bool:
    return method in ("eot", "spike_train") or classifier.stochastic


def _has_trajectory(classifier: Classifier, method: str) -> bool:
    return method != "spike_train" or has_trains(classifier.encoder)


def _trains(classifier: Classifier, split: data.Split) -> dict[str, Any]:
    """The table of the code, the first iterations of a search among its trains, and how many images a whole one breaks."""
    budget = Budget(FGSM_EPS)
    images = split.images[:1]
    # Away from the runner-up: where a network is certain, softmax - onehot cancels in float32.
    labels = classifier.read(images)[0][-1].topk(2).indices[:, 1].detach()
    generator = torch.Generator().manual_seed(1)
    search = TrainSearch(classifier, images, Goal.of(classifier, labels), budget, 1, generator)
    used = search.begin(images)
    momentum, looks = None, []
    with use_surrogate(classifier.network, used):
        for step in range(SEARCH_LOOKS):
            before = {"bins": _pack(search.bins[0].int()), "values": _pack(search.values[0])}
            value, _, gradient = search.look(used)
            momentum = search.gathered(momentum, gradient.clone())
            looks.append(
                before | {"value": float(value), "gradient": _pack(gradient[:, 0]), "momentum": _pack(momentum[:, 0])}
            )
            search.move(momentum, share_at(step, export.TRAIN_STEPS))
    few = split[slice(SEARCHED)]
    found = spike_train_attack(
        classifier, few.images, few.labels, budget, steps=export.TRAIN_STEPS, generator=torch.Generator().manual_seed(2)
    )
    table = search.table
    return {
        "lower": _pack(table.lower),
        "upper": _pack(table.upper),
        "trains": _pack(table.trains),
        "label": int(labels),
        "eps": FGSM_EPS,
        "looks": looks,
        "bins": _pack(search.bins[0].int()),
        "values": _pack(search.values[0]),
        "random": _pack(_numbers(1, 1 + SEARCH_LOOKS * images.numel())),
        "broken": int(found.success.sum()),
        "searched": len(few),
        "marginal": any(_on_threshold(classifier, images)),
    }


def _on_threshold(classifier: Classifier, images: Tensor) -> list[bool]:
    if classifier.encoder is None or not _analog(classifier):
        return [False] * len(images)
    (sequence, hidden), _, _ = classifier.trace(images)
    return _marginal(classifier, sequence, hidden).tolist()


def _numbers(seed: int, count: int) -> Tensor:
    """The first uniform numbers of a generator; one draw of many gives the same as many draws of few."""
    return torch.rand(count, generator=torch.Generator().manual_seed(seed))


def _distribution(classifier: Classifier, split: data.Split) -> dict[str, Any]:
    """Correct answers per image and votes per class over fresh encodings, at the last exit."""
    _seed(classifier, 1)
    correct = torch.zeros(len(split), dtype=torch.int64)
    votes = []
    with torch.no_grad():
        for _ in range(REPEATS):
            _, spikes, membrane = classifier.trace(split.images)
            votes.append(spikes.sum((0, 1)).tolist())
            correct += predictions(spikes.sum(0), membrane[-1]) == split.labels
    return {"repeats": REPEATS, "correct": correct.tolist(), "votes": votes}


def _seed(classifier: Classifier, seed: int = 0) -> None:
    if classifier.stochastic:
        classifier.generator = torch.Generator().manual_seed(seed)


def _analog(classifier: Classifier) -> bool:
    """Whether sums are not exact. Gates have a few bits, so those of gated spikes are."""
    return classifier.encoder is None or "direct" in classifier.encoder.title


def _number(threshold: float | None) -> str | None:
    """JSON has no infinity; JavaScript's Number reads this."""
    return None if threshold is None else str(threshold).replace("inf", "Infinity")


def _image_first(sequence: Tensor) -> Tensor:
    return sequence.flatten(2).transpose(0, 1) if sequence.dim() > 2 else sequence.transpose(0, 1)


def _pack(values: Tensor, dtype: type | None = None) -> str:
    array = values.detach().contiguous().numpy()
    return base64.b64encode(array.astype(dtype or array.dtype).tobytes()).decode()


if __name__ == "__main__":
    write(Path(sys.argv[1]), list(zoo.names()))
