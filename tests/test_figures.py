"""Figures over seeds draw the means of what they are given, where it belongs, and change no setting."""

from typing import Any

import matplotlib as mpl
import pytest
from matplotlib.axes import Axes

from snnlab import figures

EXITS = [4, 8]


def _record(clean: int, worst: int, seed: int) -> dict[str, Any]:
    """Two exits, two radii, 100 samples; right at the later exit: ``clean`` and ``worst``, plus the seed."""
    counts = [[clean - 10 + seed, worst - 10 + seed], [clean + seed, worst + seed]]
    rules = [{"name": "margin", "threshold": 1.0}, {"name": "first_spike", "threshold": None}]
    dynamic = {
        "rules": rules,
        "mean_exit": [5.0, 2.0],
        "correct": {"0": [80 + seed, 60 + seed], "0.1": [40 + seed, 20 + seed]},
    }
    late = {"pgd": {"from_steps": [0, 4], "exits": EXITS, "n": 100, "correct": [[50 + seed] * 2, [90 + seed, 60 + seed]]}}
    common = {"n": 100, "eps": [0.0, 0.1], "num_steps": 8, "exits": EXITS, "energy_pj": [1000.0 * e for e in range(1, 9)]}
    return common | {"correct": {"worst": counts}, "dynamic": dynamic, "late": late}


@pytest.fixture
def repeats() -> dict[str, list[dict[str, Any]]]:
    """Seeds whose mean is the middle one, so that a model's means are 0.01 above its numbers."""
    return {
        name: [_record(clean, worst, s) for s in (0, 1, 2)]
        for name, clean, worst in (("direct", 96, 10), ("latency", 92, 60))
    }


def _points(ax: Axes) -> list[list[tuple[float, float]]]:
    return [[(float(x), pytest.approx(float(y))) for x, y in line.get_xydata()] for line in ax.get_lines()]


def test_exit_curves_draw_each_model_clean_and_attacked_and_mark_the_step(repeats: dict[str, Any]) -> None:
    (ax,) = figures.exit_curves(repeats, 0.1, acts_from={"direct": 0, "latency": 6}).axes
    lines = _points(ax)
    for expected in ([(4, 0.87), (8, 0.97)], [(4, 0.01), (8, 0.11)], [(4, 0.83), (8, 0.93)], [(4, 0.51), (8, 0.61)]):
        assert expected in lines
    assert [line[0][0] for line in lines if line[0][0] == line[1][0]] == [6.5]  # none at 0: there is no exit before it
    (note,) = (text.get_text() for text in ax.texts if "acts after" in text.get_text())
    assert note.endswith("after exit 6: latency")


def test_the_plane_joins_the_models_it_is_told_to(repeats: dict[str, Any]) -> None:
    (ax,) = figures.plane(repeats, 0.1, path=("latency", "direct"), chords=[("direct", "latency")]).axes
    there, back = [(0.93, 0.61), (0.97, 0.11)], [(0.97, 0.11), (0.93, 0.61)]
    lines = [[tuple(pytest.approx(v) for v in point) for point in line.get_xydata()] for line in ax.get_lines()]
    assert there in lines
    assert back in lines


def test_dynamic_exits_stand_at_their_mean_step_beside_the_fixed_ones(repeats: dict[str, Any]) -> None:
    for ax, margin, first, fixed in zip(
        figures.dynamic_plane(repeats, 0.1).axes, (0.81, 0.41), (0.61, 0.21), ((0.87, 0.97), (0.01, 0.11)), strict=True
    ):
        lines = _points(ax)
        assert [(5, margin)] in lines
        assert [(2, first)] in lines
        assert [(4, fixed[0]), (8, fixed[1])] in lines


def test_late_perturbations_have_a_panel_a_model_and_a_line_a_step(repeats: dict[str, Any]) -> None:
    figure = figures.late_curves(repeats)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["direct", "latency"]
    for ax in figure.axes:
        assert [(4, 0.51), (8, 0.51)] in _points(ax)
        assert [(4, 0.91), (8, 0.61)] in _points(ax)


def test_figures_leave_all_settings_as_they_were(repeats: dict[str, Any]) -> None:
    before = dict(mpl.rcParams)
    figures.exit_curves(repeats, 0.1)._repr_png_()
    figures.energy_curves(repeats, 0.1)._repr_png_()
    assert dict(mpl.rcParams) == before


def test_a_network_that_is_not_in_the_zoo_is_drawn_under_its_own_name(repeats: dict[str, Any]) -> None:
    (ax,) = figures.exit_curves({"mine": repeats["latency"]}, 0.1).axes
    assert "mine" in [line.get_label() for line in ax.get_lines()]
