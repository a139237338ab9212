"""The exercises of the chapters as assignments for nbgrader: one notebook a chapter, solutions and tests included.

An exercise of a chapter is a text, a cell with dots in it, a folded hint and a folded solution. Of these come

- the text and the hint, which nobody can change (*read-only*);
- the cell with dots, with the chapter's solution where nbgrader takes it out again (an *autograded answer*);
- a test that asks ``snnlab.teach.check`` (an *autograder test*). The first exercise is worth one point, the second two, ….

What exercises use of the chapter, imports, functions and data, goes into one read-only cell at the top: of all the statements
before them those that define a name they need, and what these need in turn.
"""

from __future__ import annotations

import ast
import re
import symtable
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from snnlab.course.chapters import authors_and_years, chapters, cited, pieces, read, unlinked

__all__ = ["Exercise", "assignment", "exercises", "write"]

IMPORTS = (ast.Import, ast.ImportFrom)
TEST = """\
from snnlab.teach import check

verdict = check("{name}", {variable})
assert verdict.passed, verdict"""

CONFIG = '''\
"""Settings of nbgrader for these assignments. They were made from the chapters by `make assignments`.

    nbgrader generate_assignment 03_encoding    # what students get, in release/
    nbgrader autograde 03_encoding              # what they hand in, in submitted/<student>/03_encoding/
    nbgrader generate_feedback 03_encoding
    nbgrader export                             # grades.csv
"""

c = get_config()  # noqa: F821  (nbgrader provides it)

c.CourseDirectory.course_id = "snnlab"
c.ClearSolutions.code_stub = {"python": "# your answer here"}
c.Execute.timeout = 1200  # seconds a cell; a busy server is not the student's fault
'''


@dataclass
class Exercise:
    """An exercise of a chapter.

    Args:
        name: as its check is called, ``"encoding.2"``.
        title: its heading.
        text: what is asked, as Markdown.
        posed: the cell with dots.
        hint: Markdown.
        solution: the chapter's cells up to the one that is checked.
        explored: those after it.
    """

    name: str
    title: str
    text: str
    posed: str = ""
    hint: str = ""
    solution: list[str] = field(default_factory=list)
    explored: list[str] = field(default_factory=list)

    @property
    def points(self) -> int:
        """One for the first exercise, two for the second, and so on, as they become harder."""
        return int(self.name.rpartition(".")[2])

    @property
    def solved(self) -> bool:
        """Whether the solution comes to a check."""
        return bool(self.solution) and _checks(self.solution[-1])

    @property
    def variable(self) -> str:
        """The name that the answer is given to."""
        return _checked(self.posed)[1]


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """The exercises of a chapter.

    Raises:
        ValueError: a check that nothing solves.
    """
    found: list[Exercise] = []
    for piece in pieces(notebook):
        if piece.kind == "exercise":
            found.append(Exercise(piece.label.replace("-", "."), piece.title, piece.text))
        elif found and piece.kind == "admonition" and piece.title == "Hint":
            found[-1].hint = piece.text
        elif found and piece.kind == "code":
            mine = found[-1]
            if piece.solution:
                (mine.explored if mine.solved else mine.solution).append(piece.text)
            elif _checks(piece.text):
                mine.posed = piece.text
    for exercise in found:
        if not (exercise.posed and exercise.solved):
            raise ValueError(f"{exercise.name}: expected a cell with dots, and a solution that is checked")
    return found


def assignment(notebook: NotebookNode, known: Mapping[str, tuple[str, str]]) -> NotebookNode:
    """The exercises of a chapter as nbgrader's source; ``known`` are authors and years of what is cited."""
    posed = exercises(notebook)
    title = next(piece.text for piece in pieces(notebook) if piece.kind == "heading")
    about = f"{title}\n\nExercises of the chapter, {sum(exercise.points for exercise in posed)} points in all."
    cells = [
        _cell("about", new_markdown_cell(about), locked=True),
        _cell("from-the-chapter", new_code_cell(_context(notebook, posed)), locked=True),
    ]
    for number, exercise in enumerate(posed, 1):
        key, points = exercise.name.replace(".", "-"), exercise.points
        text = f"## {number}. {exercise.title} ({points} point{'s' * (points > 1)})\n\n{exercise.text}"
        if exercise.hint:
            text += f"\n\n<details><summary>Hint</summary>\n\n{exercise.hint}\n\n</details>"
        test = TEST.format(name=exercise.name, variable=exercise.variable)
        cells += [
            _cell(key, new_markdown_cell(unlinked(cited(text, known))), locked=True),
            _cell(f"{key}-answer", new_code_cell(_answer(exercise)), solution=True),
            _cell(f"{key}-test", new_code_cell(test), grade=True, locked=True, points=points),
        ]
    metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info")}
    made: NotebookNode = new_notebook(cells=cells, metadata=metadata)
    return made


