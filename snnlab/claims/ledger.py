"""The ledger: one record a claim, measured from the zoo's records.

Both sides of a comparison were attacked by the same suite. A record whose finding has not changed stays byte for byte; otherwise
``superseded`` names the verdict, outcomes, date, reason and SHA-256 of the old measurement, which git has.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean
from typing import Any

from snnlab import zoo
from snnlab.claims.definitions import OUTCOMES, Claim, Comparison, definitions, verdict
from snnlab.claims.quantities import Quantity
from snnlab.evaluation.flags import kind_of
from snnlab.evaluation.suites import SUITES as ALL_SUITES
from snnlab.files import atomic_write
from snnlab.statistics import Change, Record, chance_of, change_over_seeds, estimate, mean_interval
from snnlab.zoo.retiming import ATTACK as RETIMING_ATTACK

__all__ = ["LEDGER", "build", "ledger", "measure", "record_of"]

#: folder of the records
LEDGER = Path(__file__).parents[1] / "zoo" / "claims"
SUITES: tuple[str, ...] = tuple(dict.fromkeys(str(zoo.evaluation_settings(name)["suite"]) for name in zoo.datasets()))
DIGITS = 4
#: parts of a measurement that may differ although the finding is the same
PROVENANCE = ("date", "versions", "hashes")
LATE = {
    "pgd": "PGD-10 on the image within ε = 0.1, informed, acting from a step on, aimed at the exit that is read",
    "spike_train": "search among the spike trains within ε = 0.1, 40 steps, acting from a step on, aimed at the exit read",
    "noise": "random signs of size ε = 0.1 on the image, acting from a step on",
    "flips": "up to 20 spikes of the code flipped from a step on, greedily, aimed at the exit that is read",
}
#: ``(model, suite) -> records of all seeds``, or ``None`` where the suite was not run
Records = Callable[[str, str], Sequence[Record] | None]
#: the records that were read, by model and suite
Used = dict[tuple[str, str], Sequence[Record]]


def zoo_records(name: str, suite: str) -> Sequence[Record] | None:
    """Return the records of a model of the zoo at every seed; ``None`` where they are of another suite.

    ``cifar10/latency:ttfs`` is ``cifar10/latency`` read by the decoder ``ttfs``.
    """
    model, _, decoder = name.partition(":")
    if suite != zoo.recipe(model).evaluation["suite"]:
        return None
    return zoo.repeats(model, decoder=decoder or None)


def measure(claim: Claim, records: Records = zoo_records) -> dict[str, Any]:
    """Return the comparisons of a claim with their intervals, and the verdict that follows.

    Args:
        claim: what is claimed.
        records: where measurements come from; of several suites, the strongest that both sides have is read.

    Raises:
        ValueError: a model or quantity that was not measured, fewer than two seeds.
    """
    rows: list[dict[str, Any]] = []
    used: Used = {}
    suites = SUITES if records is zoo_records else tuple(dict.fromkeys([*reversed(ALL_SUITES), *SUITES]))
    for comparison in claim.comparisons:
        row, by_model = _compared(comparison, records, suites)
        rows.append(row)
        used |= {(model, row["suite"]): of_model for model, of_model in by_model.items()}
    every = [record for of_model in used.values() for record in of_model]
    packages = sorted({package for record in every for package in record.versions})
    return {
        "verdict": verdict([row["outcome"] for row in rows], all(row.get("proved") for row in rows)),
        "why": _why(rows),
        "comparisons": rows,
        "n": sorted({row["n"] for row in rows}),
        "seeds": sorted({record.seed for record in every if record.seed is not None}),
        "suites": sorted({row["suite"] for row in rows}),
        "dataset": sorted({f"{record.dataset}, {record.split} split" for record in every}),
        "attacks": _attacks(claim, used),
        "flags": _flags(claim, used),
        "versions": {name: ", ".join(sorted({r.versions[name] for r in every if name in r.versions})) for name in packages},
        "hashes": {
            f"{model} ({suite})": [
                {key: sha[:16] for key in ("weights", "settings", "data") if (sha := getattr(record, f"{key}_sha256"))}
                for record in of_model
            ]
            for (model, suite), of_model in sorted(used.items())
        },
    }


def _compared(
    comparison: Comparison, records: Records, suites: Sequence[str]
) -> tuple[dict[str, Any], dict[str, Sequence[Record]]]:
    """Return a comparison by the first suite that has all it needs for both sides, and the records that were read."""
    why = f"no records of both by one of the suites {', '.join(suites)}"
    for suite in suites:
        by_model = {model: of_model for model in comparison.models if (of_model := records(model, suite)) is not None}
        if len(by_model) == len(comparison.models):
            try:
                return _row(comparison, suite, by_model), by_model
            except ValueError as error:  # the suite has no such exit, ε or quantity
                why = str(error)
    raise ValueError(f"{comparison.new.words} against {comparison.old.words}: {why}")


def _row(comparison: Comparison, suite: str, by_model: dict[str, Sequence[Record]]) -> dict[str, Any]:
    sides, values, lower = {}, [], []
    for side, quantity in (("new", comparison.new), ("old", comparison.old)):
        of_model = by_model[quantity.model or comparison.models[0]]
        others = [{name: by_model[name][k] for name in quantity.parts} for k in range(len(of_model))]
        values.append([quantity.of(record, beside) for record, beside in zip(of_model, others, strict=True)])
        ends = [quantity.lower_end(record, beside) for record, beside in zip(of_model, others, strict=True)]
        lower.append([end for end in ends if end is not None])
        known = round(fmean(lower[-1]), DIGITS) if len(lower[-1]) == len(ends) else None
        bracket = {"proved": known} if quantity.is_upper_end else {}
        size = min((quantity.n(record) for record in of_model), default=1)
        sides[side] = {"what": quantity.words, **_settings(quantity), **_interval(values[-1], quantity, size), **bracket}
    pair = (comparison.new, comparison.old)
    n = min(q.n(record) for q in pair for name in q.models for record in by_model[name])
    accuracies = any(q.is_accuracy for q in pair)
    factors = (pair[0].factor, pair[1].factor)
    change = change_over_seeds(values[0], values[1], n if accuracies else None, times=factors, nested=_nested(*pair))
    formed = _factor_can_be_formed(comparison, values[1], by_model)
    return {
        **sides,
        "expect": comparison.expect,
        "margin": comparison.margin,
        **({"headline": True} if comparison.headline else {}),
        "change": {key: round(getattr(change, key), DIGITS) for key in ("mean", "low", "high")},
        "outcome": comparison.outcome(change) if formed else OUTCOMES[1],
        **({} if formed else {"no_factor": True}),
        **({"proved": True} if formed and _proved(comparison, values, lower, n if accuracies else None) else {}),
        "suite": suite,
        "n": n,
        "seeds": change.seeds,
    }


def _proved(
    comparison: Comparison, values: Sequence[Sequence[float]], lower: Sequence[Sequence[float]], n: int | None
) -> bool:
    """Return whether a comparison of robust accuracies is as claimed for every attack."""
    if not (comparison.new.is_upper_end or comparison.old.is_upper_end):
        return False
    (new, old), (new_low, old_low) = values, lower
    times = (comparison.new.factor, comparison.old.factor)
    lowest = change_over_seeds(new_low, old, n, times=times) if len(new_low) == len(old) else None
    highest = change_over_seeds(new, old_low, n, times=times) if len(old_low) == len(new) else None
    return comparison.proved(lowest, highest)


def _nested(new: Quantity, old: Quantity) -> bool:
    """Return whether one side is right on no sample that the other is wrong on: one network, before and after an attack.

    An attack counts at every larger ε too, and the worst case is right only where every attack is.
    """
    if {new.kind, old.kind} != {"accuracy"} or (new.model, new.exit, 1, 1) != (old.model, old.exit, new.times, old.times):
        return False
    harder = {(new.attack, new.eps): (old.attack, old.eps), (old.attack, old.eps): (new.attack, new.eps)}
    return any(eps >= other_eps and attack in (other, "worst") for (attack, eps), (other, other_eps) in harder.items())


def _factor_can_be_formed(comparison: Comparison, old: Sequence[float], by_model: Mapping[str, Sequence[Record]]) -> bool:
    """Return whether one accuracy can be compared with so many times another: that other one beats guessing.

    A multiple of an accuracy that guessing reaches as well says nothing.
    """
    rival, times = comparison.old, comparison.old.times
    if times <= 1 or rival.kind != "accuracy" or not rival.eps:
        return True
    n, chance = by_model[rival.model][0].n, chance_of(by_model[rival.model]) or 0.0
    return estimate([value / times * n for value in old], n).low > chance


def _settings(quantity: Quantity) -> dict[str, Any]:
    """Return the fields of a quantity that differ from their defaults."""
    default = Quantity("any") if quantity.model else Quantity(kind="value")
    return {key: value for key, value in asdict(quantity).items() if value != getattr(default, key)}


def _interval(values: Sequence[float], quantity: Quantity, n: int) -> dict[str, Any]:
    """Return values, their mean and its interval: over seeds, of an accuracy over samples where that is wider."""
    if quantity.kind == "value":
        return {"mean": values[0]}
    low, high = mean_interval(values)
    if quantity.is_accuracy:
        of_share = estimate([value / quantity.times * n for value in values], n)
        low, high = quantity.times * of_share.low, quantity.times * of_share.high
    rounded = [round(v, DIGITS) for v in values]
    return {"values": rounded, "mean": round(fmean(values), DIGITS), "low": round(low, DIGITS), "high": round(high, DIGITS)}


def _why(rows: Sequence[dict[str, Any]]) -> str:
    """Say how many comparisons are as claimed, and which are not."""
    claimed = sum(row["outcome"] == OUTCOMES[0] for row in rows)
    sentence = f"Of {len(rows)} comparison{'s' * (len(rows) > 1)} {claimed} as claimed"
    for outcome in OUTCOMES[1:]:
        cases = [
            f"{t['new']['what']}, against {t['old']['what']} ({Change(**t['change'], seeds=t['seeds'])}, "
            f"expected {t['expect']}{f' by {t_margin:g}' if (t_margin := t['margin']) else ''})"
            for t in rows
            if t["outcome"] == outcome
        ]
        if cases:
            sentence += f"; {outcome}: {'; '.join(cases)}"
    return f"{sentence}."


def _attacks(claim: Claim, used: Used) -> dict[str, str]:
    """Return the attacks that the quantities rest on, by name, in words."""
    attacks: dict[str, str] = {}
    for quantity in _quantities(claim):
        of_model = [r for (model, _), records in used.items() if model in quantity.models for r in records]
        if quantity.kind == "late":
            attacks[f"late.{quantity.attack}"] = LATE[quantity.attack]
        elif quantity.kind == "silenced":
            attacks |= of_model[0].ablation.attacks if of_model[0].ablation else {}
        elif quantity.kind == "retimed":
            attacks["retiming"] = RETIMING_ATTACK
        elif quantity.kind in ("energy", "gate") or (quantity.kind == "accuracy" and not quantity.eps):
            attacks.setdefault("none", "clean digits, no attack")
        else:
            whole = {name: text for record in of_model for name, text in record.attacks.items()}
            attacks |= whole if quantity.attack == "worst" else {quantity.attack: whole[quantity.attack]}
    return attacks


def _flags(claim: Claim, used: Used) -> dict[str, list[str]]:
    """Return the flags of the attacks that were read, by model; of each kind the first seed's."""
    flags: dict[str, dict[tuple[str, str], str]] = {}
    for q in (q for q in _quantities(claim) if q.kind not in ("energy", "gate", "late", "retimed")):
        for model, record in ((model, r) for (model, _), records in used.items() if model in q.models for r in records):
            for sentence in record.flags.get(q.attack, []):
                if (kind := kind_of(sentence).name) != "single_seed":
                    flags.setdefault(model, {}).setdefault((q.attack, kind), f"{q.attack}: {sentence}")
    return {model: list(sentences.values()) for model, sentences in sorted(flags.items())}


