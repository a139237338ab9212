"""Five hundred inputs, drawn at random, for the names that readers use most: what holds for every input, right or wrong."""

import json
import string
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from snnlab import MLP, Budget, Classifier, SpikingMLP, attack
from snnlab.attacks import ATTACKERS, NORMS
from snnlab.data import Split
from snnlab.encoding import ENCODINGS, encoder
from snnlab.evaluation.robustness import evaluate
from snnlab.networks.decoding import DECODERS, logits_at_every_exit, predictions
from snnlab.networks.early_exit import ExitRule, exit_steps
from snnlab.networks.sequence import lif
from snnlab.statistics import over_seeds, wilson_interval

FEW = settings(max_examples=50, deadline=None, derandomize=True)
EPS = st.floats(0, 1)
CODES = [*sorted(set(ENCODINGS) - {"fusion"}), "fusion(direct, latency)", "fusion(poisson, 0.5*onset)"]
SEEDS = st.integers(0, 2**32 - 1)


def _refusal(make: Callable[[], object]) -> str | None:
    """The message with which an input is refused, if it is."""
    try:
        make()
    except (TypeError, ValueError) as error:
        return str(error)
    return None


def drawn(seed: int, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def spiking(seed: int, pixels: int, code: str, num_steps: int) -> Classifier:
    network = SpikingMLP((pixels, 5, 3))
    with torch.no_grad():
        for k, layer in enumerate(network.layers):
            layer.weight.copy_(2 * drawn(seed + k, *layer.weight.shape) - 0.7)
            layer.bias.zero_()
    return Classifier(network, encoder(code, num_steps=num_steps)).eval()


@FEW
@given(SEEDS, st.sampled_from(CODES), st.integers(1, 12), st.integers(1, 3), st.integers(1, 7))
def test_a_code_answers_every_image_with_a_finite_sequence_time_first(
    seed: int, name: str, num_steps: int, n: int, side: int
) -> None:
    images = drawn(seed, n, 1, side, side)
    sequence = encoder(name, num_steps=num_steps)(images, generator=torch.Generator().manual_seed(seed))
    assert sequence.shape == (num_steps, n, 2 if name.startswith("fusion") else 1, side, side)
    assert ((sequence >= 0) & (sequence <= 1)).all()


@FEW
@given(st.text(string.printable, max_size=30))
def test_a_name_is_a_code_or_an_error_that_lists_the_codes(name: str) -> None:
    refused = _refusal(lambda: encoder(name))
    assert refused is None or all(known in refused for known in ENCODINGS) or "a code is written as in" in refused


@FEW
@given(SEEDS, EPS, st.sampled_from(sorted(NORMS)), st.integers(1, 30))
def test_whatever_is_projected_lies_in_the_budget_and_stays_there(seed: int, eps: float, norm: str, pixels: int) -> None:
    budget = Budget(round(eps * pixels) if norm == "L0" else eps, norm)
    image = drawn(seed, 2, 1, 1, pixels)
    inside = budget.project(4 * drawn(seed + 1, 2, 1, 1, pixels) - 2, image)
    budget.verify(inside, image)
    torch.testing.assert_close(budget.project(inside, image), inside, atol=1e-5, rtol=0)
    torch.testing.assert_close(budget.project(image, image), image, atol=1e-6, rtol=0)


@FEW
@given(SEEDS, st.floats(0, 0.999), st.floats(0.05, 3), st.integers(1, 9), st.integers(1, 9))
def test_a_neuron_is_causal(seed: int, beta: float, threshold: float, num_steps: int, last: int) -> None:
    current = 4 * drawn(seed, num_steps, 3) - 1
    later = current.clone()
    later[last:] += 1
    for found, changed in zip(
        lif(current, beta=beta, threshold=threshold), lif(later, beta=beta, threshold=threshold), strict=True
    ):
        assert torch.equal(found[:last], changed[:last])


@FEW
@given(SEEDS, st.sampled_from(sorted(DECODERS)), st.integers(1, 9), st.integers(2, 9))
def test_an_exit_reads_what_came_before_it_and_nothing_else(seed: int, decoder: str, num_steps: int, classes: int) -> None:
    spikes = (drawn(seed, num_steps, 4, classes) > 0.6).float()
    potential = 2 * drawn(seed + 1, num_steps, 4, classes) - 1
    whole = predictions(logits_at_every_exit(spikes, potential, decoder), potential)
    assert ((whole >= -1) & (whole < classes)).all()
    spikes[-1], potential[-1] = 1, 0
    assert torch.equal(predictions(logits_at_every_exit(spikes, potential, decoder), potential)[:-1], whole[:-1])


@FEW
@given(SEEDS, st.sampled_from(["margin", "confidence"]), st.floats(0, 1), st.integers(1, 9))
def test_a_stricter_rule_never_leaves_sooner(seed: int, rule: str, threshold: float, num_steps: int) -> None:
    votes = (drawn(seed, num_steps, 6, 4) > 0.6).float().cumsum(0)
    scale = 5 if rule == "margin" else 1
    first = exit_steps(votes, ExitRule(rule, scale * threshold / 2))  # type: ignore[arg-type]
    second = exit_steps(votes, ExitRule(rule, scale * threshold))  # type: ignore[arg-type]
    assert ((first >= 1) & (first <= second) & (second <= num_steps)).all()


@FEW
@given(
    SEEDS,
    EPS,
    st.sampled_from(["onset", "offset", "latency", "direct"]),
    st.sampled_from(["fgsm", "pgd", "noise"]),
    st.sampled_from([seen for seen in ATTACKERS if seen in ("naive", "informed")]),
)
def test_an_attack_stays_in_its_budget_and_leaves_the_network_as_it_was(
    seed: int, eps: float, code: str, method: str, seen: str
) -> None:
    model, images = spiking(seed, 6, code, 4), drawn(seed, 3, 1, 1, 6)
    before = json.dumps({name: value.tolist() for name, value in model.state_dict().items()})
    generator = torch.Generator().manual_seed(seed)
    labels = torch.tensor([0, 1, 2])
    result = attack(model, images, labels, Budget(eps), method, ATTACKERS[seen], steps=3, generator=generator)
    Budget(eps).verify(result.images, images)
    assert json.dumps({name: value.tolist() for name, value in model.state_dict().items()}) == before
    if eps == 0:
        assert torch.equal(result.images, images)


@pytest.mark.slow
@FEW
@given(SEEDS, st.lists(st.integers(1, 100), max_size=2, unique=True))
def test_a_record_counts_at_most_its_samples_and_fewest_in_the_worst_case(seed: int, radii: list[int]) -> None:
    network, split = MLP((6, 5, 3)), Split(drawn(seed, 4, 1, 1, 6), torch.tensor([0, 1, 2, 0]))
    eps = [0.0, *(radius / 100 for radius in sorted(radii))]
    told = evaluate(Classifier(network).eval(), split, eps, seed=seed % 1000, progress=False)
    worst = torch.tensor(told.correct["worst"])
    for name, found in told.correct.items():
        assert ((worst >= 0) & (worst <= torch.tensor(found)) & (torch.tensor(found) <= told.n)).all(), name


@FEW
@given(st.integers(1, 5000), st.floats(0, 1))
def test_an_interval_holds_its_proportion_and_narrows_with_n(n: int, share: float) -> None:
    low, high = wilson_interval(share * n, n)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    wider = wilson_interval(share * n, n)
    narrower = wilson_interval(share * 4 * n, 4 * n)
    assert narrower[1] - narrower[0] < wider[1] - wider[0]


@FEW
@given(
    st.one_of(st.floats(allow_nan=True), st.integers(-3, 3), st.text(max_size=4), st.none()),
    st.one_of(st.sampled_from(sorted(NORMS)), st.text(max_size=4)),
)
def test_a_budget_is_valid_or_refused_with_what_was_given(eps: object, norm: str) -> None:
    refused = _refusal(lambda: Budget(eps, norm))  # type: ignore[arg-type]
    if refused is None:
        assert eps >= 0  # type: ignore[operator]
        assert norm in NORMS
    else:
        assert repr(eps) in refused or repr(norm) in refused


def test_over_seeds_refuses_records_of_nothing() -> None:
    with pytest.raises(ValueError, match="record"):
        over_seeds([], "worst", 1, 0.1)
