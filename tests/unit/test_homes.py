"""Explorers away from the cell that made them: inside containers of ipywidgets, and in notebooks that become pages."""

from __future__ import annotations

import re
from typing import Any

import ipywidgets
import nbconvert
import nbformat
import pytest
import snntorch as snn
import torch
from IPython.core.formatters import DisplayFormatter
from torch import nn

from snnlab import widgets
from snnlab.widgets import EncoderExplorer, NeuronExplorer, RobustnessExplorer, containers
from snnlab.widgets.containers import container_html
from snnlab.widgets.notebooks import KIND, VIEW, LiveExplorers, data_keys, embed, inlined
from snnlab.widgets.page import PARTS, SHARED
from snnlab.zoo import export


@pytest.mark.parametrize(
    "kind", [ipywidgets.VBox, ipywidgets.HBox, ipywidgets.Tab, ipywidgets.Accordion, ipywidgets.GridBox]
)
def test_a_container_holds_the_elements_of_its_explorers_in_order(kind: Any) -> None:
    shown = container_html(kind([NeuronExplorer(beta=0.7), ipywidgets.HBox([EncoderExplorer(eps=0.2)])]))
    assert shown
    assert KIND.findall(shown) == ["neuron", "encoder"]
    assert 'beta="0.7"' in shown
    assert 'eps="0.2"' in shown


def test_tabs_are_folds_with_their_titles_and_the_selected_one_is_open() -> None:
    tab = ipywidgets.Tab([NeuronExplorer(), NeuronExplorer()], titles=("a < b", ""), selected_index=1)
    shown = container_html(tab) or ""
    assert re.findall(r"<details [^>]*?(open)?><summary[^>]*>(.*?)</summary>", shown) == [
        ("", "a &lt; b"),
        ("open", "part 2"),
    ]
    groups = [set(re.findall(r'name="(snn-group-\d+)"', container_html(tab) or "")) for _ in range(2)]
    assert groups[0].isdisjoint(groups[1]), "two containers of a page are independent"


def test_other_widgets_of_a_container_are_text_and_cannot_break_out_of_it() -> None:
    slider = ipywidgets.IntSlider(value=3, description="<b>")
    shown = container_html(ipywidgets.VBox([ipywidgets.HTML("<h3>A title</h3>"), slider, NeuronExplorer()])) or ""
    assert "<h3>A title</h3>" in shown
    assert "<p>&lt;b&gt;: 3</p>" in shown


def test_a_container_without_an_explorer_is_left_as_it_is() -> None:
    assert container_html(ipywidgets.VBox([ipywidgets.IntSlider()])) is None


@pytest.mark.case("explorers in VBox, HBox, Tab, in a notebook")
def test_a_cell_that_shows_a_container_stores_widget_and_elements(monkeypatch: pytest.MonkeyPatch) -> None:
    formatter = DisplayFormatter()
    shell = type("Shell", (), {"display_formatter": formatter})
    monkeypatch.setattr(containers, "get_ipython", lambda: shell)
    containers.register()
    data, _ = formatter.format(ipywidgets.VBox([NeuronExplorer()]))
    assert {VIEW, "text/html"} <= set(data)
    assert "text/html" not in formatter.format(ipywidgets.VBox([]))[0]


def _notebook(*outputs: dict[str, Any]) -> nbformat.NotebookNode:
    cell = nbformat.v4.new_code_cell(
        "explorer", outputs=[nbformat.v4.new_output("display_data", data=data) for data in outputs]
    )
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# A lesson"), cell])


def _page(notebook: nbformat.NotebookNode, *preprocessors: Any) -> str:
    page, _ = nbconvert.HTMLExporter(preprocessors=list(preprocessors)).from_notebook_node(notebook)
    return str(page)


@pytest.mark.case("VS Code shows a saved notebook without its widgets")
@pytest.mark.parametrize("make", [NeuronExplorer, lambda: _own("HBox"), lambda: _own("")])
def test_a_saved_output_has_a_widget_for_a_kernel_and_html_for_readers_without_one(make: Any) -> None:
    """A reader that has no model of the widget takes the next form that it knows; VS Code does, and so does nbconvert."""
    data, _ = DisplayFormatter().format(made := make())
    data |= {} if "text/html" in data else {"text/html": container_html(made)}
    assert (data[VIEW]["version_major"], data[VIEW]["model_id"]) == (2, made.model_id)
    assert data["text/plain"]
    notebook = _notebook(data)
    nbformat.validate(notebook)
    page = _page(nbformat.reads(nbformat.writes(notebook), 4))
    assert "<snn-lab " in page
    assert 'src="data:image/png;base64,' in page
    assert "widget-view" not in page
    assert ('type="application/x-snnlab"' in page) == (make is not NeuronExplorer)


def _own(box: str) -> ipywidgets.Widget:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), snn.Leaky(beta=0.9, init_hidden=True, output=True))
    explorer = RobustnessExplorer(net, torch.rand(4, 1, 8, 8), [0, 1, 2, 3])
    return getattr(ipywidgets, box)([explorer]) if box else explorer


def test_an_output_brings_the_scripts_of_your_network_once_unless_the_pages_share_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    explorer = _own("")
    alone = explorer.to_html()
    assert alone.count('id="snnlab"') == 1
    monkeypatch.setenv(SHARED, "1")
    shared = explorer.to_html()
    assert 'id="snnlab"' not in shared
    assert 'type="application/x-snnlab"' in shared, "its data come in any case"
    assert len(shared) < len(alone) - 100_000
    assert _page(_notebook({"text/html": shared}, {"text/html": embed("robustness").data})).count("data-snnlab=") > len(
        PARTS
    )


def test_scripts_and_data_stand_in_a_page_once() -> None:
    shown = {"text/html": NeuronExplorer().to_html(), VIEW: {"model_id": "1", "version_major": 2, "version_minor": 0}}
    page = _page(_notebook(shown, {"text/html": [EncoderExplorer().to_html()]}), LiveExplorers)
    assert page.count("<snn-lab ") == 2
    for key in ("zoo", *PARTS):
        assert page.count(f'data-snnlab="{key}"') == 1
    assert "model/" not in "".join(re.findall(r'data-snnlab="([^"]+)"', page)), "neither explorer asks for a network"
    assert VIEW not in page


def test_a_page_without_the_preprocessor_has_the_pictures_and_one_without_explorers_stays_as_it_is() -> None:
    page = _page(_notebook({"text/html": NeuronExplorer().to_html()}))
    assert 'src="data:image/png;base64,' in page
    assert "data-snnlab" not in page
    assert "data-snnlab" not in _page(_notebook({"text/html": "<p>plain</p>"}), LiveExplorers)


@pytest.mark.parametrize("name", widgets.__all__)
def test_every_explorer_says_which_data_it_asks_for(name: str) -> None:
    kind = getattr(widgets, name).kind
    assert set(data_keys(kind)) <= set(export.keys())
    assert data_keys(kind) or kind == "neuron"
    assert ("digits/test" in data_keys(kind)) == (kind in ("robustness", "exit", "paint", "playground")), (
        "these measure on all digits"
    )


def test_an_unknown_explorer_is_an_error_that_lists_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"unknown explorer 'card'; choose one of .*robustness"):
        data_keys("card")


def test_no_script_ends_or_hides_its_element() -> None:
    page = inlined(["encoder"])
    assert page.count("<script") == page.count("</script>") == len(PARTS) + 2
    assert "<!--" not in page
