"""Figures draw what their records say, of any network, and change no setting."""

import base64
import re
from collections.abc import Callable
from dataclasses import replace
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from snnlab import zoo
from snnlab.networks.sequence import lif
from snnlab.networks.surrogate import Surrogate
from snnlab.plotting import figures, theme
from snnlab.plotting.curves import curve_with_band
from snnlab.plotting.theme import Mark, NotebookFigure, colours, mark, marks
from snnlab.statistics import Record, mean_interval, over_seeds, wilson_interval
from snnlab.statistics.parts import DynamicExits, LateAccuracy
from snnlab.vocabulary import VOCABULARY

EXITS = [4, 8]
CHANCE = 0.25


def _record(clean: int, worst: int, seed: int) -> Record:
    """Two exits, two radii, 100 samples; right at the later exit: ``clean`` and ``worst``, plus the seed."""
    counts = [[clean - 10 + seed, worst - 10 + seed], [clean + seed, worst + seed]]
    rules = [{"name": "margin", "threshold": 1.0}, {"name": "first_spike", "threshold": None}]
    by_eps = {"0": [80 + seed, 60 + seed], "0.1": [40 + seed, 20 + seed]}
    late = [[50 + seed] * 2, [90 + seed, 60 + seed]]
    return Record(
        n=100,
        eps=[0.0, 0.1],
        num_steps=8,
        exits=EXITS,
        correct={"worst": counts, "noise": counts},
        energy_pj=[1000.0 * e for e in range(1, 9)],
        dynamic=DynamicExits(rules, by_eps, mean_exit=[5.0, 2.0], energy_pj=[5000.0, 2000.0]),
        attacks={"worst": "any"},
        diagnostics={"chance": CHANCE},
        late={"pgd": LateAccuracy("pgd", "informed", 100, [0, 4], EXITS, EXITS, late, [[0, 0], [0, 0]], {"eps": 0.1})},
    )


@pytest.fixture
def repeats() -> dict[str, list[Record]]:
    """Seeds whose mean is the middle one, so that a model's means are 0.01 above its numbers."""
    return {
        name: [_record(clean, worst, s) for s in (0, 1, 2)]
        for name, clean, worst in (("direct", 96, 10), ("latency", 92, 60))
    }


Repeats = dict[str, list[Record]]


def _packed(repeats: Repeats) -> NotebookFigure:
    early, late = repeats.values()
    return figures.packing({("up", "early"): early, ("up", "late"): late}, [0.1])


#: every public figure of records, as a function of the records of two models
DRAWN: dict[str, Callable[[Repeats], Any]] = {
    "attacked_sets": lambda r: figures.attacked_sets(r, {"clean": ("worst", 0.0), "noise": ("noise", 0.1)}),
    "dynamic_plane": lambda r: figures.dynamic_plane(r, 0.1),
    "energy_curves": lambda r: figures.energy_curves(r, 0.1),
    "exit_curves": lambda r: figures.exit_curves(r, 0.1),
    "late_curves": figures.late_curves,
    "packing": _packed,
    "plane": lambda r: figures.plane(r, 0.1),
    "rule_curves": lambda r: figures.rule_curves({"all": r}),
    "seed_curves": figures.seed_curves,
    "staircase": lambda r: figures.staircase(r, 0.1),
    "sweeps": lambda r: figures.sweeps({"T": {name: {8.0: records} for name, records in r.items()}}, [0.1]),
}
WITHOUT_RECORDS = {"bars", "neuron", "rasters", "stand_in"}


def _points(ax: Axes) -> list[list[tuple[float, float]]]:
    return [[(float(x), pytest.approx(float(y))) for x, y in line.get_xydata()] for line in ax.get_lines()]


def _texts(figure: Figure) -> str:
    return " ".join(text.get_text() for text in figure.findobj(mpl.text.Text))


# --- laws of every figure -------------------------------------------------------------------------------------------


def test_every_public_figure_is_under_these_laws() -> None:
    assert set(DRAWN) | WITHOUT_RECORDS == set(figures.__all__)


@pytest.mark.parametrize("name", DRAWN)
def test_the_chance_line_is_at_the_chance_of_the_records(name: str, repeats: Repeats) -> None:
    for ax in DRAWN[name](repeats).axes:
        assert [line.get_ydata()[0] for line in ax.get_lines() if list(line.get_xdata()) == [0, 1]].count(CHANCE) == 1
        assert "chance" in [text.get_text() for text in ax.texts]


