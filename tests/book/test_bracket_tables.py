"""No table of the book shows a robust accuracy without its lower end, or the words that no bound is known."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from building import built_book

from snnlab.statistics import NO_BOUND

#: columns of robust accuracies, and what such a column may be about instead
ROBUST, OTHER = (
    re.compile(r"worst case|search among|left at ε", re.I),
    re.compile(r"change|gain|fall|first printed|transfer|noise"),
)
NUMBER = re.compile(r"\d\.\d|\d %")


class Tables(HTMLParser):
    """All tables of a page, each as rows of cells."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.inside = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in ("td", "th") and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "table"):
            self.inside = False

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.tables[-1][-1][-1] += data


def without_lower_end(text: str) -> list[str]:
    """Return the cells of robust accuracies that lack their lower end."""
    lacking = []
    for table in Tables(text).tables:
        if len(table) < 2:
            continue
        head = table[0]
        for row in table[1:]:
            for title, cell in zip(head[-len(row) :], row, strict=False):
                if ROBUST.search(title) and not OTHER.search(title) and NUMBER.search(cell) and "–" not in cell:
                    lacking.append(f"{title}: {cell.strip()}")
    return lacking


def test_a_cell_without_its_lower_end_is_found() -> None:
    def page(cell: str, title: str = "worst case, ε = 0.1") -> str:
        return f"<table><tr><th></th><th>{title}</th></tr><tr><th>onset</th><td>{cell}</td></tr></table>"

    assert without_lower_end(page("0.796 [0.758, 0.829]")) == ["worst case, ε = 0.1: 0.796 [0.758, 0.829]"]
    assert without_lower_end(page("0.000 – 0.796 [0.758, 0.829]")) == []
    assert without_lower_end(page(f"{NO_BOUND} – 0.796 [0.758, 0.829]")) == []
    assert without_lower_end(page("+0.1", "change of the worst case")) == []


def _pages() -> list[str]:
    return sorted(path.stem for path in (Path(__file__).parents[2] / "book").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", _pages())
def test_no_table_of_a_chapter_has_a_robust_accuracy_without_its_lower_end(chapter: str) -> None:
    assert without_lower_end((built_book() / f"{chapter}.html").read_text(encoding="utf8")) == []
