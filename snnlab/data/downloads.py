"""Fetching official files: verified, cached, resumed where they broke off.

``pooch`` keeps them in its cache folder of this user (``SNNLAB_DATA`` names another) and verifies each against its published
MD5 sum; a file that is there and whole is not fetched again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pooch
import requests
from tqdm.auto import tqdm

__all__ = ["OfficialFile", "fetch", "folder_of"]

TIMEOUT = 30  # seconds without an answer
CHUNK = 1 << 16
ENOUGH = 1 << 20  # bytes that stay free on the disk beside the file


@dataclass(frozen=True)
class OfficialFile:
    """A file that its authors publish: where, and its MD5 sum."""

    url: str
    md5: str

    @property
    def name(self) -> str:
        """Its name without the address."""
        return self.url.rpartition("/")[2]


def folder_of(data_set: str) -> Path:
    """Where the files of a data set are kept: below ``SNNLAB_DATA``, or in the user's cache."""
    return Path(os.environ.get("SNNLAB_DATA") or pooch.os_cache("snnlab")) / data_set


def fetch(files: Mapping[str, OfficialFile], data_set: str, *, progress: bool = True) -> dict[str, Path]:
    """The paths of all files, fetched first if they are not in the cache.

    Raises:
        ValueError: no network, too little disk, a server that refuses, a file whose sum is another.
    """
    folder = folder_of(data_set)
    try:
        return {role: _fetch_one(file, folder, progress) for role, file in files.items()}
    except requests.RequestException as error:
        addresses = ", ".join(file.url for file in files.values())
        raise ValueError(
            f"{data_set} is not on this machine and could not be fetched ({type(error).__name__}). Without a network: fetch "
            f"{addresses} elsewhere and name their folder: load({data_set!r}, root=…)"
        ) from None


def _fetch_one(file: OfficialFile, folder: Path, progress: bool) -> Path:
    try:
        path = pooch.retrieve(
            file.url, f"md5:{file.md5}", fname=file.name, path=folder, downloader=_Resuming(folder / file.name, progress)
        )
    except ValueError as error:
        if "hash" not in str(error).lower():
            raise
        raise ValueError(
            f"{file.name} from {file.url} is not the published file: its MD5 sum is not {file.md5}; try again later"
        ) from None
    return Path(path)


@dataclass(frozen=True)
class _Resuming:
    """A downloader for ``pooch`` that goes on where an earlier one broke off."""

    target: Path
    progress: bool

    def __call__(self, url: str, output_file: Any, _: pooch.Pooch | None) -> None:
        part = self.target.with_name(self.target.name + ".part")
        have = part.stat().st_size if part.exists() else 0
        headers = {"Range": f"bytes={have}-"} if have else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code == requests.codes.requested_range_not_satisfiable:  # all of it is here already
                part.replace(output_file)
                return
            answer.raise_for_status()
            have = have if answer.status_code == requests.codes.partial_content else 0
            missing = int(answer.headers.get("Content-Length", 0))
            _check_space(self.target.parent, missing, self.target.name)
            with (
                part.open("ab" if have else "wb") as file,
                tqdm(
                    desc=self.target.name,
                    initial=have,
                    total=have + missing or None,
                    unit="B",
                    unit_scale=True,
                    disable=not self.progress,
                ) as bar,
            ):
                for chunk in answer.iter_content(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
        part.replace(output_file)


def _check_space(folder: Path, needed: int, name: str) -> None:
    free = shutil.disk_usage(folder).free
    if needed + ENOUGH > free:
        raise ValueError(
            f"{name} needs {needed / 1e6:.0f} MB more and {folder} has {free / 1e6:.0f} MB left; free some, or let the "
            "environment variable SNNLAB_DATA name a folder on another disk"
        )
