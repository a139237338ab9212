"""Controls: what they share with the codes they stand beside, and nothing else."""

from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab import zoo
from snnlab.attacks import INFORMED, input_gradient
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.evaluation import runner
from snnlab.networks.classifier import MLP, Classifier
from snnlab.training.bptt import initialise, train
from snnlab.zoo import registry
from snnlab.zoo import train as zoo_train
from snnlab.zoo.build import build
from snnlab.zoo.networks import CodedMLP, SharedMLP
from snnlab.zoo.quantised import packed, quantise
from snnlab.zoo.storage import restored
from snnlab.zoo.train import as_trained


def classifier_for(name: str) -> Classifier:
    return zoo.classifier_for(zoo.recipe(name))


@pytest.mark.parametrize("rounding", ["up", "down"])
def test_early_and_late_packing_have_the_same_spikes_of_every_pixel(rounding: str, few: Split) -> None:
    counts = [encoder(f"{code}(rounding={rounding})")(few.images).sum(0) for code in ("onset", "offset")]
    assert torch.equal(*counts)


@pytest.mark.parametrize("title", ["onset(rounding=up)", "offset(rounding=down)", "fusion(0.5*direct, onset(rounding=up))"])
def test_a_rounding_is_written_as_it_is_read(title: str) -> None:
    assert encoder(title).title == title
    assert encoder(encoder(title).title) == encoder(title)


def test_bad_roundings_are_refused() -> None:
    for name, says in (("onset(up)", "options only"), ("latency(rounding=up)", "no rounding"), ("onset(rounding=x)", "'x'")):
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
    apart = {key for key, value in zoo.recipe("latency").settings.items() if zoo.recipe("latency-beta0.5")[key] != value}
    assert apart - {"code", "group", "exits", "stored", "studies"} == {"beta"}
    network = classifier_for("latency-beta0.5").network
    assert (network.beta, network.reset, network.sizes) == (0.5, "subtract", (784, 256, 10))
    assert classifier_for("onset-T32").num_steps == 32


def test_a_sweep_holds_each_value_once_and_not_the_zoos_own() -> None:
    swept = [name for name in zoo.names("controls") if name.startswith("latency-T")]
    assert swept == ["latency-T2", "latency-T4", "latency-T16", "latency-T32"]
    assert {"latency-beta0", "latency-beta1"} <= set(zoo.names("controls"))
    assert {"latency-beta0.9", "latency-T8"}.isdisjoint(zoo.names("controls"))


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


@pytest.mark.parametrize("name", ["shared-onset", "ann-onset", "latency-memoryless"])
def test_a_control_comes_back_from_its_bytes_as_it_was(name: str, few: Split) -> None:
    """What is measured is read from bytes, as of the stored models: nothing that was learned may be left out."""
    model = classifier_for(name)
    generator = torch.Generator().manual_seed(0)
    for parameter in model.network.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
    quantise(model.network)
    with torch.no_grad():
        assert torch.equal(restored(zoo.recipe(name), packed(model.network))(few.images), model.eval()(few.images))


def _weights(model: Classifier, layer: int) -> int:
    return model.network.layers[layer].weight.numel()


def test_twice_one_code_and_twice_the_width_have_the_input_weights_of_a_fusion() -> None:
    fused = classifier_for("fusion")
    assert fused.encoder.channel_factor == 2
    for name in ("latency-double", "latency-wide"):
        assert _weights(classifier_for(name), 0) == _weights(fused, 0)
    assert _weights(classifier_for("latency-double"), 1) == _weights(fused, 1)


def test_a_shared_network_has_the_weights_of_the_spiking_one_and_a_factor_a_step() -> None:
    spiking, shared = classifier_for("latency"), classifier_for("shared-latency")
    num = [sum(p.numel() for p in model.parameters()) for model in (spiking, shared)]
    assert num[1] == num[0] + 8


