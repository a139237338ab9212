"""Accuracies with their 95 % intervals, over samples and over training seeds, and the lines that belong beside them."""

from snnlab.statistics.captions import (
    attack_table,
    attacks_line,
    broken_on_samples,
    flags_line,
    flags_of,
    intervals_line,
    lower_ends_line,
    models_by_flag,
    small_print,
)
from snnlab.statistics.intervals import (
    MIN_EFFECT,
    NO_BOUND,
    Change,
    Estimate,
    change_over_seeds,
    estimate,
    mean_interval,
    wilson_interval,
)
from snnlab.statistics.record import Record
from snnlab.statistics.records import chance_of, change_between, over_seeds, seed_summary, shared

__all__ = [
    "MIN_EFFECT",
    "NO_BOUND",
    "Change",
    "Estimate",
    "Record",
    "attack_table",
    "attacks_line",
    "broken_on_samples",
    "chance_of",
    "change_between",
    "change_over_seeds",
    "estimate",
    "flags_line",
    "flags_of",
    "intervals_line",
    "lower_ends_line",
    "mean_interval",
    "models_by_flag",
    "over_seeds",
    "seed_summary",
    "shared",
    "small_print",
    "wilson_interval",
]
