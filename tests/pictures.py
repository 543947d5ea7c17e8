"""The README's pictures, made anew from the running demo: python -m tests.pictures"""

import tempfile
from pathlib import Path

from playwright.sync_api import FloatRect, Page, expect, sync_playwright

from deploy.demo.shop import MANAGER, VISITOR
from tests.rig.demo import QUIET, chromium, running
from tests.rig.store import ROOT

FOLDER = ROOT / "deploy/demo/pictures"
DAYS = 30
PATIENCE_MS = 20_000


def main() -> None:
    with (
        tempfile.TemporaryDirectory(prefix="floorbell-") as folder,
        running(Path(folder) / "demo", "--history", str(DAYS)) as address,
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=chromium(), args=list(QUIET))
        page = browser.new_page(viewport={"width": 1440, "height": 1040}, reduced_motion="reduce")
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        demo_round(page, address)
        page.screenshot(path=FOLDER / "round.png", clip=down_to(page, ".handset", from_=".stage"))
        charts(page, address)
        page.screenshot(path=FOLDER / "charts.png", clip=down_to(page, "section:has(#h-hours) .chart"))
        browser.close()
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.relative_to(ROOT)}: {picture.stat().st_size / 1000:.0f} kB")


def down_to(page: Page, last: str, from_: str = "body") -> FloatRect:
    """The whole width of the page, from the top of one element to a little below the end of another."""
    top, end = page.locator(from_).bounding_box(), page.locator(last).bounding_box()
    assert top is not None and end is not None
    return {"x": 0, "y": top["y"], "width": 1440, "height": end["y"] + end["height"] + 8 - top["y"]}


def demo_round(page: Page, address: str) -> None:
    """A shopper has pressed, and reads who is coming; so does the desk."""
    page.goto(address)
    phone, desk = page.frame_locator("#phone"), page.frame_locator("#desk")
    page.get_by_role("button", name="Do it for me").click()
    expect(phone.get_by_role("heading", name=VISITOR.name)).to_be_visible()
    expect(phone.locator("#link")).to_have_attribute("data-link", "connected")
    kiosk = page.locator("[data-case]:visible")
    expect(kiosk.locator("[data-sentence]")).to_contain_text("Press a button")
    kiosk.locator(".key-help").first.click(delay=80)
    phone.get_by_role("button", name="I’m coming").click()
    expect(kiosk.locator("[data-sentence]")).to_contain_text(f"{VISITOR.name} is on the way")
    expect(page.frame_locator("[data-case]:visible iframe").locator("body")).to_contain_text(VISITOR.name)
    expect(desk.locator(".now")).to_contain_text(f"{VISITOR.name} is coming")
    # The lamp flashes: it is shown while it is lit.
    lamp = "document.querySelector('[data-case]:not([hidden]) [data-lamp]')"
    page.wait_for_function(f"{lamp}.style.getPropertyValue('--level') > 0.9")


def charts(page: Page, address: str) -> None:
    """Seven days of answers, arrivals and ratings."""
    if page.goto(f"{address}/manage/charts") and "sign-in" in page.url:
        page.get_by_label("Name").fill(MANAGER.name)
        page.get_by_label("Password").fill(MANAGER.password or "")
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.goto(f"{address}/manage/charts")
    page.set_viewport_size({"width": 1440, "height": 1300})
    expect(page.locator(".chart canvas")).to_have_count(3)
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")


if __name__ == "__main__":
    main()
