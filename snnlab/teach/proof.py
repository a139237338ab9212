"""Checks of the chapter *Proof*."""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import Budget, attack
from snnlab.encoding import encoder
from snnlab.evaluation.certificates import Certificate, certify
from snnlab.networks.bounds import Range, code_bounds
from snnlab.teach.exercises import Function, Hint, expect, tensor_of, whole

MODEL, EPS, DIGITS = "certified-onset", 0.2, 100


def _range_of_a_code(answer: Function) -> None:
    """proof.1: a function ``code_range(code, x, eps)``: a code and intensities ``[P]`` to two trains ``[T, P]``."""
    pixels = torch.tensor([0.0, 0.05, 0.33, 0.51, 0.97, 1.0])
    for name, eps in (("onset", 0.1), ("latency", 0.2), ("offset", 0.04), ("negative(onset)", 0.1)):
        code = encoder(name)
        low, high = _pair(answer(code, pixels.clone(), eps), (code.num_steps, len(pixels)))
        ends = Range((pixels - eps).clamp(min=0), (pixels + eps).clamp(max=1))
        exact = code_bounds(code, Range(*(end.view(1, 1, 1, -1) for end in ends))).values.map(lambda s: s.flatten(1))
        surely_off = torch.equal(torch.minimum(low, high), high) and not torch.equal(low, high)
        expect(not surely_off, "the first train must not lie above the second: return what fires surely, then what can fire")
        alone = code(pixels.view(1, 1, 1, -1)).flatten(1)
        expect(
            not (torch.equal(low, alone) and torch.equal(high, alone)),
            "these are the spikes of the image without an attacker",
        )
        missing = bool((low > exact.low + 1e-6).any() or (high < exact.high - 1e-6).any())
        expect(
            not missing, f"an intensity inside ε gives {name!r} a spike that your range excludes: look between both ends too"
        )
        expect(
            torch.allclose(low, exact.low) and torch.allclose(high, exact.high),
            f"for {name!r} the range is wider than needed",
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


def _pair(value: Any, shape: tuple[int, int]) -> tuple[Tensor, Tensor]:
    low, high = _both(value)
    return tensor_of(low, shape, "the lower end").float(), tensor_of(high, shape, "the upper end").float()


CHECKS = {"proof.1": _range_of_a_code, "proof.2": _open_digit, "proof.3": _lif_bound}
