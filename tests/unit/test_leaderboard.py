"""The local leaderboard: which entries are ranked, which are shown without a rank, and which are rejected."""

import copy
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.leaderboard import board, entries, figure, page, submit
from snnlab import zoo
from snnlab.data import Split
from snnlab.encoding import encoder
from snnlab.evaluation.flags import FLAGS
from snnlab.evaluation.robustness import Evaluation, evaluate_robustness
from snnlab.evaluation.suites import SUITES
from snnlab.networks.classifier import Classifier
from snnlab.statistics import Record
from snnlab.teach.leaderboard import DISQUALIFYING, MIN_IMAGES, REQUIRED, SEARCH, Row, ranked, record_of, refusal, row

ZOO = {name: zoo.results(name) for name in zoo.names("codes")}


@pytest.fixture
def record() -> dict[str, Any]:
    """A report of a hundred digits after the attacks of the suite quick."""
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


def refused(content: dict[str, Any]) -> str:
    """Why the record with this content gets no rank."""
    return refusal(Record.of(content))


def flagged(record: dict[str, Any], attack: str, kind: str) -> dict[str, Any]:
    """The same with one more flag."""
    flags = copy.deepcopy(record["flags"])
    flags.setdefault(attack, []).append(FLAGS[kind]("this much"))
    return record | {"flags": flags}


def test_what_evaluate_robustness_returns_can_be_entered_and_comes_back(few: Split, tmp_path: Path) -> None:
    model = zoo.load("onset")
    evaluation = evaluate_robustness(model, few, [0, 0.1], SUITES["quick"][:2], progress=False)
    submit("mine", record_of(evaluation, model, seed=3), tmp_path)
    submit("mine too", evaluation, tmp_path)
    there = entries(tmp_path)
    assert there["mine"].correct == evaluation.correct
    assert (there["mine"].encoding, there["mine"].seed, there["mine"].split) == ("onset", 3, "test")
    assert there["mine"].plain() == record_of(evaluation, model, seed=3).plain()
    assert {r.name for r in board(tmp_path) if not r.rank} == {"mine", "mine too"}


def test_records_of_other_weights_have_other_hashes(few: Split) -> None:
    evaluation = evaluate_robustness(zoo.load("onset"), few, [0, 0.1], SUITES["quick"][:1], progress=False)
    hashes = {record_of(evaluation, zoo.load(name), seed=0).weights_sha256 for name in ("onset", "latency", "onset")}
    assert len(hashes) == 2


def test_ranks_worked_out_by_hand() -> None:
    """B and c overlap with a, d lies below a alone, e below a, b and c; the best accuracy has no rank."""
    intervals = {"a": (0.7, 0.8), "b": (0.6, 0.75), "c": (0.55, 0.7), "d": (0.5, 0.65), "e": (0.3, 0.4)}
    rows = [Row(name, (low + high) / 2, low, high, 1.0, 100) for name, (low, high) in intervals.items()]
    rows.append(Row("f", 0.95, 0.9, 1.0, 1.0, 100, refused="no"))
    assert {r.name: r.rank for r in ranked(rows[::-1])} == {"a": 1, "b": 1, "c": 1, "d": 2, "e": 5, "f": None}
    assert [r.name for r in ranked(rows[::-1])] == ["a", "b", "c", "d", "e", "f"]


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 0.3), st.booleans()), max_size=8))
def test_a_clearly_better_entry_has_a_better_rank_and_entries_without_a_rank_change_none(
    given_rows: list[tuple[float, float, bool]],
) -> None:
    rows = [Row(str(k), x, x - w, x + w, 1.0, 100, refused="" if ok else "no") for k, (x, w, ok) in enumerate(given_rows)]
    eligible = [r for r in rows if not r.refused]
    result = ranked(rows)
    assert result[: len(eligible)] == ranked(eligible)
    assert all(r.rank is None for r in result[len(eligible) :])
    for better, worse in permutations(result[: len(eligible)], 2):
        assert better.low <= worse.high or (better.rank or 0) < (worse.rank or 0)
    assert not eligible or result[0].rank == 1


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
    for name, measured in ZOO.items():
        k = measured.eps.index(0.1)
        assert row(name, measured).accuracy * measured.n == pytest.approx(measured.survivors["sa_pgd"][-1][k])
        assert row(name, measured).accuracy >= measured.count(eps=0.1) / measured.n


def test_every_code_of_the_zoo_is_a_valid_entry_with_a_rank() -> None:
    assert {r.name for r in board()} == set(ZOO)
    assert all(r.rank for r in board())


