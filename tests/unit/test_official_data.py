"""The full data sets: official files are parsed, verified, fetched once and resumed; wrong ones are refused in words."""

import functools
import gzip
import hashlib
import http.server
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import official
import pytest
import torch
from torch import nn

from snnlab import data
from snnlab.data import cifar10, downloads, events, mnist
from snnlab.data.downloads import OfficialFile
from snnlab.encoding import encoder
from snnlab.networks.classifier import Classifier


def test_cifar10_comes_as_its_files_say_from_a_folder_and_from_the_archive(tmp_path: Path) -> None:
    root = official.write_cifar10(tmp_path / "unpacked")
    packed = tmp_path / "packed"
    packed.mkdir()
    official.archive_of(root, packed / "cifar-10-python.tar.gz")
    found = [data.load("cifar10", folder) for folder in (root, root / "cifar-10-batches-py", packed)]
    first = found[0]
    images, labels = official.pictures(40, seed=0)
    assert torch.equal(first.train.images[:40], torch.from_numpy(images).float() / 255)
    assert first.train.labels[:40].tolist() == labels
    assert (len(first.train), len(first.validation), len(first.test)) == (180, 20, 40)
    for other in found[1:]:
        assert other.sha256 == first.sha256
        assert torch.equal(other.test.images, first.test.images)


def test_held_out_images_are_the_last_of_the_official_training_part(tmp_path: Path) -> None:
    root = official.write_cifar10(tmp_path)
    images, _ = official.pictures(40, seed=4)
    assert torch.equal(data.load("cifar10", root).validation.images, torch.from_numpy(images[-20:]).float() / 255)


@pytest.mark.parametrize("name", ["mnist", "fashion_mnist"])
def test_idx_files_come_as_they_are(name: str, tmp_path: Path) -> None:
    found = data.load(name, official.write_mnist(tmp_path))
    expected = np.random.default_rng(1).integers(0, 256, (60, 28, 28), dtype=np.uint8)
    assert found.test.images.shape == (60, 1, 28, 28)
    assert torch.equal(found.test.images[:, 0], torch.from_numpy(expected).float() / 255)
    assert (len(found.train), len(found.validation)) == (54, 6)


