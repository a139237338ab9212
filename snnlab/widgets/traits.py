"""What all explorers share: their state as traits (``settings.toml``), and the answers to the messages of their view."""

from __future__ import annotations

import html
import os
import tomllib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import torch
import traitlets

from snnlab.files import atomic_write
from snnlab.plotting.theme import NotebookFigure, data_uri, png
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets import page
from snnlab.widgets.compute import ANY, Request, TrajectoryRequest, frame, pack, trajectory_frame
from snnlab.widgets.live import NotLive
from snnlab.widgets.sources import Models

FOLDER = Path(__file__).parent
DECLARED = tomllib.loads((FOLDER / "settings.toml").read_text(encoding="utf-8"))
TRAITS = {"integer": traitlets.Int, "number": traitlets.Float, "text": traitlets.Unicode}
DRAWN = -1
#: by message of the view, what it asks and what answers
COMPUTED: dict[str, Any] = {"run": (Request, frame), "trajectory": (TrajectoryRequest, trajectory_frame)}
#: the largest data that an output of a notebook carries along, in bytes
MOST_BYTES = 8_000_000
OWN = "A still: this network runs in a kernel, so its controls are there where the notebook is opened in JupyterLab."


def setting(name: str, **changes: Any) -> Any:
    """Return a setting of ``settings.toml`` as a synchronised trait, with other values (``default``, ``max``) if given."""
    declared = DECLARED["settings"][name] | changes
    default, text = declared["default"], declared["help"]
    if declared["kind"] == "choice":
        choices = declared.get("choices") or list(getattr(VOCABULARY, declared["table"]))
        return traitlets.Enum(choices, default_value=default, help=text).tag(sync=True)
    limits = {limit: declared[limit] for limit in ("min", "max") if limit in declared}
    return TRAITS[declared["kind"]](default, help=text, **limits).tag(sync=True)


