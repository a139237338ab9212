"""Readers for the tests: from disk and from a server, with a real browser."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from building import built_book
from playwright.sync_api import Browser
from visiting import Visit


@pytest.fixture(scope="session")
def book() -> Path:
    return built_book()


@pytest.fixture(scope="session")
def address(book: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A plain static server with the book in a subfolder."""
    root = tmp_path_factory.mktemp("site")
    shutil.copytree(book, root / "courses" / "snn", ignore=shutil.ignore_patterns("*.map"))

    class Silent(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Silent, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/courses/snn"
    server.shutdown()


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
