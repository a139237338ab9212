"""Fixtures shared by all tests: small images, the shipped data, a trained model."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from building import built_book
from hypothesis import settings
from playwright.sync_api import Browser, sync_playwright
from visiting import Visit, served

from snnlab import data, zoo
from snnlab.attacks import ATTACKS
from snnlab.data import Dataset, Split
from snnlab.encoding.registry import _CODES
from snnlab.networks.classifier import Classifier
from snnlab.zoo.networks import NETWORKS

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
#: flags for a browser that starts clean, asks no other host anything and runs as any user
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

settings.register_profile("busy", deadline=None)  # how long an example takes says nothing on a machine with other work
settings.load_profile("busy")
#: what the package registers, with its content before any test or example ran
REGISTERS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    (register, dict(register)) for register in (_CODES, ATTACKS, NETWORKS, data.DATASETS)
]
torch.set_num_threads(1)  # small tensors: a second thread costs more than it brings
os.environ["OMP_NUM_THREADS"] = "1"  # likewise in the kernels that tests start: threads wait for each other


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let one process build the book while the other runs what does not need it: one file with pages first, the rest last.

    Files with many tests come before those with few, so that both processes end at about the same time.
    """
    with_pages = {item.path for item in items if "book" in getattr(item, "fixturenames", ())}
    first = min(with_pages, default=None)
    size = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path != first, item.path in with_pages, -size[item.path]))


def _reset_registers() -> None:
    for register, initial in REGISTERS:
        register.clear()
        register.update(initial)


@pytest.fixture(autouse=True)
def _registers() -> Iterator[None]:
    """Forget, before and after each test, what an example or a test registered."""
    _reset_registers()
    yield
    _reset_registers()


@pytest.fixture(scope="session")
def mnist() -> Dataset:
    return data.load("mnist5k")


@pytest.fixture(scope="session")
def few(mnist: Dataset) -> Split:
    """Forty test digits."""
    return mnist.test[:40]


@pytest.fixture
def onset() -> Classifier:
    return zoo.load("onset")


@pytest.fixture
def ramp() -> torch.Tensor:
    """One image of 257 pixels that takes every 256th of [0, 1]."""
    return torch.linspace(0, 1, 257).view(1, 1, 1, 257)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A real Chromium, started once for all tests that look at a page."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    assert path, f"no browser on the PATH: install one of {', '.join(BROWSERS)}"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def book() -> Path:
    return built_book()


@pytest.fixture(scope="session")
def address(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plain static server, with a strict policy, and the book in a subfolder."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(book, root / "courses" / "snn", ignore=shutil.ignore_patterns("*.map"))

    with served(root) as base:
        yield f"{base}/courses/snn"


@pytest.fixture(params=["disk", "server"])
def visit(request: pytest.FixtureRequest, chromium: Browser, book: Path) -> Iterator[Visit]:
    base = book.as_uri() if request.param == "disk" else request.getfixturevalue("address")
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, base)
    context.close()


@pytest.fixture
def reader(chromium: Browser, book: Path) -> Iterator[Visit]:
    """One who opened the book from disk."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, book.as_uri())
    context.close()


@pytest.fixture
def guarded(chromium: Browser, folder: Path) -> Iterator[Visit]:
    """A browser that reads the page in the ``folder`` of a test module from a server that allows little."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    with served(folder) as base:
        yield Visit(context, base)
    context.close()
