"""Files that people have are read by their form; what was changed is reported; nothing in a file is run."""

import gzip
import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import official
import pandas as pd
import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from PIL import Image
from torch import nn

from snnlab import Budget, attack, data
from snnlab.data import BadFile, EventSplit, Split
from snnlab.data.files import READERS
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier

RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (20, 28, 28), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (20, 3, 32, 32), dtype=np.uint8)
LABELS = np.arange(20) % 10
SHARED = settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


def read(path: Path) -> Any:
    return data.load(root=path, progress=False)


def refusal(path: Path) -> str:
    with pytest.raises(ValueError) as raised:  # noqa: PT011  # the callers look at its words
        read(path)
    return str(raised.value)


def saved(folder: Path, name: str = "own.npz", **named: Any) -> Path:
    np.savez(folder / name, **named)
    return folder / name


def shows(split: Split, images: np.ndarray, labels: np.ndarray = LABELS) -> bool:
    pixels = torch.from_numpy(images).float() / 255
    return torch.equal(split.images, pixels.view(split.images.shape)) and split.labels.tolist() == labels.tolist()


@pytest.mark.parametrize(
    ("images", "labels"),
    [("images", "labels"), ("x", "y"), ("X", "y"), ("data", "targets"), ("features", "label"), ("arr_0", "arr_1")],
)
def test_a_pair_is_known_by_its_usual_names(images: str, labels: str, tmp_path: Path) -> None:
    assert shows(read(saved(tmp_path, **{images: GREY, labels: LABELS})).test, GREY)


@pytest.mark.parametrize("form", ["{part}_images {part}_labels", "x_{part} y_{part}"])
def test_parts_are_known_by_the_names_of_keras_and_medmnist(form: str, tmp_path: Path) -> None:
    named = {}
    for part, images in (("train", GREY), ("test", GREY[::-1])):
        names = form.format(part=part).split()
        named |= dict(zip(names, (images, LABELS[:, None]), strict=True))
    found = read(saved(tmp_path, **named))
    assert shows(found.test, GREY[::-1].copy())
    assert shows(found.train, GREY[:18], LABELS[:18])
    assert shows(found.validation, GREY[18:], LABELS[18:])
    with_validation = read(saved(tmp_path, **named | {"val_images": GREY[:10], "val_labels": LABELS[:10]}))
    assert (len(with_validation.train), len(with_validation.validation)) == (20, 10)


def test_our_own_file_is_read_as_any_other() -> None:
    ours = Path(data.__file__).with_name("mnist5k.npz")
    found, known = read(ours), data.load("mnist5k")
    for part in ("train", "validation", "test"):
        assert torch.equal(getattr(found, part).images, getattr(known, part).images)
        assert torch.equal(getattr(found, part).labels, getattr(known, part).labels)


