"""The records of the CIFAR-10 zoo, and of other tables of networks, as the explorer of results reads them.

One payload holds counts of correct answers, ``correct[attack][seed][exit][ε]``, for every network and decoding, ε in grey
levels of 255; ``None`` in the place of an exit that a seed was not measured at. No picture and no weight goes into it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snnlab.records import flags_of
from snnlab.zoo import cifar10

__all__ = ["DECODERS", "THREATS", "accuracies", "nearest_level", "of_records", "payload"]

#: the decoders that are measured; the second one at the last exit alone
DECODERS = ("current", "ttfs")

#: the attacks of each threat model, by their names in records
THREATS = {
    "transfer": ("transfer", "transfer.fgsm", "transfer.difgsm", "transfer.mifgsm"),
    "naive": ("pgd.naive", "fgsm.naive"),
    "adaptive": ("worst",),
}

REPORTED = {
    "claim": "“Up to twice the robustness” of a conventional network on CIFAR-10, for fused codes, on attacked test sets "
    "that all networks share.",
    "source": "Ding, Yu, Liu & Huang, Nature Communications 16:10175 (2025)",
}

ABOUT = (
    "The networks are small, four convolutions trained for minutes: their accuracies are not those of the paper's sizes. "
    "Transferred attacks are made on the first ANN of the same seed, anew for every network, on what it still reads; the ANN of "
    "another seed, which they were not made on, is the fair one to compare with. Rate decoding reads the mean output current, a "
    "spike count without its rounding."
)


def payload() -> dict[str, Any]:
    """What the page needs to know of the zoo's networks that are measured.

    Raises:
        ValueError: a record that is missing or belongs to another recipe.
    """
    models, parts = [], {}
    for name in filter(cifar10.measured, cifar10.names()):
        told = cifar10.settings(name)
        spiking = told["encoding"] != "none"
        title = _title(name, told["encoding"])
        own = {"code": told["code"], "rule": told["rule"], "kind": "snn" if spiking else "ann"}
        models.append({"name": name, "title": title, **own})
        parts[name] = {d: cifar10.repeats(name, decoder=d) for d in (DECODERS if spiking else DECODERS[:1])}
    return {
        **_table(models, parts),
        "dataset": "CIFAR-10",
        "source": cifar10.evaluation_settings()["source"],
        "reported": REPORTED,
        "about": ABOUT,
    }


def _title(name: str, encoding: str) -> str:
    """``fusion(direct, latency)`` as "direct + latency"."""
    if encoding == "none":
        return "second ANN" if name == "ann-second" else "ANN"
    return encoding.removeprefix("fusion(").removesuffix(")").replace(", ", " + ")


def of_records(records: Mapping[str, Mapping[str, Any]], dataset: str) -> dict[str, Any]:
    """The same for networks of a reader's own: a record of ``Evaluation.record`` by the name of each.

    Raises:
        ValueError: no records, or records of different n, or none with an attack of a threat model that is known here.
    """
    if not records:
        raise ValueError("the explorer of results needs at least one record, as Evaluation.record() gives it")
    models = [
        {"name": name, "title": name, "code": name, "rule": "bptt", "kind": "ann" if r["num_steps"] == 1 else "snn"}
        for name, r in records.items()
    ]
    found = _table(models, {name: {DECODERS[0]: [r]} for name, r in records.items()})
    if not found["threats"]:
        raise ValueError(f"the records hold none of the attacks {', '.join(a for t in THREATS.values() for a in t)}")
    return {**found, "dataset": dataset, "source": None, "reported": None, "about": ""}


def _table(models: list[dict[str, Any]], parts: Mapping[str, Mapping[str, Sequence[Mapping[str, Any]]]]) -> dict[str, Any]:
    every = [record for by_decoder in parts.values() for seeds in by_decoder.values() for record in seeds]
    if len({record["n"] for record in every}) > 1:
        raise ValueError(f"records of one table need one n, got {sorted({record['n'] for record in every})}")
    norms = {str(record.get("norm", "Linf")) for record in every}
    if norms != {"Linf"}:
        raise ValueError(f"the table shows budgets in L∞, got records in {', '.join(sorted(norms))}")
    measured = {attack for record in every for attack in record["correct"]}
    known = {threat: [a for a in attacks if a in measured] for threat, attacks in THREATS.items()}
    return {
        "n": every[0]["n"],
        "num_steps": max(record["num_steps"] for record in every),
        "chance": _chance(every),
        "models": models,
        "threats": {threat: attacks for threat, attacks in known.items() if attacks},
        "attacks": {name: text for record in every for name, text in record["attacks"].items()},
        "seeds": {name: [r.get("seed", 0) for r in by[DECODERS[0]]] for name, by in parts.items()},
        "results": {
            name: {decoder: _part(seeds, measured) for decoder, seeds in by_decoder.items()}
            for name, by_decoder in parts.items()
        },
    }


def _chance(records: Sequence[Mapping[str, Any]]) -> float:
    """The share that guessing gets right: told by ``evaluate_robustness``; ten classes where it is not."""
    found = {round(float(record.get("diagnostics", {}).get("chance", 0.1)), 6) for record in records}
    if len(found) > 1:
        raise ValueError(f"records of one table need as many classes, got chances of {sorted(found)}")
    return found.pop()


def _part(seeds: Sequence[Mapping[str, Any]], attacks: set[str]) -> dict[str, Any]:
    """One decoding of one network: counts of every seed where all seeds have them, their attacks, and their flags."""
    first = seeds[0]
    shown = {a for threat in THREATS.values() for a in threat} & attacks
    return {
        "eps": [round(eps * cifar10.LEVELS, 3) for eps in first["eps"]],
        "exits": first["exits"],
        "correct": {
            a: [_at_exits(r, a, first["exits"]) for r in seeds] for a in shown if all(a in r["correct"] for r in seeds)
        },
        "attacks": [a for a in first["attacks"] if a != "worst"],
        "flags": {a: flags for a in shown if (flags := flags_of(seeds, a))},
        **({"energy_pj": first["energy_pj"]} if "energy_pj" in first else {}),
    }


def _at_exits(record: Mapping[str, Any], attack: str, exits: Sequence[int]) -> list[list[int] | None]:
    """Counts at these exits; ``None`` where the record has none."""
    own: list[int] = record["exits"]
    return [record["correct"][attack][own.index(e)] if e in own else None for e in exits]


def accuracies(
    record: Mapping[str, Any], against: str, decoder: str, eps: float, exit_step: int
) -> dict[str, tuple[float, ...]]:
    """Accuracy of every network in a payload at the level of ε that the table has nearest, one value a seed.

    Exits that no network was measured at stand for the last; an ANN has one read-out for all. A network that was not measured
    at that exit, level or under that attack is left out.
    """
    level = nearest_level(record, eps)
    exits = {e for m in record["models"] for e in record["results"][m["name"]].get(decoder, {"exits": []})["exits"]}
    step = exit_step if exit_step in exits else max(exits)
    found = {}
    for model in record["models"]:
        by_decoder = record["results"][model["name"]]
        ann = model["kind"] == "ann"
        part = next(iter(by_decoder.values())) if ann else by_decoder.get(decoder)
        if part is None or against not in part["correct"] or level not in part["eps"]:
            continue
        if not ann and step not in part["exits"]:
            continue
        row, column = 0 if ann else part["exits"].index(step), part["eps"].index(level)
        rows = [seed[row] for seed in part["correct"][against] if seed[row] is not None]
        found[model["name"]] = tuple(counts[column] / record["n"] for counts in rows)
    return found


def nearest_level(record: Mapping[str, Any], eps: float) -> float:
    """The level of ε, in grey levels, that any network of a payload was measured at and that is nearest to ``eps``."""
    levels = {level for parts in record["results"].values() for part in parts.values() for level in part["eps"]}
    return float(min(sorted(levels), key=lambda level: abs(level - eps * cifar10.LEVELS)))