@pytest.mark.parametrize("name", DRAWN)
def test_records_that_do_not_say_chance_get_no_line(name: str, repeats: Repeats) -> None:
    silent = {of: [replace(record, diagnostics={}) for record in records] for of, records in repeats.items()}
    assert "chance" not in _texts(DRAWN[name](silent))


@pytest.mark.parametrize("name", DRAWN)
def test_n_and_seeds_are_in_the_caption_that_is_drawn(name: str, repeats: Repeats) -> None:
    figure = DRAWN[name](repeats)
    assert figure.caption.startswith("n = 100, ")
    assert "3 seeds" in figure.caption
    assert figure.caption in _texts(figure)


@pytest.mark.parametrize("name", DRAWN)
def test_the_alternative_text_changes_with_the_result(name: str, repeats: Repeats) -> None:
    """What it states is a finding: with the records exchanged it states another one, and names the models."""
    first, second = repeats.values()
    swapped = dict(zip(repeats, (second, first), strict=True))
    before, after = DRAWN[name](repeats).alt, DRAWN[name](swapped).alt
    assert re.search(r"0\.\d\d", before)
    if name not in ("late_curves", "dynamic_plane"):  # in these the two models of the fixture are alike
        assert before != after
    assert name == "packing" or {"direct", "latency"} <= set(re.findall(r"\w+", before))


@pytest.mark.parametrize("name", DRAWN)
def test_networks_outside_the_zoo_are_drawn_under_their_names_each_with_a_look_of_its_own(
    name: str, repeats: Repeats
) -> None:
    mine = dict(zip(("mine", "yours"), repeats.values(), strict=True))
    figure = DRAWN[name](mine)
    figure.draw_without_rendering()
    if name != "packing":
        assert {"mine", "yours"} <= set(re.findall(r"\w+", _texts(figure)))
    assert mark("mine").colour == colours()["ink"]


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_changes_no_setting_and_no_record(name: str, repeats: Repeats) -> None:
    settings, records = dict(mpl.rcParams), repr(repeats)
    DRAWN[name](repeats)._repr_png_()
    assert dict(mpl.rcParams) == settings
    assert repr(repeats) == records


@pytest.mark.parametrize("name", ["seed_curves", "rule_curves"])
def test_curves_begin_at_the_clean_point(name: str, repeats: Repeats) -> None:
    (ax,) = DRAWN[name](repeats).axes
    first = [line.get_xydata()[0] for line in ax.get_lines() if line.get_label() in ("direct", "latency")]
    assert [list(point) for point in first] == [[0, pytest.approx(0.97)], [0, pytest.approx(0.93)]]


@pytest.mark.parametrize(("name", "bands"), [("seed_curves", 2), ("energy_curves", 2), ("exit_curves", 2)])
def test_every_line_runs_inside_its_band(name: str, bands: int, repeats: Repeats) -> None:
    (ax,) = DRAWN[name](repeats).axes
    areas = [area for area in ax.collections if isinstance(area, PolyCollection)]
    assert len(areas) == bands
    for area in areas:
        (vertices,) = (path.vertices for path in area.get_paths())
        inside = [
            line
            for line in ax.get_lines()
            if line.get_color() == mpl.colors.to_hex(area.get_facecolor()[0]).upper()
            and all(_reach(vertices, x)[0] <= y <= _reach(vertices, x)[1] for x, y in line.get_xydata())
        ]
        assert inside


def _reach(vertices: np.ndarray, x: float) -> tuple[float, float]:
    heights = vertices[np.isclose(vertices[:, 0], x), 1]
    return (min(heights) - 1e-12, max(heights) + 1e-12) if len(heights) else (1, 0)


@pytest.mark.parametrize(("seeds", "n"), [([60], 100), ([40, 50, 60], 100), ([5], 7)])
def test_the_band_is_wilsons_of_one_seed_and_students_of_several(seeds: list[int], n: int) -> None:
    ax = Figure().subplots()
    (interval,) = curve_with_band(ax, [0.0], [seeds], n, Mark("#000000", "-", "o"))
    expected = wilson_interval(seeds[0], n) if len(seeds) == 1 else mean_interval([count / n for count in seeds])
    assert (interval.low, interval.high) == pytest.approx(expected)
    heights = ax.collections[0].get_paths()[0].vertices[:, 1]
    assert (min(heights), max(heights)) == pytest.approx(expected)


# --- marks ------------------------------------------------------------------------------------------------------------


