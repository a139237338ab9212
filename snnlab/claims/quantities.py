"""Quantities: what a claim reads off the record of one model at one seed.

================ ==================================================================================================
kind             value
================ ==================================================================================================
``accuracy``     fraction right under ``attack`` within ``eps``, read at ``exit``
``energy``       nJ a clean digit costs up to ``exit`` (``snnlab.networks.energy``)
``dynamic``      fraction right where every image leaves by ``rule``, on every image the suite made of it within ``eps``
``interpolated`` worst case of the fixed exits that read as many steps as ``rule`` does on clean digits, interpolated
``late``         fraction right where ``attack`` (noise, pgd, spike_train or flips) acts from ``from_step`` on, read at ``exit``
``retimed``      fraction right where spikes moved in time within ``budget``: by ``attack`` (worst, gradient or noise) at the last
                 exit, or in the worst case read at ``exit``
``silenced``     worst case with the part ``part`` of a fused code silenced
``gate``         the gate of ``part`` in a fused code
``coin``         clean accuracy of a random choice between the networks ``parts`` that is as robust within ``eps`` as ``model``
``value``        a number to compare with
================ ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from snnlab.attacks.time_budget import TimeBudget
from snnlab.data import DATASETS, describe
from snnlab.encoding import Fusion, encoder, first_active_step
from snnlab.statistics import Record
from snnlab.statistics.parts import place
from snnlab.zoo.registry import DATASET, dataset_of, recipe
from snnlab.zoo.retiming import retiming

__all__ = ["Quantity"]

Part = TypeVar("Part")


@dataclass(frozen=True)
class Quantity:
    """One number of one model (table in the module docstring).

    Args:
        model: its name in the zoo; empty for a ``value``.
        kind: a row of the table.
        attack: a name in the record's attack list.
        eps: radius, L∞ in pixel units.
        exit: exit step; ``None`` for the last, ``"window"`` for the last one before ε on black can act:
            ``first_active_step`` of the code, or ``floor((1-ε)T)``, that of ``latency``, where ε acts from the first step on.
        rule, threshold: of a dynamic exit.
        from_step: of a late perturbation.
        budget: on time, of kind ``retimed``, as ``"shift 2"``.
        part: of a fused code.
        parts: the two networks of a random choice.
        times: factor on the value.
        value: the number of kind ``value``.

    Raises:
        ValueError: an unknown kind or exit; a model or parts that the kind does not allow.

    >>> Quantity("onset", eps=0.1).words
    'onset: worst-case accuracy, ε = 0.1'
    """

    model: str = ""
    kind: str = "accuracy"
    attack: str = "worst"
    eps: float = 0.0
    exit: int | str | None = None
    rule: str = ""
    threshold: float | None = None
    from_step: int = 0
    budget: str = ""
    part: str = ""
    parts: tuple[str, ...] = ()
    times: float = 1.0
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown kind of quantity {self.kind!r}; choose one of {', '.join(KINDS)}")
        if (self.kind == "value") == bool(self.model):
            raise ValueError(f"a {self.kind!r} {'has no' if self.kind == 'value' else 'needs a'} model, got {self.model!r}")
        if isinstance(self.exit, str) and self.exit != "window":
            raise ValueError(f"exit must be a step, 'window' or left out, got {self.exit!r}")
        if (self.kind == "retimed") != bool(self.budget):
            raise ValueError(
                f"a budget on time belongs to kind 'retimed', and to no other, got {self.budget!r} for {self.kind!r}"
            )
        object.__setattr__(self, "parts", tuple(self.parts))
        if len(self.parts) != 2 * (self.kind == "coin"):
            got = f"kind {self.kind!r}, parts {self.parts}"
            raise ValueError(f"kind 'coin' needs two parts, every other kind none; got {got}")

    @property
    def models(self) -> list[str]:
        """The models whose records it needs."""
        return [name for name in (self.model, *self.parts) if name]

    @property
    def is_accuracy(self) -> bool:
        """Whether it is a fraction of correct answers, or such a fraction times a factor."""
        return self.kind not in ("energy", "gate", "value")

    @property
    def factor(self) -> float:
        """The factor on an accuracy that was measured; 0 for anything else."""
        return self.times if self.is_accuracy else 0.0

    def of(self, record: Record, others: Mapping[str, Record] | None = None) -> float:
        """Return the value in the record of ``model``; kind ``coin`` needs the records of its ``parts`` in ``others``.

        Raises:
            ValueError: something that was not measured.
        """
        return self.times * float(KINDS[self.kind](self, record, others or {}))

    @property
    def is_upper_end(self) -> bool:
        """Whether attacks find it from above only, so that another attack could lower it."""
        exact = self.kind in ("energy", "gate", "value") or (self.kind in ("accuracy", "dynamic") and not self.eps)
        return not exact and self.attack == "worst"

    def lower_end(self, record: Record, others: Mapping[str, Record] | None = None) -> float | None:
        """Return what no attack can lower it below; ``None`` where no bound is known. It is the value itself if that is exact."""
        if not self.is_upper_end:
            return self.of(record, others)
        count = record.proved(self.exit_step(record), self.eps) if self.kind == "accuracy" else None
        return None if count is None else self.times * count / record.n

    def n(self, record: Record) -> int:
        """Return the number of samples behind the value."""
        if self.kind == "retimed":
            return retiming(self.model)[0]["worst"].n
        part = {"late": record.late.get(self.attack), "silenced": record.ablation}.get(self.kind)
        return (part or record).n

    def exit_step(self, record: Record) -> int | None:
        """Return the exit as a number of steps, ``None`` for the last."""
        if self.exit == "window":
            return first_active_step(self.eps, record.num_steps, record.encoding) or first_active_step(
                self.eps, record.num_steps
            )
        assert not isinstance(self.exit, str)
        return self.exit

    @property
    def words(self) -> str:
        """The quantity in words."""
        if self.kind == "value":
            return f"{self.value:g}"
        data = DATASETS.get(dataset_of(self.model)[0]) or describe(DATASET)
        levels = f"{self.eps * data.eps_unit:g}" + (f"/{data.eps_unit}" if data.eps_unit > 1 else "")
        budget = f", {data.budget.format(levels)}" if self.eps else ""
        rule = self.rule.replace("_", " ") + ("" if self.threshold is None else f" ≥ {self.threshold:g}")
        under = "worst-case accuracy" if self.attack == "worst" else f"accuracy under {self.attack}"
        moved = "at random" if self.attack == "noise" else "in time"
        moved += f" ({TimeBudget(self.budget)})" if self.budget else ""
        said = {
            "accuracy": under + budget if self.eps else f"accuracy on clean {data.noun}s",
            "energy": f"energy of a clean {data.noun}, nJ",
            "dynamic": f"accuracy where every image leaves at {rule}{budget}",
            "interpolated": f"accuracy at fixed exits that read as many steps as {rule} does{budget}",
            "late": f"accuracy under {self.attack} that acts from step {self.from_step} on",
            "retimed": f"{under.removesuffix(' under noise')}, spikes moved {moved}",
            "silenced": f"worst-case accuracy without {self.part}{budget}",
            "gate": f"gate of {self.part}",
            "coin": f"clean accuracy of a random choice between {' and '.join(self.parts)} that is as robust{budget}",
        }[self.kind]
        where = {"window": ", last exit before ε on black acts", "None": ""}.get(str(self.exit), f", exit {self.exit}")
        factor = "" if self.times == 1 else f"{self.times:g} × "
        return f"{factor}{self.model}: {said}{where}"


Others = Mapping[str, Record]


def _energy(q: Quantity, record: Record, others: Others) -> float:
    spent = _measured(record.energy_pj, "energy")
    step = q.exit_step(record)
    return spent[-1 if step is None or len(spent) == 1 else step - 1] / 1000


def _dynamic(q: Quantity, record: Record, others: Others) -> float:
    dynamic = _measured(record.dynamic, "a dynamic exit")
    return dynamic.counts(q.eps)[dynamic.row(q.rule, q.threshold)] / record.n


def _interpolated(q: Quantity, record: Record, others: Others) -> float:
    dynamic, exits = _measured(record.dynamic, "a dynamic exit"), sorted(record.exits)
    step = dynamic.mean_exit[dynamic.row(q.rule, q.threshold)]
    return float(np.interp(step, exits, [record.accuracy("worst", e, q.eps) for e in exits]))


def _retimed(q: Quantity, record: Record, others: Others) -> float:
    of_seed = retiming(q.model)[place(recipe(q.model).evaluation["seeds"], record.seed, "the seed")]
    part = q.attack if q.exit is None else f"exit {q.exit}"
    place(list(of_seed), part, "the part")
    kind, _, limit = q.budget.partition(" ")
    return of_seed[part].accuracy(kind, float(limit)).mean


def _gate(q: Quantity, record: Record, others: Others) -> float:
    code = encoder(record.encoding)
    if not isinstance(code, Fusion):
        raise ValueError(f"only a fusion has gates, got {record.encoding}")
    return float(code.gate[place([part.title for part in code.parts], q.part, "part")])


def _coin(q: Quantity, record: Record, others: Others) -> float:
    """Return the best clean accuracy of a random choice; that of the more robust part where no choice is robust enough.

    One image has to fool both networks, so the mean of their worst cases is a lower bound.
    """
    robust = record.accuracy(q.attack, q.exit_step(record), q.eps)
    if missing := [name for name in q.parts if name not in others]:
        raise ValueError(f"a random choice needs the records of {' and '.join(missing)}")
    points = sorted((others[name].accuracy(q.attack, None, q.eps), others[name].accuracy()) for name in q.parts)
    (low, clean_of_low), (high, clean_of_high) = points
    if high <= robust:
        return clean_of_high if low < robust else max(clean_of_low, clean_of_high)
    share = max(0.0, (robust - low) / (high - low))  # the least share of the more robust network
    return max(clean_of_high, clean_of_low + share * (clean_of_high - clean_of_low))


def _measured(part: Part | None, what: str) -> Part:
    if part is None:
        raise ValueError(f"{what} was not measured; measure the model again with it, or name another quantity")
    return part


KINDS: dict[str, Callable[[Quantity, Record, Others], float]] = {
    "accuracy": lambda q, record, _: record.accuracy(q.attack, q.exit_step(record), q.eps),
    "energy": _energy,
    "dynamic": _dynamic,
    "interpolated": _interpolated,
    "late": lambda q, record, _: _measured(record.late.get(q.attack), f"late {q.attack}").accuracy(
        q.from_step, q.exit_step(record)
    ),
    "retimed": _retimed,
    "silenced": lambda q, record, _: _measured(record.ablation, "a silenced part").accuracy(q.part, q.eps),
    "gate": _gate,
    "coin": _coin,
    "value": lambda q, record, others: q.value,
}