def write(book: Path, folder: Path) -> list[Path]:
    """Write ``source/<chapter>/<chapter>.ipynb`` for every chapter of a book, and nbgrader's settings beside them."""
    known, written = authors_and_years(book / "references.bib"), []
    for path in chapters(book):
        target = folder / "source" / path.stem / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(assignment(read(path), known), target)
        written.append(target)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    return written


# --- cells ------------------------------------------------------------------------------------------------------------


def _cell(
    key: str, cell: NotebookNode, *, solution: bool = False, grade: bool = False, locked: bool = False, **more: int
) -> NotebookNode:
    """A cell with nbgrader's metadata: a solution is the student's, a grade is what is marked, a locked cell stays as it is."""
    cell.id = key
    cell.metadata["nbgrader"] = {
        "schema_version": 3,
        "grade_id": key,
        "cell_type": cell.cell_type,
        "solution": solution,
        "grade": grade,
        "locked": locked,
        "task": False,
        **more,
    }
    return cell


def _answer(exercise: Exercise) -> str:
    """The cell with dots, the chapter's solution behind the dots."""
    lines, (call, variable) = exercise.posed.splitlines(), _checked(exercise.posed)
    (dots,) = (s for s in ast.parse(exercise.posed).body if isinstance(s, ast.Assign) and ast.unparse(s.value) == "...")
    *before, last = exercise.solution
    solved, value = _checked(last)
    before.append("\n".join(last.splitlines()[: solved.lineno - 1]))
    given = "\n\n\n".join(part.strip("\n") for part in (*before, f"{variable} = {value}") if part.strip())
    cell = [*lines[: dots.lineno], "### BEGIN SOLUTION", given, "### END SOLUTION", *lines[call.lineno - 1 :]]
    return "\n".join(cell).strip("\n")


def _checked(code: str) -> tuple[ast.Expr, str]:
    """The statement of a cell that calls ``check``, and what it checks."""
    for statement in ast.parse(code).body:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[_, answer])):
                return statement, ast.get_source_segment(code, answer) or ""
    raise ValueError(f"no check in {code!r}")


def _checks(code: str) -> bool:
    return "check(" in code


# --- what exercises use of their chapter ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Statement:
    code: str
    kind: type[ast.stmt]
    makes: frozenset[str]
    uses: frozenset[str]


def _context(notebook: NotebookNode, posed: Sequence[Exercise]) -> str:
    """The statements of a chapter that its exercises need, in their order, imports first."""
    told = [s for code in _before_the_exercises(notebook) for s in _statements(code)]
    needed: set[str] = set()
    for exercise in posed:
        needed |= _needed(exercise.posed, *exercise.solution)
        needed |= _needed(*exercise.solution, *exercise.explored) & _spoken_of(exercise.text + exercise.hint)
    imports: list[_Statement] = []
    rest: list[_Statement] = []
    for statement in reversed(told):
        if statement.makes & needed:
            needed = (needed - statement.makes) | statement.uses
            (imports if issubclass(statement.kind, IMPORTS) else rest).append(statement)
    text = "\n".join(dict.fromkeys(s.code for s in reversed(imports)))
    for before, after in pairwise([None, *reversed(rest)]):
        assert after
        apart = any(s and issubclass(s.kind, ast.FunctionDef | ast.ClassDef) for s in (before, after))
        text += ("\n\n\n" if apart else "\n" if before else "\n\n") + after.code
    return text


def _before_the_exercises(notebook: NotebookNode) -> Iterator[str]:
    for piece in pieces(notebook):
        if piece.kind == "exercise":
            return
        if piece.kind == "code":
            yield piece.text


def _needed(*cells: str) -> set[str]:
    """The names that these cells, run in this order, take from what was there before."""
    needed: set[str] = set()
    for statement in reversed([s for code in cells for s in _statements(code)]):
        needed = (needed - statement.makes) | statement.uses
    return needed


def _spoken_of(text: str) -> set[str]:
    return {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"[A-Za-z_]\w*", code)}


def _statements(code: str) -> list[_Statement]:
    lines, found = code.splitlines(), []
    for node in ast.parse(code).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        makes, uses = _names(text)
        if isinstance(node, ast.For | ast.With):  # makes its names before it uses them
            uses -= makes
        found.append(_Statement(text, type(node), makes, uses))
    return found


def _names(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """The global names that code makes, and those that it uses, in functions as well."""
    top = symtable.symtable(code, "chapter", "exec")
    makes = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    for table in _inside(top):
        uses |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    return frozenset(makes), frozenset(uses)


def _inside(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inside(child)