@pytest.mark.parametrize("code", ["latency", "direct"])
def test_loss_and_readout_are_those_of_the_name(code: str) -> None:
    for loss, name, decoder in (("count", "membrane", "membrane"), ("membrane", "count", "rate")):
        control = f"{loss}-{name}-{code}"
        recipe, model = zoo.recipe(control), classifier_for(control)
        assert recipe["loss"] == loss
        assert model.decoder == decoder
        assert as_trained(recipe, model).decoder == "rate"


def test_an_order_is_destroyed_by_a_permutation_that_favours_neither_end() -> None:
    title = classifier_for("latency-shuffled").encoder.title
    order = [int(step) for step in title.removesuffix(")").partition("order=")[2].split()]
    assert all(step not in (t, 7 - t) for t, step in enumerate(order))
    assert all(abs(a - b) > 1 for a, b in pairwise(order))
    assert sum(a > b for a, b in combinations(order, 2)) == 14


def test_noise_of_the_ordinary_network_is_that_of_poissons_mean() -> None:
    x = torch.linspace(0, 1, 10_001)
    model = classifier_for("ann-gaussian")
    assert model.stochastic
    assert model.encoder.sigma == pytest.approx(((x * (1 - x)).mean() / 8).sqrt().item(), abs=5e-4)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One epoch, twenty digits, the shortest suite."""
    files = []
    for file in registry.RECIPE_FILES[:2]:
        text = file.read_text().replace("epochs = 15", "epochs = 1").replace('suite = "standard"', 'suite = "quick"')
        text = text.replace("samples = 500", "samples = 20").replace("eps = [0.0, 0.05, 0.1, 0.2, 0.3]", "eps = [0.0, 0.1]")
        (tmp_path / file.name).write_text(text.replace("seeds = [0, 1, 2]", "seeds = [0]"))
        files.append(tmp_path / file.name)
    monkeypatch.setattr(registry, "RECIPE_FILES", files)


@pytest.mark.slow
@pytest.mark.usefixtures("quick")
def test_controls_are_trained_attacked_and_recorded_and_their_weights_are_not_stored(tmp_path: Path) -> None:
    names, folder = (
        ["onset-reversed", "shared-latency", "count-membrane-direct", "ann-gaussian", "latency-double"],
        tmp_path / "zoo",
    )
    assert sorted(build(names, folder, progress=False)) == sorted([*names, "ann"])
    for name in names:
        (record,) = zoo.repeats(name, folder)
        exits = zoo.recipe(name)["exits"]
        assert record.exits == (exits if isinstance(exits, list) else [classifier_for(name).num_steps])
        assert (record.n, record.other["recipe"]["encoding"]) == (20, zoo.recipe(name)["encoding"])
        assert record.ablation is None  # no study takes part, of a fusion neither
        kept = {"results.json", *(f"{study}.json" for study in zoo.recipe(name)["studies"] if name == "ann-gaussian")}
        assert {file.name for file in (folder / "mnist5k" / name).iterdir()} == kept
    assert build(names, folder, progress=False) == []


@pytest.mark.usefixtures("quick")
def test_a_build_that_was_stopped_goes_on_with_what_is_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in the measurement, it does not train again, nor attack again what is cached."""
    trained, attacks, fails = [], [], [True]

    def stopped(*arguments: Any) -> Any:
        attacks.append(arguments[1].attack.name)
        if fails[0] and len(attacks) == 5:
            raise KeyboardInterrupt
        return run(*arguments)

    run = runner.Run.__call__
    monkeypatch.setattr(runner.Run, "__call__", stopped)
    monkeypatch.setattr(zoo_train, "train", lambda *a, **k: trained.append(a) or train(*a, **k))
    with pytest.raises(KeyboardInterrupt):
        build(["ann-binary"], tmp_path / "zoo", progress=False)
    fails[0] = False
    before, num = list(attacks), len(trained)
    assert build(["ann-binary"], tmp_path / "zoo", progress=False) == ["ann-binary"]
    assert len(trained) == num == 2  # the control, and the source of transferred attacks
    assert attacks[len(before)] == before[-1]
