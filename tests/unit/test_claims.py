"""The claims ledger: a verdict is a rule applied to intervals, and nothing that was measured is lost."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnlab import zoo
from snnlab.claims import (
    HELD_FIXED,
    OUTCOMES,
    Claim,
    Comparison,
    Quantity,
    build,
    definitions,
    details,
    forest,
    fractions,
    ledger,
    links,
    page,
    summary,
    table,
    verdict,
)
from snnlab.claims.definitions import EXPECTED
from snnlab.claims.ledger import SUITES, measure, summarised, zoo_records
from snnlab.claims.render import CHAPTERS, beyond, chapter
from snnlab.statistics import MIN_EFFECT, Change, Record
from snnlab.statistics.parts import DynamicExits
from snnlab.zoo.retiming import retiming

RECORDS = ledger()


def record(percent: int, seed: int = 0, n: int = 10_000) -> Record:
    """What the zoo stores of a model, as far as an accuracy needs it; so many samples that the seeds decide."""
    correct = percent * n // 100
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


def of(**counts: list[int]) -> Any:
    """A source of records: the correct answers in a hundred of every seed by model; a reader's, by the suite "quick"."""

    def records(name: str, suite: str) -> list[Record] | None:
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
        ("higher", 0.0, 0.002, 0.006, "not told apart"),  # two digits of 500
        ("higher", 0.0, -0.006, -0.002, "not told apart"),
        ("lower", 0.0, -0.006, -0.002, "not told apart"),
        ("higher", 0.0, 0.005, 0.015, "as claimed"),  # a whole point
        ("higher", 0.1, -0.002, 0.002, "against the claim"),  # far from the ten points that are claimed
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


def test_energies_and_gates_need_no_point() -> None:
    comparison = Comparison(Quantity("new", "energy"), Quantity("old", "energy"), "lower")
    assert comparison.outcome(Change(-0.004, -0.005, -0.003, seeds=3)) == "as claimed"
    gate = Comparison(Quantity("new", "gate", part="direct"), Quantity(kind="value", value=1.0), "higher")
    assert gate.outcome(Change(0.004, 0.003, 0.005, seeds=3)) == "as claimed"


@given(st.floats(-1, 1), st.floats(0, 0.5), st.sampled_from(["higher", "lower"]))
def test_no_difference_below_a_point_decides_a_comparison_without_a_margin(mean: float, half: float, expect: str) -> None:
    outcome = Comparison(Quantity("a"), Quantity("b"), expect).outcome(Change(mean, mean - half, mean + half, seeds=3))
    if abs(mean) < 0.99 * MIN_EFFECT or half >= abs(mean):
        assert outcome == "not told apart"


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
        "mixed",
        "undecided",
        "does not hold here",
    ]
    with pytest.raises(ValueError, match="needs outcomes out of"):
        verdict([])


def test_a_measurement_is_worked_out_from_the_counts() -> None:
    found = measure(claim(HIGHER), of(new=[60, 70, 65], old=[50, 60, 55]))
    (told,) = found["comparisons"]
    assert told["change"] == {"mean": 0.1, "low": 0.0865, "high": 0.1135}  # Newcombe's: the seeds agree
    assert told["new"]["values"] == [0.6, 0.7, 0.65]
    assert (found["verdict"], found["n"], found["seeds"], found["suites"]) == ("holds", [10_000], [0, 1, 2], ["quick"])
    assert found["attacks"] == {"fgsm.naive": "FGSM", "worst": "any of them"}
    assert found["flags"] == {name: ["worst: silent outputs up to 2.0%"] for name in ("new", "old")}


