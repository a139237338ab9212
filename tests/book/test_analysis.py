"""The tables and sentences of the chapters follow from the records."""

import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import snntorch as snn
import torch

from analysis import adversarial, drawings, hardware, honest, training
from analysis.adversarial import corner, pictures, winners, winners_text
from analysis.answer import answer, in_short
from analysis.cifar10 import accuracy, attacked_drawing, drawing, factors_of
from analysis.early_exit import clean_cost, safe_exits, window
from analysis.encoding import DRAWN, codes_in_time, finding, two_slopes
from analysis.energy import fair_finding, parts_of
from analysis.honest import square_query
from analysis.neuron import bumps, network_in_time
from analysis.yourturn import reading
from snnlab import Budget, attack, data, zoo
from snnlab.data import Split
from snnlab.encoding import encoder, first_active_step
from snnlab.networks.energy import energy
from snnlab.plotting.theme import NotebookFigure
from snnlab.statistics import Record, over_seeds


def _untrained() -> NotebookFigure:
    net = torch.nn.Module()
    net.fc1, net.fc2 = torch.nn.Linear(784, 256), torch.nn.Linear(256, 10)
    net.lif1, net.lif2 = snn.Leaky(beta=0.9), snn.Leaky(beta=0.9)
    return training.before_and_after({"before": net, "after": net}, torch.rand(8, 1, 784), 3)


#: drawings of networks, without arguments
NETWORK_DRAWINGS: list[Callable[[], NotebookFigure]] = [
    lambda: network_in_time(zoo.load("latency"), data.load("mnist5k").test.images[0], 3),
    lambda: bumps(zoo.load("onset"), data.load("mnist5k").test[:20]),
    lambda: training.change_figure({"tsslbp-latency": "latency"}),
    lambda: training.learning_curve({"plain": [(1.0, 0.5), (0.5, 0.8)]}),
    _untrained,
]


def test_the_wrong_answers_under_attack_are_concentrated_on_few_classes() -> None:
    shares = [float(share.rstrip("%")) / 100 for share in winners()["share of these digits"]]
    assert len(shares) == 10
    assert min(shares) > 0.2  # nine equally frequent wrong classes would have a ninth each, at most
    assert "n = " in winners_text()


@pytest.mark.parametrize("side", [1, 3, 12, 28])
def test_a_query_of_square_changes_one_square_within_the_budget(side: int) -> None:
    images, generator = torch.full((2, 1, 28, 28), 0.5), torch.Generator().manual_seed(0)
    query = square_query(images, side, 0.1, generator)
    Budget(0.1).verify(query, images)
    for changed in (query != images)[:, 0]:
        rows, columns = changed.any(1), changed.any(0)
        assert int(changed.sum()) == int(rows.sum() * columns.sum()) == side * side


def test_a_square_larger_than_the_image_is_refused() -> None:
    with pytest.raises(ValueError, match="from 1 to 28"):
        square_query(torch.zeros(1, 1, 28, 28), 29, 0.1, torch.Generator())


def test_one_network_has_another_factor_in_every_threat_model() -> None:
    text = factors_of("latency", 4.0)
    for threat, key, baseline in (("transfer", "transfer", "ann-second"), ("naive", "pgd.naive", "ann")):
        snn, ann = accuracy("latency", key, 4.0), accuracy(baseline, key, 4.0)
        assert snn is not None
        assert ann is not None
        assert f"{threat}: {snn.mean:.3f} against {ann.mean:.3f} (`{baseline}`)" in text
    assert "not above guessing" in text


def test_a_code_that_multiplies_the_weights_of_the_fair_ann_costs_as_much() -> None:
    text = fair_finding({"same": (100.0, 0.0), "spikes": (0.0, 100.0), "both": (100.0, 100.0)}, 100.0)
    assert "need less: `spikes` (0.20 times)." in text
    assert "or more: `same` (1.00 times), `both` (1.20 times)." in text


def test_the_effect_decides_how_a_claim_is_read() -> None:
    def measured(effect: str, high: float) -> dict[str, object]:
        parts = [
            {"outcome": outcome, "new": {"eps": 0.2}, "change": {"mean": h, "low": h - 0.1, "high": h}}
            for outcome, h in ((effect, 0.0), ("as claimed", high), ("as claimed", 0.0))
        ]
        return {"verdict": "holds in part", "comparisons": parts}

    assert "it was not confirmed" in reading(measured("not told apart", 0.02))
    assert "it was confirmed" in reading(measured("as claimed", 0.02))
    assert "a clear loss" in reading(measured("as claimed", -0.02))
    assert "a clear loss" not in reading(measured("as claimed", 0.02))
    assert "At ε = 0.2 the loss on white is the larger of the two." in reading(measured("as claimed", -0.02))
    assert "At ε = 0.2 the gain on black and the loss on white are not told apart." in reading(measured("as claimed", 0.02))


