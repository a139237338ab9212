"""Pictures of the explorers' states, for where no script runs, each with the sentence that says what it shows."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from torch import Tensor

from snnlab.decoding import SILENT
from snnlab.plot import ATTACK, CODES, INK, QUIET, accuracy_curves, draw_raster, mark, png, rasters, style
from snnlab.records import Estimate, correct_count, wilson_interval
from snnlab.widgets.climbs import Climb
from snnlab.widgets.frames import SPIKE_TRAIN, Request

__all__ = ["Still", "attack_still", "encoder_still", "exit_still", "fusion_still", "robustness_still", "training_still"]

CLIMBER_TITLES = {"naive": "naive", "bpda": "BPDA", "eot": "EOT", "assg": "ASSG", SPIKE_TRAIN: "spike trains"}

Frame = Mapping[str, Any]
Record = Mapping[str, Any]


@dataclass(frozen=True)
class Still:
    """A picture for where no script runs, with the sentence that says what it shows."""

    png: bytes
    alt: str

    @property
    def data_uri(self) -> str:
        """The picture inside the page."""
        return "data:image/png;base64," + base64.b64encode(self.png).decode()


def robustness_still(shown: Frame, records: Mapping[str, Record], request: Request, curve: str = "worst") -> Still:
    """Images, input spikes, votes, and accuracy against ε: in the worst case, or under the attack (``curve="own"``)."""
    with style():
        figure, axes = _row([1, 1, 2.2, 1.8] + ([2.4] if records else []))
        _images(axes[:2], shown)
        _input(axes[2], shown, request.exit_step)
        _votes(axes[3], shown, request.exit_step)
        if records:
            _curves(axes[4], records, request, request.exit_step, curve, highlight=request.encoding)
    spikes = shown["clean"]["input"] is not None
    who = f"The network with the {request.encoding} code" if spikes else f"The network {request.encoding}, without spikes,"
    return Still(png(figure), f"{who} {_reads(shown, request, request.exit_step)}.")


def encoder_still(image: Tensor, eps: float, num_steps: int) -> Still:
    """One image in every code."""
    codes = ["direct", "poisson", "onset", "offset", "latency", "phase", "fusion(direct, latency)"]
    figure = rasters(image, codes, eps=eps, num_steps=num_steps)
    alt = (
        f"One digit in {len(codes)} codes over {num_steps} steps, pixels sorted from bright to dark. Spikes that are added by "
        f"brightening every pixel by {eps:g} are red: in offset they come in the first step, in onset and latency near the last."
    )
    return Still(png(figure), alt)


def training_still(
    columns: Mapping[str, Frame], records: Mapping[str, Record], request: Request, code: str, curve: str = "worst"
) -> Still:
    """Hidden and output spikes of networks that learned by different rules, and their accuracy against ε.

    Args:
        columns: a frame by the name of its rule.
        records: results by model name; may be empty.
        request: what the frames answer.
        code: what the networks are fed with.
        curve: ``"worst"`` or ``"own"``, the attack of the request.
    """
    with style():
        figure = Figure(figsize=(9.6, 3.4), layout="constrained")
        places = figure.add_gridspec(2, len(columns) + 1, width_ratios=[1] * len(columns) + [1.5 if records else 0.01])
        for k, (name, shown) in enumerate(columns.items()):
            hidden, output = (figure.add_subplot(places[row, k]) for row in (0, 1))
            _hidden(hidden, shown, request.exit_step)
            hidden.set_title(name)
            _outputs(output, shown, request.exit_step)
        if records:
            _curves(figure.add_subplot(places[:, -1]), records, request, None, curve)
    answers = ", ".join(f"the one trained by {name} {_answer(shown, request.exit_step)}" for name, shown in columns.items())
    how = _attack(next(iter(columns.values())), request)
    return Still(png(figure), f"One digit through networks with the {code} code, {how}: {answers}{_truth(request)}.")


def exit_still(
    shown: Frame, record: Record | None, request: Request, exit_step: int, reach: int | None, curve: str = "worst"
) -> Still:
    """Images, input spikes and votes with the exit, and accuracy at every exit.

    Args:
        shown: the frame.
        record: results of the model, if there are any.
        request: what the frame answers.
        exit_step: where this image leaves.
        reach: the step, from 0, at which ε first acts on a black pixel; ``None``: in none.
        curve: ``"worst"`` or ``"own"``, the attack of the request.
    """
    with style():
        figure, axes = _row([1, 1, 2.2, 1.8] + ([2.4] if record else []))
        _images(axes[:2], shown)
        _input(axes[2], shown, exit_step)
        if reach is not None:
            axes[2].axvline(reach, color=ATTACK, lw=1.4, ls=(0, (3, 2)))
        _votes(axes[3], shown, exit_step)
        if record:
            _exits(axes[4], record, request, exit_step, reach, curve)
    acts = "never" if reach is None else f"only after {reach} steps" if reach else "from the first step on"
    alt = f"The network {request.encoding} {_reads(shown, request, exit_step)}; ε = {request.eps:g} acts on black pixels {acts}."
    return Still(png(figure), alt)


def fusion_still(shown: Frame, points: Mapping[str, tuple[Estimate, Estimate]], request: Request) -> Still:
    """Images, input spikes part by part, votes, and clean against worst-case accuracy.

    Args:
        shown: the frame.
        points: clean and worst-case accuracy by model name, with intervals over seeds; may be empty.
        request: what the frame answers.
    """
    with style():
        figure, axes = _row([1, 1, 2.2, 1.8] + ([2.4] if points else []))
        _images(axes[:2], shown)
        _input(axes[2], shown, request.exit_step)
        _votes(axes[3], shown, request.exit_step)
        if points:
            _plane(axes[4], points, request.encoding)
    return Still(png(figure), f"The network {request.encoding} {_reads(shown, request, request.exit_step)}.")


def attack_still(climbs: Mapping[str, Climb], encoding: str, eps: float, step: int) -> Still:
    """Gradient, change and margin of every attacker at one step; no gradient is hatched.

    Args:
        climbs: by the name of the attacker.
        encoding: the model's name.
        eps: the budget.
        step: which iteration is shown.
    """
    with style():
        figure = Figure(figsize=(9.6, 4.6), layout="constrained")
        axes = figure.subplots(3, len(climbs), height_ratios=[1.5, 1, 0.9], squeeze=False)
        for column, (name, found) in zip(axes.T, climbs.items(), strict=True):
            _gradient(column[0], found, step)
            column[0].set_title(CLIMBER_TITLES[name])
            now = min(step, len(found.gradients))
            column[1].imshow((found.images[now] - found.images[0]).sum(0).numpy(), cmap="RdBu_r", vmin=-1 / 8, vmax=1 / 8)
            column[1].set_title(f"change ×8: reads {int(found.predictions[now])}", fontsize=8)
            column[1].set_axis_off()
            for other in climbs.values():
                column[2].plot(other.margins.numpy(), color="#C9CED6", lw=0.8)
            column[2].plot(found.margins.numpy(), color=INK, lw=1.8)
            column[2].axhline(0, color=ATTACK, lw=1, ls="--")
            column[2].axvline(step, color=INK, lw=1)
            column[2].set(xlabel="step", ylabel="margin" if name == "naive" else "")
    who = CLIMBER_TITLES | {SPIKE_TRAIN: "the spike-train attack"}
    each = ", ".join(f"{who[name]} {_gets(found)}" for name, found in climbs.items())
    blind = f"{float(climbs['naive'].zero_gradient[0]):.0%}" if len(climbs["naive"].gradients) else "none"
    alt = f"The network {encoding} under {len(climbs)} attackers with ε = {eps:g}: {each}."
    return Still(png(figure), f"{alt} The naive gradient is zero on {blind} of the pixels.")


def neuron_still(current: Tensor, membrane: Tensor, spikes: Tensor, threshold: float) -> Still:
    """Spikes, potential and current of one neuron, below each other.

    Shapes: ``[T]`` each.
    """
    with style():
        figure = Figure(figsize=(7.2, 3.2), layout="constrained")
        top, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=[1, 5, 2])
        steps = range(len(current))
        top.vlines([t for t in steps if spikes[t]], 0, 1, color="#1F2933", lw=2.5)
        middle.bar(steps, membrane.tolist(), 0.85, color=CODES["direct"][0])
        middle.axhline(threshold, color=ATTACK, lw=1.2, ls="--")
        below.bar(steps, current.tolist(), 0.85, color="#5F6670")
        for axes, label in ((top, "S"), (middle, "U"), (below, "I")):
            axes.set_ylabel(label, rotation=0)
        top.set_yticks([])
        below.set_xlabel("step")
    times = [t for t in steps if spikes[t]]
    fires = f"fires at steps {', '.join(map(str, times))}" if times else "never fires"
    return Still(png(figure), f"A leaky integrate-and-fire neuron over {len(current)} steps: it {fires}.")


def results_still(
    table: Mapping[str, Any], shown: Mapping[str, Sequence[float]], against: str, level: float, where: str = ""
) -> Still:
    """What every network of a table keeps under an attack, as bars; a tick is a training run.

    Args:
        table: a payload of ``snnlab.zoo.cifar10.web``.
        shown: accuracies by network, one a seed.
        against: the attack.
        level: the budget, in grey levels of 255.
        where: how networks are read, and what qualifies the numbers, in words.
    """
    models = [model for model in table["models"] if model["name"] in shown]
    means = [sum(shown[m["name"]]) / len(shown[m["name"]]) for m in models]
    with style():
        figure = Figure(figsize=(7.2, 0.34 * len(models) + 0.9), layout="constrained")
        axes = figure.add_subplot()
        for row, (model, mean) in enumerate(zip(models, means, strict=True)):
            axes.barh(row, mean, 0.6, color=mark(model["code"])[0])
            axes.plot(shown[model["name"]], [row] * len(shown[model["name"]]), "|", color="#1F2933", ms=12)
            axes.text(mean + 0.02, row, f"{mean:.0%}", va="center")
        axes.axvline(table["chance"], color="#858E99", ls=":", lw=1)
        labels = [m["title"] + (" (attacked training)" if m["rule"] == "pgd" else "") for m in models]
        axes.set(yticks=range(len(models)), yticklabels=labels, xlim=(0, 1), xlabel="fraction correct")
        axes.invert_yaxis()
    best = means.index(max(means))
    low, high = wilson_interval(means[best] * table["n"], table["n"])
    how = f"Accuracy on {table['dataset']} under {table['attacks'].get(against, against)} at ε = {level:g}/255{where}"
    return Still(
        png(figure),
        f"{how}: the most is kept by {labels[best]}, {means[best]:.0%} (95 % interval {low:.0%} to {high:.0%}), of "
        f"n = {table['n']:,} pictures.",
    )


def _gets(found: Climb) -> str:
    at = found.broken_at
    return "never breaks it" if at is None else f"breaks it at step {at}"


def _gradient(ax: Axes, found: Climb, step: int) -> None:
    ax.set_axis_off()
    if len(found.gradients) == 0:
        return
    gradient = found.gradients[min(step, len(found.gradients) - 1)].sum(0)
    scaled = (gradient.abs() / gradient.abs().max().clamp(min=1e-20)).sqrt() * gradient.sign()
    height, width = gradient.shape
    everywhere = Rectangle((-0.5, -0.5), width, height, facecolor="#F3F5F7", edgecolor="#858E99", hatch="//////", lw=0)
    ax.add_patch(everywhere)
    ax.imshow(np.ma.masked_equal(scaled.numpy(), 0), cmap="RdBu_r", vmin=-1, vmax=1, zorder=2)


# --- panels ---------------------------------------------------------------------------------------------------------


def _row(widths: Sequence[float]) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=(9.6, 3.0), layout="constrained")
    return figure, list(figure.subplots(1, len(widths), width_ratios=widths))


def _images(axes: Iterable[Axes], shown: Frame) -> None:
    channels, height, width = shown["shape"]
    for ax, (title, side) in zip(axes, [("clean", shown["clean"]), ("attacked", _side(shown))], strict=True):
        image = side["image"].reshape(channels, height, width)
        ax.imshow(image[0] if channels == 1 else image.transpose(1, 2, 0), cmap="gray", vmin=0, vmax=1)
        ax.set_title(title)
        ax.set_axis_off()


def _input(ax: Axes, shown: Frame, exit_step: int) -> None:
    ax.set_title("spikes in")
    if shown["clean"]["input"] is None:
        ax.text(0.5, 0.5, "an ANN has no spikes", ha="center", va="center", color=QUIET, transform=ax.transAxes)
        ax.set_axis_off()
        return
    _spikes(ax, shown, "input", exit_step)
    ax.set(xlabel="step", ylabel="pixel, bright to dark")


def _hidden(ax: Axes, shown: Frame, exit_step: int) -> None:
    if shown["clean"]["hidden"] is None:
        ax.text(0.5, 0.5, "not reported", ha="center", va="center", color=QUIET, transform=ax.transAxes)
        ax.set_axis_off()
        return
    _spikes(ax, shown, "hidden", exit_step)
    ax.set_ylabel("hidden")


def _outputs(ax: Axes, shown: Frame, exit_step: int) -> None:
    if shown["clean"]["output"] is None:
        ax.text(0.5, 0.5, "an ANN has no spikes", ha="center", va="center", color=QUIET, transform=ax.transAxes)
        ax.set_axis_off()
        return
    steps = shown["num_steps"]
    rows = [side["output"].reshape(steps, -1) for side in _sides(shown)]
    classes = rows[0].shape[1]
    draw_raster(ax, rows[0], rows[1] if len(rows) > 1 else None, exit_step)
    ax.set_yticks(np.arange(classes) + 0.5, [str(k) for k in range(classes)], fontsize=6)
    ax.set(xlabel="step", ylabel="class")


def _spikes(ax: Axes, shown: Frame, layer: str, exit_step: int) -> None:
    steps, order = shown["num_steps"], shown["order"][layer]
    rows = [side[layer].reshape(steps, -1)[:, order] for side in _sides(shown)]
    draw_raster(ax, rows[0], rows[1] if len(rows) > 1 else None, exit_step)


def _votes(ax: Axes, shown: Frame, exit_step: int) -> None:
    side = _side(shown)
    votes = side["votes"].reshape(len(side["predictions"]), -1)
    exits = np.arange(1, len(votes) + 1)
    answer = side["predictions"][min(exit_step, len(votes)) - 1]
    if len(votes) == 1:  # an ANN has no exits: one answer, by logits
        colours = [INK if k == shown["target"] else ATTACK if k == answer else "#C9CED6" for k in range(votes.shape[1])]
        ax.bar(range(votes.shape[1]), votes[0], color=colours)
        ax.set(title="logits", xlabel="class")
        return
    for k in range(votes.shape[1]):
        strong = k in (answer, shown["target"])
        colour = INK if k == shown["target"] else ATTACK if k == answer else "#C9CED6"
        ax.step(exits, votes[:, k], where="mid", color=colour, lw=2 if strong else 1)
        if strong:
            ax.annotate(f"{k}", (exits[-1], votes[-1, k]), xytext=(4, -3), textcoords="offset points", color=colour)
    ax.axvline(min(exit_step, len(votes)), color=INK, lw=1.2, ls="--")
    ax.set(title="votes", xlabel="exit step")


def _shown_attack(request: Request, curve: str) -> tuple[str, str]:
    """The attack whose counts a curve shows, by its name in records, and in words."""
    if curve == "worst" or request.attack == "none":
        return "worst", "worst case"
    if request.attack == "noise":
        return "noise", "noise"
    if request.attacker == SPIKE_TRAIN:
        return SPIKE_TRAIN, "survivors up to spike trains"
    return f"{request.attack}.{request.attacker}", f"{request.attack.upper()}, {request.attacker}"


def _with_survivors(record: Record) -> Record:
    """A record whose counts hold the survivors of the spike-train attack too, where it has them."""
    left = {name: counts for name, counts in record.get("left", {}).items() if name == SPIKE_TRAIN}
    return {**record, "correct": {**left, **record["correct"]}}


def _curves(
    ax: Axes,
    records: Mapping[str, Record],
    request: Request,
    exit_step: int | None,
    curve: str,
    highlight: str | None = None,
) -> None:
    attack, words = _shown_attack(request, curve)
    measured = {
        model: _with_survivors(record)
        for model, record in records.items()
        if exit_step is None or record["num_steps"] == 1 or exit_step in record["exits"]
    }
    accuracy_curves(measured, attack, exit_step, highlight=highlight, axes=ax)
    ax.set_title(f"accuracy, {words}", fontsize=9)
    if not any(attack in record["correct"] for record in measured.values()):
        ax.text(0.5, 0.5, "not recorded by itself", ha="center", color=QUIET, transform=ax.transAxes)
    if (legend := ax.get_legend()) is not None:
        legend.remove()
    if highlight is None:
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), fontsize=7, ncols=3, handlelength=2.6)
    ax.axvline(request.eps, color=INK, lw=1, ls="--")


def _exits(ax: Axes, record: Record, request: Request, exit_step: int, reach: int | None, curve: str) -> None:
    """Accuracy at every measured exit, clean and attacked at the measured ε nearest to the explorer's."""
    exits, n = record["exits"], record["n"]
    nearest = min(record["eps"], key=lambda radius: abs(radius - request.eps))
    attack, words = _shown_attack(request, curve)
    known = _with_survivors(record)
    series: list[tuple[str, float, str, Any, str, str]] = [("worst", 0.0, INK, "-", "o", "clean")]
    if attack in known["correct"]:
        series.append((attack, nearest, ATTACK, (0, (5, 2)), "s", f"{words}, ε = {nearest:g}"))
    for name, radius, colour, line, marker, label in series:
        counts = [correct_count(known, name, e, radius) for e in exits]
        low, high = np.array([wilson_interval(c, n) for c in counts]).T
        ax.plot(exits, [c / n for c in counts], color=colour, ls=line, marker=marker, label=label)
        ax.fill_between(exits, low, high, color=colour, alpha=0.15, lw=0)
    if reach is not None:
        ax.axvspan(reach + 0.5, exits[-1] + 0.5, color=ATTACK, alpha=0.08, lw=0)
    ax.axvline(exit_step, color=INK, lw=1, ls="--")
    ax.set(title="accuracy", xlabel="exit step", ylim=(-0.02, 1.02))
    ax.legend(loc="lower right", fontsize=8)


