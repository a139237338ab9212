"""The shipped digits: complete, stratified, disjoint, and refused when altered."""

from pathlib import Path

import pytest
import torch
from torch.utils.data import DataLoader

from snnlab import data
from snnlab.data import Dataset, Split
from snnlab.data import mnist as digits
from snnlab.files import atomic_write


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
    copy.write_bytes(damage(digits.MNIST5K.read_bytes()))
    monkeypatch.setattr(digits, "MNIST5K", copy)
    with pytest.raises(ValueError, match="altered or truncated"):
        data.load("mnist5k")


def test_a_missing_file_and_an_unknown_name_are_said_plainly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "MNIST5K", tmp_path / "nothing.npz")
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


def test_a_split_is_a_sequence_of_images_with_their_labels(mnist: Dataset) -> None:
    image, label = mnist.test[3]
    assert torch.equal(image, mnist.test.images[3])
    assert label == mnist.test.labels[3]
    assert [label for _, label in mnist.test[:5]] == mnist.test.labels[:5].tolist()
    images, labels = next(iter(DataLoader(mnist.test, batch_size=4)))  # type: ignore[arg-type]
    assert torch.equal(images, mnist.test.images[:4])
    assert torch.equal(labels, mnist.test.labels[:4])
    assert repr(mnist.test) == "Split of 1,000 images 1 x 28 x 28, 10 classes"


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "folder" / "record.json"
    atomic_write(target, "old")

    def interrupted(self: Path, other: Path) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        atomic_write(target, "new")
    assert target.read_text() == "old"
    monkeypatch.undo()
    atomic_write(target, b"new")
    assert [path.name for path in target.parent.iterdir()] == ["record.json"]
