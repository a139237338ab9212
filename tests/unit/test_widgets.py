"""The explorers' Python side: frames as pure functions, state as traits, messages, the element for the static page."""

import html
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import numpy as np
import pytest
import snntorch
import torch
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st
from test_network import TutorialNet

from snnlab import Budget, attack, zoo
from snnlab.attacks import INFORMED, NAIVE
from snnlab.attacks.trajectory import VARIANTS
from snnlab.data import Split
from snnlab.encoding import encoder, first_active_step
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.early_exit import ExitRule, exit_steps
from snnlab.networks.energy import energy
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets import (
    AttackExplorer,
    EncoderExplorer,
    EnergyExplorer,
    ExitExplorer,
    FusionExplorer,
    NeuronExplorer,
    ResultsExplorer,
    RobustnessExplorer,
    TrainingExplorer,
)
from snnlab.widgets.compute import Request, frame, pack
from snnlab.widgets.explorers import first_reach
from snnlab.widgets.sources import Models
from snnlab.widgets.traits import Explorer

BOOK = Path(__file__).parents[2] / "book"
NAMES = zoo.names()


def _request(few: Split, **changes: Any) -> Request:
    settings = {"encoding": "onset", "attack": "pgd", "eps": 0.1, "exit_step": 6} | changes
    return Request(few.images[0], int(few.labels[0]), **settings)


@pytest.mark.parametrize("name", NAMES)
def test_frame_shows_what_the_classifier_does(name: str, few: Split) -> None:
    model = zoo.load(name)
    shown = frame(model, _request(few, encoding=name, attack="none"))
    model.generator = torch.Generator().manual_seed(0)
    assert shown["clean"]["predictions"].tolist() == model.predict(few.images[:1])[:, 0].tolist()
    assert shown["attacked"] is None
    if model.encoder is not None:
        votes = shown["clean"]["votes"].reshape(8, 10)
        assert model.decoder == "membrane" or (np.diff(votes, axis=0) >= 0).all()  # potentials may be negative
        assert set(np.unique(shown["clean"]["hidden"])) <= {0, 1}


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("method", ["noise", "fgsm", "pgd"])
def test_attacked_frame_stays_in_its_budget(name: str, method: str, few: Split) -> None:
    shown = frame(zoo.load(name), _request(few, encoding=name, attack=method))
    moved = np.abs(shown["attacked"]["image"] - shown["clean"]["image"])
    assert moved.max() <= 0.1 + 1e-6
    assert shown["moved"] == pytest.approx((moved > 0).mean(), abs=1e-6)


def test_frame_attacks_the_exit_that_is_shown(few: Split) -> None:
    found = [frame(zoo.load("latency"), _request(few, attack="fgsm", exit_step=e))["attacked"]["image"] for e in (4, 8)]
    assert not np.array_equal(*found)


def test_frame_is_the_attack_of_the_package(few: Split) -> None:
    model = zoo.load("onset")
    shown = frame(model, _request(few, attack="fgsm", exit_step=8))
    expected = attack(model, few.images[:1], few.labels[:1], Budget(0.1), "fgsm", INFORMED)
    assert np.array_equal(shown["attacked"]["image"], expected.images.flatten().numpy())


def test_unlabelled_image_is_attacked_as_what_it_is_taken_for(few: Split) -> None:
    request = Request(few.images[0], None, "onset", "fgsm", eps=0.1)
    assert frame(zoo.load("onset"), request)["target"] == zoo.load("onset").predict(few.images[:1])[-1, 0]


def test_order_sorts_pixels_by_intensity_and_neurons_by_class(few: Split) -> None:
    shown = frame(zoo.load("fusion"), _request(few, encoding="fusion"))
    order = shown["order"]["input"]
    assert sorted(order.tolist()) == list(range(2 * 784))
    brightness = few.images[0].flatten().numpy()[order[:784]]
    assert (np.diff(brightness) <= 0).all()
    assert (np.diff(shown["order"]["preferred"]) >= 0).all()


def test_pack_keeps_every_number(few: Split) -> None:
    shown = frame(zoo.load("onset"), _request(few))
    plain, buffers = pack(shown)
    assert len(buffers) == len(plain["buffers"])
    for (name, dtype), buffer in zip(plain["buffers"], buffers, strict=True):
        part, key = name.split(".")
        assert np.array_equal(np.frombuffer(buffer, dtype), shown[part][key])


