"""The suite "adaptive", for convolutional networks, and the suite of a recipe.

=========== =============================================================================================================
threat      attacks
=========== =============================================================================================================
transfer    made on the ANN twin of the same seed: FGSM, PGD-20, DI-FGSM-20, MI-FGSM-20 (the paper's setting)
naive       FGSM and PGD-10 on the model itself, straight-through code, the network's surrogate
adaptive    beside these, on the survivors: SA-PGD-50 with adaptive sharpness on three losses, with restarts; PGD through an
            ensemble of surrogates and slopes of the code; 300 queries without gradients; SA-PGD-100
=========== =============================================================================================================

The adaptive number is the per-sample worst case over all attacks on a network and decoding. A stochastic code is attacked through
several draws a gradient, and not queried.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

from snnlab.attacks import ENSEMBLE, INFORMED, NAIVE, Attacker
from snnlab.evaluation.suites import SUITES, SuiteAttack
from snnlab.zoo.events import EVENTS
from snnlab.zoo.registry import ModelRecipe

__all__ = ["ADAPTIVE", "settings_sha256", "suite_of"]

#: steps of a code on a grid of quarters are far apart: slopes that reach the nearest alone
SHARP = (replace(INFORMED, name="code-40", slope=40.0), replace(INFORMED, name="code-100", slope=100.0))
EOT = 3  # draws of a stochastic code a gradient; momentum averages over steps as well
NAIVE_EOT, INFORMED_EOT = replace(NAIVE, eot=EOT), replace(INFORMED, eot=EOT)


def _on_survivors(name: str, description: str, method: str, steps: int, **options: Any) -> SuiteAttack:
    return SuiteAttack(name, description, method, options.pop("attacker", INFORMED_EOT), steps, on_survivors=True, **options)


def _through(view: Attacker, aim: Literal["exit", "last"] = "last") -> SuiteAttack:
    """Return a short attack through another surrogate or slope."""
    description, attacker = f"PGD-10 with momentum on the margin through {view.name}", replace(view, eot=EOT)
    return _on_survivors(f"ensemble.{view.name}", description, "fixed_surrogate", 10, attacker=attacker, aim=aim)


ADAPTIVE: tuple[SuiteAttack, ...] = (
    SuiteAttack("noise", "random sign noise of size ε (control)", "noise", NAIVE_EOT),
    SuiteAttack("transfer.fgsm", "FGSM made on the ANN twin", "fgsm", NAIVE_EOT, transfer=True),
    SuiteAttack("transfer", "PGD-20 made on the ANN twin", "pgd", NAIVE_EOT, steps=20, transfer=True),
    SuiteAttack("transfer.mifgsm", "MI-FGSM-20 made on the ANN twin", "mifgsm", NAIVE_EOT, steps=20, transfer=True),
    SuiteAttack("transfer.difgsm", "DI-FGSM-20 made on the ANN twin", "difgsm", NAIVE_EOT, steps=20, transfer=True),
    SuiteAttack("fgsm.naive", "FGSM, straight-through code, the network's own surrogate", "fgsm", NAIVE_EOT),
    SuiteAttack("pgd.naive", "PGD-10, straight-through code, the network's own surrogate", "pgd", NAIVE_EOT),
    _on_survivors("sa_pgd", "SA-PGD-50 on the margin, relaxed code, surrogate of adaptive sharpness", "sa_pgd", 50),
    _on_survivors("sa_pgd.cross_entropy", "SA-PGD-50 on the cross-entropy", "sa_pgd", 50, loss="cross_entropy"),
    _through(ENSEMBLE[0], "exit"),
    *(_through(view) for view in (*ENSEMBLE[1:], *SHARP)),
    _on_survivors("sa_pgd.restarts", "SA-PGD-50 on the margin, 2 other starts", "sa_pgd", 50, restarts=2, aim="last"),
    _on_survivors("sa_pgd.dlr", "SA-PGD-50 on the DLR loss", "sa_pgd", 50, loss="dlr", aim="last"),
    _on_survivors("square", "Square, 300 queries", "square", 300, probe="gradient_free", aim="last"),
    _on_survivors("sa_pgd.longer", "SA-PGD-100 on the margin", "sa_pgd", 100, probe="more_steps", aim="last"),
)


def suite_of(recipe: ModelRecipe) -> Sequence[SuiteAttack]:
    """Return the attacks of a recipe's evaluation.

    Raises:
        ValueError: unknown suite.
    """
    name = recipe.evaluation["suite"]
    if name == "adaptive":  # a query to a stochastic code is answered by its draw as much as by the image
        return tuple(a for a in ADAPTIVE if not (recipe.stochastic and a.method == "square"))
    if name not in SUITES:
        raise ValueError(f"unknown suite {name!r}; choose one of {', '.join([*SUITES, 'adaptive'])}")
    return SUITES[name]


def settings_sha256(recipe: ModelRecipe) -> str:
    """Return a hash of what decides a record besides the weights: ε, seed, exits, rules, suite, source of transfer."""
    exits = recipe["exits"] if isinstance(recipe["exits"], list) else recipe.every_exit
    source = (recipe.source or recipe).sha256
    attacks = [EVENTS] if recipe.evaluation["suite"] == "events" else suite_of(recipe)
    described = [dict(recipe.evaluation), [repr(a) for a in attacks], exits, recipe["seed"], source]
    return hashlib.sha256(repr(described).encode()).hexdigest()
