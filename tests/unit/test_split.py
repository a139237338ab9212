"""A split of a data set is a data set as PyTorch knows it."""

import pytest
import torch
from torch.utils.data import DataLoader

from snnlab.data import Split


def test_an_index_gives_a_pair_and_a_slice_or_a_tensor_a_split(few: Split) -> None:
    image, label = few[3]
    assert torch.equal(image, few.images[3])
    assert (type(label), label) == (int, int(few.labels[3]))
    assert few[-1][1] == int(few.labels[-1])
    for rows in (slice(2, 6), torch.tensor([5, 1]), few.labels == 1):
        part = few[rows]
        assert torch.equal(part.images, few.images[rows])
        assert torch.equal(part.labels, few.labels[rows])
    with pytest.raises(IndexError):
        few[len(few)]


def test_iteration_and_a_loader_give_every_pair_in_order(few: Split) -> None:
    pairs = list(few)
    assert len(pairs) == len(few)
    assert torch.equal(torch.stack([image for image, _ in pairs]), few.images)
    loaded = [*DataLoader(few, batch_size=16)]  # type: ignore[arg-type]
    assert [len(labels) for _, labels in loaded] == [16, 16, 8]
    assert torch.equal(torch.cat([images for images, _ in loaded]), few.images)
    assert torch.equal(torch.cat([labels for _, labels in loaded]), few.labels)
