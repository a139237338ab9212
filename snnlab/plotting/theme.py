"""The look of all figures, from ``snnlab/vocabulary.toml``: a model has the colour of its code, its rule or loss dash and marker.

Two models of one figure differ in colour, dash or marker.
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from itertools import cycle, product
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.image import imread, imsave

from snnlab.statistics import Record
from snnlab.vocabulary import VOCABULARY, Linestyle, Term

__all__ = ["ATTACK", "INK", "QUIET", "Mark", "NotebookFigure", "Scheme", "colours", "mark", "marks", "png", "style"]

Scheme = Literal["light", "dark"]
SVG = "image/svg+xml"
STYLE = Path(__file__).with_name("snnlab.mplstyle")


def colours(scheme: Scheme = "light") -> dict[str, str]:
    """Return the colours of everything that is no code, by name."""
    return {name: getattr(term, scheme) for name, term in VOCABULARY.colours.items()}


INK, QUIET, ATTACK = (colours()[name] for name in ("ink", "quiet", "attack"))
#: markers and dashes of models whose usual ones are taken, most legible first
MARKERS = [
    VOCABULARY.markers[name]
    for name in ("circle", "square", "up", "diamond", "down", "plus", "star", "hexagon", "pentagon", "thin_diamond", "ring")
]
DASHES: tuple[Linestyle, ...] = ("-", "--", "-.", ":", (0, (8, 3)), (0, (5, 2)), (0, (3, 1.5)))


def css() -> str:
    """Return the palette as a style sheet: ``--snn-ink`` in the scheme of the page, ``--snn-light-ink`` on light paper."""

    def block(selector: str, scheme: Scheme, prefix: str = "--snn") -> str:
        values = colours(scheme) | {name: getattr(term, scheme) for name, term in VOCABULARY.codes.items()}
        return f"{selector} {{\n" + "".join(f"  {prefix}-{name}: {value};\n" for name, value in values.items()) + "}\n"

    return block(":root", "light") + block(":root", "light", "--snn-light") + block('html[data-theme="dark"]', "dark")


@dataclass(frozen=True)
class Mark:
    """How one line or point is drawn, and what the legend calls it."""

    colour: str
    dash: Linestyle
    marker: str
    label: str = ""


def mark(code: str, rule: str = "bptt", loss: str = "count", *, scheme: Scheme = "light") -> Mark:
    """Return the mark of a code (ink if the vocabulary lacks it), or of a network that learned it by another rule or loss.

    >>> mark("latency", "tsslbp").label, mark("latency", "tsslbp").colour == mark("latency").colour
    ('latency, TSSL-BP', True)
    """
    term = _code(code) or Term(title=code, light=INK, dark=colours("dark")["ink"], marker="circle")
    how = VOCABULARY.training_rules.get(rule) if rule != "bptt" else VOCABULARY.losses.get(loss)
    drawn, label = (how, f"{term.title}, {how.title}") if how else (term, term.title)
    return Mark(getattr(term, scheme), drawn.linestyle, VOCABULARY.markers[drawn.marker], label)


def marks(models: Mapping[str, Sequence[Record]], *, scheme: Scheme = "light") -> dict[str, Mark]:
    """Return a mark for every model of a figure, each with another colour, dash or marker.

    Code, rule, loss and title are those of a model's first record. A model of unknown code gets ink, then the colours of codes
    that the figure does not show.

    Args:
        models: the records of all seeds by the name in the legend; the record's ``model`` stands for its title.
        scheme: of the background.

    >>> [m.colour == INK for m in marks({name: [Record(n=9)] for name in ("mine", "latency")}).values()]
    [True, False]
    """
    known = {name: code for name, records in models.items() if (code := _code_of(name, records[0]))}
    shown = {_code(code) for code in known.values()}
    spare = cycle([colours(scheme)["ink"], *(getattr(t, scheme) for t in VOCABULARY.codes.values() if t not in shown)])
    taken: set[tuple[str, Linestyle, str]] = set()
    looks = {}
    for name, records in models.items():
        record = records[0]
        if name in known:
            usual = mark(known[name], record.rule or "bptt", record.loss or "count", scheme=scheme)
        else:
            usual = Mark(next(spare), "-", MARKERS[0])
        label = record.title or name if name == record.model else name
        looks[name] = replace(_distinct(usual, taken), label=label)
        taken.add((looks[name].colour, looks[name].dash, looks[name].marker))
    return looks


def _code(code: str) -> Term | None:
    return VOCABULARY.codes.get(code.partition("(")[0].strip())


def _code_of(name: str, record: Record) -> str:
    """Return the code of a model as its record says, or its name if that is a code; empty if neither."""
    code = record.code or {"none": "ann"}.get(coded := record.encoding or name, coded)
    return code if _code(code) else ""


def _distinct(usual: Mark, taken: set[tuple[str, Linestyle, str]]) -> Mark:
    for dash, marker in product((usual.dash, *DASHES), (usual.marker, *MARKERS)):
        if (usual.colour, dash, marker) not in taken:
            return replace(usual, dash=dash, marker=marker)
    raise ValueError(f"a figure shows at most {len(DASHES) * len(MARKERS)} models of one code; show fewer")


@contextmanager
def style() -> Iterator[None]:
    """Use the book's look for the block."""
    quiet_parts, ink_parts = ("axes.edgecolor", "xtick.color", "ytick.color"), ("text.color", "axes.labelcolor")
    rc: dict[Any, str] = dict.fromkeys(quiet_parts, QUIET) | dict.fromkeys(ink_parts, INK)
    with mpl.rc_context(rc=rc, fname=str(STYLE)):
        yield


