"""Our own drawings, and the explorer that shows them to convolutional networks, as a widget."""

from __future__ import annotations

import base64

import pytest
import torch
import traitlets

from snnlab import zoo
from snnlab.data.drawings import drawings
from snnlab.networks.decoding import SILENT
from snnlab.widgets import PictureExplorer
from snnlab.widgets.compute import pack
from snnlab.widgets.page import block
from snnlab.zoo import export

EPS = 2 / 255


def test_drawings_are_whole_grey_levels_and_one_of_each_class() -> None:
    shown = drawings()
    assert shown.images.shape == (10, 3, 32, 32)
    assert shown.labels.tolist() == list(range(10))
    levels = shown.images * 255
    assert torch.allclose(levels, levels.round(), atol=1e-4)


def test_networks_read_most_drawings() -> None:
    shown = drawings()
    right = {
        name: int((zoo.load(f"cifar10/{name}").predict(shown.images)[-1] == shown.labels).sum())
        for name in ("ann", "latency")
    }
    assert min(right.values()) >= 7, right


@pytest.mark.parametrize("name", ["ann", "onset"])
def test_result_has_the_activity_of_every_block(name: str) -> None:
    shown = PictureExplorer(encoding=name, image=8, attack="fgsm", eps=EPS).result()
    neurons = sum(c * h * w for c, h, w in shown["maps"])
    assert shown["maps"] == [[32, 16, 16], [64, 8, 8], [128, 4, 4], [256, 2, 2]]
    steps = 1 if name == "ann" else shown["num_steps"]
    assert shown["clean"]["blocks"].size == shown["attacked"]["blocks"].size == steps * neurons
    assert abs(shown["attacked"]["image"] - shown["clean"]["image"]).max() <= EPS + 1e-6
    _, buffers = pack(shown)
    assert len(buffers) > 10


def test_page_gets_the_same_networks_as_the_kernel() -> None:
    explorer = PictureExplorer()
    payload = explorer._payload("picture/latency")
    first = payload["network"]["layers"][0]
    whole = torch.frombuffer(bytearray(base64.b64decode(first["weight"]["int8"])), dtype=torch.int8).float()
    weight = whole.view(32, -1) * torch.exp2(torch.tensor(first["weight"]["exponent"]).float())[:, None]
    assert torch.equal(weight, zoo.load("cifar10/latency").network.layers[0].current.conv.weight.flatten(1))
    assert set(explorer.contents()) == {"pictures", *(f"picture/{name}" for name in export.picture_networks())}


def test_pictures_of_the_reader_travel_along_and_are_no_drawings() -> None:
    explorer = PictureExplorer(torch.rand(3, 3, 32, 32), [1, 2, 3], image=2)
    pictures = explorer.contents()["pictures"]
    assert (pictures["source"], pictures["digits"]["labels"]) == ("yours", [1, 2, 3])
    assert "application/x-snnlab" in explorer.to_html()
    assert len(block(explorer.contents())) < 8_000_000
    assert "application/x-snnlab" not in PictureExplorer().to_html()


def test_still_names_the_class_before_and_after() -> None:
    shown = PictureExplorer(encoding="ann", image=6, attack="pgd", eps=8 / 255)
    result = shown.result()
    assert int(result["attacked"]["predictions"][-1]) not in (6, SILENT)
    assert "without the attack, frog; it shows: frog." in shown.to_html()


@pytest.mark.parametrize(
    "state", [{"encoding": "ann-second"}, {"exit_step": 5}, {"attacker": "spike_train"}, {"image": 10}, {"eps": 2.0}]
)
def test_state_that_does_not_exist_is_an_error(state: dict[str, object]) -> None:
    with pytest.raises(traitlets.TraitError):
        PictureExplorer(**state)


@pytest.mark.parametrize(
    ("images", "labels", "words"),
    [
        (torch.rand(2, 1, 28, 28), [0, 1], r"read pictures \[N, 3, 32, 32\] of 10 classes, got \[2, 1, 28, 28\]"),
        (torch.rand(2, 3, 32, 32), None, "labels"),
        (torch.rand(2, 3, 32, 32), [0, 11], "12 classes"),
    ],
)
def test_pictures_that_do_not_fit_are_an_error(images: torch.Tensor, labels: list[int] | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        PictureExplorer(images, labels)
