"""Training: it learns, it repeats, it resumes as if nothing had happened."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import official
import pytest
import torch
from torch import Tensor, nn

from snnlab.attacks import Budget
from snnlab.data import Dataset, Split
from snnlab.encoding import encoder
from snnlab.networks.classifier import MLP, Classifier, SpikingMLP
from snnlab.networks.conv import Block, SpikingConvNet
from snnlab.training.adversarial import AdversarialTraining
from snnlab.training.bptt import Recipe, _augmented, _Run, accuracy, train


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


@pytest.mark.parametrize(("code", "recipe"), [("onset", {}), ("poisson", {"augment": "flip_crop", "weight_decay": 1e-3})])
@pytest.mark.parametrize("every", [1, 1000])
def test_an_interrupted_run_ends_in_the_same_weights(
    code: str, recipe: dict[str, Any], every: int, mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether a checkpoint is written after every batch, or after epochs alone."""
    data, how = mnist.train[:300], Recipe(epochs=4, **recipe)
    whole = _classifier(code)
    expected = train(whole, data, how, progress=False)

    stopped, checkpoint = _classifier(code), tmp_path / "run.checkpoint"
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
        train(stopped, data, how, checkpoint=checkpoint, checkpoint_every=every, progress=False)
    monkeypatch.undo()
    resumed = _classifier(code)
    seen = 0

    def counted(self: Classifier, images: torch.Tensor) -> torch.Tensor:
        nonlocal seen
        seen += 1
        return forward(self, images)

    monkeypatch.setattr(Classifier, "forward", counted)
    history = train(resumed, data, how, checkpoint=checkpoint, checkpoint_every=every, progress=False)
    assert seen == (12 - 7 if every == 1 else 12 - 6)  # what was done is not done again
    assert history == expected
    for a, b in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_checkpoint_of_another_recipe_is_refused(mnist: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    with pytest.raises(ValueError, match="remove it to start anew"):
        train(_classifier(), mnist.train[:100], Recipe(epochs=2), checkpoint=checkpoint, progress=False)


def test_a_checkpoint_of_other_data_is_refused(mnist: Dataset, tmp_path: Path) -> None:
    """What was tried on a few images must not pass for the whole training."""
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    with pytest.raises(ValueError, match="100 samples"):
        train(_classifier(), mnist.train[:200], Recipe(epochs=1), checkpoint=checkpoint, progress=False)


def test_a_checkpoint_of_another_architecture_is_refused(mnist: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    other = Classifier(SpikingMLP((784, 16, 10)), encoder("onset"))
    with pytest.raises(ValueError, match=r"another run \(network\)"):
        train(other, mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)


@pytest.mark.parametrize(
    "other",
    [
        Classifier(MLP((784, 8, 10))),
        Classifier(SpikingMLP((784, 8, 10)), encoder("onset")),
        Classifier(SpikingMLP((784, 8, 10)), encoder("latency", num_steps=3)),
        Classifier(SpikingMLP((784, 8, 10)), encoder("latency"), "membrane"),
        Classifier(SpikingMLP((784, 8, 10), beta=0.5), encoder("latency")),
    ],
    ids=["ANN twin", "code", "steps", "decoder", "beta"],
)
def test_a_checkpoint_of_another_network_whose_weights_would_fit_is_refused(
    other: Classifier, mnist: Dataset, tmp_path: Path
) -> None:
    checkpoint, own = tmp_path / "run.checkpoint", Classifier(SpikingMLP((784, 8, 10)), encoder("latency"))
    train(own, mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    with pytest.raises(ValueError, match=r"another run \(network\)"):
        train(other, mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)


def test_a_checkpoint_of_other_images_with_these_labels_is_refused(mnist: Dataset, tmp_path: Path) -> None:
    checkpoint, split = tmp_path / "run.checkpoint", mnist.train[:100]
    train(_classifier(), split, Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    with pytest.raises(ValueError, match="remove it to start anew"):
        train(
            _classifier(), Split(split.images * 0.99, split.labels), Recipe(epochs=1), checkpoint=checkpoint, progress=False
        )


@pytest.mark.parametrize("damage", ["truncated", "empty", "foreign", "no tensor file"])
def test_a_damaged_checkpoint_is_named(damage: str, mnist: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    whole = checkpoint.read_bytes()
    if damage == "foreign":
        torch.save({"weights": torch.zeros(3)}, checkpoint)
    else:
        checkpoint.write_bytes(
            {"truncated": whole[: len(whole) // 2], "empty": b"", "no tensor file": b"hello" * 99}[damage]
        )
    with pytest.raises(ValueError, match=r"run\.checkpoint is truncated or no checkpoint"):
        train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)


def test_after_a_resume_no_two_processes_draw_the_same(mnist: Dataset, tmp_path: Path) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:100], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    identity = torch.load(checkpoint, weights_only=True)["recipe"]
    drawn = []
    for rank in range(3):
        run = _Run(identity, {}, torch.Generator(), torch.Generator())
        run.resume(checkpoint, rank)
        drawn.append(float(torch.rand(1, generator=run.draws)))
        assert torch.equal(run.generator.get_state(), torch.load(checkpoint, weights_only=True)["generator"])
    assert len(set(drawn)) == 3


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    mnist: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "run.checkpoint"
    train(_classifier(), mnist.train[:200], Recipe(epochs=1), checkpoint=checkpoint, progress=False)
    before = checkpoint.read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(ValueError, match=r"could not be written .*No space left"):
        train(_classifier(), mnist.train[:200], Recipe(epochs=1), checkpoint=tmp_path / "new.checkpoint", progress=False)
    assert checkpoint.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == [checkpoint.name]


@pytest.mark.parametrize("learning_rate", [1e20, 1e38])
def test_a_loss_or_weight_that_is_not_finite_stops_the_run_and_the_last_good_checkpoint_stays(
    learning_rate: float, mnist: Dataset, tmp_path: Path
) -> None:
    model, checkpoint = Classifier(MLP((784, 8, 10))), tmp_path / "run.checkpoint"
    with pytest.raises(ValueError, match=r"in epoch 1, batch [1-9]; start anew with a lower learning rate"):
        train(
            model,
            mnist.train[:300],
            Recipe(epochs=3, learning_rate=learning_rate),
            checkpoint=checkpoint,
            checkpoint_every=1,
            progress=False,
        )
    if learning_rate == 1e38:  # the first step already is one too many
        assert not checkpoint.exists()
        return
    kept = torch.load(checkpoint, weights_only=True)
    assert all(torch.isfinite(value).all() for value in kept["network"].values())


def test_augmentation_mirrors_and_moves_by_at_most_two_pixels() -> None:
    """A picture whose pixels are all different: each result is one of 2 x 5 x 5 views of it."""
    picture = torch.arange(1.0, 37).view(1, 1, 6, 6)
    padded = [nn.functional.pad(p, [2] * 4)[0, 0] for p in (picture, picture.flip(-1))]
    views = {tuple(p[i : i + 6, j : j + 6].flatten().tolist()) for p in padded for i in range(5) for j in range(5)}
    found = _augmented(picture.expand(2000, 1, 6, 6), "flip_crop", torch.Generator().manual_seed(0))
    assert {tuple(image.flatten().tolist()) for image in found} == views
    assert _augmented(picture, "none", torch.Generator()) is picture


def _colour(num: int = 64) -> Split:
    """Pictures whose class is their colour and brightness."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(num) % 4
    tone = torch.stack([labels % 2, 1 - labels % 2, labels // 2], dim=1).view(num, 3, 1, 1) * 0.6 + 0.2
    return Split((tone + 0.1 * torch.rand(num, 3, 8, 8, generator=generator)).clamp(0, 1), labels, 4)


@pytest.mark.parametrize("code", ["direct", "latency"])
def test_half_precision_learns_what_full_precision_learns(code: str) -> None:
    accuracies = []
    for precision in ("float32", "bfloat16"):
        network = SpikingConvNet((Block(8, stride=2), Block(8, stride=2)), classes=4)
        model = Classifier(network, encoder(code, num_steps=4), "current")
        train(model, _colour(), Recipe(20, 16, 1e-2, precision=precision), progress=False)
        assert {p.dtype for p in network.parameters()} == {torch.float32}
        accuracies.append(accuracy(model, _colour()))
    assert min(accuracies) > 0.95


def test_adversarial_training_in_half_precision_reaches_the_weights() -> None:
    """Weights cast for the attack must not stand in for those that learn."""
    network = SpikingConvNet((Block(8, stride=2),), classes=4)
    model = Classifier(network, encoder("direct", num_steps=2), "current")
    for method in ("pgd", "trades"):
        objective = AdversarialTraining(method, Budget(0.02), steps=1)
        train(model, _colour(), Recipe(1, 32, 1e-2, precision="bfloat16"), objective=objective, progress=False)
        assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())


SHARED = """
import sys, torch
from accelerate import Accelerator
from snnlab import Classifier, Recipe, encoder, train
from snnlab.networks.conv import Block, SpikingConvNet, fold
sys.path[:0] = {tests!r}
from test_training import _colour
network = SpikingConvNet((Block(4, stride=2),), classes=4, threshold=0.05)
fold(network)
model = Classifier(network, encoder("latency", num_steps=3), "current")
team = Accelerator(cpu=True)
train(model, _colour(31), Recipe(3, 11, 1e-2, augment="flip_crop"), accelerator=team, progress=False)
if team.is_main_process:
    found = [*(p.grad for p in network.parameters()), *(p.detach() for p in network.parameters())]
    torch.save([team.num_processes, *found], {out!r})
team.end_training()
"""


@pytest.mark.slow
def test_two_processes_have_the_gradients_and_weights_of_one(tmp_path: Path) -> None:
    found: list[list[Any]] = []
    for number in (1, 2):
        script, out = tmp_path / f"{number}.py", tmp_path / f"{number}.pt"
        script.write_text(SHARED.format(tests=[str(folder) for folder in Path(__file__).parents[:2]], out=str(out)))
        command = [
            sys.executable,
            "-m",
            "torch.distributed.run",
            "--standalone",
            "--nproc-per-node",
            str(number),
            str(script),
        ]
        subprocess.run(command, check=True, env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"})
        found.append(torch.load(out, weights_only=True))
    assert [f[0] for f in found] == [1, 2]
    for a, b in zip(found[0][1:], found[1][1:], strict=True):
        assert isinstance(a, Tensor)
        # Adam divides by the gradient's own size, so that rounding weighs more in small weights.
        assert torch.allclose(a, b, atol=1e-4)
        assert a.abs().max() > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("launcher", [["-m"], ["-m", "accelerate.commands.launch", "--cpu", "--num_processes", "1", "-m"]])
def test_the_paper_sized_recipe_runs_end_to_end_for_a_few_steps(launcher: list[str], tmp_path: Path) -> None:
    model = "resnet18-latency" if len(launcher) == 1 else "vgg11-fusion"
    root = official.write_cifar10(tmp_path / "data")
    options = ["--root", str(root), "--out", str(tmp_path), "--images", "6", "--batch-size", "2", "--epochs", "1"]
    command = [sys.executable, *launcher, "snnlab.cli.train", model, *options, "--no-progress"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "test accuracy" in done.stdout
    assert (tmp_path / model / "network.safetensors").stat().st_size > 30_000_000


@pytest.mark.slow
def test_the_command_says_what_is_wrong_in_one_sentence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snnlab.cli.train", "resnet18-latency", "--root", str(tmp_path)]
    failed = subprocess.run(command, capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert "has nothing; expected" in failed.stderr
    assert "Traceback" not in failed.stderr


@pytest.mark.parametrize("shown", [True, False])
def test_an_objective_is_told_how_much_of_the_training_is_done(shown: bool, mnist: Dataset) -> None:
    class Recorded(list[float]):
        def at(self, progress: float) -> Any:
            self.append(progress)
            return lambda classifier, images, labels, loss: loss(classifier, images, labels)

        def __call__(self, *_: Any) -> Tensor:
            raise AssertionError("the objective of a share is asked, not this one")

    shares = Recorded()
    train(_classifier(), mnist.train[:100], Recipe(epochs=2, batch_size=50), objective=shares, progress=shown)
    assert shares == [0.0, 0.25, 0.5, 0.75]


def test_a_recipe_must_be_positive() -> None:
    with pytest.raises(ValueError, match="positive"):
        Recipe(epochs=0)