class NotebookFigure(Figure):
    """A figure that a notebook shows without pyplot, with an ``alt`` text and a ``caption``.

    A figure with an ``alt`` shows itself in two renditions, for light and dark pages, with a caption: the beginning of ``alt``,
    up to its first colon or semicolon, and ``caption``. Without an ``alt`` it is a PNG, and the notebook's cell must describe it.
    """

    alt: str = ""
    caption: str = ""

    def add_caption(self, text: str) -> None:
        """Set the caption; a PNG shows it as a line of small text below all axes."""
        self.caption = text
        self.supxlabel(text, x=0.005, ha="left", fontsize=8, color=QUIET)

    def _repr_png_(self) -> bytes:
        return png(self, dpi=160)

    def _repr_html_(self) -> str | None:
        if not self.alt:
            return None
        light = svg(self)
        look = f"width: {round(self.get_figwidth() * 96)}px"
        images = "".join(
            f'<img class="snn-{scheme}" style="{look}{hide}" alt="{escape(self.alt)}" src="{data_uri(text.encode(), SVG)}">'
            for scheme, text, hide in (("light", light, ""), ("dark", in_dark(light), "; display: none"))
        )
        title = re.split("[:;] ", self.alt)[0].rstrip(".")
        caption = f"{escape(title)}. {escape(self.caption)}".strip().rstrip(".")
        # The book's style sheet shows the other image on dark pages; elsewhere the paper is white.
        paper = f"margin: 0; background: var(--snn-background, white); color: var(--snn-ink, {INK})"
        return (
            f'<figure class="snn-figure" style="{paper}"><div style="overflow-x: auto">{images}</div>'
            f"<figcaption>{caption}.</figcaption></figure>"
        )


def svg(figure: Figure) -> str:
    """Return a figure as SVG with a transparent background, without the caption that ``add_caption`` drew."""
    drawn = figure._supxlabel if isinstance(figure, NotebookFigure) and figure.caption else None  # type: ignore[attr-defined]
    buffer = io.StringIO()
    with style(), mpl.rc_context({"svg.hashsalt": "snnlab"}):
        if drawn:
            drawn.set_visible(False)
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
        if drawn:
            drawn.set_visible(True)
    return buffer.getvalue()


def in_dark(text: str) -> str:
    """Return an SVG with each colour of the palette on light paper replaced by the one on dark paper, in images as well.

    >>> in_dark(f"fill: {INK.lower()}; stroke: red") == f"fill: {colours('dark')['ink'].lower()}; stroke: red"
    True
    """
    terms = [*VOCABULARY.colours.values(), *VOCABULARY.codes.values()]
    dark = {"#" + 6 * "0": colours("dark")["ink"].lower()} | {term.light.lower(): term.dark.lower() for term in terms}

    def image_in_dark(address: re.Match[str]) -> str:
        pixels = imread(io.BytesIO(base64.b64decode(address[1])))
        buffer = io.BytesIO()
        imsave(buffer, _recoloured(pixels), format="png")
        return f'"{data_uri(buffer.getvalue())}"'

    text = re.sub("#[0-9a-f]{6}", lambda colour: dark.get(colour[0], colour[0]), text)
    return re.sub(r'"data:image/png;base64,\s*([^"]+)"', image_in_dark, text)


def _recoloured(pixels: Any) -> Any:
    """Return an image with ink and attack colour as on dark paper."""
    result = pixels.copy()
    for name in ("ink", "attack"):
        light, dark = (mpl.colors.to_rgb(colours(scheme)[name]) for scheme in ("light", "dark"))
        result[(abs(pixels[..., :3] - light) < 0.02).all(-1), :3] = dark
    return result


def png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Return a file's content as a data address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