def _quantities(claim: Claim) -> list[Quantity]:
    return [q for comparison in claim.comparisons for q in (comparison.new, comparison.old) if q.model]


def _finding(measured: dict[str, Any]) -> dict[str, Any]:
    """Return a measurement without provenance, the order of its comparisons, which is the headline, and lower ends."""
    compared = {key: value for key, value in measured.items() if key not in (*PROVENANCE, "why")}

    def plain(part: dict[str, Any]) -> dict[str, Any]:
        kept = {key: value for key, value in part.items() if key not in ("headline", "proved")}
        return {key: plain(value) if isinstance(value, dict) else value for key, value in kept.items()}

    comparisons = [plain(row) for row in measured["comparisons"]]
    return compared | {"comparisons": sorted(json.dumps(row, sort_keys=True) for row in comparisons)}


def record_of(
    claim: Claim,
    measured: dict[str, Any],
    date: str,
    old: dict[str, Any] | None = None,
    reason: str = "measured again",
) -> dict[str, Any]:
    """Return the record of a claim after a measurement: the old one, where nothing has changed.

    Args:
        claim: what was measured.
        measured: result of ``measure``.
        date: of today, as 2026-01-31.
        old: the record so far.
        reason: why an old measurement is superseded.
    """
    said = {key: getattr(claim, key) for key in ("id", "statement", "source", "where")}
    if claim.stated_before:
        said["stated_before"] = True
    superseded: list[dict[str, Any]] = list(old["superseded"]) if old else []
    if old and all(old["measured"].get(key) == value for key, value in measured.items()):
        date = old["measured"]["date"]
    elif old and _finding(measured) != _finding(old["measured"]):
        superseded.insert(0, summarised(old["measured"], reason))
    return {**said, "limits": claim.limits, "measured": {**measured, "date": date}, "superseded": superseded}


