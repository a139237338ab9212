"""Make the exercises of the chapters into assignments for nbgrader, and into notebooks with solutions.

    python book/_ext/assignments.py [OUT]    # `make assignments`; OUT is _build/assignments

An exercise of a chapter is a text, a cell with dots, a folded hint and a folded solution. In the assignment they become

- the text, the hint and the code between text and answer (*read-only*);
- the cell with dots, with the chapter's solution between marks by which nbgrader removes it (an *autograded answer*);
- a test that calls ``snnlab.teach.check`` (an *autograder test*). The first exercise is worth one point, the second two, ….

``solutions/<chapter>.ipynb`` contains the same exercises for the lecturer, with the whole solutions and the answers to the quiz.

One read-only cell at the top contains the imports, functions and data that exercises use: the statements of the chapter that
define a name they need, and the statements that these need in turn. They must not import ``analysis``, which is the book's.
"""

from __future__ import annotations

import ast
import re
import symtable
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from chapters import authors_and_years, chapters, pieces, questions, read, remove_links, replace_citations, title
from lecturers import quiz_answers

__all__ = ["Exercise", "assignment", "exercises", "solutions", "write"]

IMPORTS = (ast.Import, ast.ImportFrom)
TEST = """\
from snnlab.teach import check

verdict = check("{name}", {variable})
assert verdict.passed, verdict"""

