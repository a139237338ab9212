"""The slides: derived from the chapters by rules; decks open from disk."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import BOOK, BUILD, built_book
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import Browser, Page, expect
from visiting import Visit, put

import slides
from chapters import chapters

NAMES = [path.stem for path in chapters(BOOK)]
KNOWN = {"madry2018": ("Madry et al.", "2018")}
EXERCISE = """\
```{exercise} By hand
:label: exit-1
What is $1 + 1$?
```"""
SOLUTION = """\
```{admonition} Hint
:class: dropdown
Count.
```

````{solution-start} exit-1
:class: dropdown
````
It is two."""


def _deck(*cells: NotebookNode) -> list[tuple[str, str]]:
    result = slides.deck(new_notebook(cells=[new_markdown_cell("# Title"), *cells]), KNOWN, ["early_exit"])
    return [(cell.metadata.slideshow.slide_type, cell.source) for cell in result.cells[1:]]


def _hidden(source: str, outputs: list[NotebookNode]) -> NotebookNode:
    return new_code_cell(source, outputs=outputs, metadata={"tags": ["hide-input"]})


def test_a_paragraph_says_its_first_sentences_and_the_notes_all_of_it() -> None:
    long = "Short. " + "More of it, " * 40 + "to the end."
    assert _deck(new_markdown_cell(long)) == [("-", "Short."), ("notes", long)]
    assert _deck(new_markdown_cell("Short. And clear.")) == [("-", "Short. And clear.")]


@pytest.mark.parametrize(
    "text", ["**Both. Belong together.** Then", "In $a. B$ nothing ends. Then", "(See here. And there.) Then"]
)
def test_a_sentence_is_never_cut_where_something_is_open(text: str) -> None:
    assert slides.headline(text, 5) == text.removesuffix(" Then")


def test_a_heading_begins_a_slide_and_what_does_not_fit_goes_on_below() -> None:
    codes = [new_code_cell("\n".join("x" * 15)) for _ in range(2)]
    kinds = [kind for kind, _ in _deck(new_markdown_cell("## One"), *codes, new_markdown_cell("### Two"))]
    assert kinds == ["slide", "-", "subslide", "-", "subslide"]


def test_solutions_and_what_students_fill_in_are_left_out_and_hints_are_for_the_speaker() -> None:
    solved = new_code_cell('check("exit.1", 2)')
    cells = _deck(
        new_markdown_cell(EXERCISE),
        new_code_cell('answer = ...\ncheck("exit.1", answer)'),
        new_markdown_cell(SOLUTION),
        solved,
    )
    assert [kind for kind, _ in cells] == ["-", "notes"]
    assert "By hand" in cells[0][1]
    assert "Count." in cells[1][1]
    assert not any("two" in source or "check" in source for _, source in cells)


def test_hidden_code_without_an_output_is_left_out() -> None:
    assert _deck(_hidden("import torch", [])) == []
    assert _deck(_hidden("1 + 1", [new_output("stream", text="2")])) == [("-", "1 + 1")]


def test_the_metadata_of_a_cell_has_the_last_word() -> None:
    for kind in ("slide", "subslide", "fragment", "notes"):
        cell = new_markdown_cell("Word.", metadata={"slideshow": {"slide_type": kind}})
        assert _deck(cell)[0][0] == kind
    assert _deck(new_markdown_cell("Word.", metadata={"slideshow": {"slide_type": "skip"}})) == []


def test_citations_become_words_and_links_lead_to_decks() -> None:
    ((_, source),) = _deck(new_markdown_cell("{cite:t}`madry2018`, [Exit](early_exit.ipynb), [Claims](claims.ipynb)."))
    assert source == "Madry et al. (2018), [Exit](early_exit.html), Claims."


def test_a_chapter_that_changed_since_the_build_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="make book"):
        slides.write(BOOK, tmp_path, tmp_path / "slides")


@pytest.fixture(scope="module")
def decks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    built_book()
    folder = tmp_path_factory.mktemp("slides")
    slides.write(BOOK, BUILD, folder)
    return folder


@pytest.fixture
def reader(chromium: Browser, decks: Path) -> Iterator[Visit]:
    """A browser that opens a deck from disk, in the size of a projector."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720}, offline=True)
    yield Visit(context, decks.as_uri())
    context.close()


