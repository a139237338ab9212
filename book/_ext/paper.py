"""Print the built book into one PDF, with pictures in the place of explorers.

    python book/_ext/paper.py [OUT]    # `make pdf`; OUT is _build/spiking-networks-under-attack.pdf

The articles of the built pages are joined into one page without scripts of the book, and Chromium prints it. On paper nothing can
be opened, moved or clicked: folds are open, hidden code is left out, an explorer is its still picture with a caption, and a
quiz is a list of questions whose answers stand at the end of the chapter. Links lead to places in the file. The book is printed
twice: the first pass finds the page numbers of the contents.
"""

from __future__ import annotations

import base64
import hashlib
import posixpath
import re
import shutil
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import yaml
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page, sync_playwright
from pypdf import PdfReader

from chapters import pages, questions, read
from pictures import BROWSERS

__all__ = ["Chapter", "articles", "chapter", "read_book", "settings", "typeset", "write_pdf", "written"]

BOOK = Path(__file__).parents[1]
STYLE = BOOK / "_paper"
NAME = "spiking-networks-under-attack"

#: what only works on a screen
DROPPED = "a.headerlink, script, style, button, fieldset, img.snn-dark, details.hide, .toctree-wrapper"
#: folds that lead through the pages
PATHS = "Where the chapters use"
#: headings that every chapter has, which the contents need not repeat
FRAME = ("What we measured", "How could this be wrong?", "Exercises", "Quiz", "Take-aways", "Further reading")
#: attributes of old HTML, which XHTML does not have, and handlers
OLD = ("border", "align", "valign", "onclick", "open", "width", "height")
WIDTH = 643  # pixels of 170 mm, the width of a text on A4
DATA = re.compile(r"data:image/(?P<kind>png|svg\+xml|jpeg)(?P<base64>;base64)?,(?P<bytes>.*)", re.DOTALL)
MATH = re.compile(r"\$([^$]+)\$")


@dataclass(frozen=True)
class Chapter:
    """A page of the book, ready to be printed.

    Args:
        name: name of the page, as ``"api/encoding"``.
        title: its heading.
        html: its article; anchors begin with the name of the page.
        sections: title of each section, by its anchor.
        style: the style sheets of its outputs.
    """

    name: str
    title: str
    html: str
    sections: Mapping[str, str]
    style: str = ""

    @property
    def anchor(self) -> str:
        """The anchor of the chapter itself."""
        return _anchor(self.name)


def _anchor(page: str, place: str = "") -> str:
    return page.replace("/", "-") + (f"--{place}" if place else "")


def chapter(html: str, name: str, names: Collection[str], images: Path, asked: Sequence[Mapping[str, Any]] = ()) -> Chapter:
    """Return a page of the built book as a chapter of a file.

    Args:
        html: the built page.
        name: its name.
        names: names of all pages in the file; links to other pages become plain text.
        images: folder that the pictures of the page are written to, and are shown from.
        asked: the questions of its quiz.

    >>> page = '<article class="bd-article"><section id="a"><h1>One</h1><a href="two.html#b">Two</a></section></article>'
    >>> chapter(page, "one", ["one", "two"], Path("images")).html
    '<section id="one--a"><h1>One</h1><a href="#two--b">Two</a></section>'
    """
    soup = BeautifulSoup(html, "html.parser")
    article = soup.select_one("article.bd-article")
    assert article, f"{name}: no article"
    for explorer in article.select("snn-lab"):
        explorer.replace_with(_picture(soup, explorer))
    if asked:
        _write_quiz(article, asked)
    styles = [style.get_text() for style in article.select("style") if ".Quiz" not in style.get_text()]
    for element in article.select(DROPPED):
        element.decompose()
    for fold in article.select("details"):
        if fold.get_text().strip().startswith(PATHS):
            fold.decompose()
            continue
        fold.name = "div"
        fold["class"] = "fold"
    for summary in article.select("summary"):
        summary.name = "p"
        summary["class"] = "fold-title"
    for image in article.select("img"):
        image["src"] = _saved(str(image["src"]), images)
    places: set[str] = set()
    for element in article.find_all(True):
        for attribute in OLD:
            element.attrs.pop(attribute, None)
        if "id" in element.attrs and (place := _anchor(name, str(element.attrs.pop("id")))) not in places:
            element["id"] = place  # Sphinx writes some twice
            places.add(place)
    for link in article.select("a[href]"):
        _lead(link, name, names)
    heading = article.select_one("h1")
    assert heading, f"{name}: no heading"
    sections = {
        str(section["id"]): h2.get_text().strip()
        for section in article.select("section[id]")
        if (h2 := section.find("h2", recursive=False)) and h2.get_text().strip() not in FRAME
    }
    return Chapter(name, heading.get_text().strip(), article.decode_contents().strip(), sections, "".join(styles))