class Explorer(anywidget.AnyWidget):
    """A view in the browser whose state is traits, so that it links with any other ipywidget.

    A class has the settings that ``settings.toml`` lists for its ``kind``.
    """

    _esm = page.BUNDLE.read_text() + "\nexport default snnlab.widget;\n"
    _models = cached_property(lambda self: Models())

    kind: ClassVar[str] = ""
    digits: ClassVar[tuple[str, ...]] = ()  # keys of the splits that it measures or trains on, with networks of the zoo
    explorer = traitlets.Unicode().tag(sync=True)
    image = setting("image")
    drawing = traitlets.List(traitlets.Int(min=0, max=255), help="pixels of the drawn digit").tag(sync=True)
    eps = setting("eps")

    def __init_subclass__(cls, **options: Any) -> None:
        for name in cls._settings():
            if not hasattr(cls, name):
                setattr(cls, name, trait := setting(name))
                trait.class_init(cls, name)
        super().__init_subclass__(**options)

    def __init__(self, **state: Any) -> None:
        if "image" in self._settings() and self._models.custom:
            state = {"image": 0} | state
        super().__init__(explorer=self.kind, **state)
        self.on_msg(self._answer)

    @classmethod
    def _settings(cls) -> list[str]:
        return list(DECLARED["explorers"].get(cls.kind, []))

    def _known(self) -> dict[str, Sequence[Any]]:
        """Return the values that the models and images have, by setting."""
        steps = self._models.num_steps
        return {
            "image": range(DRAWN, len(self._models.samples)),
            "encoding": self._models.names,
            "exit_step": range(1, steps + 1),
            "from_step": range(steps),
            "target": range(ANY, self._models.num_classes),
            "shift": range(steps),
        }

    @traitlets.validate(
        *(
            "image",
            "encoding",
            "exit_step",
            "from_step",
            "code",
            "silenced",
            "against",
            "decoder",
            "attacker",
            "target",
            "shift",
        )
    )
    def _exists(self, proposal: Mapping[str, Any]) -> Any:
        name, value = proposal["trait"].name, proposal["value"]
        known = self._known().get(name)
        if known is None or value in known:
            return value
        if isinstance(known, range):
            raise traitlets.TraitError(f"{name} must lie in {known[0]} … {known[-1]}, got {value}")
        raise traitlets.TraitError(f"unknown {name} {value!r}; choose one of {', '.join(known)}")

    @traitlets.validate("eps")
    def _finite(self, proposal: Mapping[str, Any]) -> Any:
        if not 0 <= (eps := proposal["value"]) <= 1:
            raise traitlets.TraitError(f"eps must lie in [0, 1] (pixel units), got {eps!r}")
        return eps

    def _subject(self) -> tuple[torch.Tensor, int | None]:
        """Return the present image ``[C, H, W]``, and its class if it is known."""
        samples = self._models.samples
        if self.image != DRAWN:
            return samples.images[self.image], int(samples.labels[self.image])
        return torch.tensor(self.drawing, dtype=torch.float32).div(255).reshape(samples.images.shape[1:]), None

    def _asked(self, encoding: str) -> Request:
        """Return the present state as a request, for one network."""
        names = [name for name in self._settings() if name in Request.__dataclass_fields__.keys() - {"image", "encoding"}]
        state = {"exit_step": self._models.num_steps} | {name: getattr(self, name) for name in names}
        return Request(*self._subject(), encoding, **state)

    def _answer(self, _: Any, message: Mapping[str, Any], buffers: list[Any]) -> None:
        """Answer one message of the view; an exception becomes a sentence in the view, not a dead widget."""
        try:
            reply, attached = self._reply(message)
        except Exception as error:
            reply, attached = {"type": "error", "message": f"{error}"}, []
        self.send(reply | {"id": message.get("id")}, attached)

    def _reply(self, message: Mapping[str, Any]) -> tuple[dict[str, Any], list[memoryview]]:
        match message.get("type"):
            case "hello":
                return {"type": "hello", "custom": self._models.custom}, []
            case "data":
                part = page.PARTS.get(message["key"])
                payload = part.read_text(encoding="utf-8") if part else self._payload(message["key"])
                return {"type": "data", "payload": payload}, []
            case "run" | "trajectory" as kind:
                self.send({"type": "working", "id": message.get("id")})  # so that a slow network is not taken for dead
                asked, answer = COMPUTED[kind]
                wanted = dict(message["request"])
                wanted["image"] = torch.tensor(wanted["image"], dtype=torch.float32).reshape(wanted["shape"])
                request = asked(**{name: wanted[name] for name in asked.__dataclass_fields__ if name in wanted})
                plain, buffers = pack(answer(self._models.classifier(request.encoding), request))
                return {"type": "frame", "frame": plain}, buffers
            case other:
                raise ValueError(f"unknown message {other!r}; the view and the package differ in version, reload the page")

    def _payload(self, key: str) -> dict[str, Any]:
        return self._models.payload(key)

    def _still(self) -> NotebookFigure:
        raise NotImplementedError

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the widget for JupyterLab and the element for the static page."""
        bundle = super()._repr_mimebundle_(**options)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if data is not None:
            data["text/html"] = self.to_html()
        return bundle

    def contents(self) -> dict[str, Any]:
        """Return the data that the explorer needs in a page without a kernel, by key.

        Raises:
            NotLive: a network of the reader's that the page's engine cannot run; the sentence says why.
        """
        digits = () if self._models.custom else self.digits
        return self._models.contents() | {key: self._payload(key) for key in digits}

    @property
    def not_live(self) -> str:
        """The sentence that says why a page without a kernel cannot run the network; empty if it can."""
        try:
            self.contents()
        except NotLive as reason:
            return str(reason)
        return ""

    def to_html(self) -> str:
        """Return the element ``<snn-lab …>`` with the present state and its picture, as a notebook stores it.

        A network of the reader's travels along, and with it the script of the explorers, if the page's engine can run it
        (``snnlab.widgets.live``) and both take at most 8 MB; else the picture stands alone, and its caption says why. The
        zoo's networks do not travel in an output (``snnlab.widgets.notebooks``).
        """
        if not self._models.custom:
            return self._element()
        try:
            shared = page.SHARED in os.environ
            block = page.block(self.contents() | ({} if shared else {"scripts": self._scripts()}))
            if len(block) > MOST_BYTES:
                size = _size(block)
                raise NotLive(
                    f"Its weights take {size}, too much for an output: explorer.save('page.html') writes them into a page."
                )
            return self._element(block) + ("" if shared else page.view())
        except NotLive as reason:
            return self._picture(f"{reason} {OWN}")

    def _scripts(self) -> dict[str, str]:
        """Return the scripts that this explorer may load: not those that are other explorers, nor any that has no digits here."""
        others = set(DECLARED["explorers"]) - {self.kind}
        others |= {f"{kind}-worker" for kind in others}
        if not self.digits or self._models.custom:
            others |= set(page.ON_DIGITS) - {self.kind}
        return page.scripts(others)

    def save(self, path: str | Path, title: str = "") -> Path:
        """Write one file that opens from disk, on any device and offline, with the explorer in its present state.

        Args:
            path: of the file, ending in ``.html``; it is written whole or not at all.
            title: of the page; default: the name of the explorer.

        Returns:
            The path. A network that the page's engine cannot run is in the page as a picture, with the reason below it.

        Raises:
            ValueError: a path that does not end in ``.html``.
        """
        path = Path(path)
        if path.suffix not in (".html", ".htm"):
            raise ValueError(f"a page is written to a file that ends in .html, got {str(path)!r}")
        try:
            block = page.block(self.contents() | {"scripts": self._scripts()})
            element, size = (
                self._element(block),
                f"Networks and images are in this file ({_size(block)}); it asks no other host. ",
            )
        except NotLive as reason:
            element, size = self._picture(f"{reason} The picture stands still."), ""
        about = f"The network {self._models.about}. " if self._models.about else ""
        atomic_write(path, page.page(element, title or type(self).__name__, f"{about}{size}Made with snnlab."))
        return path

    def _element(self, block: str = "") -> str:
        values = {name: getattr(self, name) for name in ("explorer", *self._settings())}
        state = " ".join(f'{name}="{html.escape(_written(value))}"' for name, value in values.items())
        picture, said = self._drawn()
        carried = f" Its weights and images are in this page ({_size(block)})." if block and self._models.custom else ""
        return f"<snn-lab {state}>{block}<figure>{picture}<figcaption>{said}{carried}</figcaption></figure></snn-lab>"

    def _picture(self, reason: str) -> str:
        picture, said = self._drawn()
        caption = f"<figcaption>{said} {html.escape(reason)}</figcaption>"
        return f'<figure class="snn-own snn-output snn-wide">{picture}{caption}</figure>'

    def _drawn(self) -> tuple[str, str]:
        """Return the picture of the present state, and its description, as HTML."""
        still = self._still()
        said = html.escape(still.alt)
        return f'<img src="{data_uri(png(still))}" alt="{said}">', said


def _size(text: str) -> str:
    """As readers know sizes: ``48 kB``, ``3.1 MB``."""
    return f"{len(text) / 1e6:.1f} MB" if len(text) >= 1e6 else f"{max(1, round(len(text) / 1e3))} kB"


def _written(value: str | float) -> str:
    """As JavaScript writes it: 5.0 is ``5``."""
    return f"{value:g}" if isinstance(value, float) else str(value)
