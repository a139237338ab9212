"""Tables: CSV with one image a row, label first or last, and Parquet with a column of encoded images (Hugging Face)."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np

from snnlab.data.arrays import ROLES, Arrays
from snnlab.data.pictures import decoded
from snnlab.data.split import BadFile

__all__ = ["read_csv", "read_parquet"]

NUMERIC = "biufc"  # kinds of dtypes


def read_csv(path: Path, remarks: list[str]) -> Arrays:
    """Return images ``[N, pixels]`` and labels of a CSV file, with a header (Kaggle, OpenML) or without.

    Without a header, the label is the first or last column: that which holds every whole number from 0 to its largest.
    """
    import pandas as pd

    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        first = str(file.readline()).strip()
    separator = max(",;\t", key=first.count)
    header = not all(map(_is_number, first.split(separator)))
    table = pd.read_csv(path, sep=separator, header=0 if header else None)
    if header:
        table.columns = table.columns.astype(str).str.strip(" '\"").str.lower()
        if numbered := [name for name in table.columns if name in ("id", "index") or name.startswith("unnamed")]:
            remarks.append(f"column {', '.join(numbered)} left out")
            table = table.drop(columns=numbered)
        named = [name for name in table.columns if name in ROLES["labels"]]
        if len(named) != 1:
            raise BadFile(f"{path.name} needs one column label (or class, target, y); it has {_columns(table.columns)}")
        label: Any = named[0]
    else:
        ends = [table.columns[0], table.columns[-1]]
        likely = [end for end in ends if len(table.columns) > 1 and _is_class(table[end])]
        if len(likely) != 1:
            which = "both" if likely else "none"
            raise BadFile(
                f"{path.name} has {len(table.columns)} columns and no header, and {which} of the first and the last looks like "
                "a label; write a header with a column named label"
            )
        label = likely[0]
        remarks.append(f"no header: the {'first' if label == ends[0] else 'last'} column is the label")
    pixels = table.drop(columns=label)
    if text := [name for name in pixels.columns if pixels[name].dtype.kind not in NUMERIC]:
        raise BadFile(f"{path.name}: the columns {_columns(text)} are not numbers, expected one column a pixel")
    return {"images": pixels.to_numpy(), "labels": table[label].to_numpy()}


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _is_class(column: Any) -> bool:
    if column.dtype.kind not in NUMERIC or column.isna().any():
        return False
    values = np.unique(column.to_numpy())
    return len(values) > 1 and np.array_equal(values, np.arange(len(values)))


def _columns(names: Any) -> str:
    names = [str(name) for name in names]
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])} … {names[-1]} ({len(names)} columns)"


def read_parquet(path: Path, remarks: list[str]) -> Arrays:
    """Return images and labels of a Parquet file of Hugging Face; images are PNG or JPEG in a column of bytes."""
    import pandas as pd

    try:
        table = pd.read_parquet(path)
    except ImportError:
        raise BadFile(f"{path.name} needs the package pyarrow: pip install pyarrow") from None
    columns = {role: [name for name in table.columns if str(name).lower() in names] for role, names in ROLES.items()}
    if any(len(names) != 1 for names in columns.values()):
        raise BadFile(f"{path.name} needs a column image and a column label; it has {_columns(table.columns)}")
    cells = list(table[columns["images"][0]])
    if not all(isinstance(cell, dict) and isinstance(cell.get("bytes"), bytes) for cell in cells):
        raise BadFile(f"{path.name}: the column {columns['images'][0]} holds no encoded images, expected PNG or JPEG bytes")
    images = decoded([(f"row {row}", cell["bytes"]) for row, cell in enumerate(cells)], path.name)
    return {"images": images, "labels": table[columns["labels"][0]].to_numpy()}