def _picture(soup: BeautifulSoup, explorer: Tag) -> Tag:
    """Return the still picture of an explorer, with what it shows in words."""
    image = explorer.select_one("img")
    assert image, "an explorer without a still picture"
    figure = soup.new_tag("figure", attrs={"class": "explorer"})
    caption = soup.new_tag("figcaption")
    label = soup.new_tag("b")
    label.string = "Explorer. "
    caption.append(label)
    caption.append(f"{image['alt']} On the page of the book you can change it.")
    figure.extend([image.extract(), caption])
    return figure


def _write_quiz(article: Tag, asked: Sequence[Mapping[str, Any]]) -> None:
    """Write the questions in the place of their scripts, and the answers at the end."""
    scripts = [
        script for script in article.select("script") if "jupyterquiz" in script.get_text() or "Quiz" in script.get_text()
    ]
    assert scripts, "no quiz"
    items = "".join(f"<li>{_words(q['question'])}{_choices(q['answers'])}</li>" for q in asked)
    scripts[0].replace_with(_fragment(f'<ol class="quiz">{items}</ol>'))
    answers = "".join(f"<li>{'; '.join(map(_reason, filter(_is_right, q['answers'])))}</li>" for q in asked)
    target = article.select_one("section") or article
    target.append(_fragment(f'<section class="answers"><h2>Answers to the quiz</h2><ol>{answers}</ol></section>'))


def _choices(answers: Sequence[Mapping[str, Any]]) -> str:
    return f"<ol>{''.join(f'<li>{_words(_answer(a))}</li>' for a in answers)}</ol>"


def _is_right(answer: Mapping[str, Any]) -> bool:
    return bool(answer.get("correct"))


def _answer(answer: Mapping[str, Any]) -> str:
    return str(answer.get("answer", answer.get("value", answer.get("range", "another answer"))))


def _reason(answer: Mapping[str, Any]) -> str:
    return f"<b>{_words(_answer(answer))}</b>. {_words(str(answer.get('feedback', '')))}"


def _words(text: str) -> str:
    r"""Return the text of a quiz as HTML, with its equations for MathJax.

    >>> _words("Is $x < 1$?")
    'Is <span class="math">\\(x &lt; 1\\)</span>?'
    """
    return MATH.sub(r'<span class="math">\\(\1\\)</span>', escape(text, quote=False))


def _fragment(html: str) -> BeautifulSoup:
    return BeautifulSoup(html, "html.parser")


def _saved(source: str, images: Path) -> str:
    """Write an image of a page into the folder ``images``; return its address there."""
    found = DATA.fullmatch(source)
    if not found:
        return f"{images.name}/{posixpath.basename(source)}"
    content = base64.b64decode(found["bytes"]) if found["base64"] else unquote_to_bytes(found["bytes"])
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{found['kind'].partition('+')[0]}"
    if not (images / name).is_file():
        images.mkdir(parents=True, exist_ok=True)
        (images / name).write_bytes(content)
    return f"{images.name}/{name}"


def _lead(link: Tag, page: str, names: Collection[str]) -> None:
    """Make a link lead to a place in the file; without one it becomes plain text."""
    target, _, place = str(link["href"]).partition("#")
    if re.match(r"\w+:", target):
        return
    goal = posixpath.normpath(posixpath.join(posixpath.dirname(page), target)).removesuffix(".html") if target else page
    if goal not in names:
        link.unwrap()
        return
    link.attrs = {key: value for key, value in link.attrs.items() if key == "class"}
    link["href"] = f"#{_anchor(goal, '' if '?' in place else place)}"


def read_book(build: Path, folder: Path) -> list[Chapter]:
    """Return the chapters of the built book in ``build``; their pictures are written to ``folder/images``."""
    names, images = pages(BOOK), folder / "images"
    images.mkdir(parents=True, exist_ok=True)
    for file in [*(build / "html").glob("_images/*"), *(BOOK / "_assets").glob("*.png")]:
        shutil.copy(file, images)
    return [
        chapter((build / "html" / f"{name}.html").read_text(encoding="utf8"), name, names, images, _asked(name))
        for name in names
    ]


def _asked(name: str) -> list[dict[str, Any]]:
    path = BOOK / f"{name}.ipynb"
    return questions(read(path)) if path.is_file() else []


@contextmanager
def typeset(browser: Browser, build: Path, folder: Path, body: str, style: str = "") -> Iterator[Page]:
    """Yield a page with a text whose equations MathJax has typeset.

    Args:
        browser: Chromium.
        build: folder of the built book.
        folder: folder to write the page to; it holds the pictures.
        body: HTML.
        style: style sheet.
    """
    static = (build / "html" / "_static").resolve()
    sheets = "".join((static / name).read_text(encoding="utf8") for name in ("palette.css", "pygments.css"))
    path = folder / "book.html"
    path.write_text(
        f'<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>{settings()["title"]}</title>'
        f"<style>{sheets}{style}</style><script>window.MathJax = {{options: {{processHtmlClass: 'math', "
        "ignoreHtmlClass: 'tex2jax_ignore|mathjax_ignore', enableMenu: false}}</script>"
        f'<script src="{(static / "mathjax" / "tex-chtml.js").as_uri()}"></script></head><body>{body}</body></html>',
        encoding="utf8",
    )
    page = browser.new_page(viewport={"width": WIDTH, "height": 900})
    page.set_default_timeout(240_000)
    page.goto(path.resolve().as_uri())
    page.evaluate("MathJax.startup.promise.then(() => document.fonts.ready).then(() => true)")
    yield page
    page.close()