def test_what_is_wrong_with_a_root_is_said(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is no folder or file"):
        data.load("cifar10", tmp_path / "nowhere")
    for name in ("cifar10", "mnist"):
        with pytest.raises(ValueError, match=r"has nothing; expected .*MNIST's IDX files, CIFAR-10's batches"):
            data.load(name, tmp_path)
    official.write_idx(tmp_path / "train-images-idx3-ubyte.gz", np.zeros((1, 28, 28), np.uint8))
    with pytest.raises(ValueError, match=r"is missing from .*t10k-labels"):
        data.load("mnist", tmp_path)
    with pytest.raises(ValueError, match="unknown options num_steps; mnist5k has none"):
        data.load("mnist5k", num_steps=4)  # type: ignore[call-overload]


def test_truncated_or_strange_files_are_refused_by_name(tmp_path: Path) -> None:
    root = official.write_cifar10(tmp_path / "a")
    official.truncated(official.archive_of(root, tmp_path / "cifar-10-python.tar.gz"))
    with pytest.raises(ValueError, match=r"cifar-10-python\.tar\.gz is truncated"):
        data.load("cifar10", tmp_path)
    official.truncated(root / "cifar-10-batches-py" / "data_batch_3")
    with pytest.raises(ValueError, match="data_batch_3 is truncated"):
        data.load("cifar10", root)
    (root / "cifar-10-batches-py" / "data_batch_3").unlink()
    with pytest.raises(ValueError, match="data_batch_3 is missing"):
        data.load("cifar10", root)
    digits = official.write_mnist(tmp_path / "b")
    official.truncated(digits / "train-images-idx3-ubyte.gz")
    with pytest.raises(ValueError, match=r"train-images-idx3-ubyte\.gz is truncated"):
        data.load("mnist", digits)
    strange = tmp_path / "strange.gz"
    strange.write_bytes(__import__("gzip").compress(b"hello, world"))
    with pytest.raises(ValueError, match="no IDX file"):
        mnist.read_idx(strange)


def test_an_idx_file_that_ends_in_its_header_is_refused_by_name(tmp_path: Path) -> None:
    for blob in (b"\0\0\x08\x03\0\0\0\x05", b"\0\0\x08\x03"):
        (path := tmp_path / "some-idx3-ubyte.gz").write_bytes(gzip.compress(blob))
        with pytest.raises(ValueError, match=r"some-idx3-ubyte\.gz is truncated"):
            mnist.read_idx(path)


def test_a_damaged_batch_is_refused_by_name_wherever_the_damage_is() -> None:
    images, labels = official.pictures(4)
    whole = pickle.dumps({b"data": images.reshape(4, -1), b"labels": labels}, protocol=2)
    draw = np.random.default_rng(0)
    refused = 0
    for place in [*range(60), *draw.integers(0, len(whole), 300).tolist()]:
        damaged = bytearray(whole)
        damaged[place] ^= int(draw.integers(1, 256))
        try:
            cifar10.read_batch(bytes(damaged), "data_batch_1")
        except ValueError as error:
            assert "data_batch_1" in str(error)  # noqa: PT017  # most places only change a pixel, and are not seen here
            refused += 1
    assert refused > 20
    for strange in (["cat"] * 4, [[1], [2, 3]], None):
        with pytest.raises(ValueError, match="data_batch_1"):
            cifar10.read_batch(pickle.dumps({b"data": images.reshape(4, -1), b"labels": strange}), "data_batch_1")


def test_a_part_with_fewer_classes_is_refused(tmp_path: Path) -> None:
    """Files that are sorted by class and cut would train and test on different things."""
    root = official.write_mnist(tmp_path)
    official.write_idx(root / "train-labels-idx1-ubyte.gz", np.zeros(60, dtype=np.uint8))
    with pytest.raises(ValueError, match="holds 1 classes, expected 10"):
        data.load("mnist", root)


def test_a_pickle_that_asks_for_more_than_arrays_is_not_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="which no array needs"):
        cifar10.read_batch(official.evil_batch(), "data_batch_1")
    assert not official.MARKER.exists()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A file behind HTTP: breaks off once where it is told to, and counts what it is asked."""
    content = bytes(range(256)) * 2000
    state = SimpleNamespace(content=content, break_at=None, asked=[], sent=0, status=200, ranges=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            if state.status != 200:  # such as 503, or 202 with an empty page
                self.send_response(state.status)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            asked = self.headers.get("Range") if state.ranges else None
            start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
            if asked and start >= len(content):
                self.send_error(416)
                return
            self.send_response(206 if asked else 200)
            self.send_header("Content-Length", str(len(content) - start))
            self.end_headers()
            end = state.break_at if state.break_at is not None else len(content)
            state.break_at = None
            state.sent += end - start
            self.wfile.write(content[start:end])

        def log_message(self, *_: object) -> None:
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    state.file = OfficialFile(f"http://127.0.0.1:{running.server_port}/things.bin", hashlib.md5(content).hexdigest())
    yield state
    running.shutdown()


def _fetch(file: OfficialFile) -> Path:
    return downloads.fetch({"it": file}, "things", progress=False)["it"]


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNNLAB_DATA", str(tmp_path / "cache"))


def test_a_file_is_fetched_once(server: SimpleNamespace) -> None:
    assert _fetch(server.file).read_bytes() == server.content
    assert _fetch(server.file).read_bytes() == server.content
    assert server.asked == ["/things.bin"]


@pytest.mark.parametrize("ranges", [True, False])
def test_a_fetch_that_broke_off_continues_where_it_stopped(ranges: bool, server: SimpleNamespace, tmp_path: Path) -> None:
    server.break_at, server.ranges = 300_000, ranges
    with pytest.raises(ValueError, match="could not be fetched"):
        _fetch(server.file)
    (part,) = (tmp_path / "cache").rglob("*.part")
    written = part.stat().st_size
    assert written > 200_000
    server.sent = 0
    assert _fetch(server.file).read_bytes() == server.content
    assert server.sent == len(server.content) - (written if ranges else 0)
    assert not list((tmp_path / "cache").rglob("*.part"))


def test_a_damaged_beginning_is_not_continued_for_ever(server: SimpleNamespace, tmp_path: Path) -> None:
    (folder := tmp_path / "cache" / "things").mkdir(parents=True)
    for beginning in (b"<html>not the file</html>", server.content + b"more"):
        (folder / "things.bin").unlink(missing_ok=True)
        (folder / "things.bin.part").write_bytes(beginning)
        assert _fetch(server.file).read_bytes() == server.content


def test_a_file_of_another_sum_is_refused(server: SimpleNamespace) -> None:
    with pytest.raises(ValueError, match="another MD5 sum"):
        _fetch(OfficialFile(server.file.url, "0" * 32))


@pytest.mark.case("a slow or absent host of CIFAR-10")
def test_the_next_address_is_asked_where_one_fails(server: SimpleNamespace) -> None:
    nobody = "http://127.0.0.1:9/things.bin"
    wrong = server.file.url.replace("things", "other")
    assert _fetch(OfficialFile(nobody, server.file.md5, mirrors=(server.file.url,))).read_bytes() == server.content
    with pytest.raises(
        ValueError, match=r"127\.0\.0\.1:9/things\.bin \(ConnectionError\); http.*other\.bin \(another MD5 sum\)"
    ):
        _fetch(OfficialFile(nobody, "0" * 32, mirrors=(wrong,)))


@pytest.mark.case("no host at all")
@pytest.mark.parametrize("status", [503, 202])
def test_without_an_answer_the_message_says_how_to_get_the_file_by_hand(
    status: int, server: SimpleNamespace, tmp_path: Path
) -> None:
    server.status = status
    with pytest.raises(
        ValueError, match=rf"things\.bin \(HTTPError {status}\).* download things\.bin in a browser into (.*);"
    ) as no:
        _fetch(server.file)
    folder = tmp_path / "cache" / "things"
    assert str(folder) in str(no.value)
    (folder / "things.bin").write_bytes(server.content)  # the reader does as the message says
    assert _fetch(server.file).read_bytes() == server.content


def test_every_address_of_a_data_set_names_the_same_file() -> None:
    for file in (cifar10.ARCHIVE, *events.DVS_GESTURE.values()):
        assert all(url.startswith("https://") for url in (file.url, *file.mirrors))
    assert {url.rpartition("/")[2] for url in (cifar10.ARCHIVE.url, *cifar10.ARCHIVE.mirrors)} == {"cifar-10-python.tar.gz"}


@pytest.mark.case("DVS Gesture behind a page for browsers")
def test_gestures_come_from_an_address_that_answers_programs() -> None:
    """The addresses in tonic 1.7 answer with 202 and an empty page; the files and their sums are tonic's."""
    tonic = pytest.importorskip("tonic")
    for part, file in events.DVS_GESTURE.items():
        theirs = {name: getattr(tonic.datasets.DVSGesture, f"{part}_{name}") for name in ("url", "md5", "filename")}
        assert (file.md5, file.name) == (theirs["md5"], theirs["filename"])
        assert file.url == f"https://api.figshare.com/v2/file/download/{theirs['url'].rpartition('/')[2]}"


