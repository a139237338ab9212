"""The committed records of retiming: of the present weights at every seed, in order, and what the chapter says of them."""

import pytest

from snnlab import zoo
from snnlab.evaluation.retiming import LEVELS
from snnlab.zoo.retiming import RETIMING, retimed, retiming

NAMES = RETIMING.models("mnist5k")


@pytest.mark.parametrize("name", NAMES)
def test_a_larger_budget_on_time_leaves_fewer_digits(name: str) -> None:
    for seed, found in zip(zoo.seeds(), retiming(name), strict=True):
        record = RETIMING.record(name, seed=seed)
        assert record["weights_sha256"] == zoo.card(name, seed=seed)["weights_sha256"]
        assert {kind: tuple(of) for kind, of in found["worst"].severities.items()} == LEVELS
        of = found["worst"].correct
        more = [g[0] - w[0] for kind in of for g, w in zip(found["gradient"].correct[kind], of[kind], strict=True)]
        assert max(more) <= 1  # digits that the search without gradients broke beside the gradient
        for kind in LEVELS:
            counts = [found["worst"].clean, *(row[0] for row in found["worst"].correct[kind])]
            assert counts == sorted(counts, reverse=True)


def test_what_the_chapter_says_of_retiming() -> None:
    def left(name: str, budget: str, part: str = "worst") -> float:
        return retimed(name, budget, part).mean

    assert all(left(name, "shift 2", "noise") > 0.85 for name in NAMES)
    assert left("phase", "shift 1") < 0.2 < 0.7 < left("latency", "shift 1")
    assert left("latency", "moved 40") < 0.15
    assert min(left(name, "shift 4") for name in ("onset", "offset", "poisson", "fusion")) > 0.75
    assert left("fgsm-latency", "shift 2") < left("latency", "shift 2")
    assert all(left(name, "shift 2", "exit 4") <= left(name, "shift 2") for name in ("latency", "onset"))
