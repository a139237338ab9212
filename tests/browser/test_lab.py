"""A student's journey in a real JupyterLab: run the cell, bring a network, lose the kernel."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

FROM_THE_ZOO = """\
from snnlab.widgets import RobustnessExplorer

explorer = RobustnessExplorer(encoding="offset", eps=0.1)
explorer"""

OWN_NETWORK = """\
import snntorch, torch
from torch import nn
from snnlab import data
from snnlab.widgets import RobustnessExplorer

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(784, 50), nn.Linear(50, 10)
        self.hidden, self.out = snntorch.Leaky(beta=0.9), snntorch.Leaky(beta=0.9)

    def forward(self, sequence):
        u, v, spikes, potentials = self.hidden.init_leaky(), self.out.init_leaky(), [], []
        for x in sequence.flatten(2):
            s, u = self.hidden(self.first(x), u)
            s, v = self.out(self.second(s), v)
            spikes.append(s)
            potentials.append(v)
        return torch.stack(spikes), torch.stack(potentials)

test = data.load("mnist5k").test[:12]
own = RobustnessExplorer(model=Net(), images=test.images, labels=test.labels)
own"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab on a free port, with a folder of notebooks, and settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    cells = {"zoo": FROM_THE_ZOO, "own": OWN_NETWORK}
    for name, source in cells.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("")])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = {f"JUPYTER_{kind}_DIR": str(folder / ".jupyter" / kind.lower()) for kind in ("CONFIG", "RUNTIME")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--port={port}", "--ip=127.0.0.1"]
    options = ["--IdentityProvider.token=", "--ServerApp.disable_check_xsrf=True", f"--ServerApp.root_dir={folder}"]
    options += ["--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    settings["JUPYTERLAB_SETTINGS_DIR"] = str(folder / ".jupyter" / "settings")
    settings["JUPYTERLAB_WORKSPACES_DIR"] = str(folder / ".jupyter" / "workspaces")
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen([*command, *options], env=os.environ | settings, stdout=log, stderr=log)
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_for(address, server, folder / "lab.log")
            yield address
        finally:
            server.terminate()
            server.wait(20)


def _wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(120):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/api/status", timeout=2)
        except OSError:
            time.sleep(0.5)
        else:
            return
    raise AssertionError(log.read_text())


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1500, "height": 1100})
    yield context.new_page()
    context.close()


def _run_first_cell(page: Page, lab: str, notebook: str) -> Locator:
    page.goto(f"{lab}/lab/tree/{notebook}.ipynb?reset")
    cell = page.locator(".jp-CodeCell").first
    expect(page.locator(".jp-NotebookPanel .jp-Toolbar-kernelName").first).to_contain_text("Python", timeout=60_000)
    _start(page, cell)
    explorer = page.locator(".jp-OutputArea [data-ready]").first
    expect(explorer).to_be_attached(timeout=60_000)
    return explorer


def _start(page: Page, cell: Locator) -> None:
    """Run a cell; a key that comes while JupyterLab is still moving the focus about is lost, and pressed again."""
    prompt = cell.locator(".jp-InputPrompt").first
    for _ in range(5):
        cell.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(2000)
        if re.search(r"[*\d]", prompt.inner_text()):
            return
    raise AssertionError("the cell did not start to run")


def _run_last_cell(page: Page, source: str) -> None:
    cell = page.locator(".jp-CodeCell").last
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(source)
    page.keyboard.press("Control+Enter")


def _kernels(lab: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{lab}/api/kernels", timeout=10) as reply:
        found: list[dict[str, Any]] = json.load(reply)
    return found


def test_cell_runs_pytorch_answers_and_traits_follow(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    explorer.get_by_label("exit step").focus()
    page.keyboard.press("ArrowLeft")
    expect(explorer.get_by_label("exit step")).to_have_value("7")
    _run_last_cell(page, "explorer.exit_step, explorer.encoding")
    output = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    expect(output).to_contain_text("(7, 'offset')", timeout=20_000)
    _run_last_cell(page, "explorer.encoding = 'onset'; explorer.attack = 'pgd'")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("onset", timeout=20_000)


def test_kernel_is_killed_and_the_browser_goes_on_and_says_so(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    page.wait_for_timeout(3000)  # the networks come over in the background
    for kernel in _kernels(lab):
        urllib.request.urlopen(urllib.request.Request(f"{lab}/api/kernels/{kernel['id']}", method="DELETE"), timeout=20)
    explorer.get_by_role("combobox", name="code").select_option("latency")
    expect(explorer.locator(".badge")).to_contain_text("computed in your browser", timeout=20_000)
    expect(explorer).to_contain_text("The kernel does not answer, so your browser computes.")
    expect(explorer.locator(".answer")).to_contain_text("Reads")


def test_a_network_of_your_own_goes_in(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "own")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    expect(explorer).to_contain_text("Accuracy curves belong to the zoo's models")
    before = _kernel_state(page, "own.encoding")
    explorer.get_by_role("combobox", name="code").select_option("direct")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("direct")
    assert before == "'onset'"


def _kernel_state(page: Page, expression: str) -> str:
    _run_last_cell(page, expression)
    output = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    expect(output).to_be_visible(timeout=20_000)
    return output.inner_text().strip()
