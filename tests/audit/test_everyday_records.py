"""The committed records of faults and everyday noise: complete, of the present weights, and what the chapter says of them."""

import pytest
from scipy.stats import spearmanr

from snnlab import zoo
from snnlab.data.corruptions import CORRUPTIONS
from snnlab.networks.faults import FAULTS, OF_WEIGHTS
from snnlab.statistics import over_seeds
from snnlab.zoo.everyday import EVERYDAY, everyday

NAMES = EVERYDAY.models("mnist5k")


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_has_every_kind_and_the_clean_accuracy_of_the_suite(name: str) -> None:
    found = everyday(name)
    assert len(found) == len(zoo.seeds())
    for seed, of_seed in zip(zoo.seeds(), found, strict=True):
        assert EVERYDAY.record(name, seed=seed)["weights_sha256"] == zoo.card(name, seed)["weights_sha256"]
        assert set(of_seed["noise"].correct) == set(CORRUPTIONS)
        assert set(of_seed["faults"].correct) == set(FAULTS if zoo.recipe(name).coded else OF_WEIGHTS)
        clean = zoo.results(name, seed).count()
        for part in of_seed.values():
            assert part.n == zoo.evaluation_settings()["samples"]
            assert abs(part.clean - clean) <= (10 if zoo.recipe(name).stochastic else 0)  # other draws of a random code


def test_codes_differ_under_brightness_and_are_alike_under_a_shift_as_the_chapter_says() -> None:
    def spread(kind: str) -> float:
        means = [sum(of_seed["noise"].mean(kind) for of_seed in everyday(name)) / 3 for name in zoo.names("codes")]
        return max(means) - min(means)

    assert spread("shift") < 0.06
    assert spread("rotation") < 0.1
    assert spread("occlusion") < 0.15
    assert min(spread("brightness"), spread("contrast")) > 0.4


def test_orders_agree_for_everyday_noise_and_not_for_faults_as_the_chapter_says() -> None:
    def rank(part: str, *kinds: str) -> float:
        names = [name for name in NAMES if set(kinds) <= set(everyday(name)[0][part].correct)]
        found = [sum(of_seed[part].mean(*kinds) for of_seed in everyday(name)) for name in names]
        worst = [over_seeds(zoo.repeats(name), "worst", None, 0.1).mean for name in names]
        return float(spearmanr(found, worst).statistic)

    assert rank("noise") > 0.7
    assert rank("faults", *OF_WEIGHTS) < 0.3
    assert rank("faults", *(kind for kind in FAULTS if kind not in OF_WEIGHTS)) < 0.3


def test_noise_separates_networks_less_than_an_attacker_does() -> None:
    noise = [sum(of_seed["noise"].mean() for of_seed in everyday(name)) / 3 for name in NAMES]
    worst = [over_seeds(zoo.repeats(name), "worst", None, 0.1).mean for name in NAMES]
    assert max(noise) - min(noise) < 0.5 * (max(worst) - min(worst))


def test_one_stuck_neuron_costs_more_than_one_dead() -> None:
    for name in (name for name in NAMES if zoo.recipe(name).coded):
        for of_seed in everyday(name):
            stuck, dead = (of_seed["faults"].accuracy(kind, 0.1).mean for kind in ("stuck", "dead"))
            assert stuck <= dead + 0.01, name
