"""The ``snnlab`` command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from snnlab import zoo
from snnlab.records import seed_summary

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Spiking neural networks under attack.")
zoo_app = typer.Typer(no_args_is_help=True, help="The trained models: list them, remake them.")
app.add_typer(zoo_app, name="zoo")


@zoo_app.command("build")
def zoo_build(
    names: Annotated[list[str] | None, typer.Argument(help="Models to build; default: all of the recipe file.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the models go.")] = zoo.MODELS,
    measure: Annotated[bool, typer.Option(help="Whether to run the attacks as well (the longer part).")] = True,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed (may be repeated); default: all.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Work on a Dask cluster instead, e.g. tcp://host:8786.")] = None,
) -> None:
    """Remake the models from their recipes. What is done is skipped; after Ctrl-C the same command goes on."""
    from snnlab.zoo.build import build  # torchattacks and the data are not needed to list models

    try:
        worked = build(names or [], folder, seeds=seed or [], measure=measure, jobs=jobs, scheduler=scheduler)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    except KeyboardInterrupt:
        typer.echo("\nstopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"built {', '.join(worked)}" if worked else "nothing to do: every model is built and measured")


@zoo_app.command("list")
def zoo_list(
    group: Annotated[list[str] | None, typer.Argument(help="Only these groups: codes, training, exit, fusion.")] = None,
) -> None:
    """Print accuracy on clean and attacked test digits (L∞ 0.1, last exit): mean over seeds, 95 % intervals over seeds."""
    try:
        repeats = {name: zoo.repeats(name) for name in zoo.names(*group or [])}
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    columns = [("clean", "worst", 0.0), ("FGSM naive", "fgsm.naive", 0.1), ("worst case", "worst", 0.1)]
    typer.echo(seed_summary(repeats, columns).to_string())
    last = next(reversed(repeats.values()))[0]
    attacks = ", ".join(attack for attack in last["attacks"] if attack != "worst")
    typer.echo(f"n = {last['n']:,} test digits, {len(zoo.seeds())} seeds; worst case over: {attacks}")


if __name__ == "__main__":
    app()
