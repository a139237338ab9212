"""Pages from disk ask no other host, and cut nothing.

What is wider than its box scrolls, shows that it does, and can be scrolled to its end.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from building import BOOK
from playwright.sync_api import Browser, Page, expect
from visiting import Visit, pages, places

import chapters

WIDTHS = (1680, 1400, 1280, 768, 390)
CHAPTERS = [path.stem for path in chapters.chapters(BOOK)]

#: boxes that are wider inside than outside and do not scroll, do not show it, or end before their content ends
CUT = """() => {
    const problems = [];
    const name = (e) => `${e.tagName} ${e.className} ${e.textContent.trim().slice(0, 40)}`;
    for (const box of document.querySelectorAll('.bd-article, .bd-article *')) {
        if (box.closest('snn-lab, svg, mjx-assistive-mml, mjx-ext, .visually-hidden') || !box.getClientRects().length) continue;
        const style = getComputedStyle(box);
        if (style.display === 'inline' || box.scrollWidth <= box.clientWidth + 1) continue;
        if (box.querySelector('mjx-container') && style.overflowX !== 'auto' && box.matches('span.math')) continue;
        if (style.overflowX === 'visible') continue;  // then a box around it scrolls, or the page is too wide
        if (!/auto|scroll/.test(style.overflowX)) { problems.push(`hides: ${name(box)}`); continue; }
        if (!box.matches('.snn-more-right, .snn-more-left')) problems.push(`shows no sign: ${name(box)}`);
        box.scrollLeft = 1e6;
        if (box.scrollLeft + box.clientWidth < box.scrollWidth - 2) problems.push(`ends early: ${name(box)}`);
        box.scrollLeft = 0;
    }
    if (document.documentElement.scrollWidth > innerWidth) problems.push('the page scrolls sideways');
    return problems;
}"""

#: cells that scroll although their code has eighty columns at most
LONG = """() => [...document.querySelectorAll('.bd-article .cell_input pre')]
    .filter((e) => e.getClientRects().length && e.scrollWidth > e.clientWidth + 1)
    .map((e) => e.textContent).filter((code) => code.split('\\n').every((line) => line.length <= 80))"""


def unfold(page: Page) -> None:
    """Unfold everything and wait for equations."""
    page.evaluate(
        """async () => {
            for (const fold of document.querySelectorAll('details')) fold.open = true;
            for (const fold of document.querySelectorAll('.toggle-button-hidden')) fold.click();
            await globalThis.MathJax?.startup?.promise;
        }"""
    )
    settle(page)


def settle(page: Page) -> None:
    """Wait until what observes sizes has seen the present ones."""
    page.evaluate(
        "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 60))))"
    )


@pytest.mark.parametrize("name", pages())
def test_page_asks_no_other_host_and_nothing_is_cut_at_any_width(name: str, chromium: Browser, book: Path) -> None:
    """From disk; ``test_policy.py`` has the same page on a server."""
    context = chromium.new_context(viewport={"width": WIDTHS[0], "height": 900})
    visit = Visit(context, book.as_uri()).open(name)
    for kind, place in places():
        if place == name:
            visit.explorer(kind)
    page = visit.page
    unfold(page)
    cut: dict[int, Any] = {}
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        if problems := [*page.evaluate(CUT), *(page.evaluate(LONG) if name in CHAPTERS and width >= 768 else ())]:
            cut[width] = problems
    page.wait_for_function("performance.now() > 2500")  # longer than any script of the page waits before it loads something
    assert cut == {}
    assert visit.problems == []
    context.close()


def test_figures_follow_the_theme_and_are_numbered(chromium: Browser, book: Path) -> None:
    for scheme in ("light", "dark"):
        context = chromium.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page = Visit(context, book.as_uri()).open("fusion").page
        figures = page.locator(".snn-figure")
        for k in range(figures.count()):
            expect(figures.nth(k).locator(f"img.snn-{scheme}")).to_be_visible()
            assert figures.nth(k).locator("img:visible").count() == 1
            expect(figures.nth(k).locator("figcaption")).to_contain_text(f"Figure {k + 1}. ")
        assert figures.count() >= 1
        context.close()


def test_letters_of_figures_are_legible_on_a_phone(chromium: Browser, book: Path) -> None:
    """Their smallest letters have 8 pt."""
    context = chromium.new_context(viewport={"width": 390, "height": 800})
    page = Visit(context, book.as_uri()).open("fusion").page
    scales = page.evaluate(
        "() => [...document.querySelectorAll('.snn-figure img.snn-light')].map((e) => e.width / parseFloat(e.style.width))"
    )
    context.close()
    assert scales
    assert all(8 * 96 / 72 * scale >= 8 for scale in scales)


def test_headings_lose_weight_with_their_level(reader: Visit) -> None:
    page = reader.open("fusion").page
    look = page.evaluate(
        """() => ['h1', 'h2', 'h3'].map((level) => {
            const { fontSize, fontWeight } = getComputedStyle(document.querySelector(`.bd-article ${level}`));
            return [parseFloat(fontSize), Number(fontWeight)];
        })"""
    )
    assert look == sorted(look, reverse=True)
    assert len({size for size, _ in look}) == 3


def test_a_word_of_the_glossary_shows_its_definition(reader: Visit) -> None:
    page = reader.open("glossary").page
    page.evaluate(
        """() => {
            const link = document.querySelector('.bd-article p');
            link.innerHTML = '<a class="snn-term" href="#" title="A definition.">word</a>';
            dispatchEvent(new Event('DOMContentLoaded'));
        }"""
    )
    word = page.locator("a.snn-term").first
    note = page.get_by_role("tooltip").last
    word.focus()
    expect(note).to_have_text("A definition.")
    page.keyboard.press("Escape")
    expect(note).to_be_hidden()
    word.hover()
    expect(note).to_be_visible()
