"""The ``snnlab`` command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from snnlab import claims, zoo
from snnlab.attacks import Budget
from snnlab.cli import user_model
from snnlab.data import DATASETS, EventSplit, describe
from snnlab.evaluation import report
from snnlab.evaluation.beyond import beyond_images
from snnlab.evaluation.robustness import evaluate_robustness
from snnlab.evaluation.suites import SUITES
from snnlab.statistics import seed_summary

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Spiking neural networks under attack.")
zoo_app = typer.Typer(no_args_is_help=True, help="The trained models: list them, remake them.")
app.add_typer(zoo_app, name="zoo")


DatasetName = Annotated[str, typer.Option(help="Data set of the models: mnist5k, cifar10, …")]


@zoo_app.command("build")
def zoo_build(
    names: Annotated[list[str] | None, typer.Argument(help="Models or controls to build; default: all models.")] = None,
    dataset: DatasetName = "mnist5k",
    group: Annotated[
        list[str] | None, typer.Option(help="Only this group (may be repeated): codes, training, …, controls.")
    ] = None,
    root: Annotated[
        Path | None, typer.Option(help="Folder with the data set's official files; without, they are fetched once.")
    ] = None,
    folder: Annotated[Path, typer.Option(help="Where the models go.")] = zoo.MODELS,
    measure: Annotated[bool, typer.Option(help="Whether to run the attacks as well (the longer part).")] = True,
    seed: Annotated[list[int] | None, typer.Option(help="Only this seed (may be repeated); default: all.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = 1,
    scheduler: Annotated[str | None, typer.Option(help="Work on a Dask cluster instead, e.g. tcp://host:8786.")] = None,
) -> None:
    """Remake models and controls from their recipes. What is done is skipped; after Ctrl-C the same command goes on."""
    from snnlab.zoo.build import build  # torchattacks and the data are not needed to list models

    given: dict[str, Any] = {"dataset": dataset, "groups": group or [], "root": root, "seeds": seed or []}
    try:
        with _one_sentence():
            worked = build(names or [], folder, **given, measure=measure, jobs=jobs, scheduler=scheduler)
    except KeyboardInterrupt:
        typer.echo("\nstopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    typer.echo(f"built {', '.join(worked)}" if worked else "nothing to do: every model is built and measured")


@zoo_app.command("list")
def zoo_list(
    group: Annotated[list[str] | None, typer.Argument(help="Only these groups: codes, training, exit, fusion.")] = None,
    dataset: DatasetName = "mnist5k",
) -> None:
    """Print accuracy on clean and attacked test images (last exit): mean over seeds, 95 % intervals over seeds."""
    with _one_sentence():
        models = zoo.recipes(*group or [], dataset=dataset)
        repeats = {name: zoo.repeats(recipe.path) for name, recipe in models.items() if zoo.measured(recipe.path)}
        if not repeats:
            raise ValueError("none of these models is measured; run 'snnlab zoo build'")
    last = next(reversed(repeats.values()))[0]
    eps = last.eps[2]
    columns = [("clean", "worst", 0.0), ("FGSM naive", "fgsm.naive", eps), ("worst case", "worst", eps)]
    typer.echo(seed_summary(repeats, columns).to_string())
    attacks = ", ".join(attack for attack in last.attacks if attack != "worst")
    noun, num = describe(dataset).noun, len(zoo.seeds(dataset))
    typer.echo(f"ε = {eps:.3g} (L∞); n = {last.n:,} test {noun}s, {num} seeds; worst case over: {attacks}")


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
    """Print records in full, and in short the measurements that they superseded."""
    with _one_sentence():
        typer.echo("\n\n".join(claims.details(record) for record in claims.ledger(ids=ids).values()))


@claims_app.command("build")
def claims_build(
    ids: Annotated[list[str] | None, typer.Argument(help="Claims to measure; default: all.")] = None,
    folder: Annotated[Path, typer.Option(help="Where the records go.")] = claims.LEDGER,
    reason: Annotated[str, typer.Option(help="Why older measurements are superseded.")] = "measured again",
) -> None:
    """Measure the claims from the zoo's records. What has not changed stays; what was measured before stays visible."""
    with _one_sentence():
        changed = claims.build(ids or [], folder, reason=reason)
    typer.echo(f"changed: {', '.join(changed)}" if changed else "nothing has changed")


# What the commands on a network of the reader's have in common.
NetworkName = Annotated[
    str, typer.Argument(help="Your network as file.py:name or file.nir, or zoo:name for one of the zoo.")
]
Images = Annotated[
    str, typer.Option(help="Name of a data set (test images), or your file or folder: .npz, .csv, .pt, pictures, …")
]
Code = Annotated[
    str | None,
    typer.Option(help="Code in front, as 'latency'; 'none' for a network of images. Default: direct if it reads steps."),
]
Steps = Annotated[int | None, typer.Option(min=1, help="Steps of the code. Default: those the network runs inside, or 8.")]
ReadOut = Annotated[str | None, typer.Option(help="Read-out: rate, membrane or ttfs. Default: rate.")]
Population = Annotated[int, typer.Option(min=1, help="Neighbouring outputs that stand for one class.")]


