"""The committed proofs: below every attack, and of the present weights and settings."""

from itertools import pairwise

import pytest

from snnlab import zoo
from snnlab.statistics import Record
from snnlab.zoo.proofs import PROOFS, bracket, has_proofs, proofs
from snnlab.zoo.storage import path_of

NAMES = PROOFS.models("mnist5k")
RECORDS = [
    (name, seed)
    for name in NAMES
    for seed in zoo.seeds()
    if path_of(zoo.recipe(name).at_seed(seed), PROOFS.file, zoo.MODELS).exists()
]


def test_every_model_of_the_list_has_proofs_at_the_first_seed() -> None:
    trained = [name for name in NAMES if zoo.measured(name) or path_of(zoo.recipe(name), "card.json", zoo.MODELS).exists()]
    assert {"onset", "ann", "certified-onset"} <= set(trained)
    assert [name for name in trained if not has_proofs(name)] == []
    assert not has_proofs("poisson")


@pytest.mark.parametrize(("name", "seed"), RECORDS)
def test_no_attack_of_the_suite_contradicts_a_proof(name: str, seed: int) -> None:
    if seed not in zoo.measured(name):
        return  # proved, but not attacked: there is no upper end to compare
    proved, attacked = proofs(name, seed), zoo.results(name, seed)
    assert (proved.n, proved.split, proved.data_sha256) == (attacked.n, attacked.split, attacked.data_sha256)
    for exit_step in attacked.exits:
        for eps in attacked.eps:
            assert proved.count("proved", exit_step, eps) <= attacked.count("worst", exit_step, eps)


@pytest.mark.parametrize(("name", "seed"), RECORDS)
def test_proofs_are_of_the_present_weights_and_a_larger_budget_proves_no_more(name: str, seed: int) -> None:
    of, record = zoo.recipe(name).at_seed(seed), proofs(name, seed)
    assert record.seed == seed
    if of.stored:
        assert record.weights_sha256 == zoo.card(name, seed)["weights_sha256"]
    else:
        assert record.recipe_sha256 == of.sha256
    for counts in record.correct["proved"]:
        assert all(after <= before for before, after in pairwise(counts))


def test_a_bracket_has_its_lower_end_below_its_upper() -> None:
    for name in (name for name in NAMES if has_proofs(name)):
        known = bracket(name, 0.1)
        assert known.low is not None
        assert known.high is None or 0 <= known.low.mean <= known.high.mean <= 1
        assert isinstance(proofs(name), Record)
    assert str(bracket("poisson", 0.1)).startswith("no bound known – ")
