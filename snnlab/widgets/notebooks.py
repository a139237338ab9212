"""A notebook with explorers as a page of HTML in which they live, without a kernel and without other files.

``jupyter nbconvert --to html`` writes what a notebook has stored. An explorer of networks of your own has stored all that it
needs (``snnlab.widgets.live``), and lives in the page. One of the zoo's has stored its element with a picture: the networks that
it can show take up to 4 MB (``sizes``), too much for every output of a notebook. Two ways bring them, once for all explorers of
a notebook: a cell of it shows ``embed("robustness")``, or this preprocessor writes them into the page::

    jupyter nbconvert --to html --HTMLExporter.preprocessors=snnlab.widgets.notebooks.LiveExplorers lesson.ipynb
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from IPython.display import HTML
from nbconvert.preprocessors import Preprocessor
from nbformat import NotebookNode

from snnlab import widgets
from snnlab.widgets.page import BUNDLE, PARTS
from snnlab.widgets.sources import trained
from snnlab.widgets.traits import Explorer
from snnlab.zoo import export

__all__ = ["LiveExplorers", "data_keys", "embed", "inlined", "sizes"]

KIND = re.compile(r'<snn-lab explorer="(\w+)"')
VIEW = "application/vnd.jupyter.widget-view+json"

#: explorers that need no network, and what they need beside digits
WITHOUT_NETWORKS = {
    "neuron": [],
    "encoder": ["zoo"],
    "playground": ["zoo"],
    "paint": ["zoo", "model/onset"],
    "results": ["cifar10"],
    "event": ["zoo", "events5k"],
}


def data_keys(kind: str) -> list[str]:
    """Return the keys of the web data (``snnlab.zoo.export``) that an explorer may ask for.

    Raises:
        ValueError: no explorer has this name.

    >>> data_keys("encoder")
    ['zoo']
    >>> "model/latency" in data_keys("robustness")
    True
    >>> data_keys("picture")[:2]
    ['pictures', 'picture/ann']
    """
    explorers: dict[str, type[Explorer]] = {
        shown.kind: shown for name in widgets.__all__ if (shown := getattr(widgets, name)).kind
    }
    if kind not in explorers:
        raise ValueError(f"unknown explorer {kind!r}; choose one of {', '.join(explorers)}")
    digits = explorers[kind].digits
    if kind in WITHOUT_NETWORKS:
        return [*WITHOUT_NETWORKS[kind], *digits]
    if kind == "picture":
        return list(explorers[kind]().contents())
    if kind == "training":
        names = [name for rules in trained().values() for name in rules.values()]
    else:
        names = explorers[kind]()._models.names
    return ["zoo", *digits, *(f"model/{name}" for name in dict.fromkeys(names))]


def inlined(kinds: Collection[str]) -> str:
    """Return the scripts that explorers of these kinds need, as HTML to put into a page once, after or before them.

    Data are texts until an explorer asks for them, so that a page opens at once.

    >>> 'data-snnlab="along"' in inlined(["neuron"])  # what they load on demand comes too
    True
    """
    keys = dict.fromkeys(key for kind in sorted(kinds) for key in data_keys(kind))
    texts = {name: path.read_text(encoding="utf-8") for name, path in PARTS.items()} | {k: export.script(k) for k in keys}
    waiting = [f'<script type="text/plain" data-snnlab="{key}">{_safe(text)}</script>' for key, text in texts.items()]
    return "\n".join([*waiting, f"<script>{_safe(BUNDLE.read_text(encoding='utf-8'))}</script>"])


def embed(*kinds: str) -> HTML:
    """Return scripts and networks for explorers of these kinds, as an output that a cell shows and the notebook stores.

    A page that any tool makes of the stored notebook then has live explorers.

    Args:
        kinds: as ``NeuronExplorer.kind``.

    Raises:
        ValueError: no explorer has this name.

    >>> embed("encoder").data.count('data-snnlab="zoo"')
    1
    """
    return HTML(inlined(kinds))  # type: ignore[no-untyped-call]


def sizes() -> dict[str, int]:
    """Return the bytes that a page with one explorer gains, by the kind of explorer."""
    kinds = [getattr(widgets, name).kind for name in widgets.__all__]
    return {kind: len(inlined([kind]).encode()) for kind in kinds}


def _safe(script: str) -> str:
    """Keep a script from ending, or hiding, the element that it stands in: both signs occur in strings only."""
    return script.replace("</script", r"<\/script").replace("<!--", r"<\!--")


class LiveExplorers(Preprocessor):
    """Give a notebook that becomes a page the scripts of its explorers, once.

    A preprocessor of nbconvert. Where a cell has stored an explorer as HTML, and as the number of a widget, the HTML is shown.
    """

    def preprocess(self, nb: NotebookNode, resources: dict[str, Any]) -> tuple[NotebookNode, dict[str, Any]]:
        """Return the notebook with the scripts below its last explorer, and the resources as they were."""
        shown = [data for cell in nb.cells for data in _stored(cell) if KIND.search(_text(data))]
        for data in shown:
            data.pop(VIEW, None)
        if shown:
            kinds = {kind for data in shown for kind in KIND.findall(_text(data))}
            shown[-1]["text/html"] = f"{_text(shown[-1])}\n{inlined(kinds)}"
        return nb, resources


def _stored(cell: NotebookNode) -> list[dict[str, Any]]:
    return [output["data"] for output in cell.get("outputs", []) if "data" in output]


def _text(data: dict[str, Any]) -> str:
    """Files store a text as its lines."""
    text = data.get("text/html", "")
    return text if isinstance(text, str) else "".join(text)
