"""What all explorers are made of: a view in the browser, state as traits, and the answers to the view's messages."""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import anywidget
import torch
import traitlets

from snnlab.widgets.climbs import ClimbRequest, climb_frame
from snnlab.widgets.frames import ATTACKS, WHO, Request, frame, pack
from snnlab.widgets.models import Models, ZooModels
from snnlab.widgets.stills import Still

__all__ = ["AttackedExplorer", "Curved", "Encoded", "EncodedExplorer", "Explorer", "Timed"]

BUNDLE = Path(__file__).parent / "bundle" / "snnlab.js"
DRAWN = -1
OWN = "A still: this network runs in a kernel, so its controls are there where the notebook is opened in JupyterLab."

AnyRequest = TypeVar("AnyRequest", Request, ClimbRequest)


class Explorer(anywidget.AnyWidget):
    """What all explorers share: the view's script, the state that they have in common, and the answers to its messages.

    The state is traits, so an explorer links with any other ipywidget (``link``, ``observe``, ``interactive_output``).
    """

    _esm = BUNDLE.read_text() + "\nexport default snnlab.widget;\n"

    explorer = traitlets.Unicode().tag(sync=True)
    image = traitlets.Int(0, min=DRAWN, help="index of the digit; -1 is the drawn one").tag(sync=True)
    drawing = traitlets.List(traitlets.Int(min=0, max=255), help="pixels of the drawn digit").tag(sync=True)
    eps = traitlets.Float(0.0, min=0.0, max=1.0, help="budget, L∞, in pixel units").tag(sync=True)

    #: traits that the element ``<snn-lab>`` carries as attributes
    shown_traits: tuple[str, ...] = ("explorer", "image", "eps")

    def __init__(self, models: Models | None = None, **state: Any) -> None:
        self._models = models or ZooModels()
        super().__init__(**state)
        self.on_msg(self._answer)

    @traitlets.validate("eps")
    def _finite(self, proposal: Any) -> float:
        eps = float(proposal["value"])
        if not 0 <= eps <= 1:
            raise traitlets.TraitError(f"eps must lie in [0, 1] (pixel units), got {eps!r}")
        return eps

    @traitlets.validate("image")
    def _known_image(self, proposal: Any) -> int:
        index, count = int(proposal["value"]), len(self._models.samples)
        if not DRAWN <= index < count:
            raise traitlets.TraitError(f"image must be an index from 0 to {count - 1} (-1: drawn), got {index}")
        return index

    def _answer(self, _: Any, message: dict[str, Any], buffers: list[Any]) -> None:
        """Answer one message of the view; an exception becomes a sentence in the view, not a dead widget."""
        answers: dict[str, Callable[[dict[str, Any]], tuple[dict[str, Any], list[memoryview]]]] = {
            "hello": self._hello,
            "run": self._run,
            "climb": self._climb,
            "data": self._data,
        }
        kind, number = message.get("type"), message.get("id")
        try:
            if kind not in answers:
                raise ValueError(f"unknown message {kind!r}; the view and the package differ in version, reload the page")
            reply, attached = answers[kind](message)
        except Exception as error:
            reply, attached = {"type": "error", "message": f"{error}"}, []
        self.send(reply | {"id": number}, attached)

    def _hello(self, _: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        return {"type": "hello", "custom": self._models.custom}, []

    def _run(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        request = self._read(message, Request)
        return self._framed(frame(self._models.classifier(request.encoding), request))

    def _climb(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        request = self._read(message, ClimbRequest)
        return self._framed(climb_frame(self._models.classifier(request.encoding), request))

    def _read(self, message: dict[str, Any], kind: type[AnyRequest]) -> AnyRequest:
        """The request in a message; that it is being worked on is said, so that a slow network is not taken for dead."""
        self.send({"type": "working", "id": message.get("id")})
        wanted = dict(message["request"])
        shape = wanted.pop("shape")
        image = torch.tensor(wanted.pop("image"), dtype=torch.float32).reshape(shape)
        return kind(image=image, **{k: v for k, v in wanted.items() if k in kind.__dataclass_fields__})

    @staticmethod
    def _framed(shown: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        plain, buffers = pack(shown)
        return {"type": "frame", "frame": plain}, buffers

    def _data(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        return {"type": "data", "payload": self._models.payload(message["key"])}, []

    def _subject(self) -> tuple[torch.Tensor, int | None]:
        """The present image ``[C, H, W]``, and its class if it is known."""
        if self.image != DRAWN:
            return self._models.samples.images[self.image], int(self._models.samples.labels[self.image])
        shape = self._models.samples.images.shape[1:]
        return torch.tensor(self.drawing, dtype=torch.float32).div(255).reshape(shape), None

    def _still(self) -> Still:
        raise TypeError(f"{type(self).__name__} has no still picture")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget for JupyterLab; for the static page the element, with a picture for where no script runs."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/html"] = self.to_html()
        return bundle

    def to_html(self) -> str:
        """The element ``<snn-lab …>`` with the present state as attributes and a picture of it as fallback.

        Networks of the reader's own come as the picture alone: a page without a kernel does not have them, and would answer
        from a network of the zoo that goes by the same name.
        """
        still = self._still()
        picture = f'<img src="{still.data_uri}" alt="{html.escape(still.alt, quote=True)}">'
        said = html.escape(still.alt)
        if self._models.custom:
            return f'<figure class="snn-own snn-output snn-wide">{picture}<figcaption>{said} {OWN}</figcaption></figure>'
        state = " ".join(f'{name}="{html.escape(str(getattr(self, name)), quote=True)}"' for name in self.shown_traits)
        return f"<snn-lab {state}><figure>{picture}<figcaption>{said}</figcaption></figure></snn-lab>"


class Timed(traitlets.HasTraits):
    """State of an explorer in which only the first steps are read."""

    _models: Models
    exit_step = traitlets.Int(8, min=1, help="steps that are read").tag(sync=True)

    @traitlets.validate("exit_step")
    def _known_exit(self, proposal: Any) -> int:
        exit_step, num_steps = int(proposal["value"]), self._models.num_steps
        if not 1 <= exit_step <= num_steps:
            raise traitlets.TraitError(f"exit_step must lie in 1 … {num_steps}, got {exit_step}")
        return exit_step


class AttackedExplorer(Explorer):
    """State of an explorer in which trained networks are attacked."""

    attack = traitlets.Enum(ATTACKS, default_value="none").tag(sync=True)
    attacker = traitlets.Enum(WHO, default_value="informed", help="what the attacker knows of the code").tag(sync=True)

    def _asked(self, encoding: str, exit_step: int, **more: int) -> Request:
        """The present image and attack as a request to ``snnlab.widgets.frames.frame``."""
        image, label = self._subject()
        return Request(image, label, encoding, self.attack, self.attacker, self.eps, exit_step, **more)


class Curved(traitlets.HasTraits):
    """State of an explorer that shows measured curves: the worst case of all attacks, or the attack that is chosen."""

    curve = traitlets.Enum(("worst", "own"), default_value="worst", help="worst case, or this attack").tag(sync=True)


class Encoded(traitlets.HasTraits):
    """State of an explorer that shows one network at a time."""

    _models: Models
    encoding = traitlets.Unicode(help="model of the zoo, or code").tag(sync=True)

    @traitlets.validate("encoding")
    def _known_encoding(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if name not in self._models.names:
            raise traitlets.TraitError(f"unknown encoding {name!r}; choose one of {', '.join(self._models.names)}")
        return name


class EncodedExplorer(Encoded, AttackedExplorer):
    """State of an explorer that attacks one network at a time."""
