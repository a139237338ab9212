"""Builds the book for the tests that read it, as `make book` does, once a run."""

import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
BUILD = ROOT / "_build"


def built_book() -> Path:
    """The folder with the pages of the book, built with every warning an error."""
    done = _build()
    assert done.returncode == 0, f"the book does not build:\n{done.stdout}"
    return BUILD / "html"


@cache
def _build() -> subprocess.CompletedProcess[str]:
    """One build a run, failed or not."""
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", "book", "-n", "-W", "--keep-going"]
    env = {key: value for key, value in os.environ.items() if key not in ("SNNLAB_REPOSITORY", "SNNLAB_SITE")}
    env["OMP_NUM_THREADS"] = "1"
    return subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
