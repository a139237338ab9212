"""Builds the book for the tests that read it, as `make book` does, once a run."""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

from filelock import FileLock

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
    """One build a run, failed or not: of several processes the first builds, and the others read what came of it."""
    BUILD.mkdir(exist_ok=True)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    told = BUILD / ".built.json"
    with FileLock(BUILD / ".building.lock"):
        known = json.loads(told.read_text()) if told.exists() else {}
        if known.get("run") != run:
            done = _built()
            known = {"run": run, "code": done.returncode, "said": done.stdout}
            told.write_text(json.dumps(known))
    return subprocess.CompletedProcess([], known["code"], known["said"])


def _built() -> subprocess.CompletedProcess[str]:
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", "book", "-n", "-W", "--keep-going"]
    env = {key: value for key, value in os.environ.items() if key not in ("SNNLAB_REPOSITORY", "SNNLAB_SITE")}
    env["OMP_NUM_THREADS"] = "1"
    return subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
