"""Explorers: one view, two homes.

In the built book an explorer is the element ``<snn-lab …>``, and the browser computes. In JupyterLab it is an ipywidget,
and PyTorch computes, also for networks of your own; the view is the same script. See ``js/`` for its source.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anywidget
import torch
import traitlets
from torch import Tensor, nn

from snnlab import plot, zoo
from snnlab.attack import ATTACKERS, ATTACKS
from snnlab.data import Split
from snnlab.widgets.frames import Request, frame, pack
from snnlab.widgets.models import Models, OwnModels, ZooModels

__all__ = ["EncoderExplorer", "RobustnessExplorer"]

BUNDLE = Path(__file__).parent / "bundle" / "snnlab.js"
DRAWN = -1


class Explorer(anywidget.AnyWidget):
    """What all explorers share: the view's script, the state that they have in common, and the answers to its messages.

    The state is traits, so an explorer links with any other ipywidget (``link``, ``observe``, ``interactive_output``).
    """

    _esm = BUNDLE.read_text() + "\nexport default snnlab.widget;\n"

    explorer = traitlets.Unicode().tag(sync=True)
    image = traitlets.Int(0, min=DRAWN, help="index of the digit; -1 is the drawn one").tag(sync=True)
    drawing = traitlets.List(traitlets.Int(min=0, max=255), help="pixels of the drawn digit").tag(sync=True)
    eps = traitlets.Float(0.0, min=0.0, max=1.0, help="budget, L∞, in pixel units").tag(sync=True)
    exit_step = traitlets.Int(8, min=1, help="steps that are read").tag(sync=True)

    #: traits that the element ``<snn-lab>`` carries as attributes
    shown_traits: tuple[str, ...] = ("explorer", "image", "eps", "exit_step")

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

    @traitlets.validate("exit_step")
    def _known_exit(self, proposal: Any) -> int:
        exit_step, num_steps = int(proposal["value"]), self._models.num_steps
        if not 1 <= exit_step <= num_steps:
            raise traitlets.TraitError(f"exit_step must lie in 1 … {num_steps}, got {exit_step}")
        return exit_step

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
        self.send({"type": "working", "id": message.get("id")})  # so that a slow network is not taken for a dead kernel
        wanted = dict(message["request"])
        shape = wanted.pop("shape")
        image = torch.tensor(wanted.pop("image"), dtype=torch.float32).reshape(shape)
        request = Request(image=image, **{k: v for k, v in wanted.items() if k in Request.__dataclass_fields__})
        plain, buffers = pack(frame(self._models.classifier(request.encoding), request))
        return {"type": "frame", "frame": plain}, buffers

    def _data(self, message: dict[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        return {"type": "data", "payload": self._models.payload(message["key"])}, []

    def _still(self) -> plot.Still:
        raise TypeError(f"{type(self).__name__} has no still picture")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """The widget for JupyterLab; for the static page the element, with a picture for where no script runs."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/html"] = self.to_html()
        return bundle

    def to_html(self) -> str:
        """The element ``<snn-lab …>`` with the present state as attributes and a picture of it as fallback."""
        still = self._still()
        state = " ".join(f'{name}="{html.escape(str(getattr(self, name)), quote=True)}"' for name in self.shown_traits)
        picture = f'<img src="{still.data_uri}" alt="{html.escape(still.alt, quote=True)}">'
        return f"<snn-lab {state}><figure>{picture}<figcaption>{html.escape(still.alt)}</figcaption></figure></snn-lab>"


class RobustnessExplorer(Explorer):
    """Turn code, budget, attack and exit step of a trained network, and see spikes, votes and accuracy answer.

    Args:
        model: a network of your own: an ``nn.Module`` that maps an encoded sequence ``[T, N, C, H, W]`` to
            ``(spikes, membrane)`` of shape ``[T, N, K]`` (as a loop over snnTorch neurons does) or to a ``Trace``; or a
            ``Classifier``. Without it, the models of the zoo.
        images: your images ``[N, C, H, W]`` in [0, 1]; needed with ``model``.
        labels: their classes ``[N]``; needed with ``model``.
        num_steps: ``T`` of the codes fed to your model.
        decoder: how your model's output is read.
        state: initial ``image, encoding, attack, attacker, eps, exit_step``.

    Raises:
        ValueError: a model without images and labels, images or labels that are none, a model of wrong output shape.
        TraitError: a state that does not exist (the message lists what does).
    """

    encoding = traitlets.Unicode("onset", help="model of the zoo, or code").tag(sync=True)
    attack = traitlets.Enum(ATTACKS, default_value="none").tag(sync=True)
    attacker = traitlets.Enum(tuple(ATTACKERS), default_value="informed").tag(sync=True)

    shown_traits = ("explorer", "image", "encoding", "attack", "attacker", "eps", "exit_step")

    def __init__(
        self,
        model: nn.Module | None = None,
        images: Tensor | None = None,
        labels: Tensor | None = None,
        *,
        num_steps: int = 8,
        decoder: str = "rate",
        **state: Any,
    ) -> None:
        models: Models
        if model is None:
            models = ZooModels()
        elif images is None or labels is None:
            raise ValueError("a model of your own needs images=[N, C, H, W] and labels=[N] to be shown with")
        else:
            models = OwnModels(model, Split(images, labels, _num_classes(labels)), num_steps, decoder)
        state.setdefault("encoding", "onset" if "onset" in models.names else models.names[0])
        state.setdefault("exit_step", models.num_steps)
        super().__init__(models, explorer="robustness", **state)

    @traitlets.validate("encoding")
    def _known_encoding(self, proposal: Any) -> str:
        name = str(proposal["value"])
        if name not in self._models.names:
            raise traitlets.TraitError(f"unknown encoding {name!r}; choose one of {', '.join(self._models.names)}")
        return name

    def request(self) -> Request:
        """The present state as a request to ``snnlab.widgets.frames.frame``."""
        if self.image == DRAWN:
            shape = self._models.samples.images.shape[1:]
            image = torch.tensor(self.drawing, dtype=torch.float32).div(255).reshape(shape)
            label = None
        else:
            image, label = self._models.samples.images[self.image], int(self._models.samples.labels[self.image])
        return Request(image, label, self.encoding, self.attack, self.attacker, self.eps, self.exit_step)

    def result(self) -> dict[str, Any]:
        """What the explorer shows now, as arrays: for your own plots and checks."""
        return frame(self._models.classifier(self.encoding), self.request())

    def _still(self) -> plot.Still:
        records = {} if self._models.custom else {name: zoo.results(name) for name in zoo.names()}
        return plot.explorer_still(self.result(), records, self.request())


class EncoderExplorer(Explorer):
    """One image in all codes, side by side: where in time does a perturbation of size ε make its spikes?

    Args:
        state: initial ``image, eps, exit_step``.
    """

    shown_traits = ("explorer", "image", "eps", "exit_step")

    def __init__(self, **state: Any) -> None:
        super().__init__(explorer="encoder", **state)

    def _still(self) -> plot.Still:
        image = self._models.samples.images[max(self.image, 0)]
        return plot.encoder_still(image, self.eps, self._models.num_steps)


def _num_classes(labels: Tensor) -> int:
    """At least ten, or as many as the labels need; the model's output is checked against them when it runs."""
    return max(10, int(labels.max()) + 1) if isinstance(labels, Tensor) and labels.numel() else 10
