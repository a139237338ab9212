"""All figures under one name, as chapters use them; each is explained in its module.

Every figure takes records (``snnlab.zoo.repeats``, or ``[evaluate_robustness(…)]`` of your network) by model name:

>>> from snnlab.statistics import Record
>>> record = Record(n=100, num_steps=8, exits=[8], eps=[0.0, 0.1], correct={"worst": [[97, 60]]})
>>> seed_curves({"mine": [record]}).caption
'n = 100, 95 % intervals over samples (Wilson). No bound known: mine'
"""

from snnlab.plotting.comparisons import attacked_sets, bars, dynamic_plane, plane, staircase
from snnlab.plotting.curves import energy_curves, exit_curves, late_curves, rule_curves, seed_curves
from snnlab.plotting.spikes import neuron, rasters, stand_in
from snnlab.plotting.sweeps import packing, sweeps

__all__ = [
    "attacked_sets",
    "bars",
    "dynamic_plane",
    "energy_curves",
    "exit_curves",
    "late_curves",
    "neuron",
    "packing",
    "plane",
    "rasters",
    "rule_curves",
    "seed_curves",
    "staircase",
    "stand_in",
    "sweeps",
]
