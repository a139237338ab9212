"""Fetch official files: ``pooch`` keeps them in the user's cache (``SNNLAB_DATA`` names another) and verifies their MD5 sums.

Added to it: several addresses of one file, and fetches that continue where they broke off.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

__all__ = ["OfficialFile", "fetch", "folder_of"]

TIMEOUT = 30  # seconds without an answer


@dataclass(frozen=True)
class OfficialFile:
    """A file that its authors publish: address, MD5 sum, name on disk, and further addresses of the same bytes."""

    url: str
    md5: str
    filename: str = ""
    mirrors: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return its name without the address."""
        return self.filename or self.url.rpartition("/")[2]


def folder_of(data_set: str) -> Path:
    """Return the folder for the files of a data set."""
    import pooch

    return Path(os.environ.get("SNNLAB_DATA") or pooch.os_cache("snnlab")) / data_set


def fetch(
    files: Mapping[str, OfficialFile], data_set: str, *, progress: bool = True, folder: Path | None = None
) -> dict[str, Path]:
    """Return the paths of all files; what is not in ``folder`` (``None``: the cache) is fetched from one address after the other.

    A fetch that broke off continues where it stopped, also at another address: the MD5 sum of the whole decides.

    Raises:
        ValueError: no address gives the published file; the message names reasons, and how to get it by hand.
    """
    target = folder or folder_of(data_set)
    return {role: _retrieved(file, data_set, target, progress) for role, file in files.items()}


def _retrieved(file: OfficialFile, data_set: str, folder: Path, progress: bool) -> Path:
    import pooch
    import requests

    part, reasons = folder / f"{file.name}.part", []
    addresses = [file.url, *file.mirrors]
    for url in addresses:
        resumed = part.exists()
        downloader = partial(_resumed, part, progress)
        try:
            return Path(pooch.retrieve(url, f"md5:{file.md5}", file.name, folder, downloader=downloader))
        except requests.RequestException as error:
            status = getattr(error.response, "status_code", "")
            reasons.append(f"{url} ({type(error).__name__}{f' {status}' if status else ''})")
        except ValueError:
            reasons.append(f"{url} (another MD5 sum)")
            if resumed:
                addresses.append(url)  # the part may have been damaged: once more from the start
    raise ValueError(
        f"{data_set} could not be fetched: {'; '.join(reasons)}. Try again later to continue, or download {file.name} in a "
        f"browser into {folder}; its MD5 sum is {file.md5}"
    )


def _resumed(part: Path, progress: bool, url: str, target: Any, pooch: object) -> None:
    """Download to ``part``, from where it ends, and move it to ``target``: a downloader of ``pooch``, whose files start anew."""
    import requests

    start = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
        if response.status_code == 416:  # nothing after ``start``: the part is whole, or not of this file
            shutil.move(part, target)
            return
        response.raise_for_status()
        if response.status_code not in (200, 206):  # such as 202 with an empty page
            raise requests.HTTPError(f"unexpected answer {response.status_code}", response=response)
        start = start if response.status_code == 206 else 0
        total = start + int(response.headers.get("Content-Length", 0)) or None
        bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=part.stem, disable=not progress)
        with part.open("ab" if start else "wb") as file, bar:
            for chunk in response.iter_content(1 << 16):
                bar.update(file.write(chunk))
    shutil.move(part, target)