def _at_exits(clean: list[int], seed: int) -> Record:
    exits, counts = list(range(1, len(clean) + 1)), {"worst": [[right] for right in clean]}
    return Record(n=100, eps=[0.0], num_steps=len(clean), exits=exits, correct=counts, seed=seed)


def test_the_text_says_where_the_prediction_on_clean_digits_fails() -> None:
    early_is_worse = [_at_exits([50 + s, 60 + s, 90 + s, 90 + s], s) for s in range(3)]
    assert "From exit 3 on, none is" in clean_cost(early_is_worse)
    assert "*fails* for guesses up to ε = 0.25" in clean_cost(early_is_worse)
    always_worse = [_at_exits([50 + s, 60 + s, 70 + s, 90 + s], s) for s in range(3)]
    assert "as prediction 3 said" in clean_cost(always_worse)


def test_the_text_on_clean_digits_follows_from_the_records_of_the_zoo() -> None:
    records = zoo.repeats("latency")
    text = clean_cost(records)
    assert f"exit {records[0].num_steps} are:" in text
    assert ("*fails*" in text) != ("as prediction 3 said" in text)


def test_the_last_safe_exit_reads_nothing_of_a_raised_background() -> None:
    images = torch.zeros(1, 1, 28, 28)
    for code, exit_step in safe_exits(["latency", "onset", "offset", "direct"], 0.2).items():
        clean, raised = (encoder(code)(x) for x in (images, images + 0.2))
        assert torch.equal(clean[:exit_step], raised[:exit_step])
        assert exit_step == 8 or not torch.equal(clean[: exit_step + 1], raised[: exit_step + 1])


def _survivors(*counts: int) -> list[Record]:
    """Made records of three seeds of 100 samples: survivors at ε = 0, 0.1, 0.2, one more each seed."""
    correct = [{attack: [[c + s for c in counts]] for attack in ("worst", "fgsm.naive", "transfer")} for s in range(3)]
    common: dict[str, Any] = {"n": 100, "num_steps": 8, "eps": [0.0, 0.1, 0.2], "exits": [8]}
    return [Record(seed=s, correct=correct[s], **common) for s in range(3)]


def test_the_finding_on_codes_names_those_clearly_above_direct_at_each_eps() -> None:
    codes = {"direct": (95, 5, 0), "offset": (95, 4, 0), "onset": (95, 80, 20), "latency": (92, 57, 0), "phase": (94, 5, 0)}
    near, far, *_ = finding({name: _survivors(*counts) for name, counts in codes.items()}).split("\n\n")[1:]
    assert "leaves `onset` 81%, `latency` 58%" in near
    assert "`onset`, `latency` are clearly more robust than `direct`, `phase` not." in near
    assert "`onset` is clearly more robust than `direct`, `latency`, `phase` not." in far


def test_adversarial_training_is_compared_with_plain_training_of_the_same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {name: _survivors(95, 50, 10) for name in zoo.names()}
    made |= {"fgsm-latency": _survivors(95, 70, 10), "fgsm-onset": _survivors(95, 50, 40), "direct": _survivors(95, 51, 10)}
    made |= {training.THRESHOLD: _survivors(95, 80, 60), "latency-long": _survivors(95, 65, 10)}
    monkeypatch.setattr(zoo, "measured", lambda name: name in made)
    monkeypatch.setattr(zoo, "repeats", lambda name: made[name])
    monkeypatch.setattr(zoo, "results", lambda name: made[name][0])
    text = training.adversarial_finding()
    assert (
        "At ε = 0.1 the gain over plain training is clear for `fgsm-latency` (+0.20), not for `fgsm-ann` (+0.00), " in text
    )
    assert "At ε = 0.2 the gain over plain training is clear for `fgsm-onset` (+0.30), not for `fgsm-ann` (+0.00), " in text
    assert "The most robust is now `fgsm-onset`, with no bound known – 0.410" in text
    assert "(A control, `ann-binary`, keeps more: no bound known – 0.610" in text
    assert "- at ε = 0.2 clearly higher: `fgsm-onset` (+0.300" in text
    assert "longer on clean digits:\n\n- `fgsm-latency` against `latency-long`: +0.050" in text
    assert "Such controls that are not measured yet: `ann-long`, `onset-long`." in text
    table = training.adversarial_table()
    assert table.loc["fgsm-latency", "gain, 0.1"].endswith(" higher")
    assert table.loc["fgsm-direct", "gain, 0.1"].startswith("-0.010")


