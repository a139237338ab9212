"""Checks of the chapter *Encoding*."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from snnlab.encoding import encoder
from snnlab.teach.exercises import Function, expect, expect_keys, tensor_of, whole


def _first_steps(answer: Any) -> None:
    """encoding.1: ``{code: step}`` of the first spike that ε = 0.2 makes on a black pixel, T = 10."""
    codes = ("onset", "offset", "latency")
    expect_keys(answer, codes, "a step")
    for code in codes:
        first = int(encoder(code, num_steps=10)(torch.full((1, 1, 1, 1), 0.2)).flatten().argmax())
        step = whole(answer[code], f"the step of {code}")
        side = "late" if step > first else "early"
        hint = f"your step for {code} is too {side}; write out s_t for t = 0, 1, … and count from 0"
        expect(step == first, hint)


def _dark_first(answer: Function) -> None:
    """encoding.2: a function ``dark_first(x, T)`` for a latency code in which *dark* pixels fire first."""
    spikes = answer(torch.tensor([0.0, 0.1, 0.3, 0.55, 0.9, 1.0]), 8)
    spikes = tensor_of(spikes, (8, 6), "for six pixels and T = 8 the result").float()  # booleans are spikes as well
    expect(((spikes == 0) | (spikes == 1)).all(), "spikes should be 0 or 1")
    expect(not spikes[:, 5].any(), "white (x = 1) takes the part that black has in latency: it should never fire")
    expect((spikes[:, :5].sum(0) == 1).all(), "every pixel below 1 should fire exactly once")
    right = torch.equal(spikes[:, :5].argmax(0), torch.tensor([0, 0, 2, 4, 7]))
    expect(right, "each pixel fires once, but not at floor(x T)")
    coarse = tensor_of(answer(torch.tensor([0.0, 0.3, 0.6, 0.9]), 4), (4, 4), "for four pixels and T = 4 the result").float()
    expect(torch.equal(coarse, torch.eye(4)), "right for T = 8, but not for T = 4: use the T that is given")


def _binarised(answer: Function) -> None:
    """encoding.3: a function from images to images that are 1 where x ≥ 0.5, with a gradient an attacker can use."""
    x = torch.tensor([[0.0, 0.2, 0.49, 0.5, 0.51, 0.8, 1.0]], requires_grad=True)
    y = tensor_of(answer(x), x.shape)

    def differs(expected: Tensor) -> bool:
        return not torch.allclose(y.detach().to(x.dtype), expected.float(), atol=1e-5)

    expect(differs(x > 0.5), "x = 0.5 should become 1: the text asks for x ≥ 0.5, not x > 0.5")
    expect(not differs(x >= 0.5), "in the forward pass the result should be exactly 1 where x ≥ 0.5 and 0 elsewhere")
    expect(y.requires_grad, "the result has no gradient: an attacker would be blind, and you would be fooled")
    (gradient,) = torch.autograd.grad(y.sum(), x)
    hint = "some pixels have gradient zero: that is how a blind attacker is made, replace the step in the backward pass"
    expect((gradient > 0).all(), hint)


CHECKS = {"encoding.1": _first_steps, "encoding.2": _dark_first, "encoding.3": _binarised}
