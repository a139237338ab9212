"""The comparison with the first edition: every number comes from a record, and a stronger suite raises no accuracy."""

import re

from analysis import first_edition
from snnlab import zoo


def test_every_network_is_shown_with_its_first_and_its_present_number() -> None:
    pairs = first_edition.pairs()
    assert {p.model for p in pairs} == set(zoo.names())
    for pair in pairs:
        record = zoo.results(pair.model)
        assert pair.now / pair.n == record.accuracy(eps=pair.eps)
        assert first_edition._printed()[pair.model]["n"] == pair.n == record.n
    assert [p.fell for p in pairs] == sorted((p.fell for p in pairs), reverse=True)


def test_the_new_suite_leaves_no_network_clearly_more_than_the_old_one_did() -> None:
    for pair in first_edition.pairs():
        assert pair.fell >= -0.02, pair


def test_the_finding_counts_what_fell_and_names_the_largest_fall() -> None:
    pairs, text = first_edition.pairs(), first_edition.finding()
    clearly = sum(pair.fell > 0.02 for pair in pairs)
    assert re.search(rf"Of {len(pairs)} worst cases that were measured again, {clearly} fell", text)
    assert f"`{pairs[0].model}` at ε = {pairs[0].eps:g}" in text
