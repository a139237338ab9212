"""Controls: what they share with the codes they stand beside, and nothing else."""

import json
from itertools import combinations, pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from snnlab import zoo
from snnlab.attack import INFORMED, input_gradient
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.network import MLP, Classifier
from snnlab.records import over_seeds
from snnlab.teach.controls import FOUR, ROWS, finding, packing_figure, packing_finding, print_of_controls, table
from snnlab.training import initialise
from snnlab.zoo import controls
from snnlab.zoo.controls import CodedMLP, SharedMLP, as_trained, classifier_for


@pytest.mark.parametrize("rounding", ["up", "down"])
def test_early_and_late_packing_have_the_same_spikes_of_every_pixel(rounding: str, few: Split) -> None:
    counts = [encoder(f"{code}(rounding={rounding})")(few.images).sum(0) for code in ("onset", "offset")]
    assert torch.equal(*counts)


@pytest.mark.parametrize("title", ["onset(rounding=up)", "offset(rounding=down)", "fusion(0.5*direct, onset(rounding=up))"])
def test_a_rounding_is_written_as_it_is_read(title: str) -> None:
    assert encoder(title).title == title
    assert encoder(encoder(title).title) == encoder(title)


def test_bad_roundings_are_refused() -> None:
    for name, says in (("onset(up)", "only option"), ("latency(rounding=up)", "no rounding"), ("onset(rounding=x)", "'x'")):
        with pytest.raises(ValueError, match=says):
            encoder(name)


def test_an_ordinary_network_on_a_code_is_one_on_the_flattened_sequence(few: Split) -> None:
    code = encoder("latency")
    model = Classifier(CodedMLP((784 * 8, 16, 10)), code, "membrane")
    inner = model.network.inner
    assert isinstance(inner, MLP)
    flat = code(few.images).transpose(0, 1).reshape(len(few), -1)
    torch.testing.assert_close(model(few.images), inner(flat))
    assert (model.predict(few.images)[:-1] == -1).all()  # before the last step it has not answered


def test_the_attack_on_a_threshold_reaches_every_pixel(few: Split) -> None:
    model = classifier_for("ann-binary")
    with INFORMED.view(model) as seen:
        gradient = input_gradient(seen, few.images, few.labels)
    assert (gradient[few.images == 0] != 0).float().mean() > 0.9


def test_controls_differ_from_the_zoo_in_what_their_recipe_says_alone() -> None:
    of_zoo = zoo.recipes()["latency"]
    assert {key: of_zoo[key] for key in controls.SETTINGS} == controls.SETTINGS
    network = classifier_for("latency-beta0.5").network
    assert (network.beta, network.reset, network.sizes) == (0.5, "subtract", (784, 256, 10))
    assert classifier_for("onset-T32").num_steps == 32


def test_a_sweep_holds_each_value_once_and_not_the_zoos_own() -> None:
    swept = [name for name in controls.names() if name.startswith("latency-T")]
    assert swept == ["latency-T2", "latency-T4", "latency-T16", "latency-T32"]
    assert {"latency-beta0", "latency-beta1"} <= set(controls.names())
    assert {"latency-beta0.9", "latency-T8"}.isdisjoint(controls.names())


@pytest.mark.parametrize("code", ["latency", "onset"])
def test_a_memoryless_network_counts_the_same_votes_in_any_order_of_the_steps(code: str, few: Split) -> None:
    model = classifier_for(f"{code}-memoryless")
    initialise(model.network, 0)
    for layer in model.network.layers:
        layer.weight.data *= 8  # an untrained network hardly fires
    sequence = model.encode(few.images)
    logits, _ = model.respond(sequence)
    turned, _ = model.respond(sequence.flip(0))
    assert logits[-1].sum() > 0
    torch.testing.assert_close(turned[-1], logits[-1])


def test_a_shared_network_is_the_same_when_steps_and_factors_are_shuffled_together(few: Split) -> None:
    sequence, order = encoder("latency")(few.images), torch.randperm(8, generator=torch.Generator().manual_seed(0))
    network = SharedMLP((784, 16, 10), 8)
    initialise(network, 0)
    _, before = network(sequence)
    network.factors.data = network.factors.data[order]
    _, shuffled = network(sequence[order])
    torch.testing.assert_close(shuffled, before)
    _, alone = network(sequence)
    assert not torch.allclose(alone, before)


