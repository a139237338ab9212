"""Beyond attacks on the image: what a full report also measures, retiming of spikes, faults of a chip, everyday noise.

Each part is an ``Everyday`` on the first samples: retiming a worst case, the others means over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import nn

from snnlab.data import Split
from snnlab.encoding.frames import Frames
from snnlab.evaluation.everyday import Everyday, under_corruptions, under_faults
from snnlab.evaluation.retiming import CHECKED, QUERIES, STEPS, ended, under_retiming
from snnlab.networks.adapters import as_batch
from snnlab.networks.classifier import Classifier
from snnlab.networks.contexts import is_neuron
from snnlab.networks.faults import FAULTS, OF_WEIGHTS
from snnlab.plotting.embed import EmbeddedFigure, level_figure

__all__ = ["SAMPLES", "Beyond", "beyond_images"]

#: samples of each part, from the first
SAMPLES: dict[str, int] = {"retiming": 100, "faults": 500, "noise": 500}
DRAWS = {"faults": 5, "noise": 1}
TITLES = {
    "retiming": "An attacker that moves spikes in time",
    "faults": "A faulty chip",
    "noise": "Everyday noise",
}
ABOUT = {
    "retiming": (
        "Worst case per sample; no spike is added or removed. shift: no spike moves by more steps; total: the shifts of a "
        f"sample sum to so many steps; moved: so many spikes of it move. One random retiming, {STEPS} steps along the gradient; "
        f"on the survivors among the first {CHECKED} samples {QUERIES} queries without gradients."
    ),
    "faults": f"Mean of {DRAWS['faults']} draws of each fault at each severity (snnlab.networks.faults).",
    "noise": "Corruptions of the image in severities 1 to 5 (snnlab.data.corruptions), one draw of each.",
}
NOT_ENDED = "the search without gradients broke more: the gradient's numbers are not the worst case"


@dataclass(frozen=True)
class Beyond:
    """What was measured beside attacks on the image.

    Args:
        parts: ``Everyday`` by name: ``retiming``, ``faults``, ``noise``.
        omitted: why a part was not measured, by name.
        flags: beside a part, by name.
    """

    parts: Mapping[str, Everyday]
    omitted: Mapping[str, str]
    flags: Mapping[str, str]

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values: every part with its intervals, what was omitted, flags."""
        parts = {
            name: {**part.plain(), "about": ABOUT[name], "interval_95": _intervals(part)}
            for name, part in self.parts.items()
        }
        return {**parts, "omitted": dict(self.omitted), "flags": dict(self.flags)}

    def sections(self) -> list[dict[str, Any]]:
        """Return title, text, figure and rows of every part, for a page."""
        return [
            {
                "title": TITLES[name],
                "about": f"{ABOUT[name]} n = {part.n:,}, clean {part.clean / part.n:.3f}, exit {part.exit_step}.",
                "flag": self.flags.get(name, ""),
                "figure": _figure(name, part),
                "rows": [(kind.replace("_", " "), _cells(part, kind)) for kind in part.correct],
            }
            for name, part in self.parts.items()
        ]

    def __str__(self) -> str:
        lines = []
        for name, part in self.parts.items():
            lines += [f"{TITLES[name]} (n = {part.n}, accuracy with 95 % intervals)"]
            lines += [f"  {kind:13} {'  '.join(_cells(part, kind))}" for kind in part.correct]
            lines += [f"  flag: {self.flags[name]}"] if name in self.flags else []
        lines += [f"{TITLES[name]}: not measured: {why}" for name, why in self.omitted.items()]
        return "\n".join(lines)


def beyond_images(model: nn.Module, data: Split, *, seed: int = 0, samples: Mapping[str, int] = SAMPLES) -> Beyond:
    """Measure a network under retiming, faults and everyday noise, each on its first samples.

    Args:
        model: a ``Classifier``, or any module that ``Classifier.of(net, images)`` recognises.
        data: images and labels.
        seed: of all randomness.
        samples: how many, by part.

    Raises:
        ValueError: bad images or labels. A part that does not exist for this network is named in ``omitted``.

    >>> from snnlab import data, zoo
    >>> found = beyond_images(zoo.load("ann"), data.load("mnist5k").test, samples=dict.fromkeys(SAMPLES, 4))
    >>> list(found.parts), found.omitted["retiming"]
    (['faults', 'noise'], 'an ANN has no spikes to move in time; give a classifier with an encoder')
    """
    classifier = Classifier.of(model, data.images)
    images, labels = as_batch(classifier, data.images, data.labels)
    split = Split(images, labels, data.num_classes)
    parts: dict[str, Everyday] = {}
    omitted: dict[str, str] = {}
    flags: dict[str, str] = {}

    def retimed(first: Split) -> Everyday:
        found = under_retiming(classifier, first, seed=seed)
        if not ended(found):
            flags["retiming"] = NOT_ENDED
        return found["worst"]

    def faulted(first: Split) -> Everyday:
        faults = tuple(FAULTS) if any(map(is_neuron, classifier.network.modules())) else OF_WEIGHTS
        return under_faults(classifier, first, faults, draws=DRAWS["faults"], seed=seed)

    def noisy(first: Split) -> Everyday:
        if isinstance(classifier.encoder, Frames):
            raise ValueError("frames of events are no picture that could be blurred or shifted")
        return under_corruptions(classifier, first, draws=DRAWS["noise"], seed=seed)

    measures: dict[str, Callable[[Split], Everyday]] = {"retiming": retimed, "faults": faulted, "noise": noisy}
    for name, measure in measures.items():
        try:
            parts[name] = measure(split[: samples[name]])
        except ValueError as error:
            omitted[name] = str(error)
    return Beyond(parts, omitted, flags)


def _cells(part: Everyday, kind: str) -> list[str]:
    found = [(severity, part.accuracy(kind, severity)) for severity in part.severities[kind]]
    return [f"{severity:.3g}: {value.mean:.3f} [{value.low:.3f}, {value.high:.3f}]" for severity, value in found]


def _intervals(part: Everyday) -> dict[str, list[list[float]]]:
    return {
        kind: [[round(part.accuracy(kind, s).low, 4), round(part.accuracy(kind, s).high, 4)] for s in severities]
        for kind, severities in part.severities.items()
    }


def _figure(name: str, part: Everyday) -> EmbeddedFigure:
    curves = {kind.replace("_", " "): [part.accuracy(kind, s) for s in part.severities[kind]] for kind in part.correct}
    lowest = min(curves, key=lambda kind: curves[kind][-1].mean)
    alt = f"{TITLES[name]}: accuracy by level; at the strongest it is lowest under {lowest}, {curves[lowest][-1].mean:.2f}."
    words = "worst case" if name == "retiming" else "mean"
    caption = (
        f"Accuracy, {words}, with 95 % bands, from no trouble (0) to the last level of each kind; the table has the levels."
    )
    return level_figure(curves, part.clean / part.n, alt, caption)