def test_an_entry_whose_code_has_trains_must_have_been_searched(record: dict[str, Any]) -> None:
    unsearched = {name: words for name, words in record["attacks"].items() if name not in SEARCH}
    assert "spike_train" in refused(record | {"encoding": "latency", "attacks": unsearched})
    assert refused(record | {"encoding": "direct", "attacks": unsearched}) == ""


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: r | {"attacks": {k: v for k, v in r["attacks"].items() if k != "sa_pgd"}}, "not attacked with sa_pgd"),
        (lambda r: r | {"attacks": r["attacks"] | {"pgd.informed": "PGD-1"}}, "not attacked with pgd.informed"),
        (lambda r: r | {"n": MIN_IMAGES - 1}, f"only {MIN_IMAGES - 1} images"),
        (lambda r: r | {"eps": [0.0, 0.05]}, "not measured at ε = 0.1"),
        (lambda r: r | {"split": "validation"}, "other images"),
        (lambda r: r | {"norm": "L2"}, "other images or in another norm"),
        (lambda r: {k: v for k, v in r.items() if k != "dataset"}, "does not say so"),
        (lambda r: r | {"about": {"data": "cifar10, 100 images"}}, "other images"),
        *((lambda r, kind=kind: flagged(r, "worst", kind), "flag: ") for kind in DISQUALIFYING),
        (lambda r: flagged(r, "pgd.informed", "zero_gradient"), "flag: zero input gradient"),
    ],
)
def test_why_an_entry_is_shown_without_a_rank(
    record: dict[str, Any], change: Callable[[dict[str, Any]], dict[str, Any]], says: str
) -> None:
    assert refused(record) == ""
    assert says in refused(change(record))


@pytest.mark.parametrize("kind", sorted(set(FLAGS) - set(DISQUALIFYING)))
def test_a_flag_that_says_the_number_is_too_high_costs_no_rank_and_is_shown(record: dict[str, Any], kind: str) -> None:
    with_flag = flagged(record, "worst", kind)
    assert refused(with_flag) == ""
    assert kind == "single_seed" or FLAGS[kind].sign in "; ".join(row("mine", Record.of(with_flag)).flags)


def test_a_naive_attack_without_a_gradient_costs_no_rank(record: dict[str, Any]) -> None:
    assert refused(flagged(record, "fgsm.naive", "zero_gradient")) == ""


def test_a_report_of_the_command_says_its_images_in_words(record: dict[str, Any]) -> None:
    plain = {key: value for key, value in record.items() if key not in ("dataset", "split")}
    assert refused(plain | {"about": {"data": "mnist5k, 100 images"}}) == ""


def without(record: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value for key, value in record.items() if key not in keys}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda r: 0.8, "float is not a report.*hand in a result of evaluate_robustness"),
        (lambda r: {"accuracy": 0.8}, "lacks n, eps"),
        (lambda r: without(r, "flags"), "lacks flags"),
        (lambda r: r | {"correct": without(r["correct"], "worst")}, "no worst case among fgsm.naive"),
        (lambda r: r | {"eps": [0.1, 0.2]}, "ε rising from 0"),
        (lambda r: r | {"n": 90}, r"not 1 exits × 2 ε, at most 90"),
        (lambda r: r | {"correct": r["correct"] | {"worst": [[100]]}}, "not 1 exits × 2 ε"),
        (lambda r: r | {"correct": r["correct"] | {"worst": [[100, 95]]}, "left": {}}, "lies above 'fgsm.naive'"),
        (lambda r: r | {"left": {"sa_pgd": [[100, 50]]}}, "lies above 'sa_pgd'"),
        (lambda r: r | {"left": {"sa_pgd": [100, 60]}}, "not a report"),
        (lambda r: r | {"correct": [100, 60]}, "not a report"),
        (lambda r: r | {"n": "many"}, "this is not a report"),
        (
            lambda r: r | {"silent": r["silent"] | {"worst": [[0, 30]]}},
            "silent outputs up to 30.0%' on worst, which the report lacks",
        ),
        (
            lambda r: r | {"zero_gradient": {"fgsm.naive": [0.8, 0.8]}},
            "the counts raise 'zero input gradient",
        ),
    ],
)
def test_what_is_no_report_is_refused_with_what_to_do(
    record: dict[str, Any], tmp_path: Path, change: Callable[[dict[str, Any]], Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        submit("mine", change(record), tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.case("a high score that anybody writes")
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
        ("[]", "mine.json is not an entry"),
        ('{"name": "mine"}', "mine.json is not an entry"),
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
        title = f"{r.name} (zoo)" if r.name in ZOO else r.name
        assert f"<th>{title}</th>" in shown
        assert r.left in shown
    assert "not attacked with fgsm.informed, pgd.informed, sa_pgd" in shown
    assert "not measured at ε = 0.1" in shown
    assert "nan" not in shown
    notes = [text.get_text() for text in figure(tmp_path).axes[0].texts]
    assert notes == [f"rank {r.rank}" if r.rank else "not ranked" for r in rows]


def test_a_record_names_the_code_with_its_options() -> None:
    model = Classifier(zoo.load("onset").network, encoder("onset(rounding=up)"))
    assert record_of(Evaluation(n=10), model, seed=0).encoding == "onset(rounding=up)"
