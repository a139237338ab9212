"""Explorers: one view, two homes.

In the built book an explorer is the element ``<snn-lab …>``, and the browser computes. In JupyterLab it is an ipywidget,
and PyTorch computes, also for networks of your own; the view is the same script. See ``js/`` for its source.
"""

from snnlab.widgets.explorers import (
    AttackExplorer,
    EncoderExplorer,
    ExitExplorer,
    FusionExplorer,
    NeuronExplorer,
    ResultsExplorer,
    RobustnessExplorer,
    TrainingExplorer,
)

__all__ = [
    "AttackExplorer",
    "EncoderExplorer",
    "ExitExplorer",
    "FusionExplorer",
    "NeuronExplorer",
    "ResultsExplorer",
    "RobustnessExplorer",
    "TrainingExplorer",
]
