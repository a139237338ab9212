"""Explorers: one view, two homes.

In the built book an explorer is the element ``<snn-lab …>``, and the browser computes. In JupyterLab it is an ipywidget, and
PyTorch computes, also for networks of your own; the view is the same script (``js/``).
"""

from snnlab.widgets.containers import container_html as container_html
from snnlab.widgets.explorers import *  # noqa: F403
from snnlab.widgets.explorers import __all__ as __all__
