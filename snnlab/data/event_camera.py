r"""A simulated event camera: image sequences to events, and events to frames ``[T, N, 2, H, W]``.

The sensor is ideal. Each pixel follows the logarithm of its intensity ``x``, and fires an event of polarity ± each time that has
changed by a contrast threshold ``C`` since its last event:

.. math:: L = \log\frac{x + d}{1 + d}, \qquad |L(t) - L(t_\mathrm{last})| \ge C

``d`` keeps the logarithm of black finite. Between two images of a sequence ``L`` moves on a straight line. ``saccades`` moves a
still image along three straight strokes, as the camera of N-MNIST was moved in front of a screen. A real sensor has noise,
latency, unequal thresholds and a refractory time as well; of these, only noise can be added here.

``events5k`` is MNIST-5k in front of this camera: ``T = 9`` frames, three a stroke, with a spike where a pixel had at least one
event of a polarity.

Sources: Lichtsteiner et al. 2008 (sensor); Rebecq et al. 2018 (simulation); Orchard et al. 2015 (strokes).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from snnlab.data.events import EVENT, EventSplit
from snnlab.data.registry import DatasetInfo, describe, register
from snnlab.data.split import Dataset, Split

__all__ = ["NUM_STEPS", "PER_STEP", "REACH", "EventCamera", "saccade_path", "saccades", "spike_frames"]

#: frames of ``events5k``, three a stroke
NUM_STEPS = 9
#: images of ``saccades`` between two frames of ``events5k``
PER_STEP = 6
#: of the strokes, in pixels
REACH = 2.0
SIMULATED = "simulated: MNIST-5k moved in front of an ideal event camera"
CHUNK = 100  # images that are moved together


def saccade_path(num: int = NUM_STEPS * PER_STEP, reach: float = REACH) -> Tensor:
    """Return where the image is at ``num + 1`` equidistant moments: shifts (down, right) in pixels, ``[num + 1, 2]``.

    Three straight strokes of equal duration around the centre: down and right, up and right, back to the left.

    Args:
        num: moments after the first; a multiple of three.
        reach: largest shift in each direction, in pixels.

    Raises:
        ValueError: a number that is no positive multiple of three, a negative reach.

    >>> saccade_path(3, reach=2).tolist()
    [[-2.0, -2.0], [2.0, 0.0], [-2.0, 2.0], [-2.0, -2.0]]
    """
    if not isinstance(num, int) or num < 3 or num % 3 or not reach >= 0:
        raise ValueError(f"expected num, a multiple of 3, and reach of at least 0, got {num!r} and {reach!r}")
    corners = torch.tensor([[-1, -1], [1, 0], [-1, 1], [-1, -1]], dtype=torch.float64) * reach
    along = torch.arange(num + 1, dtype=torch.float64) * 3 / num
    stroke = along.long().clamp(max=2)
    share = (along - stroke)[:, None]
    return corners[stroke] * (1 - share) + corners[stroke + 1] * share


def saccades(images: Tensor, path: Tensor | None = None) -> Tensor:
    """Return still images moved along a path, as a sequence ``[M + 1, N, H, W]``, float64.

    Args:
        images: ``[N, H, W]`` or ``[N, 1, H, W]`` in [0, 1]. What comes in from the edge is black; between pixels intensities are
            interpolated on straight lines.
        path: shifts (down, right) in pixels, ``[M + 1, 2]``; default ``saccade_path()``.

    Raises:
        ValueError: images or a path of another shape or range.

    >>> saccades(torch.eye(3)[None], torch.tensor([[0, 0], [0, 0.5]]))[1, 0, 0]
    tensor([0.5000, 0.5000, 0.0000], dtype=torch.float64)
    """
    still = images[:, 0] if images.dim() == 4 and images.shape[1] == 1 else images
    if still.dim() != 3 or 0 in still.shape or not bool(((still >= 0) & (still <= 1)).all()):
        raise ValueError(f"expected images [N, H, W] or [N, 1, H, W] in [0, 1], got {list(images.shape)}")
    shifts = saccade_path() if path is None else path.double()
    if shifts.dim() != 2 or shifts.shape[1] != 2 or len(shifts) < 2 or not bool(shifts.isfinite().all()):
        raise ValueError(f"expected a path [M + 1, 2] of finite shifts with M of at least 1, got {list(shifts.shape)}")
    height, width = still.shape[1:]
    pad = int(shifts.abs().max().ceil()) + 1
    padded = F.pad(still.double(), [pad] * 4)
    sequence = still.new_empty(len(shifts), *still.shape, dtype=torch.float64)
    for at, (down, right) in enumerate(shifts.tolist()):
        row, column = int(np.floor(down)), int(np.floor(right))
        part_down, part_right = down - row, right - column
        top, left = pad - row, pad - column
        # The row above the shifted one has the share of the fraction.
        rows = padded[:, top : top + height] * (1 - part_down) + padded[:, top - 1 : top - 1 + height] * part_down
        sequence[at] = (
            rows[:, :, left : left + width] * (1 - part_right) + rows[:, :, left - 1 : left - 1 + width] * part_right
        )
    return sequence


@dataclass(frozen=True)
class EventCamera:
    """An ideal sensor, and the noise that is added to it.

    Args:
        threshold: contrast threshold ``C``, in natural logarithms.
        dark: ``d``, added to every intensity.
        duration: of a recording, in microseconds.
        noise: events that a pixel fires by itself each second, half of each polarity.

    Raises:
        ValueError: a value out of range.

    >>> brighter = torch.tensor([0.0, 1.0]).view(2, 1, 1, 1)
    >>> camera = EventCamera(threshold=1.0, dark=0.1)  # log(1.1 / 0.1) = 2.4
    >>> [int(moment) for moment in camera.events(brighter)["t"]], camera.frames(brighter, 1).flatten().tolist()
    ([125109, 250219], [0.0, 2.0])
    """

    threshold: float = 0.5
    dark: float = 0.1
    duration: int = 300_000
    noise: float = 0.0

    def __post_init__(self) -> None:
        if not (self.threshold > 0 and self.dark > 0 and self.duration >= 1 and self.noise >= 0):
            raise ValueError(f"threshold, dark and duration must be positive and noise at least 0, got {self}")

    def crossings(self, sequence: Tensor) -> Tensor:
        """Return the signed number of events of each pixel between each two images, ``[M, N, H, W]``, int8.

        Args:
            sequence: intensities ``[M + 1, N, H, W]`` in [0, 1], equidistant in time.
        """
        return self._levels(self._log(sequence))[0]

    def frames(self, sequence: Tensor, num_steps: int = NUM_STEPS, *, generator: torch.Generator | None = None) -> Tensor:
        """Return events counted in ``num_steps`` equal bins, ``[T, N, 2, H, W]``: darker in channel 0, brighter in channel 1.

        Args:
            sequence: intensities ``[M + 1, N, H, W]`` in [0, 1], equidistant in time, with ``M`` a multiple of ``num_steps``.
            num_steps: ``T``.
            generator: of the noise.

        Raises:
            ValueError: a sequence of another shape or range; steps that do not divide it.
        """
        signed = self.crossings(sequence)
        if not isinstance(num_steps, int) or num_steps < 1 or len(signed) % num_steps:
            raise ValueError(f"num_steps must divide the {len(signed)} moments of the sequence, got {num_steps!r}")
        binned = signed.reshape(num_steps, -1, *signed.shape[1:])
        counts = torch.stack([(-binned).clamp(min=0).sum(1), binned.clamp(min=0).sum(1)], dim=2).float()
        if self.noise > 0:
            mean = torch.full_like(counts, self.noise * self.duration / 1e6 / num_steps / 2)
            counts += torch.poisson(mean, generator=generator)
        return counts

    def events(self, sequence: Tensor, *, generator: torch.Generator | None = None) -> NDArray[np.void]:
        """Return the events of one recording, sorted in time: an array with the fields ``x, y, t, p`` as ``tonic`` has them.

        ``x`` is the column, ``y`` the row, ``t`` the time in microseconds from 0 to ``duration - 1``, ``p`` 1 for brighter and 0
        for darker, the channel of ``frames``. ``frames_of(events, span=camera.duration)`` counts them as ``frames`` does.

        Args:
            sequence: intensities ``[M + 1, H, W]`` or ``[M + 1, 1, H, W]`` in [0, 1], equidistant in time.
            generator: of the noise.
        """
        one = sequence[:, None] if sequence.dim() == 3 else sequence
        if one.dim() != 4 or one.shape[1] != 1:
            raise ValueError(f"expected one sequence [M + 1, H, W], got {list(sequence.shape)}")
        logs = self._log(one)
        signed, before = self._levels(logs)
        moment, row, column = np.nonzero(signed[:, 0].numpy())
        number, start = (value[:, 0].numpy()[moment, row, column].astype(np.int64) for value in (signed, before))
        value = (logs - logs[:1])[:, 0].numpy() / self.threshold
        here, there = value[moment, row, column], value[moment + 1, row, column]
        which = np.repeat(np.arange(len(moment)), abs(number))
        nth = np.arange(len(which)) - np.repeat(np.cumsum(abs(number)) - abs(number), abs(number)) + 1
        level = start[which] + np.sign(number[which]) * nth
        share = (level - here[which]) / (there - here)[which]
        # An event at the end of an interval belongs to it, so that counts in bins do not depend on how time is rounded.
        t = np.ceil((moment[which] + share.clip(0, 1)) * self.duration / len(signed)).astype(np.int64) - 1
        found = np.empty(len(which), EVENT)
        found["x"], found["y"], found["t"], found["p"] = column[which], row[which], t.clip(0), number[which] > 0
        if self.noise > 0:
            found = np.concatenate([found, self._noise(one.shape[-2:], generator)])
        return found[np.argsort(found["t"], kind="stable")]

    def _noise(self, shape: torch.Size, generator: torch.Generator | None) -> NDArray[np.void]:
        mean = torch.full((2, *shape), self.noise * self.duration / 1e6 / 2)
        counts = torch.poisson(mean, generator=generator).long()
        where = torch.repeat_interleave(torch.nonzero(counts), counts[counts > 0], dim=0)
        noise = np.empty(len(where), EVENT)
        noise["p"], noise["y"], noise["x"] = where.T.numpy()
        noise["t"] = torch.randint(self.duration, (len(where),), generator=generator).numpy()
        return noise

    def _log(self, sequence: Tensor) -> Tensor:
        if sequence.dim() != 4 or len(sequence) < 2 or 0 in sequence.shape:
            raise ValueError(f"expected a sequence [M + 1, N, H, W] of at least two images, got {list(sequence.shape)}")
        if not bool(((sequence >= 0) & (sequence <= 1)).all()):
            raise ValueError("intensities must lie in [0, 1]")
        return torch.log(sequence.double() + self.dark)

    def _levels(self, logs: Tensor) -> tuple[Tensor, Tensor]:
        """Return signed numbers of events in every interval, and the level of the last event before it, ``[M, N, H, W]``."""
        value = (logs - logs[:1]) / self.threshold
        level = torch.zeros_like(value[0])
        signed = torch.empty(len(value) - 1, *value.shape[1:], dtype=torch.int8)
        before = torch.empty_like(signed, dtype=torch.int16)
        for at, now in enumerate(value[1:]):
            # Up to the last level that was reached from below, or down to the last one from above.
            new = torch.maximum(torch.minimum(level, now.ceil()), now.floor())
            before[at], signed[at] = level.short(), (new - level).to(torch.int8)
            level = new
        return signed, before


def spike_frames(images: Tensor, camera: EventCamera | None = None, *, generator: torch.Generator | None = None) -> Tensor:
    """Return what the camera records of still images on the saccade path, as spikes ``[9, N, 2, H, W]`` of 0 and 1.

    A pixel, polarity and step has a spike if it had at least one event.

    Args:
        images: ``[N, 1, H, W]`` in [0, 1].
        camera: default the one of ``events5k``.
        generator: of the camera's noise.

    >>> spike_frames(torch.zeros(1, 1, 4, 4)).sum()
    tensor(0.)
    """
    sensor = camera or EventCamera()
    parts = [sensor.frames(saccades(part), generator=generator) > 0 for part in torch.split(images, CHUNK)]
    return torch.cat(parts, dim=1).float()


@lru_cache(maxsize=1)
def _events5k() -> Dataset:
    digits = describe("mnist5k").load(None, False)
    assert digits is not None  # it is shipped
    splits: dict[str, Split] = {}
    digest = hashlib.sha256(digits.sha256.encode())
    for part in ("train", "validation", "test"):
        split = getattr(digits, part)
        frames = spike_frames(split.images)
        digest.update(np.packbits(frames.numpy().astype(bool)).tobytes())
        splits[part] = EventSplit(frames, split.labels, split.num_classes).as_images()
    return Dataset(
        "events5k",
        **splits,
        sha256=digest.hexdigest(),
        remarks=(SIMULATED,),
    )


def _load(root: Path | None, progress: bool) -> Dataset:
    del root, progress  # made of shipped digits
    return _events5k()


register(
    DatasetInfo(
        "events5k",
        _load,
        (2 * NUM_STEPS, 28, 28),
        title="MNIST-5k, simulated event camera",
        noun="recording",
        budget="{} changed spikes",
    )
)
