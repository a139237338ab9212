r"""Training by backpropagation through time (BPTT) with surrogate gradients.

Minimises a loss of ``snnlab.losses``, by default the cross-entropy of the logits that the decoder reads at the last step,

.. math:: L = -\log \mathrm{softmax}\Big(\sum_{t<T} s_k[t]\Big)_{y} \quad\text{(decoder "rate")}

with Adam and a cosine schedule. The same function trains the ANN twin. Runs are seeded and resumable: a run that was
interrupted and taken up again ends in the same weights as one that was not (Neftci et al. 2019 for the gradient).

An *objective* decides which images the loss sees, and what is added to it; ``snnlab.adversarial`` has some.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from snnlab.data import Split
from snnlab.losses import Loss
from snnlab.losses import loss as loss_named
from snnlab.network import Classifier

__all__ = ["Objective", "Recipe", "accuracy", "initialise", "train"]


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: everything that decides its weights, besides data, architecture and objective.

    ``loss`` is a name that ``snnlab.losses.loss`` knows.
    """

    epochs: int = 15
    batch_size: int = 100
    learning_rate: float = 2e-3
    seed: int = 0
    loss: str = "count"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0:
            raise ValueError(f"epochs, batch_size and learning_rate must be positive, got {self}")
        loss_named(self.loss)  # raises if there is none of this name


class Objective(Protocol):
    """What is minimised on a batch, made from the recipe's loss: on other images, or with a term added.

    Its ``repr`` must tell it from others, as a frozen dataclass's does: a checkpoint is taken up only by its own objective.
    Randomness comes from ``classifier.generator``, which is seeded and stored with the run.
    """

    def __call__(self, classifier: Classifier, images: Tensor, labels: Tensor, loss: Loss) -> Tensor:
        """A scalar to be minimised; the network is in training mode, and is so again afterwards."""
        ...


@dataclass
class History:
    """Mean training loss and validation accuracy after each epoch."""

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


def initialise(network: nn.Module, seed: int) -> None:
    """PyTorch's default initialisation of every layer, drawn from ``seed`` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in network.modules():
            reset = getattr(module, "reset_parameters", None)
            if callable(reset):
                reset()


def train(
    classifier: Classifier,
    data: Split,
    recipe: Recipe,
    *,
    objective: Objective | None = None,
    warm_start: bool = False,
    validation: Split | None = None,
    checkpoint: Path | None = None,
    progress: bool = True,
) -> History:
    """Train ``classifier.network`` in place, from the initialisation that ``recipe.seed`` draws.

    Args:
        classifier: its network is initialised and trained; read at its exit step.
        data: training images and labels.
        recipe: epochs, batch size, learning rate, seed, loss.
        objective: what becomes of the loss on a batch, e.g. an ``AdversarialTraining``; ``None`` minimises it as it is.
        warm_start: keep the weights that the network has, instead of initialising them.
        validation: measured after each epoch, for the eye; the last epoch's weights are kept whatever it says.
        checkpoint: file written after each epoch and resumed from if it is there.
        progress: whether to show a progress bar.

    Raises:
        ValueError: a checkpoint of another recipe, objective or warm start; a loss that is not finite (the last good
            checkpoint stays).
    """
    network, batch_loss = classifier.network, loss_named(recipe.loss)
    identity = _identity(recipe, objective, network if warm_start else None)
    if not warm_start:
        initialise(network, recipe.seed)
    generator = torch.Generator().manual_seed(recipe.seed)
    classifier.generator = generator
    per_epoch = -(-len(data) // recipe.batch_size)
    optimizer = torch.optim.Adam(network.parameters(), recipe.learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * per_epoch)
    history = History()
    parts = {"network": network, "optimizer": optimizer, "schedule": schedule}
    if checkpoint is not None and checkpoint.exists():
        _resume(checkpoint, identity, parts, generator, history)

    first = len(history.loss)
    with tqdm(total=recipe.epochs, initial=first, unit="epoch", disable=not progress) as bar:
        for epoch in range(first, recipe.epochs):
            network.train()
            total = 0.0
            for rows in torch.split(torch.randperm(len(data), generator=generator), recipe.batch_size):
                x, y = data.images[rows], data.labels[rows]
                loss = objective(classifier, x, y, batch_loss) if objective else batch_loss(classifier, x, y)
                if not torch.isfinite(loss):
                    raise ValueError(f"loss is {loss.item()} in epoch {epoch + 1}; lower the learning rate and resume")
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                schedule.step()
                total += loss.item() * len(rows)
            history.loss.append(total / len(data))
            if validation is not None:
                history.validation.append(accuracy(classifier, validation))
                bar.set_postfix(loss=f"{history.loss[-1]:.3f}", validation=f"{history.validation[-1]:.3f}")
            if checkpoint is not None:
                _save(checkpoint, identity, parts, generator, history)
            bar.update()
    network.eval()
    return history


@torch.no_grad()
def accuracy(classifier: Classifier, split: Split, batch_size: int = 500) -> float:
    """Fraction of ``split`` answered correctly at the classifier's exit step; silence is an error."""
    exit_index = classifier.exit_step - 1
    correct = sum(int((classifier.predict(x)[exit_index] == y).sum()) for x, y in split.batches(batch_size))
    return correct / len(split)


def _identity(recipe: Recipe, objective: Objective | None, start: nn.Module | None) -> dict[str, Any]:
    """What a checkpoint must agree on. Defaults that came later are left out, so that older checkpoints stay valid."""
    identity = dict(vars(recipe))
    if recipe.loss == "count":
        del identity["loss"]
    if objective is not None:
        identity["objective"] = repr(objective)
    if start is not None:
        weights = b"".join(value.detach().cpu().numpy().tobytes() for value in start.state_dict().values())
        identity["warm_start"] = hashlib.sha256(weights).hexdigest()
    return identity


def _save(path: Path, identity: dict[str, Any], parts: dict[str, Any], generator: torch.Generator, history: History) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: part.state_dict() for name, part in parts.items()}
    state |= {"recipe": identity, "generator": generator.get_state(), "history": vars(history)}
    part_written = path.with_suffix(".part")
    torch.save(state, part_written)
    part_written.replace(path)  # atomic: an interruption leaves the old checkpoint or the new one, never half of one


def _resume(
    path: Path, identity: dict[str, Any], parts: dict[str, Any], generator: torch.Generator, history: History
) -> None:
    state = torch.load(path, weights_only=True)
    if state["recipe"] != identity:
        raise ValueError(f"{path.name} belongs to {state['recipe']}, not to {identity}; remove it to start anew")
    for name, part in parts.items():
        part.load_state_dict(state[name])
    generator.set_state(state["generator"])
    history.loss, history.validation = state["history"]["loss"], state["history"]["validation"]
