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
from building import BOOK
from playwright.sync_api import Browser, Locator, Page, expect

#: what the first cell of a notebook holds, by explorer
FROM_THE_ZOO = {
    "robustness": 'RobustnessExplorer(encoding="offset", eps=0.1)',
    "training": 'TrainingExplorer(code="onset", eps=0.1)',
    "exit": 'ExitExplorer(encoding="latency", eps=0.1)',
    "fusion": 'FusionExplorer(encoding="fusion", eps=0.1)',
    "attack": 'AttackExplorer(image=7, encoding="offset", eps=0.1)',
}

NET = """\
import snntorch, torch
from torch import nn
from snnlab import data, encoder
from snnlab.networks.classifier import Classifier

class Net(nn.Module):
    def __init__(self, pixels=784):
        super().__init__()
        self.first, self.second = nn.Linear(pixels, 50), nn.Linear(50, 10)
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
of = {"images": test.images, "labels": test.labels}
"""

OWN_NETWORKS = {
    "robustness": "RobustnessExplorer(model=Net(), **of)",
    "training": 'TrainingExplorer(models={"small": Classifier(Net(), encoder("onset")), '
    '"other": Classifier(Net(), encoder("latency"))}, **of)',
    "exit": "ExitExplorer(model=Net(), **of)",
    "attack": "AttackExplorer(model=Net(), **of)",
    "fusion": 'FusionExplorer(model=Classifier(Net(1568), encoder("fusion(0.125*direct, latency)")), **of)',
}

CODE = """\
from dataclasses import dataclass
from snnlab.encoding import Encoder
from snnlab.encoding.base import step_derivative

@dataclass(frozen=True)
class Own(Encoder):
    name = "my own"

    def _spikes(self, images, generator):
        steps = torch.arange(self.num_steps).view(-1, 1, 1, 1, 1)
        return ((1 - images).sqrt() * self.num_steps).floor().eq(steps).to(images.dtype)

    def _derivative(self, images):
        edges = (torch.arange(self.num_steps + 1) / self.num_steps) ** 2 - 1
        return step_derivative(images, edges, self.slope).diff(dim=0)

"""

EARLY = """\
explorer = RobustnessExplorer(encoding="offset", eps=0.1)
display(explorer)
explorer.eps = 0.2
explorer.encoding = "latency"
"""

EVERY = pytest.mark.parametrize("kind", [kind for kind in FROM_THE_ZOO if kind != "attack"])


