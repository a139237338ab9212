"""The zoo as classic scripts, for pages that have no kernel and may have no server.

``fetch``, ES modules and wasm fail on ``file://``; a script that calls ``snnlabData(key, payload)`` works everywhere. One script
holds sample digits and results, one a model its weights (one character each, ``chr(80 + q)``, see ``snnlab.zoo.quantised``), one
all digits of a split, for what a page measures or trains itself, one a convolutional network, as a chain of layers.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attacks import INFORMED, has_trains, spike_train
from snnlab.data import Split
from snnlab.data.cifar10 import CLASSES
from snnlab.data.drawings import drawings
from snnlab.data.event_camera import NUM_STEPS, PER_STEP, REACH, EventCamera
from snnlab.encoding import encoder
from snnlab.evaluation.suites import SUITES
from snnlab.files import atomic_write
from snnlab.networks.chain import chain_of
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.statistics import Estimate, Record, estimate, over_seeds, shared
from snnlab.statistics.record import Counts
from snnlab.training.tssl_bp import TsslMLP
from snnlab.zoo import results_table
from snnlab.zoo.everyday import EVERYDAY, everyday
from snnlab.zoo.quantised import integers
from snnlab.zoo.registry import DATASET, ModelRecipe
from snnlab.zoo.retiming import RETIMING, retimed, retiming

__all__ = [
    "EVENTS5K",
    "SPLITS",
    "events_payload",
    "keys",
    "layered_payload",
    "model_payload",
    "payload",
    "picture_networks",
    "picture_payload",
    "pictures_payload",
    "script",
    "search_settings",
    "split_payload",
    "write",
]

#: splits of the digits that a page can load whole
SPLITS = ("test", "train")
#: the data set of the networks that read colour pictures
PICTURES = "cifar10"
DRAWN = "drawings of our own, not from CIFAR-10"
#: data set of the classifiers of events
EVENTS5K = "events5k"
FIRST_CHARACTER = 80  # of weight 0
DIGITS_PER_CLASS = 3
#: of the search among spike trains, as the suite "quick" runs it
TRAIN_STEPS = next(a.steps for a in SUITES["quick"] if a.name == "spike_train")


def keys() -> list[str]:
    """Return what can be asked for.

    ``"zoo"``, ``"model/<name>"``, ``"digits/<split>"``; ``"everyday"``, faults without an attacker; ``"retimed"``, spikes that
    move in time; other data sets with their results; ``"pictures"``, our own drawings and the networks that read them,
    ``"picture/<name>"``.
    """
    models, splits = (f"model/{name}" for name in zoo.names()), (f"digits/{split}" for split in SPLITS)
    tables = (name for name in zoo.datasets() if name != DATASET)
    return [
        "zoo",
        "everyday",
        "retimed",
        *models,
        *splits,
        *tables,
        "pictures",
        *(f"picture/{name}" for name in picture_networks()),
    ]


def payload(key: str) -> dict[str, Any]:
    """The data behind a key as plain JSON values.

    Raises:
        ValueError: unknown key, or a file of the zoo that is missing or altered.
    """
    if key == "zoo":
        return _zoo()
    if key == "everyday":
        return _everyday()
    if key == "retimed":
        return _retimed()
    if key == EVENTS5K:
        return events_payload()
    if key in zoo.datasets():
        return results_table.payload(key)
    if key.startswith("model/"):
        name = key.removeprefix("model/")
        return model_payload(name, zoo.load(name))
    if key == "pictures":
        return pictures_payload()
    if (name := key.removeprefix("picture/")) in picture_networks() and name != key:
        return picture_payload(name)
    if key in (f"digits/{split}" for split in SPLITS):
        return split_payload(key.removeprefix("digits/"))
    raise ValueError(f"unknown key {key!r}; choose one of {', '.join(keys())}")


def script(key: str) -> str:
    """Return a classic script that hands the payload to the page."""
    text = json.dumps(payload(key), separators=(",", ":"), ensure_ascii=True)
    return f"globalThis.snnlabData({json.dumps(key)},{text});\n"


def write(folder: Path | str) -> list[Path]:
    """Write every script into ``folder`` (``snnlab-zoo.js``, ``snnlab-model-<name>.js``)."""
    paths = {key: Path(folder) / f"snnlab-{key.replace('/', '-')}.js" for key in keys()}
    for key, path in paths.items():
        atomic_write(path, script(key))
    return list(paths.values())


def sample_digits() -> Tensor:
    """Return the rows of the test split that the explorers offer: the first three of each class, in the split's order."""
    labels, classes = data.load(DATASET).test.labels, data.describe(DATASET).classes
    rows = torch.cat([torch.nonzero(labels == k).flatten()[:DIGITS_PER_CLASS] for k in range(classes)])
    return rows.view(classes, DIGITS_PER_CLASS).T.flatten()  # 0 … 9 first, then the next of each


