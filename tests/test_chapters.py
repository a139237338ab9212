"""The chapters: their code is the package's, their cells are short, their exercises have answers that pass."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
import torch
from torch import Tensor

from snnlab.encoding import encoder
from snnlab.teach import CHECKS

BOOK = Path(__file__).parent.parent / "book"
CHAPTERS = sorted(BOOK.glob("[0-9][0-9]_*.ipynb"))


def _cells(path: Path, kind: str) -> list[Any]:
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == kind]


def test_the_encoders_of_the_text_are_those_of_the_package(ramp: Tensor) -> None:
    (cell,) = (c for c in _cells(BOOK / "01_encoding.ipynb", "code") if "def latency(" in c.source)
    told: dict[str, Any] = {}
    exec(cell.source, told)
    for name in ("onset", "offset", "latency"):
        assert torch.equal(told[name](ramp.flatten(), 8), encoder(name)(ramp).flatten(1))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_shown_cells_are_short(chapter: Path) -> None:
    for cell in _cells(chapter, "code"):
        hidden = {"hide-input", "remove-input"} & set(cell.metadata.get("tags", []))
        assert hidden or len(cell.source.splitlines()) <= 20, cell.source


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_every_exercise_is_posed_and_solved(chapter: Path) -> None:
    """The build runs the chapter; here: each check is called once with dots and once by a solution."""
    code = "\n".join(cell.source for cell in _cells(chapter, "code"))
    topic = chapter.stem.split("_", 1)[1]
    mine = [name for name in CHECKS if name.startswith(f"{topic}.")]
    assert len(mine) == 3
    for name in mine:
        assert code.count(f'check("{name}"') == 2


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapter_has_its_frame(chapter: Path) -> None:
    text = "\n".join(cell.source for cell in _cells(chapter, "markdown"))
    for part in (
        "In this chapter",
        "Predict first",
        "What you should have seen",
        "## What we measured",
        "## How could this be wrong?",
        "## Exercises",
        "## Quiz",
        "## Take-aways",
        "## Further reading",
    ):
        assert part in text
