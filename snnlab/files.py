"""Files that numbers rest on: written whole or not at all, and made with known versions."""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

__all__ = ["atomic_write", "replacing", "versions", "write_json"]

#: a list in indented JSON that holds no other list and no object
INNERMOST = re.compile(r"\[\n((?:.*(?<![\[{}])(?<!\},)\n)+?)\s*\]")


def atomic_write(path: Path, content: str | bytes) -> None:
    """Write a file and the folder around it. An interruption leaves the old file or the new one, never half of one."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(content.encode() if isinstance(content, str) else content)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path to write to, which replaces ``path`` when the block ends without an exception."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        if unfinished.is_file():
            unfinished.unlink()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON with one line a list of numbers: a small file that still makes readable differences."""
    text = json.dumps(content, indent=1, ensure_ascii=False)
    atomic_write(path, INNERMOST.sub(_on_one_line, text) + "\n")


def _on_one_line(rows: re.Match[str]) -> str:
    joined = " ".join(row.strip() for row in rows[1].strip().split("\n"))
    return f"[{joined}]"


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that affect results."""
    packages = {package: version(package) for package in ("snnlab", "torch", "snntorch", "torchattacks", "numpy")}
    return {"python": platform.python_version(), **packages}
