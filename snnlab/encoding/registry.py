"""The codes by name, and how they are written.

::

    code     = name | name "(" argument { "," argument } ")"
    argument = code | gate "*" code | number | option "=" value

As in ``onset(rounding=up)``, ``fusion(0.5*direct, fusion(latency, onset))``, ``shuffled(latency, order=1 0)``,
``table(rows=00 01 10)``. The browser engine reads the same grammar (``widgets/js/src/engine/grammar.js``).
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from snnlab.encoding import step_codes
from snnlab.encoding.base import Encoder, check_steps
from snnlab.encoding.edges import Edge, Edges
from snnlab.encoding.frames import Frames
from snnlab.encoding.fusion import Fusion
from snnlab.encoding.rate import Direct, GaussianNoise, Poisson
from snnlab.encoding.step_codes import StepCode

Made = Edges | Tensor | Iterable[Edge | Sequence[float]]  # what a registered function may return
Code = type[Encoder] | Callable[..., Made]

#: names of the codes of Ding et al. 2025
ENCODINGS: tuple[str, ...] = ("direct", "poisson", "onset", "offset", "latency", "phase", "fusion")
_CODES: dict[str, Code] = {
    "direct": Direct,
    "poisson": Poisson,
    "onset": step_codes.onset,
    "offset": step_codes.offset,
    "latency": step_codes.latency,
    "phase": step_codes.phase,
    "binary": step_codes.binary,
    "table": step_codes.table,
    "frames": Frames,
}
_COMPOSED = ("fusion", "negative", "shuffled", "gaussian", "table")  # always with something in brackets
_TAKEN = (*dict.fromkeys((*_CODES, *_COMPOSED)),)


def register_code(name: str, code: Code | Tensor) -> None:
    """Give a code of your own a name, by which ``encoder``, every attack, suite and explorer know it.

    Args:
        name: letters, digits, ``_`` and ``-``. A name that was registered before gets the new code.
        code: a function of ``num_steps`` that returns edges ``(intensity, step)`` or ``(intensity, step, weight)``, or a table
            ``[levels, T]`` whose row ``l`` is the train of the intensities from ``l / levels`` on; such a table; or a subclass of
            ``Encoder``. Further parameters of the function are options, written in brackets.

    Raises:
        ValueError: a name that cannot be written or belongs to a code of the package, or something that is no code.

    >>> register_code("staircase", lambda num_steps: [((t + 1) / num_steps, t) for t in range(num_steps)])
    >>> encoder("staircase", num_steps=4)(torch.tensor([[[[0.5, 1.0]]]])).flatten(1).T
    tensor([[1., 1., 0., 0.],
            [1., 1., 1., 1.]])
    """
    if not re.fullmatch(r"[\w-]+", name) or name in _TAKEN:
        raise ValueError(
            f"{name!r} cannot name a code: expected letters, digits, '_' and '-', and none of the package's own names "
            f"{', '.join(_TAKEN)}"
        )
    if isinstance(code, Tensor):
        table = code.detach().clone()
        _CODES[name] = lambda num_steps: table
    elif issubclass(code, Encoder) if isinstance(code, type) else callable(code):
        _CODES[name] = code
    else:
        raise ValueError(f"expected a function of num_steps, a table [levels, T] or a subclass of Encoder, got {code!r}")


def code_names() -> list[str]:
    """Return the names that ``encoder`` knows, registered codes too; ``…`` stands for what is written in brackets."""
    return [*(name for name in _CODES if name not in _COMPOSED), *(f"{name}(…)" for name in _COMPOSED)]


def encoder(name: str, *, num_steps: int = 8, **options: Any) -> Encoder:
    """Return an encoder from its name; ``Encoder.title`` has the same form.

    Args:
        name: one of ``code_names()``, as in ``"fusion(0.25*direct, latency)"``, ``"onset(rounding=up)"``, or the controls
            ``"negative(latency)"``, ``"shuffled(latency, order=1 0)"``, ``"gaussian(0.144)"``, or a table of your own,
            ``"table(rows=00 01 10)"``, as the book's *Paint a code* writes it.
        num_steps: ``T``, in steps.
        options: ``backward``, ``slope``, and options of the code: ``rounding`` of ``onset`` and ``offset``, ``rows`` of
            ``table``.

    Raises:
        ValueError: unknown name (the message lists the valid ones), empty fusion, bad gate, order, σ or option.

    >>> encoder("fusion(0.25*direct, onset(rounding=up))", num_steps=4).title
    'fusion(0.25*direct, onset(rounding=up))'
    """
    kind, arguments, written = _parse(name)
    rule = {key: value for key, value in options.items() if key in ("backward", "slope")}
    if kind == "fusion":
        _check_options(kind, written, ())
        gates, codes = zip(*map(_gated, arguments), strict=True) if arguments else ((), ())
        parts = tuple(encoder(code, num_steps=num_steps, **options) for code in codes)
        return Fusion(num_steps, parts=parts, gate=gates, **rule)
    if kind == "negative":
        if len(arguments) != 1 or written:
            raise ValueError(f"negative takes 1 code in its brackets, as in 'negative(latency)', got {name!r}")
        return encoder(arguments[0], num_steps=num_steps, **options).negative()
    if kind == "shuffled":
        if len(arguments) != 1 or not re.fullmatch(r"\d+(\s+\d+)*", written.get("order", "")):
            form = "'shuffled(latency, order=1 0)'"
            raise ValueError(f"shuffled takes a code and an order of its steps in its brackets, as in {form}, got {name!r}")
        return encoder(arguments[0], num_steps=num_steps, **options).shuffled(tuple(map(int, written["order"].split())))
    if kind == "gaussian":
        try:
            (sigma,) = map(float, arguments)
        except ValueError:
            raise ValueError(f"gaussian needs its σ, as in 'gaussian(0.144)', got {name!r}") from None
        return GaussianNoise(num_steps, sigma=sigma, **options)
    if kind not in _CODES:
        raise ValueError(f"unknown encoding {name!r}; choose one of {', '.join(code_names())}")
    if arguments:
        raise ValueError(f"the brackets of {kind} hold options only, as in 'onset(rounding=up)', got {name!r}")
    code = _CODES[kind]
    if code is Frames:
        _check_options(kind, written, ("scale",))
        return Frames(num_steps, scale=_value(written.get("scale", 1.0)), **options)
    if isinstance(code, type):
        _check_options(kind, written, ())
        made: Encoder = code(num_steps, **options)
        return made
    usual = {p.name: p.default for p in list(inspect.signature(code).parameters.values())[1:]}
    chosen = written | {key: value for key, value in options.items() if key not in rule}
    _check_options(kind, chosen, usual)
    check_steps(num_steps)
    values = {key: chosen[key] if isinstance(usual[key], str) else _value(chosen[key]) for key in usual if key in chosen}
    unusual = [f"{key}={value}" for key, value in values.items() if value != usual[key]]
    label = f"{kind}({', '.join(unusual)})" if unusual else kind
    return StepCode(num_steps=num_steps, label=label, edges=_edges(code, num_steps, tuple(values.items())), **rule)


@lru_cache(maxsize=256)
def _edges(code: Callable[..., Made], num_steps: int, options: tuple[tuple[str, Any], ...]) -> Edges:
    made = code(num_steps, **dict(options))
    if isinstance(made, Tensor):
        made = Edges.of_table(made)
    return made if isinstance(made, Edges) else Edges(num_steps, tuple(made))  # type: ignore[arg-type]


def _check_options(name: str, chosen: dict[str, Any], usual: Iterable[str]) -> None:
    if unknown := sorted(set(chosen) - set(usual)):
        known = f"it has {', '.join(usual)}" if usual else "only onset and offset have options, as in 'onset(rounding=up)'"
        raise ValueError(f"{name!r} has no {unknown[0]}; {known}")


def _value(given: Any) -> Any:
    try:
        return float(given)
    except (TypeError, ValueError):
        return given


def _parse(text: str) -> tuple[str, list[str], dict[str, str]]:
    """Name, arguments and options of a written code; arguments may be codes themselves."""
    name, bracket, rest = text.strip().partition("(")
    if not bracket:
        return name, [], {}
    split, depth = [""], 0
    for letter in rest[:-1]:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            break
        if letter == "," and depth == 0:
            split.append("")
        else:
            split[-1] += letter
    if depth or rest[-1:] != ")":
        raise ValueError(f"the brackets of {text!r} do not match; a code is written as in 'fusion(0.5*direct, latency)'")
    arguments = [part.strip() for part in split]
    if "" in arguments and len(arguments) > 1:
        raise ValueError(f"an empty argument in {text!r}; a code is written as in 'fusion(0.5*direct, latency)'")
    options = {m[1]: m[2] for a in arguments if (m := re.fullmatch(r"(\w+)\s*=\s*(.*)", a, re.DOTALL))}
    return name.strip(), [a for a in arguments if a and not re.match(r"\w+\s*=", a)], options


def _gated(argument: str) -> tuple[float, str]:
    number, star, name = argument.partition("*")
    if not star or "(" in number:
        return 1.0, argument
    try:
        return float(number), name
    except ValueError:
        raise ValueError(f"the gate of a part is a number, as in '0.125*direct', got {argument!r}") from None


def first_active_step(eps: float, num_steps: int = 8, code: str = "latency") -> int:
    """Return the first step, from 0, in which a black pixel raised by ε fires: the last exit that ε on black cannot change.

    In ``latency`` that is ``floor((1 - ε) T)``, in ``onset`` one step later (it compares with *greater than*).

    Args:
        eps: how much the pixel is raised, in [0, 1].
        num_steps: ``T``, which is also returned if the pixel never fires.
        code: a name for ``encoder``; not a random code.

    Raises:
        ValueError: ε outside [0, 1], a random code, an unknown code.

    >>> first_active_step(0.2, num_steps=8), first_active_step(0.2, num_steps=8, code="onset")
    (6, 7)
    """
    if not 0 <= eps <= 1:
        raise ValueError(f"eps must lie in [0, 1], got {eps!r}")
    if code == "latency":
        return int((1 - eps) * num_steps)
    encoding = encoder(code, num_steps=num_steps)
    if encoding.stochastic:
        raise ValueError(f"the first step of a random code is random: expected another code than {code!r}")
    fires = encoding(torch.full((1, 1, 1, 1), float(eps))).flatten(1).any(1)
    return int(fires.int().argmax()) if fires.any() else num_steps