def test_a_shared_network_learns_its_factors_and_refuses_a_part_of_the_sequence(few: Split) -> None:
    model = classifier_for("shared-onset")
    model(few.images).square().sum().backward()
    assert model.network.factors.grad[1:].abs().min() > 0  # onset is silent in its first step
    with pytest.raises(ValueError, match="expected all 8 steps at once, got a sequence of 4"):
        model.network(model.encode(few.images, 4))


def _weights(model: Classifier, layer: int) -> int:
    return model.network.layers[layer].weight.numel()


def test_twice_one_code_and_twice_the_width_have_the_input_weights_of_a_fusion() -> None:
    fused = zoo.classifier_for(zoo.recipes()["fusion"])
    assert fused.encoder.channel_factor == 2
    for name in ("latency-double", "latency-wide"):
        assert _weights(classifier_for(name), 0) == _weights(fused, 0)
    assert _weights(classifier_for("latency-double"), 1) == _weights(fused, 1)


def test_a_shared_network_has_the_weights_of_the_spiking_one_and_a_factor_a_step() -> None:
    spiking, shared = zoo.classifier_for(zoo.recipes()["latency"]), classifier_for("shared-latency")
    num = [sum(p.numel() for p in model.parameters()) for model in (spiking, shared)]
    assert num[1] == num[0] + 8


@pytest.mark.parametrize("code", ["latency", "direct"])
def test_loss_and_readout_are_those_of_the_name(code: str) -> None:
    for loss, name, decoder in (("count", "membrane", "membrane"), ("membrane", "count", "rate")):
        control = f"{loss}-{name}-{code}"
        assert controls.settings_of(control)[0]["loss"] == loss
        assert classifier_for(control).decoder == decoder
        assert as_trained(classifier_for(control)).decoder == "rate"


def test_an_order_is_destroyed_by_a_permutation_that_favours_neither_end() -> None:
    order = classifier_for("latency-shuffled").encoder.order
    assert all(step not in (t, 7 - t) for t, step in enumerate(order))
    assert all(abs(a - b) > 1 for a, b in pairwise(order))
    assert sum(a > b for a, b in combinations(order, 2)) == 14


def test_noise_of_the_ordinary_network_is_that_of_poissons_mean() -> None:
    x = torch.linspace(0, 1, 10_001)
    model = classifier_for("ann-gaussian")
    assert model.stochastic
    assert model.encoder.sigma == pytest.approx(((x * (1 - x)).mean() / 8).sqrt().item(), abs=5e-4)


