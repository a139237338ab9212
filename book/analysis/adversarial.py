"""Drawings and tables of the chapter *Adversarial examples*."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import NAIVE, Budget, attack
from snnlab.plotting.theme import ATTACK, INK, QUIET, NotebookFigure, mark, style
from snnlab.statistics import seed_summary

__all__ = ["convergence", "corner", "finding", "measured", "pictures", "winners", "winners_text"]

EPS = 0.1  # of the table of winners, and of the pictures
#: the two-pixel example: a picture and the weights of a linear score
PICTURE, WEIGHTS, SMALL_EPS = (0.6, 0.1), (1.0, 2.0), 0.2
SAMPLES = 200  # of the curves


def corner() -> NotebookFigure:
    """Draw a budget of two pixels: FGSM leads to a corner of it (left), PGD projects every step back (right)."""
    (x, y), eps = PICTURE, SMALL_EPS
    low, high = (x - eps, max(y - eps, 0.0)), (x + eps, y + eps)
    with style():
        figure = NotebookFigure(figsize=(7.4, 3.6), layout="constrained")
        left, right = figure.subplots(1, 2, sharey=True)
        for ax in (left, right):
            ax.add_patch(Rectangle(low, high[0] - low[0], high[1] - low[1], fc="none", ec=INK, lw=1.4))
            ax.plot(x, y, "o", color=INK, ms=6)
            ax.annotate("x", (x, y), xytext=(-11, 3), textcoords="offset points", color=INK)
            ax.set(xlabel="pixel 1", xlim=(0.2, 1.0), ylim=(-0.08, 0.5), aspect="equal")
            ax.axhspan(-0.08, 0, color=QUIET, alpha=0.2, lw=0)
            ax.annotate("below black", (0.22, -0.06), color=QUIET, fontsize=8)
        left.set(title="FGSM: one step into a corner", ylabel="pixel 2")
        for level in np.arange(0.2, 2.2, 0.2):  # lines of equal loss
            line = (level - WEIGHTS[0] * np.array([0.0, 1.2])) / WEIGHTS[1]
            left.plot([0.0, 1.2], line, color=mark("direct").colour, lw=0.7, alpha=0.6, zorder=0)
        _arrow(left, (x, y), (high[0], high[1]), ATTACK)
        _arrow(left, (x, y), (x + 0.12 * WEIGHTS[0] / 2, y + 0.12 * WEIGHTS[1] / 2), mark("direct").colour)
        left.annotate("x + ε sign ∇L", high, xytext=(-4, 6), textcoords="offset points", color=ATTACK, ha="center")
        left.annotate("∇L", (x + 0.06, y + 0.12), xytext=(-20, 0), textcoords="offset points", color=mark("direct").colour)
        right.set_title("PGD: steps, each projected back")
        at, alpha = np.array((x - 0.12, y + 0.05)), 0.15
        for slope in ((1, 1), (1, 1), (1, -1), (-1, -1)):
            moved = at + alpha * np.array(slope)
            inside = np.clip(moved, low, high)
            _arrow(right, at, moved, ATTACK)
            if not np.allclose(moved, inside):
                right.plot(*np.array([moved, inside]).T, color=INK, lw=1, ls=":")
            right.plot(*inside, "o", color=ATTACK, ms=4)
            at = inside
        right.plot(x - 0.12, y + 0.05, "o", mfc="none", color=ATTACK, ms=7, label="random start")
        right.plot([], [], color=INK, lw=1, ls=":", label="projection Π")
        right.legend(fontsize=8, loc="upper left")
    figure.caption = (
        "The square is the budget, cut off at black. Left: where the loss is linear, FGSM ends in the corner "
        "of highest loss. Right: PGD takes steps, and projects those that leave the square to the nearest "
        "point in it"
    )
    figure.alt = (
        "FGSM and PGD with two pixels: the budget is a square around the picture x. Left: lines of equal loss are "
        "straight, and the sign of the gradient leads to the corner in which the loss is highest. Right: steps of PGD that leave "
        "the square are projected to the nearest point in it."
    )
    return figure


def _arrow(ax: Axes, start: Any, end: Any, colour: str) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "->", "color": colour, "lw": 1.6, "shrinkA": 0, "shrinkB": 0})


def pictures(eps: float = EPS) -> NotebookFigure:
    """Draw a test digit, the same with noise, the same after FGSM, and both changes, with the answers of the network.

    It is the first test digit that the network classifies correctly, clean and under noise of size ε, but not under FGSM.
    """
    model, digits = zoo.load("ann"), data.load("mnist5k").test[:SAMPLES]
    budget, images, labels = Budget(eps), digits.images, digits.labels
    signs = torch.randint(0, 2, images.shape, generator=torch.Generator().manual_seed(0)) * 2.0 - 1
    noisy = budget.project(images + eps * signs, images)
    changed = attack(model, images, labels, budget, "fgsm", NAIVE).images
    with torch.no_grad():
        clean, noise, fgsm = (model(x).softmax(1) for x in (images, noisy, changed))
    right = [answers.argmax(1) == labels for answers in (clean, noise, fgsm)]
    k = int((right[0] & right[1] & ~right[2]).nonzero()[0])
    said = []
    with style():
        figure = NotebookFigure(figsize=(8.2, 2.2), layout="constrained")
        axes = figure.subplots(1, 5)
        titles = ("clean", f"noise, ε = {eps:g}", f"FGSM, ε = {eps:g}")
        for ax, title, picture, answers in zip(axes, titles, (images, noisy, changed), (clean, noise, fgsm), strict=False):
            ax.imshow(picture[k, 0].numpy(), cmap="gray", vmin=0, vmax=1)
            answer = f"{int(answers[k].argmax())} ({float(answers[k].max()):.0%})"
            ax.set_xlabel(f"classified as {answer}", fontsize=8)
            ax.set_title(title, fontsize=9)
            said.append(f"{title}: classified as {answer}")
        for ax, title, picture in zip(axes[3:], ("noise - clean", "FGSM - clean"), (noisy, changed), strict=True):
            shown = ax.imshow((picture - images)[k, 0].numpy(), cmap="RdBu_r", vmin=-eps, vmax=eps)
            ax.set_title(title, fontsize=9)
        figure.colorbar(shown, ax=axes[4], ticks=(-eps, 0, eps))
        for ax in axes:
            ax.set(xticks=[], yticks=[])
    figure.caption = (
        "Below each picture: the answer of the network and its probability. Right: the changes, brighter in "
        "red and darker in blue; most pixels of the background can only become brighter"
    )
    figure.alt = (
        f"Noise and FGSM of the same size: a test digit, a {int(labels[k])}, changed by at most {eps:g} a pixel. "
        f"{'; '.join(said)}."
    )
    return figure


def convergence(
    radii: tuple[float, ...] = (0.02, 0.05, 0.1), steps: tuple[int, ...] = (1, 2, 3, 5, 10, 20, 40)
) -> NotebookFigure:
    """Draw the accuracy of the ordinary network under PGD against its number of steps, a line an ε; crosses: FGSM."""
    model, digits = zoo.load("ann"), data.load("mnist5k").test[:SAMPLES]
    said = []

    def left(eps: float, method: str, **settings: Any) -> float:
        generator = torch.Generator().manual_seed(0)
        result = attack(model, digits.images, digits.labels, Budget(eps), method, NAIVE, generator=generator, **settings)
        return 1 - float(result.success.float().mean())

    with style():
        figure = NotebookFigure(figsize=(6.4, 3.2), layout="constrained")
        ax = figure.subplots()
        for eps, dash, marker in zip(radii, ("-", "--", ":"), "os^", strict=False):
            values = [left(eps, "pgd", steps=k) for k in steps]
            ax.plot(range(len(steps)), values, color=INK, ls=dash, marker=marker, label=f"PGD, ε = {eps:g}")
            ax.plot(-0.5, left(eps, "fgsm"), "x", color=ATTACK, ms=7, mew=2)
            said.append(f"ε = {eps:g}: {values[0]:.2f} with {steps[0]} step, {values[-1]:.2f} with {steps[-1]}")
        ax.plot([], [], "x", color=ATTACK, ms=7, mew=2, label="FGSM")
        ax.set_xticks(range(len(steps)), [str(k) for k in steps])
        ax.set(xlabel="steps of PGD", ylabel="accuracy", ylim=(0, 1))
        ax.legend(fontsize=8, loc="center right", bbox_to_anchor=(1, 0.68))
    figure.caption = (
        f"n = {len(digits)} test digits. Crosses: FGSM. The step is ε/4, or 2.5 ε divided by the number of steps where that is "
        "larger: so one step may go as far as FGSM. Where a line still falls at its right end, the attack has not finished"
    )
    figure.alt = f"Accuracy against the number of steps of PGD: {'; '.join(said)}."
    return figure


def measured() -> pd.DataFrame:
    """Return the accuracy of the ordinary network, clean and under attack, in rows."""
    attacks = {"noise": "noise", "FGSM": "fgsm.naive", "PGD-10": "pgd.naive", "worst case": "worst"}
    columns = [(f"{title}, {eps:g}", key, eps) for eps in (0.05, EPS) for title, key in attacks.items()]
    table = seed_summary({"ann": [zoo.results("ann")]}, [("clean", "worst", 0.0), *columns])
    return table.T.rename_axis("attack, ε").rename(columns={"ann": "ordinary network"})


def finding() -> str:
    """Return how much the direction of a change matters, as Markdown."""
    record = zoo.results("ann")
    noise, fgsm, pgd = (record.accuracy(key, None, EPS) for key in ("noise", "fgsm.naive", "pgd.naive"))
    return (
        f"**Finding.** At ε = {EPS:g} the accuracy is {noise:.2f} under random signs, {fgsm:.2f} under one chosen step and "
        f"{pgd:.2f} under ten (n = {record.n:,}). All three change every pixel by at most ε: the direction decides, not the size."
    )


@cache
def _confusions() -> Tensor:
    """Return how often the ordinary network answers each class under FGSM: ``[true class, answer]``, all test digits."""
    model, digits = zoo.load("ann"), data.load("mnist5k").test
    images = attack(model, digits.images, digits.labels, Budget(EPS), "fgsm", NAIVE).images
    with torch.no_grad():
        answers = model(images).argmax(1)
    return torch.bincount(digits.labels * 10 + answers, minlength=100).view(10, 10)


def winners() -> pd.DataFrame:
    """Return, for every true class, the wrong class that FGSM produces most often, and its share of the digits."""
    counts = _confusions()
    wrong = counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)
    rows = {
        f"true class {true}": {
            "most frequent wrong class": int(row.argmax()),
            "share of these digits": f"{int(row.max()) / int(counts[true].sum()):.0%}",
            "still right": f"{int(counts[true, true]) / int(counts[true].sum()):.0%}",
        }
        for true, row in enumerate(wrong)
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def winners_text() -> str:
    """Return a sentence on how concentrated the wrong answers are, and n, seed and attack of the table, as Markdown."""
    counts = _confusions()
    wrong = counts.masked_fill(torch.eye(10, dtype=torch.bool), 0)
    share = float(wrong.max(1).values.sum() / wrong.sum())
    mutual = [(a, b) for a in range(10) for b in range(a + 1, 10) if wrong[a].argmax() == b and wrong[b].argmax() == a]
    pairs = ", ".join(f"{a} and {b}" for a, b in mutual) or "none"
    return (
        f"The most frequent wrong class takes {share:.0%} of the errors; if all nine were equally likely it would take about "
        f"{_share_by_chance(wrong.sum(1)):.0%}. Pairs of classes that are each other's most frequent error: {pairs}. "
        f"(FGSM, ε = {EPS:g}, n = {int(counts.sum()):,} test digits, one training seed.)"
    )


def _share_by_chance(errors: Tensor, draws: int = 200) -> float:
    """Return the share of the most frequent of nine equally likely wrong classes, given the errors of every true class."""
    generator = torch.Generator().manual_seed(0)
    drawn = (torch.randint(9, (draws, int(n)), generator=generator) for n in errors)
    most = sum(torch.nn.functional.one_hot(classes, 9).sum(1).amax(1) for classes in drawn)
    return float((torch.as_tensor(most) / errors.sum()).mean())
