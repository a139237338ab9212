"""The networks of an explorer: the zoo's, or the reader's."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import torch
from torch import nn

from snnlab import data, zoo
from snnlab.attacks import has_trains
from snnlab.data import Split
from snnlab.data.cifar10 import CLASSES
from snnlab.data.drawings import drawings
from snnlab.encoding import ENCODINGS, Fusion, check_images, encoder
from snnlab.networks.adapters import as_images, as_labels, describe
from snnlab.networks.classifier import Classifier
from snnlab.vocabulary import VOCABULARY
from snnlab.widgets.live import model_payloads
from snnlab.zoo import export

MOST_SAMPLES = 60  # that a strip of images can show
MOST_MODELS = 6

#: training rules that are compared side by side, and their titles
SIDE_BY_SIDE = {rule: VOCABULARY.training_rules[rule].title for rule in VOCABULARY.side_by_side["training_rules"]}


class Models:
    """Trained models of the zoo, these or all, and the digits that the static page offers too."""

    custom = False
    about = ""  # what networks of the reader's own were taken for

    def __init__(self, names: Sequence[str] | None = None) -> None:
        self.names = list(zoo.names() if names is None else names)
        self.num_steps: int = max(recipe["num_steps"] for recipe in zoo.recipes().values())
        self._classifiers: dict[str, Classifier] = {}

    @cached_property
    def samples(self) -> Split:
        """The images that go with the models."""
        test, rows = data.load("mnist5k").test, export.sample_digits()
        return Split(test.images[rows], test.labels[rows])

    @cached_property
    def num_classes(self) -> int:
        """How many classes the models tell apart."""
        return self.samples.num_classes

    def classifier(self, name: str) -> Classifier:
        """Return the model of this name; ``ValueError`` if there is none."""
        if name not in self._classifiers:
            self._classifiers[name] = zoo.load(name)
        return self._classifiers[name]

    def payload(self, key: str) -> dict[str, Any]:
        """Return data for the view: ``"zoo"`` (samples, names, results) or ``"model/<name>"`` (weights)."""
        return export.payload(key)

    def contents(self) -> dict[str, Any]:
        """Return what a page without a kernel needs, by key."""
        return {key: self.payload(key) for key in ("zoo", *(f"model/{name}" for name in self.names))}


class OwnModels(Models):
    """Networks of the reader by name, checked at once; ``ValueError`` if they, the images or the labels do not go together."""

    custom = True

    def __init__(self, models: Mapping[str, nn.Module], images: Any, labels: Any) -> None:
        self.samples = _samples(images, labels)
        if not 1 <= len(models) <= MOST_MODELS:
            raise ValueError(f"an explorer shows 1 to {MOST_MODELS} models of your own, got {len(models)}")
        known = {name: Classifier.of(model, self.samples.images) for name, model in models.items()}
        self.about = _described(list(known.values()))
        steps = {name: model.num_steps for name, model in known.items() if model.encoder is not None}
        if len(set(steps.values())) > 1:
            raise ValueError(f"models that are shown together need the same num_steps, got {steps}")
        self.names, self._classifiers = list(known), known
        self.num_steps = max(model.num_steps for model in known.values())
        classes = []
        for model in {id(model.network): model for model in known.values()}.values():  # the code changes no shape
            with torch.no_grad():
                logits = model.eval()(self.samples.images[:1])
            data.check_labels(self.samples.labels, logits.shape[-1])
            classes.append(logits.shape[-1])
        self.num_classes = min(classes)

    def classifier(self, name: str) -> Classifier:
        """Return the network of this name; ``ValueError`` if there is none."""
        if name not in self._classifiers:
            raise ValueError(f"unknown encoding {name!r}; choose one of {', '.join(self.names)}")
        return self._classifiers[name]

    def payload(self, key: str) -> dict[str, Any]:
        """Return samples and names; the weights stay in the kernel, since the browser cannot know the network."""
        if key != "zoo":
            raise ValueError("this network runs in the kernel only; restart the kernel and run the cell again")
        pixels = (self.samples.images * 255).round().to(torch.uint8)
        return {
            "custom": True,
            "dataset": "your images",
            "num_steps": self.num_steps,
            "num_test": len(self.samples),
            "classes": self.num_classes,
            "digits": {
                "shape": list(pixels.shape[1:]),
                "pixels": base64.b64encode(pixels.numpy().tobytes()).decode(),
                "labels": self.samples.labels.tolist(),
                "indices": list(range(len(self.samples))),
            },
            "models": [_summary(name, model) for name, model in self._classifiers.items()],
            "results": None,
        }

    def contents(self) -> dict[str, Any]:
        """Return what a page without a kernel needs, by key; ``NotLive`` if its engine cannot run a network."""
        networks = model_payloads(self._classifiers, self.samples.images)
        return {"zoo": self.payload("zoo"), **networks}


class PictureModels(Models):
    """The small networks of CIFAR-10, and our own drawings or pictures of the reader; ``ValueError`` if these do not fit."""

    def __init__(self, images: Any = None, labels: Any = None) -> None:
        super().__init__(export.picture_networks())
        self.num_steps = export.pictures_payload()["num_steps"]
        self.own = images is not None
        if self.own:
            given = _samples(images, labels)
            if given.images.shape[1:] != (3, 32, 32) or given.num_classes != len(CLASSES):
                raise ValueError(
                    f"the networks read pictures [N, 3, 32, 32] of {len(CLASSES)} classes, got {list(given.images.shape)} and "
                    f"{given.num_classes} classes"
                )
            self.samples = given

    @cached_property
    def samples(self) -> Split:
        """The pictures that are shown."""
        return drawings()

    def classifier(self, name: str) -> Classifier:
        """Return the network of this name; ``ValueError`` if there is none."""
        if name not in self._classifiers:
            self._classifiers[name] = zoo.load(f"{export.PICTURES}/{name}")
        return self._classifiers[name]

    def payload(self, key: str) -> dict[str, Any]:
        """Return data for the view: ``"pictures"`` or ``"picture/<name>"``."""
        return export.pictures_payload(self.samples, "yours") if self.own and key == "pictures" else super().payload(key)

    def contents(self) -> dict[str, Any]:
        """Return what a page without a kernel needs, by key."""
        return {key: self.payload(key) for key in ("pictures", *(f"picture/{name}" for name in self.names))}


def _samples(images: Any, labels: Any) -> Split:
    """Return the reader's first images and labels; ``ValueError`` if there are none, or if they do not go together."""
    if images is None or labels is None:
        raise ValueError("a model of your own needs images=[N, C, H, W] and labels=[N] to be shown with")
    images, labels = as_images(images), as_labels(labels)
    check_images(images)
    # At least ten classes, or as many as the labels need: the output is checked against them later.
    classes = max(10, int(labels.max()) + 1) if labels.numel() else 10
    return Split(images, labels, classes)[:MOST_SAMPLES]


