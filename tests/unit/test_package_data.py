"""The files of the package that are no Python: an installed copy has them."""

import subprocess
import tomllib
from pathlib import Path, PurePath

from building import ROOT


def test_every_data_file_of_the_package_is_installed() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["snnlab"]
    installed = {path.relative_to(ROOT / "snnlab") for pattern in patterns for path in (ROOT / "snnlab").glob(pattern)}
    listed = subprocess.run(["git", "ls-files", "snnlab"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    tracked = {Path(line).relative_to("snnlab") for line in listed.splitlines()}
    data = {path for path in tracked if path.suffix != ".py" and not path.is_relative_to(PurePath("widgets/js"))}
    assert len(data) > 10
    assert sorted(data - installed) == []
