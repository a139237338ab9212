"""Records: read and written, and an evaluation that prints, saves and shows itself."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from snnlab import evaluate_robustness, zoo
from snnlab.attacks import NAIVE
from snnlab.data import Split
from snnlab.evaluation.result import Evaluation
from snnlab.evaluation.suites import SuiteAttack
from snnlab.files import write_json
from snnlab.statistics import Record


def test_what_is_changed_in_a_record_is_written_beside_what_was_read(tmp_path: Path) -> None:
    path = zoo.MODELS / "mnist5k" / "latency" / "results.json"
    replace(Record.load(path), title="mine", n=7).save(tmp_path / "mine.json")
    assert json.loads((tmp_path / "mine.json").read_text()) == json.loads(path.read_text()) | {"title": "mine", "n": 7}


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"eps": [0]}'])
def test_a_file_that_is_not_a_record_is_named(text: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"cannot read a record from '.*mine\.json'"):
        Record.load(path)
    with pytest.raises(ValueError, match=r"cannot read a record from '.*none\.json'"):
        Record.load(tmp_path / "none.json")


def test_a_file_is_replaced_at_once(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"n": 1})
    with pytest.raises(TypeError):
        write_json(tmp_path / "a.json", {"n": object()})
    assert (tmp_path / "a.json").read_text() == '{\n "n": 1\n}\n'
    assert list(tmp_path.iterdir()) == [tmp_path / "a.json"]


@pytest.fixture(scope="module")
def measured() -> Evaluation:
    from snnlab import data

    digits, suite = data.load("mnist5k").test[:10], [SuiteAttack("fgsm.naive", "FGSM", "fgsm", NAIVE)]
    return evaluate_robustness(zoo.load("offset"), digits, [0, "8/255"], suite, progress=False)


def test_an_evaluation_prints_itself_as_a_table(measured: Evaluation) -> None:
    text = str(measured)
    assert "L∞ 0.0313725" in text
    assert "n = 10" in text
    assert "suite custom" in text
    for name in ("fgsm.naive", "worst"):
        low, high = measured.interval(name, 8, 8 / 255)
        assert f"{measured.accuracy(name, 8, 8 / 255):.3f} [{low:.3f}, {high:.3f}]" in text
    for sentences in measured.flags.values():
        assert all(sentence in text for sentence in sentences)


def test_an_evaluation_is_saved_as_a_record_and_shown_as_a_page(measured: Evaluation, tmp_path: Path) -> None:
    measured.save(tmp_path / "mine.json")
    assert json.loads((tmp_path / "mine.json").read_text()) == measured.plain()
    assert Evaluation.load(tmp_path / "mine.json") == measured
    page = measured.page(tmp_path / "mine.html", {"model": "offset"}).read_text()
    assert page.startswith("<!doctype html>")
    assert "offset" in page
    assert "fgsm.naive" in page


def test_a_radius_may_be_written_as_a_fraction(few: Split) -> None:
    for budgets in ([0, 8 / 255], [0, "8/255"], ["Linf 0", "Linf 8/255"]):
        found = evaluate_robustness(zoo.load("onset"), few[:2], budgets, [], progress=False)
        assert found.eps == [0.0, 8 / 255]
