"""The book in one file: a PDF and an EPUB, with pictures in the place of explorers."""

import posixpath
import re
import zipfile
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from building import BOOK, BUILD, built_book
from playwright.sync_api import Browser
from pypdf import PdfReader
from pypdf.generic import Destination

import ebook
import paper
from chapters import chapters, pages, questions, read

NAMES = ["intro", "notation", "glossary"]
READ = ["neuron", "fusion", "encoding"]
EXPLORER = (
    '<snn-lab explorer="neuron"><figure><img alt="A neuron fires." src="data:image/png;base64,iVBORw0K"></figure></snn-lab>'
)
QUESTION = {
    "question": "Is $x < 1$?",
    "answers": [{"answer": "Yes", "correct": True, "feedback": "Right."}, {"answer": "No", "feedback": "Wrong."}],
}


def _chapter(body: str, folder: Path, asked: list[dict[str, object]] | None = None) -> str:
    page = f'<article class="bd-article"><section id="top"><h1>Title</h1>{body}</section></article>'
    return paper.chapter(page, "intro", NAMES, folder / "images", asked or ()).html


def test_an_explorer_becomes_a_picture_with_its_words(tmp_path: Path) -> None:
    html = _chapter(EXPLORER, tmp_path)
    assert "snn-lab" not in html
    assert re.search(r'<img alt="A neuron fires\." src="images/\w+\.png"', html)
    assert re.search(r"<figcaption><b>Explorer\. </b>A neuron fires\.", html)
    assert len(list((tmp_path / "images").iterdir())) == 1


def test_a_quiz_is_answered_at_the_end_only(tmp_path: Path) -> None:
    html = _chapter("<script>class Quiz {}</script><h2>Take-aways</h2>", tmp_path, [QUESTION])
    question, _, answers = html.partition("Take-aways")
    assert all(word in question for word in ("Yes", "No", '<span class="math">\\(x &lt; 1\\)</span>'))
    assert "Right." not in question
    assert "<b>Yes</b>. Right." in answers
    assert "script" not in html


def test_folds_are_open_and_hidden_code_is_left_out(tmp_path: Path) -> None:
    html = _chapter('<details><summary>More</summary>text</details><details class="hide">code</details>', tmp_path)
    assert '<div class="fold"><p class="fold-title">More</p>text</div>' in html
    assert "code" not in html


def test_links_lead_into_the_file_or_to_other_hosts(tmp_path: Path) -> None:
    links = {"glossary.html#term-x": "#glossary--term-x", "#top": "#intro--top", "https://a.org": "https://a.org"}
    html = _chapter("".join(f'<a href="{link}">x</a>' for link in links), tmp_path)
    assert re.findall('href="([^"]+)"', html) == list(links.values())
    assert "href" not in _chapter('<a href="genindex.html">x</a>', tmp_path)
    assert 'href="#notation"' in _chapter('<a href="notation.html#exit?eps=0.1">x</a>', tmp_path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built_book()
    return tmp_path_factory.mktemp("forms")


@pytest.fixture(scope="module")
def pdf(folder: Path, chromium: Browser) -> PdfReader:
    paper.write_pdf(chromium, BUILD, folder / "book.pdf")
    return PdfReader(folder / "book.pdf")


@pytest.fixture(scope="module")
def epub(folder: Path, chromium: Browser) -> dict[str, bytes]:
    ebook.write_epub(chromium, BUILD, folder / "book.epub")
    with zipfile.ZipFile(folder / "book.epub") as file:
        assert file.infolist()[0].filename == "mimetype"
        assert file.infolist()[0].compress_type == zipfile.ZIP_STORED
        return {name: file.read(name) for name in file.namelist()}


@pytest.mark.case("one PDF of the book")
def test_the_pdf_has_every_page_of_the_book_in_its_outline_and_contents(pdf: PdfReader) -> None:
    chapter_entries = [entry for entry in pdf.outline if isinstance(entry, Destination)]
    assert len(chapter_entries) == len(pages(BOOK))
    assert 250 < len(pdf.pages) < 700
    contents = "\n".join(page.extract_text() for page in pdf.pages[1:5])
    for entry in chapter_entries:
        number = 1 + (pdf.get_destination_page_number(entry) or 0)
        assert re.search(rf"^{re.escape(str(entry.title))}\s*{number}$", contents, re.MULTILINE), entry.title


def _plain(title: str) -> str:
    return "".join(title.split())


@pytest.fixture(scope="module")
def texts(pdf: PdfReader) -> dict[str, str]:
    """The text of three chapters in the file, without spaces: to read them all takes a minute."""
    starts = [pdf.get_destination_page_number(entry) or 0 for entry in pdf.outline if isinstance(entry, Destination)]
    spans = dict(zip(pages(BOOK), pairwise(starts), strict=False))
    return {name: _plain("".join(p.extract_text() for p in pdf.pages[slice(*spans[name])])) for name in READ}


@pytest.mark.parametrize("name", READ)
def test_no_line_of_code_is_cut(texts: dict[str, str], name: str) -> None:
    cells = [
        cell for cell in read(BOOK / f"{name}.ipynb").cells if cell.cell_type == "code" and not cell.metadata.get("tags")
    ]
    for line in (line for cell in cells for line in cell.source.splitlines() if line.isascii()):
        assert _plain(line) in texts[name], line


@pytest.mark.parametrize("name", READ)
def test_every_explorer_is_a_picture_with_a_caption(texts: dict[str, str], name: str) -> None:
    shown = (BUILD / "html" / f"{name}.html").read_text("utf8").count("<snn-lab ")
    assert texts[name].count("Explorer.") == shown > 0


@pytest.mark.case("one EPUB of the book")
def test_the_epub_is_well_formed_complete_and_without_scripts(epub: dict[str, bytes]) -> None:
    texts = {name: ET.fromstring(content) for name, content in epub.items() if name.endswith((".xhtml", ".opf"))}
    assert {f"book/{name.replace('/', '-')}.xhtml" for name in pages(BOOK)} <= set(texts)
    listed = {f"book/{item.get('href')}" for item in texts["book/content.opf"].iter("{http://www.idpf.org/2007/opf}item")}
    assert listed == {name for name in epub if name.startswith("book/")} - {"book/content.opf"}
    ids = {name: [e.get("id") for e in tree.iter() if e.get("id")] for name, tree in texts.items()}
    for name, tree in texts.items():
        tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
        assert not tags & {"script", "snn-lab", "button", "details", "mjx-container"}, name
        assert len(ids[name]) == len(set(ids[name])), name
        for element in tree.iter():
            if source := element.get("src"):
                assert f"book/{source}" in epub
                assert element.get("alt") is not None
            link = element.get("href", "")
            if link and ":" not in link and element.tag.endswith("}a"):
                file, _, place = link.partition("#")
                assert place == "" or place in ids[posixpath.join("book", file)], link


def test_equations_and_answers_are_in_the_epub(epub: dict[str, bytes]) -> None:
    for path in chapters(BOOK):
        text = epub[f"book/{path.stem}.xhtml"].decode()
        assert "<math" in text
        assert "\\(" not in text
        for question in questions(read(path)):
            assert all(
                str(answer["answer"])[:5] in text
                for answer in question["answers"]
                if "answer" in answer and "$" not in answer["answer"]
            )
