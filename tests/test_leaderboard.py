"""The local leaderboard: who is ranked, who is only shown, and what is refused."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnlab import zoo
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.evaluation import evaluate_robustness
from snnlab.flags import FLAGS
from snnlab.network import Classifier
from snnlab.suites import SUITES
from snnlab.teach.entries import entries, record_of, submit
from snnlab.teach.leaderboard import AGAINST, LEAST, REQUIRED, SEARCH, Row, board, figure, page, ranked, refusal, row

ZOO = {name: zoo.results(name) for name in zoo.names("codes")}


@pytest.fixture
def record() -> dict[str, Any]:
    """A report as a reader hands it in: counts of a hundred digits after the attacks of the suite quick."""
    counts = {"fgsm.naive": [100, 90], "fgsm.informed": [100, 70], "pgd.informed": [100, 65], "worst": [100, 60]}
    return {
        "dataset": "mnist5k",
        "split": "test",
        "seed": 0,
        "n": 100,
        "eps": [0.0, 0.1],
        "num_steps": 8,
        "exits": [8],
        "correct": {name: [row] for name, row in counts.items()},
        "silent": {name: [[0, 0]] for name in counts},
        "left": {"sa_pgd": [[100, 60]]},
        "attacks": {**REQUIRED, **SEARCH, "fgsm.naive": "FGSM", "worst": "any of them"},
        "flags": {name: ["single seed"] for name in counts},
    }


def flagged(record: dict[str, Any], attack: str, kind: str) -> dict[str, Any]:
    """The same with one more flag."""
    flags = copy.deepcopy(record["flags"])
    flags.setdefault(attack, []).append(FLAGS[kind]("this much"))
    return record | {"flags": flags}


def test_what_evaluate_robustness_returns_can_be_entered_and_comes_back(few: Split, tmp_path: Path) -> None:
    model = zoo.load("onset")
    found = evaluate_robustness(model, few, [0, 0.1], SUITES["quick"][:2], progress=False)
    submit("mine", record_of(found, model, seed=3), tmp_path)
    submit("mine too", found, tmp_path)
    there = entries(tmp_path)
    assert there["mine"]["correct"] == found.correct
    assert (there["mine"]["encoding"], there["mine"]["seed"], there["mine"]["split"]) == ("onset", 3, "test")
    assert there["mine"] == json.loads(json.dumps(record_of(found, model, seed=3)))
    assert {r.name for r in board(tmp_path) if not r.rank} == {"mine", "mine too"}


def test_records_of_other_weights_have_other_hashes(few: Split) -> None:
    found = evaluate_robustness(zoo.load("onset"), few, [0, 0.1], SUITES["quick"][:1], progress=False)
    hashes = {record_of(found, zoo.load(name), seed=0)["weights_sha256"] for name in ("onset", "latency", "onset")}
    assert len(hashes) == 2


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.3), st.booleans()), max_size=8))
def test_a_rank_is_one_more_than_the_number_of_those_clearly_better(told: list[tuple[float, float, bool]]) -> None:
    rows = [Row(str(k), x, x - w, x + w, 1.0, 100, refused="" if may else "no") for k, (x, w, may) in enumerate(told)]
    found = ranked(rows)
    assert {r.name for r in found} == {r.name for r in rows}
    may = [r for r in found if not r.refused]
    assert all(r.rank == 1 + len([o for o in may if o.low > r.high]) for r in may)
    assert all(r.rank is None for r in found if r.refused)
    assert found[: len(may)] == may  # who has no rank stands at the end
    assert not may or may[0].rank == 1


def test_no_entry_that_is_shown_without_a_rank_moves_the_others(record: dict[str, Any], tmp_path: Path) -> None:
    alone = {r.name: r.rank for r in board()}
    weak = record | {
        "attacks": {"fgsm.naive": "FGSM"},
        "correct": {"worst": [[100, 99]]},
        "left": {},
        "flags": {"worst": ["single seed"]},
    }
    submit("blind", weak | {"silent": {"worst": [[0, 0]]}}, tmp_path)
    assert {r.name: r.rank for r in board(tmp_path)} == alone | {"blind": None}


def test_a_longer_suite_is_read_where_the_shorter_one_ends() -> None:
    for name, found in ZOO.items():
        k = found["eps"].index(0.1)
        assert row(name, found).accuracy * found["n"] == pytest.approx(found["left"]["sa_pgd"][-1][k])
        assert row(name, found).accuracy >= found["correct"]["worst"][-1][k] / found["n"]


def test_every_code_of_the_zoo_is_a_valid_entry_with_a_rank() -> None:
    assert {r.name for r in board()} == set(ZOO)
    assert all(r.rank for r in board() if not r.own)


def test_an_entry_whose_code_has_trains_must_have_been_searched(record: dict[str, Any]) -> None:
    unsearched = {name: words for name, words in record["attacks"].items() if name not in SEARCH}
    assert "spike_train" in refusal(record | {"encoding": "latency", "attacks": unsearched})
    assert refusal(record | {"encoding": "direct", "attacks": unsearched}) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r | {"attacks": {k: v for k, v in r["attacks"].items() if k != "sa_pgd"}}, "not attacked with sa_pgd"),
        (lambda r: r | {"attacks": r["attacks"] | {"pgd.informed": "PGD-1"}}, "not attacked with pgd.informed"),
        (lambda r: r | {"n": LEAST - 1}, f"only {LEAST - 1} images"),
        (lambda r: r | {"eps": [0.0, 0.05]}, "not measured at ε = 0.1"),
        (lambda r: r | {"split": "validation"}, "other images"),
        (lambda r: r | {"norm": "L2"}, "other images or in another norm"),
        (lambda r: {k: v for k, v in r.items() if k != "dataset"}, "does not say so"),
        (lambda r: r | {"about": {"data": "cifar10, 100 images"}}, "other images"),
        *((lambda r, kind=kind: flagged(r, "worst", kind), "flag: ") for kind in AGAINST),
        (lambda r: flagged(r, "pgd.informed", "zero_gradient"), "flag: zero input gradient"),
    ],
)
def test_why_an_entry_is_shown_without_a_rank(
    record: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]], says: str
) -> None:
    assert refusal(record) == ""
    assert says in refusal(change(record))


@pytest.mark.parametrize("kind", sorted(set(FLAGS) - set(AGAINST)))
def test_a_flag_that_says_the_number_is_too_high_costs_no_rank_and_is_shown(record: dict[str, Any], kind: str) -> None:
    told = flagged(record, "worst", kind)
    assert refusal(told) == ""
    assert kind == "single_seed" or FLAGS[kind].sign in row("mine", told).remarks


def test_a_naive_attack_without_a_gradient_costs_no_rank(record: dict[str, Any]) -> None:
    assert refusal(flagged(record, "fgsm.naive", "zero_gradient")) == ""


def test_a_report_of_the_command_says_its_images_in_words(record: dict[str, Any]) -> None:
    plain = {key: value for key, value in record.items() if key not in ("dataset", "split")}
    assert refusal(plain | {"about": {"data": "mnist5k, 100 images"}}) == ""


def without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: 0.8, "float is no report.*hand in what evaluate_robustness"),
        (lambda r: {"accuracy": 0.8}, "lacks n, eps"),
        (lambda r: without(r, "flags"), "lacks flags"),
        (lambda r: r | {"correct": without(r["correct"], "worst")}, "no worst case, only fgsm.naive"),
        (lambda r: r | {"eps": [0.1, 0.2]}, "ε rising from 0"),
        (lambda r: r | {"n": 90}, r"not 1 exits × 2 ε, at most 90"),
        (lambda r: r | {"correct": r["correct"] | {"worst": [[100]]}}, "not 1 exits × 2 ε"),
        (lambda r: r | {"correct": r["correct"] | {"worst": [[100, 95]]}, "left": {}}, "lies above 'fgsm.naive'"),
        (lambda r: r | {"left": {"sa_pgd": [[100, 50]]}}, "lies above 'sa_pgd'"),
        (lambda r: r | {"left": {"sa_pgd": [100, 60]}}, "no report"),
        (lambda r: r | {"correct": [100, 60]}, "no report"),
        (lambda r: r | {"n": "many"}, "its parts are not what they should be"),
        (
            lambda r: r | {"silent": r["silent"] | {"worst": [[0, 30]]}},
            "silent outputs up to 30.0%' on worst; flags are never",
        ),
        (lambda r: r | {"zero_gradient": {"fgsm.naive": [0.8, 0.8]}}, "flag that the report does not: 'zero input gradient"),
    ],
)
def test_what_is_no_report_is_refused_with_what_to_do(
    record: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        submit("mine", change(record), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_names_are_taken_once_whatever_their_case(record: dict[str, Any], tmp_path: Path) -> None:
    submit("My code", record, tmp_path)
    for name in ("My code", "my CODE", "my-code", "onset"):
        with pytest.raises(ValueError, match="is taken; choose another"):
            submit(name, record, tmp_path)
    for name in ("", "../escape", "<b>", "x" * 41, 3):
        with pytest.raises(ValueError, match="a name has 1 to 40"):
            submit(name, record, tmp_path)  # type: ignore[arg-type]
    assert set(entries(tmp_path)) == {"My code"}


@pytest.mark.parametrize("name", ["mine 1.5", "mine 1.6", "día", "a+b"])
def test_a_name_comes_back_as_it_was_given(record: dict[str, Any], tmp_path: Path, name: str) -> None:
    assert submit(name, record, tmp_path).parent == tmp_path
    assert list(entries(tmp_path)) == [name]


def test_a_file_that_was_touched_is_refused_by_name(record: dict[str, Any], tmp_path: Path) -> None:
    path = submit("mine", record, tmp_path)
    text = path.read_text(encoding="utf8")
    for spoilt, says in (
        (text[: len(text) // 2], "mine.json is cut short"),
        ("", "mine.json is cut short"),
        (text.replace("60", "99"), "mine.json was altered after it was submitted"),
        (text.replace('"name": "mine"', '"name": "best"'), "mine.json was altered"),
        ("[]", "mine.json is no entry"),
        ('{"name": "mine"}', "mine.json is no entry"),
    ):
        path.write_text(spoilt, encoding="utf8")
        with pytest.raises(ValueError, match=says):
            board(tmp_path)
    path.write_text(text, encoding="utf8")
    (tmp_path / "copy.json").write_text(text, encoding="utf8")
    with pytest.raises(ValueError, match=r"mine\.json holds a second entry called 'mine'"):
        entries(tmp_path)


def test_a_folder_that_is_not_there_has_no_entries_and_a_file_is_no_folder(record: dict[str, Any], tmp_path: Path) -> None:
    assert entries(tmp_path / "none") == {}
    assert len(board(tmp_path / "none")) == len(ZOO)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ValueError, match="name another folder"):
        submit("mine", record, tmp_path / "file")
    with pytest.raises(ValueError, match=r"not measured at ε = 0\.07; choose one of"):
        board(eps=0.07)


def test_page_and_figure_show_every_entry_with_its_rank_or_the_reason(record: dict[str, Any], tmp_path: Path) -> None:
    submit("mine", record, tmp_path)
    submit("a few more", record | {"attacks": {}}, tmp_path)
    submit("elsewhere", record | {"eps": [0.0, 0.05]}, tmp_path)
    shown = page(tmp_path).html
    rows = board(tmp_path)
    for r in rows:
        assert f'<th scope="row">{r.title}</th>' in shown
        assert r.left in shown
    assert "not attacked with fgsm.informed, pgd.informed, sa_pgd" in shown
    assert "not measured at ε = 0.1" in shown
    assert "nan" not in shown
    notes = [text.get_text() for text in figure(tmp_path).axes[0].texts]
    assert notes == [f"rank {r.rank}" if r.rank else "not ranked" for r in rows]


def test_a_code_of_the_readers_own_is_told_by_its_title() -> None:
    found = {"worst": [[10, 5]]}
    model = Classifier(zoo.load("onset").network, encoder("onset(rounding=up)"))

    class Found:
        def record(self) -> dict[str, Any]:
            return {"correct": found}

    assert record_of(Found(), model, seed=0)["encoding"] == "onset(rounding=up)"  # type: ignore[arg-type]