@settings(max_examples=25, deadline=None)
@given(
    name=st.sampled_from(NAMES),
    method=st.sampled_from(["none", "noise", "fgsm", "pgd"]),
    attacker=st.sampled_from(["naive", "informed"]),
    eps=st.floats(0, 1),
    exit_step=st.integers(1, 8),
    seed=st.integers(0, 2**31 - 1),
)
def test_every_state_has_a_frame(**state: Any) -> None:
    generator = torch.Generator().manual_seed(state["seed"])
    name, method = state["name"], state["method"]
    request = Request(
        torch.rand(1, 28, 28, generator=generator),
        3,
        name,
        method,
        state["attacker"],
        state["eps"],
        state["exit_step"],
        state["seed"],
    )
    shown = frame(zoo.load(name), request)
    assert np.isfinite(shown["clean"]["votes"]).all()
    assert (shown["attacked"] is None) == (method == "none" or state["eps"] == 0)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"attack": "magic"}, "unknown attack 'magic'; choose one of none, noise, fgsm, pgd\n"),
        ({"attacker": "psychic"}, "choose one of naive, informed"),
        ({"eps": -0.1}, "eps must lie in"),
        ({"eps": float("nan")}, "eps must lie in"),
        ({"exit_step": 9}, "from 1 to num_steps=8"),
    ],
)
def test_bad_state_says_what_is_valid(changes: dict[str, Any], says: str, few: Split) -> None:
    with pytest.raises(ValueError) as refused:  # noqa: PT011  # the whole message is compared
        frame(zoo.load("onset"), _request(few, **changes))
    assert says in f"{refused.value}\n"


REFUSED = {
    RobustnessExplorer: [
        {"encoding": "morse"},
        {"encoding": "tsslbp-onset"},  # of another explorer
        {"attack": "magic"},
        *({"attack": attack} for attack in ("mifgsm", "difgsm", "apgd", "square")),  # the page cannot compute them
        {"attacker": "psychic"},
        {"eps": -0.01},
        {"eps": float("nan")},
        {"exit_step": 0},
        {"exit_step": 9},
        {"image": 10_000},
    ],
    EnergyExplorer: [{"price": -1}, {"zeros": "ignored"}, {"exit_step": 9}, {"image": 10_000}],
    EncoderExplorer: [{"change": "darken"}, {"exit_step": 9}, {"eps": 1.5}],
    TrainingExplorer: [{"code": "morse"}, {"code": "poisson"}, {"exit_step": 9}],
    ExitExplorer: [{"encoding": "ann"}, {"from_step": -1}, {"from_step": 8}, {"rule": "mood"}, {"exit_step": 9}],
    AttackExplorer: [{"encoding": "tsslbp-onset"}, {"step": -1}, {"step": 11}, {"eps": 1.5}, {"image": 10_000}],
    FusionExplorer: [{"encoding": "offset"}, {"silenced": 2}, {"silenced": -2}, {"encoding": "onset", "silenced": 0}],
}


@pytest.mark.parametrize(("explorer", "state"), [(make, state) for make, states in REFUSED.items() for state in states])
def test_explorer_refuses_a_state_that_does_not_exist(explorer: type[Explorer], state: dict[str, Any]) -> None:
    with pytest.raises(traitlets.TraitError):
        explorer(**state)


@pytest.mark.slow
def test_first_image_behaves_most_like_the_population() -> None:
    """How far each digit is from the accuracies of the records, over networks, attacks and ε; a second one may be as near."""
    digits = Models().samples
    distance = torch.zeros(len(digits))
    for name in zoo.names("codes"):
        model, record = zoo.load(name), zoo.results(name)
        if model.stochastic:
            continue
        for key, method, attacker in (("fgsm.naive", "fgsm", NAIVE), ("pgd.informed", "pgd", INFORMED)):
            for eps in record.eps[1:]:
                generator = torch.Generator().manual_seed(0)
                result = attack(model, digits.images, digits.labels, Budget(eps), method, attacker, generator=generator)
                distance += ((~result.success).float() - record.accuracy(key, eps=eps)).abs()
    nearest = distance.argsort()[:2].tolist()
    assert RobustnessExplorer().image in nearest
    assert distance.max() > 1.5 * distance.min()  # the choice matters


