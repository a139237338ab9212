"""The ledger: one record a claim, measured from the zoo's records and never typed.

``build`` measures every claim. A record whose finding has not changed stays as it is, byte for byte; where it has, the old
measurement moves to ``superseded`` and stays visible.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from snnlab import zoo
from snnlab.claims.definitions import OUTCOMES, Claim, Comparison, definitions, verdict
from snnlab.claims.quantities import Quantity
from snnlab.flags import kind_of
from snnlab.records import change_over_seeds, mean_interval
from snnlab.zoo import cifar10, controls

__all__ = ["LEDGER", "build", "ledger", "measure", "record_of"]

#: folder of the records
LEDGER = Path(__file__).parents[1] / "zoo" / "claims"
SUITES: tuple[str, ...] = ("standard", "quick", "adaptive")
CIFAR10 = "cifar10/"
DIGITS = 4
#: of a measurement, what may differ although nothing new was found
PROVENANCE = ("date", "versions", "hashes")
LATE = {
    "pgd": "PGD-10 on the image within ε = 0.1, informed, acting from a step on, aimed at the exit that is read",
    "noise": "random signs of size ε = 0.1 on the image, acting from a step on",
    "flips": "up to 20 spikes of the code flipped from a step on, greedily, aimed at the exit that is read",
}
#: ``(model, suite) -> records of all seeds``, or ``None`` where the suite was not run
Records = Callable[[str, str], list[dict[str, Any]] | None]


def zoo_records(name: str, suite: str) -> list[dict[str, Any]] | None:
    """The records of a model or control of the zoo at every seed, as its suite found them; ``None`` where it was not run.

    ``cifar10/latency`` is a model of the CIFAR-10 zoo, read by its mean output current; ``cifar10/latency:ttfs`` by its first
    spike. They have one suite, ``"adaptive"``.

    Raises:
        ValueError: unknown model; a file that is altered.
    """
    if name.startswith(CIFAR10):
        model, _, decoder = name.removeprefix(CIFAR10).partition(":")
        return cifar10.repeats(model, decoder=decoder or "current") if suite == "adaptive" else None
    if suite == "adaptive":
        return None
    if name in controls.names():
        return controls.repeats(name) if suite == "quick" else None
    files = [zoo.MODELS / name / zoo.file_name(f"{zoo.RECORDS[suite]}.json", seed) for seed in zoo.seeds()]
    return zoo.repeats(name, suite=suite) if all(file.exists() for file in files) else None


def measure(claim: Claim, records: Records = zoo_records) -> dict[str, Any]:
    """What the zoo's records say of a claim: its comparisons with intervals over seeds, and the verdict that follows.

    Raises:
        ValueError: a model or quantity that was not measured, fewer than two seeds.
    """
    found, used = [], {}
    for comparison in claim.comparisons:
        told, own = _compared(comparison, records)
        found.append(told)
        used.update({(model, told["suite"]): of_model for model, of_model in own.items()})
    outcomes = [told["outcome"] for told in found]
    every = [record for of_model in used.values() for record in of_model]
    return {
        "verdict": verdict(outcomes),
        "why": _why(found),
        "comparisons": found,
        "n": sorted({told["n"] for told in found}),
        "seeds": sorted({int(record["seed"]) for record in every}),
        "suites": sorted({told["suite"] for told in found}),
        "dataset": sorted({f"{record['dataset']}, {record['split']} split" for record in every}),
        "attacks": _attacks(claim, used),
        "flags": _flags(claim, used),
        "versions": _versions(every),
        "hashes": {
            f"{model} ({suite})": [
                {
                    key: str(record[f"{key}_sha256"])[:16]
                    for key in ("weights", "settings", "data")
                    if f"{key}_sha256" in record
                }
                for record in of_model
            ]
            for (model, suite), of_model in sorted(used.items())
        },
    }


def _compared(comparison: Comparison, records: Records) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """A comparison by the strongest suite that has all it needs: both sides by the same one."""
    refused = ""
    for suite in SUITES:
        own = {model: records(model, suite) for model in comparison.models}
        there = {model: of_model for model, of_model in own.items() if of_model is not None}
        if len(there) < len(own):
            continue
        try:
            return _told(comparison, suite, there), there
        except ValueError as error:  # the suite has no such exit, ε or quantity
            refused = str(error)
    raise ValueError(f"{comparison.new.words} against {comparison.old.words}: {refused or 'no record'}")


def _told(comparison: Comparison, suite: str, own: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    any_model = own[comparison.models[0]]
    sides, values = {}, []
    for side in ("new", "old"):
        quantity: Quantity = getattr(comparison, side)
        of_model = own.get(quantity.model, any_model)
        values.append([quantity.of(record) for record in of_model])
        sides[side] = {"what": quantity.words, **_settings(quantity), **_interval(values[-1], quantity.kind, quantity.times)}
    change = change_over_seeds(*values)
    return {
        **sides,
        "expect": comparison.expect,
        "margin": comparison.margin,
        "change": {key: round(getattr(change, key), DIGITS) for key in ("mean", "low", "high")},
        "outcome": comparison.outcome(change),
        "suite": suite,
        "n": min(q.n(record) for q in (comparison.new, comparison.old) if q.model for record in own[q.model]),
        "seeds": change.seeds,
    }


def _settings(quantity: Quantity) -> dict[str, Any]:
    """What was read, as plain data, without what was left at its default."""
    default = Quantity("any") if quantity.model else Quantity(kind="value")
    return {key: value for key, value in asdict(quantity).items() if value != getattr(default, key)}


def _interval(values: Sequence[float], kind: str, times: float = 1.0) -> dict[str, Any]:
    """With the interval of the mean over seeds; ``times`` is in the values already, and accuracies end there."""
    if kind == "value":
        return {"mean": values[0]}
    low, high = mean_interval(values)
    if kind not in ("energy", "gate"):  # accuracies
        low, high = max(0.0, low), min(times, high)
    rounded = [round(v, DIGITS) for v in values]
    return {"values": rounded, "mean": round(fmean(values), DIGITS), "low": round(low, DIGITS), "high": round(high, DIGITS)}


def _why(found: Sequence[dict[str, Any]]) -> str:
    """One sentence: how many comparisons are as claimed, and which are not."""
    counts = {o: sum(told["outcome"] == o for told in found) for o in OUTCOMES}
    told = f"Of {len(found)} comparison{'s' * (len(found) > 1)} {counts[OUTCOMES[0]]} as claimed"
    for outcome in OUTCOMES[1:]:
        cases = [
            f"{t['new']['what']}, against {t['old']['what']} ({t['change']['mean']:+.3f} [{t['change']['low']:+.3f}, "
            f"{t['change']['high']:+.3f}], expected {t['expect']}{f' by {t_margin:g}' if (t_margin := t['margin']) else ''})"
            for t in found
            if t["outcome"] == outcome
        ]
        if cases:
            told += f"; {outcome}: {'; '.join(cases)}"
    return f"{told}."


Used = dict[tuple[str, str], list[dict[str, Any]]]


def _quantities(claim: Claim) -> list[Quantity]:
    return [q for comparison in claim.comparisons for q in (comparison.new, comparison.old) if q.model]


def _attacks(claim: Claim, used: Used) -> dict[str, str]:
    """The attacks that the quantities rest on, by name, in words."""
    found: dict[str, str] = {}
    for quantity in _quantities(claim):
        of_model = [r for (model, _), records in used.items() if model == quantity.model for r in records]
        if quantity.kind == "late":
            found[f"late.{quantity.attack}"] = LATE[quantity.attack]
        elif quantity.kind == "silenced":
            found.update(of_model[0]["ablation"]["attacks"])
        elif quantity.kind in ("energy", "gate") or (quantity.kind == "accuracy" and not quantity.eps):
            found.setdefault("none", "clean digits, no attack")
        else:
            whole = {name: text for record in of_model for name, text in record["attacks"].items()}
            found.update(whole if quantity.attack == "worst" else {quantity.attack: whole[quantity.attack]})
    return found


def _flags(claim: Claim, used: Used) -> dict[str, list[str]]:
    """The flags of the attacks that were read, by model; of each kind the first seed's. Several seeds are no single one."""
    found: dict[str, dict[str, str]] = {}
    for quantity in _quantities(claim):
        if quantity.kind in ("energy", "gate", "late"):
            continue
        for (model, _), records in used.items():
            for sentence in (s for r in records if model == quantity.model for s in r["flags"].get(quantity.attack, [])):
                kind = kind_of(sentence)
                if kind.name != "single_seed":
                    found.setdefault(model, {}).setdefault(
                        f"{quantity.attack}:{kind.name}", f"{quantity.attack}: {sentence}"
                    )
    return {model: list(sentences.values()) for model, sentences in sorted(found.items())}


