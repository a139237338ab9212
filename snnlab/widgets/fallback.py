"""Fallback of an explorer where no script runs: one figure of its state, and a sentence that describes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from snnlab.attacks.trajectory import AttackTrajectory
from snnlab.networks.decoding import SILENT
from snnlab.plotting.figures import bars, rasters
from snnlab.plotting.theme import ATTACK, QUIET, NotebookFigure, mark, style
from snnlab.statistics import Estimate, wilson_interval
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets.compute import ANY, SPIKE_TRAIN, Request

Frame = Mapping[str, Any]
CHANGE = 32  # how much a difference between pictures is enlarged


def _still(figure: NotebookFigure, sentence: str) -> NotebookFigure:
    figure.alt = sentence
    return figure


def network_still(shown: Frame, request: Request, exit_step: int | None = None, also: str = "") -> NotebookFigure:
    """Return images, input spikes and answer of one network; ``exit_step`` replaces the request's, ``also`` ends the text."""
    step = exit_step or request.exit_step
    coded = request.encoding.partition("(")[0] in VOCABULARY.codes
    subject = f"The network with the {request.encoding} code" if coded else f"The network {request.encoding}"
    at = f", at exit {step} of {shown['num_steps']}"
    if shown["clean"]["input"] is None:
        subject, at = f"The network {request.encoding}, without spikes,", ""
    said = f"{subject} {_answer(shown, step)} {_attack(shown, request)}{at}{_truth(request)}{also}."
    return _still(_figure({"spikes in": shown}, "input", step), said)


def picture_still(shown: Frame, request: Request, names: Sequence[str]) -> NotebookFigure:
    """Return a picture, its attacked copy, what lies between them enlarged, and the votes; ``names`` of the classes."""
    sides = {name: shown[name] for name in ("clean", "attacked") if shown[name] is not None}
    images = {name: torch.as_tensor(side["image"]).reshape(tuple(shown["shape"])) for name, side in sides.items()}
    answers = {name: _named(side, request.exit_step, names) for name, side in sides.items()}
    with style():
        figure = NotebookFigure(figsize=(7.6, 2.9), layout="constrained")
        axes = figure.subplots(1, 4, width_ratios=(1, 1, 1, 1.5))
        for ax, (name, image) in zip(axes, images.items(), strict=False):
            ax.imshow(image.permute(1, 2, 0).numpy())
            ax.set_title(f"{name}: {answers[name]}")
        if "attacked" in images:
            change = 0.5 + CHANGE * (images["attacked"] - images["clean"])
            axes[2].imshow(change.clamp(0, 1).permute(1, 2, 0).numpy())
            axes[2].set_title(f"difference ×{CHANGE}")
        for ax in axes[:3]:
            ax.axis("off")
        votes = {name: _votes(side, request.exit_step) for name, side in sides.items()}
        colours = {"clean": QUIET, "attacked": ATTACK}
        for k, (name, values) in enumerate(votes.items()):
            at = [row + 0.4 * (k - (len(votes) - 1) / 2) for row in range(len(names))]
            axes[3].barh(at, values, 0.4, color=colours[name], label=name)
        axes[3].set_yticks(range(len(names)), names)
        axes[3].invert_yaxis()
        axes[3].set(xlabel="votes")
    attack = _attack(shown, request)
    before = f"; without the attack, {answers['clean']}" if "attacked" in sides else ""
    truth = "" if request.label is None else f"; it shows: {names[request.label]}"
    read = list(answers.values())[-1]
    said = f"A drawn or opened picture: the network {request.encoding} reads {read} {attack}{before}{truth}."
    return _still(figure, said)


def _named(side: Mapping[str, Any], exit_step: int, names: Sequence[str]) -> str:
    answer = int(side["predictions"][min(exit_step, len(side["predictions"])) - 1])
    return "no answer" if answer == SILENT else names[answer]


def _votes(side: Mapping[str, Any], exit_step: int) -> list[float]:
    rows = side["votes"].reshape(len(side["predictions"]), -1)
    votes: list[float] = rows[min(exit_step, len(rows)) - 1].tolist()
    return votes


def training_still(columns: Mapping[str, Frame], request: Request, code: str) -> NotebookFigure:
    """Return hidden spikes and answers of networks that learned by different rules, by the name of the rule."""
    answers = ", ".join(f"the one trained by {name} {_answer(shown, request.exit_step)}" for name, shown in columns.items())
    how = _attack(next(iter(columns.values())), request)
    said = f"One digit through networks with the {code} code, {how}: {answers}{_truth(request)}."
    return _still(_figure(columns, "hidden", request.exit_step), said)