def test_own_images_begin_with_the_first(few: Split) -> None:
    assert RobustnessExplorer(model=SpikingMLP((784, 12, 10)), images=few.images[:3], labels=few.labels[:3]).image == 0


def test_explorer_links_with_any_other_widget() -> None:
    explorer, slider = RobustnessExplorer(), ipywidgets.FloatSlider(min=0, max=0.3, step=0.01)
    traitlets.link((explorer, "eps"), (slider, "value"))
    slider.value = 0.12
    assert explorer.eps == pytest.approx(0.12)
    heard = []
    explorer.observe(lambda change: heard.append(change["new"]), "exit_step")
    explorer.exit_step = 5
    assert heard == [5]


def _answers(explorer: RobustnessExplorer, message: dict[str, Any]) -> list[dict[str, Any]]:
    """What the explorer sends in reply to one message of its view."""
    sent: list[dict[str, Any]] = []
    explorer.send = lambda content, buffers=None: sent.append(content | {"buffers": buffers})  # type: ignore[method-assign]
    explorer._answer(explorer, message, [])
    return sent


def test_explorer_answers_its_view(few: Split) -> None:
    explorer = RobustnessExplorer()
    assert _answers(explorer, {"type": "hello", "id": 1})[-1]["type"] == "hello"
    request = {
        "image": few.images[0].flatten().tolist(),
        "shape": [1, 28, 28],
        "label": 7,
        "encoding": "onset",
        "attack": "fgsm",
        "attacker": "naive",
        "eps": 0.1,
        "exit_step": 8,
        "seed": 0,
    }
    working, reply = _answers(explorer, {"type": "run", "id": 2, "request": request})
    assert working["type"] == "working"
    assert (reply["type"], reply["id"]) == ("frame", 2)
    assert reply["frame"]["computed_by"] == "kernel"
    assert _answers(explorer, {"type": "data", "id": 3, "key": "model/onset"})[-1]["payload"]["name"] == "onset"
    assert "snnlabData" in _answers(explorer, {"type": "data", "id": 4, "key": "results"})[-1]["payload"]  # a further script


def test_attack_explorer_answers_its_view_with_a_trajectory(few: Split) -> None:
    request = {"image": few.images[0].flatten().tolist(), "shape": [1, 28, 28], "label": 7, "encoding": "offset", "eps": 0.1}
    working, reply = _answers(AttackExplorer(), {"type": "trajectory", "id": 4, "request": request | {"method": "assg"}})
    assert (working["type"], reply["type"], reply["id"]) == ("working", "frame", 4)
    assert [name for name, _ in reply["frame"]["buffers"]] == [
        f"path.{part}" for part in ("images", "gradients", "margins", "predictions")
    ]
    assert len(reply["buffers"]) == 4
    refused = _answers(AttackExplorer(), {"type": "trajectory", "id": 5, "request": request | {"method": "magic"}})[-1]
    assert "choose one of naive, bpda, eot, assg" in refused["message"]


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"type": "dance", "id": 1}, "unknown message 'dance'"),
        ({"type": "data", "id": 1, "key": "secrets"}, "unknown key"),
        ({"type": "run", "id": 1, "request": {"image": [0.5] * 4, "shape": [1, 28, 28]}}, "shape"),
        ({"type": "run", "id": 1, "request": {"image": [2.0] * 784, "shape": [1, 28, 28], "label": 1,
          "encoding": "onset"}}, "[0, 1]"),
    ],
)  # fmt: skip
def test_an_exception_reaches_the_view_as_a_sentence(message: dict[str, Any], says: str) -> None:
    reply = _answers(RobustnessExplorer(), message)[-1]
    assert reply["type"] == "error"
    assert says in reply["message"]


@pytest.mark.parametrize("make", [TutorialNet, lambda: SpikingMLP((784, 12, 10))])
def test_explorer_takes_a_network_of_your_own(make: Any, few: Split) -> None:
    explorer = RobustnessExplorer(model=make(), images=few.images, labels=few.labels, attack="pgd", eps=0.1)
    assert explorer.result()["attacked"] is not None
    payload = _answers(explorer, {"type": "data", "id": 1, "key": "zoo"})[-1]["payload"]
    assert payload["results"] is None
    assert [m["name"] for m in payload["models"]] == ["direct", "poisson", "onset", "offset", "latency", "phase"]


