"""Explorers inside boxes and tabs of ipywidgets: what a static page shows of a container.

An explorer brings its element ``<snn-lab …>`` as HTML, which lives without a kernel. A container of ipywidgets brings only the
number of a widget, which means nothing without one. Importing this module therefore registers ``container_html`` with a running
IPython: a cell that shows a ``VBox``, ``HBox``, ``Tab`` or ``Accordion`` with an explorer inside stores the elements too.
"""

from __future__ import annotations

import html
from itertools import count
from typing import Any

import ipywidgets
from IPython.core.getipython import get_ipython

from snnlab.widgets.traits import Explorer

__all__ = ["container_html", "register"]

#: folds of one group are closed when another one opens
_groups = count(1)


def container_html(box: ipywidgets.Box) -> str | None:
    """Return a container as HTML, with its explorers alive; ``None`` if there is no explorer in it.

    Children stand as they do in the container: one below the other, side by side while there is room, or, for tabs, in folds of
    which one is open. Texts stay; of other controls the page shows name and value, because they act in JupyterLab only.

    Args:
        box: a ``Box`` of ipywidgets, or a subclass.

    >>> from snnlab.widgets import NeuronExplorer
    >>> container_html(ipywidgets.VBox([NeuronExplorer(beta=0.8)])).count("<snn-lab ")
    1
    >>> container_html(ipywidgets.VBox([ipywidgets.IntSlider()])) is None
    True
    """
    return _container(box) if any(isinstance(widget, Explorer) for widget in _inside(box)) else None


def register() -> None:
    """Tell the running IPython, if there is one, how a container is stored in a notebook."""
    shell: Any = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(ipywidgets.Box, container_html)


def _inside(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    children = getattr(widget, "children", ())
    return [widget, *(inner for child in children for inner in _inside(child))]


def _html(widget: ipywidgets.Widget) -> str:
    if isinstance(widget, Explorer):
        return widget.to_html()
    if isinstance(widget, ipywidgets.Box):
        return _container(widget)
    value = getattr(widget, "value", "")
    if isinstance(widget, ipywidgets.HTML | ipywidgets.HTMLMath):
        return f"<div>{value}</div>"
    name = getattr(widget, "description", "")
    text = ": ".join(str(part) for part in (name, value) if str(part) and not isinstance(part, bytes))
    return f"<p>{html.escape(text)}</p>" if text else ""


def _container(box: ipywidgets.Box) -> str:
    parts = [_html(child) for child in box.children]
    if isinstance(box, ipywidgets.Tab | ipywidgets.Accordion | ipywidgets.Stack):
        return _folds(parts, box.titles, box.selected_index)
    sideways = isinstance(box, ipywidgets.HBox | ipywidgets.GridBox)
    flow = "flex-flow: row wrap" if sideways else "flex-flow: column"
    basis = "flex: 1 1 22em" if sideways else "flex: none"
    children = "".join(f'<div style="{basis}; min-width: 0">{part}</div>' for part in parts if part)
    return f'<div style="display: flex; {flow}; gap: 1em">{children}</div>'


def _folds(parts: list[str], titles: tuple[str, ...], selected: int | None) -> str:
    group = f"snn-group-{next(_groups)}"
    shown = selected or 0
    named = [titles[k] if k < len(titles) and titles[k] else f"part {k + 1}" for k in range(len(parts))]
    looks = "font-size: 1rem; font-weight: 600; padding: 8px 0; cursor: pointer"
    return "".join(
        f'<details name="{group}"{" open" if k == shown else ""}>'
        f'<summary style="{looks}">{html.escape(title)}</summary>{part}</details>'
        for k, (title, part) in enumerate(zip(named, parts, strict=True))
    )


register()
