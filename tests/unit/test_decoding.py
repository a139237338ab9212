"""Read-out rules worked by hand, silence, ties."""

import pytest
import torch

from snnlab.networks.decoding import SILENT, check_exit_step, logits_at_every_exit, predictions

# T = 3, one sample, two classes: class 1 fires at t = 0, class 0 at t = 1 and t = 2
SPIKES = torch.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]]).unsqueeze(1)
MEMBRANE = torch.tensor([[0.2, 1.1], [1.3, 0.1], [1.2, 0.4]]).unsqueeze(1)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("rate", [[0, 1], [1, 1], [2, 1]]),
        ("membrane", [[0.2, 1.1], [1.5, 1.2], [2.7, 1.6]]),
        ("ttfs", [[0, 3], [2, 3], [2, 3]]),
    ],
)
def test_rules_by_hand(rule: str, expected: list[list[float]]) -> None:
    found = logits_at_every_exit(SPIKES, MEMBRANE, rule).squeeze(1)
    assert torch.allclose(found, torch.tensor(expected, dtype=torch.float32))


def test_ties_go_to_the_higher_potential() -> None:
    logits = logits_at_every_exit(SPIKES, MEMBRANE, "rate")
    assert predictions(logits, MEMBRANE).flatten().tolist() == [1, 0, 0]


@pytest.mark.parametrize("rule", ["rate", "ttfs"])
def test_silent_output_is_not_class_zero(rule: str) -> None:
    nothing = torch.zeros(4, 3, 10)
    assert (predictions(logits_at_every_exit(nothing, nothing, rule), nothing) == SILENT).all()


def test_the_gradient_of_ttfs_is_what_one_spike_more_or_less_does() -> None:
    """Class 0 fires in steps 1 and 2: one at 0 gains a step, without its first it would wait for the second."""
    spikes = SPIKES.clone().requires_grad_()
    logits_at_every_exit(spikes, MEMBRANE, "ttfs")[-1].sum().backward()  # type: ignore[no-untyped-call]
    assert spikes.grad is not None
    assert spikes.grad.squeeze(1).tolist() == [[1, 3], [1, 0], [0, 0]]


def test_ttfs_shows_an_attacker_how_to_make_a_silent_neuron_fire() -> None:
    spikes = torch.zeros(4, 1, 1, requires_grad=True)
    logits_at_every_exit(spikes, torch.zeros(4, 1, 1), "ttfs")[-1].sum().backward()  # type: ignore[no-untyped-call]
    assert spikes.grad is not None
    assert spikes.grad.flatten().tolist() == [4, 3, 2, 1]


def test_bad_input_says_what_is_valid() -> None:
    with pytest.raises(ValueError, match="choose one of rate, membrane, ttfs"):
        logits_at_every_exit(SPIKES, MEMBRANE, "mode")
    with pytest.raises(ValueError, match=r"\[T, N, K\]"):
        logits_at_every_exit(SPIKES, MEMBRANE[:2], "rate")
    assert check_exit_step(None, 8) == 8
