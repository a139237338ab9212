"""A page of one file with a reader's network: it opens from disk with no network, and its explorer answers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import snntorch as snn
import torch
from playwright.sync_api import Browser, Page, expect
from torch import nn

from snnlab import data, zoo
from snnlab.widgets import RobustnessExplorer

READY = "snn-lab[data-ready]"


class Tutorial5(nn.Module):
    """snnTorch's tutorial 5, with trained weights."""

    def __init__(self) -> None:
        super().__init__()
        first, second = zoo.load("direct").network.layers
        self.fc1, self.lif1, self.fc2, self.lif2 = first, snn.Leaky(beta=0.9), second, snn.Leaky(beta=0.9)

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        mem1, mem2 = self.lif1.init_leaky(), self.lif2.init_leaky()
        spikes, potentials = [], []
        for _ in range(8):
            spk1, mem1 = self.lif1(self.fc1(x.flatten(1)), mem1)
            spk2, mem2 = self.lif2(self.fc2(spk1), mem2)
            spikes.append(spk2)
            potentials.append(mem2)
        return torch.stack(spikes), torch.stack(potentials)


def convolutions() -> nn.Sequential:
    """One step of a small network of convolutions, weights drawn at random."""
    torch.manual_seed(0)
    return nn.Sequential(
        *(nn.Conv2d(1, 4, 5, stride=2), nn.MaxPool2d(2), snn.Leaky(beta=0.8, threshold=0.1, init_hidden=True)),
        *(nn.Flatten(), nn.Linear(144, 10), snn.Leaky(beta=0.8, threshold=0.1, init_hidden=True, output=True)),
    )


@pytest.fixture(params=["tutorial 5", "convolutions"])
def published(
    request: pytest.FixtureRequest, chromium: Browser, tmp_path: Path
) -> Iterator[tuple[Page, RobustnessExplorer]]:
    network = Tutorial5() if request.param == "tutorial 5" else convolutions()
    test = data.load("mnist5k").test[:6]
    explorer = RobustnessExplorer(network.eval(), test.images, test.labels, attack="fgsm", eps=0.05)
    path = explorer.save(tmp_path / "page.html", "My network")
    context = chromium.new_context(viewport={"width": 390, "height": 844}, offline=True, color_scheme="dark")
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda asked: problems.append(asked.url) if not asked.url.startswith(("data:", "blob:")) else None)
    page.goto(path.as_uri())
    page.wait_for_selector(READY)
    yield page, explorer
    assert problems == [path.as_uri()], "the page asks for nothing but itself"
    context.close()


def test_a_network_of_a_reader_is_live_in_a_page_of_one_file(published: tuple[Page, RobustnessExplorer]) -> None:
    page, explorer = published
    votes = page.get_by_role("img", name="votes")
    verdict = page.locator(".answer")
    texts = set()
    for image, eps in ((0, 0.0), (0, 0.2), (3, 0.2)):
        page.evaluate(
            "([image, eps]) => { const lab = document.querySelector('snn-lab');"
            " lab.setAttribute('image', image); lab.setAttribute('eps', eps); }",
            [image, eps],
        )
        explorer.image, explorer.eps = image, eps
        shown = explorer.result()
        side = shown["attacked"] or shown["clean"]
        answer = int(side["predictions"][-1])
        page.wait_for_function(
            "says => document.querySelector('snn-lab').shadowRoot.querySelector('.controls').innerText.includes(says)",
            arg=f"Reads {answer}" if answer >= 0 else "o answer",
        )
        texts.add((verdict.first.inner_text(), votes.count()))
    assert texts
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is wider than a phone"
    assert "in this file" in page.inner_text("body")


def test_a_saved_explorer_of_the_zoo_measures_on_the_digits_that_it_brings_along(chromium: Browser, tmp_path: Path) -> None:
    path = RobustnessExplorer(encoding="onset", attack="fgsm", eps=0.05).save(tmp_path / "page.html")
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_selector(READY)
    page.get_by_role("button", name="Measure it here").click()
    fallen = page.locator(".bench").get_by_role("button", name="test digit")
    expect(fallen.first).to_be_visible(timeout=60_000)
    assert not page.locator(".notice[role=alert]").is_visible()
    context.close()