def _cell(explorer: str, before: str = "") -> str:
    return f"{before}from snnlab.widgets import {explorer.partition('(')[0]}\n\nexplorer = {explorer}\nexplorer"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A JupyterLab on a free port, with a folder of notebooks, and settings of its own."""
    folder = tmp_path_factory.mktemp("lab")
    cells = {f"zoo-{kind}": _cell(made) for kind, made in FROM_THE_ZOO.items()}
    cells |= {f"own-{kind}": _cell(made, NET) for kind, made in OWN_NETWORKS.items()}
    cells["own-code"] = _cell('RobustnessExplorer(Classifier(Net(), Own()), attack="pgd", eps=0.2, **of)', NET + CODE)
    cells["early"] = "from snnlab.widgets import RobustnessExplorer\n\n" + EARLY
    for name, source in cells.items():
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source), nbformat.v4.new_code_cell("")])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        nbformat.write(notebook, folder / f"{name}.ipynb")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [cell for cell in nbformat.read(BOOK / "neuron.ipynb", 4).cells if cell.cell_type == "markdown"]
    shown = [next(cell for cell in words if part in cell.source) for part in ("{admonition}", "{exercise}")]
    nbformat.write(nbformat.v4.new_notebook(cells=shown), folder / "words.ipynb")
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
            server.wait(60)  # kernels that are still starting are waited for


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


def _shut_down(lab: str) -> None:
    for kernel in _kernels(lab):
        urllib.request.urlopen(urllib.request.Request(f"{lab}/api/kernels/{kernel['id']}", method="DELETE"), timeout=20)


def test_cell_runs_pytorch_answers_and_traits_follow(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-robustness")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    explorer.get_by_label("exit step").focus()
    page.keyboard.press("ArrowLeft")
    expect(explorer.get_by_label("exit step")).to_have_value("7")
    _run_last_cell(page, "explorer.exit_step, explorer.encoding")
    output = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    expect(output).to_contain_text("(7, 'offset')", timeout=20_000)
    _run_last_cell(page, "explorer.encoding = 'onset'; explorer.attack = 'pgd'")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("onset", timeout=20_000)


@pytest.mark.case("a chapter in JupyterLab, whose words are those of a book")
def test_directives_and_roles_of_a_chapter_are_rendered(page: Page, lab: str) -> None:
    page.goto(f"{lab}/lab/tree/words.ipynb?reset")
    cells = page.locator(".jp-MarkdownCell")
    expect(cells.nth(1)).to_contain_text("Exercise 1", timeout=90_000)
    expect(cells.first.locator("aside").first).to_contain_text("In this chapter")
    assert re.findall(r"\{[a-z:-]+\}|:::|```", "".join(cells.all_inner_texts())) == []


@pytest.mark.case("messages before the view is there")
def test_what_a_cell_sets_after_it_has_shown_the_explorer_arrives(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "early")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("latency", timeout=20_000)
    expect(explorer.get_by_label("budget ε")).to_have_value("0.2")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)


def test_networks_of_all_training_rules_answer_from_the_kernel(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-training")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    expect(explorer.locator(".column .answer")).to_contain_text(["Reads", "Reads", re.compile("Reads|Silent")])
    explorer.get_by_role("combobox", name="code").select_option("direct")
    assert _kernel_state(page, "explorer.code") == "'direct'"
    _run_last_cell(page, "explorer.attack = 'pgd'; explorer.code = 'latency'")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("latency", timeout=20_000)
    expect(explorer.locator(".column .picture.changed")).to_have_count(3, timeout=20_000)


def test_exit_rule_and_late_attack_reach_the_kernel(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-exit")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    explorer.get_by_role("radio", name="margin").check(force=True)
    expect(explorer.locator(".effect")).to_contain_text("It leaves at exit", timeout=20_000)
    explorer.get_by_label("attack from").fill("4")
    assert _kernel_state(page, "explorer.rule, explorer.threshold, explorer.from_step") == "('margin', 2.0, 3)"
    expect(explorer.locator(".meter")).to_contain_text("nJ")


def test_mix_and_silence_reach_the_kernel(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-fusion")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    explorer.get_by_label("gate on direct").fill("0")
    expect(explorer.locator(".tags")).to_contain_text("× 1/32", timeout=20_000)
    explorer.get_by_role("group", name="silence a part").get_by_label("direct").check(force=True)
    expect(explorer.locator(".tags")).to_contain_text("silenced", timeout=20_000)
    assert _kernel_state(page, "explorer.encoding, explorer.silenced") == "('fusion-32nd', 0)"


def test_four_attackers_run_in_the_kernel_and_traits_follow(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-attack")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    expect(explorer.locator(".attack-column .ending").first).to_have_text("not broken in 10 steps")
    expect(explorer.locator('.attack-column[data-method="assg"] .ending')).to_contain_text("broken at step")
    explorer.get_by_label("step", exact=True).focus()
    page.keyboard.press("ArrowLeft")
    assert _kernel_state(page, "explorer.step, explorer.encoding") == "(9, 'offset')"
    _run_last_cell(page, "explorer.encoding = 'direct'; explorer.eps = 0.05")
    expect(explorer.get_by_role("combobox", name="network")).to_have_value("direct", timeout=20_000)
    expect(explorer.locator(".attack-column .zero").first).to_have_text("a gradient on every pixel", timeout=20_000)


def test_a_network_of_your_own_is_attacked_in_the_kernel(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "own-attack")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    expect(explorer.locator(".attack-column .answer")).to_contain_text([re.compile("Reads|Silent")] * 5)
    assert _kernel_state(page, "sorted(explorer.result())") == "['assg', 'bpda', 'eot', 'naive', 'spike_train']"


def test_a_code_of_your_own_is_attacked_in_the_kernel(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "own-code")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("my own")
    shown = "sorted({int(t) for t in (explorer.result()['attacked']['input'] > 0).reshape(8, -1).any(1).nonzero()[0]})"
    assert _kernel_state(page, shown).endswith("7]")  # raised black speaks in the last step
    explorer.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowLeft")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel")


def test_kernel_is_killed_and_the_browser_takes_over(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-attack")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    page.wait_for_timeout(5000)  # the networks come over in the background
    _shut_down(lab)
    explorer.get_by_role("combobox").first.select_option("direct")
    expect(explorer.locator(".badge")).to_contain_text("computed in your browser", timeout=20_000)
    expect(explorer).to_contain_text("The kernel does not answer, so your browser computes.")


@EVERY
def test_kernel_is_killed_and_the_browser_goes_on_and_says_so(kind: str, page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, f"zoo-{kind}")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    page.wait_for_timeout(5000)  # the networks come over in the background
    _shut_down(lab)
    explorer.get_by_role("combobox").first.select_option(index=0)
    explorer.get_by_label("FGSM", exact=True).check(force=True)
    expect(explorer.locator(".badge")).to_contain_text("computed in your browser", timeout=20_000)
    expect(explorer).to_contain_text("The kernel does not answer, so your browser computes.")
    expect(explorer.locator(".answer").first).to_contain_text("Reads")


#: how a kernel ends: it dies and JupyterLab starts another, or it is shut down
DEATHS = {"dies": "import os; os._exit(1)", "shut down": None}


@pytest.mark.parametrize("death", DEATHS)
def test_settings_outlive_the_kernel_and_can_still_be_changed(death: str, page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-robustness")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    explorer.get_by_label("exit step").fill("6")
    explorer.get_by_label("PGD", exact=True).check(force=True)
    page.wait_for_timeout(5000)  # the networks come over in the background
    if source := DEATHS[death]:
        _run_last_cell(page, source)
        page.get_by_role("button", name="Ok").click(timeout=30_000)  # "The kernel appears to have died"
    else:
        _shut_down(lab)
    explorer.get_by_label("budget ε").fill("0.2")
    expect(explorer.locator(".badge")).to_contain_text("computed in your browser", timeout=20_000)
    explorer.get_by_role("combobox", name="code").select_option("latency")
    expect(explorer.locator(".effect")).to_contain_text("PGD moved")
    expect(explorer.get_by_label("exit step")).to_have_value("6")
    expect(explorer.get_by_label("budget ε")).to_have_value("0.2")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("latency")
    expect(explorer.locator(".curve h4")).to_contain_text("exit 6")


def test_settings_outlive_a_reload_of_the_page_while_the_kernel_lives(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-robustness")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    explorer.get_by_label("exit step").fill("6")
    explorer.get_by_role("combobox", name="code").select_option("latency")
    assert _kernel_state(page, "explorer.exit_step, explorer.encoding") == "(6, 'latency')"
    page.keyboard.press("Control+s")
    page.wait_for_timeout(2000)
    page.goto(f"{lab}/lab/tree/zoo-robustness.ipynb")
    explorer = page.locator(".jp-OutputArea [data-ready]").first
    expect(explorer).to_be_attached(timeout=60_000)
    expect(explorer.get_by_label("exit step")).to_have_value("6")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("latency")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)


def test_address_of_the_application_is_left_alone(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "zoo-robustness")
    before = page.url
    explorer.get_by_label("exit step").fill("6")
    page.wait_for_timeout(500)
    assert page.url == before
    expect(explorer.get_by_role("button", name="link to this state")).to_have_count(0)


@EVERY
def test_a_network_of_your_own_goes_in(kind: str, page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, f"own-{kind}")
    expect(explorer.locator(".badge")).to_contain_text("PyTorch in your kernel", timeout=20_000)
    expect(explorer).to_contain_text("Accuracy curves belong to the zoo's models")
    explorer.get_by_label("FGSM", exact=True).check(force=True)
    expect(explorer.locator(".picture.changed").first).to_be_visible(timeout=20_000)
    assert _kernel_state(page, "explorer.attack") == "'fgsm'"


def test_a_network_of_your_own_is_fed_by_every_code(page: Page, lab: str) -> None:
    explorer = _run_first_cell(page, lab, "own-robustness")
    assert _kernel_state(page, "explorer.encoding") == "'onset'"
    explorer.get_by_role("combobox", name="code").select_option("direct")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("direct")


def _kernel_state(page: Page, expression: str) -> str:
    _run_last_cell(page, expression)
    output = page.locator(".jp-CodeCell").last.locator(".jp-OutputArea-output")
    expect(output).to_be_visible(timeout=20_000)
    return output.inner_text().strip()
