"""Questions for ``jupyterquiz``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

__all__ = ["number", "question"]


def question(text: str, right: tuple[str, str], wrong: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return a quiz question for ``jupyterquiz``, with its answers in an order that depends only on the question.

    Pass ``shuffle_answers=False`` to ``display_quiz``, which would shuffle at random otherwise.

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


def number(text: str, right: tuple[float, str], wrong: Sequence[tuple[float, str]], other: str) -> dict[str, Any]:
    """Return a quiz question that is answered by typing a number.

    Args:
        text: the question.
        right: the right number and the feedback to it.
        wrong: numbers that people give, each with its feedback.
        other: the feedback to any other number.

    >>> number("1 + 1?", (2, "Right."), [(11, "That joins the digits.")], "Count again.")["type"]
    'numeric'
    """
    values = [
        {"type": "value", "value": value, "correct": k == 0, "feedback": feedback}
        for k, (value, feedback) in enumerate([right, *wrong])
    ]
    return {"question": text, "type": "numeric", "answers": [*values, {"type": "default", "feedback": other}]}
