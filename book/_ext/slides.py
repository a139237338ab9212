"""Make slides of the chapters: one deck of reveal.js a chapter, with live explorers, that opens from disk.

    python book/_ext/slides.py [OUT]    # `make slides`; OUT is _build/slides

A deck is the chapter, shortened by rules. A heading begins a slide; the text after it fills the slide and continues on a slide
below. Each explorer has a slide to itself. A slide shows the first sentence of a paragraph, the speaker's notes (key *S*) show
all of it. Hidden code shows its output only; solutions are left out. A cell can overrule the rules by the metadata that RISE
and nbconvert read, ``slideshow: {slide_type: slide | subslide | fragment | skip | notes | -}``.
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Collection, Iterator, Mapping
from html import escape
from math import ceil
from pathlib import Path

from jupyter_cache import get_cache
from nbconvert import SlidesExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from traitlets.config import Config

from book_extension import QUIZ_MATHJAX, write_assets
from chapters import Piece, authors_and_years, chapters, pieces, read, remove_links, replace_citations, title

__all__ = ["deck", "headline", "write"]

PARAGRAPH, ITEM = 300, 200  # characters
SENTENCE = re.compile(r".+?(?:[.?!][*)\"]*(?=\s+[A-Z*_`$(\[])|$)")
LIST_MARK = re.compile(r"(?:[-*]|\d+\.)\s+")
SHORTENED = {"paragraph", "bullet_list", "ordered_list"}
LINES = 18  # of a slide
WIDGET = "application/vnd.jupyter.widget-view+json"
HIDDEN = {"hide-input", "remove-input"}
INDEX = """\
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Slides</title><link rel="stylesheet" href="_static/palette.css"><link rel="stylesheet" href="_static/slides.css"></head>
<body class="index"><h1>Slides</h1>
<ol>
{links}</ol>
<p>Arrow keys or the space bar turn a slide, <b>Esc</b> shows all, <b>S</b> opens the speaker's notes.</p></body></html>
"""
REVEAL = ("dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js")


def headline(text: str, length: int = PARAGRAPH) -> str:
    """Return the first sentences of a paragraph: as many as fit into ``length`` characters, at least one.

    >>> headline("A network is no plane. So take small steps, and look again.", 30)
    'A network is no plane.'
    """
    start = ""
    for sentence in SENTENCE.findall(" ".join(text.split())):
        if start and _is_complete(start) and len(start + sentence) > length:
            break
        start += sentence
    return start.strip()


def _is_complete(text: str) -> bool:
    """Return whether every emphasis, code span, equation and bracket is closed."""
    return not any(text.count(mark) % 2 for mark in ("**", "*", "`", "$")) and text.count("(") == text.count(")")


def deck(notebook: NotebookNode, known: Mapping[str, tuple[str, str]], pages: Collection[str] = ()) -> NotebookNode:
    """Return the notebook of a deck.

    Args:
        notebook: a chapter with outputs.
        known: authors and year of every entry of the bibliography.
        pages: names of the decks that links may lead to.
    """
    notebook, _ = CoalesceStreamsPreprocessor().preprocess(notebook, {})
    slides: NotebookNode = new_notebook(
        cells=list(_slides(notebook)), metadata={"title": title(notebook), **notebook.metadata}
    )
    slides.metadata.pop("widgets", None)  # slides hold explorers as HTML
    for cell in slides.cells:
        if cell.cell_type == "markdown":
            cell.source = remove_links(replace_citations(cell.source, known), pages)
    return slides


def _slides(notebook: NotebookNode) -> Iterator[NotebookNode]:
    """Yield the cells of a deck in order, each with the type of its slide."""
    section, used = "", 0.0  # lines of this slide
    for piece in pieces(notebook):
        shown = _shown(piece)
        if shown is None:
            continue
        lines = _lines(piece, shown)
        kind = _requested_type(piece) or _type(piece, used + lines > LINES)
        if kind == "skip":
            continue
        if piece.kind == "heading":
            section = piece.text.lstrip("# ")
        if kind in {"slide", "subslide"}:
            used = 0
            if piece.kind != "heading":
                yield _with_type(kind, new_markdown_cell(f'<p class="running">{escape(section)}</p>'))
                kind = "-"
        used += 0 if kind == "notes" else lines
        yield _with_type(kind, shown)
        if piece.kind in SHORTENED and kind != "notes" and shown.source != piece.text:
            yield _with_type("notes", new_markdown_cell(piece.text))


def _requested_type(piece: Piece) -> str:
    """Return the slide type in the cell's metadata; a type that begins a slide applies to the first piece of the cell only."""
    requested: str = piece.cell.metadata.get("slideshow", {}).get("slide_type", "")
    first = next(pieces(NotebookNode(cells=[piece.cell])))
    return requested if requested in {"skip", "notes"} or piece.text == first.text else ""


