"""What a reader sets in an explorer lives in the page's address: a reload keeps it, Back undoes it, a link shows it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import PLACES, Visit, pages, places

#: every explorer from disk, the first also from a server
EVERY = pytest.mark.parametrize(
    ("kind", "place", "visit"),
    [(*shown, "disk") for shown in places()] + [(*places()[0], "server")],
    indirect=["visit"],
)

#: by explorer: the setting that a reader changes, and how
CHANGES: dict[str, tuple[str, Callable[[Locator], None]]] = {
    "robustness": ("eps", lambda e: e.get_by_label("budget ε").fill("0.21")),
    "neuron": ("beta", lambda e: e.get_by_label("decay β").fill("0.5")),
    "encoder": ("change", lambda e: e.get_by_label("random sign").check(force=True)),
    "training": ("code", lambda e: select(e, "code", "onset")),
    "exit": ("exit_step", lambda e: e.get_by_label("exit step").fill("5")),
    "fusion": ("encoding", lambda e: e.get_by_label("gate on direct").fill("0")),
    "attack": ("step", lambda e: e.get_by_label("step", exact=True).fill("4")),
    "picture": ("exit_step", lambda e: e.get_by_label("exit step").fill("2")),
    "playground": ("steps", lambda e: e.get_by_label("steps T").fill("5")),
    "paint": ("code", lambda e: e.get_by_label("write it").fill("fire when x > 0.25")),
    "event": ("exit_step", lambda e: e.get_by_label("exit step").fill("5")),
    "results": ("eps", lambda e: e.get_by_label("budget ε").fill("1")),
    "fault": ("lost", lambda e: e.get_by_role("slider", name="lost spikes").fill("0.4")),
    "retiming": ("shift", lambda e: e.get_by_role("slider", name="each moves by").fill("3")),
    "energy": ("price", lambda e: e.get_by_label("price of a weight").fill("50")),
}
LINK = "link to this state"


def select(explorer: Locator, name: str, option: str) -> None:
    explorer.get_by_role("combobox", name=name).select_option(option)


def _fresh(chromium: Browser, base: str, url: str) -> Visit:
    """Somebody else who follows a link."""
    other = Visit(chromium.new_context(viewport={"width": 1280, "height": 900}), base)
    other.page.goto(url)
    return other


def _shown(explorer: Locator, field: str) -> str:
    return explorer.get_attribute(field) or ""


@EVERY
def test_change_outlives_a_reload_is_undone_by_back_and_shown_by_a_link(
    kind: str, place: str, visit: Visit, chromium: Browser
) -> None:
    field, change = CHANGES[kind]
    explorer, page = visit.open(place).explorer(kind), visit.page
    before = _shown(explorer, field)
    change(explorer)
    after = _shown(explorer, field)
    assert after != before
    expect(page).to_have_url(re.compile(rf"#{kind}\?{field}=[\w.%+-]+$"))

    page.reload()
    visit.explorer(kind)
    assert _shown(explorer, field) == _rounded(after)

    other = _fresh(chromium, visit.base, page.url)
    theirs = other.explorer(kind)
    assert _shown(theirs, field) == _rounded(after)
    expect(theirs).to_be_in_viewport()
    expect(theirs.get_by_role("alert")).to_be_hidden()
    assert other.problems == []
    other.page.context.close()

    page.go_back()
    visit.explorer(kind)
    expect(explorer).to_have_attribute(field, before)
    page.go_forward()
    visit.explorer(kind)
    expect(explorer).to_have_attribute(field, _rounded(after))
    assert visit.problems == []


def _rounded(value: str) -> str:
    """As an address has it."""
    return f"{float(value):.4f}".rstrip("0").rstrip(".") if re.fullmatch(r"\d*\.\d+", value) else value


def test_back_undoes_gestures_one_by_one_in_the_picture_too(visit: Visit) -> None:
    explorer, page = visit.open("intro").explorer(), visit.page
    first = explorer.locator(".effect").inner_text()
    explorer.get_by_label("PGD", exact=True).check(force=True)
    explorer.get_by_role("radio", name="informed").check(force=True)
    expect(explorer.locator(".effect")).to_contain_text("PGD moved")
    expect(page).to_have_url(re.compile(r"#robustness\?attack=pgd&attacker=informed$"))
    page.go_back()
    expect(explorer.get_by_role("radio", name="naive")).to_be_checked()
    page.go_back()
    expect(explorer.locator(".effect")).to_contain_text(first.split(".")[0])
    assert "#" not in page.url


def test_a_drag_is_one_step_back_and_the_address_follows_the_hand(reader: Visit) -> None:
    explorer, page = reader.open("early_exit").explorer("exit"), reader.page
    depth = page.evaluate("history.length")
    slider = explorer.get_by_label("budget ε")
    slider.scroll_into_view_if_needed()
    box, before = slider.bounding_box(), _shown(explorer, "eps")
    assert box
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 0.66 * box["width"], y)
    page.mouse.down()
    for share in range(60, 20, -1):
        page.mouse.move(box["x"] + share / 100 * box["width"], y)
    page.wait_for_timeout(400)
    expect(page).to_have_url(re.compile(rf"#exit\?eps={re.escape(_shown(explorer, 'eps'))}$"))
    page.mouse.up()
    assert page.evaluate("history.length") == depth + 1
    page.go_back()
    expect(explorer).to_have_attribute("eps", before)


def test_explorers_of_one_page_are_kept_apart(visit: Visit, chromium: Browser) -> None:
    page = visit.open("encoding").page
    encoder, network = visit.explorer("encoder"), visit.explorer("robustness")
    encoder.get_by_label("by ε", exact=True).fill("0.2")
    network.get_by_label("exit step").fill("6")
    expect(page).to_have_url(re.compile(r"#encoder\?eps=0\.2/robustness\?exit_step=6$"))
    other = _fresh(chromium, visit.base, page.url)
    expect(other.explorer("encoder")).to_have_attribute("eps", "0.2")
    expect(other.explorer("robustness")).to_have_attribute("exit_step", "6")
    expect(other.explorer("robustness")).to_have_attribute("eps", "0.15")
    other.page.context.close()
    page.go_back()
    expect(network).to_have_attribute("exit_step", "8")
    expect(encoder).to_have_attribute("eps", "0.2")


def test_headings_are_reached_and_the_explorer_stays_as_it_was_set(visit: Visit) -> None:
    explorer, page = visit.open("early_exit").explorer("exit"), visit.page
    explorer.get_by_label("exit step").fill("5")
    anchor = page.locator(".bd-toc a.nav-link").last
    href = anchor.get_attribute("href") or ""
    anchor.evaluate("a => a.click()")  # the list hides itself where figures need its room
    heading = page.locator(f"[id='{href[1:]}']")
    expect(page).to_have_url(re.compile(re.escape(href) + "$"))
    expect(heading).to_be_in_viewport()
    expect(explorer).to_have_attribute("exit_step", "5")
    page.reload()
    expect(visit.explorer("exit")).to_have_attribute("exit_step", "5")
    expect(heading).to_be_in_viewport()
    explorer.get_by_label("exit step").fill("3")
    page.go_back()
    expect(page).to_have_url(re.compile(re.escape(href) + "$"))
    expect(explorer).to_have_attribute("exit_step", "5")
    assert visit.problems == []


@pytest.mark.parametrize(
    "fragment",
    ["exit?eps=much&exit_step=99&encoding=morse&rule=mood", "exit?%&&=?/?", "nowhere?eps=0.1", "%E0%A4%A", "exit?beta=0.1"],
)
def test_an_address_that_says_nothing_leaves_the_page_its_own_settings(fragment: str, reader: Visit) -> None:
    reader.page.goto(f"{reader.base}/early_exit.html#{fragment}")
    explorer = reader.explorer("exit")
    expect(explorer).to_have_attribute("eps", "0.2")
    expect(explorer).to_have_attribute("exit_step", "8")
    expect(explorer).to_have_attribute("encoding", "latency")
    expect(explorer.get_by_role("alert")).to_be_hidden()
    assert reader.problems == []


@pytest.mark.case("nonsense in the address")
def test_a_setting_that_cannot_be_is_left_out_and_the_others_are_taken(reader: Visit) -> None:
    reader.page.goto(f"{reader.base}/early_exit.html#exit?eps=7&rule=first_spike&encoding=membrane-latency&exit_step=6")
    explorer = reader.explorer("exit")
    expect(explorer).to_have_attribute("encoding", "membrane-latency")
    expect(explorer).to_have_attribute("exit_step", "6")
    expect(explorer).to_have_attribute("eps", "0.2")
    expect(explorer).to_have_attribute("rule", "fixed")  # first spike does not go with this read-out
    expect(explorer.get_by_role("alert")).to_be_hidden()


def _wait_until_told(listener: Locator) -> None:
    """Wait until a listener has been told something, and nothing new for two seconds."""
    expect(listener).not_to_have_text("")
    listener.evaluate(
        """(listener) => new Promise((told) => {
            let quiet = setTimeout(told, 2000);
            new MutationObserver(() => {
                clearTimeout(quiet);
                quiet = setTimeout(told, 2000);
            }).observe(listener, { childList: true, characterData: true, subtree: true });
        })"""
    )


@EVERY
def test_link_to_the_state_is_copied_and_the_listener_told(kind: str, place: str, visit: Visit) -> None:
    visit.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    explorer = visit.open(place).explorer(kind)
    field, change = CHANGES[kind]
    change(explorer)
    listener = explorer.locator('[aria-live="polite"]')
    _wait_until_told(listener)  # the answer to the change, which would take the place of ours
    button = explorer.get_by_role("button", name=LINK)
    button.focus()
    visit.page.keyboard.press("Enter")
    expect(explorer.locator(".copy span")).to_contain_text(["", "copied"])
    expect(listener).to_have_text("Link to this state: copied")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert re.search(rf"/{place}\.html#{kind}\?{field}=", copied)
    assert visit.problems == []


def test_without_a_clipboard_the_address_is_shown_and_selected(reader: Visit) -> None:
    reader.page.add_init_script(
        "Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined}); document.execCommand = () => false;"
    )
    explorer = reader.open("intro").explorer()
    explorer.get_by_label("exit step").fill("5")
    explorer.get_by_role("button", name=LINK).click()
    field = explorer.get_by_label("Link to this state")
    expect(field).to_have_value(re.compile(r"intro\.html#robustness\?exit_step=5$"))
    expect(field).to_be_focused()
    assert field.evaluate("f => f.selectionEnd - f.selectionStart === f.value.length")
    expect(explorer.locator('[aria-live="polite"]')).to_contain_text("intro.html#robustness?exit_step=5")


def test_link_is_not_printed(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    expect(explorer.get_by_role("button", name=LINK)).to_be_visible()
    reader.page.emulate_media(media="print")
    expect(explorer.get_by_role("button", name=LINK)).to_be_hidden()


def test_drawn_digit_outlives_a_reload_but_is_in_no_link(reader: Visit) -> None:
    reader.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    explorer, page = reader.open("intro").explorer(), reader.page
    explorer.get_by_label("none", exact=True).check(force=True)
    explorer.get_by_role("button", name="draw").click()
    box = explorer.locator(".drawing canvas").bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.15 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.85 * box["height"], steps=12)
    page.mouse.up()
    expect(explorer.locator(".answer").first).to_contain_text("Reads 1")
    explorer.get_by_role("button", name="done").click()
    explorer.get_by_role("button", name=LINK).click()
    expect(explorer.locator(".copy span").last).to_have_text("copied, without your drawing")
    assert page.evaluate("navigator.clipboard.readText()").endswith("intro.html#robustness?attack=none")
    page.reload()
    expect(reader.explorer()).to_have_attribute("image", "-1")
    expect(explorer.locator(".answer").first).to_contain_text("Reads 1")


def test_link_of_the_lecturers_page_shows_its_state(visit: Visit) -> None:
    page = visit.open("instructor").page
    link = page.get_by_role("main").locator("a[href*='.html#'][href*='?']").first
    kind, _, query = (link.get_attribute("href") or "").partition("#")[2].partition("?")
    link.click()
    explorer = visit.explorer(kind)
    settings = dict(pair.split("=") for pair in query.split("&"))
    assert len(settings) > 1
    for field, value in settings.items():
        expect(explorer).to_have_attribute(field, value)
    expect(explorer).to_be_in_viewport()
    expect(explorer.get_by_role("alert")).to_be_hidden()
    assert visit.problems == []


@pytest.mark.parametrize(("words", "sign"), [("the answer is right", "✓"), ("one step later it is wrong", "✗")])
def test_link_of_the_lecturers_page_shows_what_its_words_say(words: str, sign: str, visit: Visit) -> None:
    visit.open("instructor").page.get_by_role("link", name=words).click()
    expect(visit.explorer("exit").locator(".answer")).to_contain_text(sign)


def test_every_explorer_of_the_book_is_tried() -> None:
    assert set(CHANGES) == set(PLACES)
    assert "instructor" in pages()