CONFIG = '''\
"""Settings of nbgrader for these assignments. They were made from the chapters by `make assignments`.

    nbgrader generate_assignment encoding    # what students get, in release/
    nbgrader autograde encoding              # what they hand in, in submitted/<student>/encoding/
    nbgrader generate_feedback encoding
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
        name: name of its check, ``"encoding.2"``.
        title: heading.
        text: the question, as Markdown.
        given: cells between the question and the cell with dots.
        answer_cell: the cell with dots.
        hint: Markdown.
        solution: cells of the solution up to the one with the check.
        follow_up: cells of the solution after it.
        explained: all of the solution in order, text and code.
    """

    name: str
    title: str
    text: str
    answer_cell: str = ""
    hint: str = ""
    given: list[str] = field(default_factory=list)
    solution: list[str] = field(default_factory=list)
    follow_up: list[str] = field(default_factory=list)
    explained: list[NotebookNode] = field(default_factory=list)

    @property
    def points(self) -> int:
        """One for the first exercise, two for the second, and so on, as exercises become harder."""
        return int(self.name.rpartition(".")[2])

    @property
    def solved(self) -> bool:
        """Whether the solution contains its check."""
        return bool(self.solution) and _checks(self.solution[-1])

    @property
    def variable(self) -> str:
        """The name of the answer."""
        return _checked(self.answer_cell)[1]


def exercises(notebook: NotebookNode) -> list[Exercise]:
    """Return the exercises of a chapter.

    Raises:
        ValueError: an exercise without a cell with dots, or without a solution that is checked.
    """
    result: list[Exercise] = []
    for piece in pieces(notebook):
        if piece.kind == "exercise":
            result.append(Exercise(piece.label.replace("-", "."), piece.title, piece.text))
        elif result and piece.kind == "admonition" and piece.title == "Hint":
            result[-1].hint = piece.text
        elif result and piece.solution and piece.kind != "code":
            result[-1].explained.append(new_markdown_cell(piece.text))
        elif result and piece.kind == "code":
            exercise = result[-1]
            if piece.solution:
                exercise.explained.append(new_code_cell(piece.text))
            if piece.solution:
                (exercise.follow_up if exercise.solved else exercise.solution).append(piece.text)
            elif _checks(piece.text):
                exercise.answer_cell = piece.text
            elif not exercise.answer_cell:
                exercise.given.append(piece.text)
    for exercise in result:
        if not (exercise.answer_cell and exercise.solved):
            raise ValueError(f"{exercise.name}: expected a cell with dots, and a solution that is checked")
    return result


def assignment(notebook: NotebookNode, known: Mapping[str, tuple[str, str]]) -> NotebookNode:
    """Return the exercises of a chapter as nbgrader's source notebook.

    Args:
        notebook: the chapter.
        known: authors and year of every entry of the bibliography.
    """
    chosen = exercises(notebook)
    about = f"# {title(notebook)}\n\nExercises of the chapter, {sum(exercise.points for exercise in chosen)} points in all."
    cells = [
        _cell("about", new_markdown_cell(about), locked=True),
        _cell("from-the-chapter", new_code_cell(_context(notebook, chosen)), locked=True),
    ]
    for number, exercise in enumerate(chosen, 1):
        key, points = exercise.name.replace(".", "-"), exercise.points
        text = f"## {number}. {exercise.title} ({points} point{'s' * (points > 1)})\n\n{exercise.text}"
        if exercise.hint:
            text += f"\n\n<details><summary>Hint</summary>\n\n{exercise.hint}\n\n</details>"
        test = TEST.format(name=exercise.name, variable=exercise.variable)
        cells += [
            _cell(key, new_markdown_cell(remove_links(replace_citations(text, known))), locked=True),
            *(_cell(f"{key}-given-{k}", new_code_cell(code), locked=True) for k, code in enumerate(exercise.given)),
            _cell(f"{key}-answer", new_code_cell(_answer(exercise)), solution=True),
            _cell(f"{key}-test", new_code_cell(test), grade=True, locked=True, points=points),
        ]
    metadata = {name: notebook.metadata[name] for name in ("kernelspec", "language_info")}
    source: NotebookNode = new_notebook(cells=cells, metadata=metadata)
    return source


def solutions(notebook: NotebookNode, known: Mapping[str, tuple[str, str]]) -> NotebookNode:
    """Return the exercises of a chapter with their solutions, and the answers to its quiz, as a notebook that runs.

    Args:
        notebook: the chapter.
        known: authors and year of every entry of the bibliography.
    """
    chosen = exercises(notebook)
    cells = [
        new_markdown_cell(f"# {title(notebook)}: solutions"),
        new_code_cell(_context(notebook, chosen) + "\n\nfrom snnlab.teach import check"),
    ]
    for number, exercise in enumerate(chosen, 1):
        cells += [
            new_markdown_cell(f"## {number}. {exercise.title}\n\n{exercise.text}"),
            *(new_code_cell(code) for code in exercise.given),
            new_markdown_cell("### Solution"),
            *exercise.explained,
        ]
    cells.append(new_markdown_cell(f"## Quiz\n\n{quiz_answers(questions(notebook))}"))
    for cell in cells:
        if cell.cell_type == "markdown":
            cell.source = remove_links(replace_citations(cell.source, known))
    solved: NotebookNode = new_notebook(cells=cells, metadata={"kernelspec": notebook.metadata["kernelspec"]})
    return solved


def write(book: Path, folder: Path) -> list[Path]:
    """Write ``source/<chapter>/<chapter>.ipynb`` and ``solutions/<chapter>.ipynb`` for every chapter, and nbgrader's settings.

    Returns:
        the assignments, without the solutions.
    """
    known, written = authors_and_years(book / "references.bib"), []
    for path in chapters(book):
        target, solved = folder / "source" / path.stem / path.name, folder / "solutions" / path.name
        for made, make in ((target, assignment), (solved, solutions)):
            made.parent.mkdir(parents=True, exist_ok=True)
            nbformat.write(make(read(path), known), made)
        written.append(target)
    (folder / "nbgrader_config.py").write_text(CONFIG)
    return written


# --- cells ------------------------------------------------------------------------------------------------------------


def _cell(
    key: str, cell: NotebookNode, *, solution: bool = False, grade: bool = False, locked: bool = False, **more: int
) -> NotebookNode:
    """Return a cell with nbgrader's metadata.

    Args:
        key: id of the cell.
        cell: the cell.
        solution: whether students write it.
        grade: whether it is marked.
        locked: whether students cannot change it.
        **more: further entries, as ``points``.
    """
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
    """Return the cell with dots, with the chapter's solution after the dots."""
    lines, (call, variable) = exercise.answer_cell.splitlines(), _checked(exercise.answer_cell)
    (dots,) = (
        s for s in ast.parse(exercise.answer_cell).body if isinstance(s, ast.Assign) and ast.unparse(s.value) == "..."
    )
    *before, last = exercise.solution
    solved, value = _checked(last)
    before.append("\n".join(last.splitlines()[: solved.lineno - 1]))
    solution = "\n\n\n".join(part.strip("\n") for part in (*before, f"{variable} = {value}") if part.strip())
    cell = [*lines[: dots.lineno], "### BEGIN SOLUTION", solution, "### END SOLUTION", *lines[call.lineno - 1 :]]
    return "\n".join(cell).strip("\n")


def _checked(code: str) -> tuple[ast.Expr, str]:
    """Return the statement of a cell that calls ``check``, and the expression that it checks."""
    for statement in ast.parse(code).body:
        match statement:
            case ast.Expr(value=ast.Call(func=ast.Name(id="check"), args=[_, answer])):
                return statement, ast.get_source_segment(code, answer) or ""
    raise ValueError(f"no check in {code!r}")


def _checks(code: str) -> bool:
    return "check(" in code


# --- the statements that exercises need -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Statement:
    code: str
    kind: type[ast.stmt]
    defines: frozenset[str]
    uses: frozenset[str]


def _context(notebook: NotebookNode, chosen: Sequence[Exercise]) -> str:
    """Return the statements of a chapter that its exercises need, in order, imports first."""
    statements = [s for code in _before_the_exercises(notebook) for s in _statements(code)]
    needed: set[str] = set()
    for exercise in chosen:
        needed |= _needed(*exercise.given, exercise.answer_cell, *exercise.solution)
        needed |= _needed(*exercise.solution, *exercise.follow_up) & _mentioned(exercise.text + exercise.hint)
    imports: list[_Statement] = []
    rest: list[_Statement] = []
    for statement in reversed(statements):
        if statement.defines & needed:
            needed = (needed - statement.defines) | statement.uses
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
    """Return the names that these cells, run in this order, use but do not define."""
    needed: set[str] = set()
    for statement in reversed([s for code in cells for s in _statements(code)]):
        needed = (needed - statement.defines) | statement.uses
    return needed


def _mentioned(text: str) -> set[str]:
    return {word for code in re.findall(r"`([^`]+)`", text) for word in re.findall(r"[A-Za-z_]\w*", code)}


def _statements(code: str) -> list[_Statement]:
    lines, result = code.splitlines(), []
    for node in ast.parse(code).body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        text = "\n".join(lines[first - 1 : node.end_lineno])
        defines, uses = _names(text)
        if isinstance(node, ast.For | ast.With):  # defines its names before it uses them
            uses -= defines
        result.append(_Statement(text, type(node), defines, uses))
    return result


def _names(code: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the global names that code defines and those that it uses, also inside functions."""
    top = symtable.symtable(code, "chapter", "exec")
    defines = {s.get_name() for s in top.get_symbols() if s.is_assigned() or s.is_imported()}
    uses = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    for table in _nested(top):
        uses |= {s.get_name() for s in table.get_symbols() if s.is_global()}
    return frozenset(defines), frozenset(uses)


def _nested(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _nested(child)


if __name__ == "__main__":
    target = Path(sys.argv[1]) if sys.argv[1:] else Path("_build/assignments")
    notebooks = write(Path(__file__).parents[1], target)
    print(
        f"{len(notebooks)} assignments in {target / 'source'}, nbgrader's settings in {target / 'nbgrader_config.py'}, "
        f"solutions in {target / 'solutions'}"
    )
