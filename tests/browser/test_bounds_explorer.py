"""What the explorer of robustness shows of all attackers inside ε: bands of the votes, and a sign at every exit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, expect
from visiting import Visit, lone_page, put

from snnlab import Budget, data, zoo
from snnlab.evaluation.certificates import certify
from snnlab.widgets import RobustnessExplorer
from snnlab.zoo import export

DIGIT, EPS = 3, 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bounds")
    keys = ("zoo", *(f"model/{name}" for name in ("onset", "poisson")))
    scripts = {key.replace("/", "-"): export.script(key) for key in keys}
    return lone_page(folder, RobustnessExplorer(image=DIGIT, encoding="onset", attack="none", eps=EPS).to_html(), **scripts)


@pytest.fixture
def visit(chromium: Browser, folder: Path) -> Iterator[Visit]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield Visit(context, folder.as_uri())
    context.close()


def test_every_exit_has_the_sign_that_python_proves(visit: Visit) -> None:
    explorer = visit.open("index").explorer("robustness")
    signs = explorer.locator(".known")
    expect(signs).to_have_count(8)
    row = export.sample_digits()[DIGIT : DIGIT + 1]
    test, network = data.load("mnist5k").test, zoo.load("onset")
    proved = certify(network, test.images[row], test.labels[row], Budget(EPS)).proved_at_every_exit[:, 0]
    shown = [sign.get_attribute("data-known") == "proved" for sign in signs.all()]
    assert shown == proved.tolist()
    assert torch.any(proved)
    put(explorer, exit_step=str(int(proved.nonzero()[0]) + 1))
    expect(explorer.locator(".effect")).to_contain_text("no attacker inside this ε can change the answer")
    assert visit.problems == []


def test_a_random_code_and_a_budget_of_nothing_have_no_bands(visit: Visit) -> None:
    explorer = visit.open("index").explorer("robustness")
    expect(explorer.locator(".band")).to_have_count(2)
    put(explorer, encoding="poisson")
    expect(explorer.locator(".band")).to_have_count(0)
    put(explorer, encoding="onset")
    expect(explorer.locator(".band")).to_have_count(2)
    put(explorer, eps="0")
    expect(explorer.locator(".band")).to_have_count(0)
    assert visit.problems == []