def _type(piece: Piece, full: bool) -> str:
    if piece.kind == "heading":
        return "slide" if piece.level <= 2 else "subslide"
    if piece.title == "Hint":
        return "notes"
    return "subslide" if full else "-"


def _lines(piece: Piece, shown: NotebookNode) -> float:
    """Estimate how many lines of text a cell takes on a slide."""
    if shown.cell_type == "code":
        code = 0 if "remove-input" in shown.metadata.tags else 0.75 * (shown.source.count("\n") + 2.5)
        return code + sum(map(_output_lines, shown.outputs))
    lines = [len(re.sub(r"\\\w+", "x", line)) / 85 for line in shown.source.splitlines()]
    match piece.kind:
        case "heading":
            return {1: 5.5, 2: 2.6}.get(piece.level, 2.0)
        case "math_block":
            return 1.1 * len(lines)
        case "table":
            return sum(0.5 + 0.8 * ceil(line) for line in lines)
        case "bullet_list" | "ordered_list":
            return sum(ceil(line) + 0.3 for line in lines)
        case "exercise" | "admonition":
            return sum(map(ceil, lines)) + 1.8
        case _:
            return ceil(sum(lines)) + 0.6


def _output_lines(output: NotebookNode) -> float:
    data = output.get("data", {})
    if "application/javascript" in data:
        return 14  # a quiz
    if "<snn-lab" in data.get("text/html", ""):
        return LINES
    if "image/png" in data or "snn-figure" in data.get("text/html", ""):
        return 12.5
    if "text/html" in data:
        return 0.9 * float(data["text/html"].count("<tr")) + 0.5
    if "text/markdown" in data:
        return 0.75 * sum(ceil(len(line) / 115) for line in data["text/markdown"].splitlines()) + 0.5
    return 0.75 * (str(output.get("text") or data.get("text/plain", "")).count("\n") + 1) + 0.3


def _shown(piece: Piece) -> NotebookNode | None:
    """Return the cell that shows a piece; ``None`` for pieces of a solution."""
    if piece.solution or (piece.kind == "code" and re.search(r"^check\(", piece.text, re.MULTILINE)):
        return None
    if piece.kind == "code":
        return _code(piece)
    if piece.kind == "exercise":
        text = f"### Exercise: {piece.title}\n\n{piece.text}"
    elif piece.title:
        kind = "tip" if "tip" in piece.css_class else "note"
        text = f'<div class="box {kind}">\n\n**{piece.title}**\n\n{piece.text}\n\n</div>'
    elif piece.kind == "paragraph":
        text = headline(piece.text)
    elif piece.kind in SHORTENED:
        text = "\n".join(_items(piece.text))
    else:
        text = piece.text
    cell: NotebookNode = new_markdown_cell(text)
    return cell


def _items(text: str) -> Iterator[str]:
    for item in re.split(r"\n(?=(?:[-*]|\d+\.)\s)", text):
        mark = LIST_MARK.match(item)
        assert mark, item
        yield f"{mark[0]}{headline(item[mark.end() :], ITEM)}"


