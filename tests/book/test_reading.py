"""A student in a second language reads each sentence once: running text, captions and findings of the built book."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import textstat
import yaml
from bs4 import BeautifulSoup
from building import BOOK, built_book

CONTENTS = yaml.safe_load((BOOK / "_toc.yml").read_text(encoding="utf8"))
PAGES = [CONTENTS["root"], *(entry["file"] for entry in CONTENTS["chapters"])]
CHAPTERS = [name for name in PAGES if (BOOK / f"{name}.ipynb").exists()]
LISTS = {"bibliography"}  # whose text is titles of other people
EASE = 60  # Flesch's reading ease: plain English
LONGEST = 35  # words of a sentence
MOST = 3000  # words of a chapter's running text, without what is folded
#: words of a private language, which the field does not use
PRIVATE = re.compile(
    r"\b(?:shelf|shelves|hush(?:es|ed)?|guilt|suspects?|fortress(?:es)?|open eyes|still stands?|who is left|its voice)\b"
)
SENTENCE_ENDS = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][)”\"]))\s+(?=[^a-z])")
#: numbers of one result, and names in a row, which are looked up rather than read
INTERVAL = re.compile(r" ?\[[-+−\d.,  ]+\]")
NAMES = re.compile(r"\bName(?:(?:,| and|, and) Name\b)+")
ABBREVIATED = re.compile(r"\b(al|e\.g|i\.e|cf|vs|Fig|Eq)\.")


@pytest.fixture(scope="module")
def html() -> Path:
    return built_book()


def sentences(page: Path, *, written: bool, folded: bool = True) -> Iterator[str]:
    """Give the sentences of a page: those that were ``written``, or those that its code and its figures say.

    Boxes that are folded at first, such as solutions, can be left out.
    """
    article = BeautifulSoup(page.read_text(encoding="utf8"), "html.parser").find("article")
    unread = "script, style, pre, table, snn-lab, .toctree-wrapper, .headerlink, .claims-ledger, .claims-page"
    unread += "" if folded else ", .dropdown"
    for tag in article.select(unread):
        tag.decompose()
    # A formula, a name of code and the works in a bracket are one word each, or none.
    for tag in article.select(".math"):
        tag.replace_with("x")
    for tag in article.select("code"):
        tag.replace_with("Name")
    text_of = {True: "p, li, dd", False: ".cell_output p, .cell_output li, figcaption p"}[written]
    for tag in article.select(text_of):
        if tag.find(["p", "li", "dd"]) or (written and tag.find_parent(class_=["cell_output", "figure"])):
            continue
        text = re.sub(r"\[[^\[\]]*\d{4}[^\[\]]*\]", "", " ".join(tag.get_text(" ").split()))
        text = NAMES.sub("Name", INTERVAL.sub("", text))
        text = ABBREVIATED.sub(r"\1", re.sub(r"\s+([.,;:!?)])", r"\1", text))
        for sentence in SENTENCE_ENDS.split(text):
            if len(sentence.split()) > 3:
                yield sentence.strip()


@pytest.mark.parametrize("name", [page for page in PAGES if page not in LISTS])
def test_no_sentence_is_too_long_and_words_are_those_of_the_field(html: Path, name: str) -> None:
    said = [s for written in (True, False) for s in sentences(html / f"{name}.html", written=written)]
    assert [s for s in said if len(s.split()) > LONGEST] == []
    assert [s for s in said if PRIVATE.search(s)] == []


@pytest.mark.parametrize("name", CHAPTERS)
def test_chapters_are_easy_to_read_and_not_too_long(html: Path, name: str) -> None:
    text = [s.rstrip(".!?:;,") + "." for s in sentences(html / f"{name}.html", written=True)]
    assert textstat.flesch_reading_ease("\n".join(text)) >= EASE
    assert sum(len(s.split()) for s in sentences(html / f"{name}.html", written=True, folded=False)) <= MOST


def test_measures_see_what_they_should(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text(
        "<article><p>Short words are good. (They are read once [Ding et al., 2025].) See <code>x = 1</code> for it.</p>"
        "<pre>no text at all in here</pre><ul><li>Each point is a sentence</li></ul>"
        "<div class='cell_output'><p>Code said this one sentence.</p></div></article>",
        encoding="utf8",
    )
    assert list(sentences(page, written=True)) == [
        "Short words are good.",
        "(They are read once.)",
        "See Name for it.",
        "Each point is a sentence",
    ]
    assert list(sentences(page, written=False)) == ["Code said this one sentence."]
