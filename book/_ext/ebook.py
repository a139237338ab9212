"""Write the built book as one EPUB, with pictures in the place of explorers.

    python book/_ext/ebook.py [OUT]    # `make epub`; OUT is _build/spiking-networks-under-attack.epub

Its chapters are those of the PDF (``paper.py``), a file each. Equations are MathML, which MathJax writes in Chromium; the file
contains no script. EPUB 3 (W3C 2023).
"""

from __future__ import annotations

import re
import uuid
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from html import escape
from pathlib import Path

from playwright.sync_api import Browser

from paper import NAME, STYLE, Chapter, articles, read_book, settings, typeset, written

__all__ = ["write_epub"]

TYPES = {
    "png": "image/png",
    "svg": "image/svg+xml",
    "jpeg": "image/jpeg",
    "xhtml": "application/xhtml+xml",
    "css": "text/css",
}
#: replace what MathJax has set by MathML, and return each chapter as XHTML
SERIALISE = """() => {
  for (const set of document.querySelectorAll('mjx-container')) {
    const math = set.querySelector('math');
    for (const part of [math, ...math.querySelectorAll('*')])
      for (const {name} of [...part.attributes]) if (name.startsWith('data-')) part.removeAttribute(name);
    set.replaceWith(math);
  }
  return [...document.querySelectorAll('.chapter')].map((chapter) => new XMLSerializer().serializeToString(chapter));
}"""
HREF = re.compile(r'href="#([^"]+)"')
ID = re.compile(r' id="([^"]+)"')
SHOWN = re.compile(r'src="(images/[^"]+)"')
CONTAINER = (
    '<?xml version="1.0"?>\n<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="book/content.opf" media-type="application/oebps-package+xml"/></rootfiles></container>\n'
)
COVER = "images/card.png"


def write_epub(chromium: Browser, build: Path, target: Path) -> list[Chapter]:
    """Write the built book.

    Args:
        chromium: the browser that writes the equations.
        build: folder of the built book.
        target: the file to write.

    Returns:
        the chapters in it.
    """
    folder = target.parent / "paper"
    book = read_book(build, folder)
    with typeset(chromium, build, folder, articles(book)) as page:
        bodies: list[str] = page.evaluate(SERIALISE)
    homes = {place: f"{c.anchor}.xhtml" for c, body in zip(book, bodies, strict=True) for place in ID.findall(body)}
    bodies = [_linked(body, homes) for body in bodies]
    title = settings()["title"]
    front = f'<div class="cover"><h1>{title}</h1><p>{settings()["author"]}</p><img src="{COVER}" alt=""/></div>'
    files = {"title.xhtml": _xhtml(title, front), "nav.xhtml": _xhtml("Contents", _contents(book))}
    files |= {f"{c.anchor}.xhtml": _xhtml(c.title, body, c.style) for c, body in zip(book, bodies, strict=True)}
    static = build / "html" / "_static"
    files["book.css"] = "".join((static / name).read_text(encoding="utf8") for name in ("palette.css", "pygments.css")) + (
        STYLE / "epub.css"
    ).read_text(encoding="utf8")
    images = sorted({COVER, *(image for body in bodies for image in SHOWN.findall(body))})
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as epub:
        epub.writestr("mimetype", "application/epub+zip", zipfile.ZIP_STORED)  # first, and not compressed
        epub.writestr("META-INF/container.xml", CONTAINER)
        epub.writestr("book/content.opf", _package(files, images))
        for name, text in files.items():
            epub.writestr(f"book/{name}", text)
        for image in images:
            epub.write(folder / image, f"book/{image}")
    return book


def _linked(body: str, homes: Mapping[str, str]) -> str:
    """Return a chapter whose links lead to the files of the others; a link to nowhere leads to the title page."""
    return HREF.sub(lambda link: f'href="{homes[link[1]]}#{link[1]}"' if link[1] in homes else 'href="title.xhtml"', body)


def _xhtml(title: str, body: str, style: str = "") -> str:
    sheet = f"<style>/*<![CDATA[*/{style}/*]]>*/</style>" if style else ""
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" '
        'xmlns:epub="http://www.idpf.org/2007/ops" lang="en" xml:lang="en" data-theme="light">'
        f'<head><meta charset="utf-8"/><title>{escape(title)}</title><link rel="stylesheet" type="text/css" href="book.css"/>'
        f"{sheet}</head><body>{body}</body></html>\n"
    )


def _contents(book: Sequence[Chapter]) -> str:
    entries = ""
    for c in book:
        parts = "".join(f'<li><a href="{c.anchor}.xhtml#{place}">{escape(t)}</a></li>' for place, t in c.sections.items())
        entries += f'<li><a href="{c.anchor}.xhtml">{escape(c.title)}</a>{f"<ol>{parts}</ol>" if parts else ""}</li>'
    return f'<nav epub:type="toc"><h1>Contents</h1><ol>{entries}</ol></nav>'


def _package(files: Mapping[str, str], images: Iterable[str]) -> str:
    """Return the list of all files, and the order in which they are read."""
    config, items, spine = settings(), "", ""
    for k, (name, text) in enumerate(files.items()):
        kinds = [kind for kind, sign in {"nav": 'epub:type="toc"', "mathml": "<math"}.items() if sign in text]
        properties = f' properties="{" ".join(kinds)}"' if kinds else ""
        items += f'<item id="f{k}" href="{name}" media-type="{TYPES[name.rpartition(".")[2]]}"{properties}/>'
        spine += f'<itemref idref="f{k}"/>' if name.endswith(".xhtml") else ""
    for k, name in enumerate(images):
        cover = ' properties="cover-image"' if name == COVER else ""
        items += f'<item id="i{k}" href="{name}" media-type="{TYPES[name.rpartition(".")[2]]}"{cover}/>'
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n<package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="id" xml:lang="en"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:identifier id="id">urn:uuid:{uuid.uuid5(uuid.NAMESPACE_DNS, NAME)}</dc:identifier>'
        f"<dc:title>{escape(config['title'])}</dc:title><dc:creator>{escape(config['author'])}</dc:creator>"
        "<dc:language>en</dc:language><dc:rights>Text and figures: CC BY 4.0. Code: MIT.</dc:rights>"
        f'<meta property="dcterms:modified">{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}</meta></metadata>'
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>\n"
    )


def main() -> None:
    """Write the book of ``_build``."""
    written(write_epub, "epub")


if __name__ == "__main__":
    main()
