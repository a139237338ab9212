"""The committed ledger: every claim, as the records of the zoo decide it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from snnlab import zoo
from snnlab.claims import (
    VERDICTS,
    Claim,
    definitions,
    ledger,
    verdict,
)
from snnlab.claims.ledger import SUITES, measure, zoo_records
from snnlab.statistics import Record

RECORDS = ledger()


def record(correct: int, seed: int = 0, n: int = 100) -> Record:
    """What the zoo stores of a model, as far as an accuracy needs it."""
    return Record(
        dataset="toy",
        split="test",
        seed=seed,
        n=n,
        eps=[0.0, 0.1],
        num_steps=8,
        exits=[7, 8],
        correct={"worst": [[n, n], [n, correct]], "fgsm.naive": [[n, n], [n, n]]},
        attacks={"fgsm.naive": "FGSM", "worst": "any of them"},
        flags={"worst": ["single seed", "silent outputs up to 2.0%"], "fgsm.naive": ["single seed"]},
        versions={"torch": "2"},
        weights_sha256="a" * 64,
        settings_sha256="b" * 64,
        data_sha256="c" * 64,
    )


def measured_or_none(found: Claim) -> dict[str, Any] | None:
    """What the zoo's records say of a claim; ``None`` while its models are not measured by the suite of the zoo."""
    try:
        return json.loads(json.dumps(measure(found)))
    except ValueError:
        return None


@pytest.mark.parametrize("name", definitions())
def test_the_ledger_is_what_the_zoo_s_records_say(name: str) -> None:
    """Every claim that can be measured has a record of this measurement; what was measured by other suites is no such record."""
    found = measured_or_none(definitions()[name])
    if found is None:
        assert not zoo_is_measured(definitions()[name])
    else:
        shipped = {key: value for key, value in RECORDS[name]["measured"].items() if key != "date"}
        assert shipped == found, f"run 'snnlab claims build {name}'"


def zoo_is_measured(found: Claim) -> bool:
    """Whether all models of a claim have records by the suite of their zoo."""
    try:
        return all(any(zoo_records(model, suite) for suite in SUITES) for c in found.comparisons for model in c.models)
    except ValueError:
        return False


def test_the_ledger_has_the_paper_s_claims_and_ours() -> None:
    sources = [found.source for found in definitions().values()]
    assert sources.count("ding2025") >= 6
    assert sources.count("this book") >= 10
    stored = {path.stem: json.loads(path.read_text()) for path in (zoo.FOLDER / "claims").glob("*.json")}
    assert set(RECORDS) <= set(stored) <= set(definitions())
    older = {name for name, record in stored.items() if not set(record["measured"]["suites"]) <= {*SUITES}}
    assert set(stored) - set(RECORDS) == older


@pytest.mark.parametrize("name", RECORDS)
def test_every_record_has_seeds_n_intervals_attacks_flags_and_hashes(name: str) -> None:
    found = RECORDS[name]
    measured = found["measured"]
    seeds = 2 if measured["suites"] == ["adaptive"] else 3  # convolutional networks are trained twice
    assert len(measured["seeds"]) >= seeds
    assert min(measured["n"]) >= 100
    assert measured["attacks"]
    assert isinstance(measured["flags"], dict)
    assert measured["hashes"]
    assert "torch" in measured["versions"]
    for told in measured["comparisons"]:
        assert told["seeds"] >= seeds
        assert told["change"]["low"] <= told["change"]["mean"] <= told["change"]["high"]
    for dated in (measured, *found["superseded"]):
        assert dated["verdict"] in VERDICTS
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", dated["date"])
    assert all(re.fullmatch("[0-9a-f]{64}", old["sha256"]) for old in found["superseded"])
    assert found["measured"]["verdict"] == verdict(
        [t["outcome"] for t in measured["comparisons"]], all(t.get("proved") for t in measured["comparisons"])
    )


@pytest.mark.parametrize("name", RECORDS)
def test_a_source_of_the_ledger_is_in_the_bibliography(name: str) -> None:
    bibliography = (Path(__file__).parents[2] / "book" / "references.bib").read_text()
    source = RECORDS[name]["source"]
    assert source == "this book" or f"{{{source}," in bibliography


def test_every_interval_holds_its_mean_and_no_accuracy_is_above_its_factor() -> None:
    for record in RECORDS.values():
        for told in record["measured"]["comparisons"]:
            for side in (told["new"], told["old"]):
                if "low" in side:
                    assert side["low"] <= side["mean"] <= side["high"], side["what"]
                    if side.get("kind", "accuracy") == "accuracy":
                        assert 0 <= side["low"] <= side["high"] <= side.get("times", 1.0), side["what"]
