"""The examples of the README and of the page *Short programs*: they run, here on few images, and each is short."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib as mpl
import pytest
import table
import yaml
from building import BOOK, ROOT
from PIL import Image

from snnlab import data
from snnlab.data import Dataset

DOCUMENTS = [ROOT / "README.md", BOOK / "tasks.md"]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LONGEST = 7  # lines


def blocks(document: Path) -> list[str]:
    return BLOCK.findall(document.read_text(encoding="utf8"))


@pytest.fixture
def few_images(mnist: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``data.load`` return a small part of the digits."""
    small = replace(mnist, train=mnist.train[:200], validation=mnist.validation[:50], test=mnist.test[:10])
    monkeypatch.setattr(data, "load", lambda name: small)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    with mpl.rc_context({"backend": "agg"}):
        yield tmp_path


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
@pytest.mark.usefixtures("few_images", "folder")
def test_examples_run_in_their_order(document: Path) -> None:
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks(document):
        exec(compile(block, f"{document.name}: {block[:60]!r}", "exec"), names)


def test_ten_tasks_are_at_least_ten_and_short() -> None:
    text = (BOOK / "tasks.md").read_text(encoding="utf8")
    assert len(blocks(BOOK / "tasks.md")) == text.count("\n## ") >= 10
    for block in blocks(BOOK / "tasks.md"):
        assert len([line for line in block.splitlines() if line.strip()]) <= LONGEST, block


def test_the_table_of_speed_is_taken_from_the_full_table() -> None:
    about, full = table.published((ROOT / "benchmarks" / "README.md").read_text(encoding="utf8")).split("\n\n")
    assert table.published((ROOT / "README.md").read_text(encoding="utf8")) == f"{about}\n\n{table.shown(full)}"


def test_a_row_that_was_renamed_is_named() -> None:
    with pytest.raises(ValueError, match="first widget paint"):
        table.shown("| what | peer |\n| --- | --- |\n| other | peer |")


def test_the_readme_links_the_published_book_if_the_settings_name_one() -> None:
    site = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf8"))["sphinx"]["config"]["snnlab_site"]
    assert site in (ROOT / "README.md").read_text(encoding="utf8"), f"link {site} in the README"


def test_the_recording_is_light_silent_and_moves() -> None:
    path = ROOT / ".github" / "explorer.webp"
    assert path.name in (ROOT / "README.md").read_text(encoding="utf8")
    assert path.stat().st_size < 2_000_000
    with Image.open(path) as recording:
        assert getattr(recording, "n_frames", 1) > 10
