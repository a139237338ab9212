"""The payload of the explorer of results, from the records of a data set's models or of a user.

It holds counts of correct answers, ``correct[attack][seed][exit][ε]``, for every network and decoding, ε in grey levels of 255;
``None`` for an exit that a seed was not measured at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from snnlab import zoo
from snnlab.data import describe
from snnlab.statistics import Record, flags_of
from snnlab.zoo.registry import DATASET

__all__ = ["THREATS", "accuracies", "nearest_level", "of_records", "payload"]

#: ε of a table is in grey levels
LEVELS = 255
#: the decoder of records that name none
DECODER = "current"

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
    "another seed, which they were not made on, is the fair one to compare with. Charge decoding reads the mean output current, "
    "a spike count without its rounding."
)


def payload(dataset: str = "cifar10") -> dict[str, Any]:
    """Return the payload of the models of a data set that are measured.

    Raises:
        ValueError: a record that is missing or belongs to another recipe.
    """
    models, parts = [], {}
    evaluation = zoo.evaluation_settings(dataset)
    decoders = evaluation.get("decoders", [DECODER])
    for name, recipe in ((name, of) for name, of in zoo.recipes(dataset=dataset).items() if zoo.measured(of.path)):
        kind = "snn" if recipe.coded else "ann"
        models.append({"name": name, "title": recipe.title, "code": recipe["code"], "rule": recipe["rule"], "kind": kind})
        read = decoders if recipe.coded else decoders[:1]
        parts[name] = {d: zoo.repeats(recipe.path, decoder=d if "decoders" in evaluation else None) for d in read}
    return {
        **_table(models, parts, 1 / describe(dataset).classes),
        "dataset": describe(dataset).title or dataset,
        "source": evaluation.get("source"),
        "reported": REPORTED if dataset == "cifar10" else None,
        "about": ABOUT if dataset == "cifar10" else "",
    }


def of_records(records: Mapping[str, Record], dataset: str) -> dict[str, Any]:
    """Return the payload of records of a user, by name.

    Raises:
        ValueError: no records, records of different n, or none with an attack of a threat model.
    """
    if not records:
        raise ValueError("the explorer of results needs at least one record, as evaluate_robustness gives it")
    models = [
        {"name": name, "title": name, "code": name, "rule": "bptt", "kind": "ann" if r.num_steps == 1 else "snn"}
        for name, r in records.items()
    ]
    shown = _table(models, {name: {DECODER: [r]} for name, r in records.items()}, 1 / describe(DATASET).classes)
    if not shown["threats"]:
        raise ValueError(f"the records hold none of the attacks {', '.join(a for t in THREATS.values() for a in t)}")
    return {**shown, "dataset": dataset, "source": None, "reported": None, "about": ""}


def _table(
    models: list[dict[str, Any]], parts: Mapping[str, Mapping[str, Sequence[Record]]], chance: float
) -> dict[str, Any]:
    every = [record for by_decoder in parts.values() for seeds in by_decoder.values() for record in seeds]
    if len({record.n for record in every}) > 1:
        raise ValueError(f"records of one table need one n, got {sorted({record.n for record in every})}")
    norms = {record.norm for record in every}
    if norms != {"Linf"}:
        raise ValueError(f"the table shows budgets in L∞, got records in {', '.join(sorted(norms))}")
    measured = {attack for record in every for attack in record.correct}
    known = {threat: [a for a in attacks if a in measured] for threat, attacks in THREATS.items()}
    return {
        "n": every[0].n,
        "num_steps": max(record.num_steps for record in every),
        "chance": _chance(every, chance),
        "models": models,
        "threats": {threat: attacks for threat, attacks in known.items() if attacks},
        "attacks": {name: text for record in every for name, text in record.attacks.items()},
        "seeds": {name: [r.seed or 0 for r in next(iter(by.values()))] for name, by in parts.items()},
        "results": {
            name: {decoder: _part(seeds, measured) for decoder, seeds in by_decoder.items()}
            for name, by_decoder in parts.items()
        },
    }


def _chance(records: Sequence[Record], default: float) -> float:
    """Return the accuracy of guessing from the records, else the default."""
    chances = {round(default if record.chance is None else record.chance, 6) for record in records}
    if len(chances) > 1:
        raise ValueError(f"records of one table need as many classes, got chances of {sorted(chances)}")
    return chances.pop()


def _part(seeds: Sequence[Record], attacks: set[str]) -> dict[str, Any]:
    """Return counts of every seed, attacks and flags of one decoding of a network."""
    first = seeds[0]
    shown = [a for threat in THREATS.values() for a in threat if a in attacks]

    def counts(record: Record, attack: str) -> list[list[int] | None]:
        by_exit = dict(zip(record.exits, record.correct[attack], strict=True))
        return [by_exit.get(e) for e in first.exits]

    return {
        "eps": [round(eps * LEVELS, 3) for eps in first.eps],
        "exits": first.exits,
        "correct": {a: [counts(r, a) for r in seeds] for a in shown if all(a in r.correct for r in seeds)},
        "attacks": [a for a in first.attacks if a != "worst"],
        "flags": {a: flags for a in shown if (flags := flags_of(seeds, a))},
        **({"proved": [[_proved(seeds, e, eps) for eps in first.eps] for e in first.exits]} if first.proofs else {}),
        **({"energy_pj": first.energy_pj} if first.energy_pj else {}),
    }


def _proved(seeds: Sequence[Record], exit_step: int, eps: float) -> float | None:
    """Return what is proved, mean over seeds; ``None`` where it is not known of all."""
    counts = [seed.proved(exit_step, eps) for seed in seeds]
    known = [count for count in counts if count is not None]
    return sum(known) / len(counts) / seeds[0].n if len(known) == len(counts) else None


def accuracies(
    table: Mapping[str, Any], against: str, decoder: str, eps: float, exit_step: int
) -> dict[str, tuple[float, ...]]:
    """Return the accuracy of every network in a payload at the nearest level of ε in the table, one value a seed.

    Exits that no network was measured at stand for the last. A network without that exit, level or attack is left out.
    """
    level = nearest_level(table, eps)
    exits = {e for parts in table["results"].values() for e in parts.get(decoder, {"exits": []})["exits"]}
    step = exit_step if exit_step in exits else max(exits)
    shares = {}
    for model in table["models"]:
        parts, ann = table["results"][model["name"]], model["kind"] == "ann"
        part = next(iter(parts.values())) if ann else parts.get(decoder)
        if part and against in part["correct"] and level in part["eps"] and (ann or step in part["exits"]):
            row, column = 0 if ann else part["exits"].index(step), part["eps"].index(level)
            rows = [seed[row] for seed in part["correct"][against] if seed[row] is not None]
            shares[model["name"]] = tuple(counts[column] / table["n"] for counts in rows)
    return shares


def nearest_level(table: Mapping[str, Any], eps: float) -> float:
    """Return the level of ε, in grey levels, that any network of a payload was measured at and that is nearest to ``eps``."""
    levels = {level for parts in table["results"].values() for part in parts.values() for level in part["eps"]}
    return float(min(sorted(levels), key=lambda level: abs(level - eps * LEVELS)))