def test_a_path_is_as_good_as_a_root(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = saved(tmp_path, images=GREY, labels=LABELS)
    assert data.load(str(path)).sha256 == data.load(path).sha256 == read(path).sha256
    assert "intensities 0–255: divided by 255" in capsys.readouterr().err


def npy(folder: Path) -> Path:
    np.save(folder / "x_train.npy", GREY)
    np.save(folder / "y_train.npy", LABELS)
    np.save(folder / "x_test.npy", GREY[::-1])
    np.save(folder / "y_test.npy", LABELS[::-1])
    return folder / "x_train.npy"


def torch_dict(folder: Path) -> Path:
    torch.save({"images": torch.from_numpy(GREY), "labels": torch.from_numpy(LABELS)}, folder / "own.pt")
    return folder / "own.pt"


def torch_pair(folder: Path) -> Path:
    """As torchvision wrote ``MNIST/processed/test.pt``."""
    torch.save((torch.from_numpy(GREY), torch.from_numpy(LABELS)), folder / "own.pt")
    return folder / "own.pt"


def kaggle(folder: Path) -> Path:
    table = pd.DataFrame(GREY.reshape(20, -1), columns=[f"pixel{k}" for k in range(784)])
    table.insert(0, "label", LABELS)
    table.to_csv(folder / "own.csv", index=False)
    return folder / "own.csv"


def openml(folder: Path) -> Path:
    table = pd.DataFrame(GREY.reshape(20, -1)).assign(**{"class": LABELS})
    table.to_csv(folder / "own.csv.gz")  # with a column of numbers in front
    return folder / "own.csv.gz"


def headless(folder: Path) -> Path:
    np.savetxt(folder / "own.csv", np.column_stack([LABELS, GREY.reshape(20, -1)]), fmt="%d", delimiter=",")
    return folder / "own.csv"


def headless_last(folder: Path) -> Path:
    np.savetxt(folder / "own.csv", np.column_stack([GREY.reshape(20, -1), LABELS]), fmt="%d", delimiter=";")
    return folder / "own.csv"


def idx(folder: Path) -> Path:
    path = official.write_idx(folder / "own-images-idx3-ubyte.gz", GREY)
    official.write_idx(folder / "own-labels-idx1-ubyte.gz", LABELS.astype(np.uint8))
    return path


def raw_idx(folder: Path) -> Path:
    for path in (idx(folder), folder / "own-labels-idx1-ubyte.gz"):
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
    return folder / "own-images-idx3-ubyte"


def pickled(folder: Path) -> Path:
    """As ``mnist.pkl.gz`` of the deep learning tutorials."""
    pair = (GREY.reshape(20, -1).astype(np.float32) / 255, LABELS)
    (folder / "own.pkl.gz").write_bytes(gzip.compress(pickle.dumps((pair, pair, pair))))
    return folder / "own.pkl.gz"


def pictures(folder: Path) -> Path:
    for label in range(10):
        (folder / str(label)).mkdir()
    for k, (image, label) in enumerate(zip(GREY, LABELS, strict=True)):
        Image.fromarray(image).save(folder / str(label) / f"{k:03}.png")
    return folder


FORMS = [npy, torch_dict, torch_pair, kaggle, openml, headless, headless_last, idx, raw_idx, pickled]


@pytest.mark.parametrize("form", [*FORMS, pictures], ids=lambda form: form.__name__)
def test_every_form_gives_the_same_images(form: Callable[[Path], Path], tmp_path: Path) -> None:
    found = read(form(tmp_path))
    split = found.test if len(found.test) else found.train
    order = np.argsort(LABELS, kind="stable") if form is pictures else slice(None)
    assert shows(split, GREY[order], LABELS[order])


def test_a_folder_of_arrays_is_its_parts(tmp_path: Path) -> None:
    npy(tmp_path)
    assert shows(read(tmp_path).test, GREY[::-1].copy(), LABELS[::-1])


def test_a_folder_with_a_table_a_part_is_its_parts(tmp_path: Path) -> None:
    kaggle(tmp_path).rename(tmp_path / "mnist_train.csv")
    headless(tmp_path).rename(tmp_path / "mnist_test.csv")
    found = read(tmp_path)
    assert (len(found.train), len(found.validation)) == (18, 2)
    assert shows(found.test, GREY)


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("place", ["", "raw", "MNIST/raw"])
def test_mnist_is_read_where_torchvision_puts_it(place: str, packed: bool, tmp_path: Path) -> None:
    folder = official.write_mnist(tmp_path / place)
    if not packed:
        for path in folder.iterdir():
            path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
            path.unlink()
    for found in (data.load("mnist", tmp_path), read(tmp_path)):
        assert (len(found.train), len(found.validation), len(found.test)) == (54, 6, 60)


def test_a_part_without_a_name_is_named_by_its_file_or_the_other_part(tmp_path: Path) -> None:
    for name, part in (("own.npz", "test"), ("train.npz", "train"), ("my-val.npz", "validation")):
        found = read(saved(tmp_path, name, images=GREY, labels=LABELS))
        assert [len(split) for split in (found.train, found.validation, found.test)].count(20) == 1
        assert shows(getattr(found, part), GREY)
    found = read(saved(tmp_path, x=GREY, y=LABELS, x_test=GREY[:3], y_test=LABELS[:3]))
    assert (len(found.train), len(found.validation), len(found.test)) == (18, 2, 3)
    assert "call it train or test" in refusal(saved(tmp_path, "test.npz", x=GREY, y=LABELS, x_test=GREY, y_test=LABELS))


def test_two_data_sets_in_one_folder_are_told_apart_by_the_name(tmp_path: Path) -> None:
    for name in ("MNIST", "FashionMNIST"):
        official.write_mnist(tmp_path / name / "raw", 60 if name == "MNIST" else 50)
    assert len(data.load("fashion_mnist", tmp_path).test) == 50
    assert "several data sets" in refusal(tmp_path)


def binary(folder: Path) -> Path:
    """The official folder's images in the binary version."""
    batches = folder / "cifar-10-batches-bin"
    batches.mkdir()
    for k, name in enumerate([*(f"data_batch_{k}.bin" for k in range(1, 6)), "test_batch.bin"]):
        images, labels = official.pictures(40, seed=k)
        rows = np.column_stack([np.array(labels, np.uint8), images.reshape(40, -1)])
        (batches / name).write_bytes(rows.tobytes())
    return folder


@pytest.mark.case("CIFAR-10 as binaries, pictures, Keras' file, re-saved pickles")
def test_cifar10_is_the_same_in_every_version(tmp_path: Path) -> None:
    places = [tmp_path / name for name in ("python", "text", "binary", "pictures", "keras", "packed")]
    known = data.load("cifar10", official.write_cifar10(places[0]))
    for path in (official.write_cifar10(places[1]) / "cifar-10-batches-py").iterdir():
        batch = pickle.loads(path.read_bytes(), encoding="bytes")  # made by this test
        path.write_bytes(pickle.dumps({key.decode(): value for key, value in batch.items()}))
    for folder in places[2:]:
        folder.mkdir()
    binary(places[2])
    with tarfile.open(places[5] / "cifar-10-binary.tar.gz", "w:gz") as archive:
        archive.add(places[2] / "cifar-10-batches-bin", "cifar-10-batches-bin")
    train = np.concatenate([official.pictures(40, seed=k)[0] for k in range(5)]), np.tile(np.arange(40) % 10, 5)
    test = official.pictures(40, seed=5)
    for part, (images, labels) in (("train", train), ("test", test)):
        for k, (image, label) in enumerate(zip(images, labels, strict=True)):
            (place := places[3] / part / str(label)).mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.transpose(1, 2, 0)).save(place / f"{k:03}.png")
    saved(places[4], "cifar.npz", x_train=train[0].transpose(0, 2, 3, 1), y_train=train[1], x_test=test[0], y_test=test[1])
    for place in (places[1], places[2], places[4] / "cifar.npz", places[5]):
        found = data.load("cifar10", place, progress=False)
        for part in ("train", "validation", "test"):
            assert torch.equal(getattr(found, part).images, getattr(known, part).images)
            assert torch.equal(getattr(found, part).labels, getattr(known, part).labels)
    found = data.load("cifar10", places[3], progress=False)  # in the order of the folders
    order = known.test.labels.argsort(stable=True)
    assert torch.equal(found.test.images, known.test.images[order])


