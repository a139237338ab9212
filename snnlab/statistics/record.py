"""The record of an evaluation: counts of correct answers with all that qualifies them, as the zoo's files hold it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Self

from snnlab.files import write_json
from snnlab.statistics.intervals import wilson_interval
from snnlab.statistics.parts import Ablation, DynamicExits, LateAccuracy, place

__all__ = ["Counts", "Record"]

#: ``[exit][ε]`` by attack
Counts = dict[str, list[list[int]]]
#: fields that have another name in files
IN_FILE = {"survivors": "left", "stored_accuracy": "accuracy"}
#: of a record with several decodings, what belongs to each of them
PROVENANCE = ("model", "dataset", "split", "seed", "weights_sha256", "data_sha256", "versions")


@dataclass(frozen=True, kw_only=True)
class Record:
    """Counts of one network at one seed; ``load`` reads and ``save`` writes the file.

    Args:
        about: what was evaluated, in words; ``"model"``, ``"data"`` and what else a reader must know.
        model, dataset, split, seed, encoding: what was evaluated, of the zoo; the encoding of an ANN is ``"none"``.
        n: samples.
        eps, norm: radii, rising from 0, in pixel units of the norm.
        num_steps, exits: ``T``, 1 for an ANN; exit steps of the rows.
        correct, silent: counts ``[exit][ε]`` by attack, ``"worst"`` among them.
        zero_gradient, moved: diagnostics by attack, ``[ε]``.
        survivors: how many survive each attack on the survivors, in the order of the suite.
        energy_pj: mean of the clean samples at every exit ``1 … T``, where it can be counted.
        dynamic: counts of exit rules.
        suite: its name, or ``"custom"``.
        attacks, probes, samples: by attack, a description; what it shows beside the worst case; its samples, if not all.
        notes: flags of the network itself.
        diagnostics: accuracy at a huge ε, and chance.
        flags: by attack, what qualifies its numbers at the last exit; never dropped.
        late, ablation: counts under late perturbations, by kind; with each part of a fused code silenced.
        stored_accuracy: of the stored weights on the validation and test split.
        recipe_sha256, weights_sha256, data_sha256, settings_sha256, versions: provenance.
        training_seconds: how long training took.
        code, rule, loss, title: how the zoo calls the network, for figures.
        decodings: where the network was read by several decoders, the record of each.
        proofs: the record of what is proved of the same network, with counts ``correct["proved"]``; not in the file.
        other: further provenance, as it is in the file.
        keys: of the file that it was read from, in order.

    >>> record = Record(n=9, num_steps=8, exits=[4, 8], eps=[0.0, 0.1], correct={"pgd": [[7, 5], [8, 6]]})
    >>> record.count("pgd", None, 0.1), record.count("pgd", 4, 0.0)
    (6, 7)
    """

    about: dict[str, str] = field(default_factory=dict)
    model: str = ""
    dataset: str = ""
    split: str = ""
    seed: int | None = None
    n: int
    eps: list[float] = field(default_factory=list)
    num_steps: int = 1
    exits: list[int] = field(default_factory=list)
    correct: Counts = field(default_factory=dict)
    silent: Counts = field(default_factory=dict)
    zero_gradient: dict[str, list[float]] = field(default_factory=dict)
    moved: dict[str, list[float]] = field(default_factory=dict)
    survivors: Counts = field(default_factory=dict)
    energy_pj: list[float] | None = None
    dynamic: DynamicExits | None = None
    norm: str = "Linf"
    suite: str = ""
    attacks: dict[str, str] = field(default_factory=dict)
    probes: dict[str, str] = field(default_factory=dict)
    samples: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    diagnostics: dict[str, float] = field(default_factory=dict)
    flags: dict[str, list[str]] = field(default_factory=dict)
    late: dict[str, LateAccuracy] = field(default_factory=dict)
    ablation: Ablation | None = None
    stored_accuracy: dict[str, float] = field(default_factory=dict)
    encoding: str = ""
    recipe_sha256: str = ""
    weights_sha256: str = ""
    data_sha256: str = ""
    settings_sha256: str = ""
    training_seconds: float | None = None
    versions: dict[str, str] = field(default_factory=dict)
    code: str = ""
    rule: str = ""
    loss: str = ""
    title: str = ""
    decodings: Mapping[str, Self] = field(default_factory=dict)
    proofs: Record | None = field(default=None, repr=False, compare=False)
    other: dict[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = field(default=(), repr=False, compare=False)

    @property
    def norm_title(self) -> str:
        """Return the norm as text, ``L∞`` for ``Linf``."""
        return self.norm.replace("inf", "∞")

    @property
    def chance(self) -> float | None:
        """Return the accuracy of guessing; ``None`` if it was not measured."""
        return self.diagnostics.get("chance")

    def count(self, attack: str = "worst", exit_step: int | None = None, eps: float = 0.0) -> int:
        """Return the number of correct answers under an attack.

        Args:
            attack: a key of ``correct``.
            exit_step: steps that are read; ``None``: all. An ANN answers alike at every exit.
            eps: one of ``eps``.

        Raises:
            ValueError: an attack, exit or ε that was not measured.
        """
        if attack not in self.correct:
            raise ValueError(f"{attack!r} was not measured; choose one of {', '.join(self.correct)}")
        row = -1 if exit_step is None or self.num_steps == 1 else place(self.exits, exit_step, "exit")
        return self.correct[attack][row][place(self.eps, eps, "ε =")]

    def accuracy(self, attack: str = "worst", exit_step: int | None = None, eps: float = 0.0) -> float:
        """Return ``count`` as a fraction of ``n``."""
        return self.count(attack, exit_step, eps) / self.n

    def interval(self, attack: str = "worst", exit_step: int | None = None, eps: float = 0.0) -> tuple[float, float]:
        """Return the 95 % Wilson interval of ``accuracy``."""
        return wilson_interval(self.count(attack, exit_step, eps), self.n)

    def proved(self, exit_step: int | None = None, eps: float = 0.0) -> int | None:
        """Return the number of samples that no attacker inside ε can have misclassified; ``None`` where no bound is known.

        Args:
            exit_step: steps that are read; ``None``: as many as the last of ``exits``.
            eps: in pixel units of the norm.

        >>> proofs = Record(n=9, num_steps=8, exits=[4, 8], eps=[0.0, 0.1], correct={"proved": [[7, 2], [8, 3]]})
        >>> record = Record(n=9, num_steps=8, exits=[8], eps=[0.0, 0.1], correct={"worst": [[8, 6]]}, proofs=proofs)
        >>> record.proved(None, 0.1), record.proved(4, 0.1), record.proved(None, 0.2)
        (3, 2, None)
        """
        known, step = self.proofs, exit_step or (self.exits[-1] if self.exits else None)
        if known is None or known.n != self.n or eps not in known.eps:
            return None
        if known.num_steps > 1 and step is not None and step not in known.exits:
            return None
        return known.count("proved", step, eps)

    def checked(self) -> Self:
        """Return the record itself, if its counts are complete and consistent.

        Raises:
            ValueError: no worst case or ε from 0; counts that are not ``[exit][ε]`` from 0 to n, or below the worst case.
        """
        n, eps, exits, worst = self.n, self.eps, self.exits, self.correct.get("worst")
        if n < 1 or not eps or eps[0] != 0 or any(b <= a for a, b in pairwise(eps)):
            raise ValueError(f"expected at least one image and ε rising from 0, got n = {n} and ε = {eps}")
        if worst is None:
            raise ValueError(f"there is no worst case among {', '.join(self.correct) or 'no attacks'}")
        for name, counts in {"worst": worst, **self.survivors, **self.correct}.items():
            flat = [count for row in counts for count in row]
            if [len(row) for row in counts] != [len(eps)] * len(exits) or not all(0 <= count <= n for count in flat):
                raise ValueError(f"the counts of {name!r} are not {len(exits)} exits × {len(eps)} ε, at most {n} each")
            if any(w > count for w, count in zip((w for row in worst for w in row), flat, strict=True)):
                raise ValueError(f"the worst case lies above {name!r}, which is one of its attacks")
        return self

    def read_by(self, decoder: str) -> Self:
        """Return the record of one of the ``decodings``, with the provenance of all."""
        return replace(self.decodings[decoder], **{name: getattr(self, name) for name in PROVENANCE})

    def plain(self) -> dict[str, Any]:
        """Return the content of the file: what was read from it, and what differs from a field's default."""
        values = {IN_FILE.get(f.name, f.name): getattr(self, f.name) for f in _in_file(type(self))}
        for part in (name for name in ("dynamic", "ablation") if values[name] is not None):
            values[part] = asdict(values[part])
        values["late"] = {kind: late.plain() for kind, late in self.late.items()}
        values |= {name: record.plain() for name, record in self.decodings.items()} | self.other
        # A file that was read, or that holds decodings alone, need not state these two.
        left_out = {"num_steps": 1, "norm": "Linf"} if self.keys or self.decodings else {}
        set_here = (key for key, value in values.items() if value not in (None, {}, [], "", left_out.get(key)))
        return {key: values[key] for key in dict.fromkeys((*self.keys, *set_here))}

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Self:
        """Return the record whose file has this content."""
        names = {IN_FILE.get(f.name, f.name): f.name for f in _in_file(cls)}
        values = {names[key]: value for key, value in content.items() if key in names}
        other = {key: value for key, value in content.items() if key not in names}
        decodings = {key: cls.of(v) for key, v in other.items() if isinstance(v, Mapping) and "correct" in v}
        if "dynamic" in values:
            values["dynamic"] = DynamicExits(**values["dynamic"])
        if "ablation" in values:
            values["ablation"] = Ablation(**values["ablation"])
        values["late"] = {kind: LateAccuracy.of(late) for kind, late in values.get("late", {}).items()}
        other = {key: value for key, value in other.items() if key not in decodings}
        return cls(**values, decodings=decodings, other=other, keys=tuple(content))

    def save(self, path: str | Path) -> None:
        """Write the record as JSON."""
        write_json(Path(path), self.plain())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Return the record that is in a file.

        Raises:
            ValueError: a file that is missing or is not a record.
        """
        try:
            return cls.of(json.loads(Path(path).read_text(encoding="utf8")))
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise ValueError(f"cannot read a record from {str(path)!r}: {error}") from None


def _in_file(cls: type[Record]) -> list[Any]:
    """Return the fields that files have."""
    return [f for f in fields(cls) if f.compare and f.name not in ("decodings", "other")]