def _versions(records: Iterable[dict[str, Any]]) -> dict[str, str]:
    found: dict[str, set[str]] = {}
    for record in records:
        for package, version in record["versions"].items():
            found.setdefault(package, set()).add(version)
    return {package: ", ".join(sorted(versions)) for package, versions in sorted(found.items())}


def record_of(claim: Claim, measured: dict[str, Any], date: str, old: dict[str, Any] | None = None) -> dict[str, Any]:
    """The record of a claim after a measurement: the old one, where nothing has changed.

    Args:
        claim: what was measured.
        measured: what ``measure`` gave.
        date: of today, as 2026-01-31.
        old: the record so far.
    """
    said = {"id": claim.id, "statement": claim.statement, "source": claim.source, "where": claim.where}
    superseded: list[dict[str, Any]] = list(old["superseded"]) if old else []
    if old and all(old["measured"].get(key) == value for key, value in measured.items()):
        date = old["measured"]["date"]
    elif old and any(old["measured"].get(key) != value for key, value in measured.items() if key not in PROVENANCE):
        superseded.insert(0, old["measured"])
    return {**said, "limits": claim.limits, "measured": {**measured, "date": date}, "superseded": superseded}


def build(
    ids: Sequence[str] = (),
    folder: Path = LEDGER,
    *,
    records: Records = zoo_records,
    claims: Sequence[Claim] | None = None,
    today: str | None = None,
) -> list[str]:
    """Measure claims and write their records; return the ids of those that changed.

    Args:
        ids: claims to measure; default all.
        folder: where the records are.
        records: where measurements come from.
        claims: the definitions; default those of the zoo.
        today: date of a new measurement.

    Raises:
        ValueError: unknown id, something that was not measured.
    """
    known = {claim.id: claim for claim in (definitions().values() if claims is None else claims)}
    today = today or dt.datetime.now(dt.UTC).date().isoformat()
    changed = []
    for name in ids or known:
        if name not in known:
            raise ValueError(f"unknown claim {name!r}; choose one of {', '.join(known)}")
        path = folder / f"{name}.json"
        before = path.read_text(encoding="utf8") if path.exists() else None
        old = json.loads(before) if before else None
        new = record_of(known[name], json.loads(json.dumps(measure(known[name], records))), today, old)
        text = json.dumps(new, indent=1, ensure_ascii=False) + "\n"
        if text != before:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf8")
            changed.append(name)
    return changed


def ledger(folder: Path = LEDGER, ids: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """The records of all claims by id, in the order of the definitions.

    Raises:
        ValueError: unknown id; a record that is missing.

    >>> ledger(ids=["offset-illusion"])["offset-illusion"]["measured"]["verdict"]
    'holds'
    """
    known = definitions()
    for name in ids:
        if name not in known:
            raise ValueError(f"unknown claim {name!r}; choose one of {', '.join(known)}")
    missing = [name for name in ids or known if not (folder / f"{name}.json").exists()]
    if missing:
        raise ValueError(f"not measured yet: {', '.join(missing)}; run 'snnlab claims build'")
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf8")) for name in ids or known}
