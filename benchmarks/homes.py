"""A network that somebody brings: how long does the door take to recognise it, and a page of one file to be written?

    python benchmarks/homes.py

A network of 784, 100 and 10 neurons with weights of float32, as snnTorch's tutorial 5 writes it, and 60 digits; one core.
Wanted: recognised in less than a second; written in less than ten, with at most 500 kB.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nbconvert
import nbformat
import snntorch as snn
import torch
from table import Row, markdown
from torch import nn
from training_step import against, median_ms

from snnlab import Classifier, data
from snnlab.widgets import RobustnessExplorer

SIZES, STEPS = (784, 100, 10), 25


class Tutorial5(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.lif1 = nn.Linear(*SIZES[:2]), snn.Leaky(beta=0.95)
        self.fc2, self.lif2 = nn.Linear(*SIZES[1:]), snn.Leaky(beta=0.95)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mem1, mem2, spikes, membranes = self.lif1.init_leaky(), self.lif2.init_leaky(), [], []
        for _ in range(STEPS):
            spk1, mem1 = self.lif1(self.fc1(x), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
            membranes.append(mem2)
        return torch.stack(spikes), torch.stack(membranes)


def figure_page(explorer: RobustnessExplorer) -> str:
    """A page of nbconvert with one figure, which nothing moves."""
    output = nbformat.v4.new_output("display_data", data={"text/html": explorer._drawn()[0]})
    cell = nbformat.v4.new_code_cell("explorer", outputs=[output])
    page, _ = nbconvert.HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[cell]))
    return str(page)


def rows() -> list[Row]:
    """Rows of time and of size."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    network, digits = Tutorial5(), data.load("mnist5k").test
    with torch.no_grad():
        probe = median_ms(
            {
                "ours": lambda: Classifier.of(network, digits.images),
                "a pass of 100 digits": lambda: network(digits.images[:100].flatten(1)),
            }
        )
    explorer = RobustnessExplorer(network, digits.images, digits.labels)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        page = median_ms({"ours": lambda: explorer.save(path), "nbconvert, a figure": lambda: figure_page(explorer)})
        kilobytes = [path.stat().st_size / 1e3, len(figure_page(explorer).encode()) / 1e3]
    size = Row("size of the page of an MLP, live", "nbconvert, a figure", *kilobytes, unit="kB")
    return [*against("recognise a network", probe), *against("write the page of an MLP, live", page), size]


if __name__ == "__main__":
    print(markdown(rows()))
