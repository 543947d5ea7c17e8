"""The icons of the installable page, drawn from bell.svg: `python -m deploy.icons`.

Needs Chromium and the development libraries. Phones cut a maskable icon to their own shape, so its ground
fills the square and the bell stays inside the circle of 80 % (W3C, Web Application Manifest, 'maskable').
"""

import re
import shutil
from pathlib import Path

STATIC = Path(__file__).parent.parent / "edge" / "web" / "static"
FOLDER = STATIC / "icons"
# The farthest point of the bell is 14.4 of 32 from the middle; the circle has 12.8.
_SAFE = 0.85


def full_bleed(svg: str, scale: float) -> str:
    """The same with square corners, and the bell so much smaller around the middle."""
    move = 16 * (1 - scale)
    svg = re.sub(r' rx="7"', "", svg, count=1)
    return svg.replace("<g ", f'<g transform="translate({move} {move}) scale({scale})" ', 1)


def drawings(svg: str) -> dict[str, tuple[int, str]]:
    """File name to its size in pixels and what is drawn."""
    return {
        "icon-192.png": (192, svg),
        "icon-512.png": (512, svg),
        "maskable-512.png": (512, full_bleed(svg, _SAFE)),
        # iOS rounds the corners itself, and would show black behind round ones.
        "apple-touch-icon.png": (180, full_bleed(svg, 1.0)),
    }


def draw() -> None:
    from playwright.sync_api import sync_playwright

    FOLDER.mkdir(exist_ok=True)
    svg = (STATIC / "bell.svg").read_text(encoding="utf-8")
    with sync_playwright() as tools:
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = tools.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        for name, (side, drawing) in drawings(svg).items():
            page = browser.new_page(viewport={"width": side, "height": side})
            page.set_content(f"<style>body {{ margin: 0 }} svg {{ display: block }}</style>{drawing}")
            page.screenshot(path=FOLDER / name, omit_background=True)
            page.close()
        browser.close()


if __name__ == "__main__":
    draw()
