"""N-MNIST, SHD and DVS Gesture from their official files, as spikes of 0 and 1, for the zoo's recipes; ``tonic`` reads them.

============== ========================================= ========= ======================== ================================
name           recordings                                steps     spikes of a step         files, in ``root`` or fetched
============== ========================================= ========= ======================== ================================
nmnist         MNIST's digits in front of a moving       9         2 polarities, 17 x 17    ``Train/``, ``Test/``: a folder
               sensor (Orchard et al. 2015)                        of 34 x 34               a class, a ``.bin`` a recording
shd            spoken digits of two languages, through   100 of    140 channels of 700      ``shd_train.h5``,
               a model of the ear (Cramer et al. 2022)   14 ms                              ``shd_test.h5``
dvs128_gesture hands and arms (Amir et al. 2017)         20        2 polarities, 32 x 32    ``ibmGestureTrain/``,
                                                                   of 128 x 128             ``ibmGestureTest/``: ``.npy``
============== ========================================= ========= ======================== ================================

A place has a spike in a step if it had at least one event; the steps are channels of one image, as those of ``events5k``. The
networks of ``recipes/{nmnist,shd,dvs128_gesture}.toml`` **were not trained here**. ``data.load("dvs_gesture")`` gives counts
instead of spikes, in frames of any number and size.

Archives come from the addresses in ``tonic`` (N-MNIST: Mendeley Data, doi 10.17632/468j46mzdv; SHD: zenkelab.org/datasets;
gestures: figshare), and are verified by the MD5 sums there. A part of the training recordings is held out for validation: of
gestures those of the last people, of the others a random part.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from tqdm.auto import tqdm

from snnlab.data.downloads import OfficialFile, fetch, folder_of
from snnlab.data.events import DVS_GESTURE, channels_of, frames_of, tonic
from snnlab.data.registry import DatasetInfo, describe, held_out, register
from snnlab.data.split import BadFile, Dataset, Split

__all__ = ["RECORDINGS", "Recordings"]

MENDELEY, ZENKE = "https://data.mendeley.com/public-files/datasets/468j46mzdv/files", "https://zenkelab.org/datasets"


@dataclass(frozen=True)
class Recordings:
    """Official files of recordings, and how they become spikes.

    Args:
        tonic: name of the class in ``tonic.datasets``, and of the folder that it unpacks into.
        places: what the archive of each part holds, "train" and "test".
        archives: of each part.
        frames: from the events of a recording to counts ``[T, C, H, W]``.
        in_order: whether the order of the files decides what is held out for validation.
    """

    tonic: str
    places: Mapping[str, str]
    archives: Mapping[str, OfficialFile]
    frames: Callable[[Any], Tensor]
    in_order: bool = False

    def place(self, name: str, part: str, root: Path | None, progress: bool) -> Path | None:
        """Return the folder that holds a part, unpacked; ``None`` if it is not in ``root``."""
        inside = folder_of(name) if root is None else root
        base = inside / self.tonic if root is None or (inside / self.tonic).is_dir() else inside
        if not (base / self.places[part]).exists():
            archive = self.archives[part]
            if root is not None and not (base / archive.name).is_file():
                return None
            (path,) = fetch({part: archive}, name, progress=progress, folder=base).values()
            options: dict[str, Any] = {"filter": "data"} if path.name.endswith(".tar.gz") else {}
            shutil.unpack_archive(path, base, **options)
        return base

    def opened(self, base: Path, part: str) -> Any:
        """Return the recordings in a folder as ``tonic`` has them, without its search for the archive."""

        class Here(getattr(tonic().datasets, self.tonic)):  # type: ignore[misc]
            def _check_exists(self) -> bool:
                self.location_on_system = str(base)
                return True

        return Here(save_to=str(base), train=part == "train")

    def split(self, base: Path, part: str, classes: int, progress: bool) -> Split:
        """Return the recordings of a part as images ``[N, T C, H, W]`` of 0 and 1.

        Raises:
            BadFile: no recordings, or one that cannot be read.
        """
        try:
            found = self.opened(base, part)
            order = np.argsort(found.data, kind="stable") if found.data else np.arange(len(found))
        except Exception as error:  # anything may be in a file
            raise BadFile(f"{base / self.places[part]} could not be read ({type(error).__name__}: {error})") from None
        if len(order) == 0:
            raise BadFile(f"{base / self.places[part]} holds no recordings")
        images, labels = [], []
        for k in tqdm(order.tolist(), desc=f"{self.tonic}, {part}", disable=not progress):
            try:
                events, label = found[k]
                spikes = self.frames(events[np.argsort(events["t"], kind="stable")]) > 0
            except Exception as error:
                file = Path(found.data[k]).relative_to(base) if found.data else f"recording {k} of {self.places[part]}"
                raise BadFile(f"{file}: {error}") from None
            images.append(spikes.flatten(0, 1))
            labels.append(int(label))
        return Split(torch.stack(images).float(), torch.tensor(labels), classes)


def _load(name: str, root: Path | None, progress: bool) -> Dataset | None:
    return _cached(name, root, progress)


@lru_cache(maxsize=1)
def _cached(name: str, root: Path | None, progress: bool) -> Dataset | None:
    of, classes = RECORDINGS[name], describe(name).classes
    places = {part: of.place(name, part, root, progress) for part in of.places}
    if missing := [of.places[part] for part, place in places.items() if place is None]:
        if len(missing) == len(places):
            return None
        raise BadFile(f"{missing[0]} is missing in {root}; {name} has {' and '.join(of.places.values())}")
    parts = {part: of.split(place, part, classes, progress) for part, place in places.items() if place is not None}
    digest = hashlib.sha256()
    for split in parts.values():
        digest.update(np.packbits(split.images.numpy().astype(bool)).tobytes() + split.labels.numpy().tobytes())
    if not of.in_order:
        parts["train"] = parts["train"][torch.randperm(len(parts["train"]), generator=torch.Generator().manual_seed(0))]
    return held_out(name, parts, digest.hexdigest())


#: by the name of the data set
RECORDINGS: dict[str, Recordings] = {
    "nmnist": Recordings(
        "NMNIST",
        {"train": "Train", "test": "Test"},
        {
            "train": OfficialFile(
                f"{MENDELEY}/39c25547-014b-4137-a934-9d29fa53c7a0/file_downloaded",
                "20959b8e626244a1b502305a9e6e2031",
                "train.zip",
            ),
            "test": OfficialFile(
                f"{MENDELEY}/05a4d654-7e03-4c15-bdfa-9bb2bcbea494/file_downloaded",
                "69ca8762b2fe404d9b9bad1103e97832",
                "test.zip",
            ),
        },
        partial(frames_of, num_steps=9, size=17, sensor=34, empty=True),
    ),
    "shd": Recordings(
        "SHD",
        {"train": "shd_train.h5", "test": "shd_test.h5"},
        {
            "train": OfficialFile(f"{ZENKE}/shd_train.h5.zip", "f3252aeb598ac776c1b526422d90eecb"),
            "test": OfficialFile(f"{ZENKE}/shd_test.h5.zip", "1503a5064faa34311c398fb0a1ed0a6f"),
        },
        partial(channels_of, num_steps=100, size=140, sensor=700, span=1_400_000, empty=True),
    ),
    "dvs128_gesture": Recordings(
        "DVSGesture",
        {"train": "ibmGestureTrain", "test": "ibmGestureTest"},
        DVS_GESTURE,
        partial(frames_of, num_steps=20, size=32, sensor=128, empty=True),
        in_order=True,
    ),
}
for _name, _shape, _classes, _title in (
    ("nmnist", (18, 17, 17), 10, "N-MNIST"),
    ("shd", (100, 1, 140), 20, "Spiking Heidelberg Digits"),
    ("dvs128_gesture", (40, 32, 32), 11, "DVS Gesture, spikes"),
):
    register(
        DatasetInfo(
            _name,
            partial(_load, _name),
            _shape,
            _classes,
            title=_title,
            noun="recording",
            budget="{} changed spikes",
        )
    )
