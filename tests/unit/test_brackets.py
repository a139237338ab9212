"""A robust accuracy has two ends: what is proved, or the words that nothing is, beside what attacks leave."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snnlab import zoo
from snnlab.claims import Comparison, Quantity, verdict
from snnlab.claims.definitions import EXPECTED, OUTCOMES
from snnlab.plotting import figures
from snnlab.statistics import NO_BOUND, Change, Estimate, Record, lower_ends_line, over_seeds, seed_summary, small_print

EPS = [0.0, 0.1]


def record(left: int, proved: int | None, seed: int = 0, n: int = 100) -> Record:
    """A record whose last of two exits keeps ``left`` of ``n`` at ε = 0.1, of which ``proved`` are safe."""
    attacks = {"proved": "interval bounds"}
    about = {"n": n, "eps": EPS, "num_steps": 8, "seed": seed}
    known = Record(exits=[4, 8], correct={"proved": [[n, 0], [n, proved or 0]]}, attacks=attacks, **about)
    counts = {"worst": [[n, left], [n, left]], "noise": [[n, n], [n, n]]}
    return Record(
        exits=[4, 8],
        correct=counts,
        attacks={"noise": "noise", "worst": "all"},
        energy_pj=[1.0] * 8,
        proofs=None if proved is None else known,
        **about,
    )


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), min_size=1, max_size=4))
def test_the_lower_end_is_that_of_the_same_seeds_and_lies_below_the_upper(pairs: list[tuple[int, int]]) -> None:
    records = [record(max(pair), min(pair), seed) for seed, pair in enumerate(pairs)]
    end = over_seeds(records, "worst", None, 0.1)
    assert end.proved == pytest.approx(sum(min(pair) for pair in pairs) / len(pairs) / 100)
    assert end.proved <= end.mean + 1e-12
    unknown = over_seeds([*records, record(50, None, 9)], "worst", None, 0.1)
    assert unknown.attacked
    assert unknown.proved is None  # a mean over other seeds would not lie below


def test_a_worst_case_is_written_as_a_bracket_and_nothing_else_is() -> None:
    known, unknown = [record(90, 85)], [record(90, None)]
    assert str(over_seeds(known, "worst", None, 0.1)).startswith("0.850 – 0.900 [")
    assert str(over_seeds(unknown, "worst", None, 0.1)).startswith(f"{NO_BOUND} – 0.900 [")
    for exact in (over_seeds(known), over_seeds(known, "noise", None, 0.1), Estimate(0.5, 0.4, 0.6, 9, 1)):
        assert "–" not in str(exact)


def test_proofs_of_other_samples_exits_or_budgets_are_no_lower_end() -> None:
    assert record(90, 85).proved(None, 0.1) == 85
    assert record(90, 85).proved(5, 0.1) is None
    assert record(90, 85).proved(None, 0.2) is None
    assert Record(n=50, eps=EPS, exits=[8], num_steps=8, proofs=record(90, 85).proofs).proved(8, 0.1) is None


def test_every_worst_case_of_a_table_has_its_lower_end_and_the_small_print_says_how_it_is_known() -> None:
    repeats = {"proved": [record(90, 85)], "unknown": [record(60, None)]}
    table = seed_summary(repeats, [("clean", "worst", 0.0), ("noise", "noise", 0.1), ("worst case", "worst", 0.1)])
    assert [cell.split(" – ")[0] for cell in table["worst case"]] == ["0.850", NO_BOUND]
    assert not any("–" in cell for cell in (*table["clean"], *table["noise"]))
    said = small_print(repeats)
    assert "interval bounds" in said
    assert "No bound known: `unknown`" in said


@pytest.mark.parametrize(
    "draw",
    [
        figures.seed_curves,
        lambda repeats: figures.rule_curves({"onset": repeats}),
        lambda repeats: figures.exit_curves(repeats, 0.1),
        lambda repeats: figures.energy_curves(repeats, 0.1),
        lambda repeats: figures.plane(repeats, 0.1),
        lambda repeats: figures.staircase(repeats, 0.1),
        lambda repeats: figures.attacked_sets(repeats, {"clean": ("worst", 0.0), "attacked": ("worst", 0.1)}),
        lambda repeats: figures.sweeps({"T": {"onset": dict(enumerate(repeats.values(), 1))}}, [0.1]),
    ],
)
def test_every_figure_of_worst_cases_says_their_lower_ends(draw) -> None:  # type: ignore[no-untyped-def]
    caption = draw({"onset": [record(90, 85)], "poisson": [record(60, None)]}).caption
    assert "Lower ends (proved) at ε = 0.1" in caption
    assert ": 0.85 (" in caption
    assert "No bound known" in caption


def test_a_figure_of_single_attacks_or_clean_digits_has_no_lower_ends() -> None:
    repeats = {"onset": [record(90, 85)]}
    assert "Lower ends" not in figures.seed_curves(repeats, "noise").caption
    assert "Lower ends" not in figures.energy_curves(repeats).caption
    assert lower_ends_line(repeats, [(None, 0.0)]) == ""


def test_results_of_the_zoo_have_the_proofs_of_the_same_weights() -> None:
    onset, poisson = zoo.results("onset"), zoo.results("poisson")
    assert onset.proved(None, 0.05) is not None
    assert poisson.proofs is None
    assert "proofs" not in onset.plain()


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from(EXPECTED))
def test_what_is_proved_is_as_claimed_for_every_attack(a: float, b: float, c: float, d: float, expect: str) -> None:
    (new_low, new), (old_low, old) = sorted((a, b)), sorted((c, d))
    comparison = Comparison(Quantity("new", eps=0.1), Quantity("old", eps=0.1), expect, margin=0.05)
    lowest, highest = (Change(value, value - 0.01, value + 0.01, 3) for value in (new_low - old, new - old_low))
    if comparison.proved(lowest, highest):
        for share in (0.0, 0.3, 1.0):  # wherever the truth lies between the ends
            change = lowest.mean + share * (highest.mean - lowest.mean)
            assert comparison.outcome(Change(change, change - 0.01, change + 0.01, 3)) == OUTCOMES[0]
    assert not (comparison.proved(None, highest) and expect in ("higher", "not lower"))


def test_a_claim_is_proved_only_if_it_holds() -> None:
    yes, open_, no = OUTCOMES
    assert verdict([yes, yes], proved=True) == "holds (proved)"
    assert verdict([yes, open_], proved=True) == "holds in part"
    assert verdict([no], proved=True) == "does not hold here"


def test_a_quantity_that_attacks_find_from_above_has_a_lower_end_and_exact_ones_are_their_own() -> None:
    known, unknown = record(90, 85), record(90, None)
    robust = Quantity("new", eps=0.1, times=2.0)
    assert (robust.is_upper_end, robust.lower_end(known), robust.lower_end(unknown)) == (True, pytest.approx(1.7), None)
    for exact in (Quantity("new"), Quantity("new", attack="noise", eps=0.1), Quantity(kind="value", value=0.3)):
        assert not exact.is_upper_end
        assert exact.lower_end(unknown) == exact.of(unknown)
    assert Quantity("new", kind="silenced", eps=0.1).is_upper_end