@pytest.mark.parametrize(
    "name", ["onset-reversed", "shared-latency", "count-membrane-direct", "ann-gaussian", "latency-beta0.5"]
)
def test_a_control_is_trained_attacked_and_recorded(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One epoch, twenty digits, the shortest suite: what is kept of an attack is not attacked again."""
    ann = SimpleNamespace(classifier=lambda recipe: zoo.load("ann"))
    monkeypatch.setattr(controls, "train_model", lambda twin, start, scratch: ann)
    monkeypatch.setitem(controls.SETTINGS, "epochs", 1)
    monkeypatch.setitem(controls._file(), "evaluation", {"suite": "quick", "samples": 20, "eps": [0.0, 0.1]})
    record = controls.measured(name, 0, tmp_path)
    assert record["n"] == 20
    assert record["exits"] == controls.recipes()[name].get("exits", [classifier_for(name).num_steps])
    assert record["settings"]["epochs"] == 1
    assert json.loads(json.dumps(record))["recipe"] == controls.recipes()[name]
    kept = {path.name: path.stat().st_mtime_ns for path in (tmp_path / "jobs").iterdir()}
    assert controls.measured(name, 0, tmp_path) == record
    assert {path.name: path.stat().st_mtime_ns for path in (tmp_path / "jobs").iterdir()} == kept


MEASURED = [name for name in controls.names() if (controls.RECORDS / f"{name}.json").exists()]


@pytest.mark.parametrize("name", MEASURED)
def test_records_hold_every_seed_and_what_a_reader_needs(name: str) -> None:
    records = controls.repeats(name)
    assert [r["seed"] for r in records] == zoo.seeds()
    for record in records:
        assert {"n", "eps", "exits", "correct", "flags", "attacks", "suite", "settings", "versions"} <= set(record)
        assert record["recipe"] == json.loads(json.dumps(controls.recipes()[name]))
    assert over_seeds(records, "worst", None, 0.0).mean > 0.85


def test_controls_stand_apart_from_the_zoo_and_its_explorers() -> None:
    assert set(controls.names()).isdisjoint(zoo.names())


def test_tables_and_findings_come_from_the_records() -> None:
    shown = table()
    assert list(shown.index) == [title for title, _ in ROWS]
    expected = over_seeds(controls.repeats("ann-binary"), "worst", None, 0.1)
    assert str(expected) in shown.loc["ordinary network, pixels 0 or 1"].tolist()
    assert set(FOUR) == {(r, w) for r in ("up", "down") for w in ("early", "late")}
    assert "Finding" in finding()
    assert "Finding" in packing_finding()
    assert "n = 500" in print_of_controls()
    assert len(packing_figure().axes) == 2


def test_bad_requests_say_what_is_valid(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="choose one of onset-up"):
        controls.repeats("resnet")
    with pytest.raises(ValueError, match="choose from onset-up"):
        controls.build(["resnet"], tmp_path)
    with pytest.raises(ValueError, match="snnlab zoo controls ann-binary"):
        controls.repeats("ann-binary", tmp_path)
    (tmp_path / "ann-binary.json").write_text("{")
    with pytest.raises(ValueError, match="not valid JSON"):
        controls.repeats("ann-binary", tmp_path)


Made = list[tuple[str, int]]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Made:
    """What is measured, by a stand-in; what is unfinished lies in a folder of its own."""
    calls: Made = []

    def measured(name: str, seed: int, scratch: Path) -> dict[str, object]:
        calls.append((name, seed))
        return {"seed": seed, **controls.identity_of(name)}

    monkeypatch.setattr(controls, "measured", measured)
    monkeypatch.setattr(controls, "SCRATCH", tmp_path / "unfinished")
    return calls


def test_records_of_another_recipe_or_evaluation_are_made_again(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(controls, "recipes", lambda: {"ann-binary": {"kind": "ann"}})
    assert controls.build(["ann-binary"], tmp_path, progress=False) == ["ann-binary"]
    assert made == [("ann-binary", seed) for seed in zoo.seeds()]
    made.clear()
    assert controls.build(folder=tmp_path, progress=False) == []
    monkeypatch.setattr(controls, "recipes", lambda: {"ann-binary": {"kind": "ann", "hidden": [9]}})
    assert controls.build(folder=tmp_path, progress=False) == ["ann-binary"]
    fewer = controls.evaluation_settings() | {"samples": 9}
    monkeypatch.setattr(controls, "evaluation_settings", lambda: fewer)
    assert controls.build(folder=tmp_path, progress=False) == ["ann-binary"]
    assert len(made) == 2 * len(zoo.seeds())


def test_a_build_that_was_stopped_goes_on_with_the_seeds_that_are_left(
    made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    name, stand_in = "latency-beta0.5", controls.measured

    def stopped(name: str, seed: int, scratch: Path) -> dict[str, object]:
        if seed == zoo.seeds()[-1]:
            raise KeyboardInterrupt
        return stand_in(name, seed, scratch)

    monkeypatch.setattr(controls, "measured", stopped)
    with pytest.raises(KeyboardInterrupt):
        controls.build([name], tmp_path, progress=False)
    assert made == [(name, seed) for seed in zoo.seeds()[:-1]]
    monkeypatch.setattr(controls, "measured", stand_in)
    controls.build([name], tmp_path, progress=False)
    assert made == [(name, seed) for seed in zoo.seeds()]
    assert [record["seed"] for record in controls.repeats(name, tmp_path)] == zoo.seeds()
    assert list(controls.SCRATCH.iterdir()) == []
