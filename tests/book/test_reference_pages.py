"""Glossary, notation and the pages for lecturers agree with the chapters."""

import re
from pathlib import Path

import pytest
from building import BOOK

import lecturers
from chapters import chapters, prerequisites, questions, read

CHAPTERS = chapters(BOOK)
NAMES = [path.stem for path in CHAPTERS]
GREEK = r"\\(?:alpha|beta|gamma|delta|varepsilon|epsilon|theta|lambda|tau|sigma|mu|eta|rho|kappa|phi|Pi)(?![a-zA-Z])"
SYMBOL = re.compile(rf"{GREEK}|(?<![\\a-zA-Z])[A-Za-z](?![a-zA-Z])")
#: commands whose argument is text, and names that are no symbols
TEXT = re.compile(r"\\(?:text|mathrm|operatorname|mathbf|begin|end|mathit)\{[^}]*\}|\\[,;!|]")


def _symbols(markdown: str) -> set[str]:
    equations = re.findall(r"\$\$(.*?)\$\$|\$([^$\n]+)\$", markdown, re.DOTALL)
    return {symbol for display, inline in equations for symbol in SYMBOL.findall(TEXT.sub(" ", display or inline))}


def _text(path: Path) -> str:
    return "\n\n".join(cell.source for cell in read(path).cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("path", CHAPTERS, ids=NAMES)
def test_every_symbol_of_a_chapter_is_in_the_notation(path: Path) -> None:
    known = _symbols((BOOK / "notation.md").read_text(encoding="utf8"))
    assert _symbols(_text(path)) - known == set()


def test_the_glossary_is_sorted_and_defines_every_word_once() -> None:
    text = (BOOK / "glossary.md").read_text(encoding="utf8")
    blocks = re.search(r"```\{glossary\}\n(.*)```", text, re.DOTALL)
    assert blocks
    entries = [[line.lower() for line in entry.splitlines() if line[0] != " "] for entry in blocks[1].strip().split("\n\n")]
    heads = [entry[0] for entry in entries]
    words = [word for entry in entries for word in entry]
    assert heads == sorted(heads)
    assert len(words) == len(set(words))


def _weeks() -> list[list[str]]:
    """Return the chapters of each week of the syllabus."""
    text = (BOOK / "instructor.md").read_text(encoding="utf8")
    rows = re.findall(r"^\| \d+ \| ([^|]*) \|", text, re.MULTILINE)
    return [[name for name in re.findall(r"\((\w+)\.ipynb\)", row) if name in NAMES] for row in rows]


def test_the_syllabus_has_every_chapter_once_and_after_its_prerequisites() -> None:
    order = [name for week in _weeks() for name in week]
    assert sorted(order) == sorted(NAMES)
    for path in CHAPTERS:
        later = [needed for needed in prerequisites(read(path)) if order.index(needed) >= order.index(path.stem)]
        assert later == [], path.stem


def test_the_book_has_every_chapter_after_its_prerequisites() -> None:
    for k, path in enumerate(CHAPTERS):
        assert set(prerequisites(read(path))) <= set(NAMES[:k]), path.stem


@pytest.mark.parametrize("path", CHAPTERS, ids=NAMES)
def test_the_answer_key_has_every_vote_and_every_right_answer_of_a_chapter(path: Path) -> None:
    notebook = read(path)
    key = lecturers.answer_key(notebook)
    assert key.count("**Vote.**") == key.count("**Answer.**") == _text(path).count("} Predict first") > 0
    for asked in questions(notebook):
        assert asked["question"] in key
        for answer in asked["answers"]:
            assert answer["feedback"] in key
            if "answer" in answer or "value" in answer:
                assert (f"**{answer.get('answer', answer.get('value'))}**" in key) == answer["correct"]


def test_a_vote_without_a_box_of_its_own_is_found() -> None:
    notebook = read(CHAPTERS[0])
    for cell in notebook.cells:
        cell.source = cell.source.replace("} What you should have seen", "} Something else")
    with pytest.raises(ValueError, match="no box of its own answers the vote"):
        lecturers.answer_key(notebook)
