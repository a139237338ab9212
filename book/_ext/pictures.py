"""Take the pictures of the README and of link previews, and the recording of the README, from the built introduction.

python book/_ext/pictures.py    # `make pictures`
"""

from __future__ import annotations

import base64
import io
import shutil
from collections.abc import Iterator
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Locator, expect, sync_playwright

ASSETS = Path(__file__).parents[1] / "_assets"
PAGE = Path(__file__).parents[2] / "_build" / "html" / "intro.html"
RECORDING = Path(__file__).parents[2] / ".github" / "explorer.webp"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

CARD = """
<style>
  body {{ margin: 0; width: 1200px; height: 630px; overflow: hidden; background: #fff; color: #1f2933;
         font: 26px/1.4 system-ui, "Noto Sans", "DejaVu Sans", sans-serif; display: grid; grid-template-columns: 400px 1fr; }}
  main {{ padding: 64px 0 0 56px; }}
  h1 {{ font-size: 56px; line-height: 1.1; margin: 0 0 32px; letter-spacing: -0.5px; }}
  p {{ margin: 0; color: #5f6670; }}
  b {{ color: #b3123b; font-weight: 600; }}
  img {{ height: 760px; margin: 48px 0 0 56px; }}
</style>
<main><h1>Spiking networks under attack</h1>
<p>Can a network be made hard to fool by changing <b>when</b> it is told something?</p></main>
<img src="data:image/png;base64,{picture}">
"""


def explorer(browser: Browser) -> bytes:
    """Return a picture of the introduction's explorer after the informed attack of its first exercise."""
    page = browser.new_page(viewport={"width": 1440, "height": 1200}, device_scale_factor=1.5)
    page.goto(PAGE.as_uri())
    lab: Locator = page.locator('snn-lab[explorer="robustness"]').first
    expect(lab).to_have_attribute("data-ready", "", timeout=20_000)
    lab.get_by_role("radio", name="informed").check()
    expect(lab).to_contain_text("First misread")
    page.wait_for_timeout(500)
    return lab.screenshot()


def card(browser: Browser, picture: bytes) -> bytes:
    """Return the picture of link previews, 1200 × 630."""
    page = browser.new_page(viewport={"width": 1200, "height": 630})
    page.set_content(CARD.format(picture=base64.b64encode(picture).decode()))
    return page.screenshot()


def recording(browser: Browser) -> bytes:
    """Return a silent recording of the introduction's explorer: ε grows, the attacker learns the code, the code changes."""
    page = browser.new_page(viewport={"width": 1240, "height": 1200})
    page.goto(PAGE.as_uri())
    lab: Locator = page.locator('snn-lab[explorer="robustness"]').first
    expect(lab).to_have_attribute("data-ready", "", timeout=20_000)
    frames, times = [], []
    for state, milliseconds in _scenes():
        lab.evaluate("(e, s) => { for (const [k, v] of Object.entries(s)) e.setAttribute(k, v); }", state)
        lab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        expect(lab.locator("[aria-busy]").first).to_have_attribute("aria-busy", "false", timeout=20_000)
        page.wait_for_timeout(250)
        frame = Image.open(io.BytesIO(lab.screenshot())).convert("RGB")
        frames.append(frame.resize((880, round(frame.height * 880 / frame.width)), Image.Resampling.LANCZOS))
        times.append(milliseconds)
    height = max(frame.height for frame in frames)
    frames = [_on_paper(frame, height) for frame in frames]
    result = io.BytesIO()
    frames[0].save(result, "WEBP", save_all=True, append_images=frames[1:], duration=times, loop=0, quality=70, method=6)
    return result.getvalue()


def _scenes() -> Iterator[tuple[dict[str, str], int]]:
    """Yield the states of the recording, and how long each is shown, in milliseconds."""
    start = {"encoding": "offset", "attack": "fgsm", "attacker": "naive", "exit_step": "8"}
    yield start | {"eps": "0"}, 1500
    for eps in range(1, 16):
        yield {"eps": f"{eps / 100:g}"}, 180
    yield {"eps": "0.15"}, 1800
    yield {"attacker": "informed"}, 2600
    yield {"encoding": "onset"}, 2600
    for step in (7, 6, 5, 4):
        yield {"exit_step": str(step)}, 700
    yield {"exit_step": "8"}, 1800


def _on_paper(frame: Image.Image, height: int) -> Image.Image:
    paper = Image.new("RGB", (frame.width + 24, height + 24), "white")
    paper.paste(frame, (12, 12))
    return paper


def main() -> None:
    """Write both pictures into the book's assets, and the recording."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        picture = explorer(browser)
        (ASSETS / "explorer.png").write_bytes(picture)
        (ASSETS / "card.png").write_bytes(card(browser, picture))
        RECORDING.write_bytes(recording(browser))


if __name__ == "__main__":
    main()
