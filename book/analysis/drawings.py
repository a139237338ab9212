"""Drawings of ideas: two fused codes, the answers to missing gradients, the operations that an energy bill counts.

Each is SVG with the colours of the page (``currentColor``, ``var(--snn-…)``), so that it follows the dark theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from snnlab.claims import Page

__all__ = ["bill", "blindfolds", "convolutions", "fusion"]

ATTACK = "var(--snn-attack, #b3123b)"


class _Sketch:
    """Boxes, arrows and words on a sheet of some width and height."""

    def __init__(self, width: int, height: int) -> None:
        self.size = width, height
        self.parts: list[str] = []

    def words(self, x: float, y: float, text: str, colour: str = "currentColor", anchor: str = "middle") -> None:
        """Write lines, the first one at ``y``."""
        lines = "".join(f'<tspan x="{x}" dy="{18 * (k > 0)}">{escape(t)}</tspan>' for k, t in enumerate(text.split("\n")))
        self.parts.append(f'<text x="{x}" y="{y}" text-anchor="{anchor}" fill="{colour}">{lines}</text>')

    def box(self, x: float, y: float, width: float, height: float, text: str, colour: str = "currentColor") -> None:
        """Draw a box with centred words."""
        self.parts.append(
            f'<rect x="{x}" y="{y}" width="{width}" height="{height}" rx="6" fill="{colour}" fill-opacity="0.08" '
            f'stroke="{colour}" stroke-width="1.5"/>'
        )
        self.words(x + width / 2, y + height / 2 + 5 - 9 * text.count("\n"), text)

    def dot(self, x: float, y: float, *, filled: bool = False) -> None:
        """Draw a neuron or pixel."""
        fill = "currentColor" if filled else "var(--snn-background, Canvas)"
        self.parts.append(f'<circle cx="{x}" cy="{y}" r="8" stroke="currentColor" fill="{fill}"/>')

    def arrow(self, *points: tuple[float, float], text: str = "", colour: str = "currentColor", dash: str = "") -> None:
        """Draw a line through points that ends in an arrow head, with words above its middle."""
        path = " L".join(f"{x} {y}" for x, y in points)
        head = "a" if colour == "currentColor" else "b"
        self.parts.append(
            f'<path d="M{path}" fill="none" stroke="{colour}" stroke-width="1.5" stroke-dasharray="{dash}" '
            f'marker-end="url(#snn-head-{head})"/>'
        )
        if text:
            (x0, y0), (x1, y1) = points[0], points[-1]
            self.words((x0 + x1) / 2, (y0 + y1) / 2 - 6, text, colour)

    def page(self, alt: str) -> Page:
        """Return the drawing; on a narrow screen it can be scrolled."""
        width, height = self.size
        heads = "".join(
            f'<marker id="snn-head-{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
            f'<path d="M0 0 L8 4 L0 8 z" fill="{colour}"/></marker>'
            for name, colour in (("a", "currentColor"), ("b", ATTACK))
        )
        return Page(
            f'<div class="snn-output" tabindex="0" role="region" aria-label="Drawing" style="overflow-x: auto">'
            f'<svg viewBox="0 0 {width} {height}" style="width: 100%; max-width: {width}px; min-width: {min(width, 520)}px; '
            f'font: 15px system-ui, sans-serif" role="img" aria-label="{escape(alt)}"><defs>{heads}</defs>'
            f"{''.join(self.parts)}</svg></div>"
        )


def _of(code: str) -> str:
    return f"var(--snn-{code}, currentColor)"


def fusion() -> Page:
    """Draw a fusion: one image, two encoders, two gates, one network, and the gradient that comes back through both parts."""
    s = _Sketch(720, 250)
    s.box(8, 90, 80, 60, "image\nx")
    for y, code, k in ((30, "direct", 1), (160, "latency", 2)):
        middle = y + 25
        s.box(150, y, 110, 50, code, _of(code))
        s.box(330, y, 70, 50, f"× g{'₁₂'[k - 1]}")
        s.box(460, y, 70, 50, f"W{'₁₂'[k - 1]}")
        s.arrow((88, 120), (150, middle))
        s.arrow((260, middle), (330, middle), text=f"s⁽{'¹²'[k - 1]}⁾")
        s.arrow((400, middle), (460, middle))
        s.arrow((530, middle), (590, 115 if k == 1 else 125))
        back = y - 10 if k == 1 else y + 62
        s.arrow(
            (600, 90 if k == 1 else 150), (560, back), (130, back), (60, 88 if k == 1 else 152), colour=ATTACK, dash="5 4"
        )
    s.box(590, 90, 126, 60, "current I[t],\nhidden neurons")
    s.words(330, 245, "∂L/∂x is the sum over both parts", ATTACK)
    return s.page(
        "An image x goes through two encoders, direct and latency. Each sequence is scaled by its gate g, and weighted by its "
        "part of the weights W. The sum is the current into the hidden neurons. The gradient of an attack returns "
        "through both parts."
    )


#: what to ask of a network that seems robust, in the order of the cost of asking → the attack that answers "yes"
QUESTIONS: tuple[tuple[str, str], ...] = (
    ("Do two passes over one image differ?", "EOT: the mean of many draws\n(or repair a kept state)"),
    ("Is the gradient exactly zero\non most pixels?", "BPDA: a smooth step for the code,\nseveral slopes"),
    ("Is the gradient tiny everywhere,\nthe softmax certain?", "margin or DLR loss,\nscaled steps (SA-PGD)"),
    ("Does the loss not rise, or does\ntransfer break more?", "ensemble of surrogates,\nadaptive sharpness (ASSG)"),
    ("Is the code a window\n(latency)?", "search among spike trains"),
    ("Do more steps or restarts\nstill break more?", "momentum, restarts,\na longer attack"),
    ("Does a search without\ngradients break more?", "lattice search, Square: the slopes\nmislead, so repair them"),
    ("Is another exit used than the one\nthat was attacked?", "attack that exit; a dynamic exit\nat all exits jointly"),
)


def blindfolds(questions: Sequence[tuple[str, str]] = QUESTIONS) -> Page:
    """Draw a flow chart: which attack answers what hides a gradient."""
    step = 74
    s = _Sketch(680, step * len(questions) + 62)
    for k, (question, answer) in enumerate(questions):
        y = 4 + k * step
        s.box(4, y, 290, 50, question)
        s.box(390, y, 286, 50, answer, ATTACK)
        s.arrow((294, y + 25), (390, y + 25), text="yes", colour=ATTACK)
        s.arrow((149, y + 50), (149, y + step))
        s.words(162, y + 67, "no, or answered", anchor="start")
    s.box(
        4,
        4 + step * len(questions),
        672,
        50,
        "Report the worst case per sample over all these attacks,\nwith n, interval, list and flags",
    )
    listed = "; ".join(f"{q} Yes: {a}" for q, a in questions).replace("\n", " ")
    return s.page(
        f"Flow chart of questions to a network that seems robust. {listed}. At the end: report the worst case per sample."
    )


def bill() -> Page:
    """Draw which operations are counted: every weight once in an ANN, the weights of a spike each time it fires."""
    s = _Sketch(700, 250)
    inputs, hidden = ([(x, 50 + 36 * i + 18 * (5 - n)) for i in range(n)] for x, n in ((40, 5), (220, 4)))
    for left, title, code in ((0, "ANN, direct: multiply", "direct"), (360, "spikes: add", "latency")):
        s.words(left + 130, 18, title, _of(code))
        for k, (x0, y0) in enumerate(inputs):
            lit = k in (1, 3)
            line = (
                f'stroke="{_of(code)}" stroke-width="1.6"'
                if lit or code == "direct"
                else 'stroke="currentColor" opacity="0.25"'
            )
            s.parts += [f'<path d="M{left + x0} {y0} L{left + x1} {y1}" {line}/>' for x1, y1 in hidden]
            s.dot(left + x0, y0, filled=lit)
        for x, y in hidden:
            s.dot(left + x, y)
    s.words(130, 236, "20 weights, once: 20 MACs")
    s.words(490, 236, "2 spikes × 4 weights: 8 SynOps")
    return s.page(
        "Five pixels, two of them lit, and four hidden neurons, twice. Left, an ANN: all twenty weights are multiplied, those "
        "of black pixels too. Right, spikes: only the eight weights behind the two pixels that fire are added."
    )


def convolutions() -> Page:
    """Draw the network of CIFAR-10: four blocks, an average, and a read-out that integrates."""
    s = _Sketch(720, 170)
    s.box(4, 50, 84, 70, "code\n3×32×32")
    x = 108
    for channels, side in ((32, 16), (64, 8), (128, 4), (256, 2)):
        s.box(x, 50, 104, 70, f"conv, norm,\nLIF neurons\n{channels} × {side} × {side}", _of("fusion"))
        s.arrow((x - 20, 85), (x, 85))
        x += 124
    s.box(x, 50, 108, 70, "mean,\n10 read-outs:\ncharge")
    s.arrow((x - 20, 85), (x, 85))
    s.words(356, 30, "T steps are T × N pictures for a convolution and a norm, a sequence for the neurons")
    s.words(356, 150, "from block to block: spikes, T = 4 steps")
    return s.page(
        "The code of a picture goes through four blocks of convolution, norm and LIF neurons; each halves the side, and "
        "they have 32, 64, 128 and 256 channels. Then a mean over the pixels, and ten read-outs that integrate their current."
    )