def split_payload(split: str) -> dict[str, Any]:
    """Return all digits of a split as plain JSON values: bytes ``[N, C, H, W]``, deflated, as base64."""
    digits = getattr(data.load(DATASET), split)
    pixels = (digits.images * 255).round().to(torch.uint8).numpy().tobytes()
    return {
        "split": split,
        "dataset": DATASET,
        "shape": list(digits.images.shape[1:]),
        "labels": digits.labels.tolist(),
        "pixels": base64.b64encode(zlib.compress(pixels, 9)).decode(),
    }


def picture_networks() -> list[str]:
    """Return the small networks of CIFAR-10 that a page runs: all but controls and the second ANN, a victim of transfer."""
    recipes = zoo.recipes("codes", "training", dataset=PICTURES)
    return [name for name, recipe in recipes.items() if not recipe["seed_offset"]]


def pictures_payload(pictures: Split | None = None, source: str = DRAWN) -> dict[str, Any]:
    """Return pictures with their classes, and the networks that read them, as plain JSON values.

    Args:
        pictures: ``[N, 3, 32, 32]`` with classes of CIFAR-10; default ten drawings of our own.
        source: what the pictures are, in words.
    """
    shown = drawings() if pictures is None else pictures
    recipes = zoo.recipes(dataset=PICTURES)
    return {
        "dataset": data.describe(PICTURES).title,
        "source": source,
        "num_steps": max(recipes[name]["num_steps"] for name in picture_networks()),
        "digits": _packed_images(shown.images, shown.labels, list(range(len(shown)))) | {"names": list(CLASSES)},
        "models": [_picture_summary(name, recipes[name]) for name in picture_networks()],
        "results": None,
    }


def _picture_summary(name: str, recipe: ModelRecipe) -> dict[str, Any]:
    attacked = ", trained on attacked pictures" if recipe["rule"] == "pgd" else ""
    card = zoo.card(recipe.path)
    return {
        "name": name,
        "title": recipe.title + attacked,
        "kind": "snn" if recipe.coded else "ann",
        "encoding": recipe["encoding"],
        "code": recipe["code"],
        "rule": recipe["rule"],
        "decoder": recipe["decoder"],
        "accuracy": card["accuracy"]["stored"]["test"],
        "bytes": round(card["parameters"] * 4 / 3),  # of its script: one byte a weight, as base64
        "trains": False,  # the search among spike trains runs in Python alone
    }


def picture_payload(name: str) -> dict[str, Any]:
    """Return a network of ``picture_networks`` as a chain of layers, with which the page runs and attacks it."""
    classifier = zoo.load(f"{PICTURES}/{name}")
    return {"model": layered_payload(name, classifier), "network": chain_of(classifier, drawings().images).payload()}


def _packed_images(images: Tensor, labels: Tensor, indices: list[int]) -> dict[str, Any]:
    pixels = (images * 255).round().to(torch.uint8)
    return {
        "shape": list(images.shape[1:]),
        "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
        "labels": labels.tolist(),
        "indices": indices,
    }


def events_payload(model: str = "mlp") -> dict[str, Any]:
    """Return a classifier of events, the camera that it learned behind, and what was measured of it, as plain JSON values."""
    name = f"{EVENTS5K}/{model}"
    records, classifier, camera = zoo.repeats(name), zoo.load(name), EventCamera()
    first, network = records[0], classifier.network
    if not isinstance(network, SpikingMLP):
        raise ValueError(f"a page runs fully connected spiking networks, got {type(network).__name__} of {name!r}")
    return {
        "camera": {
            "threshold": camera.threshold,
            "dark": camera.dark,
            "duration": camera.duration,
            "num_steps": NUM_STEPS,
            "per_step": PER_STEP,
            "reach": REACH,
        },
        "model": {
            "name": name,
            "layers": list(_layers(network)),
            "decoder": classifier.decoder,
            "beta": network.beta,
            "threshold": network.threshold,
            "reset": network.reset,
            "attack_surrogate": vars(INFORMED.surrogate),
        },
        "n": first.n,
        "seeds": len(records),
        "eps": [int(number) for number in first.eps],
        "attacks": first.attacks,
        "correct": {attack: [record.correct[attack][-1] for record in records] for attack in first.correct},
    }


