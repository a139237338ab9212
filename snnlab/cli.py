"""The ``snnlab`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from snnlab import zoo
from snnlab.evaluation import wilson_interval

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Spiking neural networks under attack.")
zoo_app = typer.Typer(no_args_is_help=True, help="The trained models: list them, remake them.")
app.add_typer(zoo_app, name="zoo")


@zoo_app.command("build")
def zoo_build(
    names: Annotated[list[str] | None, typer.Argument(help="Models to build; default: all of the recipe file.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the models go.")] = zoo.MODELS,
    measure: Annotated[bool, typer.Option(help="Whether to run the attacks as well (the longer part).")] = True,
) -> None:
    """Remake the models from their recipes. What is done is skipped; after Ctrl-C the same command goes on."""
    from snnlab.zoo.build import build  # torchattacks and the data are not needed to list models

    try:
        worked = build(names or [], folder, measure=measure)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except KeyboardInterrupt:
        typer.echo("\nstopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"built {', '.join(worked)}" if worked else "nothing to do: every model is built and measured")


@zoo_app.command("list")
def zoo_list() -> None:
    """Print the models with accuracy on clean and attacked test digits (L∞ 0.1, last exit, 95 % intervals)."""
    columns = [("clean", "worst", 0.0), ("FGSM naive", "fgsm.naive", 0.1), ("worst case", "worst", 0.1)]
    typer.echo(f"{'model':10} {'code':24} " + " ".join(f"{title:>20}" for title, _, _ in columns))
    for name in zoo.names():
        record = zoo.results(name)
        cells = [_cell(record, attack, eps) for _, attack, eps in columns]
        typer.echo(f"{name:10} {zoo.card(name)['encoding']:24} " + " ".join(f"{cell:>20}" for cell in cells))
    attacks = ", ".join(attack for attack in record["attacks"] if attack != "worst")
    typer.echo(f"n = {record['n']:,} test digits, one seed; worst case over: {attacks}")


def _cell(record: dict[str, Any], attack: str, eps: float) -> str:
    correct, n = record["correct"][attack][-1][record["eps"].index(eps)], record["n"]
    low, high = wilson_interval(correct, n)
    return f"{correct / n:.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    app()
