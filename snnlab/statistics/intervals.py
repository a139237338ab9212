r"""Intervals of accuracies: over samples, and over training seeds.

Over samples the interval is Wilson's (1927),

.. math:: \frac{1}{1 + z²/n}\Big(\hat p + \frac{z²}{2n} ± z\sqrt{\frac{\hat p (1-\hat p)}{n} + \frac{z²}{4n²}}\Big)

and over ``S`` training seeds Student's, for the mean of their accuracies with standard deviation ``s``:

.. math:: \bar p ± t_{0.975,\,S-1}\,\frac{s}{\sqrt S} \qquad \text{clipped to } [0, 1]

The first says how well one network is known, the second how well a way of training is. Where seeds agree by chance Student's is
too narrow, so an accuracy over seeds has both ends of the wider one: Student's, or Wilson's of the mean.

A difference of two accuracies is treated alike. Over seeds it has Student's interval. Over samples it has Newcombe's (1998), from
Wilson's limits ``[l, u]`` of each,

.. math:: d - \sqrt{(p_1 - l_1)² + (u_2 - p_2)²} \quad\text{to}\quad d + \sqrt{(u_1 - p_1)² + (p_2 - l_2)²}

This treats the two as if each had samples of its own. Here both have the same ones, and records hold counts, not the answer to
every sample. Networks tend to misread the same samples, so the interval is too wide rather than too narrow. Where one of the two
is right on no sample that the other misreads, the difference is itself a share of the samples, with Wilson's interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import copysign, hypot, sqrt
from statistics import fmean, stdev

from scipy.special import stdtrit  # scipy.stats takes a quarter of the time to import this package

__all__ = [
    "MIN_EFFECT",
    "NO_BOUND",
    "Change",
    "Estimate",
    "change_over_seeds",
    "estimate",
    "mean_interval",
    "wilson_interval",
]

Z95 = 1.959963984540054  # quantile of the normal distribution
#: smallest difference of two accuracies that counts as clear
MIN_EFFECT = 0.01
#: the lower end of a robust accuracy of which nothing is proved
NO_BOUND = "no bound known"


@dataclass(frozen=True)
class Estimate:
    """An accuracy with its 95 % interval: of one seed, or a mean over seeds; ``n`` samples each.

    Attacks find a robust accuracy from above only. There ``mean`` is the upper end of a *bracket*, whose lower end is ``proved``.

    Args:
        mean, low, high: the accuracy and its interval.
        n, seeds: samples of each seed, and seeds.
        attacked: whether it is what attacks leave: an upper end.
        proved: what no attack can break, of the same samples and seeds; ``None`` where no bound is known.

    >>> print(Estimate(0.5, 0.4, 0.6, n=1000, seeds=3))
    0.500 [0.400, 0.600]
    >>> print(Estimate(0.5, 0.4, 0.6, 1000, 3, attacked=True, proved=0.25))
    0.250 – 0.500 [0.400, 0.600]
    >>> print(Estimate(0.5, 0.4, 0.6, 1000, 3, attacked=True))
    no bound known – 0.500 [0.400, 0.600]
    """

    mean: float
    low: float
    high: float
    n: int
    seeds: int
    attacked: bool = False
    proved: float | None = None

    @property
    def lower_end(self) -> str:
        """The lower end of a bracket as text, ``NO_BOUND`` without one, and nothing for an accuracy that is no upper end."""
        return "" if not self.attacked else NO_BOUND if self.proved is None else f"{self.proved:.3f}"

    def __str__(self) -> str:
        upper = f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"
        return f"{self.lower_end} – {upper}" if self.attacked else upper


@dataclass(frozen=True)
class Change:
    """A mean difference over seeds with its 95 % interval (``change_over_seeds``).

    >>> print(Change(0.1, 0.05, 0.15, seeds=3))
    +0.100 [+0.050, +0.150]
    """

    mean: float
    low: float
    high: float
    seeds: int

    @property
    def large(self) -> bool:
        """Whether the mean is at least ``MIN_EFFECT`` away from zero; a whole point counts, however it is rounded."""
        return abs(self.mean) >= MIN_EFFECT - 1e-9

    @property
    def clear(self) -> bool:
        """Whether it is ``large`` and its interval excludes zero.

        >>> Change(0.004, 0.003, 0.006, seeds=3).clear
        False
        """
        return (self.low > 0 or self.high < 0) and self.large

    @property
    def direction(self) -> str:
        """The change in words, "higher" or "lower" if it is clear, else "not told apart"."""
        return "not told apart" if not self.clear else "higher" if self.mean > 0 else "lower"

    def __str__(self) -> str:
        return f"{self.mean:+z.3f} [{self.low:+z.3f}, {self.high:+z.3f}]"  # z: no -0.000


def wilson_interval(correct: float, n: int) -> tuple[float, float]:
    """Return Wilson's interval for a proportion (equation in the module docstring).

    Args:
        correct: right answers; a mean over seeds that answer the same samples need not be whole.
        n: samples.

    Raises:
        ValueError: not 0 ≤ correct ≤ n, or n < 1.

    >>> tuple(round(v, 3) for v in wilson_interval(90, 100))
    (0.826, 0.945)
    """
    if n < 1 or not 0 <= correct <= n:
        raise ValueError(f"need 0 ≤ correct ≤ n and n ≥ 1, got correct={correct}, n={n}")
    p, z = correct / n, Z95
    centre = p + z * z / (2 * n)
    half = z * sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    scale = 1 + z * z / n
    # The interval holds p; where a bound equals p (0 or 1) rounding must not push it past.
    return max(0.0, min(p, (centre - half) / scale)), min(1.0, max(p, (centre + half) / scale))


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """Return Student's interval of a mean, not clipped.

    Raises:
        ValueError: fewer than two values.

    >>> tuple(round(v, 3) for v in mean_interval([0.4, 0.5, 0.6]))
    (0.252, 0.748)
    """
    if len(values) < 2:
        raise ValueError(f"an interval over seeds needs at least two of them, got {len(values)}")
    half = float(stdtrit(len(values) - 1, 0.975)) * stdev(values) / sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def estimate(counts: Sequence[float], n: int) -> Estimate:
    """Return the accuracy of the seeds with these counts: mean and interval (module docstring); Wilson's for a single seed.

    Args:
        counts: right answers of ``n``, one number a seed.
        n: samples that every seed answered.

    >>> print(estimate([40, 50, 60], 100))
    0.500 [0.252, 0.748]
    >>> print(estimate([50, 50, 50], 100))  # as one seed
    0.500 [0.404, 0.596]
    """
    values = [count / n for count in counts]
    low, high = wilson_interval(fmean(counts), n)
    if len(values) > 1:
        over_seeds = mean_interval(values)
        low, high = min(low, over_seeds[0]), max(high, over_seeds[1])
    return Estimate(fmean(values), max(0.0, low), min(1.0, high), n, len(values))


def change_over_seeds(
    new: Sequence[float],
    old: Sequence[float],
    n: int | None,
    *,
    times: tuple[float, float] = (1.0, 1.0),
    nested: bool = False,
) -> Change:
    """Return how much larger ``new`` is than ``old``, seed by seed: what a seed does to both cancels.

    Both ends are those of the wider interval: Student's over seeds, or Newcombe's over samples (module docstring).

    Args:
        new, old: one value a seed.
        n: samples behind each accuracy; ``None`` for values that are no accuracies, whose interval is over seeds alone.
        times: factors that the two accuracies were multiplied by; 0 for a number that was not measured.
        nested: whether one of them is right on every sample that the other is right on, as before and after an attack. Then the
            difference is the share of the other samples, and has Wilson's interval.

    Raises:
        ValueError: not one value of each for every seed, fewer than two seeds.

    >>> print(change_over_seeds([0.5, 0.7, 0.6], [0.4, 0.6, 0.5], None))
    +0.100 [+0.100, +0.100]
    >>> print(change_over_seeds([0.5, 0.7, 0.6], [0.4, 0.6, 0.5], 500))
    +0.100 [+0.038, +0.161]
    >>> print(change_over_seeds([0.5, 0.7, 0.6], [0.4, 0.6, 0.5], 500, nested=True))
    +0.100 [+0.077, +0.129]
    """
    if len(new) != len(old):
        raise ValueError(f"a change needs two values for every seed, got {len(new)} and {len(old)}")
    differences = [a - b for a, b in zip(new, old, strict=True)]
    mean, (low, high) = fmean(differences), mean_interval(differences)
    if n is not None and nested:
        ends = sorted(copysign(end, mean) for end in wilson_interval(abs(mean) * n, n))
        low, high = min(low, ends[0]), max(high, ends[1])
    elif n is not None:
        (below, above), (old_below, old_above) = (_reach(v, n, t) for v, t in zip((new, old), times, strict=True))
        low, high = min(low, mean - hypot(below, old_above)), max(high, mean + hypot(above, old_below))
    return Change(mean, low, high, len(differences))


def _reach(values: Sequence[float], n: int, times: float) -> tuple[float, float]:
    """Return how far Wilson's interval of the mean of ``times`` an accuracy reaches below and above it."""
    if not times:
        return 0.0, 0.0
    share = min(1.0, fmean(values) / times)
    low, high = wilson_interval(share * n, n)
    return times * (share - low), times * (high - share)
