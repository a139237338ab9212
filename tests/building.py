"""Build the book for the tests that read it, as `make book` does, once a run."""

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
    """Return the folder with the pages of the book, built with every warning an error."""
    build = _build()
    assert build.returncode == 0, f"the book does not build:\n{build.stdout}"
    return BUILD / "html"


@cache
def _build() -> subprocess.CompletedProcess[str]:
    """Build once a run: the first of several processes builds, the others read its result, failed or not."""
    BUILD.mkdir(exist_ok=True)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    result = BUILD / ".built.json"
    with FileLock(BUILD / ".building.lock"):
        known = json.loads(result.read_text()) if result.exists() else {}
        if known.get("run") != run:
            build = _run_build()
            known = {"run": run, "code": build.returncode, "output": build.stdout}
            result.write_text(json.dumps(known))
    return subprocess.CompletedProcess([], known["code"], known["output"])


def _run_build() -> subprocess.CompletedProcess[str]:
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    command = [jupyter_book, "build", "book", "-n", "-W", "--keep-going"]
    env = {key: value for key, value in os.environ.items() if key not in ("SNNLAB_REPOSITORY", "SNNLAB_SITE")}
    env["OMP_NUM_THREADS"] = "1"
    return subprocess.run(
        command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
