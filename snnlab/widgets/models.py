"""Whose networks an explorer shows: the zoo's, or the reader's own."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any

import torch
from torch import nn

from snnlab import data, zoo
from snnlab.data import Split
from snnlab.encoding import ENCODINGS, check_images, encoder
from snnlab.network import Classifier
from snnlab.zoo import web

__all__ = ["Models", "OwnModels", "ZooModels"]

MOST_SAMPLES = 60  # that a strip of images can show


class Models(ABC):
    """A set of classifiers under names, and the sample images that go with them."""

    custom: bool
    names: list[str]
    num_steps: int
    samples: Split

    @abstractmethod
    def classifier(self, name: str) -> Classifier:
        """The classifier of this name; ``ValueError`` if there is none."""

    @abstractmethod
    def payload(self, key: str) -> dict[str, Any]:
        """Data for the view: ``"zoo"`` (samples, names, results), ``"model/<name>"`` (weights, where they can be given)."""


class ZooModels(Models):
    """The trained models that come with the package."""

    custom = False

    def __init__(self) -> None:
        self.names = zoo.names()
        self.num_steps = max(recipe["num_steps"] for recipe in zoo.recipes().values())
        self._loaded: dict[str, Classifier] = {}

    @cached_property
    def samples(self) -> Split:  # type: ignore[override]
        """The digits that the static page offers too."""
        test, rows = data.load("mnist5k").test, web.sample_digits()
        return Split(test.images[rows], test.labels[rows])

    def classifier(self, name: str) -> Classifier:
        """Load once, keep."""
        if name not in self._loaded:
            self._loaded[name] = zoo.load(name)
        return self._loaded[name]

    def payload(self, key: str) -> dict[str, Any]:
        """What the scripts of the static page hold."""
        return web.payload(key)


class OwnModels(Models):
    """A network of the reader's own, fed by every code that keeps the number of channels.

    Raises:
        ValueError: bad images, or a model whose output has the wrong shape (tried on one image at once).
    """

    custom = True

    def __init__(self, model: nn.Module, samples: Split, num_steps: int, decoder: str) -> None:
        check_images(samples.images)
        model.eval()
        self.samples = samples[:MOST_SAMPLES]
        if isinstance(model, Classifier):
            code = model.encoder
            title = code.title if code else "ANN"
            self._classifiers = {title: model}
        else:
            self._classifiers = {
                name: Classifier(model, encoder(name, num_steps=num_steps), decoder)
                for name in ENCODINGS
                if name != "fusion"
            }
        self.names = list(self._classifiers)
        first = next(iter(self._classifiers.values()))
        self.num_steps = first.num_steps
        with torch.no_grad():
            logits = first(self.samples.images[:1])
        data.check_labels(samples.labels, logits.shape[-1])

    def classifier(self, name: str) -> Classifier:
        """The own network behind the named code."""
        if name not in self._classifiers:
            raise ValueError(f"unknown encoding {name!r}; choose one of {', '.join(self.names)}")
        return self._classifiers[name]

    def payload(self, key: str) -> dict[str, Any]:
        """Samples and names; the weights stay in the kernel, since the browser cannot know the network."""
        if key != "zoo":
            raise ValueError("this network runs in the kernel only; restart the kernel and run the cell again")
        pixels = (self.samples.images * 255).round().to(torch.uint8)
        kind = "ann" if next(iter(self._classifiers.values())).encoder is None else "snn"
        return {
            "dataset": "your images",
            "num_steps": self.num_steps,
            "num_test": len(self.samples),
            "digits": {
                "shape": list(pixels.shape[1:]),
                "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
                "labels": self.samples.labels.tolist(),
                "indices": list(range(len(self.samples))),
            },
            "models": [{"name": n, "title": n, "kind": kind, "encoding": n, "clean": None} for n in self.names],
            "results": None,
        }
