"""Explorers outside the book: in a notebook that became a page, inside containers, and several on one page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import nbconvert
import nbformat
import pytest
import snntorch as snn
from playwright.sync_api import Browser, Locator, expect
from torch import nn
from visiting import Visit, lone_page

from snnlab import data, zoo
from snnlab.widgets import EncoderExplorer, NeuronExplorer, RobustnessExplorer
from snnlab.widgets.containers import container_html
from snnlab.widgets.notebooks import LiveExplorers, embed
from snnlab.zoo import export


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("homes")
    for key in ("zoo", *(f"model/{name}" for name in zoo.names("codes"))):
        (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
    return folder


@pytest.fixture(params=["light", "dark"])
def offline(request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1100, "height": 900}, offline=True, color_scheme=request.param)
    yield Visit(context, tmp_path.as_uri())
    context.close()


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1100, "height": 900}, offline=True)
    yield Visit(context, folder.as_uri())
    context.close()


def _notebook(*shown: str) -> nbformat.NotebookNode:
    """As JupyterLab saves it: of every explorer its element, and the number of a widget."""
    view = {"application/vnd.jupyter.widget-view+json": {"model_id": "0", "version_major": 2, "version_minor": 0}}
    outputs = [nbformat.v4.new_output("display_data", data=view | {"text/html": html}) for html in shown]
    cells = [nbformat.v4.new_markdown_cell("# A lesson"), nbformat.v4.new_code_cell("explorer", outputs=outputs)]
    return nbformat.v4.new_notebook(cells=cells)


def _write(folder: Path, notebook: nbformat.NotebookNode, **options: Any) -> None:
    page, _ = nbconvert.HTMLExporter(**options).from_notebook_node(notebook)
    # nbconvert's own page names two scripts of other hosts, for equations and old modules; here there is no network.
    (folder / "lesson.html").write_text(str(page), encoding="utf-8")


def _own_problems(visit: Visit) -> list[str]:
    hosts = ("cdnjs.cloudflare.com", "net::ERR_INTERNET_DISCONNECTED")
    return [problem for problem in visit.problems if not any(host in problem for host in hosts)]


def _answers(explorer: Locator, label: str, value: str, changed: Locator) -> None:
    before = changed.inner_text()
    explorer.get_by_label(label).first.fill(value)
    expect(changed).not_to_have_text(before)


def test_a_saved_notebook_becomes_a_page_with_live_explorers(offline: Visit, tmp_path: Path) -> None:
    robustness, neuron = RobustnessExplorer(eps=0.05, attack="fgsm"), NeuronExplorer()
    _write(tmp_path, _notebook(robustness.to_html(), neuron.to_html()), preprocessors=[LiveExplorers])
    first = offline.open("lesson").explorer("robustness")
    expect(first.locator(".badge")).to_have_text("computed in your browser")
    _answers(first, "budget ε", "0.3", first.locator(".effect"))
    second = offline.explorer("neuron")
    _answers(second, "decay β", "0.3", second.locator(".equation").last)
    with offline.page.expect_download():  # what is loaded on demand is in the page too
        first.get_by_role("button", name="take along").click()
        first.get_by_role("button", name="table, CSV").click()
    assert _own_problems(offline) == []


@pytest.mark.case("a saved notebook through plain nbconvert")
def test_a_network_of_your_own_is_alive_in_a_page_that_nbconvert_made_by_itself(offline: Visit, tmp_path: Path) -> None:
    test = data.load("mnist5k").test[:4]
    net = nn.Sequential(nn.Flatten(), *_trained())
    own = [RobustnessExplorer(net, test.images, test.labels, eps=eps, attack="fgsm") for eps in (0.1, 0.02)]
    _write(tmp_path, _notebook(*(explorer.to_html() for explorer in own)))
    offline.open("lesson")
    explorers = offline.page.locator("snn-lab")
    for k, explorer in enumerate(own):
        lab = explorers.nth(k)
        expect(lab).to_have_attribute("data-ready", "", timeout=20_000)
        answer = int(explorer.result()["attacked"]["predictions"][-1])
        expect(lab.locator(".controls")).to_contain_text(f"Reads {answer}" if answer >= 0 else "o answer")
        _answers(lab, "budget ε", "0.3", lab.locator(".effect"))
    assert _own_problems(offline) == []


def _trained() -> list[nn.Module]:
    first, second = zoo.load("direct").network.layers
    options = {"beta": 0.9, "init_hidden": True}
    return [first, snn.Leaky(**options), second, snn.Leaky(**options, output=True)]


@pytest.mark.case("a saved notebook that carries networks of the zoo")
def test_a_cell_that_embeds_makes_the_zoo_s_explorers_alive(offline: Visit, tmp_path: Path) -> None:
    _write(tmp_path, _notebook(RobustnessExplorer(eps=0.05, attack="fgsm").to_html(), embed("robustness").data))
    first = offline.open("lesson").explorer("robustness")
    _answers(first, "budget ε", "0.3", first.locator(".effect"))
    first.get_by_role("combobox", name="code").select_option("latency")
    expect(first.locator(".badge")).to_have_text("computed in your browser")
    assert _own_problems(offline) == []


def test_a_page_without_scripts_shows_the_pictures(offline: Visit, tmp_path: Path) -> None:
    _write(tmp_path, _notebook(NeuronExplorer().to_html()))
    page = offline.open("lesson").page
    picture = page.locator("snn-lab img")
    expect(picture).to_be_visible()
    assert picture.evaluate("p => p.naturalWidth") > 100
    assert _own_problems(offline) == []


@pytest.mark.case("explorers in VBox, HBox, Tab, in a page")
def test_explorers_inside_containers_are_alive(visit: Visit, folder: Path) -> None:
    pair = ipywidgets.HBox([EncoderExplorer(eps=0.1), NeuronExplorer()])
    tabs = ipywidgets.Tab([pair, RobustnessExplorer(eps=0.1, attack="fgsm")], titles=("codes", "network"))
    box = ipywidgets.VBox([ipywidgets.HTML("<h2>My lesson</h2>"), tabs])
    lone_page(folder, container_html(box) or "")
    neuron = visit.open("index").explorer("neuron")
    _answers(neuron, "decay β", "0.3", neuron.locator(".equation").last)
    network = visit.page.locator('snn-lab[explorer="robustness"]')
    expect(network).to_be_hidden()
    visit.page.get_by_text("network", exact=True).click()
    expect(network.locator(".effect")).to_be_visible()
    expect(neuron).to_be_hidden()  # one tab at a time
    _answers(network, "budget ε", "0.3", network.locator(".effect"))
    curve = network.locator(".curve svg.plot").first
    assert curve.evaluate("s => s.querySelectorAll('path').length") > 3, "it is drawn, though it began without a size"
    assert visit.problems == []


def test_explorers_of_one_page_share_engine_and_data(visit: Visit, folder: Path) -> None:
    shown = [RobustnessExplorer(encoding=name, eps=0.1, attack="fgsm").to_html() for name in ("onset", "onset", "latency")]
    requests: list[str] = []
    visit.page.on("request", lambda request: requests.append(request.url.rsplit("/", 1)[-1]))
    workers: list[str] = []
    visit.page.on("worker", lambda worker: workers.append(worker.url))
    lone_page(folder, "".join(shown))
    visit.open("index")
    for k in range(3):
        expect(visit.page.locator("snn-lab").nth(k)).to_have_attribute("data-ready", "", timeout=20_000)
    loaded = [name for name in requests if name.startswith("snnlab-")]
    assert {"snnlab-model-latency.js", "snnlab-model-onset.js", "snnlab-zoo.js"} <= set(loaded)
    assert len(loaded) == len(set(loaded)), "no script is asked for twice"
    assert len(workers) <= 4
    assert visit.problems == []


@pytest.mark.case("messages before the view is there")
def test_what_is_set_before_the_view_is_there_arrives(visit: Visit, folder: Path) -> None:
    early = """<script>
        const waiting = document.querySelector('snn-lab');
        waiting.setAttribute('eps', '0.2');
        waiting.setAttribute('encoding', 'latency');</script>"""
    lone_page(folder, '<snn-lab explorer="robustness" encoding="onset" eps="0.1" attack="fgsm"></snn-lab>' + early)
    explorer = visit.open("index").explorer("robustness")
    expect(explorer.get_by_label("budget ε")).to_have_value("0.2")
    expect(explorer.get_by_role("combobox", name="code")).to_have_value("latency")
    put_at_once = (
        "e => { e.setAttribute('eps', '0.05'); e.remove(); e.setAttribute('eps', '0.25'); document.body.append(e); }"
    )
    explorer.evaluate(put_at_once)  # moved to another place of the page, and set while it was nowhere
    expect(explorer.get_by_label("budget ε")).to_have_value("0.25")
    assert visit.problems == []
