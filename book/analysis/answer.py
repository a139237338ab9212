"""Answers of the introduction and at the end of the page *Claims*, with numbers from the records."""

from __future__ import annotations

from snnlab import zoo
from snnlab.encoding import first_active_step
from snnlab.statistics import Estimate, broken_on_samples, over_seeds

__all__ = ["answer", "in_short"]

CODES = ("onset", "latency")
RADII = (0.1, 0.2)
#: ordinary networks beside the spiking ones: title → model or control
ORDINARY: dict[str, str] = {
    "an ordinary network": "ann",
    "one that was trained on attacked digits": "fgsm-ann",
    "one that sees each pixel as 0 or 1": "ann-binary",
    "one that reads the spikes of onset, with as many weights": "shared-onset",
    "one that reads the spikes of latency, with as many weights": "shared-latency",
}
#: the spiking network that was trained for a proof
PROVED = "certified-onset"
#: those of them that the introduction names
IN_SHORT = ("ann", "ann-binary")


def in_short(eps: float = RADII[0]) -> str:
    """Return the worst case of the most robust code beside those of ordinary networks, with intervals, as Markdown."""
    best = _best([name for name in zoo.names("codes") if name != "ann"], eps)
    others = [f"{_worst(name, eps)}: {title}" for title, name in ORDINARY.items() if name in IN_SHORT and _there(title)]
    return (
        f"What do all our attacks together leave at ε = {eps:g}? Of the digits stay correct:\n\n"
        f"- {_worst(best, eps)}: the spiking network with the best code, `{best}`, picked after measuring\n"
        + "\n".join(f"- {other}" for other in others)
        + f"\n\n({_sample()}.) Which part of the network these numbers are due to is the question of all chapters."
    )


def answer() -> str:
    """Return the worst cases of the codes in which dark pixels fire last, and of ordinary networks, as Markdown."""
    small, large = RADII
    exits = {code: first_active_step(large, 8, code) for code in CODES}
    at_exit = ", ".join(f"`{code}` {_worst(code, large, exits[code])} at exit {exits[code]}" for code in CODES)
    spiking = [name for name in zoo.names() if zoo.recipe(name)["code"] != "ann"]
    hardened = _best(spiking, large)
    ordinary = "\n".join(f"- {title} (`{name}`): {_both(name)}" for title, name in ORDINARY.items() if _there(title))
    codes = "\n".join(f"- `{code}`: {_both(code)}" for code in CODES)
    return (
        f"Worst-case accuracy at ε = {small:g} and {large:g}, read to the end:\n\n{codes}\n"
        f"- `{PROVED}`, a spiking network trained for a proof, read at exit {zoo.recipe(PROVED)['training_exit']}: "
        f"{_both(PROVED)}\n"
        f"- `{hardened}`, the most robust of the zoo's other spiking networks (controls aside), picked after measuring: "
        f"{_both(hardened)}.{_on_samples(hardened)}\n{ordinary}\n\n"
        f"At the last exit that ε on black has not reached, at ε = {large:g}: {at_exit}. "
        f"({_sample()}. Attacks and flags are in the chapters.)"
    )


def _on_samples(name: str) -> str:
    """Return how many digits only attacks on some of the digits broke, in brackets; empty if none."""
    most = max(zoo.repeats(name), key=broken_on_samples)
    if not (broke := broken_on_samples(most)):
        return ""
    first = max(most.samples.values())
    return (
        f" (The upper ends are too high: {broke} of the first {first} digits fell to attacks that the others did not meet.)"
    )


def _there(title: str) -> bool:
    return bool(zoo.measured(ORDINARY[title]))


def _best(names: list[str], eps: float) -> str:
    return max(names, key=lambda name: over_seeds(zoo.repeats(name), "worst", None, eps).mean)


def _both(name: str) -> str:
    return " and ".join(str(_worst(name, eps)) for eps in RADII)


def _worst(name: str, eps: float, exit_step: int | None = None) -> Estimate:
    return over_seeds(zoo.repeats(name), "worst", exit_step, eps)


def _sample() -> str:
    record = zoo.results("latency")
    return f"means over {len(zoo.seeds())} training seeds with 95 % intervals, n = {record.n} test digits, suite `{record.suite}`"
