"""The simulated event camera: 1,000 digits on the saccade path, beside the logarithms of its images alone.

Run ``python benchmarks/event_camera.py``.
"""

from __future__ import annotations

from time import process_time

import torch

from snnlab import data
from snnlab.data.event_camera import CHUNK, saccades, spike_frames


def main() -> None:
    """Print both times, in seconds of one core."""
    images = data.load("mnist5k").test.images[:1000]
    spike_frames(images[:CHUNK])
    started = process_time()
    spike_frames(images)
    ours = process_time() - started
    sequence = saccades(images[:CHUNK])
    started = process_time()
    for _ in range(len(images) // CHUNK):
        torch.log(sequence + 0.1)
    logarithms = process_time() - started
    print(f"event camera, {len(images):,} digits: {ours:.2f} s; the logarithms of its images alone: {logarithms:.2f} s")


if __name__ == "__main__":
    main()
