"""The filters of the page *Claims* work without a script and without a kernel."""

from playwright.sync_api import Browser

from snnlab.claims import forest, ledger, page


def test_filters_show_the_claims_of_a_verdict_and_a_chapter_in_the_figure_and_below(chromium: Browser) -> None:
    records = ledger()
    context = chromium.new_context(java_script_enabled=False)
    tab = context.new_page()
    tab.set_content(forest(records).html + page(records).html)

    def shown() -> set[tuple[str, str | None]]:
        rows, cards = (tab.locator(f"{tag}[data-verdict]:visible").all() for tag in ("li", "article"))
        assert len(rows) == len(cards) > 0
        return {(row.get_attribute("data-verdict") or "", row.get_attribute("data-chapter")) for row in rows}

    everything = shown()
    tab.get_by_role("radio", name="Fusion").check()
    assert shown() == {(verdict, chapter) for verdict, chapter in everything if chapter == "fusion"}
    tab.get_by_role("checkbox", name="✓ holds", exact=True).uncheck()
    assert shown() == {(verdict, chapter) for verdict, chapter in everything if chapter == "fusion" and verdict != "holds"}
    tab.get_by_role("radio", name="all").check()
    assert shown() == {(verdict, chapter) for verdict, chapter in everything if verdict != "holds"}
    context.close()
