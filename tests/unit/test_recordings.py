"""N-MNIST, SHD and DVS Gesture from small files in their official formats: read, trained and attacked by their recipes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from snnlab import data, zoo
from snnlab.attacks.event_changes import KINDS
from snnlab.data.events import EVENT, channels_of
from snnlab.data.recordings import RECORDINGS
from snnlab.training.bptt import train
from snnlab.zoo.build import build
from snnlab.zoo.events import evaluate_events
from snnlab.zoo.train import training_recipe

pytest.importorskip("tonic")
EACH = 3  # recordings of a class and part
CLASSES = {"nmnist": 10, "shd": 20, "dvs128_gesture": 11}


def _nmnist(root: Path) -> None:
    """Five bytes an event: column, row, polarity in the highest bit of the time, 23 bits of microseconds."""
    for part, label, number in ((p, k, n) for p in ("Train", "Test") for k in range(10) for n in range(EACH)):
        (folder := root / part / str(label)).mkdir(parents=True, exist_ok=True)
        times = np.arange(0, 270_000, 9_000)
        events = [
            [3 * label + 2, 5 + number, (t >> 16) | (0x80 * (k % 2)), t >> 8 & 255, t & 255] for k, t in enumerate(times)
        ]
        (folder / f"{number:05}.bin").write_bytes(bytes(np.array(events, np.uint8)))


def _shd(root: Path) -> None:
    """Times in seconds and units of every recording, of lengths of their own; labels; words and speakers."""
    h5py = pytest.importorskip("h5py")
    draw = np.random.default_rng(0)
    for part in ("train", "test"):
        with h5py.File(root / f"shd_{part}.h5", "w") as file:
            labels = np.repeat(np.arange(20), EACH)
            for key, kind in (("times", np.float16), ("units", np.uint16)):
                file.create_dataset(f"spikes/{key}", (len(labels),), h5py.vlen_dtype(kind))
            for n, label in enumerate(labels):
                num = 20 + n % 3
                file["spikes/times"][n] = np.sort(draw.uniform(0, 1.3, num)).astype(np.float16)
                file["spikes/units"][n] = np.full(num, 35 * label + n % 5, np.uint16)
            file["labels"] = labels.astype(np.uint16)
            file["extra/keys"] = [f"word {k}".encode() for k in range(20)]
            file["extra/speaker"] = np.zeros(len(labels), np.uint16)


def _gestures(root: Path) -> None:
    """One array a gesture, ``[M, 4]``: column, row, polarity, milliseconds."""
    for part, people in (("Train", range(1, 1 + EACH)), ("Test", range(24, 24 + EACH))):
        for person in people:
            (folder := root / f"ibmGesture{part}" / f"user{person:02}_led").mkdir(parents=True)
            for label in range(11):
                times = np.arange(100, 4100, 50)
                rows = np.stack([0 * times + 11 * label, 0 * times + person, times // 50 % 2, times], axis=1)
                np.save(folder / f"{label}.npy", rows)


WRITERS: dict[str, Callable[[Path], None]] = {"nmnist": _nmnist, "shd": _shd, "dvs128_gesture": _gestures}


@pytest.fixture(params=list(WRITERS))
def files(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    WRITERS[request.param](tmp_path)
    return request.param, tmp_path


def test_every_data_set_of_recordings_is_tested() -> None:
    assert set(WRITERS) == set(RECORDINGS) == set(CLASSES)


@pytest.mark.case("official files of recordings")
def test_official_files_become_spikes_of_all_classes(files: tuple[str, Path]) -> None:
    name, root = files
    found = data.load(name, root, progress=False)
    info = data.describe(name)
    num = EACH * CLASSES[name]
    assert len(found.train) + len(found.validation) == len(found.test) == num
    assert found.test.images.shape[1:] == info.shape
    assert sorted(found.test.labels.tolist()) == sorted(list(range(CLASSES[name])) * EACH)
    assert set(found.test.images.unique().tolist()) == {0.0, 1.0}
    assert len(found.sha256) == 64


def test_each_event_is_where_it_was_written(tmp_path: Path) -> None:
    _nmnist(tmp_path)
    digits = data.load("nmnist", tmp_path, progress=False).test
    spikes = digits.images[0].reshape(9, 2, 17, 17)
    assert digits.labels[0] == 0
    assert torch.nonzero(spikes.sum((0, 1))).tolist() == [[2, 1]], "column 2, row 5, pooled by 2"
    assert spikes.sum((2, 3)).tolist() == [[1.0, 1.0]] * 9

    _shd(tmp_path)
    words = data.load("shd", tmp_path, progress=False).test
    assert torch.equal(words.images[:, :, 0].amax(1).argmax(1), 7 * words.labels), "unit 35 of every label, pooled by 5"

    _gestures(tmp_path)
    gestures = data.load("dvs128_gesture", tmp_path, progress=False)
    assert len(gestures.validation) == 3
    assert (gestures.validation.images.sum(1).flatten(1).argmax(1) // 32 == 0).all(), "rows 3, pooled by 4: the last person"
    assert gestures.test.labels[:3].tolist() == [0, 1, 10], "in the order of the names"


@pytest.mark.parametrize("name", RECORDINGS)
def test_files_may_lie_in_tonics_folder(name: str, tmp_path: Path) -> None:
    (folder := tmp_path / RECORDINGS[name].tonic).mkdir()
    WRITERS[name](folder)
    assert len(data.load(name, tmp_path, progress=False).test) == EACH * CLASSES[name]


def test_recipes_train_and_are_attacked_on_small_files(files: tuple[str, Path]) -> None:
    name, root = files
    found = data.load(name, root, progress=False)
    for model in zoo.names(dataset=name):
        of = zoo.recipe(model, name).varied({"epochs": 1})
        classifier = zoo.classifier_for(of)
        history = train(classifier, found.train, training_recipe(of), validation=found.validation, progress=False)
        assert np.isfinite(history.loss).all()
        record = evaluate_events(classifier.eval(), found.test[:4], [0, 2])
        kinds = {kind for kind in KINDS if name != "shd" or kind != "polarity"}
        assert set(record.correct) == {"worst", *kinds, *(f"noise.{kind}" for kind in kinds)}
        assert record.correct["worst"][-1][1] <= record.correct["worst"][-1][0] <= 4


def test_the_zoo_builds_a_network_of_recordings(tmp_path: Path) -> None:
    _nmnist(tmp_path)
    place = tmp_path / "models"
    assert build(["conv"], place, dataset="nmnist", root=tmp_path, seeds=[0], progress=False) == ["conv"]
    assert {file.name for file in (place / "nmnist" / "conv").iterdir()} == {
        "card.json",
        "results.json",
        "weights.safetensors.xz",
    }
    assert build(["conv"], place, dataset="nmnist", root=tmp_path, seeds=[0], progress=False) == []


def test_a_part_that_is_missing_and_a_damaged_file_are_named(tmp_path: Path) -> None:
    _nmnist(tmp_path)
    (damaged := tmp_path / "Test" / "4" / "00001.bin").write_bytes(b"\1\2\3\4\5\6\7")
    with pytest.raises(data.BadFile, match=r"Test/4/00001\.bin: "):
        data.load("nmnist", tmp_path, progress=False)
    damaged.write_bytes(b"")
    with pytest.raises(data.BadFile, match=r"Test/4/00001\.bin: a recording without events has no frames"):
        data.load("nmnist", tmp_path, progress=False)
    damaged.write_bytes(bytes([200, 5, 0, 0, 0]))
    with pytest.raises(data.BadFile, match=r"00001\.bin: .* not on a sensor of 34 x 34"):
        data.load("nmnist", tmp_path, progress=False)
    (tmp_path / "Test").rename(tmp_path / "Other")
    with pytest.raises(data.BadFile, match=r"Test is missing .* nmnist has Train and Test"):
        data.load("nmnist", tmp_path, progress=False)


def test_channels_are_counted_once_and_bad_ones_are_errors() -> None:
    recorded = np.array([(0, 0, 0, 1), (699, 0, 10, 1), (4, 0, 10, 1)], EVENT)
    frames = channels_of(recorded, num_steps=2, span=12, empty=True)
    assert frames.shape == (2, 1, 1, 140)
    assert torch.nonzero(frames).tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 139]]
    for bad, words in (
        (np.array([(700, 0, 0, 1)], EVENT), "not on a sensor of 700 channels"),
        (recorded[::-1], "times must rise"),
        (recorded[:0], "without events"),
        (np.array([(1, 0, 12, 1)], EVENT), "outside the span from 0 to 12"),
    ):
        with pytest.raises(ValueError, match=words):
            channels_of(bad, num_steps=2, span=12, empty=True)
    with pytest.raises(ValueError, match="frames hold no event"):
        channels_of(recorded, num_steps=12, span=12)
    with pytest.raises(ValueError, match="size divide 700"):
        channels_of(recorded, size=9)


def test_archives_and_sums_are_those_of_tonic() -> None:
    import tonic

    for name in ("nmnist", "shd"):
        of = RECORDINGS[name]
        theirs = getattr(tonic.datasets, of.tonic)
        for part, file in of.archives.items():
            assert file.md5 == getattr(theirs, f"{part}_md5")
            assert file.name in (getattr(theirs, f"{part}_{key}", "") for key in ("filename", "zip"))