def _zoo() -> dict[str, Any]:
    test = data.load(DATASET).test
    rows = sample_digits()
    records = {name: zoo.results(name) for name in zoo.names()}
    files = {name: record.plain() for name, record in records.items()}
    first = next(iter(records.values()))
    for name, record in records.items():  # one figure shows them all, under one n
        if (record.n, record.eps) != (first.n, first.eps):
            raise ValueError(
                f"results of {name!r} have n={record.n} and ε={record.eps}, others n={first.n} and "
                f"ε={first.eps}; run 'snnlab zoo build {name}'"
            )
    return {
        "dataset": DATASET,
        "num_steps": max(r.num_steps for r in records.values()),
        "num_test": len(test),
        "digits": _packed_images(test.images[rows], test.labels[rows], rows.tolist()),
        "models": [_summary(name, record) for name, record in records.items()],
        "results": {
            "eps": first.eps,
            "n": first.n,
            "attacks": {k: v for r in records.values() for k, v in r.attacks.items()},
            **{key: {n: r[key] for n, r in files.items()} for key in ("exits", "correct", "silent", "flags")},
            "left": {name: _left(r) for name, r in records.items()},
            "repeats": {name: _repeats(zoo.repeats(name)) for name in records},
            "proved": {name: known for name in records if (known := _proved(zoo.repeats(name)))},
            "energy": {name: r.energy_pj for name, r in records.items()},
            **{key: {n: r[key] for n, r in files.items() if key in r} for key in ("dynamic", "late", "ablation")},
        },
    }


def _everyday() -> dict[str, Any]:
    """Return accuracies under faults, ``[severity, mean, low, high]`` over seeds and draws, of the spiking models measured."""
    models, first = {}, None
    for name in (name for name in EVERYDAY.models(DATASET) if zoo.recipe(name).coded):
        parts = [of_seed["faults"] for of_seed in everyday(name)]
        first = first or parts

        def cell(counts: Sequence[float], n: int) -> list[float]:
            found = estimate(counts, n)
            return [round(value, 4) for value in (found.mean, found.low, found.high)]

        n = parts[0].n
        faults = {
            kind: [[round(s, 4), *cell([n * p.accuracy(kind, s).mean for p in parts], n)] for s in severities]
            for kind, severities in parts[0].severities.items()
        }
        models[name] = {"clean": cell([p.clean for p in parts], n), "faults": faults}
    assert first is not None
    draws = len(next(iter(first[0].correct.values()))[0])
    return {"n": first[0].n, "seeds": len(first), "draws": draws, "models": models}


def _retimed() -> dict[str, Any]:
    """Return worst cases of retiming over seeds, ``[budget, mean, low, high]`` by exit and kind of budget, of models measured."""

    def cell(found: Estimate) -> list[float]:
        return [round(value, 4) for value in (found.mean, found.low, found.high)]

    models = {}
    for name in RETIMING.models(DATASET):
        first = retiming(name)[0]
        at = {first["worst"].exit_step: "worst"} | {
            of.exit_step: part for part, of in first.items() if part.startswith("exit")
        }
        exits = {
            step: {
                "clean": cell(retimed(name, part=part)),
                **{
                    kind: [[b, *cell(retimed(name, f"{kind} {b}", part))] for b in of]
                    for kind, of in first[part].severities.items()
                },
            }
            for step, part in sorted(at.items())
        }
        models[name] = {"exits": exits}
    of_first = retiming(RETIMING.models(DATASET)[0])
    return {"n": of_first[0]["worst"].n, "seeds": len(of_first), "models": models}


def _summary(name: str, record: Record) -> dict[str, Any]:
    recipe, encoding = zoo.recipe(name), record.encoding
    trains = recipe.coded and has_trains(encoder(encoding, num_steps=record.num_steps))
    return {
        "name": name,
        "title": encoding if recipe.coded else recipe.title,
        "kind": "snn" if recipe.coded else "ann",
        "encoding": encoding,
        **{key: recipe[key] for key in ("group", "code", "rule", "loss", "decoder")},
        "clean": {"correct": record.count(), "n": record.n},
        "trains": trains,
    }


