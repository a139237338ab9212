"""The pages that ``explorer.py`` compares: the built book, the same page the html-manager way, a JupyterLab."""

from __future__ import annotations

import gzip
import http.server
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import ipywidgets
import nbformat
import torch
from ipywidgets.embed import embed_snippet
from playwright.sync_api import Browser, ViewportSize, sync_playwright

from snnlab import zoo
from snnlab.plotting.theme import png
from snnlab.widgets import RobustnessExplorer

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "_build" / "html"
CLOCK = (Path(__file__).parent / "clock.js").read_text()
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FLAGS = ("--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync")
#: the peer's scripts: what ``ipywidgets.embed`` names, from npm instead of other hosts
PEER_SCRIPTS = {"@jupyter-widgets/html-manager": ("1.0.15", "dist/embed-amd.js"), "requirejs": ("2.3.8", "require.js")}
SIZE = ViewportSize(width=1280, height=900)

#: the explorer's control as `interact` makes it: everything is computed and drawn by the kernel, and sent as a picture
INTERACT = f"""{(Path(__file__).parent / "picture.py").read_text()}
from IPython.display import Image, display
from ipywidgets import FloatSlider, IntSlider, interact
from snnlab import data, zoo
from snnlab.widgets.compute import Request, frame

digit = data.load("mnist5k").test[7:8]
models = {{name: zoo.load(name) for name in zoo.names("codes")}}
records = {{name: zoo.results(name) for name in zoo.names("codes")}}

def show(code, attack, eps, exit_step):
    request = Request(digit.images[0], int(digit.labels[0]), code, attack, "informed", eps, exit_step)
    display(Image(picture(frame(models[code], request), records, request)))

interact(show, code=list(models), attack=["none", "noise", "fgsm", "pgd"],
         eps=FloatSlider(0.1, min=0, max=0.3, step=0.01), exit_step=IntSlider(8, min=1, max=8));"""


@contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the tests."""
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        raise SystemExit(f"no browser on the PATH: install one of {', '.join(BROWSERS)}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield browser
        browser.close()


class Site:
    """A folder behind a plain static server that compresses, as public hosts do, and counts what it sends."""

    def __init__(self, folder: Path) -> None:
        site, packed = self, dict[Path, bytes]()
        self.sent = 0

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self) -> None:
                path = Path(self.translate_path(self.path))
                if not path.is_file():
                    self.send_error(404)
                    return
                if path not in packed:
                    packed[path] = gzip.compress(path.read_bytes(), 6)
                site.sent += len(packed[path])
                self.send_response(200)
                self.send_header("Content-Type", self.guess_type(path))
                self.send_header("Content-Encoding", "gzip")
                self.send_header("Content-Length", str(len(packed[path])))
                self.end_headers()
                self.wfile.write(packed[path])

            def log_message(self, *_: object) -> None:
                pass

        def handler(*arguments: Any) -> Handler:
            return Handler(*arguments, directory=str(folder))

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Site:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()


def copy_book(folder: Path) -> Path:
    """A copy of the built book, with a page ``peer.html`` beside ``intro.html``."""
    if not (BOOK / "intro.html").exists():
        raise SystemExit("the book is not built: run `make book` first")
    site = folder / "site"
    shutil.copytree(BOOK, site, ignore=shutil.ignore_patterns("*.map"))
    packages = [f"{name}@{version}" for name, (version, _) in PEER_SCRIPTS.items()]
    quiet = ["--no-save", "--no-fund", "--no-audit", "--ignore-scripts", "--loglevel=error"]
    subprocess.run(["npm", "install", f"--prefix={folder}", *quiet, *packages], check=True, stdout=subprocess.DEVNULL)
    for name, (_, script) in PEER_SCRIPTS.items():
        shutil.copy(folder / "node_modules" / name / script, site / "_static")
    (site / "peer.html").write_text(_peer((site / "intro.html").read_text()))
    return site


def _peer(page: str) -> str:
    """The page of the book with classic widgets and their html-manager where the explorer and its script stand.

    The scripts come in the head, as Jupyter Book places them. The picture is the one the explorer has as fallback, so the
    widgets show as much as they can without a kernel; moving them changes nothing.
    """
    explorer = RobustnessExplorer(image=7, encoding="offset", attack="fgsm", attacker="naive", eps=0.1)
    widgets = [
        ipywidgets.Dropdown(options=zoo.names("codes"), value="offset", description="code"),
        ipywidgets.ToggleButtons(options=["none", "noise", "FGSM", "PGD"], value="FGSM", description="attacker"),
        ipywidgets.ToggleButtons(options=["naive", "informed"], description="knows?"),
        ipywidgets.FloatSlider(0.1, min=0, max=0.3, step=0.001, description="budget ε"),
        ipywidgets.IntSlider(8, min=1, max=8, description="exit step"),
        ipywidgets.Image(value=png(explorer._still())),
    ]
    snippet = embed_snippet(views=[ipywidgets.VBox(widgets)], state=None, drop_defaults=True)
    content = re.sub(r"<script[^>]* src=.*?</script>", "", snippet)
    scripts = "".join(f'<script src="_static/{Path(path).name}"></script>' for _, path in reversed(PEER_SCRIPTS.values()))
    page, explorers = re.subn(r"<snn-lab .*?</snn-lab>", lambda _: content, page, count=1, flags=re.DOTALL)
    page, bundles = re.subn(r'<script[^>]*src="_static/snnlab\.js[^>]*></script>', scripts, page)
    if (explorers, bundles) != (1, 1):
        raise SystemExit("intro.html holds no explorer where this script looks for one")
    return page


@contextmanager
def jupyterlab(folder: Path) -> Iterator[str]:
    """A JupyterLab on a free port with the notebook ``interact`` and settings of its own."""
    root = folder / "lab"
    root.mkdir()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(INTERACT)])
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(notebook, root / "interact.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR", "JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    settings = {name: str(folder / "jupyter" / name.lower()) for name in own}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    command += ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={root}"]
    command += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=os.environ | settings, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server, folder / "lab.log")
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(120):
        if server.poll() is not None:
            break
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise SystemExit(f"JupyterLab did not start:\n{log.read_text()}")


def versions(browser: Browser) -> str:
    """What was measured with."""
    ours = f"Chromium {browser.version} (headless), Python {sys.version.split()[0]}, torch {torch.__version__}"
    return f"{ours}, ipywidgets {ipywidgets.__version__}, html-manager {PEER_SCRIPTS['@jupyter-widgets/html-manager'][0]}"