def _plane(ax: Axes, points: Mapping[str, tuple[Estimate, Estimate]], current: str) -> None:
    for name, (clean, worst) in points.items():
        colour, _, marker = mark(name)
        bars = [[[e.mean - e.low], [e.high - e.mean]] for e in (clean, worst)]
        ax.errorbar(
            clean.mean,
            worst.mean,
            xerr=bars[0],
            yerr=bars[1],
            color=colour,
            marker=marker,
            ms=9 if name == current else 6,
            lw=1.6 if name == current else 0.8,
        )
        ax.annotate(
            name.removeprefix("fusion-"),
            (clean.mean, worst.mean),
            xytext=(5, 4),
            textcoords="offset points",
            color=colour,
            fontsize=7,
            fontweight="bold" if name == current else "normal",
        )
    ax.set(title="clean against worst case", xlabel="right on clean digits", ylim=(-0.02, 1.02))


# --- sentences ------------------------------------------------------------------------------------------------------


def _sides(shown: Frame) -> list[Mapping[str, Any]]:
    return [side for side in (shown["clean"], shown["attacked"]) if side is not None]


def _side(shown: Frame) -> Mapping[str, Any]:
    """What counts: the attacked image, or the clean one."""
    return _sides(shown)[-1]


def _answer(shown: Frame, exit_step: int) -> str:
    predictions = _side(shown)["predictions"]
    answer = int(predictions[min(exit_step, len(predictions)) - 1])
    tie = " (tie, decided by potential)" if _tied(shown, exit_step) else ""
    return "gives no answer" if answer == SILENT else f"reads {answer}{tie}"


def _tied(shown: Frame, exit_step: int) -> bool:
    """Whether several classes have the most votes, so that the potential decides; an ANN has none."""
    side = _side(shown)
    if side["membrane"] is None:
        return False
    votes = side["votes"].reshape(len(side["predictions"]), -1)[exit_step - 1]
    return bool((votes == votes.max()).sum() > 1)


def _attack(shown: Frame, request: Request) -> str:
    if shown["attacked"] is None:
        return "without attack"
    searches = request.attacker == SPIKE_TRAIN and request.attack == "pgd"
    return f"under {'the spike-train attack' if searches else request.attack.upper()} with ε = {request.eps:.3g}"


def _truth(request: Request) -> str:
    return "" if request.label is None else f"; the right answer is {request.label}"


def _reads(shown: Frame, request: Request, exit_step: int) -> str:
    timeless = shown["clean"]["input"] is None
    at = "" if timeless else f", at exit {exit_step} of {shown['num_steps']}"
    return f"{_answer(shown, exit_step)} {_attack(shown, request)}{at}{_truth(request)}"
