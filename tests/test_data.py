"""The shipped digits: complete, stratified, disjoint, and refused when altered."""

from pathlib import Path

import pytest
import torch

from snnlab import data
from snnlab.data import Dataset, Split


def test_splits_have_their_published_sizes_and_are_stratified(mnist: Dataset) -> None:
    for split, per_class in ((mnist.train, 350), (mnist.validation, 50), (mnist.test, 100)):
        assert split.images.shape == (10 * per_class, 1, 28, 28)
        assert torch.bincount(split.labels).tolist() == [per_class] * 10
        assert split.images.min() == 0
        assert split.images.max() == 1


def test_no_image_is_in_two_splits(mnist: Dataset) -> None:
    images = torch.cat([mnist.train.images, mnist.validation.images, mnist.test.images]).flatten(1)
    assert len(images.unique(dim=0)) == 5000


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b[:100] + b"x" + b[101:], lambda b: b""])
def test_an_altered_file_is_refused(damage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    copy = tmp_path / "mnist5k.npz"
    copy.write_bytes(damage(data.MNIST5K.read_bytes()))
    monkeypatch.setattr(data, "MNIST5K", copy)
    with pytest.raises(ValueError, match="altered or truncated"):
        data.load("mnist5k")


def test_a_missing_file_and_an_unknown_name_are_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data, "MNIST5K", tmp_path / "nothing.npz")
    with pytest.raises(ValueError, match="missing"):
        data.load("mnist5k")
    with pytest.raises(ValueError, match="choose one of mnist5k"):
        data.load("imagenet")


def test_images_and_labels_must_belong_together() -> None:
    images = torch.zeros(3, 1, 2, 2)
    with pytest.raises(ValueError, match=r"labels \[N\]"):
        Split(images, torch.zeros(2, dtype=torch.long))
    with pytest.raises(ValueError, match="labels must lie in 0 … 9"):
        Split(images, torch.tensor([0, 1, 10]))
    with pytest.raises(ValueError, match="integers"):
        Split(images, torch.zeros(3))
