"""The chapter *CIFAR-10*: its table, its sentences, live pictures where the data set is on disk, and the checks of its exercises.

Shares are means over seeds with 95 % Wilson intervals over pictures: all seeds answer the same pictures, and two are too few
for an interval over seeds. So each seed's number is shown beside the mean.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from snnlab import data
from snnlab.convolution import Block, SpikingConvNet, fold
from snnlab.data import Split
from snnlab.data.downloads import folder_of
from snnlab.neuron import lif
from snnlab.records import Estimate, correct_count, flags_line, flags_of, wilson_interval
from snnlab.zoo import cifar10
from snnlab.zoo.cifar10 import draws, saved, trains, web

__all__ = [
    "CHECKS",
    "draws_finding",
    "draws_print",
    "draws_table",
    "energy",
    "factor",
    "factors_of",
    "finding",
    "kept",
    "pictures",
    "saved_finding",
    "saved_print",
    "saved_table",
    "small_print",
    "table",
    "trained_finding",
    "trains_finding",
    "trains_print",
    "trains_table",
]

SHARED = web.THREATS["transfer"]  # sets that are made on one network cannot all be tried on it
Records = Sequence[Mapping[str, Any]]
LEVELS = cifar10.LEVELS
#: what a verdict of ``factor`` says of a fused code
FUSED = {"reached": "twice", "missed": "not twice", "undecided": "perhaps twice", "chance": "no more than guessing might"}
#: title, attack, ε of 255
COLUMNS = (
    ("clean", "worst", 0.0),
    ("transfer, 4/255", "transfer", 4.0),
    ("naive, 2/255", "pgd.naive", 2.0),
    ("adaptive, ½/255", "worst", 0.5),
    ("adaptive, 1/255", "worst", 1.0),
    ("adaptive, 2/255", "worst", 2.0),
    ("adaptive, 4/255", "worst", 4.0),
)


@cache
def records(decoder: str = "current") -> dict[str, list[dict[str, Any]]]:
    """The records of every measured model at every seed; an ANN's one read-out stands in for all decoders."""
    found = {}
    for name in filter(cifar10.measured, cifar10.names()):
        spiking = cifar10.settings(name)["encoding"] != "none"
        found[name] = cifar10.repeats(name, decoder=decoder if spiking else "current")
    return found


def kept(name: str, attack: str, level: float, *, decoder: str = "current", exit_step: int | None = None) -> Estimate | None:
    """What a model keeps under an attack at ε = level/255, over all seeds; ``None`` where it was not measured.

    Later seeds are measured at the last exit alone: at another one the first seed stands for itself.
    """
    found = [r for r in records(decoder).get(name, []) if exit_step is None or exit_step in r["exits"]]
    if not found or attack not in found[0]["correct"]:
        return None
    counts = [correct_count(record, attack, exit_step, level / LEVELS) for record in found]
    n = int(found[0]["n"])
    return _share(sum(counts) / len(counts), n, len(counts))


def energy(name: str) -> float:
    """µJ that a clean picture costs up to the last exit (``snnlab.energy``), in the mean over pictures and seeds."""
    spent = [record["energy_pj"][-1] for record in records()[name]]
    return float(sum(spent)) / len(spent) / 1e6


def _share(correct: float, n: int, seeds: int = 1) -> Estimate:
    """With Wilson's interval over the ``n`` pictures; ``correct`` is a mean over seeds."""
    return Estimate(correct / n, *wilson_interval(correct, n), n, seeds)