def encoder_still(trains: Mapping[str, tuple[Tensor, Tensor | None]], eps: float, num_steps: int) -> NotebookFigure:
    """Return the spikes of one image, and of the same image brightened by ε, in every code."""
    said = f"One digit in {len(trains)} codes over {num_steps} steps, pixels sorted from bright to dark."
    if eps > 0:
        said += (
            f" Spikes that are added by brightening every pixel by {eps:g} are red: in offset they come in the first step, in "
            "onset and latency near the last."
        )
    return _still(rasters(trains), said)


def fault_still(shown: Mapping[str, Tensor], encoding: str, faults: Mapping[str, float]) -> NotebookFigure:
    """Return the hidden spikes of a digit on a sound chip and on a faulty one, and both answers."""
    names = ", ".join(f"{name.replace('_', ' ')} {severity:.3g}" for name, severity in faults.items()) or "no fault"
    before, after = (
        f"reads {int(a[-1])}" if a[-1] >= 0 else "is silent" for a in (shown["answers"], shown["faulty_answers"])
    )
    said = f"The network {encoding} {before} on a sound chip, and {after} with {names}."
    return _still(rasters({"hidden spikes": (shown["sound"], shown["faulty"] if faults else None)}), said)


def retiming_still(shown: Mapping[str, Any], encoding: str, mover: str, exit_step: int) -> NotebookFigure:
    """Return the input spikes of a digit before and after they moved in time, brightest pixels first, and both answers."""
    before, after = (f"reads {int(a)}" if a != SILENT else "is silent" for a in (shown["answer"], shown["moved_answer"]))
    far = f"{shown['shift']} step{'s' * (shown['shift'] != 1)}"
    done = f"{mover} moved {shown['moved']} spikes by at most {far}" if shown["moved"] else "no spike moved"
    said = f"The network {encoding} {before} at exit {exit_step}, and {after} after {done}."
    trains = {"spikes in": (shown["clean"], shown["spikes"] if shown["moved"] else None)}
    return _still(rasters(trains, exit_step=exit_step, rows="pixel"), said)


def playground_still(spikes: Tensor, code: str, hidden: Sequence[int]) -> NotebookFigure:
    """Return the spikes of one image, ``[T, pixels]``, that a network is going to learn from."""
    said = f"One digit in the code {code}, which a network of {' and '.join(map(str, hidden))} hidden neurons learns in the page."
    return _still(rasters({code: (spikes, None)}), said)


def event_still(shown: Mapping[str, Any], tamper: str, number: int, exit_step: int, label: int | None) -> NotebookFigure:
    """Return the spikes that a classifier of events reads, by polarity, and its answer."""
    trains = {}
    for polarity, name in ((1, "brighter"), (0, "darker")):
        clean, changed = (shown[key][:, polarity].flatten(1) for key in ("clean", "spikes"))
        trains[f"{name} pixels"] = clean, changed if tamper != "none" else None
    answer = int(shown["predictions"][exit_step - 1])
    done = "unchanged" if tamper == "none" else f"with at most {number} spikes changed ({tamper})"
    said = (
        f"A digit in front of a simulated event camera: {len(shown['events']):,} events, in nine steps, {done}. The network "
        f"{'gives no answer' if answer == SILENT else f'reads {answer}'} at exit {exit_step} of {len(shown['spikes'])}"
        f"{'' if label is None else f'; the right answer is {label}'}."
    )
    return _still(rasters(trains, exit_step=exit_step, rows="pixel"), said)


def paint_still(plain: Tensor, raised: Tensor, code: str, eps: float) -> NotebookFigure:
    """Return the spikes of one image in a painted code, ``[T, pixels]``, without and with ε on every pixel."""
    name = "a painted code" if code.startswith("table(") else f"the code {code}"
    said = f"One digit in {name} over {len(plain)} steps, pixels sorted from bright to dark"
    said += f", with the spikes that ε = {eps:g} adds in red." if eps > 0 else "."
    return _still(rasters({name: (plain, raised if eps > 0 else None)}), said)


def attack_still(trajectories: Mapping[str, AttackTrajectory], encoding: str, eps: float, step: int) -> NotebookFigure:
    """Return the image that every attacker has made at one step, and the step at which each breaks the network."""
    titles = {name: term.title for name, term in VOCABULARY.attack_variants.items()}
    images = {
        titles[name]: trajectory.images[min(step, len(trajectory.images) - 1)] for name, trajectory in trajectories.items()
    }
    clean = next(iter(trajectories.values())).images[0]
    titles[SPIKE_TRAIN] = "the spike-train attack"
    each = ", ".join(
        f"{titles[name]} {'never breaks it' if trajectory.broken_at is None else f'breaks it at step {trajectory.broken_at}'}"
        for name, trajectory in trajectories.items()
    )
    naive = trajectories["naive"].zero_gradient
    blind = f"The naive gradient is zero on {f'{float(naive[0]):.0%}' if len(naive) else 'none'} of the pixels."
    said = f"The network {encoding} under {len(trajectories)} attackers with ε = {eps:g}: {each}. {blind}"
    return _still(rasters({}, images={"clean": clean} | images), said)


