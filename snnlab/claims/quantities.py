"""Quantities: what a claim reads off the record of one model at one seed.

A quantity names a model, what is read (``kind``) and under which attack, ε and exit. ``Quantity.of(record)`` gives its value,
and ``Quantity.words`` says it in words, so that what stands in the ledger cannot drift from what was computed.

=============== ==================================================================================================
kind            value
=============== ==================================================================================================
``accuracy``    fraction right under ``attack`` within ``eps``, read at ``exit``
``energy``      nJ a clean digit costs up to ``exit`` (``snnlab.energy``)
``dynamic``     fraction right where every image leaves by ``rule``, on every image the suite made of it within ``eps``
``interpolated`` worst case of the fixed exits that read as many steps as ``rule`` does on clean digits, interpolated
``late``        fraction right where ``attack`` (noise, pgd, spike_train or flips) acts from ``from_step`` on, read at ``exit``
``silenced``    worst case with the part ``part`` of a fused code silenced
``gate``        the gate of ``part`` in a fused code
``coin``        clean accuracy of a random choice between the two networks ``parts`` that is as robust within ``eps`` as ``model``
``value``       a number to compare with
=============== ==================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from snnlab.encoding import Fusion, encoder, first_active_step
from snnlab.records import accuracy_of

__all__ = ["Quantity"]

Record = Mapping[str, Any]


@dataclass(frozen=True)
class Quantity:
    """One number of one model (table in the module docstring).

    Args:
        model: its name in the zoo; empty for a ``value``.
        kind: a row of the table.
        attack: a name in the record's attack list.
        eps: radius, L∞ in pixel units.
        exit: exit step; ``None`` for the last, ``"window"`` for ``floor((1-ε)T)``, the last one before ε on black can act.
        rule, threshold: of a dynamic exit.
        from_step: first step a late perturbation may act in.
        part: of a fused code.
        parts: the two networks of a random choice.
        times: factor on the value.
        value: the number of kind ``value``.
    """

    model: str = ""
    kind: str = "accuracy"
    attack: str = "worst"
    eps: float = 0.0
    exit: int | str | None = None
    rule: str = ""
    threshold: float | None = None
    from_step: int = 0
    part: str = ""
    parts: tuple[str, ...] = ()
    times: float = 1.0
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in (*KINDS, "coin"):
            raise ValueError(f"unknown kind of quantity {self.kind!r}; choose one of {', '.join((*KINDS, 'coin'))}")
        if (self.kind == "value") == bool(self.model):
            raise ValueError(f"a {self.kind!r} {'has no' if self.kind == 'value' else 'needs a'} model, got {self.model!r}")
        if isinstance(self.exit, str) and self.exit != "window":
            raise ValueError(f"exit must be a step, 'window' or left out, got {self.exit!r}")
        object.__setattr__(self, "parts", tuple(self.parts))
        if len(self.parts) != 2 * (self.kind == "coin"):
            raise ValueError(
                f"kind 'coin' needs two parts, every other kind none; got kind {self.kind!r}, parts {self.parts}"
            )

    @property
    def models(self) -> list[str]:
        """The models whose records it needs."""
        return [name for name in (self.model, *self.parts) if name]

    @property
    def is_accuracy(self) -> bool:
        """Whether it is a fraction of correct answers, or such a fraction times a factor."""
        return self.kind not in ("energy", "gate", "value")

    def of(self, record: Record, others: Mapping[str, Record] | None = None) -> float:
        """Return the value in a record.

        Args:
            record: of ``model``.
            others: of the same seed by model name; kind ``coin`` needs those of its ``parts``.

        Raises:
            ValueError: something that was not measured.
        """
        value = _coin(self, record, others or {}) if self.kind == "coin" else KINDS[self.kind](self, record)
        return self.times * value

    def n(self, record: Record) -> int:
        """Samples behind the value."""
        inside = {"late": lambda: record["late"][self.attack], "silenced": lambda: record["ablation"]}
        return int(inside.get(self.kind, lambda: record)()["n"])

    def exit_step(self, record: Record) -> int | None:
        """The exit as a number of steps, ``None`` for the last."""
        if self.exit == "window":
            return first_active_step(self.eps, int(record["num_steps"]))
        assert not isinstance(self.exit, str)
        return self.exit

    @property
    def words(self) -> str:
        """The quantity in words.

        >>> Quantity("onset", eps=0.1).words
        'onset: worst-case accuracy, ε = 0.1'
        """
        if self.kind == "value":
            return f"{self.value:g}"
        where = {"window": "exit floor((1-ε)T)", "None": ""}.get(str(self.exit), f"exit {self.exit}")
        factor = "" if self.times == 1 else f"{self.times:g} × "
        return f"{factor}{self.model}: {', '.join(part for part in (self._head(), where) if part)}"

    def _head(self) -> str:
        of_pictures = self.model.startswith("cifar10/")  # where ε is told in grey levels
        budget = f", ε = {f'{self.eps * 255:g}/255' if of_pictures else f'{self.eps:g}'}" if self.eps else ""
        rule = f"{self.rule.replace('_', ' ')}" + ("" if self.threshold is None else f" ≥ {self.threshold:g}")
        if self.kind == "coin":
            return f"clean accuracy of a random choice between {' and '.join(self.parts)} that is as robust{budget}"
        if self.kind == "accuracy":
            if not self.eps:
                return f"accuracy on clean {'pictures' if of_pictures else 'digits'}"
            return ("worst-case accuracy" if self.attack == "worst" else f"accuracy under {self.attack}") + budget
        late = f"accuracy under {self.attack} that acts from step {self.from_step} on"
        return {
            "energy": f"energy of a clean {'picture' if of_pictures else 'digit'}, nJ",
            "dynamic": f"accuracy where every image leaves at {rule}{budget}",
            "interpolated": f"accuracy at fixed exits that read as many steps as {rule} does{budget}",
            "late": late,
            "silenced": f"worst-case accuracy without {self.part}{budget}",
            "gate": f"gate of {self.part}",
        }[self.kind]


def _accuracy(q: Quantity, record: Record) -> float:
    return accuracy_of(record, q.attack, q.exit_step(record), q.eps)


def _energy(q: Quantity, record: Record) -> float:
    spent = _measured(record, "energy_pj", "energy")
    step = q.exit_step(record)
    return float(spent[-1 if step is None or len(spent) == 1 else step - 1]) / 1000


def _rule(q: Quantity, record: Record) -> tuple[Record, int]:
    found = _measured(record, "dynamic", "a dynamic exit")
    wanted = {"name": q.rule, "threshold": q.threshold}
    if wanted not in found["rules"]:
        raise ValueError(f"the exit rule {wanted} was not measured; choose one of {found['rules']}")
    return found, found["rules"].index(wanted)


def _dynamic(q: Quantity, record: Record) -> float:
    found, k = _rule(q, record)
    return float(_measured(found["correct"], f"{q.eps:g}", f"ε = {q.eps:g}")[k] / record["n"])


def _interpolated(q: Quantity, record: Record) -> float:
    found, k = _rule(q, record)
    at: dict[int, float] = {e: accuracy_of(record, "worst", e, q.eps) for e in record["exits"]}
    wanted = min(max(float(found["mean_exit"][k]), min(at)), max(at))
    for a, b in pairwise(sorted(at)):
        if a <= wanted <= b:
            return at[a] + (at[b] - at[a]) * (wanted - a) / (b - a)
    return at[max(at)]  # a single exit


def _late(q: Quantity, record: Record) -> float:
    found = _measured(_measured(record, "late", "a late perturbation"), q.attack, f"late {q.attack}")
    row = _place(found["from_steps"], q.from_step, "first step")
    step = q.exit_step(record) or max(found["exits"])
    return float(found["correct"][row][_place(found["exits"], step, "exit")] / found["n"])


def _silenced(q: Quantity, record: Record) -> float:
    found = _measured(record, "ablation", "a silenced part")
    row = _place(found["silenced"], q.part, "part")
    return float(found["correct"][row][_place(found["eps"], q.eps, "ε")] / found["n"])


def _gate(q: Quantity, record: Record) -> float:
    code = encoder(record["encoding"])
    if not isinstance(code, Fusion):
        raise ValueError(f"only a fusion has gates, got {record['encoding']}")
    return float(code.gate[_place([part.title for part in code.parts], q.part, "part")])


def _value(q: Quantity, record: Record) -> float:
    return q.value


def _coin(q: Quantity, record: Record, others: Mapping[str, Record]) -> float:
    """Return the best clean accuracy of a random choice; that of the more robust part where no choice is robust enough.

    An attacker who does not know the choice has to fool both networks by one image, so the mean of their worst cases is a
    lower bound.
    """
    robust = accuracy_of(record, q.attack, q.exit_step(record), q.eps)
    missing = [name for name in q.parts if name not in others]
    if missing:
        raise ValueError(f"a random choice needs the records of {' and '.join(missing)}")
    points = sorted((accuracy_of(others[name], q.attack, None, q.eps), accuracy_of(others[name])) for name in q.parts)
    (low, clean_of_low), (high, clean_of_high) = points
    if low >= robust:
        return max(clean_of_low, clean_of_high)
    if high <= robust:
        return clean_of_high
    share = (robust - low) / (high - low)  # the least share of the more robust network
    return max(clean_of_high, clean_of_low + share * (clean_of_high - clean_of_low))


def _measured(found: Mapping[str, Any], key: str, what: str) -> Any:
    if key not in found:
        raise ValueError(f"{what} was not measured; there is {', '.join(found)}")
    return found[key]


def _place(values: list[Any], value: Any, what: str) -> int:
    if value not in values:
        raise ValueError(f"{what} {value!r} was not measured; choose one of {values}")
    return values.index(value)


KINDS: dict[str, Callable[[Quantity, Record], float]] = {
    "accuracy": _accuracy,
    "energy": _energy,
    "dynamic": _dynamic,
    "interpolated": _interpolated,
    "late": _late,
    "silenced": _silenced,
    "gate": _gate,
    "value": _value,
}