@pytest.mark.parametrize(
    "draw", [corner, pictures, adversarial.convergence, codes_in_time, two_slopes, window, *NETWORK_DRAWINGS]
)
def test_a_drawing_has_a_title_a_caption_and_a_description(draw: Callable[[], NotebookFigure]) -> None:
    figure = draw()
    title, _, rest = figure.alt.partition(": ")
    assert 10 < len(title) < 90
    assert len(rest) > 40
    assert figure.caption
    assert not figure.caption.endswith(".")  # whoever shows it ends the sentence


@pytest.mark.parametrize("eps", [0.1, 0.2])
def test_the_raised_pixel_of_the_drawing_fires_when_the_code_says(eps: float) -> None:
    figure = codes_in_time(eps)
    for code, ax in zip(DRAWN, figure.axes[3::4], strict=True):  # the fourth column
        fires = [k for k, bar in enumerate(ax.patches) if bar.get_height() > 0]
        if code in ("onset", "latency", "offset", "direct"):
            assert fires[:1] == ([step] if (step := first_active_step(eps, 8, code)) < 8 else [])


def test_the_naive_rule_is_zero_where_the_code_has_not_fired_and_the_informed_rule_nowhere() -> None:
    left, right = two_slopes().axes
    spike, naive, informed = (line.get_ydata() for line in (*left.lines, *right.lines))
    assert ((naive > 0) == (spike > 0)).all()
    assert (informed > 0).all()


def test_the_drawn_attack_ends_in_the_budget_and_one_picture_is_misread() -> None:
    figure = pictures(0.1)
    clean, noisy, changed = (ax.images[0].get_array() for ax in figure.axes[:3])
    for picture in (noisy, changed):
        assert abs(picture - clean).max() <= 0.1 + 1e-6
    answers = [ax.get_xlabel().split()[2] for ax in figure.axes[:3]]
    assert answers[0] == answers[1] != answers[2]


def test_every_point_of_the_drawn_pgd_lies_in_its_budget() -> None:
    right = corner().axes[1]
    budget = right.patches[0]
    points = [line.get_xydata()[0] for line in right.lines if line.get_marker() == "o" and len(line.get_xydata()) == 1]
    assert len(points) > 4
    for x, y in points:
        assert budget.get_x() - 1e-9 <= x <= budget.get_x() + budget.get_width() + 1e-9
        assert budget.get_y() - 1e-9 <= y <= budget.get_y() + budget.get_height() + 1e-9


@pytest.mark.parametrize("eps", [0.1, 0.2, 0.3])
def test_the_drawn_window_is_that_of_the_text(eps: float) -> None:
    span = window(eps).axes[0].patches[0]
    exits = range(int(span.get_x()) + 1, int(span.get_x() + span.get_width()) + 1)
    assert list(exits) == [e for e in range(1, 9) if eps * 8 < e <= (1 - eps) * 8]


