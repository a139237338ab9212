"""Figures, tables and sentences of the chapter *Training*."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import pandas as pd
import torch
from matplotlib.ticker import MaxNLocator
from snntorch import spikeplot
from torch import Tensor, nn

from analysis.first_edition import printed
from snnlab import data, zoo
from snnlab.attacks import Budget, spike_train_attack
from snnlab.data import Split
from snnlab.encoding import Encoder
from snnlab.evaluation.certificates import certify
from snnlab.networks.classifier import Classifier
from snnlab.networks.sequence import unroll
from snnlab.plotting.theme import INK, QUIET, NotebookFigure, mark, style
from snnlab.statistics import MIN_EFFECT, NO_BOUND, Change, Estimate, change_between, over_seeds
from snnlab.zoo.registry import ADVERSARIAL

__all__ = [
    "adversarial_finding",
    "adversarial_table",
    "before_and_after",
    "change_figure",
    "hardened_table",
    "learning_curve",
    "other_finding",
    "output_spikes",
    "recipe_text",
    "rule_finding",
]

CODES = ("direct", "onset", "latency")
RADII = (0.1, 0.2)
#: adversarially trained network → plainly trained network to compare it with
HARDENED: dict[str, str] = {
    "fgsm-ann": "ann",
    "fgsm-direct": "direct",
    "fgsm-onset": "onset",
    "fgsm-latency": "latency",
    "pgd-latency": "latency",
    "trades-latency": "latency",
}
#: the ordinary network that was trained on attacked digits
BASELINE = "fgsm-ann"
#: worst case below which a comparison can show nothing
EMPTY = 0.01
#: the ordinary network that sees each pixel as 0 or 1
THRESHOLD = "ann-binary"
#: other rules on ``latency``, for comparison
RULES: dict[str, str] = {"tsslbp-latency": "TSSL-BP", "converted-latency": "conversion"}
#: fraction of the comparisons that must agree before a finding names a direction
CLEAR_SHARE = 2 / 3


# --- the network that the reader trains -----------------------------------------------------------------------------


def learning_curve(curves: Mapping[str, Sequence[tuple[float, float]]]) -> NotebookFigure:
    """Draw mean training loss and validation accuracy after each epoch, a line a training.

    Args:
        curves: pairs of loss and accuracy, by title.

    >>> learning_curve({"plain": [(1.2, 0.7), (0.5, 0.9)]}).alt
    'Loss and validation accuracy against the epoch: Plain: loss from 1.20 to 0.50, accuracy from 0.70 to 0.90.'
    """
    said = []
    with style():
        figure = NotebookFigure(figsize=(7.4, 2.7), layout="constrained")
        left, right = figure.subplots(1, 2)
        for (title, values), dash, marker in zip(curves.items(), ("-", "--", ":"), "o^s", strict=False):
            (loss, accuracy), epochs = zip(*values, strict=True), range(1, len(values) + 1)
            for ax, line in ((left, loss), (right, accuracy)):
                ax.plot(epochs, line, color=INK, ls=dash, marker=marker, label=title)
                cast(MaxNLocator, ax.xaxis.get_major_locator()).set_params(integer=True)
            ends = [
                f"{what} from {line[0]:.2f} to {line[-1]:.2f}" for what, line in (("loss", loss), ("accuracy", accuracy))
            ]
            said.append(f"{title.capitalize()}: {', '.join(ends)}.")
        chance = 0.1
        right.axhline(chance, color=QUIET, lw=0.8, ls=(0, (1, 3)))
        right.annotate("chance", (1, chance), xytext=(2, 3), textcoords="offset points", color=QUIET, fontsize=8)
        left.set(title="loss on the training digits", xlabel="epoch", ylim=(0, None))
        right.set(title="accuracy on the validation digits", xlabel="epoch", ylim=(0, 1.02))
        if len(curves) > 1:
            right.legend(fontsize=8, loc="lower right")
    figure.caption = "Left: the mean loss of each epoch. Right: the accuracy on the validation digits after it. One seed"
    figure.alt = f"Loss and validation accuracy against the epoch: {' '.join(said)}"
    return figure


@torch.no_grad()
def before_and_after(networks: Mapping[str, Any], sequence: Tensor, label: int) -> NotebookFigure:
    """Draw the spikes of one digit in the hidden and the output layer of several networks, side by side.

    Args:
        networks: snnTorch networks with the layers ``fc1``, ``lif1``, ``fc2`` and ``lif2``, by title.
        sequence: the encoded digit, ``[T, 1, 784]``.
        label: its class; the output neuron of this class is drawn in colour.
    """
    said = []
    with style():
        figure = NotebookFigure(figsize=(7.4, 4.2), layout="constrained")
        axes = figure.subplots(2, len(networks), sharex=True, height_ratios=(2, 1), squeeze=False)
        for (title, network), (top, bottom) in zip(networks.items(), axes.T, strict=True):
            hidden = unroll(network.lif1, network.fc1(sequence))[0]
            output = unroll(network.lif2, network.fc2(hidden))[0][:, 0]
            spikeplot.raster(hidden[:, 0], top, s=1.5, c=INK)
            spikeplot.raster(output, bottom, s=14, c=INK)
            own = torch.zeros_like(output)
            own[:, label] = output[:, label]
            spikeplot.raster(own, bottom, s=26, c=mark("latency").colour)
            top.set(title=title, ylim=(-4, 260))
            bottom.set(xlabel="step t", ylim=(-0.7, 9.7), yticks=range(0, 10, 3), xlim=(-0.5, len(sequence) - 0.5))
            for ax, spikes in ((top, hidden), (bottom, output)):
                if not spikes.any():
                    ax.text(0.5, 0.5, "no spike", transform=ax.transAxes, ha="center", color=QUIET)
            counts = [int(spikes.sum()) for spikes in (hidden, output, own)]
            said.append(f"{title}, {counts[0]} hidden and {counts[1]} output spikes, {counts[2]} of class {label}")
        axes[0][0].set_ylabel("hidden neuron")
        axes[1][0].set_ylabel("output neuron")
    figure.caption = "Top: the hidden layer; bottom: the output layer. In colour: the output neuron of the true class"
    figure.alt = f"Spikes of one digit, a {label}, over {len(sequence)} steps: {'; '.join(said)}."
    return figure


def hardened_table(
    networks: Mapping[str, nn.Module],
    code: Encoder,
    attack: Callable[[nn.Module, Tensor, Tensor], Tensor],
    eps: float,
    n: int,
) -> pd.DataFrame:
    """Return the accuracy of networks on validation digits: clean, under the attack of their training, and under the search.

    Args:
        networks: return spikes and potentials of the output, by title.
        code: the code before them.
        attack: a function of network, images and labels that returns attacked images.
        eps: the budget of the search among spike trains.
        n: number of digits.
    """
    digits, rows = data.load("mnist5k").validation[:n], {}
    for title, network in networks.items():
        model = Classifier(network, code).eval()
        generator = torch.Generator().manual_seed(0)
        found = spike_train_attack(model, digits.images, digits.labels, Budget(eps), steps=40, generator=generator)
        attacked = {"clean": digits.images, f"FGSM, ε = {eps:g}": attack(network, digits.images, digits.labels)}
        rows[title] = {
            key: f"{(model.predict(images)[-1] == digits.labels).float().mean():.2f}" for key, images in attacked.items()
        }
        left = f"{(~found.success).float().mean():.2f}"
        rows[title][f"search among spike trains, ε = {eps:g}"] = f"{_proved(model, digits, eps)} – {left}"
    return pd.DataFrame.from_dict(rows, orient="index")


def _proved(model: Classifier, digits: Split, eps: float) -> str:
    """Return the share of digits that interval bounds prove, or that no bound is known."""
    try:
        return f"{certify(model, digits.images, digits.labels, Budget(eps)).proved.float().mean():.2f}"
    except ValueError:  # a network of the reader's own
        return NO_BOUND


def recipe_text(name: str = "latency") -> str:
    """Return how the networks of the zoo are trained, from the recipe of one of them, as Markdown."""
    recipe, seeds, train = zoo.recipe(name), zoo.seeds(), data.load("mnist5k").train
    sizes = " - ".join(str(size) for size in (784, *recipe["hidden"], 10))
    bump, others = recipe["surrogate"], []
    for other, its in zoo.recipes("codes").items():
        differs = [key for key in ("epochs", "batch_size", "learning_rate", "beta") if its[key] != recipe[key]]
        settings = ", ".join(f"{key.replace('_', ' ')} {its[key]:g}" for key in differs)
        others += [f"`{other}` with {settings}"] if differs else []
    return (
        f"**The recipe of the zoo.**\n\n"
        f"- network: layers {sizes}; β = {recipe['beta']:g}, θ = {recipe['threshold']:g}, reset by "
        f"{'subtraction' if recipe['reset'] == 'subtract' else recipe['reset']}; T = {recipe['num_steps']} steps\n"
        f"- training: surrogate {bump['shape']} with slope {bump['slope']:g}, the {recipe['loss']} loss, Adam for "
        f"{recipe['epochs']} epochs of {len(train):,} digits in batches of {recipe['batch_size']}\n"
        f"- learning rate: {recipe['learning_rate']:g}, lowered to 0 along a cosine\n"
        f"- seeds: {', '.join(map(str, seeds))}\n\nEvery network of the zoo with a code is trained like this by BPTT"
        + (f", except {'; '.join(others)}." if others else ".")
        + " The tables name any other rule, loss or read-out, and the recipes of controls what differs there. "
        + "Networks trained on attacked digits start from these, with "
        + f"{', '.join(f'{epochs} epochs more ({rules})' for epochs, rules in _further().items())}."
    )


def _further() -> dict[int, str]:
    """Return how many epochs adversarial training adds, with the rules that do."""
    by_epochs: dict[int, set[str]] = {}
    for of in zoo.recipes("training").values():
        if of.start and of["rule"] in ADVERSARIAL:
            by_epochs.setdefault(of["epochs"], set()).add(of.labels["rule"].upper())
    return {epochs: ", ".join(sorted(rules)) for epochs, rules in sorted(by_epochs.items(), reverse=True)}


# --- the networks of the zoo ----------------------------------------------------------------------------------------


@torch.no_grad()
def output_spikes(name: str, digits: Split) -> float:
    """Return how many spikes the output neurons of a spiking network of the zoo fire on these digits, all steps together.

    >>> output_spikes("converted-latency", data.load("mnist5k").validation[:10])
    0.0
    """
    _, spikes, _ = zoo.load(name).trace(digits.images)
    return float(spikes.sum())


def change_figure(pairs: Mapping[str, str], radii: Sequence[float] = RADII) -> NotebookFigure:
    """Draw the change of the worst case of networks against others: a ring a seed, a dot and a line for mean and interval.

    Args:
        pairs: network → the network that it is compared with, seed by seed.
        radii: a panel for each ε.
    """
    said = []
    with style():
        figure = NotebookFigure(figsize=(7.6, 0.27 * len(pairs) + 1.0), layout="constrained")
        for ax, eps in zip(figure.subplots(1, len(radii), sharex=True, sharey=True, squeeze=False)[0], radii, strict=True):
            clear: dict[str, list[str]] = {"higher": [], "lower": []}
            for row, (new, old) in enumerate(pairs.items()):
                sides = [_by_seed(name, eps) for name in (new, old)]
                change = _change(new, eps, old)
                colour = mark(zoo.recipe(new)["code"]).colour
                ax.plot([change.low, change.high], [row, row], color=colour, lw=1.4)
                ax.plot(
                    [a - b for a, b in zip(*sides, strict=True)], [row] * len(sides[0]), "o", ms=4, mfc="none", color=colour
                )
                ax.plot(change.mean, row, "o" if change.clear else "|", color=colour, ms=6)
                if change.clear:
                    clear[change.direction].append(f"{new} ({change.mean:+.2f})")
            ax.axvline(0, color=QUIET, lw=0.8)
            ax.set(title=f"ε = {eps:g}", xlabel="change of worst-case accuracy", ylim=(len(pairs) - 0.5, -0.5))
            ax.set_yticks(range(len(pairs)), [f"{new} − {old}" for new, old in pairs.items()], fontsize=8)
            said.append(
                f"at ε = {eps:g}, " + ", ".join(f"{key}: {'; '.join(names) or 'none'}" for key, names in clear.items())
            )
    figure.caption = (
        "Rings are single seeds, lines are 95 % intervals, over seeds or, where wider, over digits. The mean is a dot where "
        f"the interval leaves out zero and the mean is at least {MIN_EFFECT:g}"
    )
    figure.alt = f"Changes of worst-case accuracy, seed by seed: clearly different from zero {'. '.join(said)}."
    return figure


def rule_finding(codes: Sequence[str] = CODES, radii: Sequence[float] = RADII) -> str:
    """Return whether converted networks are less robust than those trained in time, as the claim says, as Markdown."""
    against = {
        rule: [_change(f"converted-{c}", eps, f"{rule}{c}") for c in codes for eps in radii] for rule in ("", "tsslbp-")
    }
    empty = [(c, eps) for c in codes for eps in radii if max(_mean(name, eps) for name in (c, f"tsslbp-{c}")) < EMPTY]
    directions = [change.direction for changes in against.values() for change in changes]
    lower, higher, n = directions.count("lower"), directions.count("higher"), len(directions)
    tssl = [_change(f"tsslbp-{c}", eps, c).direction for c in codes for eps in radii]
    if max(lower, higher) < CLEAR_SHARE * n:
        reading = "*There is no consistent direction.*"
    else:
        reading = "That is what the claim says." if lower > higher else "*That is the opposite of the claim.*"
    return (
        "**Finding 1: the rule.** The claim says that a converted network is less robust than one that was trained in time. "
        f"Of {n} comparisons (converted against BPTT and against TSSL-BP, {len(codes)} codes, {len(radii)} budgets) {lower} are "
        f"clearly lower and {higher} clearly higher, without a correction for making {n} comparisons. {_too_low(empty)}{reading} "
        f"TSSL-BP against BPTT: {tssl.count('lower')} of {len(tssl)} clearly lower, {tssl.count('higher')} clearly higher. These "
        "are comparisons of bundles: TSSL-BP's networks also filter their input and their spikes, converted ones have no leak."
    )


def _same_length() -> str:
    """Return how adversarial training compares with longer training on clean digits, in a sentence."""
    pairs = {name: f"{plain}-long" for name, plain in HARDENED.items() if f"{plain}-long" in zoo.names("controls")}
    known = {name: long for name, long in pairs.items() if zoo.measured(long)}
    missing = dict.fromkeys(f"`{long}`" for name, long in pairs.items() if name not in known)
    text = "The plain networks were trained for fewer epochs in all, so part of a gain may come from longer training alone."
    if known:
        listed = "\n".join(
            f"- `{name}` against `{long}`: " + ", ".join(f"{_change(name, eps, long)} at ε = {eps:g}" for eps in RADII)
            for name, long in known.items()
        )
        text += f" Against networks that were trained longer on clean digits:\n\n{listed}\n\n"
    return text + (f" Such controls that are not measured yet: {', '.join(missing)}." if missing else "")


def _too_low(empty: Sequence[tuple[str, float]]) -> str:
    """Return in which comparisons both sides have lost nearly all digits, in a sentence."""
    if not empty:
        return ""
    listed = ", ".join(f"`{code}` at ε = {eps:g}" for code, eps in empty)
    return f"{2 * len(empty)} of them can show nothing, since nearly every digit is lost on both sides ({listed}). "


def _mean(name: str, eps: float) -> float:
    return _worst(name, eps).mean


def other_finding(eps: float = RADII[0]) -> str:
    """Return what the choice of loss and read-out, and of the code, changes beside the choice of the rule, as Markdown."""
    largest = max((_change(name, eps, "latency") for name in RULES), key=lambda change: abs(change.mean))
    membrane = _change("membrane-latency", eps, "latency")
    worst = [over_seeds(zoo.repeats(code), "worst", None, eps).mean for code in CODES]
    return (
        f"**Finding 2: beside the rule.** On `latency` at ε = {eps:g}, the larger of the two changes by a rule is "
        f"{largest.mean:+.2f}. Loss and read-out (potential instead of count, with BPTT and the same code) change "
        f"{membrane.mean:+.2f} ({membrane.direction}). Under BPTT the codes of the three panels span {min(worst):.2f} to "
        f"{max(worst):.2f}."
    )


def adversarial_table() -> pd.DataFrame:
    """Return the worst case of adversarially trained networks, their gain over plain training, and the first edition's number.

    Means over seeds with 95 % intervals; the first edition's number is that of the first seed.
    """
    rows: dict[str, dict[str, str]] = {}
    for name in HARDENED:
        records = zoo.repeats(name)
        rows[name] = {}
        for eps in RADII:
            change = _gain(name, eps)
            rows[name][f"worst case, ε = {eps:g}"] = str(over_seeds(records, "worst", None, eps))
            rows[name][f"gain, {eps:g}"] = f"{change} {change.direction}" if change.clear else str(change)
            rows[name][f"first printed, {eps:g}"] = f"{printed(name, eps) / records[0].n:.3f}"
    return pd.DataFrame.from_dict(rows, orient="index")


def adversarial_finding() -> str:
    """Return where adversarial training still gains, where not, and which network is left as the most robust, as Markdown."""
    sentences = []
    for eps in RADII:
        gains = {name: _gain(name, eps) for name in HARDENED}
        clear = [f"`{name}` ({gain.mean:+.2f})" for name, gain in gains.items() if gain.direction == "higher"]
        rest = [f"`{name}` ({gain.mean:+.2f})" for name, gain in gains.items() if gain.direction != "higher"]
        sentences.append(
            f"At ε = {eps:g} the gain over plain training is clear for {', '.join(clear) or 'none'}"
            + (f", not for {', '.join(rest)}." if rest else ".")
        )
    rules = [f"{title} {_gain(name, RADII[0])}" for name, title in RULES.items()]
    sentences.append(
        f"Beside it, on `latency` at ε = {RADII[0]:g}, another rule with all that it brings: {', '.join(rules)}."
    )
    sentences += [_same_length(), _against_ann()]
    largest = RADII[-1]
    worst = {name: over_seeds(zoo.repeats(name), "worst", None, largest) for name in zoo.names()}
    before, now = max(zoo.names(), key=lambda name: printed(name, largest)), max(worst, key=lambda name: worst[name].mean)
    changed = f"is now `{now}`" if now != before else "still is that network"
    control = f" (A control, `{THRESHOLD}`, keeps more: {_worst(THRESHOLD, largest)}.)" if zoo.measured(THRESHOLD) else ""
    n = zoo.results(before).n
    sentences.append(
        f"The network that was printed as the most robust of all at ε = {largest:g}, `{before}` with "
        f"{printed(before, largest) / n:.3f}, keeps {worst[before]}. The most robust {changed}, with "
        f"{worst[now]} (networks trained for a proof, and controls, are aside).{control}"
    )
    return f"**Finding 3: it is worth what the attacker in training saw.** {' '.join(sentences)}"


def _worst(name: str, eps: float) -> Estimate:
    return over_seeds(zoo.repeats(name), "worst", None, eps)


def _against_ann() -> str:
    """Return which spiking networks that were trained on attacked digits are clearly above the ANN that was, and which below."""
    parts = []
    for eps in RADII:
        against = {name: _change(name, eps, BASELINE) for name in HARDENED if name != BASELINE}
        groups = {
            way: ", ".join(f"`{name}` ({change})" for name, change in against.items() if change.direction == way) or "none"
            for way in ("higher", "lower")
        }
        parts += [f"- at ε = {eps:g} clearly {way}: {names}" for way, names in groups.items()]
    return (
        f"Against an ordinary network that was trained on attacked digits as well, `{BASELINE}`:\n\n"
        + "\n".join(parts)
        + "\n\n"
    )


def _gain(name: str, eps: float) -> Change:
    return _change(name, eps, "latency" if name in RULES else HARDENED[name])


def _change(new: str, eps: float, old: str) -> Change:
    return change_between(zoo.repeats(new), zoo.repeats(old), eps=eps)


def _by_seed(name: str, eps: float) -> list[float]:
    return [record.accuracy(eps=eps) for record in zoo.repeats(name)]
