"""The answer key for lecturers, from the chapters: what each *Predict first* leads to, and the answers of the quizzes.

In a page, the directive ``answer-key`` shows it, a fold a chapter.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.statemachine import StringList
from nbformat import NotebookNode
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

sys.path.append(str(Path(__file__).parents[1]))  # of ``analysis``

from analysis.votes import numbers
from chapters import chapters, pieces, questions, read, title

__all__ = ["answer_key", "quiz_answers", "setup"]

PREDICT, ANSWER, FIRST = "Predict first", "What you should have seen", "The vote at the top"


def quiz_answers(asked: Sequence[dict[str, Any]]) -> str:
    """Return questions with their right answers, and what each wrong answer shows, as Markdown.

    >>> right, wrong = {"answer": "2", "correct": True, "feedback": "Yes."}, {"answer": "3", "feedback": "Too many."}
    >>> print(quiz_answers([{"question": "1 + 1?", "answers": [wrong, right]}]))
    1. 1 + 1?
       - **2**: Yes.
       - not *3*: Too many.
    """
    lines = []
    for number, question in enumerate(asked, 1):
        lines.append(f"{number}. {question['question']}")
        for answer in sorted(question["answers"], key=lambda answer: not answer.get("correct")):
            words = answer.get("answer", answer.get("value", answer.get("range", "any other answer")))
            kind = f"**{words}**" if answer.get("correct") else f"not *{words}*"
            lines.append(f"   - {kind}: {answer.get('feedback', '')}")
    return "\n".join(lines)


def answer_key(notebook: NotebookNode, measured: str = "") -> str:
    """Return the answer key of a chapter as Markdown: its votes with what answers them, then its quiz.

    A vote is answered by the next box *What you should have seen*; the first vote of a chapter by the box *The vote at the top*,
    if there is one.

    Args:
        notebook: the chapter.
        measured: the numbers behind its first vote.

    Raises:
        ValueError: a vote that no box answers, or whose box answers another vote already.
    """
    blocks = list(pieces(notebook))
    parts: list[str] = []
    used: list[int] = []
    for k, vote in enumerate(blocks):
        if vote.title == PREDICT:
            later = {j: piece for j, piece in enumerate(blocks) if j > k and piece.title in {ANSWER, FIRST}}
            first = FIRST if all(piece.title != PREDICT for piece in blocks[:k]) else ANSWER
            answer = first if any(piece.title == first for piece in later.values()) else ANSWER
            box = next((j for j, piece in later.items() if piece.title == answer), None)
            if box is None or box in used:
                raise ValueError(f"{title(notebook)}: no box of its own answers the vote {vote.text[:60]!r}")
            used.append(box)
            text = blocks[box].text
            in_numbers = f"\n\n{measured}" if measured and not parts else ""
            parts.append(f"**Vote.** {vote.text}\n\n**Answer.** {text}{in_numbers}")
    return "\n\n".join([*parts, "**Quiz.**", quiz_answers(questions(notebook))])


class AnswerKey(SphinxDirective):
    """Show the answer key of every chapter, folded."""

    def run(self) -> list[nodes.Node]:
        book = Path(self.env.srcdir)
        shown = nodes.container()
        for path in chapters(book):
            self.env.note_dependency(str(path))
            notebook = read(path)
            key = answer_key(notebook, numbers(path.stem))
            text = f"``````{{admonition}} {title(notebook)}\n:class: dropdown\n\n{key}\n``````"
            self.state.nested_parse(StringList(text.splitlines(), str(path)), 0, shown)
        return list(shown.children)


def setup(app: Sphinx) -> dict[str, Any]:
    """Add the directive."""
    app.add_directive("answer-key", AnswerKey)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
