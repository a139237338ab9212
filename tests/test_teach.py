"""Self-checks accept right answers, reject wrong ones, and never give the answer away."""

import pytest
import torch
from torch import Tensor

from snnlab.teach import CHECKS, check


def _dark_first(x: Tensor, num_steps: int) -> Tensor:
    t = torch.arange(num_steps).view(-1, 1)
    return (t == torch.floor(x * num_steps)).float()


def _binarise(x: Tensor) -> Tensor:
    soft = torch.sigmoid(10 * (x - 0.5))
    return (x >= 0.5).float() + soft - soft.detach()


RIGHT = {
    "encoding.1": {"onset": 9, "offset": 0, "latency": 8},
    "encoding.2": _dark_first,
    "encoding.3": _binarise,
}
WRONG = [
    ("encoding.1", {"onset": 8, "offset": 0, "latency": 8}),
    ("encoding.1", {"onset": 9, "offset": 0, "latency": 9}),
    ("encoding.1", {"onset": 9, "offset": 0}),
    ("encoding.1", 3),
    ("encoding.2", 5),
    ("encoding.2", lambda x, num_steps: x),
    ("encoding.2", lambda x, num_steps: _dark_first(1 - x, num_steps)),
    ("encoding.2", lambda x, num_steps: _dark_first(x.clamp(max=0.99), num_steps)),
    ("encoding.2", lambda x, num_steps: x / 0),
    ("encoding.3", lambda x: (x >= 0.5).float()),
    ("encoding.3", lambda x: x),
    ("encoding.3", lambda x: (x >= 0.5) * x / x.detach().clamp(min=1e-3)),
]


@pytest.mark.parametrize("name", list(CHECKS))
def test_right_answers_pass(name: str) -> None:
    assert check(name, RIGHT[name]).passed


@pytest.mark.parametrize(("name", "answer"), WRONG)
def test_wrong_answers_get_a_hint(name: str, answer: object) -> None:
    verdict = check(name, answer)
    assert verdict.passed is False
    assert verdict.hint
    assert repr(verdict).startswith("✗")


def test_dots_are_no_answer_and_unknown_exercises_are_named() -> None:
    assert check("encoding.1", ...).passed is None
    with pytest.raises(ValueError, match=r"choose one of encoding\.1"):
        check("encoding.99", 0)
