r"""Training by backpropagation through time (BPTT) with surrogate gradients.

Minimises a loss of ``snnlab.training.losses``, by default the cross-entropy of the logits that the decoder reads at
the last step,

.. math:: L = -\log \mathrm{softmax}\Big(\sum_{t<T} s_k[t]\Big)_{y} \quad\text{(decoder "rate")}

with Adam and a cosine schedule; the ANN twin too. Runs are seeded and resumable to the batch: an interrupted run ends in the same
weights (Neftci et al. 2019 for the gradient).

**Many devices.** Given an ``accelerate.Accelerator``, every process takes its share of each batch and gradients are averaged,
weighted by the shares (a stochastic code or an attack draws other numbers in each; after a resume, anew in all but the first).
Batch norm averages over the whole batch on GPUs (``torch.nn.SyncBatchNorm``), on CPUs over the share of each process.
"""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from snnlab.data import Split
from snnlab.files import replacing
from snnlab.networks.classifier import Classifier, bytes_of, constants
from snnlab.training.losses import Loss
from snnlab.training.losses import loss as loss_named

if TYPE_CHECKING:
    from accelerate import Accelerator

PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16}
AUGMENTATIONS: tuple[str, ...] = ("none", "flip_crop")
SHIFT = 2  # pixels that "flip_crop" moves a picture by, at most
ANEW = "start anew with a lower learning rate (the last good checkpoint stays)"


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights of a model, besides data, architecture and objective.

    Args:
        epochs: passes over the data.
        batch_size: images a step, over all processes.
        learning_rate: Adam's, at the start of the cosine.
        seed: of initialisation, order, augmentation and stochastic codes.
        loss: a name for ``snnlab.training.losses.loss``.
        weight_decay: decoupled (AdamW, Loshchilov & Hutter 2019).
        precision: ``"float32"``, or ``"bfloat16"`` for convolutions and neurons alone.
        augment: ``"none"``, or ``"flip_crop"``: mirrored with probability 1/2 and moved by up to two pixels.

    Raises:
        ValueError: a value out of range, an unknown name.
    """

    epochs: int = 15
    batch_size: int = 100
    learning_rate: float = 2e-3
    seed: int = 0
    loss: str = "count"
    weight_decay: float = 0.0
    precision: str = "float32"
    augment: str = "none"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1 or not self.learning_rate > 0 or self.weight_decay < 0:
            raise ValueError(f"epochs, batch_size and learning_rate must be positive, weight_decay 0 or more, got {self}")
        if self.precision not in PRECISIONS:
            raise ValueError(f"unknown precision {self.precision!r}; choose one of {', '.join(PRECISIONS)}")
        if self.augment not in AUGMENTATIONS:
            raise ValueError(f"unknown augmentation {self.augment!r}; choose one of {', '.join(AUGMENTATIONS)}")
        loss_named(self.loss)  # raises if there is none of this name


#: what is minimised on a batch, a function of classifier, images, labels and the recipe's loss. Randomness comes from
#: ``classifier.generator``; its ``repr`` must tell it from others, as a frozen dataclass's does.
Objective = Callable[[Classifier, Tensor, Tensor, Loss], Tensor]


@runtime_checkable
class Scheduled(Protocol):
    """An objective that changes while it is minimised."""

    def at(self, progress: float) -> Objective:
        """Return the objective when a share ``progress`` of all batches is done."""


@dataclass
class History:
    """Mean training loss and validation accuracy after each epoch; ``seconds`` of all stretches of a resumed run."""

    loss: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)
    seconds: float = field(default=0.0, compare=False)


def initialise(network: nn.Module, seed: int) -> None:
    """PyTorch's default initialisation of every layer, drawn from ``seed`` alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        for module in network.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
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
    checkpoint_every: int = 200,
    accelerator: Accelerator | None = None,
    progress: bool = True,
) -> History:
    """Train ``classifier.network`` in place, from the initialisation that ``recipe.seed`` draws.

    Args:
        classifier: its network is initialised and trained; read at its exit step.
        data: training images and labels.
        recipe: settings of the training.
        objective: objective on a batch, e.g. an ``AdversarialTraining``; ``None``: the loss of the recipe.
        warm_start: whether training begins at the present weights.
        validation: measured after each epoch; it does not change the training.
        checkpoint: file written after each epoch and every ``checkpoint_every`` batches; an existing one is resumed.
        accelerator: devices and processes; ``None``: this process, on the CPU.
        progress: whether to show a progress bar.

    Raises:
        ValueError: a checkpoint of another recipe, data, objective, warm start, code or architecture, one that is damaged or
            cannot be written; a loss or weight that is not finite (the last good checkpoint stays).
    """
    batch_loss, team = loss_named(recipe.loss), _Team(accelerator)
    classifier.network.train()
    identity = _identity(recipe, objective, classifier, data, warm_start)
    if not warm_start:
        initialise(classifier.network, recipe.seed)
    network = classifier.network.to(team.device)
    if team.size > 1 and team.device.type != "cpu":
        classifier.network = network = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
    generator = torch.Generator().manual_seed(recipe.seed)
    # The order and the augmentation are the same for all processes; what a code or an attack draws is each one's own.
    draws = generator
    if team.size > 1 or team.device.type != "cpu":
        draws = torch.Generator(team.device).manual_seed(recipe.seed + 7919 * team.rank)
    classifier.generator = draws
    per_epoch = -(-len(data) // recipe.batch_size)
    adam = torch.optim.AdamW if recipe.weight_decay else torch.optim.Adam
    optimizer = adam(network.parameters(), recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, recipe.epochs * per_epoch)
    run = _Run(identity, {"network": network, "optimizer": optimizer, "schedule": schedule}, generator, draws)
    if checkpoint is not None and checkpoint.exists():
        run.resume(checkpoint, team.rank)

    first = len(run.history.loss)
    done = first * per_epoch + run.batch
    with tqdm(total=recipe.epochs * per_epoch, initial=done, unit="batch", disable=not progress) as bar:
        for epoch in range(first, recipe.epochs):
            network.train()
            for rows in run.rest_of_epoch(len(data), recipe.batch_size):
                x, y = _augmented(data.images[rows], recipe.augment, generator), data.labels[rows]
                x, y, share = team.share(x, y)
                # Without its cache: a weight that was cast for an attack carries no gradient.
                with torch.autocast(
                    team.device.type, PRECISIONS[recipe.precision], recipe.precision != "float32", cache_enabled=False
                ):
                    progress_made = schedule.last_epoch / (recipe.epochs * per_epoch)  # the bar counts only if it is shown
                    goal = objective.at(progress_made) if isinstance(objective, Scheduled) else objective
                    loss = goal(classifier, x, y, batch_loss) if goal else batch_loss(classifier, x, y)
                if not torch.isfinite(loss):
                    raise ValueError(f"loss is {loss.item()} in epoch {epoch + 1}, batch {run.batch + 1}; {ANEW}")
                optimizer.zero_grad()
                (loss * share if share != 1 else loss).backward()  # type: ignore[no-untyped-call]
                team.average_gradients(network)
                optimizer.step()
                schedule.step()
                run.total += loss.item() * len(rows)
                run.batch += 1
                bar.update()
                due = checkpoint is not None and run.batch % checkpoint_every == 0
                if (due or run.batch == per_epoch) and not all(v.isfinite().all() for v in network.state_dict().values()):
                    raise ValueError(f"a weight is no longer finite in epoch {epoch + 1}, batch {run.batch}; {ANEW}")
                if checkpoint is not None and due and team.rank == 0:
                    run.save(checkpoint)
            run.history.loss.append(run.total / len(data))
            run.batch, run.total, run.begun = 0, 0.0, None
            if validation is not None:
                run.history.validation.append(accuracy(classifier, validation.to(team.device)))
                bar.set_postfix(loss=f"{run.history.loss[-1]:.3f}", validation=f"{run.history.validation[-1]:.3f}")
            if checkpoint is not None and team.rank == 0:
                run.save(checkpoint)
    network.eval()
    run.tick()
    return run.history


@dataclass
class _Run:
    """What a checkpoint holds: a training and how far it is. ``begun``: the generator's state at the start of the epoch."""

    identity: dict[str, Any]
    parts: dict[str, Any]
    generator: torch.Generator
    draws: torch.Generator
    history: History = field(default_factory=History)
    batch: int = 0
    total: float = 0.0
    begun: Tensor | None = None
    clock: float = field(default_factory=perf_counter)

    def rest_of_epoch(self, num: int, batch_size: int) -> list[Tensor]:
        """The rows of every batch that is left in this epoch; the order is drawn anew, as it was drawn before."""
        now = self.generator.get_state()
        if self.begun is not None:
            self.generator.set_state(self.begun)
        self.begun = self.generator.get_state()
        batches = torch.split(torch.randperm(num, generator=self.generator), batch_size)
        if self.batch:
            self.generator.set_state(now)
        return list(batches[self.batch :])

    def tick(self) -> None:
        """Count the time since it was last counted."""
        now = perf_counter()
        self.history.seconds += now - self.clock
        self.clock = now

    def save(self, path: Path) -> None:
        self.tick()
        state: dict[str, Any] = {name: part.state_dict() for name, part in self.parts.items()}
        state |= {"recipe": self.identity, "generator": self.generator.get_state(), "history": vars(self.history)}
        state |= {"batch": self.batch, "total": self.total, "begun": self.begun, "draws": self.draws.get_state()}
        try:
            with replacing(path) as unfinished:
                torch.save(state, unfinished)
        except (OSError, RuntimeError) as error:
            raise ValueError(f"{path} could not be written ({error}); the checkpoint before it stays") from error

    def resume(self, path: Path, rank: int) -> None:
        try:
            state = torch.load(path, weights_only=True, map_location="cpu")
            found = state["recipe"]
        except (OSError, EOFError, RuntimeError, LookupError, TypeError, pickle.UnpicklingError) as error:
            why = f"{type(error).__name__}: {error}".splitlines()[0]
            raise ValueError(f"{path} is truncated or no checkpoint ({why}); remove it to start anew") from None
        if other := [key for key in found | self.identity if found.get(key) != self.identity.get(key)]:
            theirs, ours = ({key: of.get(key) for key in other} for of in (found, self.identity))
            raise ValueError(
                f"{path.name} belongs to another run ({', '.join(other)}): to {theirs}, not to {ours}; remove it to start anew"
            )
        for name, part in self.parts.items():
            part.load_state_dict(state[name])
        if rank == 0 and len(state["draws"]) == len(self.draws.get_state()):
            self.draws.set_state(state["draws"])
        else:  # only the first process's is kept, and a GPU's is another than a CPU's: the others draw anew
            self.draws.manual_seed(self.identity["seed"] + 7919 * rank + state["generator"].sum().item())
        self.generator.set_state(state["generator"])
        self.history = History(**state["history"])
        self.batch, self.total, self.begun = state["batch"], state["total"], state["begun"]


class _Team:
    """The processes that train together; without an accelerator, this one alone, on the CPU."""

    def __init__(self, accelerator: Accelerator | None) -> None:
        self.accelerator = accelerator
        self.device = accelerator.device if accelerator else torch.device("cpu")
        self.rank = accelerator.process_index if accelerator else 0
        self.size = accelerator.num_processes if accelerator else 1

    def share(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor, float]:
        """Images and labels of this process, and the weight of their mean loss in that of the batch."""
        divided = len(labels) >= self.size  # too few to share: all take all
        own = slice(self.rank, None, self.size) if divided else slice(None)
        x, y = images[own].to(self.device), labels[own].to(self.device)
        return x, y, len(y) * self.size / len(labels) if divided else 1.0

    def average_gradients(self, network: nn.Module) -> None:
        """The mean over processes, in one message."""
        if self.accelerator is None or self.size == 1:
            return
        learnt = [p for p in network.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in learnt]
        mean: Tensor = self.accelerator.reduce(torch.cat([g.flatten() for g in gradients]), "mean")
        for p, own in zip(learnt, torch.split(mean, [g.numel() for g in gradients]), strict=True):
            p.grad = torch.empty_like(p).copy_(own.view_as(p))  # laid out as the weight is: fused Adam walks memory


def _augmented(images: Tensor, how: str, generator: torch.Generator) -> Tensor:
    """Images mirrored and moved at random, ``[N, C, H, W]``; what comes in from the edge is black."""
    if how == "none":
        return images
    num, _, height, width = images.shape
    mirrored = torch.rand(num, 1, 1, 1, generator=generator) < 0.5
    padded = F.pad(torch.where(mirrored, images.flip(-1), images), [SHIFT] * 4)
    top, left = torch.randint(0, 2 * SHIFT + 1, (2, num, 1), generator=generator)
    rows, columns = top + torch.arange(height), left + torch.arange(width)
    sample = torch.arange(num).view(-1, 1, 1)
    # Channels last while indexing, so that whole pixels are moved.
    return padded.permute(0, 2, 3, 1)[sample, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


@torch.no_grad()
def accuracy(classifier: Classifier, split: Split, batch_size: int = 500) -> float:
    """Fraction of ``split`` answered correctly at the classifier's exit step; silence is an error."""
    exit_index = classifier.exit_step - 1
    correct = sum(int((classifier.predict(x)[exit_index] == y).sum()) for x, y in split.batches(batch_size))
    return correct / len(split)


def _identity(
    recipe: Recipe, objective: Objective | None, classifier: Classifier, data: Split, warm_start: bool
) -> dict[str, Any]:
    network = classifier.network
    described = (constants(network), classifier.encoder, classifier.decoder, classifier.exit_step)
    weights = b"".join(map(bytes_of, network.state_dict().values())) if warm_start else b""
    return asdict(recipe) | {
        "data": f"{len(data)} samples {_digest(bytes_of(data.labels))}",
        "images": _digest(bytes_of(data.images[:: max(1, len(data) // 256)])),  # some, evenly spread
        "network": _digest(repr(described).encode()),
        "objective": repr(objective),
        "warm_start": _digest(weights),
    }


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
