"""Train a model of the zoo's recipes on one or several devices; a stopped training continues.

One process, and as many as ``accelerate config`` sets::

    python -m snnlab.cli.train latency --root DIR
    accelerate launch -m snnlab.cli.train resnet18-latency --root DIR
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from accelerate import Accelerator
from safetensors.torch import save_file

from snnlab import data, zoo
from snnlab.files import atomic_write, versions
from snnlab.training.bptt import accuracy, train
from snnlab.zoo.train import objective_for, training_recipe


def main(
    model: Annotated[str, typer.Argument(help="A model of snnlab/zoo/recipes/*.toml, as latency or mnist5k/latency.")],
    dataset: Annotated[str, typer.Option(help="Data set of a model that names none.")] = "cifar10",
    root: Annotated[Path | None, typer.Option(help="The data set's official files; without, they are fetched once.")] = None,
    out: Annotated[Path, typer.Option(help="Folder for weights, card and checkpoint.")] = Path("trained"),
    seed: Annotated[int, typer.Option(help="Of initialisation, order and augmentation.")] = 0,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's.")] = None,
    batch_size: Annotated[
        int | None, typer.Option(min=1, help="Images a step over all processes, instead of the recipe's.")
    ] = None,
    images: Annotated[int | None, typer.Option(min=1, help="Only so many training images, to try things.")] = None,
    progress: Annotated[bool, typer.Option(help="Whether to show a progress bar.")] = True,
) -> None:
    """Train a model and write its weights, with batch norm as it was trained, beside a card."""
    accelerator = Accelerator(cpu=not torch.cuda.is_available())
    try:
        of = zoo.recipe(model, dataset).at_seed(seed)
        if of.start or of["tried"] or of["learn_gate"]:
            raise ValueError(
                f"{of.path} starts from another model, or tries several settings; run 'snnlab zoo build {of.path}'"
            )
        # One process at a time, so that the archive is fetched by the first alone.
        with accelerator.main_process_first():
            splits = data.load(of["dataset"], root, progress=progress and accelerator.is_main_process)
        given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size}
        recipe = replace(training_recipe(of), **{key: value for key, value in given.items() if value is not None})
        classifier, shown = zoo.classifier_for(of), splits.train[slice(images)]
        folder = out / of.name
        history = train(
            classifier,
            shown,
            recipe,
            objective=objective_for(of),
            validation=splits.validation[slice(images)],
            checkpoint=folder / "training.checkpoint",
            checkpoint_every=100,
            accelerator=accelerator,
            progress=progress and accelerator.is_main_process,
        )
    except ValueError as error:
        typer.echo(f"snnlab.cli.train: {error}", err=True)
        raise typer.Exit(2) from None
    if accelerator.is_main_process:
        card = {
            "name": of.name,
            "recipe": dict(of.settings) | asdict(recipe),
            "processes": accelerator.num_processes,
            "device": str(accelerator.device),
            "data": {"name": splits.name, "sha256": splits.sha256, "train": len(shown)},
            "accuracy": {"test": accuracy(classifier, splits.test[slice(images)].to(accelerator.device))},
            "history": vars(history),
            "versions": versions(),
        }
        save_file(
            {key: value.contiguous() for key, value in classifier.network.state_dict().items()},
            folder / "network.safetensors",
        )
        atomic_write(folder / "card.json", json.dumps(card, indent=1) + "\n")
        typer.echo(f"{folder / 'network.safetensors'}: test accuracy {card['accuracy']['test']:.3f}")
    accelerator.end_training()


if __name__ == "__main__":
    typer.run(main)
