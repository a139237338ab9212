"""The playground as a widget, and the file that it saves as a classifier."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import traitlets

from snnlab import Classifier, Recipe, SpikingMLP, data, encoder, load, train
from snnlab.networks import save
from snnlab.widgets import PlaygroundExplorer


def test_result_is_the_network_that_the_state_describes() -> None:
    model = PlaygroundExplorer(code="onset", steps=5, neurons=16, surrogate="arctan", slope=2.0, loss="membrane").result()
    assert (model.num_steps, model.decoder, model.network.sizes) == (5, "membrane", (784, 16, 10))
    assert model.network.surrogate.shape == "arctan"
    history = train(model, data.load("mnist5k").train[:200], Recipe(epochs=1, loss="membrane"), progress=False)
    assert len(history.loss) == 1


def test_a_second_hidden_layer_is_one_more_size(tmp_path: Path) -> None:
    explorer = PlaygroundExplorer(code="latency", neurons=16, second=32)
    model = explorer.result()
    assert model.network.sizes == (784, 16, 32, 10)
    assert "16 and 32 hidden neurons" in explorer.to_html()
    assert 'second="32"' in explorer.save(tmp_path / "page.html").read_text()
    again = load(save(model, tmp_path / "two.safetensors"), SpikingMLP((784, 16, 32, 10)))
    images = data.load("mnist5k").test.images[:5]
    assert torch.equal(again.predict(images), model.predict(images))


def test_binary_code_can_be_learned_too() -> None:
    assert PlaygroundExplorer(code="binary").result().encoder.title == "binary"


@pytest.mark.parametrize(
    "state", [{"code": "poisson"}, {"steps": 1}, {"eps": 0.4}, {"loss": "hinge"}, {"neurons": 1000}, {"second": 257}]
)
def test_state_that_does_not_exist_is_an_error(state: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        PlaygroundExplorer(**state)


def test_still_says_what_would_be_learned() -> None:
    assert "128 hidden neurons learns in the page" in PlaygroundExplorer(code="latency").to_html()


def test_file_without_an_architecture_asks_for_a_network(tmp_path: Path) -> None:
    model = Classifier(SpikingMLP((784, 8, 10)), encoder("onset"))
    path = save(model, tmp_path / "plain.safetensors")
    with pytest.raises(ValueError, match=r"give an untrained one: load\(path, network\)"):
        load(path)
    again = load(path, SpikingMLP((784, 8, 10)))
    images = data.load("mnist5k").test.images[:5]
    assert torch.equal(again.predict(images), model.predict(images))
