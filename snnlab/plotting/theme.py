"""The look of all figures, from ``snnlab/vocabulary.toml``: a model has the colour of its code, its rule or loss dash and marker.

Two models of one figure differ in colour, dash or marker.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from html import escape
from itertools import cycle, product
from pathlib import Path
from typing import Any, Literal

import matplotlib as mpl
from matplotlib.figure import Figure

from snnlab.statistics import Record
from snnlab.vocabulary import VOCABULARY, Linestyle, Term

__all__ = ["ATTACK", "INK", "QUIET", "Mark", "NotebookFigure", "Scheme", "colours", "mark", "marks", "png", "style"]

Scheme = Literal["light", "dark"]
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
def style(scheme: Scheme = "light") -> Iterator[None]:
    """Use the book's look for the block."""
    ink, quiet = (colours(scheme)[name] for name in ("ink", "quiet"))
    quiet_parts, ink_parts = ("axes.edgecolor", "xtick.color", "ytick.color"), ("text.color", "axes.labelcolor")
    rc: dict[Any, str] = dict.fromkeys(quiet_parts, quiet) | dict.fromkeys(ink_parts, ink)
    with mpl.rc_context(rc=rc, fname=str(STYLE)):
        yield


class NotebookFigure(Figure):
    """A figure that a notebook shows without pyplot, with an ``alt`` text and a ``caption``.

    A chapter's cell has an alternative text of its own; ``as_html`` shows the figure with ``alt`` instead.
    """

    alt: str = ""
    caption: str = ""
    as_html: bool = False

    def add_caption(self, text: str) -> None:
        """Draw a line of small text below all axes."""
        self.caption = text
        self.supxlabel(text, x=0.005, ha="left", fontsize=8, color=QUIET)

    def _repr_png_(self) -> bytes:
        return png(self, dpi=160)

    def _repr_html_(self) -> str | None:
        if not self.as_html:
            return None
        width = round(self.get_figwidth() * 96)
        source = data_uri(self._repr_png_())
        return f'<img style="width: {width}px; max-width: 100%" alt="{escape(self.alt)}" src="{source}">'


def png(figure: Figure, dpi: int = 110) -> bytes:
    """Return a figure as the bytes of a PNG file."""
    buffer = io.BytesIO()
    with style():
        figure.savefig(buffer, format="png", dpi=dpi)
    return buffer.getvalue()


def data_uri(content: bytes, kind: str = "image/png") -> str:
    """Return a file's content as a data address."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
