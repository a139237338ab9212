"""Fixtures shared by all tests: small images, the shipped data, a trained model."""

import pytest
import torch

from snnlab import data, zoo
from snnlab.data import Dataset, Split
from snnlab.network import Classifier

torch.set_num_threads(2)


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return data.load("mnist5k")


@pytest.fixture(scope="session")
def few(mnist: Dataset) -> Split:
    """Forty test digits."""
    return mnist.test[:40]


@pytest.fixture
def onset() -> Classifier:
    return zoo.load("onset")


@pytest.fixture
def ramp() -> torch.Tensor:
    """One image of 257 pixels that takes every 256th of [0, 1]."""
    return torch.linspace(0, 1, 257).view(1, 1, 1, 257)
