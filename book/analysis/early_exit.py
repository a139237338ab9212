"""Drawings, tables and sentences of the chapter *Early exit*. ``codes`` are the records of all seeds by name of the code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from snnlab import data, zoo
from snnlab.attacks import INFORMED, Budget, TimeRestricted, attack, spike_train_attack
from snnlab.data import Split
from snnlab.encoding import encoder, first_active_step
from snnlab.networks.classifier import Classifier
from snnlab.networks.early_exit import ExitRule, dynamic_exit
from snnlab.plotting.theme import ATTACK, INK, QUIET, NotebookFigure, mark, style
from snnlab.statistics import (
    NO_BOUND,
    Change,
    Record,
    change_between,
    change_over_seeds,
    estimate,
    flags_line,
    models_by_flag,
    over_seeds,
    wilson_interval,
)
from snnlab.statistics.parts import DynamicExits
from snnlab.statistics.records import Repeats

__all__ = [
    "clean_cost",
    "dynamic_finding",
    "dynamic_table",
    "gain_finding",
    "gain_table",
    "guess_finding",
    "guess_table",
    "late_controls",
    "late_finding",
    "late_table",
    "loss_finding",
    "loss_table",
    "safe_exits",
    "where_errors_leave",
    "window",
]

T = 8
#: losses that train for early exits, by the prefix of a network
LOSSES = ("anytime", "ttfs")
METHODS = {"noise": "random signs", "pgd": "PGD-10", "spike_train": "spike trains", "flips": "flipped spikes"}

#: rules, from the earliest exits to the latest
RULES: tuple[ExitRule, ...] = (
    ExitRule("first_spike"),
    ExitRule("margin", 1),
    ExitRule("margin", 2),
    ExitRule("margin", 3),
    ExitRule("margin", 4),
    ExitRule("confidence", 0.5),
    ExitRule("confidence", 0.9),
)


AIMS = (1, 2, 4, 6, 8)


def safe_exits(codes: Iterable[str], eps: float, num_steps: int = 8) -> dict[str, int]:
    """Return, for each code, the last exit that has processed nothing of an ε on black; 0 if there is none.

    >>> safe_exits(["latency", "onset", "direct"], 0.2)
    {'latency': 6, 'onset': 7, 'direct': 0}
    """
    return {code: first_active_step(eps, num_steps, code) for code in codes}


def clean_cost(records: Sequence[Record]) -> str:
    """Return how much clean accuracy ``latency`` loses by a large guess of ε, compared with the prediction, as Markdown.

    Args:
        records: of all seeds, measured at every exit.
    """
    last = records[0].num_steps
    changes = {e: _gain(records, e, 0.0) for e in range(1, last)}
    lower = [e for e, change in changes.items() if change.direction == "lower"]
    free = [e for e in changes if not any(later in lower for later in range(e, last))]
    listed = ", ".join(f"{e} ({changes[e]})" for e in lower) or "none"
    text = f"On clean digits the exits that are clearly worse than exit {last} are: {listed}. "
    if not free:
        return text + "So a guess that is too large costs clean accuracy, as prediction 3 said."
    return (
        f"{text}From exit {free[0]} on, none is. So the part of prediction 3 about clean digits *fails* for guesses up to "
        f"ε = {1 - free[0] / last:g}: such a guess costs no clean accuracy that {len(records)} seeds can show. What a too "
        "early exit costs is accuracy under attack."
    )


def where_errors_leave(model: Classifier, digits: Split, eps: float) -> pd.DataFrame:
    """Return the share of the errors of each exit rule that leave before, in and after the window of ``latency``.

    Attacks: informed PGD-10 aimed at each of five exits. An error at any of them counts, at the exit where it left.

    Args:
        model: a network with the code ``latency``.
        digits: images and labels.
        eps: the budget.
    """
    generator = torch.Generator().manual_seed(0)
    attacked = [
        attack(model.at(exit_step=e), digits.images, digits.labels, Budget(eps), "pgd", INFORMED, generator=generator).images
        for e in AIMS
    ]
    num_steps = model.num_steps
    first, last = int(eps * num_steps) + 1, first_active_step(eps, num_steps)
    rows: dict[str, dict[str, str]] = {}
    with torch.no_grad():
        read = [model.read(images) for images in attacked]
    for rule in RULES:
        results = [dynamic_exit(*outputs, rule, digits.labels) for outputs in read]
        exits = torch.cat([result.exit_steps[~_correct(result.correct)] for result in results])
        before, after = (exits < first).float().mean(), (exits > last).float().mean()
        shares = {f"exits 1 to {first - 1}": before, f"exits {first} to {last}": 1 - before - after}
        shares[f"exits {last + 1} to {num_steps}"] = after
        rows[str(rule)] = {"errors": f"{len(exits)}", **{title: f"{float(share):.0%}" for title, share in shares.items()}}
    return pd.DataFrame.from_dict(rows, orient="index")


def _correct(correct: Tensor | None) -> Tensor:
    assert correct is not None  # labels were given
    return correct


# --- the drawing ------------------------------------------------------------------------------------------------------


def window(eps: float = 0.2) -> NotebookFigure:
    """Draw when white and black pixels fire in ``latency``, clean and attacked with ε, and the exits between them."""
    pixels = {"white": 1.0, f"white - {eps:g}": 1 - eps, f"black + {eps:g}": eps, "black": 0.0}
    spikes = encoder("latency", num_steps=T)(torch.tensor(list(pixels.values())).view(1, 1, 1, -1)).flatten(1)
    first, last = int(eps * T) + 1, first_active_step(eps, T)
    with style():
        figure = NotebookFigure(figsize=(7.2, 2.4), layout="constrained")
        ax = figure.subplots()
        ax.axvspan(first - 1, last, color=mark("latency").colour, alpha=0.18, lw=0)
        for row, (title, train) in enumerate(zip(pixels, spikes.T, strict=True)):
            attacked = title not in ("white", "black")
            ax.axhline(row, color=QUIET, lw=0.6)
            for t in train.nonzero().flatten().tolist():
                ax.plot([t + 0.5] * 2, [row - 0.32, row + 0.32], color=ATTACK if attacked else INK, lw=5)
        ax.set_yticks(range(len(pixels)), list(pixels))
        ax.set_xticks([t + 0.5 for t in range(T)], [str(t) for t in range(T)])
        ax.set(xlim=(0, T), ylim=(len(pixels) - 0.5, -0.9), xlabel="step t")
        words = f"exits {first} to {last} end in here"
        ax.annotate(
            words, ((first - 1 + last) / 2, -0.62), ha="center", va="center", color=mark("latency").colour, fontsize=9
        )
    figure.caption = (
        "Red: a white and a black pixel under attack. An exit in the coloured range has read the darkened "
        "stroke and nothing of the brightened background"
    )
    figure.alt = (
        f"The window of latency at ε = {eps:g}: white fires in step 0, darkened by {eps:g} in step {first - 1}; black raised by "
        f"{eps:g} fires in step {last}, black never. Exits {first} to {last} have read the darkened "
        "stroke and nothing of the background."
    )
    return figure


# --- fixed exits ------------------------------------------------------------------------------------------------------


def gain_table(codes: Repeats, radii: Sequence[float] = (0.1, 0.2)) -> pd.DataFrame:
    """Return what the last safe exit of each code gains over reading to the end, in the worst case and on clean digits."""
    rows = {}
    for eps in radii:
        for name, records in codes.items():
            e = _exit_of(name, eps)
            rows[f"{name}, ε = {eps:g}"] = {
                "exit": e,
                "worst case there": over_seeds(records, "worst", e, eps),
                f"worst case at {T}": over_seeds(records, "worst", T, eps),
                "gain": _gain(records, e, eps),
                "gain on clean digits": _gain(records, e, 0.0),
            }
    return pd.DataFrame.from_dict(rows, orient="index")


def gain_finding(codes: Repeats, near: float = 0.1, far: float = 0.2) -> str:
    """Return for which codes the predicted exit gains, and whether that is as predicted, as Markdown."""

    def gained(name: str, eps: float) -> str:
        e = _exit_of(name, eps)
        if e == T:
            return f"`{name}` can be read to the end (ε on black never fires)"
        change = _gain(codes[name], e, eps)
        verb = {"higher": "gains", "lower": "loses"}.get(change.direction, "does not clearly change")
        return f"`{name}` at exit {e} {verb} ({change})"

    empty = [n for n, records in codes.items() if max(_worst(records, e, far) for e in range(1, T + 1)) < 0.01]
    gains = {
        n: _gain(records, _exit_of(n, far), far).direction == "higher" for n, records in codes.items() if n not in empty
    }
    right = [name for name, higher in gains.items() if higher == (name in ("latency", "onset"))]
    wrong = [name for name in gains if name not in right]
    listed = "\n".join(f"- ε = {eps:g}: {gained(name, eps)}" for eps in (far, near) for name in codes)
    sentences = [
        f"**Finding.** What brings leaving at the exit that was predicted, instead of {T}?\n\n{listed}\n\n"
        f"At ε = {far:g} the prediction holds for {_listed(right)}"
        + (f" and fails for {_listed(wrong)}." if wrong else "."),
        "An ε of at most 1/T on black has no effect in `onset`: it lies in the dead zone.",
    ]
    if empty:
        sentences.append(
            f"For {_listed(empty)} it is not tested at ε = {far:g}: nothing is left at any exit to gain or to lose."
        )
    return " ".join(sentences)


def guess_table(records: Sequence[Record], radii: Sequence[float] = (0.0, 0.1, 0.2)) -> pd.DataFrame:
    """Return the worst case of ``latency`` for every exit that a defender may have chosen (rows) and every ε that came."""
    exits = range(1, T + 1)
    columns = {f"ε = {eps:g}" if eps else "clean": [over_seeds(records, "worst", e, eps) for e in exits] for eps in radii}
    return pd.DataFrame(columns, index=[f"latency, exit {e}" for e in exits])


def guess_finding(records: Sequence[Record], guess: float = 0.1, came: float = 0.2) -> str:
    """Return what exits before, in and after the window cost ``latency``, as Markdown."""
    last, fooled = first_active_step(came, T), first_active_step(guess, T)
    early, best, late = (over_seeds(records, "worst", e, came) for e in (1, last, fooled))
    clean_early, clean_best = (over_seeds(records, "worst", e, 0.0).mean for e in (1, last))
    return (
        f"**Finding.** At ε = {came:g} the worst case at exit 1, before the window, is {early}; at exit {last}, the last one in "
        f"the window, it is {best}. On clean digits they differ far less ({clean_early:.3f} against {clean_best:.3f}). A "
        f"defender who guesses ε = {guess:g} and leaves at exit {fooled} has {late} if the attack uses {came:g}. "
        f"{clean_cost(records)}"
    )


# --- training for early exits -----------------------------------------------------------------------------------------


def loss_table(eps: float = 0.2) -> pd.DataFrame:
    """Return networks that were trained for early exits beside the plain ones: single numbers of one seed, and changes."""
    e, rows = first_active_step(eps, T), {}
    for name in _for_exits():
        rows[name] = {
            "clean, exit 2": _beside_plain(name, 2, 0.0),
            f"ε = {eps:g}, exit {e}": _beside_plain(name, e, eps),
            f"change: clean, exit {T}": _against_plain(name, 0.0),
            f"change: ε = {eps:g}, exit {T}": _against_plain(name, eps),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def loss_finding(eps: float = 0.2) -> str:
    """Return which networks that were trained for early exits are clearly better or worse than the plain ones, as Markdown."""
    first, seeds = zoo.results("latency"), zoo.repeats("latency")
    low, high = wilson_interval(first.n / 2, first.n)
    widest = (high - low) / 2
    flagged = models_by_flag({name: zoo.repeats(name) for name in _for_exits()})

    def sorted_by(radius: float) -> str:
        names = {way: [n for n in _for_exits() if _against_plain(n, radius).direction == way] for way in ("higher", "lower")}
        return f"clearly better: {_listed(names['higher'])}; clearly worse: {_listed(names['lower'])}"

    return (
        f"The figure and the columns with two numbers show seed {zoo.seeds()[0]} alone, n = {first.n}; bands are Wilson's over "
        f"samples (95 %, at most ±{widest:.3f}). The two numbers are this network and the same code trained on its last answer. "
        f"The changes at "
        f"exit {T} are means over {len(seeds)} seeds with their intervals. A silent output counts as an "
        f"error. {flags_line(flagged)}\n\n"
        f"**Finding.** At exit {T}, clean: {sorted_by(0.0)}. In the worst case at "
        f"ε = {eps:g}: {sorted_by(eps)}. {_sooner()}"
    )


def _sooner(exit_step: int = 2) -> str:
    """Return what the anytime loss changes at an early exit on clean digits, in a sentence."""
    changes = []
    for name in (name for name in _for_exits() if name.startswith("anytime")):
        plain = name.split("-")[1]
        after, before = (zoo.results(n).accuracy("worst", exit_step, 0.0) for n in (name, plain))
        changes.append(f"`{plain}` {before:.3f} → {after:.3f}")
    return f"At exit {exit_step}, the anytime loss changes the accuracy on clean digits so: {', '.join(changes)} (one seed)."


# --- dynamic exits ----------------------------------------------------------------------------------------------------


def dynamic_table(records: Sequence[Record], radii: Sequence[float] = (0.0, 0.1, 0.2)) -> pd.DataFrame:
    """Return mean exit, energy and accuracy (with intervals) of ``latency`` for every exit rule: means over seeds."""
    dynamic, rows = [_dynamic(record) for record in records], {}
    for k, rule in enumerate(dynamic[0].rules):
        level = "" if rule["threshold"] is None else f" ≥ {rule['threshold']:g}"
        rows[rule["name"].replace("_", " ") + level] = {
            "mean exit": f"{np.mean([d.mean_exit[k] for d in dynamic]):.2f}",
            "energy, nJ": f"{np.mean([d.energy_pj[k] for d in dynamic]) / 1000:.1f}",
        } | {
            f"ε = {eps:g}" if eps else "clean": str(
                replace(estimate([d.counts(eps)[k] for d in dynamic], records[0].n), attacked=eps > 0)
            )
            for eps in radii
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("latency leaves at")


def dynamic_finding(codes: Repeats, eps: float = 0.2) -> str:
    """Return how dynamic exits compare with fixed ones that read as many steps, as Markdown."""
    latency, leave = codes["latency"], first_active_step(eps, T)
    rules = range(len(_dynamic(latency[0]).rules))

    def counted(name: str, radius: float) -> str:
        directions = [_over_fixed(codes[name], k, radius).direction for k in rules]
        return f"{directions.count('higher')} above, {directions.count('lower')} below"

    top = max(np.mean([_dynamic(r).counts(eps)[k] / r.n for r in latency]) for k in rules)
    whole = np.mean([r.energy_pj[-1] for r in latency if r.energy_pj]) / 1000
    listed = "\n".join(
        f"- `{n}`: clean {counted(n, 0.0)}; at ε = {eps:g} {counted(n, eps)}" for n in ("direct", "onset", "latency")
    )
    return (
        f"n = {latency[0].n} test digits, {len(latency)} seeds, 95 % intervals, the attacks listed above and those "
        f"aimed at each rule.\n\n**Finding.** How many of {len(rules)} rules and thresholds are clearly above or below "
        f"the fixed exit that reads as many steps?\n\n{listed}\n\nThe "
        f"best of them, picked afterwards, keeps {top:.3f} of the `latency` digits at ε = {eps:g}; the fixed exit {leave}, "
        f"chosen before, keeps {_worst(latency, leave, eps):.3f}. Read to the end, `latency` costs {whole:.1f} nJ (estimated "
        "from counted operations)."
    )


# --- late perturbations -----------------------------------------------------------------------------------------------


def late_table(codes: Repeats) -> pd.DataFrame:
    """Return the accuracy at the last exit under perturbations that act from a step on, by code and method."""
    starts = codes["latency"][0].late["pgd"].from_steps
    rows = {
        f"{name}, {title}": {f"t₀ = {start}": _shown(records, method, start) for start in starts}
        for name, records in codes.items()
        for method, title in METHODS.items()
        if method in records[0].late
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def late_finding(codes: Repeats) -> str:
    """Return in which codes an attack that has to wait leaves fewer digits right, as Markdown."""
    latency = codes["latency"]
    late = latency[0].late
    starts, flips = late["pgd"].from_steps, f"{late['flips'].size['flips']}"

    def later(name: str, start: int) -> Change:
        method = "spike_train" if "spike_train" in codes[name][0].late else "pgd"
        return change_over_seeds(
            _late(codes[name], method, start), _late(codes[name], method, 0), codes[name][0].late[method].n
        )

    turned = [f"`{n}` from t₀ = {s} ({later(n, s)})" for n in codes for s in starts[1:] if later(n, s).direction == "lower"]
    flipped = [f"`{n}` at {np.mean(_late(r, 'flips', 4)):.2f}" for n, r in codes.items() if "flips" in r[0].late]
    return (
        f"Accuracy at exit {T}, upper ends ({NO_BOUND} for what acts from a step on); "
        f"n = {late['pgd'].n} of the test digits, {len(latency)} seeds. Noise, PGD (informed) and the search among spike trains "
        f"have ε = {late['pgd'].size['eps']:g}. At most {flips} spikes of a digit are flipped, in every code: that is a larger "
        "share of the few of `latency` than of the many of `onset`.\n\n"
        "**Finding.** We take the strongest attack: the search among spike trains, and PGD for `direct`, which has none. "
        "Compared with the attack from the first step, one that has to wait leaves *fewer* digits right in: "
        f"{', '.join(turned) or 'no case that is clear'}. At t₀ = 6 the change is: "
        f"{', '.join(f'`{n}` {later(n, 6)}' for n in codes)}. Flipped spikes, at most {flips} of them from t₀ = 4, leave "
        f"{', '.join(flipped)}."
    )


def late_controls(names: Sequence[str] = ("latency",), eps: float = 0.1, n: int = 100) -> pd.DataFrame:
    """Return the accuracy under short and long attacks from several steps on, of digits that are classified correctly clean.

    Args:
        names: networks of the zoo.
        eps: the budget.
        n: number of validation digits.
    """
    digits, rows = data.load("mnist5k").validation, {}
    for name in names:
        model = zoo.load(name)
        right = (model.predict(digits.images)[-1] == digits.labels).nonzero().flatten()[:n]
        given = digits.images[right], digits.labels[right], Budget(eps)
        for title, steps in (("PGD-10", 10), ("spike trains, 40 steps", 40), ("spike trains, 160 steps", 160)):
            row = {}
            for start in (0, 2, 4, 6):
                late = TimeRestricted(model, given[0], from_step=start)
                draws = torch.Generator().manual_seed(0)
                run = attack if title.startswith("PGD") else spike_train_attack
                broken = run(late, *given, steps=steps, generator=draws).success
                row[f"t₀ = {start}"] = f"{1 - broken.float().mean():.2f}"
            rows[f"{name}, {title}"] = row
    return pd.DataFrame.from_dict(rows, orient="index")


# --- numbers of the records -------------------------------------------------------------------------------------------


def _exit_of(name: str, eps: float) -> int:
    """Return the last safe exit of a code, or that of ``latency`` where a code has none."""
    return first_active_step(eps, T, name) or first_active_step(eps, T)


def _shares(records: Sequence[Record], exit_step: int, eps: float) -> list[float]:
    return [record.accuracy("worst", exit_step, eps) for record in records]


def _worst(records: Sequence[Record], exit_step: int, eps: float) -> float:
    return over_seeds(records, "worst", exit_step, eps).mean


def _gain(records: Sequence[Record], exit_step: int, eps: float) -> Change:
    last = records[0].num_steps
    return change_over_seeds(_shares(records, exit_step, eps), _shares(records, last, eps), records[0].n)


def _for_exits() -> list[str]:
    return [f"{loss}-{code}" for code in ("direct", "onset", "latency") for loss in LOSSES]


def _against_plain(name: str, eps: float) -> Change:
    return change_between(zoo.repeats(name), zoo.repeats(name.split("-")[1]), "worst", T, eps)


def _beside_plain(name: str, exit_step: int, eps: float) -> str:
    ends = [over_seeds([zoo.results(n)], "worst", exit_step, eps) for n in (name, name.split("-")[1])]
    return " / ".join(f"{e.lower_end} – {e.mean:.3f}" if e.attacked else f"{e.mean:.3f}" for e in ends)


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"


def _dynamic(record: Record) -> DynamicExits:
    assert record.dynamic is not None  # measured for every code of this chapter
    return record.dynamic


def _over_fixed(records: Sequence[Record], k: int, eps: float) -> Change:
    """Return what rule ``k`` gains over the fixed exits at the same mean number of steps (interpolated between them)."""
    dynamic = [_dynamic(record) for record in records]
    left = [d.counts(eps)[k] / r.n for d, r in zip(dynamic, records, strict=True)]
    fixed = [
        float(np.interp(d.mean_exit[k], r.exits, [r.accuracy("worst", e, eps) for e in r.exits]))
        for d, r in zip(dynamic, records, strict=True)
    ]
    return change_over_seeds(left, fixed, records[0].n)


def _late(records: Sequence[Record], method: str, start: int) -> list[float]:
    return [record.late[method].accuracy(start) for record in records]


def _shown(records: Sequence[Record], method: str, start: int) -> str:
    n = records[0].late[method].n
    return str(estimate([share * n for share in _late(records, method, start)], n))