def test_explorer_takes_an_ann_and_a_classifier(few: Split) -> None:
    for model in (Classifier(MLP()), Classifier(SpikingMLP(), encoder("onset", num_steps=8))):
        assert RobustnessExplorer(model=model, images=few.images, labels=few.labels).result()["clean"]["votes"].size


def test_explorer_refuses_what_it_cannot_show(few: Split) -> None:
    x, y = few.images, few.labels
    cases = [
        (lambda: RobustnessExplorer(model=MLP()), "needs images"),
        (lambda: RobustnessExplorer(model=torch.nn.Linear(3, 10), images=x, labels=y), "no known form fits the network"),
        (lambda: RobustnessExplorer(model=SpikingMLP(), images=(x * 255).byte(), labels=y), "divide 8-bit images"),
        (lambda: RobustnessExplorer(model=SpikingMLP(), images=x, labels=y + 5), "labels must lie in"),
        (lambda: RobustnessExplorer(model=SpikingMLP(), images=x, labels=y[:3]), "labels [N]"),
        (lambda: RobustnessExplorer(model=SpikingMLP(), images=x[:0], labels=y[:0]), "empty batch"),
        (lambda: RobustnessExplorer(model=SpikingMLP(), images=x[0], labels=y), "[N, C, H, W]"),
        (lambda: ExitExplorer(model=Classifier(MLP()), images=x, labels=y), "no steps to leave early"),
        (lambda: FusionExplorer(model=Classifier(SpikingMLP(), encoder("onset")), images=x, labels=y), "a fused code"),
        (lambda: TrainingExplorer(models={}, images=x, labels=y), "1 to 6 models"),
        (lambda: TrainingExplorer(models={"a": Classifier(MLP())}), "needs images"),
        (
            lambda: TrainingExplorer(
                models={str(t): Classifier(SpikingMLP(), encoder("onset", num_steps=t)) for t in (4, 8)}, images=x, labels=y
            ),
            "same num_steps",
        ),
    ]
    for call, says in cases:
        with pytest.raises(ValueError, match=re.escape(says)):
            call()


def test_attack_explorer_shows_one_image_under_every_attacker(few: Split) -> None:
    found = AttackExplorer(image=7, encoding="offset", eps=0.1).result()
    assert list(found) == list(VARIANTS)
    assert found["naive"].broken_at is None
    assert all(found[method].broken_at for method in ("bpda", "eot", "assg"))
    for model in (TutorialNet(), Classifier(MLP())):
        mine = AttackExplorer(model=model, images=few.images, labels=few.labels)
        assert all(len(trajectory.images) > 0 for trajectory in mine.result().values())


def test_attack_explorer_attacks_a_drawing_as_what_it_is_read_as(few: Split) -> None:
    drawing = (few.images[0] * 255).round().int().flatten().tolist()
    found = AttackExplorer(image=-1, drawing=drawing, encoding="onset").result()
    assert {trajectory.label for trajectory in found.values()} == {int(zoo.load("onset").predict(few.images[:1])[-1])}


@pytest.mark.parametrize("reset", ["subtract", "zero"])
def test_neuron_explorer_runs_the_neuron_of_the_package(reset: str) -> None:
    explorer = NeuronExplorer(drive=0.4, pattern="1101" * 5, beta=0.8, theta=0.7, reset=reset)
    shown = explorer.result()
    neuron = snntorch.Leaky(beta=0.8, threshold=0.7, reset_mechanism=reset)
    potential = neuron.init_leaky()
    for t, current in enumerate(shown["current"]):
        spike, potential = neuron(current.view(1, 1), potential)
        assert spike.item() == shown["spikes"][t]
        assert potential.item() == pytest.approx(shown["membrane"][t].item(), abs=1e-6)
    assert f"fires at steps {', '.join(str(int(t) + 1) for t in shown['spikes'].nonzero())}" in explorer.to_html()


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"pattern": "12"}, "signs 0 or 1"),
        ({"pattern": "1"}, "2 to 64"),
        ({"beta": 1.5}, "greater than 1"),
        ({"reset": "none"}, "subtract"),
    ],
)
def test_neuron_explorer_refuses_a_state_that_does_not_exist(state: dict[str, Any], says: str) -> None:
    with pytest.raises(traitlets.TraitError, match=re.escape(says)):
        NeuronExplorer(**state)


