"""Spikes that move in time: the page searches as Python does, and stays inside its budget."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest
import torch
from building import ROOT
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import retiming
from snnlab.attacks.retiming import Method, retiming_attack
from snnlab.attacks.time_budget import TimeBudget
from snnlab.encoding import Encoder
from snnlab.zoo import export

JS = ROOT / "snnlab" / "widgets" / "js"
STEPS = 15
#: by network: budget, exit, digits
ASKED = {
    "latency": ("shift 2", 6, 20),
    "onset": ("shift 4", 8, 4),
    "offset": ("shift 2, moved 20", 8, 4),
    "phase": ("moved 10", 8, 4),
    "poisson": ("shift 1, moved 40", 8, 4),
    "fusion": ("shift 4", 8, 4),
}
SCRIPT = """
import { readFileSync } from "node:fs";
import { network } from "./src/engine/network.js";
import { retime } from "./src/retiming/search.js";
const { payload, budget, mover, steps, exit, cases } = JSON.parse(readFileSync(0, "utf8"));
const model = network(payload, 8);
const out = [];
for (const { spikes, label, random } of cases) {
  const queue = [...random];
  const aim = { label, exitStep: exit, mover, steps, random: () => queue.shift() };
  const { sequence, after, spent } = await retime(model, Float32Array.from(spikes), budget, aim);
  const answer = model.respond(null, sequence).predictions[exit - 1];
  out.push({ after: [...after], spent, answer, unused: queue.length });
}
console.log(JSON.stringify(out));
"""


def in_page(**asked: Any) -> list[dict[str, Any]]:
    command = ["node", "--import", "./tests/assets.mjs", "--input-type=module", "-e", SCRIPT]
    done = subprocess.run(command, cwd=JS, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def counts(code: Encoder, spikes: Tensor) -> Tensor:
    values = retiming.spike_values(code, spikes)
    return torch.where(values > 0, spikes / values.where(values > 0, torch.ones(())), torch.zeros(())).round()


@pytest.mark.parametrize(("name", "mover"), [*((name, "attacker") for name in ASKED), ("latency", "chance")])
def test_the_page_moves_the_spikes_that_python_moves(name: str, mover: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same random numbers give the same trains, but for rounding: in all cases but one of twenty at most."""
    text, exit_step, many = ASKED[name]
    budget, digits = TimeBudget(text), data.load("mnist5k").test[:many]
    victim = zoo.load(name).at(exit_step=exit_step)
    victim.generator = torch.Generator().manual_seed(0)
    assert victim.encoder is not None
    drawn: list[float] = []

    def recorded(like: Tensor, generator: torch.Generator | None) -> Tensor:
        numbers = torch.rand(like.shape, generator=generator)
        drawn.extend(numbers.flatten().tolist())
        return numbers

    monkeypatch.setattr(retiming, "uniform", recorded)
    cases, expected = [], []
    method: Method = "gradient" if mover == "attacker" else "noise"
    for n in range(many):
        spikes, label = victim.encode(digits.images[n : n + 1]), digits.labels[n : n + 1]
        drawn.clear()
        generator = torch.Generator().manual_seed(n)
        found = retiming_attack(victim, spikes, label, budget, method, steps=STEPS, generator=generator)
        cases.append({"spikes": spikes.flatten().tolist(), "label": int(label), "random": list(drawn)})
        expected.append((spikes, found))
    limits = {"shift": budget.shift, "moved": budget.moved}
    model = export.payload(f"model/{name}")
    page = in_page(payload=model, budget=limits, mover=mover, steps=STEPS, exit=exit_step, cases=cases)

    same = 0
    for (spikes, found), of_page in zip(expected, page, strict=True):
        before = counts(victim.encoder, spikes)
        after = torch.tensor(of_page["after"], dtype=torch.float).view_as(before)
        budget.verify(after, before)
        spent = {kind: int(amount) for kind, amount in TimeBudget.amounts(after, before).items()}
        assert {kind: spent[kind] for kind in ("shift", "moved")} == of_page["spent"]
        values = retiming.spike_values(victim.encoder, spikes)
        sequence = torch.where(values > 0, after * values, spikes)
        assert int(victim.answers(*victim.respond(sequence))[exit_step - 1]) == of_page["answer"]
        same += int(torch.equal(sequence, found.spikes) and of_page["unused"] == 0)
    assert same >= many - max(1, many // 20)
    assert mover == "chance" or any(int(of_page["spent"]["moved"]) > 0 for of_page in page)