def energy_still(spent: Mapping[str, float], price: float, zeros: str) -> NotebookFigure:
    """Return the energy of one image by model, in pJ, as bars beside the ANN's."""
    looks = {name: mark(name) for name in spent}
    with style():
        figure = NotebookFigure(figsize=(7.2, 0.34 * len(spent) + 1.0), layout="constrained")
        ax = figure.subplots()
        colours = [looks[name].colour for name in spent]
        ax.barh([looks[name].label for name in spent], [pj / 1000 for pj in spent.values()], 0.6, color=colours)
        ax.set(xlabel="energy of one image, nJ")
        ax.invert_yaxis()
    each = ", ".join(f"{looks[name].label} {pj / 1000:,.0f} nJ" for name, pj in spent.items())
    said = f"The energy of one image, with products of zero {zeros} and {price:g} pJ to read a weight: {each}."
    return _still(figure, said)


def results_still(
    table: Mapping[str, Any], shown: Mapping[str, Sequence[float]], against: str, level: float, where: str = ""
) -> NotebookFigure:
    """Return the accuracies of a table's networks as bars, ``level`` in grey levels, ``where`` continuing the sentence."""
    n = table["n"]
    models = {model["name"]: model for model in table["models"] if model["name"] in shown}
    means = {name: sum(shown[name]) / len(shown[name]) for name in models}
    values = {name: Estimate(mean, *wilson_interval(mean * n, n), n, len(shown[name])) for name, mean in means.items()}
    titles = {name: m["title"] + (" (attacked training)" if m["rule"] == "pgd" else "") for name, m in models.items()}
    looks = {name: replace(mark(model["code"]), label=titles[name]) for name, model in models.items()}
    best = max(values, key=lambda name: means[name])
    how = f"Accuracy on {table['dataset']} under {table['attacks'].get(against, against)} at ε = {level:g}/255{where}"
    said = (
        f"{how}: highest is {titles[best]} with {means[best]:.0%} (95 % interval {values[best].low:.0%} to "
        f"{values[best].high:.0%}), of n = {n:,} pictures."
    )
    return _still(bars(values, looks, table["chance"], f"ε = {level:g}/255, n = {n:,}"), said)


def _figure(frames: Mapping[str, Frame], layer: str, exit_step: int) -> NotebookFigure:
    """Return the images of the first frame and the spikes of a layer of all, where networks have them."""
    first = next(iter(frames.values()))
    sides = {name: first[name] for name in ("clean", "attacked") if first[name] is not None}
    images = {name: torch.as_tensor(side["image"]).reshape(tuple(first["shape"])) for name, side in sides.items()}
    trains = {title: _trains(shown, layer) for title, shown in frames.items() if shown["clean"][layer] is not None}
    return rasters(trains, images=images, exit_step=exit_step, rows=f"{layer} neuron")


def _trains(shown: Frame, layer: str) -> tuple[Tensor, Tensor | None]:
    order = torch.as_tensor(shown["order"][layer]).long()

    def read(side: str) -> Tensor:
        return torch.as_tensor(shown[side][layer]).reshape(shown["num_steps"], -1)[:, order].float()

    return read("clean"), None if shown["attacked"] is None else read("attacked")


def _answer(shown: Frame, exit_step: int) -> str:
    """Return what the network reads, in the attacked image if there is one, and whether the potential decided a tie."""
    side = shown["clean"] if shown["attacked"] is None else shown["attacked"]
    row = min(exit_step, len(side["predictions"])) - 1
    answer = int(side["predictions"][row])
    if answer == SILENT:
        return "gives no answer"
    votes = side["votes"].reshape(len(side["predictions"]), -1)[row]
    tied = side["membrane"] is not None and int((votes == votes.max()).sum()) > 1
    return f"reads {answer}" + (" (tie, decided by potential)" if tied else "")


def _attack(shown: Frame, request: Request) -> str:
    if shown["attacked"] is None:
        return "without attack"
    searches = request.attacker == SPIKE_TRAIN and request.attack == "pgd"
    title = "the spike-train attack" if searches else VOCABULARY.attacks[request.attack].title
    towards = f" towards class {shown['towards']}" if shown["towards"] != ANY else ""
    return f"under {title}{towards} with ε = {request.eps:.3g}"


def _truth(request: Request) -> str:
    return "" if request.label is None else f"; the right answer is {request.label}"