def _show(page: Page, what: str) -> None:
    """Go to the slide with an element."""
    page.evaluate(
        "s => { const { h, v } = Reveal.getIndices(document.querySelector(s).closest('section')); Reveal.slide(h, v); }",
        what,
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_directive_role_or_address_of_a_host_is_left_in_a_deck(decks: Path, name: str) -> None:
    html = (decks / f"{name}.html").read_text(encoding="utf8")
    assert not re.findall(r"```|:class:|\{cite|\{(?:admonition|exercise|solution)", html)
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html)
    assert not re.search(r"cdn\.|unpkg|cdnjs|googleapis", html)


@pytest.mark.parametrize("name", NAMES)
def test_every_deck_opens_and_nothing_is_wider_than_the_screen(reader: Visit, name: str) -> None:
    page = reader.open(name).page
    page.wait_for_function("globalThis.Reveal?.isReady()")
    wide = page.evaluate(
        """() => {
          const found = [];
          for (const slide of Reveal.getSlides()) {
            const { h, v } = Reveal.getIndices(slide);
            Reveal.slide(h, v);
            if (slide.scrollWidth > slide.clientWidth) found.push(`${h}/${v}`);
          }
          return found;
        }"""
    )
    assert wide == []
    assert reader.problems == []


def test_an_explorer_in_a_slide_answers_and_its_keys_do_not_turn_the_slide(reader: Visit) -> None:
    page = reader.open("encoding").page
    page.wait_for_function("globalThis.Reveal?.isReady()")
    _show(page, 'snn-lab[explorer="robustness"]')
    explorer = reader.explorer()
    before, slide, address = explorer.inner_text(), page.evaluate("Reveal.getState()"), page.url
    put(explorer, eps=0.3, encoding="offset")
    expect(explorer).not_to_have_text(before)
    budget = explorer.get_by_role("slider").first
    budget.focus()
    page.keyboard.press("ArrowLeft")
    assert explorer.get_attribute("eps") != "0.3"
    page.wait_for_timeout(300)  # longer than an explorer waits before it writes an address
    assert page.evaluate("Reveal.getState()") == slide
    assert page.url == address, "the address says which slide it is"
    page.keyboard.press("PageDown")  # of a clicker
    assert page.evaluate("Reveal.getState()") != slide
    assert reader.problems == []


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_an_explorer_is_seen_as_a_whole(reader: Visit, size: tuple[int, int]) -> None:
    page = reader.open("encoding").page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function("globalThis.Reveal?.isReady()")
    _show(page, 'snn-lab[explorer="robustness"]')
    box = reader.explorer().bounding_box()
    assert box
    assert box["y"] >= 0
    assert size[1] * 0.8 < box["y"] + box["height"] <= size[1] + 1


@pytest.mark.parametrize("size", [(1280, 720), (1920, 1080)])
def test_a_line_is_dragged_to_where_the_pointer_is(reader: Visit, size: tuple[int, int]) -> None:
    """Explorers are larger or smaller in slides than they think."""
    page = reader.open("encoding").page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    page.wait_for_function("globalThis.Reveal?.isReady()")
    _show(page, 'snn-lab[explorer="robustness"]')
    explorer = reader.explorer()
    box = explorer.locator("svg text", has_text=re.compile(r"^0\.3$")).first.bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] - 40)
    expect(explorer).to_have_attribute("eps", "0.3")


def test_equations_are_typeset_and_figures_described(reader: Visit) -> None:
    page = reader.open("encoding").page
    expect(page.locator("mjx-container[display=true]").first).to_be_attached(timeout=20_000)
    assert page.locator("img:not([alt]), img[alt='']").count() == 0
    assert "$$" not in page.locator(".slides").inner_text()
    assert reader.problems == []


def test_a_quiz_answers_in_a_slide(reader: Visit) -> None:
    page = reader.open("encoding").page
    page.wait_for_function("globalThis.Reveal?.isReady()")
    _show(page, ".Quiz")
    page.locator(".Quiz .MCButton").first.click()
    expect(page.locator(".Quiz .Feedback").first).not_to_be_empty()
    assert reader.problems == []
