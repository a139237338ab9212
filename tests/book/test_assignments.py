"""The assignments: nbgrader accepts them, gives full marks to a right answer and none to an empty one."""

import re
from pathlib import Path

import nbformat
import pytest
from building import BOOK
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

import assignments
from chapters import chapters, questions, read
from snnlab.teach import checks

NAMES = [path.stem for path in chapters(BOOK)]


class Course:
    """A course: a folder with assignments and settings, and nbgrader."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        assignments.write(BOOK, folder)
        config = PyFileConfigLoader("nbgrader_config.py", str(folder)).load_config()
        config.CourseDirectory.root = str(folder)
        self.directory = CourseDirectory(config=config)
        self.api = NbGraderAPI(self.directory, config=config)

    def notebook(self, step: str, name: str) -> nbformat.NotebookNode:
        return nbformat.read(self.folder / step / name / f"{name}.ipynb", as_version=4)

    def hand_in(self, student: str, name: str, notebook: nbformat.NotebookNode) -> None:
        target = self.folder / "submitted" / student / name / f"{name}.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(notebook, target)

    def marks(self, student: str, name: str) -> tuple[float, float]:
        """Points reached and maximum, after nbgrader's autograding."""
        result = self.api.autograde(name, student)
        assert result["success"], result["log"] or result["error"]
        with Gradebook(self.directory.db_url, self.directory.course_id) as book:
            submission = book.find_submission(name, student)
            assert not submission.needs_manual_grade
            return submission.score, submission.max_score


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    result = Course(tmp_path_factory.mktemp("course"))
    for name in NAMES:
        released = result.api.generate_assignment(name)
        assert released["success"], released["log"] or released["error"]
        result.hand_in("empty", name, result.notebook("release", name))
    return result


def test_every_chapter_has_an_assignment_and_every_exercise_a_test(course: Course) -> None:
    tests = "\n".join(cell.source for name in NAMES for cell in course.notebook("source", name).cells)
    assert sorted(checks()) == sorted(name for name in checks() if f'verdict = check("{name}"' in tests)


@pytest.mark.parametrize("name", NAMES)
def test_an_assignment_needs_the_package_alone(course: Course, name: str) -> None:
    """Students have no folder of the book."""
    for cell in course.notebook("source", name).cells:
        assert cell.cell_type != "code" or not re.search(r"\banalysis\b", cell.source), cell.source


@pytest.mark.parametrize("name", NAMES)
def test_what_students_get_holds_no_solution(course: Course, name: str) -> None:
    released = course.notebook("release", name)
    answers = [cell.source for cell in released.cells if cell.metadata.nbgrader.solution]
    assert len(answers) == 3
    for answer in answers:
        assert "= ..." in answer
        assert not {"SOLUTION", "_solution", "def "} & set(answer.split()), answer


def test_an_assignment_shows_the_table_that_its_exercise_asks_about(course: Course) -> None:
    cells = [cell.source for cell in course.notebook("release", "yourturn").cells]
    (table,) = (k for k, source in enumerate(cells) if source.endswith("candidates()"))
    assert "Who may be ranked?" in cells[table - 1]
    assert "answer = ..." in cells[table + 1]


@pytest.mark.case("nbgrader grades notebooks with explorers")
@pytest.mark.parametrize("name", NAMES)
def test_a_right_submission_gets_full_marks(course: Course, name: str) -> None:
    handed_in, source = course.notebook("release", name), course.notebook("source", name)
    for cell, solved in zip(handed_in.cells, source.cells, strict=True):
        if cell.metadata.nbgrader.solution:
            cell.source = solved.source
    course.hand_in("right", name, handed_in)
    assert course.marks("right", name) == (6, 6)


@pytest.mark.parametrize("name", NAMES[::5])  # dots are no answer to any check: test_teach.py
def test_an_empty_submission_gets_none(course: Course, name: str) -> None:
    assert course.marks("empty", name) == (0, 6)


@pytest.mark.parametrize("name", NAMES)
def test_lecturers_get_every_solution_and_every_answer_of_the_quiz(course: Course, name: str) -> None:
    chapter = read(BOOK / f"{name}.ipynb")
    solved = nbformat.read(course.folder / "solutions" / f"{name}.ipynb", as_version=4)
    nbformat.validate(solved)
    code = "\n".join(cell.source for cell in solved.cells if cell.cell_type == "code")
    text = "\n".join(cell.source for cell in solved.cells if cell.cell_type == "markdown")
    for exercise in assignments.exercises(chapter):
        assert all(part in code for part in (*exercise.solution, *exercise.follow_up))
        assert f'check("{exercise.name}"' in code
    for asked in questions(chapter):
        assert all(answer["feedback"] in text for answer in asked["answers"])
    assert "= ..." not in code
    assert not re.findall(r"```\{|\{(?:cite|term|ref|numref)", text)