def test_the_recipe_of_the_text_is_that_of_the_zoo(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = zoo.recipe("latency")
    assert f"{recipe['epochs']} epochs" in training.recipe_text()
    assert "`phase` with learning rate 0.008" in training.recipe_text()
    monkeypatch.setattr(zoo, "recipe", lambda name: recipe.varied({"epochs": 99, "beta": 0.5}))
    assert "99 epochs" in training.recipe_text()
    assert "β = 0.5" in training.recipe_text()


@pytest.mark.parametrize(
    ("converted", "reading"),
    [(30, "That is what the claim says"), (70, "opposite of the claim"), (50, "no consistent direction")],
)
def test_the_finding_on_rules_follows_from_the_direction_of_most_comparisons(
    converted: int, reading: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {name: _survivors(95, converted if name.startswith("converted") else 50, 50) for name in zoo.names()}
    made |= {name: _survivors(95, converted, converted) for name in made if name.startswith("converted")}
    monkeypatch.setattr(zoo, "repeats", lambda name: made[name])
    assert reading in training.rule_finding()


def test_a_change_is_drawn_where_the_records_put_it(monkeypatch: pytest.MonkeyPatch) -> None:
    made = {"latency": _survivors(95, 50, 10), "tsslbp-latency": _survivors(95, 70, 10)}
    monkeypatch.setattr(zoo, "repeats", lambda name: made[name])
    near, far = training.change_figure({"tsslbp-latency": "latency"}).axes
    assert near.lines[2].get_xdata()[0] == pytest.approx(0.2)
    assert (near.lines[2].get_marker(), far.lines[2].get_marker()) == ("o", "|")


def test_the_code_that_the_introduction_names_has_the_highest_worst_case() -> None:
    worst = {name: over_seeds(zoo.repeats(name), eps=0.1).mean for name in zoo.names("codes") if name != "ann"}
    best = max(worst, key=lambda name: worst[name])
    text = in_short()
    # Behind what is proved.
    assert re.search(
        rf"– {worst[best]:.3f} \[.*\]: the spiking network with the best code, `{best}`, picked after measuring", text
    )
    assert f"n = {zoo.results(best).n} test digits, suite `{zoo.results(best).suite}`" in text


def test_the_answer_of_the_book_is_that_of_the_records() -> None:
    text = answer()
    for name in ("onset", "latency"):
        worst = [sum(r.correct["worst"][-1][r.eps.index(eps)] / r.n for r in zoo.repeats(name)) / 3 for eps in (0.1, 0.2)]
        assert re.search(rf"`{name}`: [\d.]+ – {worst[0]:.3f} \[[\d., ]+\] and [\d.]+ – {worst[1]:.3f} \[", text)


@pytest.mark.parametrize("name", ["ann", "direct", "latency", "poisson", "fusion"])
def test_the_parts_of_a_bill_add_up_to_the_energy(name: str, few: Split) -> None:
    model = zoo.load(name)
    model.generator = torch.Generator().manual_seed(0)
    used = energy(model, few.images)
    counted = float(used.picojoules[-1].mean()) / 1000
    assert sum(parts_of(name, few.images, 0).values()) == pytest.approx(counted)
    reads = float((used.macs + used.synops)[-1].mean())
    assert parts_of(name, few.images, 5)["reading weights"] == pytest.approx(5 * reads / 1000)


def test_the_drawn_picture_has_whole_grey_levels_and_its_attacked_copies_are_named() -> None:
    picture = drawing()
    assert picture.shape == (1, 3, 32, 32)
    assert torch.equal((255 * picture).round() / 255, picture)
    assert len(picture.unique()) > 100
    assert "own drawing" in attacked_drawing(("ann",), 1).caption


def test_a_convergence_plot_says_what_the_longest_attack_leaves(few: Split) -> None:
    model, x, y = zoo.load("offset"), few.images[:10], few.labels[:10]
    results = {k: attack(model, x, y, Budget(0.1), steps=k, generator=torch.Generator().manual_seed(0)) for k in (1, 5)}
    figure = honest.convergence({"steps": {"offset, PGD": results}})
    assert f"offset, PGD after 5 steps: {(~results[5].success).float().mean():.2f}" in figure.alt
    assert figure.axes[0].lines[0].get_ydata().tolist() == pytest.approx(
        [float((~r.success).float().mean()) for r in results.values()]
    )


@pytest.mark.parametrize("name", drawings.__all__)
def test_a_drawing_is_well_formed_has_an_alternative_text_and_follows_the_theme(name: str) -> None:
    (svg,) = ET.fromstring(getattr(drawings, name)().html)
    width, height = map(float, svg.attrib["viewBox"].split()[2:])
    assert len(svg.attrib["aria-label"]) > 80
    for element in svg.iter():
        for key in ("fill", "stroke"):
            assert element.get(key, "none").startswith(("none", "currentColor", "var(--snn-"))
        if "x" in element.attrib:
            right, lower = (
                float(element.get(a, 0)) + float(element.get(b, 0)) for a, b in (("x", "width"), ("y", "height"))
            )
            assert 0 <= right <= width
            assert 0 <= lower <= height


def test_the_flow_chart_says_every_question_and_its_answer() -> None:
    words = " ".join(ET.fromstring(drawings.blindfolds().html).itertext())
    for asked, answered in drawings.QUESTIONS:
        assert asked.split("\n")[0] in words
        assert answered.split("\n")[0] in words


def test_who_hurts_each_code_most() -> None:
    """What the take-aways of the chapter on hardware say."""
    assert hardware.worst_enemies("phase") == ["time"]
    assert all(hardware.worst_enemies(name) == ["intensity"] for name in ("direct", "poisson", "offset", "fusion"))
    assert len(hardware.worst_enemies("onset")) > 2
    table = hardware.enemies()
    assert list(table.index) == hardware.codes()
    assert table.loc["direct", "time"] == "—"
    for name in hardware.codes():
        for enemy, lost in hardware.losses(name).items():
            assert lost.low <= lost.mean <= lost.high, (name, enemy)
