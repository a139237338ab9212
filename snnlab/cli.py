"""The ``snnlab`` command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from snnlab import claims, own, report, zoo
from snnlab.attack import Budget
from snnlab.evaluation import evaluate_robustness
from snnlab.records import seed_summary
from snnlab.suites import SUITES
from snnlab.zoo import cifar10

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


@zoo_app.command("controls")
def zoo_controls(
    names: Annotated[list[str] | None, typer.Argument(help="Controls to remake; default: those without records.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
) -> None:
    """Train and measure the controls that stand beside the codes."""
    from snnlab.zoo import controls

    with _one_sentence():
        worked = controls.build(names or [], jobs=jobs)
    typer.echo(f"measured {', '.join(worked)}" if worked else "nothing to do: every control is measured")


@zoo_app.command("cifar10")
def zoo_cifar10(
    names: Annotated[list[str] | None, typer.Argument(help="Models to build; default: all small ones.")] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder with CIFAR-10's official files; without, they are fetched once.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the models go.")] = cifar10.MODELS,
    measure: Annotated[bool, typer.Option(help="Whether to run the attacks as well.")] = True,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed (may be repeated); default: all.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
) -> None:
    """Remake the convolutional models of CIFAR-10: some nine hours on two cores. The same command goes on after a stop."""
    from snnlab.zoo.cifar10.build import build

    try:
        with _one_sentence():
            worked = build(names or [], folder, root=root, only=seed or [], measure=measure, jobs=jobs)
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


class _ClaimsGroup(TyperGroup):
    """``claims build`` is a command; any other word after ``claims`` is the id of a claim."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["show", *args]
        return super().parse_args(ctx, args)


claims_app = typer.Typer(cls=_ClaimsGroup, help="What is claimed, what was measured of it, and the verdict that follows.")
app.add_typer(claims_app, name="claims")


@claims_app.callback(invoke_without_command=True)
def claims_table(context: typer.Context) -> None:
    """Print all claims with their verdicts; 'snnlab claims ID' prints one record in full."""
    if context.invoked_subcommand is None:
        with _one_sentence():
            typer.echo(claims.table(claims.ledger()))


@claims_app.command("show", hidden=True)
def claims_show(ids: Annotated[list[str], typer.Argument(help="Claims to print.")]) -> None:
    """Print records in full, with the measurements that they superseded."""
    with _one_sentence():
        typer.echo("\n\n".join(claims.details(record) for record in claims.ledger(ids=ids).values()))


@claims_app.command("build")
def claims_build(
    ids: Annotated[list[str] | None, typer.Argument(help="Claims to measure; default: all.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the records go.")] = claims.LEDGER,
    reason: Annotated[str, typer.Option(help="Why older measurements are superseded; default: what the two show.")] = "",
) -> None:
    """Measure the claims from the zoo's records. What has not changed stays; what was measured before stays visible."""
    with _one_sentence():
        changed = claims.build(ids or [], folder, reason=reason)
    typer.echo(f"changed: {', '.join(changed)}" if changed else "nothing has changed")


@app.command("evaluate")
def evaluate(
    model: Annotated[str, typer.Argument(help="Your network as file.py:name, or zoo:name for one of the zoo.")],
    data: Annotated[
        str, typer.Option(help="Name of a data set (test images), or an .npz with images and labels.")
    ] = "mnist5k",
    suite: Annotated[str, typer.Option(help="How hard to try: quick, standard or full.")] = "standard",
    encoding: Annotated[
        str | None,
        typer.Option(help="Code in front, as 'latency'; 'none' for a network of images. Default: direct if it spikes."),
    ] = None,
    num_steps: Annotated[int, typer.Option(help="Steps of the code.")] = 8,
    decoder: Annotated[str, typer.Option(help="Read-out: rate, membrane or ttfs.")] = "rate",
    eps: Annotated[str, typer.Option(help="Radii in pixel units, rising, with commas.")] = "0,0.02,0.05,0.1,0.2",
    norm: Annotated[str, typer.Option(help="Linf, L2, L1 or L0.")] = "Linf",
    n: Annotated[int | None, typer.Option(help="Images, from the first; default: all.")] = None,
    seed: Annotated[int, typer.Option(help="Of the attacks' randomness.")] = 0,
    source: Annotated[
        str | None, typer.Option(help="Network on which transferred attacks are made; named as the model.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")] = Path("snnlab-report"),
    cache: Annotated[
        Path | None, typer.Option(help="Folder for what is unfinished; default: cache/ in the report's.")
    ] = None,
    progress: Annotated[bool, typer.Option(help="Whether to show a progress bar.")] = True,
) -> None:
    """Attack a network of your own and report what is left: a table here, report.json, and report.html with figures."""
    with _one_sentence():
        if suite not in SUITES:
            raise ValueError(f"unknown suite {suite!r}; choose one of {', '.join(SUITES)}")
        radii = _radii(eps)
        classifier = own.load_classifier(model, encoding, num_steps, decoder)
        split = own.checked(classifier, own.load_data(data, n), model)
        made_on = own.load_classifier(source) if source else None
        if made_on is not None:
            own.checked(made_on, split, str(source))
        budgets = [Budget(radius, norm) for radius in radii]
        found = evaluate_robustness(
            classifier, split, budgets, suite, source=made_on, seed=seed, cache=cache or out / "cache", progress=progress
        )
        about = {"model": model, "read as": own.describe(classifier), "data": f"{data}, {len(split):,} images"}
        if source:
            about["transferred from"] = source
        told = report.report(found.record(), about)
        strongest = budgets[-1]
        numbers, shown = report.write(out, told, report.broken_examples(classifier, split, strongest, seed), str(strongest))
    typer.echo(f"{model}: {own.describe(classifier)}\n{report.table(told)}\n{numbers}\n{shown}")


BOOK = Annotated[Path, typer.Argument(help="Folder with the chapters.")]


@app.command("assignments")
def assignments(
    book: BOOK = Path("book"),
    out: Annotated[Path, typer.Option(help="Folder of the course.")] = Path("_build/assignments"),
) -> None:
    """Make the exercises of the chapters into assignments for nbgrader."""
    from snnlab.course import assignments  # only lecturers have what this needs

    with _one_sentence():
        written = assignments.write(book, out)
    typer.echo(f"{len(written)} assignments in {out / 'source'}, nbgrader's settings in {out / 'nbgrader_config.py'}")


@app.command("slides")
def slides(
    book: BOOK = Path("book"),
    built: Annotated[Path, typer.Option(help="Folder of the built book, where the chapters' outputs are.")] = Path("_build"),
    out: Annotated[Path, typer.Option(help="Folder of the slides.")] = Path("_build/slides"),
) -> None:
    """Make the chapters into slides that open from disk."""
    from snnlab.course import slides

    with _one_sentence():
        written = slides.write(book, built, out)
    typer.echo(f"{len(written)} decks: {(out / 'index.html').resolve()}")


def _radii(text: str) -> list[float]:
    """``"0.1,0.2"`` as radii that rise from 0."""
    try:
        found = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"eps must be numbers with commas, as 0.05,0.1, got {text!r}") from None
    if not all(radius >= 0 for radius in found):
        raise ValueError(f"eps must not be negative, got {text!r}")
    return sorted({0.0, *found})


@contextmanager
def _one_sentence() -> Iterator[None]:
    """What is wrong with the input in one sentence and exit code 2, in place of a traceback."""
    try:
        yield
    except ValueError as error:
        typer.echo(f"snnlab: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
