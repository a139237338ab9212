"""The assignments: nbgrader itself takes them, marks a right answer in full and an empty one with nothing."""

from pathlib import Path

import nbformat
import pytest
from building import BOOK
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from traitlets.config import PyFileConfigLoader

from snnlab.course import assignments
from snnlab.course.chapters import chapters
from snnlab.teach import CHECKS

NAMES = [path.stem for path in chapters(BOOK)]


class Course:
    """A course as a lecturer has it: a folder with assignments and settings, and nbgrader."""

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
        """Points reached, and points there are, after nbgrader's autograding."""
        done = self.api.autograde(name, student)
        assert done["success"], done["log"] or done["error"]
        with Gradebook(self.directory.db_url, self.directory.course_id) as book:
            marked = book.find_submission(name, student)
            assert not marked.needs_manual_grade
            return marked.score, marked.max_score


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    found = Course(tmp_path_factory.mktemp("course"))
    for name in NAMES:
        done = found.api.generate_assignment(name)
        assert done["success"], done["log"] or done["error"]
        found.hand_in("empty", name, found.notebook("release", name))
    return found


def test_every_chapter_has_an_assignment_and_every_exercise_a_test(course: Course) -> None:
    tests = "\n".join(cell.source for name in NAMES for cell in course.notebook("source", name).cells)
    assert sorted(CHECKS) == sorted(name for name in CHECKS if f'verdict = check("{name}"' in tests)


@pytest.mark.parametrize("name", NAMES)
def test_what_students_get_holds_no_solution(course: Course, name: str) -> None:
    released = course.notebook("release", name)
    answers = [cell.source for cell in released.cells if cell.metadata.nbgrader.solution]
    assert len(answers) == 3
    for answer in answers:
        assert "= ..." in answer
        assert not {"SOLUTION", "_solution", "def "} & set(answer.split()), answer


@pytest.mark.parametrize("name", NAMES)
def test_a_right_submission_gets_full_marks(course: Course, name: str) -> None:
    handed_in, source = course.notebook("release", name), course.notebook("source", name)
    for cell, solved in zip(handed_in.cells, source.cells, strict=True):
        if cell.metadata.nbgrader.solution:
            cell.source = solved.source
    course.hand_in("right", name, handed_in)
    assert course.marks("right", name) == (6, 6)


@pytest.mark.parametrize("name", NAMES)
def test_an_empty_submission_gets_none(course: Course, name: str) -> None:
    assert course.marks("empty", name) == (0, 6)