def test_frames_hold_every_event_once_in_its_bin_and_polarity() -> None:
    """Four events of a camera of 128 pixels a side, on two time bins and 2 x 2 pixels."""
    fields = np.dtype([("x", np.int16), ("y", np.int16), ("p", np.int8), ("t", np.int64)])
    recorded = np.array([(0, 0, 0, 0), (127, 0, 1, 10), (127, 127, 1, 60), (100, 127, 1, 100)], dtype=fields)
    frames = events.frames_of(recorded, num_steps=2, size=2)
    expected = torch.zeros(2, 2, 2, 2)
    expected[0, 0, 0, 0] = expected[0, 1, 0, 1] = 1
    expected[1, 1, 1, 1] = 2
    assert frames.shape == (2, 2, 2, 2)
    assert torch.equal(frames, expected)


@pytest.mark.parametrize("num", [1, 2, 999, 5000])
@pytest.mark.parametrize("lasting", [1, 40, 10**6])
def test_frames_lose_no_event(num: int, lasting: int) -> None:
    draw = np.random.default_rng(num + lasting)
    columns = [draw.integers(0, top, num) for top in (128, 128, 2, lasting)]
    columns[3].sort()
    recorded = np.rec.fromarrays(columns, names="x,y,p,t")
    frames = events.frames_of(recorded, num_steps=8, size=32, empty=True)
    assert frames.sum() == num
    assert torch.equal(frames.sum((0, 2, 3)).long(), torch.from_numpy(np.bincount(columns[2], minlength=2)))
    columns[0][0] = 128
    with pytest.raises(ValueError, match="not on a sensor of 128 x 128"):
        events.frames_of(np.rec.fromarrays(columns, names="x,y,p,t"))


def test_recordings_become_frames_with_time_first(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fields = np.dtype([("x", np.int16), ("y", np.int16), ("p", np.int8), ("t", np.int64)])

    class Recordings:
        """As ``tonic.datasets.DVSGesture`` hands them out."""

        def __init__(self, save_to: str, train: bool) -> None:
            self.num = 3 if train else 2

        def __len__(self) -> int:
            return self.num

        def __getitem__(self, k: int) -> tuple[object, int]:
            return np.array([(k, k, 0, 0), (k, k, 1, 50), (k, k, 1, 100)], dtype=fields), k

    tonic = pytest.importorskip("tonic")
    monkeypatch.setattr(tonic.datasets, "DVSGesture", Recordings)
    (tmp_path / "DVSGesture").mkdir()
    for file in events.DVS_GESTURE.values():
        (tmp_path / "DVSGesture" / file.name).touch()
    found = data.load("dvs_gesture", tmp_path, num_steps=4, size=16, progress=False)
    assert found.train.frames.shape == (4, 3, 2, 16, 16)
    assert found.test.labels.tolist() == [0, 1]
    frames, labels = next(iter(found.train.batches(2)))
    assert frames.shape == (4, 2, 2, 16, 16)
    assert labels.tolist() == [0, 1]
    with pytest.raises(ValueError, match="unknown options foo; dvs_gesture has num_steps and size"):
        data.load("dvs_gesture", tmp_path, foo=1)
    model = Classifier(nn.Sequential(), encoder("direct", num_steps=4))
    model.network.forward = lambda s: s.flatten(2)[..., :11]  # type: ignore[method-assign]
    assert model.respond(found.test.frames)[0].shape == (4, 2, 11)
    with pytest.raises(ValueError, match="must be at least 1 and size divide"):
        events.frames_of(np.zeros(1, fields), size=3)
