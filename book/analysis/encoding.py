"""Drawings and sentences of the chapter *Encoding*."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from snnlab import zoo
from snnlab.encoding import encoder
from snnlab.plotting.theme import ATTACK, DASHES, INK, QUIET, NotebookFigure, mark, style
from snnlab.statistics import NO_BOUND, change_between, estimate, over_seeds
from snnlab.statistics.records import Repeats
from snnlab.zoo.studies import VOTED

__all__ = ["codes_in_time", "finding", "two_slopes"]

#: codes in which bright pixels come first
EARLY = ("onset", "latency", "phase")


#: pixels of the drawing: titles and intensities
PIXELS: dict[str, float] = {"white": 1.0, "grey": 0.5, "dark": 0.15}
DRAWN = ("direct", "poisson", "onset", "offset", "latency", "phase")


def codes_in_time(eps: float = 0.2, num_steps: int = 8) -> NotebookFigure:
    """Draw the sequences of a white, a grey and a dark pixel, and of a black one raised by ε, in every code.

    The height of a bar is the size of the current (``direct``) or the worth of the spike (``phase``).
    """
    titles = [*PIXELS, f"black + {eps:g}"]
    values = torch.tensor([*PIXELS.values(), eps]).view(1, 1, 1, -1)
    said = []
    with style():
        figure = NotebookFigure(figsize=(7.6, 4.6), layout="constrained")
        axes = figure.subplots(len(DRAWN), len(titles), sharex=True, sharey=True)
        for row, code in zip(axes, DRAWN, strict=True):
            sequence = encoder(code, num_steps=num_steps)(values, generator=torch.Generator().manual_seed(4)).flatten(1)
            for ax, title, train in zip(row, titles, sequence.T, strict=True):
                colour = mark(code).colour if title in PIXELS else ATTACK
                ax.bar(range(num_steps), train.tolist(), 0.8, color=colour)
                ax.set(ylim=(0, 1.1), yticks=[], xlim=(-0.6, num_steps - 0.4), xticks=range(0, num_steps, 2))
            row[0].set_ylabel(code, rotation=0, ha="right", va="center", color=mark(code).colour)
            first = (sequence[:, -1] > 0).nonzero().flatten()
            said.append(f"{code} {f'from step {int(first[0])}' if len(first) else 'never'}")
        for ax, title in zip(axes[0], titles, strict=True):
            ax.set_title(title)
        for ax in axes[-1]:
            ax.set_xlabel("step t")
    figure.caption = (
        "The height of a bar is the current (direct) or what a spike is worth (phase); poisson is one draw. "
        "Red: a black pixel under attack"
    )
    figure.alt = (
        f"Four pixels in {len(DRAWN)} codes over {num_steps} steps: a black pixel raised by {eps:g} acts: {', '.join(said)}."
    )
    return figure


def two_slopes(code: str = "offset", step: int = 2, num_steps: int = 8) -> NotebookFigure:
    """Draw the spike of a code at one step against the intensity, and its derivative in the two backward rules."""
    x = torch.linspace(0, 1, 201)
    edge = step / num_steps if code == "offset" else 1 - step / num_steps
    with style():
        figure = NotebookFigure(figsize=(7.4, 2.5), layout="constrained")
        left, right = figure.subplots(1, 2)
        left.plot(x, _spike(code, step, num_steps, x, "straight_through")[0], color=INK, lw=2)
        left.set(title=f"forward: the spike of {code}, t = {step}", xlabel="intensity x", ylabel="s")
        for title, rule, dash, colour in (
            ("straight through: s (naive)", "straight_through", DASHES[0], ATTACK),
            ("relaxed (informed)", "relaxed", DASHES[1], mark("direct").colour),
        ):
            right.plot(x, _spike(code, step, num_steps, x, rule)[1], color=colour, ls=dash, label=title)
        right.axvspan(0, edge, color=QUIET, alpha=0.15, lw=0)
        right.set(title="backward: what stands for ∂s/∂x", xlabel="intensity x")
        right.legend(fontsize=8)
    figure.caption = (
        "In the shaded range the pixel has not fired: the naive attacker gets no gradient there. Most pixels "
        "of a digit are black, at the left end"
    )
    figure.alt = (
        f"One step of a code and two stand-ins for its derivative: left, the spike of {code}. Right: the "
        "straight-through rule is zero "
        "wherever the pixel has not fired, the relaxed rule is a bump around the step and nowhere zero."
    )
    return figure


def _spike(code: str, step: int, num_steps: int, x: Tensor, rule: Any) -> tuple[Tensor, Tensor]:
    """Return the spike of a code at one step for these intensities, and its derivative under a backward rule."""
    leaf = x.clone().view(1, 1, 1, -1).requires_grad_(True)
    spikes = encoder(code, num_steps=num_steps, backward=rule)(leaf)[step]
    (slope,) = torch.autograd.grad(spikes.sum(), leaf)
    return spikes.detach().flatten(), slope.flatten()


def finding(repeats: Repeats, radii: Sequence[float] = (0.1, 0.2)) -> str:
    """Return how far naive FGSM was wrong, and which codes are clearly more robust than ``direct`` at which ε, as Markdown.

    Args:
        repeats: the records of all seeds by code.
        radii: ε of the worst cases.
    """
    naive, worst = (over_seeds(repeats["offset"], attack, None, radii[0]).mean for attack in ("fgsm.naive", "worst"))
    sentences = [
        f"**Finding.** Naive FGSM at ε = {radii[0]:g} leaves `offset` at {naive:.0%}; the worst case is {worst:.0%}. The "
        "apparent robustness of `offset` was the attacker's blindness."
    ]
    for eps in radii:
        worst_case = {name: over_seeds(records, "worst", None, eps).mean for name, records in repeats.items()}
        listed = ", ".join(
            f"`{name}` {worst_case[name]:.0%}" for name in sorted(worst_case, key=lambda name: -worst_case[name])
        )
        clear = [name for name in EARLY if _is_above_direct(repeats, name, eps)]
        others = [name for name in EARLY if name not in clear]
        sentences.append(
            f"The worst case at ε = {eps:g} leaves {listed}. Of the codes with the important part first, "
            f"{_listed(clear) or 'none'} {'is' if len(clear) < 2 else 'are'} clearly more robust than `direct`"
            + (f", {_listed(others)} not." if others else ".")
        )
    return "\n\n".join([*sentences, _one_draw(repeats, radii[0]), _threshold(radii)])


def _one_draw(repeats: Repeats, eps: float) -> str:
    """Return the worst case of ``poisson``, whose one draw meets all attacks, beside its strongest attack, in a sentence."""
    if "poisson" not in repeats:
        return ""
    records = repeats["poisson"]
    single = {a: over_seeds(records, a, None, eps) for a in records[0].correct if a != "worst"}
    strongest = min(single, key=lambda attack: single[attack].mean)
    return (
        f"`poisson` is judged by one draw, which all attacks try in turn: {over_seeds(records, 'worst', None, eps)} at "
        f"ε = {eps:g}. Its strongest single attack, `{strongest}`, meets the draw once and leaves {single[strongest]}, which is "
        f"closer to a mean over draws. {_voted(eps)} By all of these numbers `poisson` has lost what naive FGSM left."
    )


def _voted(eps: float) -> str:
    """Return what is left of ``poisson`` where several draws answer together, beside one draw, in a sentence."""
    record = VOTED.record("poisson")
    one, together = (
        estimate([record["correct"][count][record["eps"].index(eps)]], record["n"]) for count in ("one", "majority")
    )
    return (
        f"Where the majority of {record['draws']} draws answers, the suite `{record['suite']}` without transferred images leaves "
        f"{together} of the first {record['n']} digits, and {one} where one draw answers (one training seed; {NO_BOUND})."
    )


def _threshold(radii: Sequence[float], control: str = "ann-binary", code: str = "onset") -> str:
    """Return what an ordinary network on binarised pixels gains over the most robust code, and its price, in a sentence."""
    if not zoo.measured(control):
        return ""

    def change(eps: float) -> str:
        found = change_between(zoo.repeats(control), zoo.repeats(code), eps=eps)
        return f"{found} ({found.direction})"

    robust = ", ".join(f"{change(eps)} at ε = {eps:g}" for eps in radii)
    return (
        f"The control without spikes is an ordinary network on pixels 0 or 1 (`{control}`, below). In the worst case it differs "
        f"from `{code}` by {robust}. Its price on clean digits is {change(0.0)}."
    )


def _is_above_direct(repeats: Repeats, name: str, eps: float) -> bool:
    return change_between(repeats[name], repeats["direct"], eps=eps).direction == "higher"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
