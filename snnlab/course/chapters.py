"""A chapter as a sequence of pieces: headings, paragraphs, equations, boxes, code; and its MyST as plain Markdown.

JupyterLab, nbgrader and nbconvert each read a part of MyST or none of it. Here its directives become pieces with a name, its
citations become words, and what is left is the Markdown that everything reads.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode
from pybtex.database import parse_file

__all__ = ["Piece", "authors_and_years", "chapters", "cited", "pieces", "read", "unlinked"]

PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
DIRECTIVE = re.compile(r"\{(?P<name>[\w:-]+)\}\s*(?P<title>.*)")
OPTION = re.compile(r":(?P<key>[\w-]+):\s*(?P<value>.*)")
ROLE = re.compile(r"\{(?P<role>[\w:-]+)\}`(?P<text>[^`]*)`")
PAGE = re.compile(r"\[(?P<words>[^\]]+)\]\((?P<page>[\w-]+)\)")


@dataclass(frozen=True)
class Piece:
    """One block of a chapter.

    Args:
        kind: ``"code"``, the name of a directive as ``"admonition"``, or Markdown's name of the block, as ``"heading"``.
        text: code or Markdown, without the fence of a directive.
        cell: the cell that it stands in.
        title: of a directive.
        label: of a directive.
        look: class of a directive, as ``"tip"``.
        level: of a heading.
        solution: label of the exercise to whose solution it belongs.
    """

    kind: str
    text: str
    cell: NotebookNode
    title: str = ""
    label: str = ""
    look: str = ""
    level: int = 0
    solution: str = ""


def chapters(book: Path) -> list[Path]:
    """The notebooks of a book that are chapters: those with a number."""
    found = sorted(book.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise ValueError(f"no chapter in {str(book)!r}; expected notebooks named as 03_encoding.ipynb")
    return found


def read(path: Path) -> NotebookNode:
    """The notebook in a file."""
    notebook: NotebookNode = nbformat.read(path, as_version=4)
    return notebook


def pieces(notebook: NotebookNode) -> Iterator[Piece]:
    """The pieces of a chapter in their order; the fences around solutions become the ``solution`` of what is between them.

    A cell that the page leaves out (tag ``remove-cell``) is none of them.
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


def _blocks(cell: NotebookNode) -> Iterator[Piece]:
    lines = cell.source.splitlines()
    for token in PARSER.parse(cell.source):
        if token.level or token.map is None:  # inside another one, or its end
            continue
        text = "\n".join(lines[slice(*token.map)]).strip()
        told = DIRECTIVE.fullmatch(token.info) if token.type == "fence" else None
        if told:
            yield _directive(cell, told["name"], told["title"], token)
        else:
            kind = token.type.removesuffix("_open")
            yield Piece(kind, text, cell, level=int(token.tag[1]) if kind == "heading" else 0)


def _directive(cell: NotebookNode, name: str, title: str, token: Token) -> Piece:
    lines, options = token.content.splitlines(), {}
    while lines and (told := OPTION.fullmatch(lines[0])):
        options[told["key"]] = told["value"]
        lines.pop(0)
    return Piece(
        name, "\n".join(lines).strip(), cell, title=title, label=options.get("label", ""), look=options.get("class", "")
    )


def authors_and_years(bibliography: Path) -> dict[str, tuple[str, str]]:
    """Authors in short and year of each entry: ``{"madry2018": ("Madry et al.", "2018"), …}``."""
    return {
        key: (
            _authors([" ".join(map(str, person.rich_last_names)) for person in entry.persons["author"]]),
            entry.fields["year"],
        )
        for key, entry in parse_file(str(bibliography)).entries.items()
    }


def _authors(names: list[str]) -> str:
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)


def cited(text: str, known: Mapping[str, tuple[str, str]]) -> str:
    """Markdown without MyST's roles: citations as authors and year, any other role as its text.

    >>> cited("shown {cite:p}`a,b`, by {cite:t}`a` too", {"a": ("Ann", "2001"), "b": ("Bo et al.", "2002")})
    'shown (Ann, 2001; Bo et al., 2002), by Ann (2001) too'
    """

    def words(role: re.Match[str]) -> str:
        if not role["role"].startswith("cite"):
            return role["text"]
        found = [known[key.strip()] for key in role["text"].split(",")]
        if role["role"] == "cite:t":
            return ", ".join(f"{authors} ({year})" for authors, year in found)
        return f"({'; '.join(f'{authors}, {year}' for authors, year in found)})"

    return ROLE.sub(words, text)


def unlinked(text: str, pages: Collection[str] = ()) -> str:
    """Markdown whose links to pages of the book are words; those to ``pages`` lead to their HTML.

    >>> unlinked("see [Claims](claims) and [Training](04_training)", ["04_training"])
    'see Claims and [Training](04_training.html)'
    """
    return PAGE.sub(lambda link: f"[{link['words']}]({link['page']}.html)" if link["page"] in pages else link["words"], text)
