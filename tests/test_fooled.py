"""The story of the first edition: every number in it comes from a record, and a stronger suite finds no network stronger."""

import re

from snnlab import zoo
from snnlab.records import accuracy_of
from snnlab.teach import fooled


def test_every_network_that_is_measured_again_is_told_with_both_numbers() -> None:
    told = fooled.pairs()
    assert {p.model for p in told} == set(zoo.names())
    for pair in told:
        record = zoo.results(pair.model)
        assert pair.now / pair.n == accuracy_of(record, "worst", None, pair.eps)
        assert fooled._printed()[pair.model]["n"] == pair.n == record["n"]
    assert [p.fell for p in told] == sorted((p.fell for p in told), reverse=True)


def test_the_new_suite_leaves_no_network_clearly_more_than_the_old_one_did() -> None:
    for pair in fooled.pairs():
        assert pair.fell >= -0.02, pair


def test_the_finding_counts_what_fell_and_names_the_largest_fall() -> None:
    told, said = fooled.pairs(), fooled.finding()
    clearly = sum(pair.fell > 0.02 for pair in told)
    assert re.search(rf"Of {len(told)} worst cases that were measured again, {clearly} fell", said)
    assert f"`{told[0].model}` at ε = {told[0].eps:g}" in said