def test_a_registered_data_set_must_have_its_shape_and_both_parts(tmp_path: Path) -> None:
    parts = {"x_train": GREY, "y_train": LABELS, "x_test": GREY, "y_test": LABELS}
    assert len(data.load("mnist", saved(tmp_path, "mnist.npz", **parts), progress=False).test) == 20
    with pytest.raises(ValueError, match=r"holds images \[1, 28, 28\], expected \[3, 32, 32\]"):
        data.load("cifar10", tmp_path / "mnist.npz")
    with pytest.raises(ValueError, match="expected images for train and for test"):
        data.load("mnist", saved(tmp_path, images=GREY, labels=LABELS))


class Cells:
    """As ``pandas.read_parquet`` returns a file of Hugging Face: a dictionary in each cell of the column of images."""

    @staticmethod
    def table() -> pd.DataFrame:
        def encoded(image: np.ndarray) -> dict[str, Any]:
            buffer = io.BytesIO()
            Image.fromarray(image.transpose(1, 2, 0)).save(buffer, format="PNG")
            return {"bytes": buffer.getvalue(), "path": None}

        return pd.DataFrame({"img": [encoded(image) for image in COLOUR], "label": LABELS})


@pytest.mark.case("parquet files of Hugging Face")
def test_encoded_images_of_hugging_face_are_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("train-00000-of-00002.parquet", "train-00001-of-00002.parquet", "test-00000-of-00001.parquet"):
        (tmp_path / name).write_bytes(b"PAR1")
    monkeypatch.setattr(pd, "read_parquet", lambda path: Cells.table())
    found = read(tmp_path)
    assert (len(found.train), len(found.validation)) == (36, 4)
    assert shows(found.test, COLOUR)
    monkeypatch.setattr(pd, "read_parquet", lambda path: pd.DataFrame({"text": ["a"], "label": [0]}))
    assert "it has text, label" in refusal(tmp_path / "test-00000-of-00001.parquet")


