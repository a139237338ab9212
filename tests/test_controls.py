"""Controls: what they share with the codes they stand beside, and nothing else."""

import json
from pathlib import Path

import pytest
import torch

from snnlab import zoo
from snnlab.attack import INFORMED, input_gradient
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.network import MLP, Classifier
from snnlab.records import over_seeds
from snnlab.teach.controls import FOUR, ROWS, finding, packing_figure, packing_finding, print_of_controls, table
from snnlab.zoo import controls
from snnlab.zoo.controls import CodedMLP, classifier_for


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
    model = classifier_for("ann-binary", controls.SETTINGS)
    with INFORMED.view(model) as seen:
        gradient = input_gradient(seen, few.images, few.labels)
    assert (gradient[few.images == 0] != 0).float().mean() > 0.9


@pytest.mark.parametrize("name", controls.names())
def test_records_hold_every_seed_and_what_a_reader_needs(name: str) -> None:
    records = controls.repeats(name)
    assert [r["seed"] for r in records] == zoo.seeds()
    for record in records:
        assert {"n", "eps", "exits", "correct", "flags", "attacks", "suite", "settings", "versions"} <= set(record)
        assert record["recipe"] == json.loads(json.dumps(controls._file()["controls"][name]))
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


def test_records_of_another_recipe_are_made_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What is done is skipped; one control is remade here, measured by a stand-in."""
    made = []

    def measured(name: str, seed: int, scratch: Path) -> dict[str, object]:
        made.append((name, seed))
        return {"seed": seed, "recipe": controls._file()["controls"][name]}

    monkeypatch.setattr(controls, "measured", measured)
    assert controls.build(["ann-binary"], tmp_path, progress=False) == ["ann-binary"]
    assert made == [("ann-binary", seed) for seed in zoo.seeds()]
    made.clear()
    assert "ann-binary" not in controls.build(folder=tmp_path, progress=False)
    assert ("ann-binary", 0) not in made
