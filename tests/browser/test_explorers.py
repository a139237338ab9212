"""What a reader does with each of the explorers on training and exit, in the built book."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, expect
from visiting import Visit, places, put


def _opens(kind: str) -> pytest.MarkDecorator:
    """For tests on the page of an explorer, as far as the book has it."""
    return pytest.mark.parametrize("place", [place for _, place in places(kind)])


def _numbers(text: str) -> list[float]:
    return [float(found) for found in re.findall(r"\d+(?:\.\d+)?", text.replace(",", ""))]


# --- training -------------------------------------------------------------------------------------------------------


@_opens("training")
def test_reader_compares_training_rules_on_one_digit(place: str, visit: Visit) -> None:
    explorer = put(visit.open(place).explorer("training"), image=7, code="onset", attack="none", exit_step=8)
    columns = explorer.locator(".column")
    expect(columns).to_have_count(3)
    for column, rule in zip(columns.all(), ("BPTT", "TSSL-BP", "converted"), strict=True):
        expect(column).to_contain_text(rule)
    expect(columns.first.locator(".answer")).to_contain_text("Reads 7")
    expect(columns.first.locator(".activity")).to_contain_text("of 256 hidden neurons")

    explorer.get_by_role("combobox", name="code").select_option("direct")
    explorer.get_by_label("PGD", exact=True).check(force=True)
    explorer.get_by_role("radio", name="informed").check(force=True)
    explorer.get_by_label("budget ε").fill("0.2")
    expect(explorer.locator(".column .answer[data-tone=wrong]").first).to_be_visible()
    expect(explorer.locator(".curve h4")).to_contain_text("worst case of all attacks")
    explorer.get_by_role("radio", name="this attack").check(force=True)
    expect(explorer.locator(".curve h4")).to_contain_text("PGD, informed")
    for rule in ("BPTT", "TSSL-BP", "converted", "FGSM-trained", "ANN"):
        expect(explorer.locator(".legend")).to_contain_text(rule)
    assert visit.problems == []


@_opens("training")
def test_exit_cursor_is_shared_by_all_networks(place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer("training"), exit_step=8)
    middle = explorer.locator(".column .time").nth(1)
    middle.scroll_into_view_if_needed()
    box = middle.bounding_box()
    assert box
    reader.page.mouse.click(box["x"] + 0.45 * box["width"], box["y"] + 0.3 * box["height"])
    step = int(explorer.get_attribute("exit_step") or 8)
    assert 2 <= step <= 6
    for grip in explorer.locator(".column .cursor:not(.other) .grip").all():
        expect(grip).to_have_text(f"exit {step}")


@_opens("training")
def test_on_a_phone_one_network_is_shown_at_a_time_and_all_answers(place: str, reader: Visit) -> None:
    reader.page.set_viewport_size({"width": 360, "height": 740})
    explorer = put(reader.open(place).explorer("training"), attack="none", image=7)
    expect(explorer.locator(".column:visible")).to_have_count(1)
    tabs = explorer.locator(".tabs label")
    expect(tabs).to_have_count(3)
    for tab in tabs.all():
        expect(tab).to_contain_text(re.compile("[✓✗]"))
    tabs.nth(1).click()
    expect(explorer.locator(".column:visible h4").first).to_have_text("TSSL-BP")


# --- exit -----------------------------------------------------------------------------------------------------------


def _shown_exit(explorer: Locator) -> str:
    return explorer.locator(".cursor:not(.other) .grip").first.inner_text()


@_opens("exit")
def test_reader_leaves_before_the_perturbation_arrives(place: str, visit: Visit) -> None:
    explorer = put(
        visit.open(place).explorer("exit"),
        encoding="latency",
        image=3,
        attack="pgd",
        attacker="informed",
        eps=0.2,
        rule="fixed",
        exit_step=8,
        from_step=0,
    )
    expect(explorer.locator(".effect")).to_contain_text("leave at exit 6 or before")
    explorer.get_by_label("exit step").fill("6")
    expect(explorer.locator(".effect")).to_contain_text("only from step 7 on, after this exit")
    expect(explorer.locator(".reach")).to_be_visible()
    expect(explorer.locator(".people")).to_contain_text("leave at exit 6")
    expect(explorer.locator(".meter")).to_contain_text("at exit 6")

    explorer.get_by_role("combobox", name="network").select_option("direct")
    expect(explorer.locator(".effect")).to_contain_text("from the first step on: no exit comes before it")
    explorer.get_by_label("attack from").fill("7")
    expect(explorer.locator(".effect")).to_contain_text("only from step 7 on")
    assert visit.problems == []


@_opens("exit")
def test_exit_is_dragged_through_the_plots(place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer("exit"), rule="fixed", exit_step=8)
    time = explorer.locator(".time")
    time.scroll_into_view_if_needed()
    box = time.bounding_box()
    assert box
    reader.page.mouse.move(box["x"] + 0.9 * box["width"], box["y"] + 100)
    reader.page.mouse.down()
    reader.page.mouse.move(box["x"] + 0.4 * box["width"], box["y"] + 100, steps=8)
    reader.page.mouse.up()
    expect(explorer).to_have_attribute("exit_step", re.compile("[345]"))
    assert _shown_exit(explorer) == f"exit {explorer.get_attribute('exit_step')}"


@_opens("exit")
def test_rule_decides_when_to_leave_until_the_reader_takes_the_exit_back(place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer("exit"), encoding="latency", image=3, attack="none", rule="fixed")
    explorer.get_by_role("radio", name="margin").check(force=True)
    expect(explorer).to_have_attribute("rule", "margin")
    expect(explorer.locator(".effect")).to_contain_text("It leaves at exit")
    expect(explorer.locator(".people")).to_contain_text("by margin ≥ 2")
    sooner = _numbers(_shown_exit(explorer))[0]
    explorer.get_by_label("margin ≥").fill("7.5")
    expect(explorer.locator(".people")).to_contain_text("the nearest that was measured")
    expect(explorer.locator(".people")).to_contain_text(re.compile(r"after \d\.\d steps on average for \d+"))
    assert _numbers(_shown_exit(explorer))[0] >= sooner
    explorer.get_by_label("exit step").fill("4")
    expect(explorer).to_have_attribute("rule", "fixed")
    expect(explorer.locator(".people")).to_contain_text("leave at exit 4")


@_opens("exit")
def test_rule_that_a_network_cannot_have_is_refused_in_a_sentence(place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer("exit"), encoding="membrane-latency", rule="first_spike")
    expect(explorer.get_by_role("alert")).to_contain_text("read by its spikes")