def settings() -> dict[str, Any]:
    """Return the settings of the book."""
    config: dict[str, Any] = yaml.safe_load((BOOK.parent / "_config.yml").read_text(encoding="utf8"))
    return config


#: Let wide tables break their lines, and make what is still wider than the page as small as it must be.
FIT = """() => {
  const width = (element) => Math.max(element.scrollWidth, element.getBoundingClientRect().width);
  const excess = (wide) => Math.max(width(wide), wide.firstElementChild ? width(wide.firstElementChild) : 0)
    / (wide.parentElement.getBoundingClientRect().width - 1);
  for (const wide of document.querySelectorAll('table, mjx-container[display]')) {
    if (excess(wide) > 1.35) wide.classList.add('wraps');
    const ratio = excess(wide);
    if (ratio > 1) wide.style.zoom = Math.max(0.4, 1 / ratio);
  }
}"""


def write_pdf(browser: Browser, build: Path, target: Path) -> list[Chapter]:
    """Print the built book.

    Args:
        browser: Chromium.
        build: folder of the built book.
        target: the file to write.

    Returns:
        the chapters in it.
    """
    folder = target.parent / "paper"
    book = read_book(build, folder)
    style = (STYLE / "paper.css").read_text(encoding="utf8") + "".join(map(_page_style, book))
    with typeset(browser, build, folder, f"{_front(book)}{articles(book)}", style) as page:
        page.emulate_media(media="print")
        page.evaluate(FIT)
        options: dict[str, Any] = {
            "path": target,
            "prefer_css_page_size": True,
            "outline": True,
            "tagged": True,
            "print_background": True,
        }
        page.pdf(**options)
        numbers = _page_numbers(target)
        page.evaluate(
            "n => document.querySelectorAll('.contents b').forEach((b) => { b.textContent = n[b.id] ?? ''; })", numbers
        )
        page.pdf(**options)
    return book


def articles(book: Sequence[Chapter]) -> str:
    """Return the chapters in a row."""
    return "".join(f'<div class="chapter {c.anchor}{_kind(c)}" id="{c.anchor}">{c.html}</div>' for c in book)


def _kind(c: Chapter) -> str:
    return " api-page" if c.name.startswith("api/") else ""


def _page_style(c: Chapter) -> str:
    """Return the style sheets of a chapter; its pages have its title at the top."""
    title = c.title.replace("\\", "").replace('"', "'")
    return (
        f'{c.style} .chapter.{c.anchor} {{ page: {c.anchor} }} @page {c.anchor} {{ @top-left {{ content: "{title}" }} }}\n'
    )


def _front(book: Sequence[Chapter]) -> str:
    """Return the title page and the contents, with an empty place for each page number."""
    config = settings()
    entries = ""
    for c in book:
        entries += f'<li class="part"><a href="#{c.anchor}">{escape(c.title)}</a><b id="to-{c.anchor}"></b></li>'
        if "/" not in c.name:
            entries += "".join(
                f'<li><a href="#{place}">{escape(title)}</a><b id="to-{place}"></b></li>'
                for place, title in c.sections.items()
            )
    return (
        f'<div class="cover"><p class="cover-title">{config["title"]}</p><p>{config["author"]}</p>'
        '<img src="images/explorer.png" alt=""><p class="small">The book on paper. Its explorers are pictures here; '
        "on its pages they compute. Text and figures: CC BY 4.0. Code: MIT.</p></div>"
        f'<div class="contents"><p class="contents-title">Contents</p><ul>{entries}</ul></div>'
    )


def _page_numbers(path: Path) -> dict[str, str]:
    """Return the page of each place that a link leads to, by the name of its number in the contents."""
    reader = PdfReader(path)
    places = reader.named_destinations
    pages = {page.indirect_reference.idnum: k for k, page in enumerate(reader.pages, 1) if page.indirect_reference}
    return {f"to-{name.lstrip('/')}": str(pages[place.page.idnum]) for name, place in places.items()}  # type: ignore[union-attr]


@contextmanager
def browser() -> Iterator[Browser]:
    """Yield a Chromium."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        yield playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])


def written(write: Callable[[Browser, Path, Path], list[Chapter]], ending: str) -> Path:
    """Write the book of ``_build``, say how many pages went into the file, and return the file.

    Args:
        write: writes it, from the browser, the folder of the built book and the file.
        ending: of the file, whose name can be given in the command line.
    """
    build = BOOK.parent / "_build"
    target = Path(sys.argv[1]) if sys.argv[1:] else build / f"{NAME}.{ending}"
    with browser() as chromium:
        book = write(chromium, build, target)
    print(f"{len(book)} pages of the book: {target.resolve()}")
    return target


def main() -> None:
    """Print the book of ``_build``."""
    print(f"{len(PdfReader(written(write_pdf, 'pdf')).pages)} pages of paper")


if __name__ == "__main__":
    main()
