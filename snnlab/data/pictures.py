"""Pictures as PNG, JPEG and the like, and folders with one folder a class (torchvision's ``ImageFolder``)."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from snnlab.data.arrays import Arrays, part_of
from snnlab.data.events import recordings_in
from snnlab.data.split import BadFile

__all__ = ["class_folders", "decoded", "read_classes"]

SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm"}
GREY = {"1", "L", "I", "I;16", "F"}


def decoded(pictures: Sequence[tuple[str, bytes]], source: str) -> NDArray[np.uint8]:
    """Return pictures, named and encoded, as bytes ``[N, H, W, C]``: grey if all are grey, else RGB.

    Raises:
        BadFile: a picture that cannot be read, or several sizes.
    """
    opened = []
    for name, blob in pictures:
        try:
            picture = Image.open(io.BytesIO(blob))
            picture.load()
        except Exception as error:  # Pillow raises many kinds for a damaged picture
            raise BadFile(f"{source}: {name} is not a picture or is damaged ({error})") from None
        opened.append(picture)
    sizes = sorted({picture.size for picture in opened})
    if len(sizes) > 1:
        shown = ", ".join(f"{width} x {height}" for width, height in sizes[:4]) + (", …" if len(sizes) > 4 else "")
        raise BadFile(f"{source} has pictures of {len(sizes)} sizes ({shown} pixels), expected one; resize them first")
    deep = [picture.mode for picture in opened if picture.mode in ("I", "I;16", "F")]
    if deep:
        raise BadFile(
            f"{source} has pictures of the mode {deep[0]}, expected 8 bits; convert them with Pillow: .convert('L')"
        )
    mode = "L" if all(picture.mode in GREY for picture in opened) else "RGB"
    images = np.stack([np.asarray(picture.convert(mode)) for picture in opened])
    return images[..., None] if images.ndim == 3 else images


def class_folders(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """Return the files of each class by part: ``folder/class/file`` or ``folder/train/class/file``; empty if neither."""
    inside = _folders(folder)
    parts = {sub.name: sub for sub in inside}
    if not (inside and all(part_of(name) for name in parts)):
        parts = {"": folder}
    by_part = {part_of(name): {sub.name: _samples(sub) for sub in _folders(part)} for name, part in parts.items()}
    return {part: classes for part, classes in by_part.items() if classes and all(classes.values())}


def read_classes(folder: Path, parts: dict[str, dict[str, list[Path]]], remarks: list[str]) -> Arrays:
    """Return images (or frames of events) and the names of their classes, by part."""
    arrays: dict[str, Any] = {}
    if "" not in parts and (unlabelled := [sub.name for sub in _folders(folder) if part_of(sub.name) not in parts]):
        remarks.append(f"not read, because it has no folder for each class: {', '.join(unlabelled)}")
    for part, classes in parts.items():
        files = [file for each in classes.values() for file in each]
        if all(file.suffix.lower() in SUFFIXES for file in files):
            named = [(str(file.relative_to(folder)), file.read_bytes()) for file in files]
            arrays[f"{part}_images"] = decoded(named, folder.name)
        else:
            arrays[f"{part}_images"] = recordings_in(files, remarks)
        arrays[f"{part}_labels"] = np.array([name for name, each in classes.items() for _ in each])
    return arrays


def _folders(folder: Path) -> list[Path]:
    return sorted(sub for sub in folder.iterdir() if sub.is_dir() and not sub.name.startswith((".", "_")))


def _samples(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in SUFFIXES | {".npz", ".bin"})
