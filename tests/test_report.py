"""The report: complete, valid, self-contained, and every flag in words."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Browser

from snnlab import zoo
from snnlab.attack import Budget
from snnlab.data import Split
from snnlab.flags import FLAGS
from snnlab.records import wilson_interval
from snnlab.report import broken_examples, explanations, page, report, table, write


def record(**changed: Any) -> dict[str, Any]:
    told = zoo.results("latency")
    keep = ("n", "eps", "num_steps", "exits", "correct", "silent", "zero_gradient", "moved", "attacks", "flags")
    return {key: told[key] for key in keep} | {"suite": "quick", "norm": "Linf", "diagnostics": {}} | changed


ABOUT = {"model": "mine.py:<net>", "data": "digits"}


class Text(HTMLParser):
    """The text of a page, its open elements, and what it would load."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.open, self.loads, self.alts = "", [], [], []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self.loads += [str(values[key]) for key in ("src", "srcset", "href") if key in values]
        self.alts += [str(values.get("alt"))] if tag == "img" else []
        if tag not in ("meta", "img", "source", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_every_kind_of_flag_is_explained_in_words_in_table_json_and_page() -> None:
    told = report(record(flags={"worst": [kind("9") for kind in FLAGS.values()]}), ABOUT)
    text, printed = Text(page(told, [])).text, table(told)
    for kind in FLAGS.values():
        assert kind.sign in text
        for words in (kind.meaning, kind.remedy):
            assert words in text
            assert words in printed
            assert words in json.dumps(told["explanations"], ensure_ascii=False)


def test_a_network_without_flags_has_none() -> None:
    told = report(record(flags={}), ABOUT)
    assert explanations(told) == []
    assert "None was raised." in page(told, [])


def test_the_page_is_well_formed_escaped_and_loads_nothing() -> None:
    found = Text(page(report(record(), ABOUT), []))
    assert found.open == []
    assert "mine.py:<net>" in found.text
    assert found.loads
    assert all(address.startswith("data:image/") for address in found.loads)
    assert all(len(alt) > 20 for alt in found.alts)


def test_the_table_has_every_attack_and_its_interval() -> None:
    told = report(record(), ABOUT)
    low, high = wilson_interval(told["correct"]["worst"][-1][3], told["n"])
    assert re.search(rf"worst .*\[{low:.3f}, {high:.3f}\]", table(told))
    for name in told["correct"]:
        assert re.search(rf"^{re.escape(name)} ", table(told), flags=re.MULTILINE)


def test_json_and_page_are_written_and_the_json_is_complete(tmp_path: Path) -> None:
    told = report(record(), ABOUT)
    numbers, shown = write(tmp_path / "new" / "folder", told, [])
    assert json.loads(numbers.read_text()) == json.loads(json.dumps(told))
    assert set(record()) <= set(told)
    assert shown.read_text().startswith("<!doctype html>")
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write the report to"):
        write(tmp_path / "file", told, [])


def test_broken_examples_are_right_when_clean_and_wrong_when_attacked(few: Split) -> None:
    model = zoo.load("direct")
    found = broken_examples(model, few, Budget(0.2))
    assert 1 <= len(found) <= 6
    assert all(str(e["label"]) != e["answer"] for e in found)
    assert broken_examples(model, few, Budget(0)) == []


def test_a_picture_of_a_colour_image_keeps_its_colours() -> None:
    from snnlab.pictures import difference, thumbnail

    grey, colour = thumbnail(torch.rand(1, 4, 4)), thumbnail(torch.rand(3, 4, 4))
    assert all(
        address.startswith("data:image/png;base64,") for address in (grey, colour, difference(torch.zeros(3, 4, 4), 0.1))
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_is_legible_in_light_and_dark(
    tmp_path: Path, chromium: Browser, few: Split, scheme: Any
) -> None:
    examples = broken_examples(zoo.load("direct"), few, Budget(0.2))
    _, shown = write(tmp_path, report(record(), ABOUT), examples, "L∞ 0.2")
    context = chromium.new_context(viewport={"width": 360, "height": 740}, color_scheme=scheme)
    tab = context.new_page()
    errors: list[str] = []
    tab.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
    tab.goto(shown.as_uri())
    assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert tab.evaluate("[...document.images].every(i => i.complete && i.naturalWidth > 0)")
    ink, paper = tab.evaluate("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
    light, dark = (sum(map(int, re.findall(r"\d+", c)[:3])) for c in ((paper, ink) if scheme == "light" else (ink, paper)))
    assert light - dark > 450
    assert errors == []
    context.close()
