"""Self-checks of the exercises: ``check("encoding.1", answer)`` says what is wrong without giving the answer away.

Each chapter has a module of checks. A check is a function that returns a hint about a wrong answer, or ``None`` for a right
one. An answer of ``...`` has not been given yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from snnlab.teach import adversarial, cifar10, encoding, energy, exit, fusion, honest, neuron, training, yourturn

__all__ = ["CHECKS", "Verdict", "check", "question"]

#: the check of every exercise, which gives a hint for a wrong answer and None for a right one
CHECKS: dict[str, Callable[[Any], str | None]] = {
    **adversarial.CHECKS,
    **neuron.CHECKS,
    **encoding.CHECKS,
    **training.CHECKS,
    **exit.CHECKS,
    **fusion.CHECKS,
    **energy.CHECKS,
    **honest.CHECKS,
    **cifar10.CHECKS,
    **yourturn.CHECKS,
}


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


def question(text: str, right: tuple[str, str], wrong: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a quiz question for ``jupyterquiz``, with its answers in an order that depends only on the question.

    The order is a permutation drawn from a hash of the question, so the right answer is in no fixed place and every build
    gives the same page. Pass ``shuffle_answers=False`` to ``display_quiz``: it would shuffle at random.

    Args:
        text: the question.
        right: the right answer and the feedback to it.
        wrong: the wrong answers, each with its feedback.

    >>> [answer["answer"] for answer in question("1 + 1?", ("2", "Right."), [("3", "Too many."), ("1", "Too few.")])["answers"]]
    ['3', '1', '2']
    """
    answers = [
        {"answer": answer, "correct": k == 0, "feedback": feedback} for k, (answer, feedback) in enumerate([right, *wrong])
    ]
    order = sorted(range(len(answers)), key=lambda k: hashlib.sha256(f"{k} {text}".encode()).digest())
    return {"question": text, "type": "multiple_choice", "answers": [answers[k] for k in order]}