def _code(piece: Piece) -> NotebookNode | None:
    explorer = any(WIDGET in output.get("data", {}) for output in piece.cell.outputs)
    hidden = explorer or HIDDEN & set(piece.cell.metadata.get("tags", []))
    outputs = [_output(output) for output in piece.cell.outputs]
    if hidden and not outputs:
        return None
    metadata = {**piece.cell.metadata, "tags": ["remove-input"] if hidden else []}
    cell: NotebookNode = new_code_cell(re.sub(r"\n{3,}", "\n\n", piece.text), outputs=outputs, metadata=metadata)
    return cell


def _output(output: NotebookNode) -> NotebookNode:
    """Return an output with explorers as HTML and quizzes with the book's MathJax."""
    if "data" not in output:
        return output
    data = NotebookNode({key: value for key, value in output.data.items() if key != WIDGET})
    if "application/javascript" in data:
        data["application/javascript"] = data["application/javascript"].replace(QUIZ_MATHJAX, "_static/mathjax/tex-chtml.js")
    return NotebookNode({**output, "data": data})


def _with_type(kind: str, cell: NotebookNode) -> NotebookNode:
    cell.metadata["slideshow"] = {"slide_type": kind}
    return cell


def write(book: Path, build: Path, folder: Path) -> list[Path]:
    """Write a deck for every chapter of a book and the files that decks load.

    Args:
        book: folder with the chapters.
        build: folder of the built book, with the outputs of its chapters.
        folder: folder to write to.

    Returns:
        the decks, without their index.

    Raises:
        ValueError: a chapter changed since the book was built, or reveal.js is missing.
    """
    source = book / "_slides"
    static = folder / "_static"
    write_assets(static, book / "_mathjax" / "node_modules" / "mathjax" / "es5")
    for file in REVEAL:
        _copy(source / "node_modules" / "reveal.js" / file, static / "reveal" / Path(file).name)
    for name in ("slides.css", "slides.js"):
        _copy(source / name, static / name)

    exporter = SlidesExporter(config=_settings(source))
    known, paths = authors_and_years(book / "references.bib"), chapters(book)
    written, links = [], ""
    for path in paths:
        notebook = deck(_executed(path, build), known, [p.stem for p in paths])
        html, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": path.stem}})
        target = folder / f"{path.stem}.html"
        target.write_text(html, encoding="utf8")
        written.append(target)
        links += f'<li><a href="{target.name}">{escape(notebook.metadata.title)}</a></li>\n'
    (folder / "index.html").write_text(INDEX.format(links=links), encoding="utf8")
    return written


def _copy(source: Path, target: Path) -> None:
    if not source.is_file():
        raise ValueError(f"{str(source)!r} is missing; `make js` installs what slides need")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _settings(source: Path) -> Config:
    c = Config()
    c.SlidesExporter.extra_template_basedirs = [str(source)]
    c.SlidesExporter.template_name = "template"
    c.SlidesExporter.exclude_anchor_links = True
    c.SlidesExporter.exclude_input_prompt = c.SlidesExporter.exclude_output_prompt = True
    c.CSSHTMLHeaderPreprocessor.style = "a11y-high-contrast-light"  # the book's
    return c


def _executed(path: Path, build: Path) -> NotebookNode:
    """Return a chapter with its outputs from the built book."""
    try:
        _, notebook = get_cache(build / ".jupyter_cache").merge_match_into_notebook(read(path))
    except KeyError:
        raise ValueError(f"{path.name} has changed since the book was built; run `make book`") from None
    executed: NotebookNode = notebook
    return executed


if __name__ == "__main__":
    book = Path(__file__).parents[1]
    target = Path(sys.argv[1]) if sys.argv[1:] else Path("_build/slides")
    try:
        decks = write(book, book.parent / "_build", target)
    except ValueError as error:
        sys.exit(f"slides: {error}")
    print(f"{len(decks)} decks: {(target / 'index.html').resolve()}")
