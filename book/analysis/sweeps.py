"""Figures and findings on swept settings (leak β, time steps T) and on the packing experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.figure import Figure

from analysis import controls
from analysis.controls import Records
from snnlab import zoo
from snnlab.plotting import figures
from snnlab.statistics import change_between, over_seeds
from snnlab.zoo.registry import SWEPT

__all__ = ["packing_figure", "packing_finding", "sweep_figure", "sweep_finding", "swept"]

#: settings of the sweeps: label in figures → key of a recipe
SWEEPS: dict[str, str] = {"β": "beta", "T": "num_steps"}


def swept() -> dict[str, dict[str, dict[float, Records]]]:
    """Return the records of the sweeps that were measured, by setting, code and value, and of the zoo's value."""
    result: dict[str, dict[str, dict[float, Records]]] = {}
    for setting, key in SWEEPS.items():
        result[setting] = {}
        for code in controls.CODES:
            prefix = f"{code}-{SWEPT[key]}"
            names = {float(recipe[key]): name for name, recipe in zoo.recipes("controls").items() if name.startswith(prefix)}
            names[_default(setting)] = code
            by_value = {v: controls.records_of(names[v]) for v in sorted(names)}
            result[setting][code] = {v: records for v, records in by_value.items() if records is not None}
    return result


def _default(setting: str) -> float:
    """Return the value of the zoo's networks."""
    return float(zoo.recipe(controls.CODES[0])[SWEEPS[setting]])


def sweep_figure(radii: Sequence[float] = controls.RADII) -> Figure:
    """Draw worst-case and clean accuracy against β and T for both codes; its alternative text states the finding."""
    about = "Worst-case accuracy, with clean accuracy as thin lines, against the leak β and the number of time steps T. "
    return figures.sweeps(swept(), radii, alt=about + " ".join(_swept_sentences(radii)).replace("`", ""))


def sweep_finding(radii: Sequence[float] = controls.RADII) -> str:
    """Return the effect of β and T, in sentences that follow from the intervals, as Markdown."""
    return "**Finding.**\n\n" + "\n".join(f"- {line}" for line in _swept_sentences(radii))


def _swept_sentences(radii: Sequence[float]) -> list[str]:
    lines = []
    for setting, by_code in swept().items():
        default = _default(setting)
        for code, by_value in by_code.items():
            if default not in by_value or len(by_value) < 2:
                continue
            clean = [over_seeds(records).mean for records in by_value.values()]
            sentences = [f"Over {setting} = {min(by_value):g} to {max(by_value):g}, `{code}` has a clean accuracy of "]
            sentences[0] += f"{min(clean):.3f} to {max(clean):.3f}."
            sentences += [_against_default(setting, by_value, eps) for eps in radii]
            lines.append(" ".join(sentences))
    return lines or ["The sweeps over β and T are not measured yet."]


def _against_default(setting: str, by_value: Mapping[float, Records], eps: float) -> str:
    """Return at which values the worst case differs from that at the zoo's value, in a sentence."""
    default = _default(setting)
    by_direction: dict[str, list[str]] = {}
    for v in by_value:
        if v != default:
            change = change_between(by_value[v], by_value[default], eps=eps)
            by_direction.setdefault(change.direction, []).append(f"{v:g}")
    words = {"higher": "higher for", "lower": "lower for", "not told apart": "not clearly different for"}
    parts = [f"{words[key]} {setting} = {', '.join(by_direction[key])}" for key in words if key in by_direction]
    mean = over_seeds(by_value[default], "worst", None, eps).mean
    listed = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"At ε = {eps:g}, its worst-case accuracy is {mean:.3f} for {setting} = {default:g}; it is {listed}."


def packing_figure(radii: Sequence[float] = controls.RADII) -> Figure:
    """Draw the packing experiment: four codes, equal spike counts within a rounding; unmeasured codes are left out."""
    by_packing = {key: controls.records_of(name) for key, name in controls.PACKINGS.items()}
    return figures.packing({key: records for key, records in by_packing.items() if records is not None}, radii)


def packing_finding(radii: Sequence[float] = controls.RADII) -> str:
    """Return the effect of late packing at both roundings, in sentences that follow from the intervals, as Markdown."""
    lines = []
    for eps in radii:
        for rounding in ("up", "down"):
            early, late = (controls.PACKINGS[rounding, when] for when in ("early", "late"))
            change = controls.worst_case_change(late, early, eps)
            if change is None:
                continue
            than = f"is {change.direction} than" if change.clear else "does not differ clearly from"
            lines.append(
                f"- At ε = {eps:g}, rounded {rounding}: the worst-case accuracy of late packing (`{late}`) {than} that of early "
                f"packing (`{early}`) ({change})."
            )
    why = (
        "Every pixel has as many spikes in both. If fractions are rounded down, an ε of 0.1 on black makes no spike, early or "
        "late; at 0.2 it makes one."
    )
    return f"**Finding.** {why}\n\n" + "\n".join(lines or ["- The four codes are not measured yet."])
