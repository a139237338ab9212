"""Measure what a chapter costs to run: processor seconds and peak memory of its kernel, on one thread.

    python benchmarks/chapter_costs.py               # measure all chapters, write chapter_costs.csv
    python benchmarks/chapter_costs.py early_exit    # measure one, print

The status page shows ``chapter_costs.csv``. A test measures again and limits every chapter to two minutes of a slow processor
and to 1.2 GB, the memory of a small Binder machine.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import nbformat
from nbclient import NotebookClient

BOOK = Path(__file__).parent.parent / "book"
sys.path.append(str(BOOK / "_ext"))

import chapters as book_chapters  # noqa: E402

RECORD = Path(__file__).with_suffix(".csv")
LIMITS = {"seconds": 120.0, "megabytes": 1200.0}


@dataclass(frozen=True)
class Cost:
    """Processor time and peak of resident memory of the kernel that ran a chapter from its first cell to its last."""

    seconds: float
    megabytes: float


def chapters() -> list[str]:
    """Return the names of the chapters, in order."""
    return [path.stem for path in book_chapters.chapters(BOOK)]


def measure(chapter: str) -> Cost:
    """Run a chapter in a separate process, whose only child is the kernel, and read the resources that the child used.

    Raises:
        subprocess.CalledProcessError: a cell of the chapter raised.
    """
    one_thread = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    run = subprocess.run(
        [sys.executable, __file__, "--kernel", chapter], env=one_thread, stdout=subprocess.PIPE, text=True, check=True
    )
    return Cost(**json.loads(run.stdout))


def _run(chapter: str) -> Cost:
    import resource  # not on Windows

    path = BOOK / f"{chapter}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=600, resources={"metadata": {"path": str(path.parent)}}).execute()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kibibytes elsewhere
    return Cost(round(used.ru_utime + used.ru_stime, 1), round(used.ru_maxrss * unit / 1e6))


def main(wanted: list[str]) -> None:
    if wanted[:1] == ["--kernel"]:
        print(json.dumps(asdict(_run(wanted[1]))))
        return
    costs = {}
    for chapter in wanted or chapters():
        costs[chapter] = measure(chapter)
        print(f"{chapter:16} {costs[chapter].seconds:5.1f} s  {costs[chapter].megabytes:5.0f} MB", flush=True)
    if not wanted:
        with RECORD.open("w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["chapter", "seconds", "megabytes"])
            table.writerows(
                [f"{{doc}}`/{name}`", f"{cost.seconds:.1f}", f"{cost.megabytes:.0f}"] for name, cost in costs.items()
            )


if __name__ == "__main__":
    main(sys.argv[1:])
