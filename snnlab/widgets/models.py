"""Whose networks an explorer shows: the zoo's, or the reader's own."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from snnlab import data, zoo
from snnlab.attack import has_trains
from snnlab.data import Split
from snnlab.encoding import ENCODINGS, Fusion, check_images, encoder
from snnlab.network import Classifier
from snnlab.zoo import web

__all__ = ["Models", "OwnModels", "ZooModels", "codes_of_all_rules", "fused_names", "trained", "zoo_or_own"]

MOST_SAMPLES = 60  # that a strip of images can show
MOST_MODELS = 6

#: training rules that stand side by side, and what they are called
SIDE_BY_SIDE = {"bptt": "BPTT", "tsslbp": "TSSL-BP", "conversion": "converted"}


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
    """The trained models that come with the package: those of these names, or all."""

    custom = False

    def __init__(self, names: Sequence[str] | None = None) -> None:
        self.names = list(zoo.names() if names is None else names)
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
    """Networks of the reader's own, by name.

    Raises:
        ValueError: no images or labels, bad ones, no network, networks of different numbers of steps, or one whose output
            has the wrong shape (tried on one image at once).
    """

    custom = True

    def __init__(self, models: Mapping[str, Classifier], images: Tensor | None, labels: Tensor | None) -> None:
        if images is None or labels is None:
            raise ValueError("a model of your own needs images=[N, C, H, W] and labels=[N] to be shown with")
        check_images(images)
        self.samples = Split(images, labels, _num_classes(labels))[:MOST_SAMPLES]
        self._classifiers = _checked(models)
        self.names = list(self._classifiers)
        self.num_steps = max(model.num_steps for model in self._classifiers.values())
        for model in _one_of_each(self._classifiers.values()):
            with torch.no_grad():
                logits = model.eval()(self.samples.images[:1])
            data.check_labels(self.samples.labels, logits.shape[-1])

    def classifier(self, name: str) -> Classifier:
        """The network of this name."""
        if name not in self._classifiers:
            raise ValueError(f"unknown encoding {name!r}; choose one of {', '.join(self.names)}")
        return self._classifiers[name]

    def payload(self, key: str) -> dict[str, Any]:
        """Samples and names; the weights stay in the kernel, since the browser cannot know the network."""
        if key != "zoo":
            raise ValueError("this network runs in the kernel only; restart the kernel and run the cell again")
        pixels = (self.samples.images * 255).round().to(torch.uint8)
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
            "models": [_summary(name, model) for name, model in self._classifiers.items()],
            "results": None,
        }


def _summary(name: str, model: Classifier) -> dict[str, Any]:
    code = model.encoder
    kind, encoding = ("ann", "none") if code is None else ("snn", code.title)
    told = {"name": name, "title": name, "kind": kind, "encoding": encoding, "decoder": model.decoder, "clean": None}
    return told | {"trains": has_trains(code)}


def _checked(models: Mapping[str, Classifier]) -> dict[str, Classifier]:
    found = dict(models)
    if not 1 <= len(found) <= MOST_MODELS:
        raise ValueError(f"an explorer shows 1 to {MOST_MODELS} models of your own, got {len(found)}")
    for name, model in found.items():
        if not isinstance(model, Classifier):
            raise ValueError(f"model {name!r} must be a Classifier (network, encoder, decoder), got {type(model).__name__}")
    steps = {name: model.num_steps for name, model in found.items() if model.encoder is not None}
    if len(set(steps.values())) > 1:
        raise ValueError(f"models that are shown together need the same num_steps, got {steps}")
    return found


def _one_of_each(models: Iterable[Classifier]) -> Iterable[Classifier]:
    """One classifier for every network: the same behind another code has the same output."""
    return {id(model.network): model for model in models}.values()


def _num_classes(labels: Tensor) -> int:
    """At least ten, or as many as the labels need; the model's output is checked against them when it runs."""
    return max(10, int(labels.max()) + 1) if isinstance(labels, Tensor) and labels.numel() else 10


def zoo_or_own(
    names: list[str],
    model: nn.Module | None,
    images: Tensor | None,
    labels: Tensor | None,
    num_steps: int = 8,
    decoder: str = "rate",
) -> Models:
    """The named models of the zoo, or a model of the reader's own, behind its code or behind every code."""
    if model is None:
        return ZooModels(names)
    if isinstance(model, Classifier):
        return OwnModels({model.encoder.title if model.encoder else "ANN": model}, images, labels)
    codes = [code for code in ENCODINGS if code != "fusion"]
    behind = {code: Classifier(model, encoder(code, num_steps=num_steps), decoder) for code in codes}
    return OwnModels(behind, images, labels)


def trained(code: str, rule: str) -> str | None:
    """The model of the zoo that learned a code by a rule, with the loss that the rules have in common."""
    for name in zoo.names("codes", "training"):
        recipe = zoo.recipes()[name]
        if (recipe["code"], recipe["rule"]) == (code, rule):
            return name
    return None


def codes_of_all_rules() -> list[str]:
    """The codes for which the zoo has a model by every rule that stands side by side."""
    codes = dict.fromkeys(zoo.recipes()[name]["code"] for name in zoo.names("codes", "training"))
    return [code for code in codes if all(trained(code, rule) for rule in SIDE_BY_SIDE)]


def fused_names() -> list[str]:
    """The fusions of the zoo, the codes that they are made of, and the ANN beside them."""
    recipes = {name: zoo.recipes()[name]["encoding"] for name in zoo.names("codes", "fusion")}
    codes = {name: encoder(title) for name, title in recipes.items() if title != "none"}
    fused = {name: code for name, code in codes.items() if isinstance(code, Fusion)}
    parts = {part.title for code in fused.values() for part in code.parts}
    return [*fused, *(name for name, title in recipes.items() if title in parts), "ann"]