def test_both_sides_of_a_comparison_face_the_same_suite() -> None:
    quick, standard = of(new=[60] * 3, old=[50] * 3), {"new": 40, "old": 45}

    def both(name: str, suite: str) -> Any:
        if suite not in ("quick", "standard"):
            return None
        return quick(name, suite) if suite == "quick" else [record(standard[name], seed) for seed in range(3)]

    def one(name: str, suite: str) -> Any:
        return None if (name, suite) == ("old", "standard") else both(name, suite)

    assert measure(claim(HIGHER), both)["suites"] == ["standard"]
    assert measure(claim(HIGHER), both)["verdict"] == "does not hold here"
    assert measure(claim(HIGHER), one)["suites"] == ["quick"]
    early = Comparison(Quantity("new", eps=0.1, exit=3), Quantity("old", eps=0.1), "higher")
    with pytest.raises(ValueError, match=r"new: worst-case accuracy, ε = 0\.1, exit 3 against .* exit 3 was not measured"):
        measure(claim(early), both)
    with pytest.raises(ValueError, match="no records of both by one of the suites full, standard, quick"):
        measure(claim(HIGHER), lambda name, suite: both(name, suite) if suite == {"new": "quick"}.get(name) else None)


def test_the_ledger_has_one_suite_for_each_data_set(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(set(SUITES)) == len(zoo.datasets())
    assert SUITES[0] == zoo.evaluation_settings()["suite"]
    made = [replace(record(60, seed), suite=SUITES[0]) for seed in range(3)]
    monkeypatch.setattr(zoo, "repeats", lambda name, decoder: made)
    assert zoo_records("latency", SUITES[0]) == zoo_records("ann-binary", SUITES[0]) == made
    assert zoo_records("latency", "quick") is zoo_records("latency", "adaptive") is None
    mixed = claim(Comparison(Quantity("latency", eps=0.1), Quantity("cifar10/latency", eps=0.1), "higher"))
    with pytest.raises(ValueError, match=r"latency: .* against cifar10/latency: .* no records of both"):
        measure(mixed)


def test_a_random_choice_is_the_line_between_its_parts() -> None:
    def at(clean: int, robust: int) -> Record:
        return replace(record(robust, n=100), correct={"worst": [[100, 100], [clean, robust]]})

    parts = {"fragile": at(96, 10), "robust": at(92, 50)}
    coin = Quantity("fused", "coin", eps=0.1, parts=("fragile", "robust"))
    assert [coin.of(at(90, r), parts) for r in (5, 10, 30, 50, 70)] == pytest.approx([0.96, 0.96, 0.94, 0.92, 0.92])
    assert coin.models == ["fused", "fragile", "robust"]
    assert coin.words.startswith("fused: clean accuracy of a random choice between fragile and robust that is as robust")
    with pytest.raises(ValueError, match="needs the records of robust"):
        coin.of(at(90, 30), {"fragile": at(96, 10)})
    with pytest.raises(ValueError, match="'coin' needs two parts"):
        Quantity("fused", "coin", eps=0.1)
    with pytest.raises(ValueError, match="every other kind none"):
        Quantity("fused", parts=("fragile", "robust"))


def test_a_random_choice_is_measured_seed_by_seed() -> None:
    beside = Comparison(Quantity("new"), Quantity("new", "coin", eps=0.1, parts=("a", "b")), "higher")
    found = measure(claim(beside), of(new=[60, 60], a=[20, 40], b=[80, 70]))
    assert found["comparisons"][0]["old"]["values"] == [1.0, 1.0]  # all are right on clean digits
    assert set(found["hashes"]) == {"new (quick)", "a (quick)", "b (quick)"}


def test_verdicts_are_shown_with_the_number_of_comparisons_of_each_outcome() -> None:
    lower = Comparison(Quantity("new", eps=0.1), Quantity("old", eps=0.1), "lower")
    clean = Comparison(Quantity("new"), Quantity("old"), "higher", headline=True)
    found = measure(claim(HIGHER, lower, clean), of(new=[60] * 3, old=[50] * 3))
    assert fractions(found) == {"as claimed": 1, "undecided": 1, "against": 1}
    head = {"id": "toy", "statement": "s", "source": "this book", "where": "w", "limits": "l", "superseded": []}
    shown = {"toy": {**head, "stated_before": True, "measured": {**found, "date": "2026-01-01"}}}
    words = "1 of 3 as claimed, 1 undecided, 1 against"
    html = page(shown).html
    assert all(words in text for text in (html, table(shown), details(shown["toy"]), summary(shown)))
    assert f'role="img" aria-label="{words}"' in html
    assert re.findall(r'claims-([a-z-]+)" style="flex-grow: (\d+)"', html) == [
        ("as-claimed", "1"),
        ("undecided", "1"),
        ("against", "1"),
    ]
    assert "Headline comparison.</b> ○ new: accuracy on clean digits" in html
    assert "Stated before its models were measured." in html


def test_what_is_held_fixed_is_said_once() -> None:
    whole = table(RECORDS).replace("\n", " "), page(RECORDS).html.replace("&#39;", "'")
    assert [text.count(HELD_FIXED) for text in whole] == [1, 1]


def test_a_claim_has_one_headline_at_most() -> None:
    twice = [Comparison(HIGHER.new, HIGHER.old, "higher", headline=True)] * 2
    with pytest.raises(ValueError, match="claim 'toy' has 2 headlines"):
        claim(*twice)
    of_paper = [c for c in definitions().values() if c.source != "this book"]
    assert all(sum(comparison.headline for comparison in c.comparisons) == 1 for c in of_paper)


def test_every_claim_can_be_measured_by_the_evaluation_of_the_zoo() -> None:
    """Its models exist, and its ε are those that all are measured at."""
    grid, known = zoo.evaluation_settings()["eps"], {*zoo.names(), *zoo.names("controls", "certified")}
    for found in definitions().values():
        for side in (side for comparison in found.comparisons for side in (comparison.new, comparison.old)):
            if "/" not in side.model:  # of another data set, with a grid of its own
                assert set(side.models) <= known, found.id
                assert side.eps in grid, found.id


def test_a_budget_on_time_is_read_from_the_records_of_retiming() -> None:
    worst, chance = (Quantity("latency", kind="retimed", budget="shift 2", attack=attack) for attack in ("worst", "noise"))
    first = zoo.results("latency")
    assert worst.of(first) == retiming("latency")[0]["worst"].accuracy("shift", 2).mean < chance.of(first)
    assert worst.n(first) == retiming("latency")[0]["worst"].n
    assert (worst.lower_end(first), worst.is_upper_end, chance.is_upper_end) == (None, True, False)
    assert worst.words == "latency: worst-case accuracy, spikes moved in time (B∞ 2 steps)"
    assert chance.words == "latency: accuracy, spikes moved at random (B∞ 2 steps)"
    early = Quantity("latency", kind="retimed", budget="shift 1", exit=4)
    assert early.of(first) == retiming("latency")[0]["exit 4"].accuracy("shift", 1).mean
    with pytest.raises(ValueError, match="a budget on time belongs to kind 'retimed'"):
        Quantity("latency", kind="retimed")
    with pytest.raises(ValueError, match="was not measured"):
        Quantity("latency", kind="retimed", budget="shift 1", exit=5).of(first)


def test_claims_that_cannot_be_measured_do_not_stop_the_others(tmp_path: Path) -> None:
    absent = Claim("absent", "s", "this book", "w", "l", (Comparison(Quantity("moon"), Quantity("old"), "higher"),))

    def records(name: str, suite: str) -> Any:
        if name == "moon":
            raise ValueError("moon.json is missing")
        return of(new=[60] * 3, old=[50] * 3)(name, suite)

    with pytest.raises(ValueError, match=r"1 of 2 claims were not measured\. absent: moon\.json is missing"):
        build(folder=tmp_path, claims=[absent, claim(HIGHER)], records=records)
    assert [path.name for path in tmp_path.iterdir()] == ["toy.json"]


def test_a_claim_without_a_record_is_left_out_unless_it_is_asked_for(tmp_path: Path) -> None:
    known = next(iter(RECORDS))
    (tmp_path / f"{known}.json").write_text(json.dumps(RECORDS[known]))
    assert list(ledger(tmp_path)) == [known]
    with pytest.raises(ValueError, match="not measured yet: paper-figure; run 'snnlab claims build'"):
        ledger(tmp_path, ["paper-figure"])


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
    assert [old["verdict"] for old in found["superseded"]] == ["does not hold here", "holds"]
    assert {old["reason"] for old in found["superseded"]} == {"measured again"}
    before = "superseded: holds (1 of 1 as claimed, 0 undecided, 0 against), measured on 2026-01-01: measured again"
    assert before in details(found)
    shown = "Superseded: holds (1 of 1 as claimed, 0 undecided, 0 against), measured on 2026-01-01. Reason: measured again"
    assert shown in page({"toy": found}).html


def test_another_order_or_headline_supersedes_nothing(tmp_path: Path) -> None:
    clean = Comparison(Quantity("new"), Quantity("old"), "higher")
    headline = Comparison(HIGHER.new, HIGHER.old, "higher", headline=True)
    for comparisons in ((clean, HIGHER), (headline, clean)):
        build(folder=tmp_path, claims=[claim(*comparisons)], records=of(new=[60] * 3, old=[50] * 3))
    found = json.loads((tmp_path / "toy.json").read_text())
    assert found["superseded"] == []
    assert found["measured"]["comparisons"][0]["headline"] is True


def test_a_reason_can_be_given(tmp_path: Path) -> None:
    for correct in (60, 40):
        records = of(new=[correct] * 3, old=[50] * 3)
        build(folder=tmp_path, claims=[claim(HIGHER)], records=records, reason="the weights were lost")
    (old,) = json.loads((tmp_path / "toy.json").read_text())["superseded"]
    assert old["reason"] == "the weights were lost"


def test_the_same_finding_from_new_weights_supersedes_nothing_but_is_dated_anew(tmp_path: Path) -> None:
    old_records = of(new=[60] * 3, old=[50] * 3)

    def new_records(name: str, suite: str) -> Any:
        found = old_records(name, suite)
        return found and [replace(r, weights_sha256="d" * 64) for r in found]

    for day, records in ((1, old_records), (2, new_records)):
        build(folder=tmp_path, claims=[claim(HIGHER)], records=records, today=f"2026-01-0{day}")
    found = json.loads((tmp_path / "toy.json").read_text())
    assert (found["superseded"], found["measured"]["date"]) == ([], "2026-01-02")
    assert "d" * 16 in json.dumps(found["measured"]["hashes"])


def test_quantities_read_what_they_say() -> None:
    found = zoo.results("latency")
    assert Quantity("latency", eps=0.2, exit="window").exit_step(found) == 6  # floor(.8 · 8)
    late = Quantity("latency", kind="late", attack="pgd", from_step=4, exit=4)
    assert late.of(found) == found.late["pgd"].correct[2][3] / 250
    assert late.n(found) == 250
    assert Quantity("latency", kind="energy", exit=5).of(found) == found.energy_pj[4] / 1000
    assert Quantity("ann", kind="energy", times=0.5).of(Record(n=1, energy_pj=[8000.0])) == 4
    gated = Quantity("fusion", kind="gate", part="latency")
    assert gated.of(Record(n=1, encoding="fusion(0.25*direct, 2*latency)")) == 2


def test_fixed_exits_are_interpolated_at_the_steps_a_rule_reads() -> None:
    dynamic = DynamicExits([{"name": "margin", "threshold": 2.0}], {"0.1": [50]}, mean_exit=[7.25], energy_pj=[1.0])
    own = replace(record(60, n=100), dynamic=dynamic)
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
    assert parser.folds == len(RECORDS)
    assert parser.text.count("Superseded: ") == sum(len(r["superseded"]) for r in RECORDS.values())
    for found in RECORDS.values():
        assert found["statement"] in parser.text
        assert found["limits"] in parser.text
        for sentences in found["measured"]["flags"].values():
            assert all(sentence in parser.text for sentence in sentences)


@given(st.floats(-1, 1), st.floats(0, 0.5), st.floats(0.02, 0.3), st.sampled_from(EXPECTED))
def test_the_forest_plot_puts_an_interval_on_the_side_that_its_outcome_names(
    mean: float, half: float, margin: float, expect: str
) -> None:
    change = Change(mean, mean - half, mean + half, seeds=3)
    outcome = Comparison(Quantity("a"), Quantity("b"), expect, margin).outcome(change)
    ends = {"low": change.low, "mean": change.mean, "high": change.high}
    low, middle, high = beyond({"expect": expect, "margin": margin, "change": ends, "old": {"mean": 0.5}})
    assert low <= middle <= high
    assert (outcome == "as claimed") == (low > 0)
    assert (outcome == "against the claim") == (high < 0)


def test_every_row_of_the_forest_plot_leads_to_a_card_and_every_card_to_its_chapter() -> None:
    row = r'<li data-verdict="([^"]+)" data-chapter="([^"]+)">\s*<p>.(?: \(headline .\))? <a href="#claim-([^"]+)">'
    rows = re.findall(row, forest(RECORDS).html)
    cards = re.findall(r'<article id="claim-([^"]+)" .*data-verdict="([^"]+)" data-chapter="([^"]+)"', page(RECORDS).html)
    assert [(name, verdict, where) for verdict, where, name in rows] == cards
    for name, said, where in cards:
        assert RECORDS[name]["measured"]["verdict"] == said
        assert f'href="{where}.html#claims-of-this-chapter"' in page({name: RECORDS[name]}).html
        assert f'href="claims.html#claim-{name}"' in links(RECORDS, chapter(RECORDS[name])).html


def test_every_claim_belongs_to_a_chapter_and_every_filter_to_a_claim() -> None:
    assert {chapter({"id": c.id, "where": c.where}) for c in definitions().values()} == set(CHAPTERS)


def test_attacks_are_listed_once_and_not_in_each_card() -> None:
    whole = max(RECORDS["onset-latency-robust"]["measured"]["attacks"].values(), key=len)
    assert forest(RECORDS).html.count(whole) == 1
    assert whole not in page(RECORDS).html


def test_the_table_has_every_claim_with_its_verdict() -> None:
    text = table(RECORDS)
    for name, found in RECORDS.items():
        assert re.search(rf"{re.escape(found['measured']['verdict'])}\s+{name}", text)


def test_what_is_superseded_is_known_by_the_hash_of_the_whole(tmp_path: Path) -> None:
    """Whoever has the earlier file, from git, can see that it is the one that is meant."""
    for day, correct in ((1, 60), (2, 40)):
        records = of(new=[correct] * 3, old=[50] * 3)
        build(folder=tmp_path, claims=[claim(HIGHER)], records=records, today=f"2026-01-0{day}")
        if day == 1:
            earlier = json.loads((tmp_path / "toy.json").read_text())["measured"]
    (old,) = json.loads((tmp_path / "toy.json").read_text())["superseded"]
    assert old == summarised(earlier, "measured again")
    assert old["outcomes"] == {"as claimed": 1, "not told apart": 0, "against the claim": 0}
    assert summarised(earlier | {"n": [99]}, "")["sha256"] != old["sha256"]


@pytest.mark.parametrize(("old", "new", "formed"), [(30, 80, True), (30, 40, True), (10, 90, False), (60, 90, True)])
def test_a_factor_is_judged_only_where_it_can_be_formed(old: int, new: int, formed: bool) -> None:
    """Ten of a hundred are no more than guessing. Twice sixty is more than there are digits: that refutes a claim."""
    twice = Comparison(Quantity("new", eps=0.1), Quantity("old", eps=0.1, times=2.0), "higher")

    def records(name: str, suite: str) -> list[Record]:
        counts = {"old": old, "new": new}
        return [replace(record(counts[name], seed), diagnostics={"chance": 0.1}) for seed in range(3)]

    row = measure(claim(twice), records)["comparisons"][0]
    assert row.get("no_factor", False) != formed
    assert (row["outcome"] == "not told apart") != formed
    assert row["change"]["mean"] == pytest.approx((new - 2 * old) / 100)
