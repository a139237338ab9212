"""Split a chapter into pieces (headings, paragraphs, equations, boxes, code) and turn its MyST into plain Markdown.

JupyterLab, nbgrader and nbconvert read MyST in part or not at all. ``pieces`` turns directives into pieces with a name,
``replace_citations`` turns citations into words; the rest is Markdown that all of them read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import nbformat
import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from pybtex.database import parse_file

__all__ = [
    "Piece",
    "authors_and_years",
    "chapters",
    "pages",
    "pieces",
    "prerequisites",
    "questions",
    "read",
    "remove_links",
    "replace_citations",
    "title",
]

PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
DIRECTIVE = re.compile(r"\{(?P<name>[\w:-]+)\}\s*(?P<title>.*)")
OPTION = re.compile(r":(?P<key>[\w-]+):\s*(?P<value>.*)")
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]*)`")
EXERCISE = re.compile(r"[a-z_0-9]+-(?P<number>\d)")
LINK = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<page>[\w-]+)(?:\.ipynb)?\)")


@dataclass(frozen=True)
class Piece:
    """One block of a chapter.

    Args:
        kind: ``"code"``, the name of a directive as ``"admonition"``, or Markdown's name of the block, as ``"heading"``.
        text: code or Markdown, without the fence of a directive.
        cell: the cell that contains the block.
        title: title of a directive.
        label: label of a directive.
        css_class: class of a directive, as ``"tip"``.
        level: level of a heading.
        solution: label of the exercise whose solution contains the block.
    """

    kind: str
    text: str
    cell: NotebookNode
    title: str = ""
    label: str = ""
    css_class: str = ""
    level: int = 0
    solution: str = ""


def pages(book: Path) -> list[str]:
    """Return the names of the pages in ``_toc.yml``, in order.

    Raises:
        ValueError: a folder without ``_toc.yml``.
    """
    toc = book / "_toc.yml"
    if not toc.is_file():
        raise ValueError(f"no _toc.yml in {str(book)!r}; expected the folder of a book")
    contents = yaml.safe_load(toc.read_text(encoding="utf8"))
    parts = [part for chapter in contents["chapters"] for part in (chapter, *chapter.get("sections", ()))]
    return [contents["root"], *(part["file"] for part in parts)]


def chapters(book: Path) -> list[Path]:
    """Return the chapters of a book, in the order of ``_toc.yml``: the notebooks that have exercises.

    Raises:
        ValueError: a folder without ``_toc.yml`` or without a chapter.
    """
    notebooks = [path for page in pages(book) if (path := book / f"{page}.ipynb").is_file()]
    paths = [path for path in notebooks if "```{exercise}" in path.read_text(encoding="utf8")]
    if not paths:
        raise ValueError(f"no chapter in {str(book)!r}; expected notebooks with exercises in its _toc.yml")
    return paths


def read(path: Path) -> NotebookNode:
    """Return the notebook in a file."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def pieces(notebook: NotebookNode) -> Iterator[Piece]:
    """Yield the pieces of a chapter in order; fences around solutions become the ``solution`` of the pieces between them.

    Cells with the tag ``remove-cell`` are skipped.
    """
    solution = ""
    for cell in notebook.cells:
        if "remove-cell" in cell.metadata.get("tags", ()):
            continue
        if cell.cell_type == "code":
            yield Piece("code", cell.source, cell, solution=solution)
            continue
        for piece in _blocks(cell):
            if piece.kind == "solution-start":
                solution = piece.title
            elif piece.kind == "solution-end":
                solution = ""
            else:
                yield Piece(**vars(piece) | {"solution": solution})


def title(notebook: NotebookNode) -> str:
    """Return the title of a chapter."""
    return next(piece.text for piece in pieces(notebook) if piece.kind == "heading").lstrip("# ")


def prerequisites(notebook: NotebookNode) -> list[str]:
    """Return the chapters that the first box of a chapter names under *You need*."""
    box = next(piece.text for piece in pieces(notebook) if piece.title == "In this chapter")
    return [link["page"] for link in LINK.finditer(box.partition("*You need*")[2].partition("*It takes*")[0])]


def questions(notebook: NotebookNode) -> list[dict[str, Any]]:
    """Return the questions of the quizzes of a chapter, as its cells ask them."""
    asked = []
    for cell in notebook.cells:
        if cell.cell_type == "code" and "display_quiz(" in cell.source:
            names: dict[str, Any] = {}
            with patch("jupyterquiz.display_quiz", lambda given, **_: asked.extend(given)):
                exec(cell.source, names)
    return asked


def _blocks(cell: NotebookNode) -> Iterator[Piece]:
    lines = cell.source.splitlines()
    for token in PARSER.parse(cell.source):
        if token.level or token.map is None:  # a nested or closing token
            continue
        text = "\n".join(lines[slice(*token.map)]).strip()
        directive = DIRECTIVE.fullmatch(token.info) if token.type == "fence" else None
        if directive:
            yield _directive(cell, directive["name"], directive["title"], token)
        else:
            kind = token.type.removesuffix("_open")
            yield Piece(kind, text, cell, level=int(token.tag[1]) if kind == "heading" else 0)


def _directive(cell: NotebookNode, name: str, title: str, token: Token) -> Piece:
    lines, options = token.content.splitlines(), {}
    while lines and (option := OPTION.fullmatch(lines[0])):
        options[option["key"]] = option["value"]
        lines.pop(0)
    text, label, css_class = "\n".join(lines).strip(), options.get("label", ""), options.get("class", "")
    return Piece(name, text, cell, title=title, label=label, css_class=css_class)


def authors_and_years(bibliography: Path) -> dict[str, tuple[str, str]]:
    """Return short authors and year of each entry: ``{"madry2018": ("Madry et al.", "2018"), …}``."""
    return {
        key: (
            _authors([" ".join(map(str, person.rich_last_names)) for person in entry.persons["author"]]),
            entry.fields["year"],
        )
        for key, entry in parse_file(str(bibliography)).entries.items()
    }


def _authors(names: list[str]) -> str:
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def replace_citations(text: str, known: Mapping[str, tuple[str, str]]) -> str:
    """Replace MyST's roles: citations by authors and year, exercises by their number, any other role by its text.

    >>> replace_citations("{ref}`fusion-2`, {term}`naive <informed attacker>`", {})
    'Exercise 2, naive'
    >>> replace_citations("shown {cite:p}`a,b`, by {cite:t}`a` too", {"a": ("Ann", "2001"), "b": ("Bo et al.", "2002")})
    'shown (Ann, 2001; Bo et al., 2002), by Ann (2001) too'
    """

    def words(role: re.Match[str]) -> str:
        if not role["role"].startswith("cite"):
            exercise = EXERCISE.fullmatch(role["text"])
            return f"Exercise {exercise['number']}" if exercise else re.sub(r"\s*<[^>]*>$", "", role["text"])
        entries = [known[key.strip()] for key in role["text"].split(",")]
        if role["role"] == "cite:t":
            return ", ".join(f"{authors} ({year})" for authors, year in entries)
        return f"({'; '.join(f'{authors}, {year}' for authors, year in entries)})"

    return ROLE.sub(words, text)


def remove_links(text: str, pages: Collection[str] = ()) -> str:
    """Replace links to pages of the book by their words, and links to ``pages`` by links to their HTML.

    >>> remove_links("see [Claims](claims.ipynb) and [Training](training.ipynb)", ["training"])
    'see Claims and [Training](training.html)'
    """
    return LINK.sub(lambda link: f"[{link['words']}]({link['page']}.html)" if link["page"] in pages else link["words"], text)
