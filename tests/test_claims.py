"""The claims ledger: a verdict is a rule applied to intervals, and nothing that was measured is lost."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnlab import zoo
from snnlab.claims import (
    OUTCOMES,
    VERDICTS,
    Claim,
    Comparison,
    Quantity,
    build,
    definitions,
    details,
    ledger,
    page,
    table,
    verdict,
)
from snnlab.claims.ledger import measure
from snnlab.records import Change

RECORDS = ledger()


def record(correct: int, seed: int = 0, n: int = 100) -> dict[str, Any]:
    """What the zoo stores of a model, as far as an accuracy needs it."""
    return {
        "dataset": "toy",
        "split": "test",
        "seed": seed,
        "n": n,
        "eps": [0.0, 0.1],
        "num_steps": 8,
        "exits": [7, 8],
        "correct": {"worst": [[n, n], [n, correct]], "fgsm.naive": [[n, n], [n, n]]},
        "attacks": {"fgsm.naive": "FGSM", "worst": "any of them"},
        "flags": {"worst": ["single seed", "silent outputs up to 2.0%"], "fgsm.naive": ["single seed"]},
        "versions": {"torch": "2"},
        "weights_sha256": "a" * 64,
        "settings_sha256": "b" * 64,
        "data_sha256": "c" * 64,
    }


def of(**counts: list[int]) -> Any:
    """A source of records: the correct answers of every seed by model; no model was measured by the standard suite."""

    def records(name: str, suite: str) -> list[dict[str, Any]] | None:
        return [record(c, seed) for seed, c in enumerate(counts[name])] if suite == "quick" else None

    return records


def claim(*comparisons: Comparison) -> Claim:
    return Claim("toy", "New is better.", "this book", "nowhere", "A toy.", comparisons)


HIGHER = Comparison(Quantity("new", eps=0.1), Quantity("old", eps=0.1), "higher")


@pytest.mark.parametrize(
    ("expect", "margin", "low", "high", "outcome"),
    [
        ("higher", 0.0, 0.01, 0.2, "as claimed"),
        ("higher", 0.0, 0.0, 0.2, "not told apart"),  # zero itself is not left out
        ("higher", 0.0, -0.2, -0.01, "against the claim"),
        ("higher", 0.1, 0.01, 0.2, "not told apart"),
        ("higher", 0.1, 0.01, 0.09, "against the claim"),
        ("lower", 0.0, -0.2, -0.01, "as claimed"),
        ("lower", 0.1, -0.09, -0.01, "against the claim"),
        ("not lower", 0.05, -0.04, 0.3, "as claimed"),
        ("not lower", 0.05, -0.06, 0.3, "not told apart"),
        ("not lower", 0.05, -0.3, -0.06, "against the claim"),
        ("not higher", 0.05, -0.3, 0.04, "as claimed"),
        ("not higher", 0.05, 0.06, 0.3, "against the claim"),
        ("the same", 0.05, -0.04, 0.04, "as claimed"),
        ("the same", 0.05, -0.06, 0.04, "not told apart"),
        ("the same", 0.05, 0.06, 0.1, "against the claim"),
        ("the same", 0.05, -0.1, -0.06, "against the claim"),
    ],
)
def test_an_outcome_follows_from_the_interval(expect: str, margin: float, low: float, high: float, outcome: str) -> None:
    comparison = Comparison(Quantity("new"), Quantity("old"), expect, margin)
    assert comparison.outcome(Change((low + high) / 2, low, high, seeds=3)) == outcome


@given(st.floats(-1, 1), st.floats(0, 1), st.floats(0.001, 0.5))
def test_higher_and_not_higher_are_never_both_as_claimed(low: float, width: float, margin: float) -> None:
    change = Change(low + width / 2, low, low + width, seeds=3)
    told = [Comparison(Quantity("a"), Quantity("b"), e, margin).outcome(change) for e in ("higher", "not higher")]
    assert told.count("as claimed") <= 1
    assert (told[0] == "as claimed") == (told[1] == "against the claim")


def test_a_claim_holds_only_if_every_comparison_does() -> None:
    yes, open_, no = OUTCOMES
    assert [verdict(o) for o in ([yes, yes], [yes, open_], [yes, no], [open_], [no, open_])] == [
        "holds",
        "holds in part",
        "holds in part",
        "does not hold here",
        "does not hold here",
    ]
    with pytest.raises(ValueError, match="needs outcomes out of"):
        verdict([])


def test_a_measurement_is_worked_out_from_the_counts() -> None:
    found = measure(claim(HIGHER), of(new=[60, 70, 65], old=[50, 60, 55]))
    (told,) = found["comparisons"]
    assert told["change"] == {"mean": 0.1, "low": 0.1, "high": 0.1}
    assert told["new"]["values"] == [0.6, 0.7, 0.65]
    assert (found["verdict"], found["n"], found["seeds"], found["suites"]) == ("holds", [100], [0, 1, 2], ["quick"])
    assert found["attacks"] == {"fgsm.naive": "FGSM", "worst": "any of them"}
    assert found["flags"] == {name: ["worst: silent outputs up to 2.0%"] for name in ("new", "old")}


def test_the_standard_suite_is_preferred_and_both_sides_use_the_same() -> None:
    quick, standard = of(new=[60] * 3, old=[50] * 3), {"new": 40, "old": 45}

    def both(name: str, suite: str) -> Any:
        return quick(name, suite) if suite == "quick" else [record(standard[name], seed) for seed in range(3)]

    def one(name: str, suite: str) -> Any:
        return None if (name, suite) == ("old", "standard") else both(name, suite)

    assert measure(claim(HIGHER), both)["suites"] == ["standard"]
    assert measure(claim(HIGHER), both)["verdict"] == "does not hold here"
    assert measure(claim(HIGHER), one)["suites"] == ["quick"]
    early = Comparison(Quantity("new", eps=0.1, exit=3), Quantity("old", eps=0.1), "higher")
    with pytest.raises(ValueError, match=r"new: worst-case accuracy, ε = 0\.1, exit 3 against .* exit 3 was not measured"):
        measure(claim(early), both)


def test_models_of_cifar10_are_told_in_grey_levels(tmp_path: Path) -> None:
    file = tmp_path / "claims.toml"
    head = '[[claims]]\nid = "x"\nstatement = "s"\nsource = "this book"\nwhere = "w"\nlimits = "l"\n'
    file.write_text(
        head + '[[claims.comparisons]]\nnew = "cifar10/latency"\nold = "cifar10/ann"\nlevels = [0.5, 4]\nexpect = "higher"\n'
    )
    first, second = definitions(file)["x"].comparisons
    assert (first.new.eps, second.new.eps) == (0.5 / 255, 4 / 255)
    assert second.new.words == "cifar10/latency: worst-case accuracy, ε = 4/255"
    assert first.new.words.endswith("ε = 0.5/255")


def test_building_again_changes_nothing(tmp_path: Path) -> None:
    own = {"folder": tmp_path, "claims": [claim(HIGHER)], "records": of(new=[60] * 3, old=[50] * 3)}
    assert build(today="2026-01-01", **own) == ["toy"]
    before = (tmp_path / "toy.json").read_bytes()
    assert build(today="2026-02-02", **own) == []
    assert (tmp_path / "toy.json").read_bytes() == before


def test_a_changed_value_is_kept_as_superseded(tmp_path: Path) -> None:
    for day, correct in ((1, 60), (2, 40), (3, 45)):
        own = {"folder": tmp_path, "claims": [claim(HIGHER)], "records": of(new=[correct] * 3, old=[50] * 3)}
        assert build(today=f"2026-01-0{day}", **own) == ["toy"]
    found = json.loads((tmp_path / "toy.json").read_text())
    assert found["measured"]["verdict"] == "does not hold here"
    assert [old["date"] for old in found["superseded"]] == ["2026-01-02", "2026-01-01"]
    assert [old["comparisons"][0]["new"]["mean"] for old in found["superseded"]] == [0.4, 0.6]
    assert "superseded, measured on 2026-01-01" in details(found)
    assert "Superseded: holds, measured on 2026-01-01" in page({"toy": found}).html


def test_the_same_finding_from_new_weights_supersedes_nothing_but_is_dated_anew(tmp_path: Path) -> None:
    old_records = of(new=[60] * 3, old=[50] * 3)

    def new_records(name: str, suite: str) -> Any:
        found = old_records(name, suite)
        return found and [{**r, "weights_sha256": "d" * 64} for r in found]

    for day, records in ((1, old_records), (2, new_records)):
        build(folder=tmp_path, claims=[claim(HIGHER)], records=records, today=f"2026-01-0{day}")
    found = json.loads((tmp_path / "toy.json").read_text())
    assert (found["superseded"], found["measured"]["date"]) == ([], "2026-01-02")
    assert "d" * 16 in json.dumps(found["measured"]["hashes"])


def test_quantities_read_what_they_say() -> None:
    found = zoo.results("latency")
    assert Quantity("latency", eps=0.2, exit="window").exit_step(found) == 6  # floor(.8 · 8)
    late = Quantity("latency", kind="late", attack="pgd", from_step=4, exit=4)
    assert late.of(found) == found["late"]["pgd"]["correct"][2][3] / 250
    assert late.n(found) == 250
    assert Quantity("latency", kind="energy", exit=5).of(found) == found["energy_pj"][4] / 1000
    assert Quantity("ann", kind="energy", times=0.5).of({"energy_pj": [8000.0], "num_steps": 1}) == 4
    gated = Quantity("fusion", kind="gate", part="latency")
    assert gated.of({"encoding": "fusion(0.25*direct, 2*latency)"}) == 2


def test_fixed_exits_are_interpolated_at_the_steps_a_rule_reads() -> None:
    own = record(60) | {
        "dynamic": {"rules": [{"name": "margin", "threshold": 2.0}], "mean_exit": [7.25], "correct": {"0.1": [50]}}
    }
    same = {"rule": "margin", "threshold": 2.0, "eps": 0.1}
    assert Quantity("new", kind="interpolated", **same).of(own) == pytest.approx(0.9)  # 1 at exit 7, .6 at 8
    assert Quantity("new", kind="dynamic", **same).of(own) == 0.5


def test_what_cannot_be_asked_is_named() -> None:
    with pytest.raises(ValueError, match="unknown kind of quantity 'speed'; choose one of accuracy"):
        Quantity("onset", kind="speed")
    with pytest.raises(ValueError, match="exit must be a step, 'window'"):
        Quantity("onset", exit="early")
    with pytest.raises(ValueError, match="unknown expectation 'more'; choose one of higher"):
        Comparison(Quantity("a"), Quantity("b"), "more")
    with pytest.raises(ValueError, match="'the same' needs a margin"):
        Comparison(Quantity("a"), Quantity("b"), "the same")
    with pytest.raises(ValueError, match="unknown claim 'moon'; choose one of paper-encoding"):
        ledger(ids=["moon"])


def test_the_ledger_is_what_the_zoo_s_records_say(tmp_path: Path) -> None:
    """Rebuilt from nothing, every shipped record has the same measurement."""
    build(folder=tmp_path)
    for name, shipped in RECORDS.items():
        made = json.loads((tmp_path / f"{name}.json").read_text())
        made["measured"]["date"], made["superseded"] = shipped["measured"]["date"], shipped["superseded"]
        assert made == shipped, f"run 'snnlab claims build {name}'"


def test_the_ledger_has_the_paper_s_claims_and_ours() -> None:
    sources = [r["source"] for r in RECORDS.values()]
    assert sources.count("ding2025") >= 5
    assert sources.count("this book") >= 10
    assert {path.stem for path in (zoo.FOLDER / "claims").glob("*.json")} == set(RECORDS) == set(definitions())


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_seeds_n_intervals_attacks_flags_and_hashes(name: str) -> None:
    found = RECORDS[name]
    for measured in (found["measured"], *found["superseded"]):
        seeds = 2 if measured["suites"] == ["adaptive"] else 3  # convolutional networks are trained twice
        assert len(measured["seeds"]) >= seeds
        assert min(measured["n"]) >= 100
        assert measured["attacks"]
        assert isinstance(measured["flags"], dict)
        assert measured["verdict"] in VERDICTS
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", measured["date"])
        assert measured["hashes"]
        assert "torch" in measured["versions"]
        for told in measured["comparisons"]:
            assert told["seeds"] >= seeds
            assert told["suite"] in ("standard", "quick", "adaptive")
            assert told["change"]["low"] <= told["change"]["mean"] <= told["change"]["high"]
    assert found["measured"]["verdict"] == verdict([t["outcome"] for t in found["measured"]["comparisons"]])


@pytest.mark.parametrize("name", RECORDS)
def test_a_source_of_the_ledger_is_in_the_bibliography(name: str) -> None:
    bibliography = (Path(__file__).parent.parent / "book" / "references.bib").read_text()
    source = RECORDS[name]["source"]
    assert source == "this book" or f"{{{source}," in bibliography


class Folds(HTMLParser):
    """How many folds a page has, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.folds, self.text, self.open = 0, "", []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.folds += tag == "details"
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_says_every_verdict_in_words_and_folds_the_rest() -> None:
    parser = Folds()
    parser.feed(page(RECORDS).html)
    assert parser.open == []
    assert parser.folds == sum(1 + len(r["superseded"]) for r in RECORDS.values())
    for found in RECORDS.values():
        assert found["statement"] in parser.text
        assert found["limits"] in parser.text
        for sentences in found["measured"]["flags"].values():
            assert all(sentence in parser.text for sentence in sentences)


def test_the_table_has_every_claim_with_its_verdict() -> None:
    text = table(RECORDS)
    for name, found in RECORDS.items():
        assert re.search(rf"{found['measured']['verdict']}\s+{name}", text)


def test_every_interval_holds_its_mean_and_no_accuracy_is_above_its_factor() -> None:
    for record in RECORDS.values():
        for told in record["measured"]["comparisons"]:
            for side in (told["new"], told["old"]):
                if "low" in side:
                    assert side["low"] <= side["mean"] <= side["high"], side["what"]
                    if side.get("kind", "accuracy") == "accuracy":
                        assert 0 <= side["low"] <= side["high"] <= side.get("times", 1.0), side["what"]
