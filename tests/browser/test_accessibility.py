"""Every page as axe-core reads it, light and dark, wide and on a phone: explorers and whatever is folded included.

None is wider than a phone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from visiting import Visit, every_page, places

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = {"serious", "critical"}

#: what is hidden is not judged, so everything that a reader can unfold is unfolded first
UNFOLD = """async () => {
    const roots = [document, ...[...document.querySelectorAll('snn-lab')].map((e) => e.shadowRoot)];
    for (const root of roots) for (const fold of root?.querySelectorAll('details') ?? []) fold.open = true;
    for (const fold of document.querySelectorAll('.toggle-button-hidden')) fold.click();
    await Promise.allSettled(document.getAnimations().map((fading) => fading.finished));
}"""
FADED = """async () => {
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await Promise.allSettled(document.getAnimations().map((fading) => fading.finished));
}"""


@pytest.fixture(scope="module")
def axe() -> str:
    assert AXE.is_file(), "axe-core is missing: run 'make js' (npm ci in tests/browser) first"
    return AXE.read_text(encoding="utf8")


def violations(page: Page, axe: str, *rules: str) -> list[dict[str, Any]]:
    """Serious and critical violations (of these rules): the rule, the way to the element through shadow roots, what is wrong."""
    page.evaluate(axe)
    options = {"resultTypes": ["violations"], "preload": False} | ({"runOnly": list(rules)} if rules else {})
    found = page.evaluate("(options) => axe.run(document, options)", options)["violations"]
    return [
        {"rule": rule["id"], "at": node["target"], "why": node["failureSummary"]}
        for rule in found
        if rule["impact"] in GRAVE
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize("name", every_page())
def test_page_keeps_no_reader_out(name: str, chromium: Browser, book: Path, axe: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 800}, color_scheme="light")
    visit = Visit(context, book.as_uri()).open(name)
    for kind, place in places():
        if place == name:
            visit.explorer(kind)
    visit.page.evaluate(UNFOLD)
    assert violations(visit.page, axe) == [], "on a phone"
    assert visit.page.evaluate("document.scrollingElement.scrollWidth") <= 360, "it scrolls sideways"
    visit.page.set_viewport_size({"width": 1280, "height": 800})
    assert violations(visit.page, axe) == [], "on a wide screen"
    visit.page.emulate_media(color_scheme="dark")
    visit.page.evaluate(FADED)
    assert violations(visit.page, axe, "color-contrast") == [], "in the dark, where only colours differ"
    context.close()


def test_axe_looks_into_explorers(reader: Visit, axe: str) -> None:
    """A control without a name would be found."""
    explorer = reader.open("intro").explorer()
    explorer.evaluate("e => e.shadowRoot.querySelector('.lab').append(document.createElement('select'))")
    found = violations(reader.page, axe)
    assert [violation["rule"] for violation in found] == ["select-name"]
    assert found[0]["at"][0][0] == "snn-lab"