def test_energy_explorer_prices_the_operations_of_its_image_at_its_exit() -> None:
    explorer = EnergyExplorer(image=3, price=50, zeros="skipped", exit_step=5)
    image = explorer._models.samples.images[3:4]
    for name in ("ann", "direct", "latency"):
        counted = energy(zoo.load(name), image, skip_zeros=True)
        row = min(5, len(counted.macs)) - 1
        expected = (4.6 + 50) * counted.macs[row] + (0.9 + 50) * counted.synops[row]
        assert explorer.result()[name] == pytest.approx(float(expected))
    assert "direct" in explorer.to_html()


RECORDS = {name: zoo.results(name) for name in ("ann", "direct", "latency")}


def test_results_explorer_reads_records_of_your_own() -> None:
    explorer = ResultsExplorer(RECORDS, "digits", against="worst", eps=0.1, exit_step=5)
    shown = explorer.result()
    for name, record in RECORDS.items():
        row = record.exits.index(5) if len(record.exits) > 1 else 0
        assert shown[name] == (record.correct["worst"][row][record.eps.index(0.1)] / record.n,)
    sent: list[Any] = []
    explorer.send = lambda message, buffers: sent.append(message)  # type: ignore[method-assign]
    explorer._answer(None, {"type": "data", "id": 1, "key": "cifar10"}, [])
    assert set(sent[0]["payload"]["results"]) == set(RECORDS)
    assert sent[0]["payload"]["dataset"] == "digits"
    shown_html = explorer.to_html()
    assert 'against="worst"' in shown_html
    assert "of n = 500 pictures" in html.unescape(shown_html)


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"against": "magic"}, "choose one of worst"),
        ({"decoder": "tea leaves"}, "choose one of current"),
        ({"exit_step": 9}, "exit_step must lie in 1 … 8"),
        ({"eps": 2.0}, "not be greater than 1.0"),
    ],
)
def test_results_explorer_refuses_a_state_that_was_not_measured(state: dict[str, Any], says: str) -> None:
    with pytest.raises(traitlets.TraitError, match=re.escape(says)):
        ResultsExplorer(RECORDS, **state)


def test_results_explorer_refuses_records_that_do_not_go_together() -> None:
    with pytest.raises(ValueError, match="at least one record"):
        ResultsExplorer({})
    with pytest.raises(ValueError, match="need one n"):
        ResultsExplorer({"a": RECORDS["ann"], "b": replace(RECORDS["direct"], n=7)})


def test_training_explorer_shows_one_image_through_every_rule(few: Split) -> None:
    explorer = TrainingExplorer(image=7, code="latency", attack="fgsm", eps=0.1, exit_step=6)
    columns = explorer.result()
    assert list(columns) == ["BPTT", "TSSL-BP", "converted"]
    assert [shown["encoding"] for shown in columns.values()] == ["latency", "tsslbp-latency", "converted-latency"]
    inputs = [shown["clean"]["input"] for shown in columns.values()]
    assert all(np.array_equal(inputs[0], other) for other in inputs[1:])
    own = {"small": Classifier(SpikingMLP((784, 12, 10)), encoder("onset")), "ann": Classifier(MLP())}
    mine = TrainingExplorer(models=own, images=few.images, labels=few.labels)
    assert list(mine.result()) == ["small", "ann"]
    summaries = _answers(mine, {"type": "data", "id": 1, "key": "zoo"})[-1]["payload"]["models"]
    assert [(m["name"], m["kind"], m["encoding"]) for m in summaries] == [("small", "snn", "onset"), ("ann", "ann", "none")]


def test_exit_explorer_leaves_where_the_rule_says_and_is_attacked_there() -> None:
    explorer = ExitExplorer(image=3, encoding="latency", attack="pgd", eps=0.2, rule="margin", threshold=2.0)
    clean = frame(zoo.load("latency"), replace(explorer.request(), attack="none"))["clean"]["votes"]
    expected = int(exit_steps(torch.tensor(clean).view(8, 1, 10), ExitRule("margin", 2.0)))
    shown = explorer.result()
    assert shown["exit_step"] == explorer.request().exit_step == expected
    assert 1 <= explorer.leaves(shown) <= 8
    explorer.rule = "fixed"
    explorer.exit_step = 5
    assert explorer.leaves(explorer.result()) == explorer.request().exit_step == 5


