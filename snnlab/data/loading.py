"""``load``: a data set by its name, or the images and labels of a file or folder of your own."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import Any, Literal, overload

from snnlab.data.arrays import part_of
from snnlab.data.events import EventDataset, EventSplit, dvs_gesture
from snnlab.data.files import parts_in
from snnlab.data.pixels import splits_of
from snnlab.data.registry import DATASETS, EVENTS, cut, describe, held_out
from snnlab.data.split import BadFile, Dataset

__all__ = ["load"]


@overload
def load(name: Literal["dvs_gesture"], root: str | Path | None = ..., **options: Any) -> EventDataset: ...  # type: ignore[overload-overlap]
@overload
def load(name: str | Path = ..., root: str | Path | None = ..., *, progress: bool = ...) -> Dataset: ...
def load(
    name: str | Path | None = None, root: str | Path | None = None, *, progress: bool = True, **options: Any
) -> Dataset | EventDataset:
    """Load a data set by name (table in ``snnlab.data``), or from a file or folder of your own (``snnlab.data.files``).

    Your own files: ``load("digits.npz")`` or ``load(root="digits.npz")``. What was recognised and changed is printed, and is in
    ``remarks``. Parts that a file does not have are empty. A part is ``test`` if neither its arrays nor its file are named
    after another.

    Args:
        name: of the data set, or a path; ``None`` is ``"mnist5k"``, or with ``root`` the files there.
        root: folder or file with the data set; of official files the form is checked, not the sums.
        progress: whether to print remarks and show progress bars.
        options: of ``dvs_gesture``: ``num_steps`` and ``size`` (``snnlab.data.events``).

    Raises:
        ValueError: unknown name or option; no such ``root``; a file that is missing, truncated or cannot be read; no network
            where something has to be fetched.

    >>> len(load("mnist5k").test)
    1000
    """
    known = ("num_steps", "size") if name == EVENTS else ()
    if strange := sorted(set(options) - set(known)):
        raise ValueError(f"unknown options {', '.join(strange)}; {name} has {' and '.join(known) or 'none'}")
    path = None if root is None else Path(root).expanduser()
    if path is not None and not path.exists():
        raise ValueError(f"root={str(root)!r} is no folder or file; name the one that holds the data set")
    if name == EVENTS:
        return dvs_gesture(path, progress=progress, **options)
    if name is None and path is None:
        name = "mnist5k"
    own = Path(str(name)).expanduser()
    if name not in DATASETS and path is None and (own.exists() or own.suffix):
        name, path = None, own
    if name is not None:
        info = describe(str(name))
        if path is None or path.is_dir() or info.name == "mnist5k":
            official = info.load(path, progress)
            if official is not None:
                return official
    assert path is not None  # a loader without a root returns a data set
    dataset = _own_files(path, None if name is None else str(name))
    if progress:
        print(dataset, file=sys.stderr)
    return dataset


def _own_files(path: Path, name: str | None) -> Dataset | EventDataset:
    remarks: list[str] = []
    pairs = parts_in(path, remarks)
    try:
        splits: dict[str, Any] = splits_of(pairs, remarks)
    except BadFile as error:
        raise BadFile(f"{path.name}: {error}") from None
    if "" in splits:
        part = part_of(path.name) or ("train" if "test" in splits else "test")
        if part in splits:
            raise BadFile(f"{path.name} has a part without a name beside {part}; call it train or test")
        splits[part] = splits.pop("")
    events = any(isinstance(split, EventSplit) for split in splits.values())
    if name is not None and (events or not {"train", "test"} <= set(splits)):
        raise BadFile(
            f"{path.name} has {splits}, expected images for train and for test; without {name!r}, load reads it as it is"
        )
    if events:
        return EventDataset(path.name, **{"train": None, "test": None} | splits, remarks=tuple(dict.fromkeys(remarks)))
    digest = hashlib.sha256()
    for array in (array for pair in pairs.values() for array in pair):
        digest.update((array.astype(str) if array.dtype.kind == "O" else array).tobytes())
    if name is not None and "validation" not in splits:
        return held_out(name, splits, digest.hexdigest(), tuple(dict.fromkeys(remarks)))
    if "validation" not in splits and {"train", "test"} <= set(splits):
        splits["train"], splits["validation"] = cut(splits["train"], len(splits["train"]) // 10)
        remarks.append(f"the last {len(splits['validation']):,} training images, a tenth, are held out for validation")
    some = next(iter(splits.values()))
    empty = dict.fromkeys(("train", "validation", "test"), some[:0])
    return Dataset(name or path.name, **empty | splits, sha256=digest.hexdigest(), remarks=tuple(dict.fromkeys(remarks)))
