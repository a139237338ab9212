"""What a page computes with its workers, beside PyTorch: 500 test digits attacked, from the press of the button to the last one.

    python benchmarks/laboratory.py

A page from disk in a real Chromium, with as many workers as it starts by itself; the digits are loaded before. The peer attacks
the same digits in batches of 500, in this process, on one thread. Targets on two quiet cores: FGSM 1 s, PGD-10 5 s.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from pages import SIZE, chromium
from playwright.sync_api import Page
from table import Row, circumstances, markdown

from snnlab import data, zoo
from snnlab.attacks import INFORMED, Budget, attack
from snnlab.widgets.traits import BUNDLE
from snnlab.zoo import export

DIGITS, EPS = 500, 0.1
CODES = ("onset", "latency")
TARGETS = {"fgsm": 1000, "pgd": 5000}  # ms
ELEMENT = '<snn-lab explorer="robustness" encoding="{code}" attack="{attack}" attacker="informed" eps="{eps}"></snn-lab>'
MEASURED = "document.querySelector('snn-lab').shadowRoot.querySelector('.bench button').textContent"


def _page_ms(page: Page, folder: Path, code: str, method: str) -> float:
    """Return the time that the page needs for all digits, with workers that are warm from twenty others."""
    element = ELEMENT.format(code=code, attack=method, eps=EPS / 2)
    (folder / "index.html").write_text(f'<meta charset="utf-8"><script defer src="snnlab.js"></script>{element}')
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("snn-lab[data-ready]")
    page.get_by_role("button", name="Measure it here").click()
    page.wait_for_function(f"{MEASURED} === 'Measured'")
    page.evaluate(f"document.querySelector('snn-lab').setAttribute('eps', '{EPS}')")
    page.wait_for_function(f"{MEASURED} === 'Measure it here'")
    page.wait_for_timeout(500)
    start = "performance.mark('begin'), document.querySelector('snn-lab').shadowRoot.querySelector('.bench button').click()"
    page.evaluate(start)
    page.wait_for_function(f"{MEASURED} === 'Measured'", polling=5)
    elapsed: float = page.evaluate("performance.now() - performance.getEntriesByName('begin').at(-1).startTime")
    return elapsed


def _torch_ms(code: str, method: str) -> float:
    test, model = data.load("mnist5k").test[:DIGITS], zoo.load(code)
    began = time.perf_counter()
    result = attack(model, test.images, test.labels, Budget(EPS), method, INFORMED, steps=10, generator=torch.Generator())
    model.predict(result.images)
    return 1000 * (time.perf_counter() - began)


def rows() -> Iterator[Row]:
    """Measure both attacks on both codes."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        for script in BUNDLE.parent.glob("snnlab*.js"):
            shutil.copy(script, folder)
        for key in ("zoo", "digits/test", *(f"model/{model}" for model in zoo.names("codes"))):
            (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(300_000)
        for method, target in TARGETS.items():
            for code in CODES:
                what = f"{DIGITS} digits in the page, {method}, {code} (target {target:,} ms)"
                yield Row(what, "PyTorch, one thread", _page_ms(page, folder, code, method), _torch_ms(code, method))


if __name__ == "__main__":
    table = markdown(rows())
    print(f"{circumstances()}\n\n{table}")
