"""Training: it learns, it repeats, it resumes as if nothing had happened."""

from pathlib import Path

import pytest
import torch

from snnlab.data import Dataset
from snnlab.encoding import encoder
from snnlab.network import MLP, Classifier, SpikingMLP
from snnlab.training import Recipe, accuracy, train


def _classifier(name: str = "onset") -> Classifier:
    return Classifier(SpikingMLP((784, 32, 10)), encoder(name))


def test_two_epochs_learn_most_digits(mnist: Dataset) -> None:
    for model in (_classifier(), Classifier(MLP((784, 32, 10)))):
        history = train(model, mnist.train, Recipe(epochs=2), progress=False)
        assert history.loss[1] < history.loss[0]
        assert accuracy(model, mnist.validation) > 0.7


def test_same_seed_same_weights_and_the_global_generator_is_left_alone(mnist: Dataset) -> None:
    models = [_classifier("poisson") for _ in range(3)]
    state = torch.random.get_rng_state()
    weights = []
    for model, seed in zip(models, (1, 1, 2), strict=True):
        train(model, mnist.train[:300], Recipe(epochs=1, seed=seed), progress=False)
        weights.append(model.network.layers[0].weight)
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])
    assert torch.equal(torch.random.get_rng_state(), state)


class Interrupt(Exception):
    pass


def test_an_interrupted_run_ends_in_the_same_weights(mnist: Dataset, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    data, recipe = mnist.train[:300], Recipe(epochs=4)
    whole = _classifier()
    expected = train(whole, data, recipe, progress=False)

    stopped, checkpoint = _classifier(), tmp_path / "run.checkpoint"
    calls = 0
    forward = Classifier.forward

    def interrupted(self: Classifier, images: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == 8:  # in the third epoch, between its first and its last batch
            raise Interrupt
        return forward(self, images)

    monkeypatch.setattr(Classifier, "forward", interrupted)
    with pytest.raises(Interrupt):
        train(stopped, data, recipe, checkpoint=checkpoint, progress=False)
    monkeypatch.undo()
    resumed = _classifier()
    history = train(resumed, data, recipe, checkpoint=checkpoint, progress=False)
    assert history == expected
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_of_another_recipe_is_refused(mnist: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    with pytest.raises(ValueError, match="remove it to start anew"):
        train(_classifier(), mnist.train[:100], Recipe(epochs=2), checkpoint=checkpoint, progress=False)


def test_a_loss_that_is_not_finite_stops_the_run(mnist: Dataset) -> None:
    model = Classifier(MLP((784, 8, 10)))
    with pytest.raises(ValueError, match="lower the learning rate"):
        train(model, mnist.train[:300], Recipe(epochs=3, learning_rate=1e20), progress=False)


def test_a_recipe_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Recipe(epochs=0)
