"""Saved classifiers: they come back with equal answers, and other files and networks are named."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from snnlab.data import Split
from snnlab.encoding import encoder, register_code
from snnlab.networks import Surrogate, load, save
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.training.bptt import initialise


def trained(code: str | None, **options: object) -> Classifier:
    if code is None:
        network: torch.nn.Module = MLP((784, 10))
        classifier = Classifier(network)
    else:
        encoding = encoder(code, num_steps=6, backward="relaxed", slope=7.0)
        network = SpikingMLP((784 * encoding.channel_factor, 20, 10), beta=0.8, surrogate=Surrogate("fast_sigmoid", 25))
        classifier = Classifier(network, encoding, **options)  # type: ignore[arg-type]
    initialise(network, seed=3)
    return classifier.eval()


def untrained(classifier: Classifier) -> torch.nn.Module:
    network = classifier.network
    if isinstance(network, SpikingMLP):
        return SpikingMLP(network.sizes, surrogate=network.surrogate)  # type: ignore[arg-type]
    assert isinstance(network, MLP)
    return MLP(network.sizes)


def gradient(classifier: Classifier, images: Tensor) -> Tensor:
    leaf = images.clone().requires_grad_(True)
    return torch.autograd.grad(classifier(leaf).square().sum(), leaf)[0]


@pytest.mark.parametrize(
    ("code", "options"),
    [
        ("latency", {}),
        ("onset(rounding=up)", {"decoder": "membrane", "exit_step": 4}),
        ("fusion(0.5*direct, latency)", {"decoder": "ttfs", "levels": 256}),
        ("direct", {"eot": 2}),
        (None, {}),
    ],
)
def test_loaded_classifier_answers_and_differentiates_as_the_saved_one(
    code: str | None, options: dict[str, object], few: Split, tmp_path: Path
) -> None:
    before = trained(code, **options)
    after = load(save(before, tmp_path / "folder" / "mine.safetensors"), untrained(before))
    for mine, theirs in zip(after.read(few.images), before.read(few.images), strict=True):
        assert torch.equal(mine, theirs)
    assert torch.equal(gradient(after, few.images), gradient(before, few.images))
    assert (after.exit_step, after.eot, after.levels, after.encoder) == (
        before.exit_step,
        before.eot,
        before.levels,
        before.encoder,
    )


def test_weights_of_another_architecture_are_named(tmp_path: Path) -> None:
    path = save(trained("latency"), tmp_path / "mine.safetensors")
    with pytest.raises(ValueError, match=r"(?s)weights of another network .*layers\.0"):
        load(path, SpikingMLP((784, 21, 10)))


def test_a_code_of_ones_own_must_be_registered_before_loading(tmp_path: Path) -> None:
    register_code("late-half", lambda num_steps: [(0.5, num_steps - 1)])
    path = save(trained("late-half"), tmp_path / "mine.safetensors")
    assert load(path, SpikingMLP((784, 20, 10))).encoder == encoder("late-half", num_steps=6, backward="relaxed", slope=7.0)
    path.write_bytes(path.read_bytes().replace(b"late-half", b"late-halt"))
    with pytest.raises(ValueError, match="unknown encoding 'late-halt'"):
        load(path, SpikingMLP((784, 20, 10)))


@pytest.mark.parametrize("content", [None, b"", b"no file of weights", b"\x02\0\0\0\0\0\0\0{}"])
def test_a_file_that_save_did_not_write_is_named(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"cannot read a classifier from '.*other\.safetensors'"):
        load(path, MLP((784, 10)))
