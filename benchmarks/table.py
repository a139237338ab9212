"""One table of ratios: what is fast here, and next to which peer, measured in one run.

    python benchmarks/table.py [--write]

Every script of this folder gives rows; a row is a ratio. ``--write`` puts the table into the README of the project.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
MARKS = "<!-- bench: results -->", "<!-- bench: end -->"
SCRIPTS = ("training_step", "convolution_step", "attack_step", "exits", "explorer")


@dataclass(frozen=True)
class Row:
    """What was measured, the peer beside it, and both in milliseconds (or bytes): the ratio is the peer's to ours."""

    what: str
    peer: str
    ours: float
    theirs: float
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        """Above 1: the peer takes longer."""
        return self.theirs / self.ours


def markdown(rows: Iterable[Row]) -> str:
    """The rows as a table."""
    lines = ["| what | peer | peer / ours | ours | peer |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        ours, theirs = (f"{value:,.0f}" if value >= 100 else f"{value:.1f}" for value in (row.ours, row.theirs))
        lines.append(f"| {row.what} | {row.peer} | **{row.ratio:.2f}** | {ours} {row.unit} | {theirs} {row.unit} |")
    return "\n".join(lines)


def circumstances() -> str:
    """Date, machine and versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "snntorch"))
    machine = f"{os.cpu_count()}-core {platform.machine()} machine, load average {os.getloadavg()[2]:.1f} at the end"
    return f"{dt.date.today()}, {machine}; Python {platform.python_version()}, {libraries}."


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    rows = [row for script in SCRIPTS for row in import_module(script).rows()]
    text = f"{circumstances()}\n\n{markdown(rows)}"
    print(text)
    if parser.parse_args().write:
        before, _, rest = README.read_text().partition(MARKS[0])
        README.write_text(f"{before}{MARKS[0]}\n{text}\n{MARKS[1]}{rest.partition(MARKS[1])[2]}")


if __name__ == "__main__":
    main()