def test_a_parquet_file_itself_is_read(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    Cells.table().to_parquet(tmp_path / "own.parquet")
    assert shows(read(tmp_path / "own.parquet").test, COLOUR)


def test_without_pyarrow_the_refusal_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: Path) -> None:
        raise ImportError("no engine")

    monkeypatch.setattr(pd, "read_parquet", missing)
    (tmp_path / "own.parquet").write_bytes(b"PAR1")
    assert "pip install pyarrow" in refusal(tmp_path / "own.parquet")


# --- layout, intensities, labels ------------------------------------------------------------------------------------------


@SHARED
@given(num=st.integers(2, 6), channels=st.sampled_from([1, 3]), side=st.integers(5, 9), data_=st.data())
def test_every_layout_of_the_same_pictures_gives_the_same_images(
    num: int, channels: int, side: int, data_: st.DataObject, tmp_path: Path
) -> None:
    images = data_.draw(arrays(np.uint8, (num, channels, side, side)))
    images[0, 0, 0, 0] = 255
    labels = np.arange(num)
    expected = torch.from_numpy(images).float() / 255
    layouts = [images, images.transpose(0, 2, 3, 1), images.reshape(num, -1), images.astype(np.float64) / 255]
    layouts += [images.astype(np.int64), images.transpose(2, 3, 1, 0)] if side != num else []
    kinds = [
        labels,
        labels[:, None],
        np.eye(num, dtype=np.int32),
        labels.astype(np.float32),
        labels.astype(np.int32),
        labels,
    ]
    for layout, classes in zip(layouts, kinds, strict=False):
        split = read(saved(tmp_path, images=layout, labels=classes)).test
        assert torch.allclose(split.images, expected, atol=1e-7)
        assert split.labels.tolist() == labels.tolist()
        assert split.num_classes == num


@pytest.mark.case("CIFAR-10-C and other pictures [N, H, W, C]")
def test_channels_that_were_last_are_turned_and_reported(tmp_path: Path) -> None:
    images = COLOUR.transpose(0, 2, 3, 1)
    found = read(saved(tmp_path, images=images, labels=LABELS))
    assert shows(found.test, COLOUR)
    assert "channels last [20, 32, 32, 3]: turned to [N, C, H, W]" in found.remarks
    assert "channels last" in repr(found)
    assert not any("channels" in remark for remark in read(saved(tmp_path, images=COLOUR, labels=LABELS)).remarks)


def test_a_shape_that_can_be_read_in_two_ways_is_reported(tmp_path: Path) -> None:
    found = read(saved(tmp_path, images=COLOUR[:, :, :3, :3], labels=LABELS))
    assert any("may be channels, too" in remark for remark in found.remarks)


@pytest.mark.case("images normalised by mean and deviation, in a file")
@pytest.mark.parametrize(
    ("images", "words"),
    [
        ((GREY / 255 - 0.1307) / 0.3081, "put the normalisation into the network"),
        (GREY / 255 * 16, "divide them by the intensity of white"),
        (GREY / 255 * 300, "divide them by the intensity of white"),
        (np.where(GREY < 9, np.nan, GREY / 255), "must lie in"),
        (GREY.astype(str), "images must be numbers"),
        (GREY[0], r"expected images [N, C, H, W] and labels [N], got [28, 28] and [20]"),
        (GREY[:, :5, :7].reshape(20, 35), "expected images [N, C, H, W]"),
        (GREY[:0], "expected images"),
    ],
)
def test_images_that_are_no_pixels_are_refused_with_a_way_on(images: np.ndarray, words: str, tmp_path: Path) -> None:
    assert words in refusal(saved(tmp_path, images=images, labels=LABELS))


def test_rounding_outside_the_unit_interval_is_clipped(tmp_path: Path) -> None:
    images = np.array([-3e-8, 0.5, 1.0000001, 1.0] * 5)[:, None, None] * np.ones((20, 2, 2))
    split = read(saved(tmp_path, images=images, labels=LABELS)).test
    assert (float(split.images.min()), float(split.images.max())) == (0.0, 1.0)