def test_no_two_models_of_the_zoo_share_colour_dash_and_marker() -> None:
    for every in (
        {name: [zoo.results(name)] for name in zoo.names()},
        {name: zoo.repeats(of.path) for name, of in zoo.recipes(dataset="cifar10").items() if zoo.measured(of.path)},
    ):
        looks = [(m.colour, m.dash, m.marker) for m in marks(every).values()]
        assert len(set(looks)) == len(looks)
        assert len({m.label for m in marks(every).values()}) == len(looks)


def test_forty_networks_of_one_code_or_of_none_have_forty_looks() -> None:
    for record in (Record(n=1, code="latency"), Record(n=1)):
        looks = [(m.colour, m.dash, m.marker) for m in marks({f"net {k}": [record] for k in range(40)}).values()]
        assert len(set(looks)) == 40


def test_every_code_has_its_own_colour_and_marker_on_light_and_on_dark() -> None:
    for scheme in ("light", "dark"):
        looks = [mark(code, scheme=scheme) for code in VOCABULARY.codes]
        assert len({m.colour for m in looks}) == len({m.marker for m in looks}) == len(looks)


def test_a_rule_or_loss_keeps_the_colour_of_its_code_and_has_a_dash_and_marker_of_its_own() -> None:
    rules = [rule for rule in VOCABULARY.training_rules if rule != "bptt"]
    by_rule = [mark("latency"), *(mark("latency", rule) for rule in rules)]
    by_loss = [mark("latency"), *(mark("latency", loss=loss) for loss in VOCABULARY.losses)]
    for looks in (by_rule, by_loss):
        assert len({m.colour for m in looks}) == 1
        assert len({m.dash for m in looks}) == len({m.marker for m in looks}) == len(looks)


def test_the_marks_follow_the_record_and_not_the_name() -> None:
    record = Record(n=1, model="anything", encoding="fusion(direct, latency)", rule="fgsm", title="a title")
    looks = marks({"latency-poisson": [record], "anything": [record]})
    assert {m.colour for m in looks.values()} == {mark("fusion").colour}
    assert looks["latency-poisson"].marker == mark("fusion", "fgsm").marker
    assert [m.label for m in looks.values()] == ["latency-poisson", "a title"]


def test_no_colour_is_typed_outside_the_vocabulary() -> None:
    """In Python, templates and style sheets; of the explorers' JavaScript a test of its own."""
    root = Path(theme.__file__).parents[2]
    sources = [*root.glob("snnlab/**/*.py"), *root.glob("snnlab/**/*.html"), *root.glob("snnlab/**/*.mplstyle")]
    sheets = [path for name in ("_assets", "_slides") for path in (root / "book" / name).glob("*.css")]
    assert len(sheets) >= 2
    typed = {path.name: re.findall(r"#[0-9A-Fa-f]{6}\b", path.read_text(encoding="utf8")) for path in [*sources, *sheets]}
    assert {name: hexes for name, hexes in typed.items() if hexes} == {}


def test_the_style_sheet_has_every_colour_that_the_books_sheets_use() -> None:
    root = Path(theme.__file__).parents[2]
    for path in [path for name in ("_assets", "_slides") for path in (root / "book" / name).glob("*.css")]:
        used = set(re.findall(r"var\((--snn-[\w-]+)\)", path.read_text(encoding="utf8")))
        assert used
        assert used <= set(re.findall(r"(--snn-[\w-]+):", theme.css()))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_colour_of_a_line_has_a_contrast_of_three_to_one(scheme: Any) -> None:
    paper = colours(scheme)["background"]
    for colour in [mark(code, scheme=scheme).colour for code in VOCABULARY.codes] + [colours(scheme)["attack"]]:
        assert _contrast(colour, paper) >= 3


def _contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in mpl.colors.to_rgb(colour)]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


# --- each figure ------------------------------------------------------------------------------------------------------


def test_exit_curves_draw_each_model_clean_and_attacked_and_mark_the_step(repeats: Repeats) -> None:
    (ax,) = figures.exit_curves(repeats, 0.1, acts_from={"direct": 0, "latency": 6}).axes
    lines = _points(ax)
    for expected in ([(4, 0.87), (8, 0.97)], [(4, 0.01), (8, 0.11)], [(4, 0.83), (8, 0.93)], [(4, 0.51), (8, 0.61)]):
        assert expected in lines
    assert [line[0][0] for line in lines if line[0][0] == line[1][0]] == [6.5]  # none at 0: there is no exit before it
    (note,) = (text.get_text() for text in ax.texts if "acts after" in text.get_text())
    assert note.endswith("after exit 6: latency")


