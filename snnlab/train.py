"""Train a model of the CIFAR-10 recipes, small or of the paper's size, on whatever devices there are.

    python -m snnlab.train latency --root DIR                      one process
    accelerate launch -m snnlab.train resnet18-latency --root DIR   as many as `accelerate config` was told of

A command, not a part of the package: ``snnlab.train`` in Python is the function of ``snnlab.training`` that does the work.
A training that was stopped goes on from its last hundred batches.
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

from snnlab import data
from snnlab.training import accuracy, train
from snnlab.zoo import cifar10
from snnlab.zoo.tasks import versions


def main(
    model: Annotated[str, typer.Argument(help="A model of snnlab/zoo/cifar10/recipes.toml.")],
    root: Annotated[Path | None, typer.Option(help="CIFAR-10's official files; without, they are fetched once.")] = None,
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
        told = cifar10.settings(model)
        # One process at a time, so that the archive is fetched by the first alone.
        with accelerator.main_process_first():
            pictures = data.load("cifar10", root, progress=progress and accelerator.is_main_process)
        given: dict[str, Any] = {"epochs": epochs, "batch_size": batch_size}
        recipe = replace(
            cifar10.recipe_for(model, seed), **{key: value for key, value in given.items() if value is not None}
        )
        classifier, shown = cifar10.classifier_for(model), pictures.train[slice(images)]
        folder = out / model
        history = train(
            classifier,
            shown,
            recipe,
            objective=cifar10.objective_for(model),
            validation=pictures.validation[slice(images)],
            checkpoint=folder / "training.checkpoint",
            checkpoint_every=100,
            accelerator=accelerator,
            progress=progress and accelerator.is_main_process,
        )
    except ValueError as error:
        typer.echo(f"snnlab.train: {error}", err=True)
        raise typer.Exit(2) from None
    if accelerator.is_main_process:
        card = {
            "name": model,
            "recipe": told | asdict(recipe),
            "processes": accelerator.num_processes,
            "device": str(accelerator.device),
            "data": {"name": pictures.name, "sha256": pictures.sha256, "train": len(shown)},
            "accuracy": {"test": accuracy(classifier, pictures.test[slice(images)].to(accelerator.device))},
            "history": vars(history),
            "versions": versions(),
        }
        save_file(
            {key: value.contiguous() for key, value in classifier.network.state_dict().items()},
            folder / "network.safetensors",
        )
        (folder / "card.json").write_text(json.dumps(card, indent=1) + "\n")
        typer.echo(f"{folder / 'network.safetensors'}: test accuracy {card['accuracy']['test']:.3f}")
    accelerator.end_training()


if __name__ == "__main__":
    typer.run(main)
