"""AutoAttack beside the suite: the counts belong to the weights of the zoo, and no later attack raises them."""

import pytest

from analysis import yardstick
from snnlab import zoo

RECORD = yardstick._record()


def test_the_counts_are_of_the_networks_in_the_zoo() -> None:
    assert {"ann", "direct", "onset"} <= set(RECORD["networks"])
    for model, measured in RECORD["networks"].items():
        assert measured["weights_sha256"] == zoo.results(model).weights_sha256, (
            f"{model} was trained again: measure it again"
        )


@pytest.mark.parametrize("row", [*yardstick.rows()], ids=lambda row: f"{row.model}-{row.eps:g}")
def test_no_attack_raises_what_is_left(row: yardstick.Row) -> None:
    counts = RECORD["networks"][row.model][f"{row.eps:g}"]
    for stages in (counts["naive"], counts["informed"]):
        assert len(stages) == len(RECORD["stages"])
        assert stages == sorted(stages, reverse=True)
        assert row.n >= stages[0]
    assert row.both <= min(row.autoattack, row.suite)
    assert row.autoattack <= min(counts["naive"][-1], counts["informed"][-1])


def test_table_and_finding_show_every_network_with_n_and_interval() -> None:
    rows, frame = list(yardstick.rows()), yardstick.table()
    assert len(frame) == len(rows)
    assert frame.map(lambda cell: "[" in cell).all().all()
    missed = [row for row in rows if row.both < row.suite]
    assert all(f"`{row.model}` at ε = {row.eps:g}" in yardstick.finding() for row in missed)
    assert f"n = {RECORD['n']}" in yardstick.caption()
