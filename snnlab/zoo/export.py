"""The zoo as classic scripts, for pages that have no kernel and may have no server.

``fetch``, ES modules and wasm fail on ``file://``; a script that calls ``snnlabData(key, payload)`` works everywhere. One script
holds sample digits and results, one a model its weights (one character each, ``chr(80 + q)``, see ``snnlab.zoo.quantised``), one
all digits of a split, for what a page measures or trains itself.
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
from snnlab.encoding import encoder
from snnlab.evaluation.suites import SUITES
from snnlab.files import atomic_write
from snnlab.networks.classifier import Classifier, SpikingMLP
from snnlab.statistics import Record, estimate, over_seeds, shared
from snnlab.statistics.record import Counts
from snnlab.training.tssl_bp import TsslMLP
from snnlab.zoo import results_table
from snnlab.zoo.everyday import EVERYDAY, everyday
from snnlab.zoo.quantised import integers
from snnlab.zoo.registry import DATASET

__all__ = ["SPLITS", "keys", "model_payload", "payload", "script", "search_settings", "split_payload", "write"]

#: splits of the digits that a page can load whole
SPLITS = ("test", "train")
FIRST_CHARACTER = 80  # of weight 0
DIGITS_PER_CLASS = 3
#: of the search among spike trains, as the suite "quick" runs it
TRAIN_STEPS = next(a.steps for a in SUITES["quick"] if a.name == "spike_train")


def keys() -> list[str]:
    """Return what can be asked for: ``"zoo"``, ``"model/<name>"``, ``"digits/<split>"``, ``"everyday"``, other data sets."""
    models, splits = (f"model/{name}" for name in zoo.names()), (f"digits/{split}" for split in SPLITS)
    return ["zoo", "everyday", *models, *splits, *(name for name in zoo.datasets() if name != DATASET)]


def payload(key: str) -> dict[str, Any]:
    """The data behind a key as plain JSON values.

    Raises:
        ValueError: unknown key, or a file of the zoo that is missing or altered.
    """
    if key == "zoo":
        return _zoo()
    if key == "everyday":
        return _everyday()
    if key in zoo.datasets():
        return results_table.payload(key)
    if key.startswith("model/"):
        name = key.removeprefix("model/")
        return model_payload(name, zoo.load(name))
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


def _zoo() -> dict[str, Any]:
    test = data.load(DATASET).test
    rows = sample_digits()
    pixels = (test.images[rows] * 255).round().to(torch.uint8)
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
        "digits": {
            "shape": list(test.images.shape[1:]),
            "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
            "labels": test.labels[rows].tolist(),
            "indices": rows.tolist(),
        },
        "models": [_summary(name, record) for name, record in records.items()],
        "results": {
            "eps": first.eps,
            "n": first.n,
            "attacks": {k: v for r in records.values() for k, v in r.attacks.items()},
            **{key: {n: r[key] for n, r in files.items()} for key in ("exits", "correct", "silent", "flags")},
            "left": {name: _left(r) for name, r in records.items()},
            "repeats": {name: _repeats(zoo.repeats(name)) for name in records},
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
