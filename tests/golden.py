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
from snnlab.attack import ATTACKERS, Budget, attack, input_gradient
from snnlab.decoding import predictions
from snnlab.network import Classifier, SpikingMLP
from snnlab.neuron import lif
from snnlab.widgets import frames
from snnlab.zoo import web

NUM_IMAGES = 200
DETAILED = 12  # of which input spikes and gradients are kept
EXITS = (8, 5)
REPEATS = 20  # encodings per image where only the distribution can agree
FGSM_EPS = 0.1


def write(path: Path, names: list[str]) -> None:
    """Write the golden vectors of the models called ``names``."""
    split = data.load("mnist5k").test[slice(NUM_IMAGES)]
    models = {name: (zoo.load(name), web.payload(f"model/{name}")) for name in names}
    path.write_text(json.dumps(golden(models, split) | {"zoo": web.payload("zoo")}))


def golden(models: dict[str, tuple[Classifier, dict[str, Any]]], split: data.Split) -> dict[str, Any]:
    """What every model makes of the images of ``split``; arrays as base64, image first."""
    pixels = (split.images * 255).round().to(torch.uint8)
    assert torch.equal(pixels.float() / 255, split.images), "the engine computes pixels as v/255"
    return {
        "num_steps": 8,
        "images": _pack(pixels),
        "labels": split.labels.tolist(),
        "detailed": DETAILED,
        "models": {name: _model(classifier, payload, split) for name, (classifier, payload) in models.items()},
    }


def _model(classifier: Classifier, payload: dict[str, Any], split: data.Split) -> dict[str, Any]:
    few = split[slice(DETAILED)]
    vectors = {
        "payload": payload,
        "exact": not _analog(classifier),
        "gradients": _gradients(classifier, few),
        "frame": _frame(classifier, payload["name"], few),
    }
    if classifier.stochastic:
        return vectors | _activity(classifier, few) | {"poisson": _distribution(classifier, split)}
    if classifier.encoder is None:
        logits, _ = classifier.read(split.images)
        logits = logits.expand(8, *logits.shape[1:])
        votes = {"votes": _pack(_image_first(logits)), "predictions": _pack(_image_first(logits.argmax(-1)), np.int8)}
    else:
        votes = _activity(classifier, split)
    attacked = attack(classifier, split.images, split.labels, Budget(FGSM_EPS), "fgsm", ATTACKERS["informed"])
    last = attacked.predictions[classifier.exit_step - 1].tolist()
    return vectors | votes | {"fgsm": {"eps": FGSM_EPS, "attacker": "informed", "predictions": last}}


@torch.no_grad()
def _activity(classifier: Classifier, split: data.Split) -> dict[str, Any]:
    """Spikes of code and hidden layer, read-out potential, votes, predictions; and which images are marginal."""
    _seed(classifier)
    (sequence, hidden), spikes, membrane = classifier.trace(split.images)
    _seed(classifier)
    return {
        "input": _pack(_image_first(sequence[:, :DETAILED])),
        "hidden": _pack(_image_first(hidden), np.uint8),
        "membrane": _pack(_image_first(membrane)),
        "votes": _pack(_image_first(spikes.cumsum(0))),
        "predictions": _pack(_image_first(classifier.predict(split.images)), np.int8),
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


def _frame(classifier: Classifier, name: str, split: data.Split) -> dict[str, Any]:
    """What the explorer with a kernel shows for the first image under FGSM; arrays as ``[dtype, base64]``."""
    state = frames.Request(split.images[0], int(split.labels[0]), name, "fgsm", "informed", FGSM_EPS, EXITS[-1])
    shown = frames.frame(classifier, state)
    arrays = {
        group: {part: [str(a.dtype), _pack(torch.from_numpy(a))] for part, a in shown[group].items() if a is not None}
        for group in ("clean", "attacked", "order")
    }
    return shown | arrays


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
    return classifier.encoder is None or "direct" in classifier.encoder.title


def _image_first(sequence: Tensor) -> Tensor:
    return sequence.flatten(2).transpose(0, 1) if sequence.dim() > 2 else sequence.transpose(0, 1)


def _pack(values: Tensor, dtype: type | None = None) -> str:
    array = values.detach().contiguous().numpy()
    return base64.b64encode(array.astype(dtype or array.dtype).tobytes()).decode()


if __name__ == "__main__":
    write(Path(sys.argv[1]), list(zoo.names()))