def _left(record: Record) -> Counts:
    """Return the counts of the search among spike trains, which the explorers show."""
    return {attack: counts for attack, counts in record.survivors.items() if attack == "spike_train"}


def _repeats(records: Sequence[Record]) -> dict[str, Any]:
    """Return means over seeds with their intervals, ``[exit][ε]``, at the ε that every seed was measured at."""
    eps, exits = shared(records, "eps"), shared(records, "exits")
    means: dict[str, Any] = {"seeds": len(records), "eps": eps, "exits": exits}
    measured = [replace(record, correct=_left(record) | record.correct) for record in records]
    for attack in (a for a in measured[0].correct if all(a in record.correct for record in measured)):
        rows = [[over_seeds(measured, attack, e, radius) for radius in eps] for e in exits]
        parts = ("mean", "low", "high")
        means[attack] = {part: [[round(getattr(cell, part), 4) for cell in row] for row in rows] for part in parts}
    return means


def _proved(records: Sequence[Record]) -> dict[str, Any]:
    """Return what is proved, means over seeds ``[exit][ε]``, of exits and ε > 0 that the first seed was attacked at."""
    first = records[0]
    radii = [eps for eps in first.eps if eps > 0]
    rows = [[[known for r in records if (known := r.proved(e, eps)) is not None] for eps in radii] for e in first.exits]
    if any(len(cell) < len(records) for row in rows for cell in row):
        return {}
    share = [[round(sum(cell) / len(cell) / first.n, 4) for cell in row] for row in rows]
    return {"exits": first.exits, "eps": radii, "share": share}


def model_payload(name: str, classifier: Classifier) -> dict[str, Any]:
    """Return a classifier as plain JSON values, with which the browser runs and attacks it."""
    network, code = classifier.network, classifier.encoder
    common = {"name": name, "layers": list(_layers(network)), "decoder": classifier.decoder}
    if not isinstance(network, SpikingMLP) or code is None:
        return common | {"kind": "ann", "encoder": None, "eot": 1}
    return common | {
        "kind": "snn",
        "encoder": code.payload(),
        "beta": network.beta,
        "threshold": network.threshold,
        "reset": network.reset,
        "tau_s": network.tau_s if isinstance(network, TsslMLP) else None,
        "surrogate": vars(network.surrogate),
        "attack_surrogate": vars(INFORMED.surrogate or network.surrogate),
        "eot": INFORMED.eot if classifier.stochastic else 1,
        "spike_train": search_settings(),
    }


def layered_payload(name: str, classifier: Classifier) -> dict[str, Any]:
    """Return what the browser needs beside the layers of a network (``Chain.payload``), as plain JSON values.

    Raises:
        ValueError: a code that is not known there.
    """
    code = classifier.encoder
    about: dict[str, Any] = {"name": name, "kind": "layers", "encoder": None}
    if code is None:
        return about
    return about | {
        "encoder": code.payload(),
        "decoder": classifier.decoder,
        "threshold": float(getattr(classifier.network, "threshold", 1.0)),  # as the attack on spike trains takes it
        "attack_surrogate": vars(INFORMED.surrogate),
        "eot": INFORMED.eot if classifier.stochastic else 1,
        "spike_train": search_settings() if has_trains(code) else None,
    }


def search_settings() -> dict[str, Any]:
    """Return the constants of the search among spike trains, which a page runs as Python does."""
    return {
        "momentum": spike_train.MOMENTUM,
        "shares": list(spike_train.SHARES),
        "sharpness": list(spike_train.SHARPNESS),
        "softness": spike_train.SOFTNESS,
        "steps": TRAIN_STEPS,
    }


def _layers(network: nn.Module) -> Iterator[dict[str, Any]]:
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            q, bias, exponent = integers(layer)
            codes = (q.flatten().to(torch.int16) + FIRST_CHARACTER).to(torch.uint8)
            yield {
                "shape": list(q.shape),
                "weight": codes.numpy().tobytes().decode("ascii"),
                "exponent": exponent.tolist(),
                "bias": bias.tolist(),
            }
