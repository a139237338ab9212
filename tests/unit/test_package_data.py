"""The files of the package that are no Python: an installed copy has them."""

import re
import subprocess
import tomllib
from pathlib import Path, PurePath

import pytest
from building import ROOT


def test_every_data_file_of_the_package_is_installed() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["snnlab"]
    installed = {path.relative_to(ROOT / "snnlab") for pattern in patterns for path in (ROOT / "snnlab").glob(pattern)}
    listed = subprocess.run(["git", "ls-files", "snnlab"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {Path(line).relative_to("snnlab") for line in listed.splitlines()}
    data = {path for path in tracked if path.suffix != ".py" and not path.is_relative_to(PurePath("widgets/js"))}
    assert len(data) > 10
    assert sorted(data - installed) == []


@pytest.mark.case("an old library that pins old ones")
def test_the_package_asks_for_nothing_that_pins_an_old_version_of_another() -> None:
    """``torchattacks`` and ``spikingjelly`` are installed last and without what they ask for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(name for extra in project["optional-dependencies"].values() for name in extra)]
    names = {re.split(r"[<>=!~ \[]", line)[0] for line in asked}
    alone = ("torchattacks", "spikingjelly")
    assert names.isdisjoint(alone)
    makefile = (ROOT / "Makefile").read_text()
    assert all(f"--no-deps \"$$(grep '^{name}==' constraints.txt)\"" in makefile for name in alone)