def test_exit_explorer_holds_the_perturbation_back() -> None:
    explorer = ExitExplorer(image=3, encoding="direct", attack="pgd", eps=0.2, from_step=4)
    shown = explorer.result()
    before, after = (shown[side]["input"].reshape(8, -1) for side in ("clean", "attacked"))
    assert np.array_equal(before[:4], after[:4])
    assert not np.array_equal(before[4:], after[4:])


@pytest.mark.parametrize("eps", [0.05, 0.1, 0.2, 0.3])
def test_first_reach_is_where_the_code_says(eps: float) -> None:
    assert first_reach(encoder("latency"), eps, 0) == first_active_step(eps, 8)
    assert first_reach(encoder("offset"), eps, 0) == 0
    for code in ("direct", "poisson", "fusion(0.125*direct, latency)"):
        assert first_reach(encoder(code), eps, 3) == 3
    assert first_reach(encoder("latency"), 0.0, 0) is None


def test_fusion_explorer_silences_a_part(few: Split) -> None:
    explorer = FusionExplorer(image=3, silenced=0)
    parts = explorer.result()["clean"]["input"].reshape(8, 2, -1)
    assert not parts[:, 0].any()
    assert parts[:, 1].any()
    own = Classifier(SpikingMLP((2 * 784, 12, 10)), encoder("fusion(0.125*direct, latency)"))
    mine = FusionExplorer(model=own, images=few.images, labels=few.labels, silenced=1)
    assert mine.encoding == "fusion(0.125*direct, latency)"
    assert not mine.result()["clean"]["input"].reshape(8, 2, -1)[:, 1].any()


