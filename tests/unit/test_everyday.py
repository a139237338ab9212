"""Everyday noise and its measurement."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from snnlab import data, zoo
from snnlab.data import Split
from snnlab.data.corruptions import CORRUPTIONS, SEVERITIES, corrupted
from snnlab.evaluation.everyday import Everyday, under_corruptions, under_faults
from snnlab.networks.classifier import Classifier
from snnlab.networks.faults import FAULTS


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(max_examples=30)
@given(
    st.sampled_from(sorted(CORRUPTIONS)),
    st.integers(1, 5),
    st.sampled_from([(1, 28, 28), (3, 32, 32), (1, 9, 5)]),
    st.integers(0, 99),
)
def test_images_stay_images_and_depend_on_the_generator_alone(
    kind: str, severity: int, shape: tuple[int, ...], seed: int
) -> None:
    images = torch.rand(4, *shape, generator=_generator(seed))
    before = images.clone()
    changed = corrupted(images, kind, severity, _generator(seed))
    assert changed.shape == images.shape
    assert 0 <= changed.min() <= changed.max() <= 1
    assert torch.equal(changed, corrupted(images, kind, severity, _generator(seed)))
    assert torch.equal(images, before)
    assert torch.equal(corrupted(images, kind, 0), images)


@pytest.mark.parametrize("kind", sorted(CORRUPTIONS))
def test_a_higher_severity_changes_more(kind: str) -> None:
    images = data.load("mnist5k").test[:100].images
    changes = [float((corrupted(images, kind, s, _generator()) - images).abs().mean()) for s in SEVERITIES]
    assert changes[0] > 0
    assert changes == sorted(changes)


def test_a_shift_and_a_rotation_move_what_is_there() -> None:
    image = torch.zeros(1, 1, 28, 28)
    image[0, 0, 14, 14] = 1.0
    for seed in range(5):
        moved = corrupted(image, "shift", 3, _generator(seed))
        rows, columns = torch.meshgrid(torch.arange(28.0), torch.arange(28.0), indexing="ij")
        mass = moved.sum()
        way = torch.stack([(moved[0, 0] * axis).sum() / mass - 14 for axis in (rows, columns)])
        assert way.norm() == pytest.approx(3, abs=0.1)
    bar = torch.zeros(1, 1, 28, 28)
    bar[..., 13:15, 4:24] = 1.0
    turned = corrupted(bar, "rotation", 5, _generator())
    assert turned.sum() == pytest.approx(float(bar.sum()), rel=0.05)
    assert turned[0, 0, 13:15].sum() < 0.6 * bar.sum()


def test_noise_has_the_stated_size() -> None:
    grey = torch.full((20, 1, 28, 28), 0.5)
    assert (corrupted(grey, "gaussian_noise", 1, _generator()) - grey).std() == pytest.approx(0.08, rel=0.05)
    assert corrupted(grey, "shot_noise", 1, _generator()).var() == pytest.approx(0.5 / 60, rel=0.1)
    impulses = corrupted(grey, "impulse_noise", 5, _generator())
    assert (impulses != 0.5).float().mean() == pytest.approx(0.27, abs=0.02)
    assert set(impulses.unique().tolist()) == {0.0, 0.5, 1.0}
    assert torch.allclose(corrupted(grey, "blur", 5), grey)
    assert (corrupted(torch.zeros(3, 1, 28, 28), "occlusion", 1, _generator()) == 0.5).sum() == 3 * 16


@pytest.mark.parametrize(
    ("kind", "severity", "words"),
    [("fog", 1, "choose one of gaussian_noise"), ("blur", 6, "got 6"), ("blur", 0.5, "got 0.5")],
)
def test_strange_corruptions_are_named(kind: str, severity: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        corrupted(torch.zeros(1, 1, 4, 4), kind, severity)
    with pytest.raises(ValueError, match=r"lie in \[0, 1\]"):
        corrupted(torch.full((1, 1, 4, 4), 2.0), "blur", 1)


def test_counts_are_those_of_a_loop_by_hand(few: Split) -> None:
    model = zoo.load("latency")
    found = under_corruptions(model, few, ["blur", "impulse_noise"], draws=2, seed=3)
    assert found.correct["blur"][4][0] == found.correct["blur"][4][1]  # nothing random in it
    images = corrupted(few.images, "impulse_noise", 2, _generator(3001))
    assert found.correct["impulse_noise"][1][1] == int((model.predict(images)[-1] == few.labels).sum())
    assert found.clean == int((model.predict(few.images)[-1] == few.labels).sum())
    assert Everyday.of(found.plain()) == found
    assert found.mean("blur", "impulse_noise") == pytest.approx(found.mean())
    assert "impulse_noise" in str(found)


@pytest.mark.parametrize("name", ["onset", "poisson", "ann"])
def test_a_network_of_any_kind_is_measured_and_left_alone(name: str, few: Split) -> None:
    model = zoo.load(name)
    weights = {key: value.clone() for key, value in model.state_dict().items()}
    kinds = tuple(FAULTS) if name != "ann" else ("weight", "flipped_bits", "fewer_bits")
    found = under_faults(model, few, kinds, draws=2)
    assert set(found.correct) == set(kinds)
    assert found == under_faults(model, few, kinds, draws=2)
    assert all(torch.equal(weights[key], value) for key, value in model.state_dict().items())
    assert all(0 <= right <= len(few) for of_kind in found.correct.values() for draws in of_kind for right in draws)


def test_an_ann_without_spikes_and_a_network_as_a_stranger_wrote_it(few: Split) -> None:
    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    assert under_faults(net, few, ["weight"], draws=1).n == len(few)
    with pytest.raises(ValueError, match="the network has none"):
        under_faults(net, few, ["lost"], draws=1)
    with pytest.raises(ValueError, match="unknown fault"):
        under_faults(Classifier(net), few, {"rust": [0.1]}, draws=1)
    with pytest.raises(ValueError, match="at least one draw"):
        under_corruptions(net, few, draws=0)
