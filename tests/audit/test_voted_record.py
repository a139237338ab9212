"""The committed record of random codes that several draws judge."""

from itertools import pairwise

import pytest

from snnlab import zoo
from snnlab.zoo.studies import VOTED


@pytest.mark.parametrize("name", VOTED.models("mnist5k"))
def test_a_vote_is_of_the_present_weights_and_a_larger_budget_leaves_no_more(name: str) -> None:
    record = VOTED.record(name)
    assert record["weights_sha256"] == zoo.card(name)["weights_sha256"]
    assert zoo.load(name).stochastic
    for counts in record["correct"].values():
        assert len(counts) == len(record["eps"])
        assert all(0 <= after <= before <= record["n"] for before, after in pairwise(counts))