def table(decoder: str = "current") -> pd.DataFrame:
    """A row a model, a column a threat: shares over all seeds with their intervals."""
    rows = {}
    for name in records(decoder):
        cells = {title: kept(name, attack, level, decoder=decoder) for title, attack, level in COLUMNS}
        rows[name] = {title: "—" if found is None else str(found) for title, found in cells.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def factor(attack: str, level: float, *, decoder: str = "current") -> tuple[str, Estimate, str, Estimate, str]:
    """The best spiking network that was trained plainly, the ANN to compare it with, and what that says of a factor of two.

    The last is ``"chance"`` where the best one does not clearly beat guessing (a ratio of such shares says nothing);
    ``"reached"`` or ``"missed"`` where even the near ends of the two intervals agree on it; else ``"undecided"``.
    """
    transferred = attack in web.THREATS["transfer"]
    rival = "ann-second" if transferred else "ann"
    plain = [n for n in records(decoder) if cifar10.settings(n)["rule"] == "bptt"]
    spiking = {n: kept(n, attack, level, decoder=decoder) for n in plain if cifar10.settings(n)["encoding"] != "none"}
    ann = kept(rival, attack, level, decoder=decoder)
    known = {n: found for n, found in spiking.items() if found is not None}
    if ann is None or not known:
        raise ValueError(f"{attack!r} at {level:g}/255 was not measured on a spiking network and {rival!r}")
    best = max(known, key=lambda n: known[n].mean)
    return best, known[best], rival, ann, _verdict(known[best], ann)


def _verdict(snn: Estimate, ann: Estimate, times: float = 2.0) -> str:
    if snn.low <= 0.1:
        return "chance"
    if snn.low >= times * ann.high:
        return "reached"
    return "missed" if snn.high < times * ann.low else "undecided"


def finding(attack: str, level: float, title: str) -> str:
    """A sentence on the claim of the factor of two under one attack, as Markdown."""
    best, of_best, rival, of_ann, verdict = factor(attack, level)
    kept_here = (
        f"**{title}, ε = {level:g}/255.** `{best}`, the best plainly trained spiking network, keeps {of_best}, "
        f"`{rival}` {of_ann}"
    )
    if verdict == "chance":
        return f"{kept_here}: nothing that clearly beats guessing, so no factor."
    times = f"{of_best.mean / of_ann.mean:.1f} times as much" if of_ann.mean else "where the other keeps nothing"
    words = {
        "reached": "the factor of two is reached",
        "missed": "the factor of two is missed",
        "undecided": "whether that is twice is not decided: the intervals allow both",
    }
    if not best.startswith("fusion"):  # of which the claim speaks
        shares = {n: kept(n, attack, level) for n in records() if n.startswith("fusion")}
        fused = max(((n, share) for n, share in shares.items() if share is not None), key=lambda pair: pair[1].mean)
        words[verdict] += f". Of the fused codes `{fused[0]}` keeps most, {fused[1]}: {FUSED[_verdict(fused[1], of_ann)]}"
    flags = [note for note in flags_of(records()[best], attack) if note != "single seed"]
    noted = f" ⚑ `{best}`: {'; '.join(flags)}." if flags else ""  # a factor does not stand without what speaks against it
    return f"{kept_here}: {times}; {words[verdict]}.{noted}"


def factors_of(name: str, level: float) -> str:
    """Return the factor of one network over the fair ANN in each threat model, as Markdown.

    The fair ANN is one that a transferred attack was not made on, and the first ANN in the other threat models.
    """
    parts = []
    for title, attack in (("transfer", "transfer"), ("naive", "pgd.naive"), ("adaptive", "worst")):
        baseline = "ann-second" if attack in web.THREATS["transfer"] else "ann"
        own, ann = kept(name, attack, level), kept(baseline, attack, level)
        if own is None or ann is None:
            raise ValueError(f"{attack!r} at {level:g}/255 was not measured on both {name!r} and {baseline!r}")
        times = "no factor, as it is not above guessing" if own.low <= 0.1 else f"{own.mean / ann.mean:.1f} times"
        parts.append(f"{title}: {own.mean:.3f} against {ann.mean:.3f} (`{baseline}`), {times}")
    return f"**One network, three factors, ε = {level:g}/255.** `{name}` beside the ANN: {'; '.join(parts)}."


def trained_finding(level: float) -> str:
    """What networks keep that were trained on attacked pictures, and the best of those that were not, as Markdown."""
    known = {name: kept(name, "worst", level) for name in records()}
    shares = {name: share for name, share in known.items() if share is not None}
    trained = {name: shares[name] for name in shares if cifar10.settings(name)["rule"] != "bptt"}
    plain = max(shares.keys() - trained.keys(), key=lambda name: shares[name].mean)
    told = ", ".join(f"`{n}` {s}" for n, s in sorted(trained.items(), key=lambda pair: -pair[1].mean))
    flags = {n: [note for note in flags_of(records()[n], "worst") if note != "single seed"] for n in (*trained, plain)}
    noted = "".join(f" ⚑ `{n}`: {'; '.join(notes)}." for n, notes in flags.items() if notes)
    return (
        f"**Trained on attacked pictures, adaptive, ε = {level:g}/255.** {told}. Of the networks that were not, `{plain}` keeps "
        f"most, {shares[plain]}.{noted}"
    )


def small_print() -> str:
    """n, seeds, attacks and flags beside these numbers, as Markdown."""
    found = records()
    first = next(iter(found.values()))[0]
    seeds = {name: len(r) for name, r in found.items()}
    attacks = {k: v for r in found.values() for k, v in r[0]["attacks"].items() if k != "worst"}
    for attack in attacks:
        if without := [f"`{n}`" for n, r in found.items() if attack not in r[0]["attacks"] and attack not in SHARED]:
            attacks[attack] += f" (not of {', '.join(without)})"
    flagged: dict[str, list[str]] = {}
    for name, repeats in found.items():
        for note in flags_of(repeats, "worst"):
            flagged.setdefault(note, []).append(name)
    return (
        f"n = {first['n']:,} test pictures; {_counted(seeds)}; means over seeds with 95 % Wilson intervals over pictures. The "
        f"adaptive number counts a picture as lost if any attack broke it: "
        f"{'; '.join(attacks.values())}.\n\n{flags_line(flagged)}"
    )


def saved_table() -> pd.DataFrame:
    """What is read correctly of attacked pictures that were saved as files: a row a model and ε, a column a count."""
    return _table_of(saved, AFTERWARDS)


def saved_finding(level: float) -> str:
    """Of which networks saving gives pictures back at one ε, attacked by one who does not know of it or does, as Markdown.

    Only where the intervals lie apart.
    """
    shares = _shares(saved, level)

    def gained(count: str) -> str:
        names = [f"`{name}`" for name, of in shares.items() if of[count].low > of["unsaved"].high]
        return ", ".join(names) or "none"

    return (
        f"**Saved, ε = {level:g}/255.** Clearly more is read correctly than as attacked, once pictures are saved: "
        f"{gained('saved')}; once they are attacked as files: {gained('known')}."
    )


def saved_print() -> str:
    """n, seed, interval and attack beside the numbers on saved pictures, as Markdown."""
    record = saved.record(cifar10.study_settings("saved")["models"][0])
    return (
        f"n = {record['n']:,} test pictures, training seed {record['seed']}, 95 % Wilson intervals over pictures. "
        f"Attack: {record['attack']}; at the last exit. The adaptive suite has more attacks, and leaves less. "
        "*Flags:* single seed."
    )


def trains_table() -> pd.DataFrame:
    """What is left after attacks on the image, after a search among spike trains, and after both: a row a model and ε."""
    return _table_of(trains, SEARCHED)


def trains_finding() -> str:
    """How much lower a search among spike trains puts networks behind step codes, as Markdown."""
    told = []
    for name in cifar10.study_settings(trains.NAME)["models"]:
        record = trains.record(name)
        falls = {
            round(eps * LEVELS, 3): (images - both) / record["n"]
            for eps, images, both in zip(record["eps"], record["correct"]["images"], record["correct"]["both"], strict=True)
        }
        level = max(falls, key=lambda level: falls[level])
        told.append(f"`{name}` {falls[level]:.3f} (ε = {level:g}/255)")
    return (
        "**Finding.** What the search breaks beside the attacks on the image, at the ε where it is most: "
        f"{', '.join(told)}. The adaptive numbers of this chapter rest on more attacks on the image and on no search: a search "
        "would lower them too, by at most this on the same pictures."
    )


def trains_print() -> str:
    """n, seed, interval and attack beside the numbers on the search among spike trains, as Markdown."""
    record = trains.record(cifar10.study_settings(trains.NAME)["models"][0])
    return (
        f"n = {record['n']:,} test pictures, training seed {record['seed']}, 95 % Wilson intervals over pictures. "
        f"Attack: {record['attack']}; at the last exit. *Flags:* single seed; two kinds of attack, not a suite."
    )


def draws_table() -> pd.DataFrame:
    """What random codes keep in the mean over fresh draws: a column a model, a row an ε and a number of draws a gradient."""
    columns = {}
    for name, shares in _draws().items():
        attacked = {f"{level:g}/255, {draws.DRAWS[count]} draws": str(s) for (count, level), s in shares.items() if level}
        columns[name] = {"clean": str(shares["clean", 0.0]), **attacked}
    return pd.DataFrame(columns).fillna("—")  # who draws nothing is attacked once


def draws_finding(level: float) -> str:
    """Of which models more draws a gradient break more, and what the control keeps beside its code and without it, as Markdown.

    "Clearly": only where the intervals lie apart.
    """
    found = {
        name: {count: of[count, level] for count in draws.DRAWS if (count, level) in of} for name, of in _draws().items()
    }
    broken = [f"`{name}`" for name, of in found.items() if "many" in of and of["many"].high < of["few"].low]
    patient = f"More draws a gradient break clearly more of: {', '.join(broken) or 'none'}."
    told = []
    for control in cifar10.names("control"):
        code = cifar10.settings(control)["encoding"]
        spiking, ordinary = found[code]["many"], found[control]["many"]
        told.append(
            f"`{code}` keeps {spiking}, an ordinary network that reads its draws {ordinary}: the spikes keep "
            f"{_compared(spiking, ordinary)}."
        )
        for plain in (name for name, of in found.items() if "many" not in of):
            told.append(
                f"`{plain}`, which draws nothing, keeps {found[plain]['few']}: the draws keep "
                f"{_compared(ordinary, found[plain]['few'])}."
            )
    return f"**In the mean over draws, ε = {level:g}/255.** {patient} {' '.join(told)}"


def _compared(a: Estimate, b: Estimate) -> str:
    if a.low > b.high:
        return "clearly more"
    return "clearly less" if a.high < b.low else "as much, for all that the intervals can tell"


def draws_print() -> str:
    """n, seed, interval and attack beside the numbers over draws, as Markdown."""
    record = draws.record(cifar10.study_settings(draws.NAME)["models"][0])
    return (
        f"n = {record['n']:,} test pictures, each answered by {record['read']} draws; training seed {record['seed']}; 95 % "
        f"Wilson intervals over pictures. Attack: {record['attack']}; at the last exit. *Flags:* single seed; one attack, not "
        "a suite."
    )


def _draws() -> dict[str, dict[tuple[str, float], Estimate]]:
    """Shares of every model of the study, by attacker (a key of ``draws.DRAWS``, or "clean") and ε of 255."""
    found: dict[str, dict[tuple[str, float], Estimate]] = {}
    for name in cifar10.study_settings(draws.NAME)["models"]:
        record = draws.record(name)
        found[name] = {("clean", 0.0): _share(record["clean"], record["n"])}
        for column, eps in enumerate(record["eps"]):
            for count, right in record["right"].items():
                found[name][count, round(eps * LEVELS, 3)] = _share(right[column], record["n"])
    return found


#: the counts of ``snnlab.zoo.cifar10.saved`` as columns
AFTERWARDS = {"unsaved": "as attacked", "saved": "saved", "known": "attacked as a file"}


#: the counts of ``snnlab.zoo.cifar10.trains`` as columns
SEARCHED = {"images": "after attacks on the image", "trains": "after the search", "both": "after both"}


def _table_of(study: ModuleType, titles: Mapping[str, str]) -> pd.DataFrame:
    """The counts of a study as shares: a row a model and ε."""
    rows: dict[str, dict[str, str]] = {}
    for name, level, count, share in _counts(study):
        rows.setdefault(f"{name}, {level:g}/255", {})[titles[count]] = str(share)
    return pd.DataFrame.from_dict(rows, orient="index")


def _shares(study: ModuleType, level: float) -> dict[str, dict[str, Estimate]]:
    """The shares of a study at one ε of 255, by model and count."""
    shares: dict[str, dict[str, Estimate]] = {}
    for name, own, count, share in _counts(study):
        if own == level:
            shares.setdefault(name, {})[count] = share
    return shares


def _counts(study: ModuleType) -> list[tuple[str, float, str, Estimate]]:
    """Model, ε of 255, count and share, of all records of a study."""
    found = []
    for name in cifar10.study_settings(study.NAME)["models"]:
        record = study.record(name)
        for column, eps in enumerate(record["eps"]):
            for count in study.COUNTS:
                share = _share(record["correct"][count][column], record["n"])
                found.append((name, round(eps * LEVELS, 3), count, share))
    return found


def _counted(seeds: Mapping[str, int]) -> str:
    low, high = min(seeds.values()), max(seeds.values())
    return f"{low} training seed{'s' * (low > 1)} a model" if low == high else f"{low} to {high} training seeds a model"


def pictures(num: int = 30) -> Split | None:
    """The first test pictures, if CIFAR-10 lies on this machine; ``None`` if not.

    It is looked for in the folder that ``SNNLAB_CIFAR10`` names; without one in ``data``, and where
    ``snnlab.data.load("cifar10")`` keeps what it fetched. Nothing is fetched here.

    Raises:
        ValueError: a named folder without the data set, files that are damaged.
    """
    if named := os.environ.get("SNNLAB_CIFAR10"):
        return data.load("cifar10", named, progress=False).test[:num]
    for folder in (Path("data"), folder_of("cifar10")):
        if data.cifar10_in(folder):
            return data.load("cifar10", folder, progress=False).test[:num]
    return None


def _charge(answer: Any) -> str | None:
    """cifar10.1: a function ``charge(spikes, membrane)``: the charge an integrating read-out has received, at every exit."""
    if not callable(answer):
        return "give the function itself, without calling it"
    current = torch.randn(5, 3, 4, generator=torch.Generator().manual_seed(0))
    spikes, membrane = lif(current, beta=1.0)
    found = answer(spikes, membrane)
    if not isinstance(found, Tensor) or found.shape != current.shape:
        return (
            f"the result should have the shape of the membrane, {list(current.shape)}, got {getattr(found, 'shape', found)}"
        )
    if torch.allclose(found, membrane + spikes.cumsum(0), atol=1e-4):
        return "the spike of this very step has not been taken from the potential yet: the reset comes one step later"
    if not torch.allclose(found, current.cumsum(0), atol=1e-4):
        return "it is not the sum of the currents so far; what has a spike carried away, and when?"
    return None


def _factor(answer: Any) -> str | None:
    """cifar10.2: a function ``times(snn, ann, n)`` of two counts of n: the factor, or ``None`` if the first may be guessing."""
    if not callable(answer):
        return "give the function itself, without calling it"
    for snn, ann in ((440, 120), (300, 290), (50, 5), (110, 20), (10, 1)):
        low, _ = wilson_interval(snn, 1000)
        expected = None if low <= 0.1 else snn / ann
        found = answer(snn, ann, 1000)
        if expected is None and found is not None:
            return f"with {snn} of 1000 right guessing is not excluded, whatever the other keeps: there is no factor"
        if expected is not None and (found is None or abs(found - expected) > 1e-6):
            return f"with {snn} against {ann} of 1000 the factor is another"
    return None


def _fold(answer: Any) -> str | None:
    """cifar10.3: a function ``folded(weight, gain, offset, mean, variance)``: weight and bias of the convolution alone."""
    if not callable(answer):
        return "give the function itself, without calling it"
    generator = torch.Generator().manual_seed(0)
    network = SpikingConvNet((Block(4),))
    layer: Any = network.layers[0].current
    norm, conv = layer.norm, layer.conv
    given: dict[str, Tensor] = {"weight": conv.weight.detach().clone()}
    for name, low, high in (("gain", 1, 3), ("offset", -1, 1), ("mean", -1, 1), ("variance", 0.2, 2)):
        given[name] = torch.empty(4).uniform_(low, high, generator=generator)
    for own, name in (("weight", "gain"), ("bias", "offset"), ("running_mean", "mean"), ("running_var", "variance")):
        getattr(norm, own).data.copy_(given[name])
    fold(network)
    weight, bias = answer(**{name: value.clone() for name, value in given.items()})
    if weight.shape != given["weight"].shape or bias.shape != (4,):
        return (
            f"expected a weight {list(given['weight'].shape)} and a bias [4], got {list(weight.shape)}, {list(bias.shape)}"
        )
    if not torch.allclose(weight, conv.weight.detach(), atol=1e-3):
        return "the weights are others: the norm divides by a standard deviation, channel by channel"
    if not torch.allclose(bias, conv.bias.detach(), atol=1e-3):
        return "the bias is another: the mean is subtracted before the gain is applied"
    return None


CHECKS = {"cifar10.1": _charge, "cifar10.2": _factor, "cifar10.3": _fold}
