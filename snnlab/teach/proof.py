"""Checks of the chapter *Proof*."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch

from snnlab import data, zoo
from snnlab.attacks import Budget, attack
from snnlab.encoding import encoder
from snnlab.evaluation.certificates import Certificate, certify
from snnlab.networks.classifier import Classifier
from snnlab.teach.exercises import Function, Hint, expect, tensor_of, whole

MODEL, EPS, DIGITS = "certified-onset", 0.2, 100


def _painted_code(answer: Any) -> None:
    """proof.1: the name of a painted code with which the certified network is proved better than with its own."""
    expect(isinstance(answer, str), "give the name of your code, as 'table(rows=00000000 … 01111111)'")
    expect(answer.startswith("table("), "paint the code: its name begins with 'table(rows='")
    network, digits = zoo.load(MODEL), data.load("mnist5k").validation[:DIGITS]
    try:
        code = encoder(answer, num_steps=network.num_steps)
    except ValueError as error:
        raise Hint(f"this is no code of {network.num_steps} steps: {error}") from None
    painted = Classifier(network.network, code, network.decoder)
    found = certify(painted, digits.images, digits.labels, Budget(EPS), exit_step=7)
    proved, before = int(found.proved.sum()), int(_certificate().proved.sum())
    expect(
        proved > before,
        f"proved are {proved} of {DIGITS} digits, with the network's own code {before} ({int(found.refuted.sum())} are misread, "
        f"{int(found.open.sum())} are open): which pixels does ε leave open, and can fewer rows change that?",
    )


@cache
def _certificate() -> Certificate:
    digits = data.load("mnist5k").validation[:DIGITS]
    return certify(zoo.load(MODEL), digits.images, digits.labels, Budget(EPS), exit_step=7)


def _open_digit(answer: Any) -> None:
    """proof.2: the number of a validation digit that is neither proved nor broken."""
    row, certificate = whole(answer, "the answer"), _certificate()
    expect(0 <= row < DIGITS, f"give the number of one of the first {DIGITS} validation digits, from 0 on")
    expect(not certificate.refuted[row], "this digit is misread without an attacker: it is broken")
    expect(not certificate.proved[row], "this digit is proved")
    digit = data.load("mnist5k").validation[row : row + 1]
    for method in ("sa_pgd", "spike_train"):
        generator = torch.Generator().manual_seed(0)
        victim = zoo.load(MODEL).at(exit_step=7)
        result = attack(victim, digit.images, digit.labels, Budget(EPS), method, generator=generator)
        expect(not bool(result.success), f"the attack {method!r} breaks this digit: it is not open")


def _lif_bound(answer: Function) -> None:
    """proof.3: a function ``after_reset(low, high, beta, theta)``: the range of ``βU - θ 1[U > θ]`` over ``low ≤ U ≤ high``."""
    beta, theta = 0.9, 1.0
    for ends in ((-1.0, 0.5), (1.2, 2.0), (0.2, 1.1), (0.9, 3.5), (-2.0, 1.5)):
        low, high = (float(tensor_of(end, (), "an end")) for end in _both(answer(*ends, beta, theta)))
        inside = torch.linspace(*ends, 20_001, dtype=torch.double)
        reached = beta * inside - theta * (inside > theta)
        where = f"for U from {ends[0]:g} to {ends[1]:g}"
        expect(low <= high, f"{where} the lower end is above the upper one")
        missing = low > float(reached.min()) + 1e-3 or high < float(reached.max()) - 1e-3
        expect(not missing, f"{where} some potentials leave your range: what do those do that just fire, and just do not?")
        wide = low < float(reached.min()) - 1e-2 or high > float(reached.max()) + 1e-2
        expect(not wide, f"{where} the range is true, but wider than needed: which potentials are reset at all?")


def _both(value: Any) -> tuple[Any, Any]:
    try:
        low, high = value
    except (TypeError, ValueError):
        raise Hint("return two values, the lower and the upper end") from None
    return low, high


CHECKS = {"proof.1": _painted_code, "proof.2": _open_digit, "proof.3": _lif_bound}