SHOWN = [
    (
        lambda: RobustnessExplorer(image=7, encoding="offset", attack="fgsm", attacker="naive", eps=0.1),
        {"image": "7", "encoding": "offset", "attack": "fgsm", "attacker": "naive", "eps": "0.1"},
        "The network with the offset code reads",
    ),
    (
        lambda: EncoderExplorer(eps=0.1, change="noise"),
        {"change": "noise", "eps": "0.1", "exit_step": "8"},
        "One digit in 7 codes",
    ),
    (
        lambda: TrainingExplorer(image=3, code="onset", attack="pgd", eps=0.1),
        {"code": "onset", "attack": "pgd"},
        "One digit through networks with the onset code, under PGD with ε = 0.1: the one trained by BPTT reads",
    ),
    (
        lambda: ExitExplorer(image=3, attack="pgd", eps=0.2, exit_step=6, rule="margin"),
        {"encoding": "latency", "exit_step": "6", "from_step": "0", "rule": "margin", "threshold": "2"},
        "ε = 0.2 acts on black pixels only after 6 steps",
    ),
    (
        lambda: FusionExplorer(image=3, encoding="fusion-8th", silenced=0),
        {"encoding": "fusion-8th", "silenced": "0"},
        "The network fusion-8th reads",
    ),
    (
        lambda: AttackExplorer(image=7, encoding="offset", eps=0.1, step=4),
        {"image": "7", "encoding": "offset", "eps": "0.1", "step": "4"},
        "The network offset under 5 attackers with ε = 0.1: naive never breaks it, BPDA breaks it at step",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(("make", "attributes", "sentence"), SHOWN)
def test_static_page_gets_the_state_a_picture_and_a_sentence(
    make: Callable[[], Explorer], attributes: dict[str, str], sentence: str
) -> None:
    explorer = make()
    shown = explorer.to_html()
    for name, value in attributes.items():
        assert f'{name}="{value}"' in shown
    assert "data:image/png;base64," in shown
    assert sentence in html.unescape(shown)
    assert "<script" not in shown
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"text/html", "application/vnd.jupyter.widget-view+json"} <= set(data)


def test_a_network_of_your_own_that_no_page_can_run_comes_as_a_picture(few: Split) -> None:
    """The element would ask the browser for a model called "latency", and get the zoo's."""
    own = Classifier(zoo.load("onset").network, encoder("latency"), levels=16)
    explorer = RobustnessExplorer(own, few.images, few.labels, attack="pgd", eps=0.1)
    shown = explorer.to_html()
    assert "snn-lab" not in shown
    assert "data:image/png;base64," in shown
    assert "The network with the latency code" in html.unescape(shown)
    assert "rounds images to 16 levels" in shown
    assert "JupyterLab" in shown
    bundle = explorer._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "application/vnd.jupyter.widget-view+json" in data


def test_a_still_of_a_network_without_spikes_names_no_exit() -> None:
    alt = RobustnessExplorer(image=7, encoding="ann", attack="fgsm", eps=0.08)._still().alt
    assert "exit" not in alt
    assert "code" not in alt


def test_a_still_says_where_equal_votes_were_decided_by_the_potential() -> None:
    explorer = RobustnessExplorer(encoding="latency", attack="none")
    found = {}
    for image in range(30):
        for exit_step in range(1, 9):
            explorer.image, explorer.exit_step = image, exit_step
            side = explorer.result()["clean"]
            votes = side["votes"].reshape(8, -1)[exit_step - 1]
            if side["predictions"][exit_step - 1] != -1:
                found.setdefault(bool((votes == votes.max()).sum() > 1), (image, exit_step))
    for tied, (explorer.image, explorer.exit_step) in found.items():
        assert ("decided by potential" in explorer._still().alt) is tied
    assert set(found) == {True, False}


def test_the_still_of_the_codes_shows_all_of_the_explorer() -> None:
    still = EncoderExplorer(image=7, eps=0.2)._still()
    assert still.alt.startswith("One digit in 7 codes")
    assert [ax.get_title(loc="left") for ax in still.axes] == list(VOCABULARY.side_by_side["codes"])


@pytest.mark.parametrize("name", ["onset", "ann"])
def test_a_still_shows_the_attacked_image_beside_the_clean_one_and_the_spikes_of_both(name: str) -> None:
    explorer = RobustnessExplorer(image=7, encoding=name, attack="pgd", eps=0.1)
    clean, attacked, *spikes = explorer._still().axes
    result = explorer.result()
    for ax, side in ((clean, "clean"), (attacked, "attacked")):
        assert np.allclose(ax.get_images()[0].get_array(), result[side]["image"].reshape(28, 28))
    assert len(spikes) == (name != "ann")
    if spikes:  # ink where a clean spike is, red where only the attacked image has one
        before, after = (
            result[side]["input"].reshape(8, -1)[:, result["order"]["input"]].T for side in ("clean", "attacked")
        )
        shown = np.asarray(spikes[0].get_images()[0].get_array())
        red = (shown[..., 0] > shown[..., 1] + 0.1).squeeze()
        assert np.array_equal(red, (after > 0) & (before == 0))


def test_the_digit_of_the_chapter_training_is_answered_alike_from_every_random_start() -> None:
    """So the still picture, the kernel and the page, which draw other starts, give the same answers."""
    cells = nbformat.read(BOOK / "training.ipynb", as_version=4).cells
    (source,) = (cell.source for cell in cells if "\nTrainingExplorer(" in cell.source)
    names: dict[str, Any] = {}
    exec(source.replace("\nTrainingExplorer(", "\nexplorer = TrainingExplorer("), names)
    explorer = names["explorer"]
    for title, name in explorer.columns().items():
        model, asked = explorer._models.classifier(name), explorer._asked(name)
        answers = {int(frame(model, replace(asked, seed=seed))["attacked"]["predictions"][-1]) for seed in range(6)}
        assert len(answers) == 1, title


def test_the_two_linked_states_of_the_lecturers_page_differ_in_their_answer() -> None:
    page = (BOOK / "instructor.md").read_text(encoding="utf8")
    links = re.findall(r"#exit\?image=(\d+)&amp;eps=([\d.]+)&amp;exit_step=(\d)", page)
    assert len(links) == 2
    right = []
    for image, eps, exit_step in links:
        state = {"image": int(image), "eps": float(eps), "exit_step": int(exit_step)}
        explorer = ExitExplorer(encoding="latency", attack="pgd", attacker="spike_train", **state)  # as the chapter's
        for seed in range(3):
            asked = replace(explorer._asked("latency"), seed=seed)
            shown = frame(explorer._models.classifier("latency"), asked)
            right.append(int(shown["attacked"]["predictions"][int(exit_step) - 1]) == shown["label"])
    assert right == [True] * 3 + [False] * 3