def test_bytes_that_are_black_or_white_are_not_divided(tmp_path: Path) -> None:
    found = read(saved(tmp_path, images=GREY // 128, labels=LABELS))
    assert found.test.images.unique().tolist() == [0.0, 1.0]
    assert any("black and white" in remark for remark in found.remarks)


def test_all_parts_have_one_scale_and_one_list_of_classes(tmp_path: Path) -> None:
    names = np.array(["cat", "dog"] * 10)
    found = read(saved(tmp_path, x_train=GREY // 2, y_train=names, x_test=GREY, y_test=np.array(["dog"] * 20)))
    assert torch.equal(found.train.images, torch.from_numpy(GREY[:18] // 2).float()[:, None] / 255)
    assert found.test.labels.unique().tolist() == [1]
    assert found.test.num_classes == 2
    assert any("0 = cat, 1 = dog" in remark for remark in found.remarks)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (LABELS * 0.5, "labels must be whole numbers"),
        (LABELS - 1, "labels must be whole numbers from 0"),
        (LABELS * 10**9, "too many for classes"),
        (LABELS.reshape(10, 2), "labels must be one class an image"),
        (LABELS[:3], "got [20, 28, 28] and [3]"),
        (np.full(20, np.nan), "labels must be whole numbers"),
        (LABELS[:0], "labels must be one class an image"),
    ],
)
def test_labels_that_are_no_classes_are_refused(labels: np.ndarray, words: str, tmp_path: Path) -> None:
    message = refusal(saved(tmp_path, images=GREY, labels=labels))
    assert words in message or "expected images [N, C, H, W]" in message


def test_labels_from_one_are_kept_and_reported(tmp_path: Path) -> None:
    found = read(saved(tmp_path, images=GREY, labels=LABELS + 1))
    assert found.test.labels.max() == 10
    assert any("no image is of class 0" in remark for remark in found.remarks)


# --- refusals -------------------------------------------------------------------------------------------------------------


def test_a_refusal_lists_what_the_file_has(tmp_path: Path) -> None:
    assert "it has pictures [20, 28, 28], names [20]" in refusal(saved(tmp_path, pictures=GREY, names=LABELS))
    assert "it has images [20, 28, 28]" in refusal(saved(tmp_path, images=GREY))
    torch.save(nn.Linear(2, 2).state_dict(), tmp_path / "net.pt")
    assert "it has weight [2, 2], bias [2]" in refusal(tmp_path / "net.pt")
    pd.DataFrame(GREY.reshape(20, -1)[:, :9]).add_prefix("pixel").to_csv(tmp_path / "test.csv", index=False)
    assert "it has pixel0, pixel1, pixel2 … pixel8 (9 columns)" in refusal(tmp_path / "test.csv")
    np.save(tmp_path / "only.npy", GREY)
    assert "its folder has no other .npy" in refusal(tmp_path / "only.npy")
    (tmp_path / "notes.txt").write_text("hello")
    assert "none of the kinds that can be read: .npz" in refusal(tmp_path / "notes.txt")
    (empty := tmp_path / "empty").mkdir()
    assert "has nothing" in refusal(empty)
    (empty / "readme.md").write_text("hello")
    (empty / "a").mkdir()
    (empty / "b").mkdir()
    assert "has a/, b/, readme.md" in refusal(empty)
    assert "no folder or file" in refusal(tmp_path / "nowhere.npz")
    with pytest.raises(ValueError, match=r"there is no file 'nowhere\.npz'"):
        data.load("nowhere.npz")


def test_several_files_without_a_part_are_asked_for(tmp_path: Path) -> None:
    saved(tmp_path, "a.npz", images=GREY, labels=LABELS)
    saved(tmp_path, "b.npz", images=GREY, labels=LABELS)
    assert "has a.npz, b.npz: name one of them" in refusal(tmp_path)


def test_a_part_without_labels_is_left_out_and_reported(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()
    (tmp_path / "test").mkdir()
    pictures(tmp_path / "train")
    Image.fromarray(GREY[0]).save(tmp_path / "test" / "1.png")
    found = read(tmp_path)
    assert (len(found.train), len(found.test)) == (20, 0)
    assert "not read, because it has no folder for each class: test" in found.remarks


def test_pictures_of_several_sizes_or_damaged_are_refused_by_name(tmp_path: Path) -> None:
    pictures(tmp_path)
    Image.fromarray(GREY[0, :9, :9]).save(tmp_path / "3" / "small.png")
    assert "2 sizes (9 x 9, 28 x 28 pixels)" in refusal(tmp_path)
    official.truncated(tmp_path / "3" / "small.png")
    assert "3/small.png is not a picture or is damaged" in refusal(tmp_path)


def evil_npz(folder: Path) -> Path:
    np.savez(folder / "own.npz", images=np.array([official.Evil()], dtype=object), labels=LABELS)
    return folder / "own.npz"


def evil_npy(folder: Path) -> Path:
    np.save(folder / "images.npy", np.array([official.Evil()], dtype=object), allow_pickle=True)
    np.save(folder / "labels.npy", LABELS)
    return folder / "images.npy"


def evil_torch(folder: Path) -> Path:
    torch.save({"images": official.Evil(), "labels": LABELS}, folder / "own.pt")
    return folder / "own.pt"


def evil_pickle(folder: Path) -> Path:
    (folder / "own.pkl").write_bytes(official.evil_batch())
    return folder / "own.pkl"


def evil_cifar10(folder: Path) -> Path:
    batches = official.write_cifar10(folder) / "cifar-10-batches-py"
    (batches / "data_batch_2").write_bytes(official.evil_batch())
    return folder


@pytest.mark.case("hostile files")
@pytest.mark.parametrize("make", [evil_npz, evil_npy, evil_torch, evil_pickle, evil_cifar10], ids=lambda make: make.__name__)
def test_a_hostile_file_runs_no_code_and_the_refusal_says_why(make: Callable[[Path], Path], tmp_path: Path) -> None:
    official.MARKER.unlink(missing_ok=True)
    message = refusal(make(tmp_path))
    assert not official.MARKER.exists()
    assert "a pickle can run code while it is read" in message


@SHARED
@given(ending=st.sampled_from([*READERS, ".bin", ""]), blob=st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_by_name(ending: str, blob: bytes, tmp_path: Path) -> None:
    path = tmp_path / f"own-images-idx3-{ending}"
    path.write_bytes(blob)
    try:
        read(path)
    except BadFile as error:
        assert path.name in str(error) or "expected" in str(error)  # noqa: PT017  # either outcome is right


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_damaged_file_is_read_or_refused_in_words(form: Callable[[Path], Path], tmp_path: Path) -> None:
    path = form(tmp_path)
    whole = path.read_bytes()
    refused = 0
    draw = np.random.default_rng(1)
    for _ in range(25):
        damaged = bytearray(whole[: int(draw.integers(1, len(whole)))] if draw.random() < 0.5 else whole)
        for place in draw.integers(0, len(damaged), 3):
            damaged[place] ^= int(draw.integers(1, 256))
        path.write_bytes(bytes(damaged))
        try:
            read(path)
        except BadFile:
            refused += 1
    assert refused > 5


@SHARED
@example(images=[(1,), (1,)], labels=[(1,), (1,)], kinds=["?", "f2"])
@given(
    images=st.lists(array_shapes(min_dims=0, max_dims=5, max_side=3), min_size=2, max_size=2),
    labels=st.lists(array_shapes(min_dims=0, max_dims=2, max_side=3), min_size=2, max_size=2),
    kinds=st.lists(st.sampled_from(["?", "u1", "i8", "u8", "f2", "f8", "c8", "U3", "S3"]), min_size=2, max_size=2),
)
def test_arrays_of_any_shape_and_type_are_read_or_refused(
    images: list[Any], labels: list[Any], kinds: list[str], tmp_path: Path
) -> None:
    named = {f"x_{part}": np.ones(shape).astype(kinds[0]) for part, shape in zip(("train", "test"), images, strict=True)}
    named |= {f"y_{part}": np.ones(shape).astype(kinds[1]) for part, shape in zip(("train", "test"), labels, strict=True)}
    try:
        found = read(saved(tmp_path, **named))
    except BadFile:
        return
    assert len(found.test) == len(found.test.labels) > 0


# --- events ---------------------------------------------------------------------------------------------------------------

FRAMES = RNG.integers(0, 7, (5, 20, 2, 8, 8)).astype(np.float32)  # [T, N, 2, H, W]


def test_frames_of_events_keep_their_counts_and_time_comes_first(tmp_path: Path) -> None:
    for frames, turned in ((FRAMES, False), (FRAMES.swapaxes(0, 1), True)):
        found = read(saved(tmp_path, frames=frames, labels=LABELS))
        assert isinstance(found.test, EventSplit)
        assert torch.equal(found.test.frames, torch.from_numpy(FRAMES))
        assert any("second axis" in remark for remark in found.remarks) == turned
    assert "time cannot be told apart" in refusal(saved(tmp_path, frames=FRAMES[:, :5], labels=LABELS[:5]))
    assert "expected counts of events" in refusal(saved(tmp_path, frames=FRAMES[:, :, :1], labels=LABELS))


@pytest.mark.case("SpikingJelly's folders of frames")
def test_a_folder_of_spikingjelly_is_frames_by_class(tmp_path: Path) -> None:
    for k, label in enumerate(LABELS):
        (place := tmp_path / "test" / str(label)).mkdir(parents=True, exist_ok=True)
        saved(place, f"user{k:02}.npz", frames=FRAMES[:, k])
    order = np.argsort(LABELS, kind="stable")
    found = read(tmp_path).test
    assert torch.equal(found.frames, torch.from_numpy(FRAMES[:, order]))
    assert found.labels.tolist() == sorted(LABELS)


@pytest.mark.case("recordings of N-MNIST")
def test_recordings_of_n_mnist_are_read(tmp_path: Path) -> None:
    """Two events of five bytes: column, row, polarity in the highest bit of the time, 23 bits of microseconds."""
    pytest.importorskip("tonic")
    for label in (0, 1):
        (tmp_path / "Test" / str(label)).mkdir(parents=True)
        (tmp_path / "Test" / str(label) / "00001.bin").write_bytes(bytes([3, 5, 0, 0, 0, 33, 2, 0x80, 0, 9]))
    found = read(tmp_path).test
    assert found.frames.shape == (8, 2, 2, 34, 34)
    assert found.frames.sum() == 4
    assert found.frames[0, 0, 0, 5, 3] == found.frames[7, 0, 1, 2, 33] == 1


@pytest.mark.case("attacks on frames of events")
def test_frames_pass_through_attacks_as_images_and_back(tmp_path: Path) -> None:
    events = read(saved(tmp_path, frames=FRAMES, labels=LABELS)).test
    images, code = events.as_images(), encoder(events.code, num_steps=events.num_steps)
    assert images.images.shape == (20, 10, 8, 8)
    assert code.title == events.code == encoder(code.title, num_steps=5).title
    assert torch.allclose(code(images.images), events.frames)
    torch.manual_seed(0)
    weights = torch.randn(10, 128)

    class Net(nn.Module):
        def forward(self, frames: torch.Tensor) -> torch.Tensor:
            return frames.flatten(2) @ weights.T

    model = Classifier(Net(), code)
    assert torch.allclose(model.respond(events.frames)[0], model.read(images.images)[0], atol=1e-3)
    own = Split(images.images, model(images.images).argmax(-1), 10)
    result = attack(model, own, Budget(0.3), "pgd", steps=5)
    assert (result.images - own.images).abs().max() <= 0.3 + 1e-6
    assert result.success.any()
    gradients = [model.at(encoder=code.with_backward(rule)) for rule in ("straight_through", "relaxed")]
    assert torch.equal(*(_gradient(view, own) for view in gradients))


def _gradient(model: Classifier, split: Split) -> torch.Tensor:
    images = split.images.clone().requires_grad_()
    nn.functional.cross_entropy(model(images), split.labels).backward()
    assert images.grad is not None
    return images.grad


def test_a_code_of_frames_refuses_what_is_none() -> None:
    for name, words in (
        ("frames(scale=0)", "positive"),
        ("frames(scale=x)", "positive"),
        ("frames(size=2)", "it has scale"),
    ):
        with pytest.raises(ValueError, match=words):
            encoder(name)
    with pytest.raises(ValueError, match=r"frames of 8 steps need images \[N, 8 C, H, W\], got \[1, 3, 2, 2\]"):
        encoder("frames")(torch.zeros(1, 3, 2, 2))