def summarised(measured: dict[str, Any], reason: str) -> dict[str, Any]:
    """Return a superseded measurement in short."""
    outcomes = [row["outcome"] for row in measured["comparisons"]]
    return {
        "verdict": measured["verdict"],
        "outcomes": {outcome: outcomes.count(outcome) for outcome in OUTCOMES},
        "date": measured["date"],
        "sha256": hashlib.sha256(json.dumps(measured, sort_keys=True).encode()).hexdigest(),
        "reason": reason,
    }


def build(
    ids: Sequence[str] = (),
    folder: Path = LEDGER,
    *,
    records: Records = zoo_records,
    claims: Sequence[Claim] | None = None,
    today: str | None = None,
    reason: str = "measured again",
) -> list[str]:
    """Measure claims, write their records, and return the ids of those that changed.

    Args:
        ids: claims to measure; default all.
        folder: where the records are.
        records: where measurements come from.
        claims: the definitions; default those of the zoo.
        today: date of a new measurement.
        reason: why measurements are superseded.

    Raises:
        ValueError: unknown id; claims that cannot be measured, after the others are written.
    """
    known = {claim.id: claim for claim in (definitions().values() if claims is None else claims)}
    _check_known(ids, known)
    today = today or dt.datetime.now(dt.UTC).date().isoformat()
    changed, refused = [], []
    for name in ids or known:
        try:
            measured = json.loads(json.dumps(measure(known[name], records)))
        except ValueError as error:
            refused.append(f"{name}: {error}")
            continue
        path = folder / f"{name}.json"
        before = path.read_text(encoding="utf8") if path.exists() else ""
        new = record_of(known[name], measured, today, json.loads(before or "null"), reason)
        text = json.dumps(new, indent=1, ensure_ascii=False) + "\n"
        if text != before:
            atomic_write(path, text)
            changed.append(name)
    if refused:
        raise ValueError(f"{len(refused)} of {len(ids or known)} claims were not measured. " + "; ".join(refused))
    return changed


def ledger(folder: Path = LEDGER, ids: Sequence[str] = ()) -> dict[str, dict[str, Any]]:
    """Return the records of claims by id, in the order of the definitions; without ``ids``, of all that were measured.

    A record by a suite that the zoo no longer uses counts as not measured: its numbers cannot stand beside the others.

    Raises:
        ValueError: an id that is unknown or not measured.

    >>> ledger(ids=["offset-illusion"])["offset-illusion"]["measured"]["verdict"]
    'holds'
    """
    known = definitions()
    _check_known(ids, known)
    paths = {name: folder / f"{name}.json" for name in ids or known}
    records = {name: json.loads(path.read_text(encoding="utf8")) for name, path in paths.items() if path.exists()}
    measured = {name: record for name, record in records.items() if set(record["measured"]["suites"]) <= {*SUITES}}
    if missing := [name for name in ids if name not in measured]:
        raise ValueError(f"not measured yet: {', '.join(missing)}; run 'snnlab claims build'")
    return measured


def _check_known(ids: Sequence[str], known: Iterable[str]) -> None:
    if unknown := [name for name in ids if name not in known]:
        raise ValueError(f"unknown claim {unknown[0]!r}; choose one of {', '.join(known)}")
