"""Self-checks of the exercises and questions of the quizzes.

Each chapter has a module of checks with the chapter's name; ``checks`` finds them.
"""

from snnlab.teach.exercises import Verdict, check, checks
from snnlab.teach.quiz import number, question

__all__ = ["Verdict", "check", "checks", "number", "question"]
