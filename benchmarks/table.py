"""One table of ratios: how fast this package is beside its peers, measured in one run.

    python benchmarks/table.py [--write]

Every script of this folder gives rows; a row is a ratio. ``--write`` puts the table into the README of this folder, and the rows
of ``SHOWN`` into the README of the project.
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

HERE = Path(__file__).parent
MARKS = "<!-- bench: results -->", "<!-- bench: end -->"
#: the rows of the project's README, each by what was measured and the peer
SHOWN = (
    ("training step, MLP, direct", "snnTorch, loop over steps"),
    ("training step, convolutions, latency", "snnTorch, loop over steps"),
    ("attack iteration, MLP, direct", "snnTorch, loop over steps"),
    ("event to paint: ε, PGD-10", "interact + matplotlib"),
    ("first widget paint, from a server", "html-manager page"),
)
SCRIPTS = ("training_step", "convolution_step", "attack_step", "exits", "homes", "explorer")


@dataclass(frozen=True)
class Row:
    """One measurement: what was measured, the peer, and both values in ``unit``; the ratio is the peer's value to ours."""

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
    """Return the rows as a table."""
    lines = ["| what | peer | peer / ours | ours | peer |", "| --- | --- | --- | --- | --- |"]
    for row in rows:
        ours, theirs = (f"{value:,.0f}" if value >= 100 else f"{value:.1f}" for value in (row.ours, row.theirs))
        lines.append(f"| {row.what} | {row.peer} | **{row.ratio:.2f}** | {ours} {row.unit} | {theirs} {row.unit} |")
    return "\n".join(lines)


def shown(table: str) -> str:
    """Return the head of a table and its rows of ``SHOWN``, in that order.

    Raises:
        ValueError: the table has no such row.
    """
    head, line, *rows = table.strip().splitlines()
    by_key = {tuple(cell.strip() for cell in row.split("|")[1:3]): row for row in rows}
    if missing := [key for key in SHOWN if key not in by_key]:
        raise ValueError(f"the table has no rows {missing}; rename them in SHOWN as in the script that measures them")
    return "\n".join([head, line, *(by_key[key] for key in SHOWN)])


def published(readme: str) -> str:
    """Return the text between the marks of a README."""
    return readme.partition(MARKS[0])[2].partition(MARKS[1])[0].strip()


def publish(about: str, table: str, project: Path = HERE.parent / "README.md", full: Path = HERE / "README.md") -> None:
    """Write the table into one README and its rows of ``SHOWN`` into another, each below a line about the circumstances."""
    for path, rows in ((full, table), (project, shown(table))):
        before, _, rest = path.read_text(encoding="utf8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        path.write_text(f"{before}{MARKS[0]}\n{about}\n\n{rows}\n{MARKS[1]}{after}", encoding="utf8")


def circumstances() -> str:
    """Return date, machine and versions."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("torch", "snntorch"))
    machine = f"{os.cpu_count()}-core {platform.machine()} machine, load average {os.getloadavg()[2]:.1f} at the end"
    return f"{dt.date.today()}, {machine}; Python {platform.python_version()}, {libraries}."


def main() -> None:
    """Measure everything and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put the tables into the two READMEs")
    rows = [row for script in SCRIPTS for row in import_module(script).rows()]
    about, table = circumstances(), markdown(rows)
    print(f"{about}\n\n{table}")
    if parser.parse_args().write:
        publish(about, table)


if __name__ == "__main__":
    main()
