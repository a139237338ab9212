"""Self-checks of the exercises: ``check("encoding.1", answer)`` says what is wrong without giving the answer away.

Each chapter has a module of checks. A check is a function that returns a hint about a wrong answer, or ``None`` for a right
one. An answer of ``...`` has not been given yet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snnlab.teach import encoding

__all__ = ["CHECKS", "Verdict", "check"]

CHECKS: dict[str, Callable[[Any], str | None]] = {**encoding.CHECKS}


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
    if name not in CHECKS:
        raise ValueError(f"unknown exercise {name!r}; choose one of {', '.join(CHECKS)}")
    if answer is ...:
        return Verdict(name, None)
    try:
        hint = CHECKS[name](answer)
    except Exception as error:
        hint = f"your answer raised {type(error).__name__}: {error}"
    return Verdict(name, hint is None, hint or "")