@app.command("evaluate")
def evaluate(
    model: NetworkName,
    data: Images = "mnist5k",
    suite: Annotated[
        str, typer.Option(help="How hard to try: quick, standard or full; full adds retiming, faults and everyday noise.")
    ] = "standard",
    encoding: Code = None,
    num_steps: Steps = None,
    decoder: ReadOut = None,
    population: Population = 1,
    eps: Annotated[str, typer.Option(help="Radii in pixel units, rising, with commas.")] = "0,0.02,0.05,0.1,0.2",
    norm: Annotated[str, typer.Option(help="Linf, L2, L1 or L0.")] = "Linf",
    n: Annotated[int | None, typer.Option(help="Images, from the first; default: all.")] = None,
    seed: Annotated[int, typer.Option(help="Of the attacks' randomness.")] = 0,
    draws: Annotated[int, typer.Option(help="Draws of a random code that answer together, by majority.")] = 1,
    source: Annotated[
        str | None, typer.Option(help="Network on which transferred attacks are made; named as the model.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder for report.json and report.html.")] = Path("snnlab-report"),
    cache: Annotated[
        Path | None, typer.Option(help="Folder for what is unfinished; default: cache/ in the report's.")
    ] = None,
    progress: Annotated[bool, typer.Option(help="Whether to show a progress bar.")] = True,
) -> None:
    """Attack your network and report which accuracy is left: a table here, report.json, and report.html with figures."""
    with _one_sentence():
        if suite not in SUITES:
            raise ValueError(f"unknown suite {suite!r}; choose one of {', '.join(SUITES)}")
        radii = _radii(eps)
        samples, remarks = user_model.load_data(data, n)
        if isinstance(samples, EventSplit):
            encoding, num_steps, samples = encoding or samples.code, samples.num_steps, samples.as_images()
        classifier = user_model.load_classifier(model, samples.images, encoding, num_steps, decoder, population)
        split = user_model.checked(classifier, samples, model, classes_known=data in DATASETS)
        made_on = user_model.load_classifier(source, split.images) if source else None
        if made_on is not None:
            user_model.checked(made_on, split, str(source))
        budgets = [Budget(radius, norm) for radius in radii]
        evaluation = evaluate_robustness(
            classifier,
            split,
            budgets,
            suite,
            source=made_on,
            seed=seed,
            draws=draws,
            cache=cache or out / "cache",
            progress=progress,
        )
        about = {
            "model": model,
            "read as": user_model.describe(classifier),
            "data": "; ".join([f"{data}, {len(split):,} images", *remarks]),
        }
        if source:
            about["transferred from"] = source
        evaluation = replace(evaluation, about=about)
        strongest = budgets[-1]
        beside = beyond_images(classifier, split, seed=seed) if suite == "full" else None
        examples = report.broken_examples(classifier, split, strongest, seed)
        numbers, shown = report.write(out, evaluation, examples, str(strongest), beside)
    more = "" if beside is None else f"\n{beside}"
    typer.echo(f"{model}: {user_model.describe(classifier)}\n{evaluation}{more}\n{numbers}\n{shown}")


@app.command("publish")
def publish(
    model: NetworkName,
    data: Images = "mnist5k",
    encoding: Code = None,
    num_steps: Steps = None,
    decoder: ReadOut = None,
    population: Population = 1,
    explorer: Annotated[str, typer.Option(help="What the page shows: robustness, exit or attack.")] = "robustness",
    n: Annotated[int | None, typer.Option(min=1, help="Images to choose from, the first; at most 60.")] = None,
    title: Annotated[str, typer.Option(help="Of the page. Default: the name of the network.")] = "",
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("page.html"),
) -> None:
    """Write one file with your network, live: it opens from disk, on a phone, offline, and attacks the images you give."""
    from snnlab import widgets  # the other commands do not need it

    kinds = {
        "robustness": widgets.RobustnessExplorer,
        "exit": widgets.ExitExplorer,
        "attack": widgets.AttackExplorer,
    }
    with _one_sentence():
        if explorer not in kinds:
            raise ValueError(f"unknown explorer {explorer!r}; choose one of {', '.join(kinds)}")
        samples, _ = user_model.load_data(data, n)
        if isinstance(samples, EventSplit):
            raise ValueError("a page shows images, not events")
        classifier = user_model.load_classifier(model, samples.images, encoding, num_steps, decoder, population)
        split = user_model.checked(classifier, samples, model, classes_known=data in DATASETS)
        shown = kinds[explorer](classifier, split.images, split.labels)
        try:
            path, still = shown.save(out, title or model), shown.not_live
        except OSError as error:
            raise ValueError(f"{out} could not be written: {error.strerror}") from None
    typer.echo(f"{model}: {user_model.describe(classifier)}")
    typer.echo(f"{path} ({path.stat().st_size / 1000:,.0f} kB)" + (f", a still picture. {still}" if still else ", live"))


def _radii(text: str) -> list[float]:
    """Return ``"0.1,0.2"`` as radii that rise from 0."""
    try:
        radii = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"eps must be numbers with commas, as 0.05,0.1, got {text!r}") from None
    if not all(radius >= 0 for radius in radii):
        raise ValueError(f"eps must not be negative, got {text!r}")
    return sorted({0.0, *radii})


@contextmanager
def _one_sentence() -> Iterator[None]:
    """Report bad input in one sentence with exit code 2, in place of a traceback."""
    try:
        yield
    except ValueError as error:
        typer.echo(f"snnlab: {error}", err=True)
        raise typer.Exit(2) from None


if __name__ == "__main__":
    app()