def _described(models: Sequence[Classifier]) -> str:
    """Return what networks were taken for; one that is shown behind several codes is described once."""
    alike: dict[Any, list[Classifier]] = {}
    for model in models:
        alike.setdefault((id(model.network), model.num_steps, model.decoder), []).append(model)
    sentences = []
    for first, *others in alike.values():
        codes = ", ".join(model.encoder.title for model in others if model.encoder is not None)
        sentences.append(describe(first) + (f"; also behind {codes}" if codes else ""))
    return "; ".join(dict.fromkeys(sentences))


def _summary(name: str, model: Classifier) -> dict[str, Any]:
    code = model.encoder
    kind, encoding = ("ann", "none") if code is None else ("snn", code.title)
    about = {"name": name, "title": name, "kind": kind, "encoding": encoding, "decoder": model.decoder}
    return about | {"clean": None, "trains": has_trains(code)}


def zoo_or_own(
    names: list[str], model: nn.Module | None, images: Any, labels: Any, num_steps: int | None, decoder: str, population: int
) -> Models:
    """Return models of the zoo, or a model of the reader's own behind its code, or behind every code that it can read."""
    if model is None:
        return Models(names)
    samples = _samples(images, labels)
    first = Classifier.of(model, samples.images, num_steps=num_steps, decoder=decoder, population=population)
    if first is model or first.encoder is None or getattr(first.network, "form", "") == "steps inside":
        return OwnModels({first.encoder.title if first.encoder else "ANN": first}, samples.images, samples.labels)
    codes = {code: first.at(encoder=encoder(code, num_steps=first.num_steps)) for code in ENCODINGS if code != "fusion"}
    return OwnModels(
        {code: first if code == "direct" else other for code, other in codes.items()}, samples.images, samples.labels
    )


def trained() -> dict[str, dict[str, str]]:
    """Return the zoo's models that learned a code by each rule that stands side by side, by code and title of the rule."""
    by_code: dict[str, dict[str, str]] = {}
    for name in zoo.names("codes", "training"):
        recipe = zoo.recipes()[name]
        if title := SIDE_BY_SIDE.get(recipe["rule"]):
            by_code.setdefault(recipe["code"], {}).setdefault(title, name)
    ordered = {code: {title: models.get(title, "") for title in SIDE_BY_SIDE.values()} for code, models in by_code.items()}
    return {code: models for code, models in ordered.items() if all(models.values())}


def fused_names() -> list[str]:
    """Return the fusions of the zoo, the codes that they are made of, and the ANN beside them."""
    recipes = {name: zoo.recipes()[name]["encoding"] for name in zoo.names("codes", "fusion")}
    codes = {name: encoder(title) for name, title in recipes.items() if title != "none"}
    fused = {name: code for name, code in codes.items() if isinstance(code, Fusion)}
    parts = {part.title for code in fused.values() for part in code.parts}
    return [*fused, *(name for name, title in recipes.items() if title in parts), "ann"]
