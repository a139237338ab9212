"""Suites: which attacks measure robustness, from cheap to costly.

============ ==========================================================================================================
suite        attacks
============ ==========================================================================================================
``quick``    noise (control), FGSM and PGD-10 as the field runs them and as an informed attacker does, transfer; then, on the
             survivors, the attack on the code's spike trains, PGD through steeper stand-ins for the code, SA-PGD-20
``standard`` beside these, on the survivors: longer attacks on the spike trains (restarts, every loss, every surrogate of an
             ensemble), the same losses and surrogates in image space, joint attacks where there are several exits, two
             searches without gradients, and a check whether longer attacks still break more
``full``     longer: five restarts, SA-PGD-200, APGD, 1,000 queries and more
============ ==========================================================================================================

Each suite holds the one before it, so its worst case can only be lower, and every model meets all attacks that its code allows.
Attacks on the survivors come last: a sample that is broken costs nothing any more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
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
    has_trains,
    lattice_attack,
    sa_pgd,
    spike_train_attack,
)
from snnlab.encoding import Encoder
from snnlab.exiting import ExitRule
from snnlab.network import Classifier

__all__ = ["ENOUGH", "QUICK", "SAMPLE", "SUITES", "SuiteAttack"]

Aim = Literal["exit", "last", "joint", "rules"]

#: size of the sample that the convergence check and some of the attacks run on
SAMPLE = 100
#: share of the sample that must fall in the convergence check for the attacks not to have ended
ENOUGH = 0.01
PATIENCE = 3  # restarts in a row of the search among spike trains that break no sample, after which it ends


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
        standing: run only on the survivors, samples that no earlier attack has broken; counts in the worst case alone.
        loss: a key of ``snnlab.attack.LOSSES``, of the methods that take one.
        restarts: of SA-PGD and the spike-train attack.
        screen: of the spike-train attack.
        aim: ``"exit"``: every exit that is measured, by itself; ``"last"``: the last of them alone; ``"joint"``: all of them
            with one image; ``"rules"``: each dynamic exit that is measured.
        probe: what it tells, beside the worst case: a ``"gradient_free"`` search, or whether ``"more_steps"`` help.
        sample: run on the first so many samples alone; 0: on all. An attack in image space has a sample only where the code has
            trains to search among: of other codes it is the main attack, and runs on all.
        only_if: name of an attack that must have broken at least ``ENOUGH`` of its own sample, or this one is left out.
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
    sample: int = 0
    screen: int = 0
    only_if: str = ""

    def __repr__(self) -> str:
        """All that decides its outcome. Results are known by this text, so what was added later shows where it is used."""
        shown = fields(self)[:7] + tuple(f for f in fields(self)[7:] if getattr(self, f.name) != f.default)
        return f"SuiteAttack({', '.join(f'{f.name}={getattr(self, f.name)!r}' for f in shown)})"

    @property
    def aims(self) -> bool:
        """Whether it is made anew for every exit."""
        return not self.transfer and self.method != "noise"

    @property
    def steep(self) -> bool:
        """Whether it looks through a steeper stand-in for the code than usual, which needs a code of steps."""
        return self.attacker.slope is not None

    @property
    def cost(self) -> int:
        """Passes over the samples, for the progress bar."""
        return self.steps * self.restarts if self.method not in ("noise", "fgsm") else 1

    def for_code(self, code: Encoder | None) -> SuiteAttack:
        """The attack as it is run on a code: on its sample, or on all samples (see ``sample``)."""
        if not self.sample:
            return self
        in_images = self.method in ("sa_pgd", "fixed_surrogate", "square") and self.probe != "more_steps"
        if in_images and not has_trains(code):
            return replace(self, sample=0)
        return replace(self, description=f"{self.description}, first {self.sample} samples")

    def suits(self, classifier: Classifier, norm: str = "Linf") -> bool:
        """Whether it can be made: the lattice is that of a step code in L∞, and an ANN has one exit. The convergence check is
        made with the strongest attack alone.
        """
        code = classifier.encoder
        searched = norm == "Linf" and has_trains(code) and classifier.levels is None
        if self.probe == "more_steps" and self.method == "sa_pgd" and searched:
            return False
        if self.method == "spike_train":
            return searched
        if self.method == "lattice" or self.steep:
            return norm == "Linf" and has_trains(code) and not (self.method == "lattice" and classifier.stochastic)
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


def _spike_train(
    a: SuiteAttack, c: Classifier, x: Tensor, y: Tensor, b: Budget, g: torch.Generator, rule: ExitRule | None
) -> AttackResult:
    aim: Literal["all"] | ExitRule | None = "all" if a.aim == "joint" else rule
    surrogate = a.attacker.surrogate if a.attacker in ENSEMBLE else None
    return spike_train_attack(
        c,
        x,
        y,
        b,
        loss=a.loss,
        steps=a.steps,
        restarts=a.restarts,
        screen=a.screen,
        patience=PATIENCE,
        surrogate=surrogate,
        aim=aim,
        generator=g,
    )


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
    "spike_train": _spike_train,
}

#: slopes of the relaxed code that are steeper than the usual 10: narrower than a bin of eight steps
STEEP: tuple[Attacker, ...] = tuple(
    Attacker(f"steep-{slope}", "relaxed", float(slope), INFORMED.surrogate) for slope in (20, 40, 100)
)

#: the attacks of the shortest suite
QUICK: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", NAIVE),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", NAIVE),
    SuiteAttack("fgsm.informed", "FGSM, relaxed code (slope 10), arctan surrogate (2)", "fgsm", INFORMED),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", NAIVE, steps=20, transfer=True),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", NAIVE),
    SuiteAttack("pgd.informed", "PGD-10, relaxed code (slope 10), arctan surrogate (2)", "pgd", INFORMED),
    SuiteAttack(
        "spike_train",
        "search among the spike trains in reach, 40 steps on the cross-entropy, adaptive sharpness, on the survivors",
        "spike_train",
        INFORMED,
        steps=40,
        standing=True,
        loss="cross_entropy",
    ),
    *(
        SuiteAttack(
            f"pgd.{steep.name}",
            f"PGD-10 with momentum on the margin, relaxed code (slope {steep.slope:g}), arctan surrogate (2), on the survivors",
            "fixed_surrogate",
            steep,
            standing=True,
        )
        for steep in STEEP
    ),
    SuiteAttack(
        "sa_pgd",
        "SA-PGD-20 on the margin, relaxed code (slope 10), surrogate of adaptive sharpness, on the survivors",
        "sa_pgd",
        INFORMED,
        steps=20,
        standing=True,
    ),
)


def _on_survivors(name: str, description: str, method: str, steps: int, **options: object) -> SuiteAttack:
    seen = options.pop("attacker", INFORMED)
    return SuiteAttack(name, description, method, seen, steps, standing=True, **options)  # type: ignore[arg-type]


def _searching(scale: int, restarts: int) -> tuple[SuiteAttack, ...]:
    """What a suite adds on the survivors, ``scale`` times as long."""
    return (*_on_trains(scale, restarts), *_on_images(scale, restarts), *_probes(scale, restarts))


def _on_trains(scale: int, restarts: int) -> tuple[SuiteAttack, ...]:
    """Searches among the spike trains of a step code: restarts, every loss, every surrogate, joint aims."""
    steps, trains = 50 * scale, "search among the spike trains"

    def search(kind: str, words: str, steps: int, **options: object) -> SuiteAttack:
        return _on_survivors(f"spike_train.{kind}", f"{trains}, {steps} steps {words}", "spike_train", steps, **options)

    entropy = {"loss": "cross_entropy"}
    near = "on the survivors nearest to an error"
    return (
        search(
            "restarts",
            f"on the cross-entropy, {restarts} restarts {near}",
            2 * steps,
            restarts=restarts,
            screen=steps // 2,
            **entropy,
        ),
        *(
            search(
                kind,
                f"{words}, {times} restarts {near}",
                2 * steps,
                loss=kind,
                restarts=times,
                screen=steps // 3,
                aim="last",
            )
            for kind, words, times in (("margin", "on the margin", restarts - 1), ("dlr", "on the DLR loss", restarts - 2))
        ),
        *(
            search(
                a.name,
                f"on the cross-entropy, {a.name} surrogate",
                20 * scale,
                attacker=a,
                aim="last",
                sample=SAMPLE,
                **entropy,
            )
            for a in ENSEMBLE
        ),
        search("joint", "on all exits jointly", steps, aim="joint", screen=steps // 3, **entropy),
        search("rules", "on each dynamic exit", steps // 2, aim="rules", screen=steps // 5, **entropy),
    )


def _on_images(scale: int, restarts: int) -> tuple[SuiteAttack, ...]:
    """The same losses and surrogates in image space; of a code with trains, whose search is stronger, on a sample."""
    steps = 50 * scale

    def sa_pgd_on(kind: str, words: str, **options: object) -> SuiteAttack:
        return _on_survivors(f"sa_pgd.{kind}", f"SA-PGD-{steps} {words}", "sa_pgd", steps, **options)

    return (
        sa_pgd_on("cross_entropy", "on the cross-entropy", loss="cross_entropy", aim="last", sample=SAMPLE),
        *(
            _on_survivors(
                f"ensemble.{seen.name}",
                f"PGD-{10 * scale} with momentum on the margin, {seen.name} surrogate, relaxed code",
                "fixed_surrogate",
                10 * scale,
                attacker=seen,
                aim="last",
                sample=SAMPLE,
            )
            for seen in ENSEMBLE
        ),
        sa_pgd_on("margin", "on the margin, 2 restarts", restarts=2, aim="last", sample=SAMPLE),
        sa_pgd_on("dlr", "on the DLR loss", loss="dlr", aim="last", sample=SAMPLE),
        sa_pgd_on("joint", "on all exits jointly", aim="joint", sample=SAMPLE),
        sa_pgd_on("rules", "on each dynamic exit", aim="rules", sample=SAMPLE),
    )


def _probes(scale: int, restarts: int) -> tuple[SuiteAttack, ...]:
    """Searches without gradients, and the convergence check: twice the steps and restarts of the longest search."""
    steps, queries = 100 * scale, 300 * scale
    options = {"probe": "gradient_free", "aim": "last", "sample": SAMPLE}
    return (
        _on_survivors(
            "lattice", f"search over the code's steps without gradients, {queries} queries", "lattice", queries, **options
        ),
        _on_survivors("square", f"Square, {queries} queries", "square", queries, **options),
        *(
            check
            for times in ((2,) if scale == 1 else (2, 4))
            for check in (
                _check("longer", times, "search among the spike trains", "spike_train", times * steps, times * restarts),
                _check("sa_pgd.longer", times, "SA-PGD", "sa_pgd", times * steps // 2, 2 * times),
            )
        ),
    )


def _check(name: str, times: int, words: str, method: str, steps: int, restarts: int) -> SuiteAttack:
    """The strongest attack that a code allows, ``times`` as long as before; four times if twice still breaks more."""
    return _on_survivors(
        f"{name}.{times}",
        f"{words}, {steps} steps on the cross-entropy, {restarts} restarts",
        method,
        steps,
        restarts=restarts,
        screen=steps // 4 if method == "spike_train" else 0,
        probe="more_steps",
        aim="last",
        loss="cross_entropy",
        sample=SAMPLE,
        only_if=f"{name}.2" if times > 2 else "",
    )


_STANDARD = _searching(1, restarts=4)
_FULL = tuple(
    replace(a, name=f"full.{a.name}", only_if=f"full.{a.only_if}" if a.only_if else "") for a in _searching(4, restarts=8)
)
_APGD = SuiteAttack("full.apgd", "APGD-100 on the cross-entropy", "apgd", INFORMED, 100, standing=True)

#: the suites by name
SUITES: dict[str, tuple[SuiteAttack, ...]] = {
    "quick": QUICK,
    "standard": QUICK + _STANDARD,
    "full": QUICK + _STANDARD + (_APGD, *_FULL),
}
