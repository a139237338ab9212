"""Suites: which attacks measure robustness, from cheap to costly.

============ ==========================================================================================================
suite        attacks
============ ==========================================================================================================
``quick``    noise (control), FGSM and PGD-10 as the field runs them and as an informed attacker does, transfer; then, on the
             survivors, the attack on the code's spike trains, PGD through steeper stand-ins for the code, SA-PGD-20
``standard`` beside these, on the survivors: longer attacks on the spike trains (restarts, every loss, every surrogate of an
             ensemble), the same losses and surrogates in image space, joint attacks where there are several exits, two
             searches without gradients, the longest search (200 steps, 8 restarts), and a check whether twice its length
             still breaks more
``full``     longer: five restarts, SA-PGD-200, APGD, 1,000 queries and more
============ ==========================================================================================================

Each suite holds the one before it, so its worst case can only be lower. A fourth, ``gradient_free``, asks for answers alone:
noise, transfer and Square. It takes the place of the others where no gradient reaches the image.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

from torch import Tensor

from snnlab.attacks import ENSEMBLE, INFORMED, NAIVE, Attack, Attacker, has_trains
from snnlab.attacks.registry import ATTACKS, find_attack
from snnlab.encoding import Encoder
from snnlab.networks.classifier import Classifier

__all__ = ["ENOUGH", "QUICK", "SAMPLE", "SUITES", "SuiteAttack"]

Aim = Literal["exit", "last", "joint", "rules"]

#: size of the sample that the convergence check and some of the attacks run on
SAMPLE = 100
#: share of the sample that must fall in the convergence check for the attacks not to have ended
ENOUGH = 0.01
PATIENCE = 3  # restarts in a row of the search among spike trains that break no sample, after which it ends


@dataclass(frozen=True, repr=False)
class SuiteAttack:
    """One attack of a suite: its name in records, its description, and its settings.

    Args:
        name: in records.
        description: in words.
        method: a registered attack by its name, an ``Attack``, or a function (``snnlab.attacks.register_attack``).
        attacker: what its gradient is.
        steps: iterations, or queries.
        transfer: made on another model.
        on_survivors: run only on samples that survived all earlier attacks; contributes to the worst case only.
        loss: a key of ``snnlab.attacks.LOSSES``, of the attacks that take one.
        restarts: of the attacks that have restarts.
        aim: ``"exit"``: every exit by itself; ``"last"``: the last alone; ``"joint"``: all exits with one image; ``"rules"``:
            each dynamic exit.
        probe: beside the worst case: a ``"gradient_free"`` search, or whether ``"more_steps"`` help.
        sample: number of samples it runs on, the first; 0: all. Attacks in image space run on all where the code has no trains.
        screen: of the spike-train attack.
        only_if: name of an attack that must break at least ``ENOUGH`` of its sample for this one to run.

    Raises:
        ValueError: an unknown attack, an aim that the attack does not support.
    """

    name: str
    description: str
    method: str | Attack | Callable[..., Tensor]
    attacker: Attacker = INFORMED
    steps: int = 10
    transfer: bool = False
    on_survivors: bool = False
    loss: str = "margin"
    restarts: int = 1
    aim: Aim = "exit"
    probe: Literal["", "gradient_free", "more_steps"] = ""
    sample: int = 0
    screen: int = 0
    only_if: str = ""

    def __post_init__(self) -> None:
        attack = self.attack  # raises where it is not registered
        if self.aim in ("joint", "rules") and not attack.aims_at_exits:
            raise ValueError(f"the attack {attack.name!r} aims at one exit: use aim='exit' or 'last', got {self.aim!r}")

    def __repr__(self) -> str:
        """Return the text that records of the zoo hash: fields under their first names, later ones if not default."""
        shown = fields(self)[:7] + tuple(f for f in fields(self)[7:] if getattr(self, f.name) != f.default)
        first_name = {"on_survivors": "standing"}
        return f"SuiteAttack({', '.join(f'{first_name.get(f.name, f.name)}={getattr(self, f.name)!r}' for f in shown)})"

    @property
    def attack(self) -> Attack:
        """Return the attack with these settings."""
        settings = {name: getattr(self, name) for name in ("steps", "loss", "restarts", "screen")}
        return find_attack(self.method).with_settings(**settings, patience=PATIENCE)

    @property
    def aims(self) -> bool:
        """Whether it is made anew for every exit."""
        return not self.transfer and not self.attack.control

    @property
    def white_box(self) -> bool:
        """Whether it follows the gradient of the network that it attacks."""
        return not self.transfer and self.attack.white_box

    def for_code(self, code: Encoder | None) -> SuiteAttack:
        """Return the attack as it runs on a code: on its sample, or on all samples."""
        if not self.sample:
            return self
        if not self.attack.on_trains and self.probe != "more_steps" and not has_trains(code):
            return replace(self, sample=0)
        return replace(self, description=f"{self.description}, first {self.sample} samples")

    def suits(self, classifier: Classifier, norm: str = "Linf") -> bool:
        """Return whether it can run on a classifier; the convergence check runs among spike trains where there are some."""
        if not self.attack.suits(classifier, norm):
            return False
        if self.probe == "more_steps" and not self.attack.on_trains and ATTACKS["spike_train"].suits(classifier, norm):
            return False
        if self.attacker.slope is not None:
            return norm == "Linf" and has_trains(classifier.encoder)
        return self.aim in ("exit", "last") or classifier.encoder is not None


def _on_survivors(name: str, description: str, method: str, steps: int, **options: Any) -> SuiteAttack:
    attacker = options.pop("attacker", INFORMED)
    return SuiteAttack(name, description, method, attacker, steps, on_survivors=True, **options)


#: slopes of the relaxed code that are steeper than the usual 10: narrower than a bin of eight steps
STEEP: tuple[Attacker, ...] = tuple(
    Attacker(f"steep-{slope}", "relaxed", float(slope), INFORMED.surrogate) for slope in (20, 40, 100)
)
TRAINS = "search among the spike trains"

#: the attacks of the shortest suite
QUICK: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", NAIVE),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", NAIVE),
    SuiteAttack("fgsm.informed", "FGSM, relaxed code (slope 10), arctan surrogate (2)", "fgsm", INFORMED),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", NAIVE, steps=20, transfer=True),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", NAIVE),
    SuiteAttack("pgd.informed", "PGD-10, relaxed code (slope 10), arctan surrogate (2)", "pgd", INFORMED),
    _on_survivors(
        "spike_train",
        f"{TRAINS} in reach, 40 steps on the cross-entropy, adaptive sharpness, on the survivors",
        "spike_train",
        40,
        loss="cross_entropy",
    ),
    *(
        _on_survivors(
            f"pgd.{steep.name}",
            f"PGD-10 with momentum on the margin, relaxed code (slope {steep.slope:g}), arctan surrogate (2), on the survivors",
            "fixed_surrogate",
            10,
            attacker=steep,
        )
        for steep in STEEP
    ),
    _on_survivors(
        "sa_pgd",
        "SA-PGD-20 on the margin, relaxed code (slope 10), surrogate of adaptive sharpness, on the survivors",
        "sa_pgd",
        20,
    ),
)


def _searching(scale: int, restarts: int) -> tuple[SuiteAttack, ...]:
    """Return the attacks that a suite adds on the survivors, ``scale`` times as long."""
    return (*_on_trains(scale, restarts), *_on_images(scale), *_probes(scale, restarts))


def _on_trains(scale: int, restarts: int) -> list[SuiteAttack]:
    """Return searches among the spike trains: restarts, every loss and surrogate, joint aims."""
    steps = 50 * scale

    def search(kind: str, words: str, steps: int, loss: str = "cross_entropy", **options: Any) -> SuiteAttack:
        words = f"{TRAINS}, {steps} steps {words}"
        return _on_survivors(f"spike_train.{kind}", words, "spike_train", steps, loss=loss, **options)

    def again(kind: str, words: str, restarts: int, screen: int, **options: Any) -> SuiteAttack:
        words = f"{words}, {restarts} restarts on the survivors nearest to an error"
        return search(kind, words, 2 * steps, restarts=restarts, screen=screen, **options)

    return [
        again("restarts", "on the cross-entropy", restarts, steps // 2),
        again("margin", "on the margin", restarts - 1, steps // 3, loss="margin", aim="last"),
        again("dlr", "on the DLR loss", restarts - 2, steps // 3, loss="dlr", aim="last"),
        *(
            search(a.name, f"on the cross-entropy, {a.name} surrogate", 20 * scale, attacker=a, aim="last", sample=SAMPLE)
            for a in ENSEMBLE
        ),
        search("joint", "on all exits jointly", steps, aim="joint", screen=steps // 3),
        search("rules", "on each dynamic exit", steps // 2, aim="rules", screen=steps // 5),
    ]


def _on_images(scale: int) -> list[SuiteAttack]:
    """Return the same losses and surrogates in image space; of a code with trains on a sample."""
    steps = 50 * scale

    def sa_pgd(kind: str, words: str, aim: Aim = "last", **options: Any) -> SuiteAttack:
        words = f"SA-PGD-{steps} {words}"
        return _on_survivors(f"sa_pgd.{kind}", words, "sa_pgd", steps, aim=aim, sample=SAMPLE, **options)

    def fixed(a: Attacker) -> SuiteAttack:
        words = f"PGD-{10 * scale} with momentum on the margin, {a.name} surrogate, relaxed code"
        options = {"attacker": a, "aim": "last", "sample": SAMPLE}
        return _on_survivors(f"ensemble.{a.name}", words, "fixed_surrogate", 10 * scale, **options)

    return [
        sa_pgd("cross_entropy", "on the cross-entropy", loss="cross_entropy"),
        *map(fixed, ENSEMBLE),
        sa_pgd("margin", "on the margin, 2 restarts", restarts=2),
        sa_pgd("dlr", "on the DLR loss", loss="dlr"),
        sa_pgd("joint", "on all exits jointly", aim="joint"),
        sa_pgd("rules", "on each dynamic exit", aim="rules"),
    ]


def _probes(scale: int, restarts: int) -> list[SuiteAttack]:
    """Return searches without gradients, the longest search, and one twice as long, four times if that helped."""
    steps, restarts, queries = 200 * scale, 2 * restarts, 300 * scale
    free = {"probe": "gradient_free", "aim": "last", "sample": SAMPLE}
    more = {"probe": "more_steps", "aim": "last", "sample": SAMPLE, "loss": "cross_entropy"}

    def longer(name: str, times: int, words: str, method: str, steps: int, restarts: int, screen: int = 0) -> SuiteAttack:
        words = f"{words}, {steps} steps on the cross-entropy, {restarts} restarts"
        only_if = f"{name}.2" if times > 2 else ""
        options = more | {"restarts": restarts, "screen": screen, "only_if": only_if}
        return _on_survivors(f"{name}.{times}", words, method, steps, **options)

    probes = [
        _on_survivors(
            "lattice", f"search over the code's steps without gradients, {queries} queries", "lattice", queries, **free
        ),
        _on_survivors("square", f"Square, {queries} queries", "square", queries, **free),
        _on_survivors(
            "spike_train.long",
            f"{TRAINS}, {steps} steps on the cross-entropy, {restarts} restarts on the survivors nearest to an error",
            "spike_train",
            steps,
            loss="cross_entropy",
            restarts=restarts,
            screen=steps // 4,
        ),
    ]
    for times in (2,) if scale == 1 else (2, 4):
        long = times * steps
        probes.append(longer("longer", times, TRAINS, "spike_train", long, times * restarts, screen=long // 4))
        probes.append(longer("sa_pgd.longer", times, "SA-PGD", "sa_pgd", long // 4, 2 * times))
    return probes


_STANDARD = QUICK + _searching(1, restarts=4)
_FULL = tuple(
    replace(a, name=f"full.{a.name}", only_if=f"full.{a.only_if}" if a.only_if else "") for a in _searching(4, restarts=8)
)
_APGD = _on_survivors("full.apgd", "APGD-100 on the cross-entropy", "apgd", 100)

_GRADIENT_FREE = (
    *(a for a in QUICK if not a.white_box and not a.on_survivors),
    SuiteAttack("square_search", "Square, 1000 queries", "square", steps=1000, probe="gradient_free"),
)

#: the suites by name
SUITES: dict[str, tuple[SuiteAttack, ...]] = {
    "gradient_free": _GRADIENT_FREE,
    "quick": QUICK,
    "standard": _STANDARD,
    "full": (*_STANDARD, _APGD, *_FULL),
}
