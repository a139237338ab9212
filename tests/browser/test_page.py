"""A reader's journey through the built book: from disk, from a server, by keyboard, dark, printed, without scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect
from visiting import Visit, places, put

EVERY = pytest.mark.parametrize(("kind", "place"), places())
ATTACKED = pytest.mark.parametrize(("kind", "place"), places("robustness", "training", "exit", "fusion"))
#: what the pages do to a state that does not exist
UNKNOWN = {"training": "code"}


def _answer(explorer: Locator) -> Locator:
    return explorer.locator(".answer").first


def test_reader_turns_every_knob_and_the_explorer_answers(visit: Visit) -> None:
    explorer = visit.open("intro").explorer()
    expect(_answer(explorer)).to_contain_text("Reads 6")

    explorer.get_by_role("radio", name="informed").check(force=True)
    explorer.get_by_label("PGD", exact=True).check(force=True)
    slider = explorer.get_by_label("budget ε")
    slider.fill("0.2")
    expect(_answer(explorer)).not_to_contain_text("Reads 6")  # offset is not robust after all
    expect(explorer.locator(".facts")).to_contain_text("PGD-10, relaxed code")  # this page opens on its attack
    explorer.get_by_role("radio", name="worst case").check(force=True)
    expect(explorer.locator(".facts")).to_contain_text("worst case")

    explorer.get_by_label("none", exact=True).check(force=True)
    expect(_answer(explorer)).to_contain_text("Reads 6")

    explorer.get_by_role("combobox", name="code").select_option("onset")
    explorer.get_by_label("exit step").fill("1")
    expect(_answer(explorer)).to_contain_text("Silent")  # no pixel has spoken yet
    explorer.get_by_label("exit step").fill("8")
    expect(_answer(explorer)).to_contain_text("Reads 6")

    explorer.get_by_role("radio", name="0", exact=False).first.check(force=True)
    expect(_answer(explorer)).to_contain_text("Reads 0")
    assert visit.problems == []


@ATTACKED
def test_badge_says_who_computed_and_on_what(kind: str, place: str, reader: Visit) -> None:
    caption = reader.open(place).explorer(kind).locator(".caption")
    for words in ("computed in your browser", re.compile(r"n = [\d,]+ test digits")):
        expect(caption).to_contain_text(words)
    caption.locator("summary").click()
    for words in ("Attacks run:", "95 %", "that no choice was made on"):
        expect(caption).to_contain_text(words)


def test_naive_and_informed_attackers_differ_plainly_on_offset(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    explorer.get_by_label("budget ε").fill("0.15")
    explorer.get_by_role("radio", name="this attack").check(force=True)
    kept = []
    for attacker in ("naive", "informed"):
        explorer.get_by_role("radio", name=attacker).check(force=True)
        expect(explorer.locator(".curve h4")).to_contain_text(attacker)
        accuracy = explorer.locator('.legend [data-name="offset"] b').inner_text()
        kept.append(float(re.sub(r"[^0-9.]", "", accuracy)))
    assert kept[0] > kept[1] + 50


def test_curves_stay_the_worst_case_whatever_attack_is_chosen(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    title = explorer.locator(".curve h4")
    explorer.get_by_role("radio", name="worst case").check(force=True)
    for attack in ("none", "noise", "PGD"):
        explorer.get_by_label(attack, exact=True).check(force=True)
        expect(title).to_contain_text("worst case of all attacks")
    explorer.get_by_role("radio", name="this attack").check(force=True)
    expect(title).to_contain_text("PGD")
    explorer.get_by_label("none", exact=True).check(force=True)
    expect(explorer.get_by_role("radio", name="this attack")).to_be_disabled()
    expect(title).to_contain_text("worst case of all attacks")


def test_an_attacker_who_knows_the_spike_trains_needs_a_code_that_has_some(reader: Visit) -> None:
    explorer = reader.open("intro").explorer()
    explorer.get_by_label("PGD", exact=True).check(force=True)
    trains = explorer.get_by_role("radio", name="spike trains")
    trains.check(force=True)
    expect(explorer.locator(".effect")).to_contain_text("The spike-train attack moved")
    code = explorer.get_by_role("combobox", name="code")
    code.select_option("direct")
    expect(trains).to_be_disabled()
    expect(explorer.get_by_role("radio", name="informed")).to_be_checked()
    expect(explorer.locator(".setup")).to_contain_text("direct has no spike trains")
    code.select_option("ann")
    expect(explorer.get_by_role("radio", name="informed")).to_be_hidden()
    expect(explorer.get_by_label("exit step")).to_be_hidden()
    assert reader.problems == []


#: controls that a keyboard reaches, by explorer
CONTROLS = {
    "robustness": ("budget ε", "exit step", "code"),
    "training": ("budget ε", "exit step", "code"),
    "exit": ("budget ε", "exit step", "network", "attack from"),
    "fusion": ("budget ε", "gate", "mix", "silence"),
}


@ATTACKED
def test_keyboard_alone_drives_every_control(kind: str, place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer(kind), eps=0.15, attack="none")
    page = reader.page
    seen: dict[str, str] = {}
    explorer.get_by_role("radio").first.focus()
    for _ in range(14):
        active = explorer.evaluate(
            """host => {
                const e = host.shadowRoot.activeElement;
                if (!e) return null;
                const labels = e.labels ? [...e.labels].map(l => l.textContent).join() : '';
                const group = e.closest('fieldset')?.querySelector('legend')?.textContent ?? '';
                const label = e.getAttribute('aria-label') || labels || e.textContent;
                return [e.type || e.tagName, label, group, e.getAttribute('aria-valuetext') || ''];
            }"""
        )
        if active:
            assert active[1].strip(), f"a control without a name: {active}"
            seen[" ".join(active[:3])] = active[3]
        page.keyboard.press("Tab")
    names = " ".join(seen)
    for name in CONTROLS[kind]:
        assert name in names
    assert "grey levels" in " ".join(seen.values())
    explorer.get_by_label("budget ε").focus()
    page.keyboard.press("ArrowRight")
    expect(explorer).to_have_attribute("eps", "0.16")


@pytest.mark.parametrize(("kind", "place"), places("robustness", "training", "exit"))
def test_arrow_keys_move_the_exit(kind: str, place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer(kind), exit_step=8)
    explorer.get_by_label("exit step").focus()
    reader.page.keyboard.press("ArrowLeft")
    expect(explorer).to_have_attribute("exit_step", "7")
    expect(explorer.get_by_label("exit step")).to_have_attribute("aria-valuetext", "7 of 8 steps read")


@ATTACKED
def test_read_out_is_announced(kind: str, place: str, reader: Visit) -> None:
    explorer = put(reader.open(place).explorer(kind), image=3, attack="none")
    live = explorer.locator('[aria-live="polite"]')
    expect(live).to_contain_text("no attack")
    expect(live).to_contain_text("Reads")
    put(explorer, attack="fgsm", attacker="informed", eps=0.1)
    expect(live).to_contain_text("FGSM, informed, epsilon 0.10")


@ATTACKED
def test_bad_state_is_a_sentence_in_place_and_the_last_frame_stays(kind: str, place: str, reader: Visit) -> None:
    explorer = reader.open(place).explorer(kind)
    field = UNKNOWN.get(kind, "encoding")
    before, good = _answer(explorer).inner_text(), explorer.get_attribute(field)
    put(explorer, **{field: "morse"})
    expect(explorer.get_by_role("alert")).to_contain_text("morse")
    assert _answer(explorer).inner_text() == before
    put(explorer, **{field: good})
    expect(explorer.get_by_role("alert")).to_be_hidden()
    assert reader.problems == []


@EVERY
def test_without_scripts_a_picture_and_a_sentence_stand_in_its_place(
    kind: str, place: str, chromium: Browser, book: Path
) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / f"{place}.html").as_uri())
    explorer = page.locator(f'snn-lab[explorer="{kind}"]').first
    expect(explorer.locator("img")).to_be_visible()
    assert len(explorer.locator("img").get_attribute("alt") or "") > 20
    expect(explorer.locator("figcaption")).to_contain_text(
        re.compile("The network|One digit|Accuracy on|The energy of one image|A leaky integrate-and-fire neuron|A drawn or")
    )
    context.close()


#: colours of text in an explorer, and of what is behind it
COLOURS = """e => {
    const seen = getComputedStyle(e.shadowRoot.querySelector('h4, .answer strong')).color;
    let box = e;
    let behind = 'rgba(0, 0, 0, 0)';
    while (box && behind === 'rgba(0, 0, 0, 0)') {
        behind = getComputedStyle(box).backgroundColor;
        box = box.parentElement;
    }
    return [seen, behind];
}"""


@EVERY
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_page_fits_the_screen_and_its_text_is_legible(
    kind: str, place: str, scheme: str, chromium: Browser, book: Path
) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    visit = Visit(context, book.as_uri()).open(place)
    explorer = visit.explorer(kind)
    for width in (360, 1280):
        visit.page.set_viewport_size({"width": width, "height": 800})
        visit.page.wait_for_function(
            "w => document.documentElement.scrollWidth <= w", arg=width
        )  # after it is laid out anew
        assert _contrast(*explorer.evaluate(COLOURS)) >= 4.5
    context.close()


def _contrast(first: str, second: str) -> float:
    """WCAG contrast of two CSS colours."""

    def luminance(colour: str) -> float:
        numbers = [float(v) for v in colour[colour.index("(") + 1 : -1].split(",")[:3]]
        linear = [v / 255 / 12.92 if v <= 10 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in numbers]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    low, high = sorted([luminance(first), luminance(second)])
    return (high + 0.05) / (low + 0.05)


@pytest.mark.case("a printed page")
@ATTACKED
def test_printed_page_is_light_and_keeps_the_explorer(kind: str, place: str, chromium: Browser, book: Path) -> None:
    context = chromium.new_context(color_scheme="dark")
    visit = Visit(context, book.as_uri()).open(place)
    explorer = visit.explorer(kind)
    visit.page.emulate_media(media="print")
    visit.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    visit.page.wait_for_timeout(300)
    expect(_answer(explorer)).to_be_visible()
    colour = explorer.evaluate("e => getComputedStyle(e.shadowRoot.querySelector('.answer strong')).color")
    assert _contrast(colour, "rgb(255, 255, 255)") >= 4.5
    context.close()


def test_drawn_digit_is_read(reader: Visit) -> None:
    """Draw a 1 with the mouse: a vertical stroke."""
    explorer = reader.open("intro").explorer()
    explorer.get_by_label("none", exact=True).check(force=True)
    explorer.get_by_role("button", name="draw").click()
    pad = explorer.locator(".drawing canvas")
    box = pad.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2
    reader.page.mouse.move(middle, box["y"] + 0.15 * box["height"])
    reader.page.mouse.down()
    reader.page.mouse.move(middle, box["y"] + 0.85 * box["height"], steps=12)
    reader.page.mouse.up()
    expect(explorer).to_have_attribute("image", "-1")
    expect(_answer(explorer)).to_contain_text("Reads 1")


def test_encoder_explorer_shows_where_the_perturbation_arrives(visit: Visit) -> None:
    explorer = visit.open("encoding").explorer("encoder")
    for code in ("direct", "poisson", "onset", "offset", "latency", "phase"):
        expect(explorer).to_contain_text(code)
    assert visit.problems == []
