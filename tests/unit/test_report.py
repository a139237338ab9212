"""The report: complete, valid, self-contained, and every flag in words."""

import base64
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from matplotlib import image
from playwright.sync_api import Browser

from snnlab import zoo
from snnlab.attacks import Budget
from snnlab.data import Split
from snnlab.evaluation.flags import FLAGS
from snnlab.evaluation.report import broken_examples, content, explanations, page, table, write
from snnlab.plotting.embed import accuracy_figure, difference, exit_figure, thumbnail
from snnlab.plotting.theme import colours
from snnlab.statistics import Record, wilson_interval


def record(**changed: Any) -> Record:
    return replace(zoo.results("latency"), suite="quick", about=ABOUT, **changed)


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
    told = record(flags={"worst": [kind("9") for kind in FLAGS.values()]})
    text, printed = Text(page(told, [])).text, table(told)
    for kind in FLAGS.values():
        assert kind.sign in text
        for words in (kind.meaning, kind.remedy):
            assert words in text
            assert words in printed
            assert words in json.dumps(content(told)["explanations"], ensure_ascii=False)


def test_a_network_without_flags_has_none() -> None:
    told = record(flags={})
    assert explanations(told) == []
    assert "None was raised." in page(told, [])


def test_the_page_is_well_formed_escaped_and_loads_nothing() -> None:
    found = Text(page(record(), []))
    assert found.open == []
    assert "mine.py:<net>" in found.text
    assert found.loads
    assert all(address.startswith("data:image/") for address in found.loads)
    assert all(len(alt) > 20 for alt in found.alts)


def test_the_table_has_every_attack_and_its_interval() -> None:
    told = record()
    low, high = wilson_interval(told.correct["worst"][-1][3], told.n)
    assert re.search(rf"worst .*\[{low:.3f}, {high:.3f}\]", table(told))
    for name in told.correct:
        assert re.search(rf"^{re.escape(name)} ", table(told), flags=re.MULTILINE)


def test_json_and_page_are_written_and_the_json_is_complete(tmp_path: Path) -> None:
    told = record()
    numbers, shown = write(tmp_path / "new" / "folder", told, [])
    assert json.loads(numbers.read_text()) == json.loads(json.dumps(content(told)))
    assert set(told.plain()) <= set(content(told))
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


def _pixels(address: str) -> torch.Tensor:
    """The picture behind a data address, ``[H, W, 3]`` in [0, 1]."""
    kind, _, content = address.partition(",")
    assert kind == "data:image/png;base64"
    return torch.from_numpy(image.imread(io.BytesIO(base64.b64decode(content))))[..., :3]


def test_a_thumbnail_keeps_the_colours_of_a_colour_image_and_the_greys_of_a_grey_one() -> None:
    colour, grey = torch.linspace(0, 1, 48).view(3, 4, 4), torch.linspace(0, 1, 16).view(1, 4, 4)
    assert torch.allclose(_pixels(thumbnail(colour)), colour.permute(1, 2, 0), atol=1 / 255)
    assert torch.allclose(_pixels(thumbnail(grey)), grey.permute(1, 2, 0).expand(4, 4, 3), atol=2 / 255)


def test_a_difference_is_red_where_brighter_blue_where_darker_and_pale_where_nothing_changed() -> None:
    change = torch.tensor([[0.1, -0.1, 0.0]]).expand(3, 1, 3)
    (red, blue, none) = _pixels(difference(change, 0.1))[0]
    assert red[0] > red[2] + 0.2
    assert blue[2] > blue[0] + 0.2
    assert none.min() > 0.9


def test_the_figures_state_the_worst_case_and_are_drawn_for_light_and_dark_paper() -> None:
    measured = record()
    figure = accuracy_figure(measured)
    for k, eps in enumerate(measured.eps):
        assert f"{measured.correct['worst'][-1][k] / measured.n:.2f} at ε = {eps:g}" in figure.alt
    assert "n = 500" in figure.caption
    for address, scheme in ((figure.light, "light"), (figure.dark, "dark")):
        drawing = base64.b64decode(address.partition(",")[2]).decode().upper()
        assert colours(scheme)["attack"] in drawing  # type: ignore[arg-type]
        assert colours("dark" if scheme == "light" else "light")["ink"] not in drawing


def test_the_exit_figure_names_the_best_exit() -> None:
    counts = [[9, 1], [9, 7], [9, 4]]
    measured = Record(n=10, num_steps=3, eps=[0.0, 0.1], exits=[1, 2, 3], correct={"worst": counts})
    assert exit_figure(measured).alt.endswith("at ε = 0.1 it is highest at exit 2.")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_a_phone_and_is_legible_in_light_and_dark(
    tmp_path: Path, chromium: Browser, few: Split, scheme: Any
) -> None:
    examples = broken_examples(zoo.load("direct"), few, Budget(0.2))
    _, shown = write(tmp_path, record(), examples, "L∞ 0.2")
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
