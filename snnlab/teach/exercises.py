"""Self-checks of exercises: ``check("encoding.1", answer)`` gives a hint on a wrong answer, but not the right one.

``snnlab/teach/<chapter>.py`` has a table ``CHECKS`` from ``"<chapter>.<number>"`` to a function of the ``answer`` that raises
``Hint``. Annotate the answer as ``Function`` where it must be one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

import torch
from torch import Tensor

Check = Callable[[Any], None]
Function = Callable[..., Any]


class Hint(Exception):  # it is what the reader sees, not an error of the package
    """What is wrong with an answer."""


def expect(holds: Any, hint: str) -> None:
    """Raise the hint unless this holds."""
    if not holds:
        raise Hint(hint)


def expect_shape(result: Any, shape: Sequence[int], what: str = "the result") -> None:
    """Raise a hint unless the result is a tensor of this shape."""
    got = list(result.shape) if isinstance(result, Tensor) else type(result).__name__
    expect(got == list(shape), f"{what} should be a tensor {list(shape)}, got {got}")


def tensor_of(value: Any, shape: Sequence[int] | None = None, what: str = "the result") -> Tensor:
    """Return an answer in any usual type (number, list, tuple, array, tensor) as a tensor; a hint if it has another shape.

    >>> tensor_of((1, 2.0), [2])
    tensor([1., 2.])
    """
    wanted = "numbers" if shape is None else f"a tensor {list(shape)}" if len(shape) else "a single number"
    try:
        result = value if isinstance(value, Tensor) else torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise Hint(f"{what} should be {wanted}, got {type(value).__name__}") from None
    if shape is None:
        return result
    if not len(shape) and result.numel() == 1:
        return result.reshape(())
    expect(list(result.shape) == list(shape), f"{what} should be {wanted}, got {list(result.shape)}")
    return result


def whole(value: Any, what: str) -> int:
    """Return a whole number given as an int, a float, an array or a tensor; a hint if it is no whole number.

    >>> whole(9.0, "the step")
    9
    """
    number = float(tensor_of(value, (), what))
    expect(number.is_integer(), f"{what} should be a whole number, got {number:g}")
    return int(number)


def expect_keys(answer: Any, keys: Iterable[Any], values: str) -> None:
    """Raise a hint unless the answer is a dictionary with these keys."""
    names = sorted(map(str, keys))
    given = sorted(map(str, answer)) if isinstance(answer, Mapping) else None
    expect(given == names, f"give a dictionary with {values} for each of {', '.join(map(str, keys))}")


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check: ``passed`` is ``None`` before an answer is given."""

    name: str
    passed: bool | None
    hint: str = ""

    def __repr__(self) -> str:
        if self.passed is None:
            return f"○ {self.name}: no answer yet; put yours in place of the dots"
        return f"✓ {self.name}: right" if self.passed else f"✗ {self.name}: {self.hint}"


@cache
def checks() -> dict[str, Check]:
    """Return the checks of all chapters by the name of the exercise.

    >>> sorted(checks())[:3]
    ['adversarial.1', 'adversarial.2', 'adversarial.3']
    """
    modules = [import_module(f"snnlab.teach.{info.name}") for info in iter_modules([str(Path(__file__).parent)])]
    return {name: function for module in modules for name, function in getattr(module, "CHECKS", {}).items()}


def check(name: str, answer: Any) -> Verdict:
    """Check an answer to an exercise.

    Args:
        name: the exercise, as its cell says, e.g. ``"encoding.1"``.
        answer: a value or a function, as the exercise asks; ``...`` if there is none yet.

    Raises:
        ValueError: unknown exercise.

    >>> check("encoding.1", ...)
    ○ encoding.1: no answer yet; put yours in place of the dots
    """
    if name not in checks():
        raise ValueError(f"unknown exercise {name!r}; choose one of {', '.join(checks())}")
    if answer is ...:
        return Verdict(name, None)
    checked = checks()[name]
    try:
        if checked.__annotations__["answer"] == "Function":
            expect(callable(answer), "give the function itself, without calling it")
        checked(answer)
    except Hint as hint:
        return Verdict(name, False, str(hint))
    except Exception as error:
        return Verdict(name, False, f"your answer raised {type(error).__name__}: {error}")
    return Verdict(name, True)
