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

from snnlab import codetable, data, zoo
from snnlab.attack import INFORMED, has_trains, spike_train
from snnlab.encoding import Encoder, Fusion, encoder
from snnlab.network import Classifier, SpikingMLP
from snnlab.records import over_seeds, shared
from snnlab.suites import SUITES
from snnlab.tsslbp import TsslMLP
from snnlab.zoo.cifar10 import web as cifar10_web
from snnlab.zoo.storage import integers

__all__ = ["keys", "model_payload", "payload", "script", "write"]

FIRST_CHARACTER = 80  # of weight 0
DIGITS_PER_CLASS = 3
#: attacks on the survivors whose counts the explorers show: who survives all attacks up to them
SURVIVORS = ("spike_train",)
#: of the search among spike trains, as the suite "quick" runs it
TRAIN_STEPS = next(a.steps for a in SUITES["quick"] if a.name == "spike_train")


def keys() -> list[str]:
    """What can be asked for: ``"zoo"``, ``"model/<name>"`` and ``"cifar10"``."""
    return ["zoo", *(f"model/{name}" for name in zoo.names()), "cifar10"]


def payload(key: str) -> dict[str, Any]:
    """The data behind a key as plain JSON values.

    Raises:
        ValueError: unknown key, or a file of the zoo that is missing or altered.
    """
    if key == "zoo":
        return _zoo()
    if key == "cifar10":
        return cifar10_web.payload()
    if key.startswith("model/"):
        name = key.removeprefix("model/")
        return model_payload(name, zoo.load(name))
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
    return {
        "dataset": "mnist5k",
        "num_steps": max(r["num_steps"] for r in records.values()),
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
            **{key: {name: r[key] for name, r in records.items()} for key in ("exits", "correct", "silent", "flags")},
            "left": {name: {a: r["left"][a] for a in SURVIVORS if a in r.get("left", {})} for name, r in records.items()},
            "repeats": {name: _repeats(zoo.repeats(name)) for name in records},
            "energy": {name: r["energy_pj"] for name, r in records.items()},
            **{key: {name: r[key] for name, r in records.items() if key in r} for key in ("dynamic", "late", "ablation")},
        },
    }


def _summary(name: str, record: dict[str, Any]) -> dict[str, Any]:
    recipe, encoding = zoo.recipes()[name], record["encoding"]
    kind = "ann" if encoding == "none" else "snn"
    title = "ANN" if kind == "ann" else encoding
    trains = kind == "snn" and has_trains(encoder(encoding, num_steps=record["num_steps"]))
    clean = {"correct": record["correct"]["worst"][-1][0], "n": record["n"]}
    told = {key: recipe[key] for key in ("group", "code", "rule", "loss", "decoder")}
    return {"name": name, "title": title, "kind": kind, "encoding": encoding, **told, "clean": clean, "trains": trains}


def _repeats(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over seeds with their intervals, ``[exit][ε]``, at the ε that every seed was measured at."""
    eps, exits = shared(records, "eps"), shared(records, "exits")
    found: dict[str, Any] = {"seeds": len(records), "eps": eps, "exits": exits}
    measured = [
        r | {"correct": {a: r["left"][a] for a in SURVIVORS if a in r.get("left", {})} | r["correct"]} for r in records
    ]
    for attack in measured[0]["correct"]:
        if all(attack in record["correct"] for record in measured):
            rows = [[over_seeds(measured, attack, e, radius) for radius in eps] for e in exits]
            found[attack] = {
                part: [[round(getattr(estimate, part), 4) for estimate in row] for row in rows]
                for part in ("mean", "low", "high")
            }
    return found


def model_payload(name: str, classifier: Classifier) -> dict[str, Any]:
    """A classifier of the zoo's kind as plain JSON values: all that the browser needs to run and attack it."""
    network, code = classifier.network, classifier.encoder
    common = {"name": name, "layers": list(_layers(network)), "decoder": classifier.decoder}
    if not isinstance(network, SpikingMLP) or code is None:
        return common | {"kind": "ann", "encoder": None, "eot": 1}
    surrogate = INFORMED.surrogate or network.surrogate
    return common | {
        "kind": "snn",
        "encoder": _encoder(code),
        "beta": network.beta,
        "threshold": network.threshold,
        "reset": network.reset,
        "tau_s": network.tau_s if isinstance(network, TsslMLP) else None,
        "surrogate": vars(network.surrogate),
        "attack_surrogate": vars(surrogate),
        "eot": INFORMED.eot if classifier.stochastic else 1,
        "spike_train": _search(),
    }


def _search() -> dict[str, Any]:
    """The constants of the search among spike trains, and its length in the suite "quick"."""
    return {
        "grid": codetable.GRID,
        "most_bins": codetable.MOST_BINS,
        "momentum": spike_train.MOMENTUM,
        "shares": list(spike_train.SHARES),
        "sharpness": list(spike_train.SHARPNESS),
        "softness": spike_train.SOFTNESS,
        "steps": TRAIN_STEPS,
    }


def _encoder(code: Encoder) -> dict[str, Any]:
    described: dict[str, Any] = {"name": code.name, "num_steps": code.num_steps, "slope": code.slope}
    if hasattr(code, "rounding"):
        described["rounding"] = code.rounding
    if isinstance(code, Fusion):
        described |= {"parts": [_encoder(part) for part in code.parts], "gate": list(code.gate)}
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
