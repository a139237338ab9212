"""The ledger: one record a claim, measured from the zoo's records and never typed.

``build`` measures every claim. Both sides of a comparison were attacked by the same suite: the zoo's, or that of CIFAR-10. A
record whose finding has not changed stays as it is, byte for byte; where it has, the old measurement moves to ``superseded``,
with the reason, and stays visible.
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
from snnlab.suites import SUITES as ALL_SUITES
from snnlab.zoo import cifar10, controls

__all__ = ["LEDGER", "build", "ledger", "measure", "record_of"]

#: folder of the records
LEDGER = Path(__file__).parents[1] / "zoo" / "claims"
#: the suites of the ledger: the one of the zoo and its controls, and the one of the CIFAR-10 zoo
SUITES: tuple[str, ...] = (str(zoo.evaluation_settings()["suite"]), "adaptive")
CIFAR10 = "cifar10/"
#: how the attacks are called in records that search among the spike trains in reach (``snnlab.attack.spike_train_attack``)
SPIKE_TRAIN = "spike_train"
DIGITS = 4
#: of a measurement, what may differ although nothing new was found
PROVENANCE = ("date", "versions", "hashes")
LATE = {
    "pgd": "PGD-10 on the image within ε = 0.1, informed, acting from a step on, aimed at the exit that is read",
    "spike_train": "search among the spike trains within ε = 0.1, 40 steps, acting from a step on, aimed at the exit read",
    "noise": "random signs of size ε = 0.1 on the image, acting from a step on",
    "flips": "up to 20 spikes of the code flipped from a step on, greedily, aimed at the exit that is read",
}
#: ``(model, suite) -> records of all seeds``, or ``None`` where the suite was not run
Records = Callable[[str, str], list[dict[str, Any]] | None]


def zoo_records(name: str, suite: str) -> list[dict[str, Any]] | None:
    """Return the records of a model or control of the zoo at every seed; ``None`` where they are of another suite.

    ``cifar10/latency`` is a model of the CIFAR-10 zoo, read by its mean output current; ``cifar10/latency:ttfs`` by its first
    spike. They have one suite, ``"adaptive"``.

    Raises:
        ValueError: unknown model; a file that is missing or altered.
    """
    if name.startswith(CIFAR10):
        model, _, decoder = name.removeprefix(CIFAR10).partition(":")
        return cifar10.repeats(model, decoder=decoder or "current") if suite == "adaptive" else None
    if suite != zoo.evaluation_settings()["suite"]:
        return None
    return controls.repeats(name) if name in controls.names() else zoo.repeats(name)


def measure(claim: Claim, records: Records = zoo_records) -> dict[str, Any]:
    """Return what records say of a claim: its comparisons with intervals over seeds, and the verdict that follows.

    Args:
        claim: what is claimed.
        records: where measurements come from. The zoo's are of one suite for each data set; of a reader's own, which may be of
            any suite, the strongest is taken that both sides have.

    Raises:
        ValueError: a model or quantity that was not measured, fewer than two seeds.
    """
    found, used = [], {}
    suites = SUITES if records is zoo_records else (*reversed(ALL_SUITES), "adaptive")
    for comparison in claim.comparisons:
        told, own = _compared(comparison, records, suites)
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


def _compared(
    comparison: Comparison, records: Records, suites: Sequence[str]
) -> tuple[dict[str, Any], dict[str, list[dict[str, Any]]]]:
    """Return a comparison by the first suite that has all it needs for both sides, and the records that were read."""
    refused = ""
    for suite in suites:
        own = {model: records(model, suite) for model in comparison.models}
        there = {model: of_model for model, of_model in own.items() if of_model is not None}
        if len(there) < len(own):
            continue
        try:
            return _told(comparison, suite, there), there
        except ValueError as error:  # the suite has no such exit, ε or quantity
            refused = str(error)
    why = refused or f"no records of both by one of the suites {', '.join(suites)}"
    raise ValueError(f"{comparison.new.words} against {comparison.old.words}: {why}")


def _told(comparison: Comparison, suite: str, own: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    any_model = own[comparison.models[0]]
    sides, values = {}, []
    for side in ("new", "old"):
        quantity: Quantity = getattr(comparison, side)
        of_model = own.get(quantity.model, any_model)
        others = [{name: own[name][k] for name in quantity.parts} for k in range(len(of_model))]
        values.append([quantity.of(record, beside) for record, beside in zip(of_model, others, strict=True)])
        sides[side] = {"what": quantity.words, **_settings(quantity), **_interval(values[-1], quantity)}
    change = change_over_seeds(*values)
    return {
        **sides,
        "expect": comparison.expect,
        "margin": comparison.margin,
        **({"headline": True} if comparison.headline else {}),
        "change": {key: round(getattr(change, key), DIGITS) for key in ("mean", "low", "high")},
        "outcome": comparison.outcome(change),
        "suite": suite,
        "n": min(q.n(record) for q in (comparison.new, comparison.old) for name in q.models for record in own[name]),
        "seeds": change.seeds,
    }


def _settings(quantity: Quantity) -> dict[str, Any]:
    """What was read, as plain data, without what was left at its default."""
    default = Quantity("any") if quantity.model else Quantity(kind="value")
    return {key: value for key, value in asdict(quantity).items() if value != getattr(default, key)}


def _interval(values: Sequence[float], quantity: Quantity) -> dict[str, Any]:
    """Return values, their mean and its interval over seeds; ``times`` is in the values already, and accuracies end there."""
    if quantity.kind == "value":
        return {"mean": values[0]}
    low, high = mean_interval(values)
    if quantity.is_accuracy:
        low, high = max(0.0, low), min(quantity.times, high)
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
        of_model = [r for (model, _), records in used.items() if model in quantity.models for r in records]
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
            for sentence in (s for r in records if model in quantity.models for s in r["flags"].get(quantity.attack, [])):
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


def _found(measured: dict[str, Any]) -> dict[str, Any]:
    """Return what a measurement found, without provenance, the order of its comparisons, and which is the headline."""
    kept = {key: value for key, value in measured.items() if key not in (*PROVENANCE, "why")}
    comparisons = [{key: value for key, value in told.items() if key != "headline"} for told in measured["comparisons"]]
    return kept | {"comparisons": sorted(json.dumps(told, sort_keys=True) for told in comparisons)}


def reason_of(new: dict[str, Any], old: dict[str, Any]) -> str:
    """Return why a measurement took the place of another, as far as the two show it.

    >>> new = {"comparisons": [], "suites": ["standard"], "attacks": {"spike_train": "search"}}
    >>> reason_of(new, {**new, "attacks": {}})
    "measured again by the suite 'standard' with the spike-train attack, which breaks what the earlier suites left"
    """

    def asked(measured: dict[str, Any]) -> list[Any]:
        sides = [[c[side]["what"] for side in ("new", "old")] for c in measured["comparisons"]]
        return [[*names, c["expect"], c["margin"]] for names, c in zip(sides, measured["comparisons"], strict=True)]

    reasons = ["other comparisons decide the claim"] if asked(new) != asked(old) else []
    suites = " and ".join(repr(suite) for suite in new["suites"])
    added = [name for name in new["attacks"] if name not in old["attacks"]]
    if any(name.startswith(SPIKE_TRAIN) for name in added):
        reasons.append(
            f"measured again by the suite {suites} with the spike-train attack, which breaks what the earlier suites left"
        )
    elif new["attacks"] != old["attacks"]:
        reasons.append(f"measured again by the suite {suites} with other attacks")
    elif not reasons:
        reasons.append("measured again")
    return "; ".join(reasons)


def record_of(
    claim: Claim, measured: dict[str, Any], date: str, old: dict[str, Any] | None = None, reason: str = ""
) -> dict[str, Any]:
    """Return the record of a claim after a measurement: the old one, where nothing has changed.

    Args:
        claim: what was measured.
        measured: what ``measure`` gave.
        date: of today, as 2026-01-31.
        old: the record so far.
        reason: why an old measurement is superseded; default what the two measurements show (``reason_of``).
    """
    said: dict[str, Any] = {"id": claim.id, "statement": claim.statement, "source": claim.source, "where": claim.where}
    if claim.stated_before:
        said |= {"stated_before": True}
    superseded: list[dict[str, Any]] = list(old["superseded"]) if old else []
    if old and all(old["measured"].get(key) == value for key, value in measured.items()):
        date = old["measured"]["date"]
    elif old and _found(measured) != _found(old["measured"]):
        superseded.insert(0, {**old["measured"], "reason": reason or reason_of(measured, old["measured"])})
    return {**said, "limits": claim.limits, "measured": {**measured, "date": date}, "superseded": superseded}


def build(
    ids: Sequence[str] = (),
    folder: Path = LEDGER,
    *,
    records: Records = zoo_records,
    claims: Sequence[Claim] | None = None,
    today: str | None = None,
    reason: str = "",
) -> list[str]:
    """Measure claims, write their records, and return the ids of those that changed.

    A claim that cannot be measured does not stop the others; it is reported when these are written.

    Args:
        ids: claims to measure; default all.
        folder: where the records are.
        records: where measurements come from.
        claims: the definitions; default those of the zoo.
        today: date of a new measurement.
        reason: why measurements are superseded; default what old and new show.

    Raises:
        ValueError: unknown id; claims that rest on something that was not measured.
    """
    known = {claim.id: claim for claim in (definitions().values() if claims is None else claims)}
    today = today or dt.datetime.now(dt.UTC).date().isoformat()
    changed, refused = [], []
    for name in ids:
        if name not in known:
            raise ValueError(f"unknown claim {name!r}; choose one of {', '.join(known)}")
    for name in ids or known:
        try:
            measured = json.loads(json.dumps(measure(known[name], records)))
        except ValueError as error:
            refused.append(f"{name}: {error}")
            continue
        path = folder / f"{name}.json"
        before = path.read_text(encoding="utf8") if path.exists() else None
        old = json.loads(before) if before else None
        new = record_of(known[name], measured, today, old, reason)
        text = json.dumps(new, indent=1, ensure_ascii=False) + "\n"
        if text != before:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf8")
            changed.append(name)
    if refused:
        raise ValueError(f"{len(refused)} of {len(ids or known)} claims were not measured. " + "; ".join(refused))
    return changed


def ledger(folder: Path = LEDGER, ids: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the records of claims by id, in the order of the definitions; without ``ids``, of all that were measured.

    Raises:
        ValueError: unknown id; the record of a claim in ``ids`` that is missing.

    >>> ledger(ids=["offset-illusion"])["offset-illusion"]["measured"]["verdict"]
    'holds'
    """
    known = definitions()
    for name in ids:
        if name not in known:
            raise ValueError(f"unknown claim {name!r}; choose one of {', '.join(known)}")
    there = [name for name in ids or known if (folder / f"{name}.json").exists()]
    missing = [name for name in ids if name not in there]
    if missing:
        raise ValueError(f"not measured yet: {', '.join(missing)}; run 'snnlab claims build'")
    return {name: json.loads((folder / f"{name}.json").read_text(encoding="utf8")) for name in there}
