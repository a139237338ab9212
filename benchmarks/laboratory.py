"""What a page computes with its workers, beside PyTorch: 500 test digits attacked, and colour pictures one by one.

    python benchmarks/laboratory.py

A page from disk in a real Chromium, with as many workers as it starts by itself. The digits are loaded before, and 100 of them
measured under another ε; the time goes from the press of the button to the last digit. The peer attacks the same digits as one
batch, in this process, on one thread. Targets on two quiet cores: FGSM 1 s, PGD-10 5 s.

Pictures go through the convolutional networks of CIFAR-10 in one worker. The time goes from the change of the attribute to the
answer on the page, a median over our ten drawings; the peer answers with the same frame. Targets: FGSM 100 ms, PGD-10 1 s.
"""

from __future__ import annotations

import shutil
import statistics
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
from snnlab.widgets import PictureExplorer
from snnlab.widgets.page import BUNDLE
from snnlab.zoo import export

DIGITS, WARM_UP, EPS = 500, 100, 0.1
CODES = ("onset", "latency")
TARGETS = {"fgsm": 1000, "pgd": 5000}  # ms
ELEMENT = '<snn-lab explorer="robustness" encoding="{code}" attack="{attack}" attacker="informed" eps="{eps}"></snn-lab>'
BUTTON = "document.querySelector('snn-lab').shadowRoot.querySelector('.bench button')"
MEASURED = f"{BUTTON}.textContent"

PICTURES, LEVEL = ("ann", "latency", "fusion"), 2
PICTURE_TARGETS = {"fgsm": 100, "pgd": 1000}  # ms
#: change an attribute, and wait until the answer is painted
ANSWERED = """([name, value]) => new Promise((resolve) => {
    const host = document.querySelector('snn-lab');
    const app = host.shadowRoot.querySelector('.app');
    const began = performance.now();
    const seen = new MutationObserver(() => {
        if (app.getAttribute('aria-busy') !== 'false') return;
        seen.disconnect();
        resolve(performance.now() - began);
    });
    seen.observe(app, {attributes: true, attributeFilter: ['aria-busy']});
    host.setAttribute(name, value);
})"""


def _page_ms(page: Page, folder: Path, code: str, method: str) -> float:
    """Return the time that the page needs for all digits, with warm workers."""
    element = ELEMENT.format(code=code, attack=method, eps=EPS / 2)
    (folder / "index.html").write_text(f'<meta charset="utf-8"><script defer src="snnlab.js"></script>{element}')
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("snn-lab[data-ready]")
    page.get_by_role("button", name="Measure it here").click()
    page.get_by_role("combobox", name="on").select_option(str(WARM_UP))
    page.evaluate(f"{MEASURED} === 'Measured' || {BUTTON}.click()")
    page.wait_for_function(f"{MEASURED} === 'Measured'")
    page.get_by_role("combobox", name="on").select_option(str(DIGITS))
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


def _picture_ms(page: Page, folder: Path, name: str, method: str) -> float:
    """Return the median time to the answer of the page, over our drawings; once through all of them before."""
    eps = LEVEL / 255
    element = (
        f'<snn-lab explorer="picture" encoding="{name}" image="0" attack="{method}" eps="{eps}" exit_step="4"></snn-lab>'
    )
    (folder / "index.html").write_text(f'<meta charset="utf-8"><script defer src="snnlab.js"></script>{element}')
    page.goto((folder / "index.html").as_uri())
    page.wait_for_selector("snn-lab[data-ready]")
    images = [k % 10 for k in range(1, 21)]
    times = [page.evaluate(ANSWERED, ["image", str(image)]) for image in images]
    return statistics.median(times[10:])


def _torch_picture_ms(name: str, method: str) -> float:
    explorer, times = PictureExplorer(encoding=name, attack=method, eps=LEVEL / 255), []
    for image in (*range(3), *range(10)):
        explorer.image = image
        began = time.perf_counter()
        explorer.result()
        times.append(1000 * (time.perf_counter() - began))
    return statistics.median(times[3:])


def _pictures(page: Page, folder: Path) -> Iterator[Row]:
    for method, target in PICTURE_TARGETS.items():
        for name in PICTURES:
            what = f"a colour picture in the page, {method}, {name} (target {target:,} ms)"
            yield Row(what, "PyTorch, one thread", _picture_ms(page, folder, name, method), _torch_picture_ms(name, method))


def rows() -> Iterator[Row]:
    """Measure both attacks on digits in two codes, and on pictures in three networks."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        for script in BUNDLE.parent.glob("snnlab*.js"):
            shutil.copy(script, folder)
        models = (f"model/{model}" for model in zoo.names("codes"))
        for key in ("zoo", "digits/test", *models, "pictures", *(f"picture/{name}" for name in PICTURES)):
            (folder / f"snnlab-{key.replace('/', '-')}.js").write_text(export.script(key))
        page = browser.new_page(viewport=SIZE)
        page.set_default_timeout(300_000)
        yield from _pictures(page, folder)
        for method, target in TARGETS.items():
            for code in CODES:
                what = f"{DIGITS} digits in the page, {method}, {code} (target {target:,} ms)"
                yield Row(what, "PyTorch, one thread", _page_ms(page, folder, code, method), _torch_ms(code, method))


if __name__ == "__main__":
    table = markdown(rows())
    print(f"{circumstances()}\n\n{table}")
