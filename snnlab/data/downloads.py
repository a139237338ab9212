"""Fetch official files: ``pooch`` keeps them in the user's cache (``SNNLAB_DATA`` names another) and verifies their MD5 sums."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pooch
import requests

__all__ = ["OfficialFile", "fetch", "folder_of"]

TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class OfficialFile:
    """A file that its authors publish: where, and its MD5 sum."""

    url: str
    md5: str

    @property
    def name(self) -> str:
        """Return its name without the address."""
        return self.url.rpartition("/")[2]


def folder_of(data_set: str) -> Path:
    """Return the folder for the files of a data set."""
    return Path(os.environ.get("SNNLAB_DATA") or pooch.os_cache("snnlab")) / data_set


def fetch(files: Mapping[str, OfficialFile], data_set: str, *, progress: bool = True) -> dict[str, Path]:
    """Return the paths of all files, fetched unless cached; ``ValueError`` without a network or for another sum."""
    downloader = pooch.HTTPDownloader(progressbar=progress, timeout=TIMEOUT)
    paths = {}
    for role, file in files.items():
        try:
            path = pooch.retrieve(file.url, f"md5:{file.md5}", file.name, folder_of(data_set), downloader=downloader)
        except requests.RequestException as error:
            addresses = ", ".join(each.url for each in files.values())
            raise ValueError(
                f"{data_set} could not be fetched ({type(error).__name__}); fetch {addresses} elsewhere and name their folder: "
                f"load({data_set!r}, root=…)"
            ) from None
        except ValueError as error:  # another sum
            raise ValueError(f"{file.name} from {file.url} is not the published file ({error}); try again later") from None
        paths[role] = Path(path)
    return paths
