"""What a page without a kernel needs, inside the page: the data of an explorer, and one file that holds everything.

A block ``<script type="application/x-snnlab">`` holds base64 of gzipped JSON (``js/src/host/own-data.js``). No browser runs it,
and it needs no server: pages from disk and saved notebooks have it too.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from snnlab.plotting.theme import colours

__all__ = ["BUNDLE", "PARTS", "SHARED", "block", "page", "scripts", "view"]

BUNDLE = Path(__file__).parent / "bundle" / "snnlab.js"
#: further scripts, which a view loads when it needs them, by name
PARTS = {path.stem.removeprefix("snnlab-"): path for path in sorted(BUNDLE.parent.glob("snnlab-*.js"))}
#: environment variable that is set where all pages share one script, as in a book, so that outputs carry data alone
SHARED = "SNNLAB_SHARED_SCRIPT"
#: those that measure or train on a split of the data set
ON_DIGITS = ("live", "paint", "playground", "worker")

STYLE = """
:root {{ color-scheme: light dark; --back: {light[background]}; --ink: {light[ink]}; --quiet: {light[quiet]}; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --back: {dark[background]}; --ink: {dark[ink]}; --quiet: {dark[quiet]}; }}
}}
body {{ margin: 0 auto; max-width: 1160px; padding: 12px 16px 32px; background: var(--back); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; }}
h1 {{ font-size: 1.35rem; line-height: 1.3; margin: 0 0 12px; overflow-wrap: anywhere; }}
body > p {{ color: var(--quiet); font-size: .9rem; max-width: 70ch; overflow-wrap: anywhere; }}
figure {{ margin: 0; }}
img {{ max-width: 100%; height: auto; }}
"""

# The view comes compressed, too. A browser that is too old for that shows the still.
LOADER = """
(async () => {
  if (globalThis.snnlabLoader || globalThis.customElements?.get("snn-lab")) return;
  globalThis.snnlabLoader = true;
  const text = document.getElementById("snnlab").textContent;
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(stream).text();
  document.body.append(script);
})();
"""


def block(contents: Mapping[str, Any]) -> str:
    """Return the block that an element brings along, from payloads by key.

    >>> block({"zoo": {}}).startswith('<script type="application/x-snnlab">H4sI')
    True
    """
    return f'<script type="application/x-snnlab">{_compressed(json.dumps(contents, separators=(",", ":")))}</script>'


def scripts(without: Collection[str] = ()) -> dict[str, str]:
    """Return the scripts that explorers load when they need them, by name.

    Args:
        without: names of those that a page does not need.
    """
    return {name: path.read_text(encoding="utf-8") for name, path in PARTS.items() if name not in without}


def view() -> str:
    """Return the script of the explorers as HTML; where a page has it twice, it runs once."""
    bundle = _compressed(BUNDLE.read_text(encoding="utf-8"))
    return f'<script type="application/x-snnlab" id="snnlab">{bundle}</script>\n<script>{LOADER}</script>'


def page(element: str, title: str, about: str) -> str:
    """Return a page of one file.

    Args:
        element: an explorer with the data that it needs (``block``), as HTML.
        title: of the page.
        about: what the page shows, a paragraph below.
    """
    style = STYLE.format(light=colours("light"), dark=colours("dark"))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(title)}</title>
<style>{style}</style>
</head>
<body>
<h1>{html.escape(title)}</h1>
{element}
<p>{html.escape(about)}</p>
{view()}
</body>
</html>
"""


def _compressed(text: str) -> str:
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
