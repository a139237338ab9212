"""Suites: which attacks measure robustness, from cheap to costly.

============ ==========================================================================================================
suite        attacks
============ ==========================================================================================================
``quick``    noise (control), FGSM and PGD-10 as the field runs them and as an informed attacker does, transfer, SA-PGD-20
``standard`` beside these, on what still stands: PGD through every surrogate of an ensemble, SA-PGD-50 on three losses with
             restarts, a joint attack where there are several exits, and two searches without gradients
``full``     longer: five restarts, SA-PGD-200, APGD, 1,000 queries and more
============ ==========================================================================================================

Each suite holds the one before it, so its worst case can only be lower. The attacks that run on what *stands* come last: a
sample that is broken costs nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Literal

import torch
from torch import Tensor

from snnlab.attack import (
    ENSEMBLE,
    INFORMED,
    NAIVE,
    Attacker,
    AttackResult,
    Budget,
    attack,
    lattice_attack,
    sa_pgd,
)
from snnlab.encoding import Direct
from snnlab.exiting import ExitRule
from snnlab.network import Classifier

__all__ = ["QUICK", "SUITES", "SuiteAttack"]

Aim = Literal["exit", "last", "joint", "rules"]


@dataclass(frozen=True, repr=False)
class SuiteAttack:
    """One attack of a suite: its name in records, what it does in words, and its settings.

    Args:
        name: in records.
        description: in words.
        method: ``"noise"``, or a key of ``METHODS``.
        attacker: what its gradient is.
        steps: iterations, or queries.
        transfer: made on another model.
        standing: run only on samples that no earlier attack has broken; counts in the worst case alone.
        loss: a key of ``snnlab.attack.LOSSES``, of the methods that take one.
        restarts: of SA-PGD.
        aim: ``"exit"``: every exit that is measured, by itself; ``"last"``: the last of them alone; ``"joint"``: all of them
            with one image; ``"rules"``: each dynamic exit that is measured.
        probe: what it tells, beside the worst case: a ``"gradient_free"`` search, or whether ``"more_steps"`` help.
    """

    name: str
    description: str
    method: str
    attacker: Attacker
    steps: int = 10
    transfer: bool = False
    standing: bool = False
    loss: str = "margin"
    restarts: int = 1
    aim: Aim = "exit"
    probe: Literal["", "gradient_free", "more_steps"] = ""

    def __repr__(self) -> str:
        """All that decides its outcome. Results are known by this text, so what was added later shows where it is used."""
        shown = fields(self)[:7] + tuple(f for f in fields(self)[7:] if getattr(self, f.name) != f.default)
        return f"SuiteAttack({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in shown)})"

    @property
    def aims(self) -> bool:
        """Whether it is made anew for every exit."""
        return not self.transfer and self.method != "noise"

    @property
    def cost(self) -> int:
        """Passes over the samples, for the progress bar."""
        return self.steps * self.restarts if self.method not in ("noise", "fgsm") else 1

    def suits(self, classifier: Classifier, norm: str = "Linf") -> bool:
        """Whether it can be made: the lattice is that of a step code in L∞, and an ANN has one exit."""
        code = classifier.encoder
        if self.method == "lattice":
            return norm == "Linf" and code is not None and not code.stochastic and not isinstance(code, Direct)
        if self.method in ("apgd", "square") and norm not in ("Linf", "L2"):
            return False
        if self.method in ("mifgsm", "difgsm") and norm != "Linf":
            return False
        return self.aim in ("exit", "last") or code is not None

    def run(
        self,
        classifier: Classifier,
        images: Tensor,
        labels: Tensor,
        budget: Budget,
        generator: torch.Generator,
        rule: ExitRule | None = None,
    ) -> AttackResult:
        """Attack one batch at the classifier's exit, at all exits (``aim="joint"``) or at a dynamic exit (``rule``)."""
        return METHODS[self.method](self, classifier, images, labels, budget, generator, rule)


Method = Callable[[SuiteAttack, Classifier, Tensor, Tensor, Budget, torch.Generator, ExitRule | None], AttackResult]


def _plain(
    a: SuiteAttack, c: Classifier, x: Tensor, y: Tensor, b: Budget, g: torch.Generator, rule: ExitRule | None
) -> AttackResult:
    return attack(c, x, y, b, a.method, a.attacker, steps=a.steps, generator=g)