def test_seed_curves_draw_the_means_over_seeds(repeats: Repeats) -> None:
    (ax,) = figures.seed_curves(repeats).axes
    lines = {line.get_label(): line for line in ax.get_lines()}
    assert list(lines["latency"].get_ydata()) == pytest.approx([0.93, 0.61])


def test_a_model_that_was_not_attacked_is_left_out(repeats: Repeats) -> None:
    repeats["direct"][0] = replace(repeats["direct"][0], correct={"worst": [[90, 1], [90, 1]]})
    (ax,) = figures.seed_curves(repeats, "noise").axes
    assert "direct" not in [line.get_label() for line in ax.get_lines()]


def test_rule_curves_have_a_panel_a_code_and_name_rules_as_the_vocabulary_does(repeats: Repeats) -> None:
    shown = {"latency": {"a": _of(repeats["direct"], "bptt"), "b": _of(repeats["latency"], "tsslbp")}}
    figure = figures.rule_curves(shown)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["latency"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["BPTT", "TSSL-BP"]


def _of(records: list[Record], rule: str) -> list[Record]:
    return [replace(record, code="latency", rule=rule, loss="count") for record in records]


def test_energy_curves_put_every_exit_at_its_energy_and_ask_for_what_is_missing(repeats: Repeats) -> None:
    (ax,) = figures.energy_curves(repeats, 0.1).axes
    assert [(4, 0.51), (8, 0.61)] in _points(ax)
    repeats["latency"][1] = replace(repeats["latency"][1], energy_pj=None)
    with pytest.raises(ValueError, match="needs 'energy_pj' in every record"):
        figures.energy_curves(repeats)


def test_the_plane_joins_the_models_it_is_asked_to(repeats: Repeats) -> None:
    (ax,) = figures.plane(repeats, 0.1, path=("latency", "direct"), chords=[("direct", "latency")]).axes
    there, back = [(0.93, 0.61), (0.97, 0.11)], [(0.97, 0.11), (0.93, 0.61)]
    lines = [[tuple(pytest.approx(v) for v in point) for point in line.get_xydata()] for line in ax.get_lines()]
    assert there in lines
    assert back in lines


def test_the_plane_takes_every_code_of_the_vocabulary(repeats: Repeats) -> None:
    (ax,) = figures.plane(dict.fromkeys(VOCABULARY.codes, repeats["latency"]), 0.1).axes
    assert {VOCABULARY.codes[code].title for code in VOCABULARY.codes} <= {text.get_text() for text in ax.texts} | {"ANN"}


def test_dynamic_exits_stand_at_their_mean_step_beside_the_fixed_ones(repeats: Repeats) -> None:
    for ax, margin, first, fixed in zip(
        figures.dynamic_plane(repeats, 0.1).axes, (0.81, 0.41), (0.61, 0.21), ((0.87, 0.97), (0.01, 0.11)), strict=True
    ):
        lines = _points(ax)
        assert [(5, margin)] in lines
        assert [(2, first)] in lines
        assert [(4, fixed[0]), (8, fixed[1])] in lines


def test_late_perturbations_have_a_panel_a_model_and_a_line_a_step(repeats: Repeats) -> None:
    figure = figures.late_curves(repeats)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["direct", "latency"]
    for ax in figure.axes:
        assert [(4, 0.51), (8, 0.51)] in _points(ax)
        assert [(4, 0.91), (8, 0.61)] in _points(ax)


def test_a_stair_that_was_not_measured_is_left_out_and_the_last_is_the_worst_case(repeats: Repeats) -> None:
    (ax,) = figures.staircase(repeats, 0.1).axes
    assert [(0, 0.93), (1, 0.61), (8, 0.61)] in _points(ax)  # nothing, noise, everything


def test_survivors_of_the_stairs_never_rise_in_the_zoo() -> None:
    (ax,) = figures.staircase({"latency": zoo.repeats("latency")}, 0.1).axes
    (line,) = (line for line in ax.get_lines() if line.get_label() == "latency")
    together = [y for x, y in line.get_xydata() if x >= 6]
    assert len(together) == 3
    assert all(later <= earlier for earlier, later in pairwise(together))


def test_bars_are_as_high_as_the_accuracies_and_bars_of_one_colour_differ_in_hatching(repeats: Repeats) -> None:
    shown = {"a": repeats["direct"], "b": repeats["latency"]}
    shown = {name: [replace(record, code="fusion") for record in records] for name, records in shown.items()}
    (ax,) = figures.attacked_sets(shown, {"clean": ("worst", 0.0), "worst": ("worst", 0.1)}).axes
    assert sorted(bar.get_height() for bar in ax.patches) == pytest.approx([0.11, 0.61, 0.93, 0.97])
    assert len({bar.get_facecolor() for bar in ax.patches}) == 1
    assert len({bar.get_hatch() for bar in ax.patches}) == 2


def test_packing_leaves_out_a_rounding_of_which_one_is_missing(repeats: Repeats) -> None:
    early, late = repeats.values()
    figure = figures.packing({("up", "early"): early, ("up", "late"): late, ("down", "late"): late}, [0.0, 0.1])
    for ax, heights in zip(figure.axes, ([0.97, 0.93], [0.11, 0.61]), strict=True):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["rounded up"]
        assert heights in [[pytest.approx(y) for y in line.get_ydata()] for line in ax.get_lines()]


def test_a_sweep_draws_every_seed_and_their_mean(repeats: Repeats) -> None:
    (ax,) = figures.sweeps({"β": {"latency": {0.5: repeats["direct"], 0.9: repeats["latency"]}}}, [0.1]).axes
    lines = _points(ax)
    assert [(0.5, 0.10), (0.5, 0.11), (0.5, 0.12)] in lines
    assert [(0.5, 0.11), (0.9, 0.61)] in lines


def test_a_figure_has_a_rendition_for_light_and_one_for_dark_pages_and_a_caption(repeats: Repeats) -> None:
    figure = figures.seed_curves(repeats)
    page = str(figure._repr_html_())
    light, dark = (
        base64.b64decode(source).decode() for source in re.findall(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    )
    for scheme, text, other in (("light", light, "dark"), ("dark", dark, "light")):
        assert mark("latency", scheme=scheme).colour.lower() in text  # type: ignore[arg-type]
        assert mark("latency", scheme=other).colour.lower() not in text  # type: ignore[arg-type]
        assert colours(other)["ink"].lower() not in text  # type: ignore[arg-type]
    assert page.count(f'alt="{escape(figure.alt)}"') == 2
    assert f"<figcaption>{figure.alt.partition('; ')[0]}. {figure.caption}." in page
    assert "Student" not in light  # the caption is text of the page, not of the image


def test_a_figure_without_a_description_is_left_to_its_cell() -> None:
    assert NotebookFigure()._repr_html_() is None


def test_the_neuron_fires_where_the_package_says_and_slopes_are_those_of_the_surrogates() -> None:
    current = [0.5, 0.4, 0.6, 0.1, 0.7, 0.2, 0.5, 0.5]
    spikes, membrane = lif(torch.tensor(current))
    figure = figures.stand_in(current)
    left, right = figure.axes
    fired = next(line for line in left.get_lines() if line.get_label() == "spike")
    assert list(fired.get_xdata()) == (spikes.nonzero().flatten() + 1).tolist() == [3, 6]
    assert list(fired.get_ydata()) == membrane[spikes > 0].tolist()
    assert "fires at steps 3, 6" in figure.alt
    slope = next(line for line in right.get_lines() if line.get_label() == "sigmoid, 4")
    v = torch.tensor(np.asarray(slope.get_xdata()))
    assert np.allclose(slope.get_ydata(), Surrogate("sigmoid", 4).derivative(v))


def test_rasters_count_the_spikes_and_draw_new_ones_in_the_colour_of_the_attack() -> None:
    before = torch.zeros(3, 2)
    before[0, 0] = 1
    after = torch.zeros(3, 2)
    after[2, 1] = 1
    figure = figures.rasters({"latency": (before, after)}, images={"clean": torch.rand(3, 4, 4)})
    image, raster = figure.axes
    assert image.get_images()[0].get_array().shape == (4, 4, 3)
    shown = np.asarray(raster.get_images()[0].get_array())  # [row, step, colour]
    assert shown[0, 0] == pytest.approx(mpl.colors.to_rgba(colours()["ink"]))
    assert shown[1, 2] == pytest.approx(mpl.colors.to_rgba(colours()["attack"]))
    assert shown[1, 0, 3] == 0
    assert figure.alt == "Spikes over 3 steps: latency 1 and 1 more under attack."


def test_bars_lie_in_their_intervals_and_name_the_models(repeats: Repeats) -> None:
    values = {name: over_seeds(records, "worst", None, 0.1) for name, records in repeats.items()}
    figure = figures.bars(values, marks(repeats), CHANCE, "worst case")
    assert [bar.get_width() for bar in figure.axes[0].patches] == pytest.approx([0.11, 0.61])
    assert figure.alt == "worst case: latency 0.61, direct 0.11."
