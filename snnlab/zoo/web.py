"""The zoo as classic scripts, for pages that have no kernel and may have no server.

``fetch``, ES modules and wasm fail on ``file://``; a script that calls ``snnlabData(key, payload)`` works everywhere.
One script holds what every page needs (digits, results), one a model its weights; pages load them on demand.

A weight is one character, ``chr(80 + q)`` with ``|q| ≤ 45`` (see ``snnlab.zoo.storage``): printable, one byte before
compression and some 0.7 after.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attack import INFORMED
from snnlab.encoding import Encoder, Fusion
from snnlab.zoo.storage import integers

__all__ = ["keys", "payload", "script", "write"]

FIRST_CHARACTER = 80  # of weight 0
DIGITS_PER_CLASS = 3


def keys() -> list[str]:
    """What can be asked for: ``"zoo"`` and ``"model/<name>"``."""
    return ["zoo", *(f"model/{name}" for name in zoo.names())]


def payload(key: str) -> dict[str, Any]:
    """The data behind a key as plain JSON values.

    Raises:
        ValueError: unknown key, or a file of the zoo that is missing or altered.
    """
    if key == "zoo":
        return _zoo()
    if key.startswith("model/"):
        return _model(key.removeprefix("model/"))
    raise ValueError(f"unknown key {key!r}; choose one of {', '.join(keys())}")


def script(key: str) -> str:
    """A classic script that hands the payload to the page."""
    text = json.dumps(payload(key), separators=(",", ":"), ensure_ascii=True)
    return f"globalThis.snnlabData({json.dumps(key)},{text});\n"


def write(folder: Path | str) -> list[Path]:
    """Write every script into ``folder`` (``snnlab-zoo.js``, ``snnlab-model-<name>.js``)."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    paths = []
    for key in keys():
        path = target / f"snnlab-{key.replace('/', '-')}.js"
        path.write_text(script(key))
        paths.append(path)
    return paths


def sample_digits() -> Tensor:
    """Rows of the test split that the explorers offer: the first three of each class, in the split's order."""
    labels = data.load("mnist5k").test.labels
    rows = torch.cat([torch.nonzero(labels == k).flatten()[:DIGITS_PER_CLASS] for k in range(10)])
    return rows.view(10, DIGITS_PER_CLASS).T.flatten()  # 0 … 9 first, then the next of each


def _zoo() -> dict[str, Any]:
    test = data.load("mnist5k").test
    rows = sample_digits()
    pixels = (test.images[rows] * 255).round().to(torch.uint8)
    records = {name: zoo.results(name) for name in zoo.names()}
    first = next(iter(records.values()))
    for name, record in records.items():  # one figure shows them all, under one n
        if (record["n"], record["eps"]) != (first["n"], first["eps"]):
            raise ValueError(
                f"results of {name!r} have n={record['n']} and ε={record['eps']}, others n={first['n']} and "
                f"ε={first['eps']}; run 'snnlab zoo build {name}'"
            )
    steps = max(r["num_steps"] for r in records.values())
    return {
        "dataset": "mnist5k",
        "num_steps": steps,
        "num_test": len(test),
        "digits": {
            "shape": list(test.images.shape[1:]),
            "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
            "labels": test.labels[rows].tolist(),
            "indices": rows.tolist(),
        },
        "models": [_summary(name, record) for name, record in records.items()],
        "results": {
            "eps": first["eps"],
            "n": first["n"],
            "attacks": {k: v for r in records.values() for k, v in r["attacks"].items()},
            "correct": {name: _at_every_exit(r["correct"], steps) for name, r in records.items()},
            "silent": {name: _at_every_exit(r["silent"], steps) for name, r in records.items()},
            "flags": {name: r["flags"] for name, r in records.items()},
        },
    }


def _summary(name: str, record: dict[str, Any]) -> dict[str, Any]:
    encoding = zoo.card(name)["encoding"]
    kind = "ann" if encoding == "none" else "snn"
    title = "ANN" if kind == "ann" else encoding
    clean = {"correct": record["correct"]["worst"][-1][0], "n": record["n"]}
    return {"name": name, "title": title, "kind": kind, "encoding": encoding, "clean": clean}


def _at_every_exit(counts: dict[str, list[list[int]]], steps: int) -> dict[str, list[list[int]]]:
    """Counts ``[exit][ε]`` for every exit; an ANN, which has one, answers alike at all of them."""
    return {name: rows * steps if len(rows) == 1 else rows for name, rows in counts.items()}


def _model(name: str) -> dict[str, Any]:
    classifier = zoo.load(name)
    recipe = zoo.recipes()[name]
    surrogate = INFORMED.surrogate
    return {
        "name": name,
        "kind": "ann" if classifier.encoder is None else "snn",
        "encoder": classifier.encoder and _encoder(classifier.encoder),
        "decoder": recipe["decoder"],
        "beta": recipe["beta"],
        "threshold": recipe["threshold"],
        "reset": recipe["reset"],
        "surrogate": recipe["surrogate"],
        "attack_surrogate": surrogate and vars(surrogate),
        "eot": INFORMED.eot if classifier.stochastic else 1,
        "layers": list(_layers(classifier.network)),
    }


def _encoder(code: Encoder) -> dict[str, Any]:
    described: dict[str, Any] = {"name": code.name, "num_steps": code.num_steps, "slope": code.slope}
    if hasattr(code, "rounding"):
        described["rounding"] = code.rounding
    if isinstance(code, Fusion):
        described["parts"] = [_encoder(part) for part in code.parts]
    return described


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