def _sa_pgd(
    a: SuiteAttack, c: Classifier, x: Tensor, y: Tensor, b: Budget, g: torch.Generator, rule: ExitRule | None
) -> AttackResult:
    aim: Literal["all"] | ExitRule | None = "all" if a.aim == "joint" else rule
    return sa_pgd(c, x, y, b, a.attacker, loss=a.loss, steps=a.steps, restarts=a.restarts, aim=aim, generator=g)


def _fixed_surrogate(
    a: SuiteAttack, c: Classifier, x: Tensor, y: Tensor, b: Budget, g: torch.Generator, rule: ExitRule | None
) -> AttackResult:
    return sa_pgd(c, x, y, b, a.attacker, loss=a.loss, steps=a.steps, adaptive_surrogate=False, generator=g)


def _lattice(
    a: SuiteAttack, c: Classifier, x: Tensor, y: Tensor, b: Budget, g: torch.Generator, rule: ExitRule | None
) -> AttackResult:
    return lattice_attack(c, x, y, b, queries=a.steps, generator=g)


METHODS: dict[str, Method] = {
    "noise": _plain,
    "fgsm": _plain,
    "pgd": _plain,
    "mifgsm": _plain,
    "difgsm": _plain,
    "apgd": _plain,
    "square": _plain,
    "sa_pgd": _sa_pgd,
    "fixed_surrogate": _fixed_surrogate,
    "lattice": _lattice,
}

#: the attacks of the shortest suite
QUICK: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", NAIVE),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", NAIVE),
    SuiteAttack("fgsm.informed", "FGSM, relaxed code (slope 10), arctan surrogate (2)", "fgsm", INFORMED),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", NAIVE, steps=20, transfer=True),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", NAIVE),
    SuiteAttack("pgd.informed", "PGD-10, relaxed code (slope 10), arctan surrogate (2)", "pgd", INFORMED),
    SuiteAttack(
        "sa_pgd",
        "SA-PGD-20 on the margin, relaxed code (slope 10), surrogate of adaptive sharpness, on what still stands",
        "sa_pgd",
        INFORMED,
        steps=20,
        standing=True,
    ),
)


def _searching(scale: int, restarts: int) -> tuple[SuiteAttack, ...]:
    """What a suite adds on the samples that stand, ``scale`` times as long."""
    steps, queries = 50 * scale, 300 * scale

    def standing(name: str, description: str, method: str, steps: int, **options: object) -> SuiteAttack:
        return SuiteAttack(name, description, method, INFORMED, steps, standing=True, **options)  # type: ignore[arg-type]

    return (
        standing("sa_pgd.cross_entropy", f"SA-PGD-{steps} on the cross-entropy", "sa_pgd", steps, loss="cross_entropy"),
        *(
            SuiteAttack(
                f"ensemble.{seen.name}",
                f"PGD-{10 * scale} with momentum on the margin, {seen.name} surrogate, relaxed code",
                "fixed_surrogate",
                seen,
                10 * scale,
                standing=True,
            )
            for seen in ENSEMBLE
        ),
        standing("sa_pgd.margin", f"SA-PGD-{steps} on the margin, {restarts} restarts", "sa_pgd", steps, restarts=restarts),
        standing("sa_pgd.dlr", f"SA-PGD-{steps} on the DLR loss", "sa_pgd", steps, loss="dlr"),
        standing("sa_pgd.joint", f"SA-PGD-{steps} on all exits jointly", "sa_pgd", steps, aim="joint"),
        standing("sa_pgd.rules", f"SA-PGD-{steps} on each dynamic exit", "sa_pgd", steps, aim="rules"),
        standing("lattice", f"search over the code's steps, {queries} queries", "lattice", queries, probe="gradient_free"),
        standing("square", f"Square, {queries} queries", "square", queries, probe="gradient_free"),
        standing("sa_pgd.longer", f"SA-PGD-{2 * steps} on the margin", "sa_pgd", 2 * steps, probe="more_steps"),
    )


_STANDARD = _searching(1, restarts=2)
_FULL = tuple(
    SuiteAttack(**{f.name: getattr(a, f.name) for f in fields(a)} | {"name": f"full.{a.name}"})
    for a in _searching(4, restarts=5)
)
_APGD = SuiteAttack("full.apgd", "APGD-100 on the cross-entropy", "apgd", INFORMED, 100, standing=True)

#: the suites by name
SUITES: dict[str, tuple[SuiteAttack, ...]] = {
    "quick": QUICK,
    "standard": QUICK + _STANDARD,
    "full": QUICK + _STANDARD + (_APGD, *_FULL),
}
