"""The book on a server that allows little (`POLICY` in visiting.py): no page breaks the policy, and all that it has works."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from building import BOOK
from playwright.sync_api import Browser, Route, expect
from visiting import SAYS, Visit, every_page, pages, places

#: terms that the search of Sphinx, without its page, does not find in the glossary
FIND = """(terms) => terms.filter((term) => !Search._performSearch(...Search._parseQuery(term))
    .some(([page, , anchor]) => page === "glossary" && anchor.startsWith("#term-")))"""
TERMS = re.findall(r"^(\S.*)\n  \S", (BOOK / "glossary.md").read_text(encoding="utf8"), flags=re.MULTILINE)
QUIZZES = [name for name in pages() if (BOOK / f"{name}.ipynb").is_file() and "quiz" in (BOOK / f"{name}.ipynb").read_text()]

#: violations are noted before the first script of a page runs
WATCH = """
globalThis.violations = [];
addEventListener('securitypolicyviolation', (e) => violations.push(`${e.effectiveDirective}: ${e.blockedURI}`));
"""


@pytest.fixture
def guarded(chromium: Browser, address: str) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.add_init_script(WATCH)
    yield Visit(context, address)
    context.close()


def _violations(visit: Visit) -> list[str]:
    found: list[str] = visit.page.evaluate("violations")
    return found + visit.problems


def test_the_policy_is_in_force(guarded: Visit) -> None:
    guarded.open("intro").page.evaluate("setTimeout('0')")  # a string to evaluate
    assert any("script-src" in found for found in _violations(guarded))


@pytest.mark.parametrize("name", every_page())
def test_page_keeps_to_the_policy(name: str, guarded: Visit) -> None:
    guarded.open(name)
    for kind, place in places():
        if place == name:
            guarded.explorer(kind)
    equations = guarded.page.locator(".math")
    expect(guarded.page.locator(".math mjx-math")).to_have_count(equations.count())
    guarded.page.wait_for_timeout(500)
    assert _violations(guarded) == []


@pytest.mark.parametrize(("kind", "place"), places())
def test_explorer_answers_under_the_policy(kind: str, place: str, guarded: Visit) -> None:
    explorer = guarded.open(place).explorer(kind)
    before = explorer.evaluate(SAYS)
    explorer.locator("input[type=range]:enabled").first.focus()
    for _ in range(4):
        guarded.page.keyboard.press("ArrowLeft")
    guarded.page.wait_for_function(f"([e, before]) => ({SAYS})(e) !== before", arg=[explorer.element_handle(), before])
    assert _violations(guarded) == []


@pytest.mark.parametrize("name", QUIZZES)
def test_quiz_answers_under_the_policy(name: str, guarded: Visit) -> None:
    quiz = guarded.open(name).page.locator(".Quiz").first
    for choice in quiz.locator("label.MCButton").all():
        choice.click()
        expect(quiz.locator(".Feedback")).to_have_text(choice.get_attribute("data-feedback") or re.compile(r"\w"))
    assert _violations(guarded) == []


def test_quiz_waits_for_a_mathjax_that_is_slow_to_come(guarded: Visit) -> None:
    def late(route: Route) -> None:
        time.sleep(1.5)
        route.continue_()

    guarded.page.route("**/tex-chtml.js*", late)
    guarded.open(QUIZZES[0])
    expect(guarded.page.locator(".math mjx-math")).not_to_have_count(0)
    guarded.page.locator(".Quiz label.MCButton").first.click()
    expect(guarded.page.locator(".Quiz .Feedback").first).to_have_text(re.compile(r"\w"))
    assert _violations(guarded) == []


def test_search_finds_every_term_of_the_glossary(guarded: Visit) -> None:
    """By the keys that the page names, and then as the page of the search looks it up."""
    page = guarded.open("intro").page
    page.keyboard.press("Control+k")
    page.keyboard.type(TERMS[0])
    page.keyboard.press("Enter")
    found = page.locator('#search-results a[href*="glossary.html#term-"]')
    expect(found.first).to_be_visible(timeout=60_000)
    expect(page.locator("#search-results .search-summary")).to_contain_text("finished", timeout=60_000)
    missing = page.evaluate(FIND, TERMS)
    assert len(TERMS) > 20
    assert missing == []
    assert _violations(guarded) == []
