"""Somebody has asked for the footage of themselves: the desk finds it, covers the others by mouse, finger and
numbers, watches the copy, and what leaves shows nobody else."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Locator, Page, expect

from deploy.demo import shop
from deploy.provision import writing
from tests.browser.test_desk_log import sign_in_at_the_desk
from tests.browser.test_every_page import AXE, RUNS_OUT
from tests.browser.test_round import PATIENCE_MS
from tests.rig import film, footage, furnished
from tests.rig.footage import Shot
from tests.rig.store import wait_for

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
SECONDS, WIDTH, HEIGHT = 4, 640, 360


@dataclass(frozen=True)
class Store:
    address: str
    began: dt.datetime


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with its web and its vault program, and a clip of this day's visit."""
    config = furnished.empty(tmp_path_factory.mktemp("access"))
    now = dt.datetime.now(dt.UTC)
    began = now - dt.timedelta(hours=2)
    with writing(config) as conn:
        visit = furnished.request(conn, began, "entrance", "find-item", state="resolved", closed_at=now)
        shot = Shot(
            shop.STORE, "kiosk-entrance", "entrance", visit, began, film.fragmented(SECONDS, WIDTH, HEIGHT),
            SECONDS, WIDTH, HEIGHT,
        )  # fmt: skip
        footage.seal(conn, config.vault_path, shot, now)
    with furnished.served(config) as address, furnished.vault(config):
        yield Store(address, began.astimezone())


def drag(page: Page, stage: Locator, *way: tuple[float, float]) -> None:
    """Over the picture, by parts of it."""
    box = stage.bounding_box()
    assert box is not None
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in way]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=4)
    page.mouse.up()


def loaded(page: Page) -> None:
    page.locator(".stage video").evaluate(
        "(one) => one.readyState >= 2"
        " || new Promise((done) => one.addEventListener('loadeddata', () => done(1)))"
    )


def to_second(page: Page, second: float) -> None:
    page.locator("[data-moment]").evaluate(
        "(one, at) => { one.value = at; one.dispatchEvent(new Event('input', {bubbles: true})); }", second
    )
    expect(page.locator("[data-at]")).to_have_text(f"{second:.1f} s")


def look_at(page: Page) -> list[str]:
    found: list[str] = []
    page.evaluate(AXE_SCRIPT)
    for width in (360, 768, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        found += page.evaluate(RUNS_OUT)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            found += page.evaluate(AXE, None)
    page.emulate_media(color_scheme="light")
    return found


def open_one(page: Page, store: Store) -> None:
    page.goto(f"{store.address}/manage/access-requests/new")
    page.get_by_label("How to reach the asker").fill("asker@example.org")
    page.get_by_label("How it was made sure").fill("Showed a passport")
    page.get_by_label("Where they were").select_option("entrance")
    minute = "%Y-%m-%dT%H:%M"
    page.get_by_label("From").fill((store.began - dt.timedelta(minutes=10)).strftime(minute))
    page.get_by_label("Until").fill((store.began + dt.timedelta(minutes=10)).strftime(minute))
    page.get_by_label("What they look like").fill("Red coat")
    page.get_by_role("button", name="Open it").click()


def test_others_are_covered_by_mouse_and_numbers_and_the_copy_shows_nobody_else(
    store: Store, page: Page, complaints: list[str], tmp_path: Path
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in_at_the_desk(page, store.address)
    open_one(page, store)
    expect(page.get_by_text("days left")).to_be_visible()
    page.locator(".clips tbody a").click()
    page.get_by_role("button", name="Look at the clip").click()
    stage = page.locator(".stage svg")
    loaded(page)
    page.get_by_role("button", name="The asker is in it").click()
    expect(page.get_by_text("It is marked as showing the asker.")).to_be_visible()
    loaded(page)

    # By mouse at the beginning, moved two seconds later, by numbers at the end.
    drag(page, stage, (0.1, 0.2), (0.3, 0.7))
    to_second(page, 2)
    drag(page, stage, (0.2, 0.4), (0.6, 0.4))
    to_second(page, 3)
    page.get_by_label("Left %").fill("70")
    page.get_by_label("Left %").press("Tab")
    expect(page.locator(".keys button")).to_have_text(["0.0 s", "2.0 s", "3.0 s"])
    to_second(page, 1)
    expect(page.get_by_label("Left %")).to_have_value("30.0")
    assert look_at(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    # By keyboard one more, and away again: the focus stays where the next one begins.
    another = page.get_by_role("button", name="Add a box")
    another.press("Enter")
    expect(page.get_by_label("Left %").last).to_be_focused()
    page.get_by_role("button", name="Remove the box").last.press("Enter")
    expect(another).to_be_focused()
    # Whoever leaves is asked first.
    asked: list[str] = []
    page.once("dialog", lambda one: (asked.append(one.type), one.dismiss()))
    page.locator(".crumb a").click(no_wait_after=True)
    wait_for(lambda: page.wait_for_timeout(20) or asked, "the question")
    assert asked == ["beforeunload"]
    expect(page.locator(".keys button")).to_have_count(3)
    page.get_by_role("button", name="Save, and make the covered copy").click()
    expect(page.get_by_text("To be watched.")).to_be_visible()
    page.get_by_role("button", name="Watch the covered copy").click()
    assert page.locator("#bundle video").evaluate(
        "(one) => new Promise((done) => { one.onended = () => done(one.videoWidth); one.play(); })"
    )
    page.get_by_label("I have watched it to the end").check()
    page.get_by_role("button", name="It may go out").click()

    letter = page.get_by_label("Letter that goes out")
    letter.fill(letter.input_value().replace("[", "").replace("]", ""))
    page.get_by_role("radio", name="Footage given").check()
    page.get_by_role("button", name="Answer it").click()
    button = page.get_by_role("button", name="Download it for the asker")
    expect(button).to_be_visible()
    with page.expect_download() as fetched:
        button.click()
    fetched.value.save_as(tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.namelist() == ["letter.txt", "video-1.mp4"]
        shown = pictures(archive.read("video-1.mp4"))
    assert len(shown) == SECONDS * film.RATE
    for number, picture in enumerate(shown):
        left = 0.1 + 0.4 * min(1, number / 20) if number <= 20 else 0.5 + 0.2 * min(1, (number - 20) / 10)
        rows = slice(round(0.22 * HEIGHT), round(0.68 * HEIGHT))
        covered = picture[rows, round((left + 0.01) * WIDTH) : round((left + 0.19) * WIDTH)]
        assert covered.std() < 3, number
    assert shown[0][:HEIGHT, WIDTH // 2 :].std() > 20
    assert complaints == []


def pictures(video: bytes) -> list["np.ndarray[Any, Any]"]:
    with av.open(io.BytesIO(video)) as file:
        return [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]


def test_a_finger_draws_on_a_narrow_screen_and_the_page_does_not_scroll(
    store: Store, browser: Any, complaints: list[str]
) -> None:
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 800})
    page = context.new_page()
    try:
        sign_in_at_the_desk(page, store.address)
        open_one(page, store)
        page.locator(".clips tbody a").click()
        page.get_by_role("button", name="Look at the clip").click()
        loaded(page)
        stage = page.locator(".stage svg")
        stage.scroll_into_view_if_needed()
        before, box = page.evaluate("scrollY"), stage.bounding_box()
        assert box is not None
        touch = context.new_cdp_session(page)

        def send(kind: str, *at: float) -> None:
            points = []
            if at:
                x, y = at
                points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

        send("touchStart", 0.2, 0.2)
        for part in (0.3, 0.5, 0.8):
            send("touchMove", part, part)
        send("touchEnd")
        expect(page.locator(".box")).to_have_count(1)
        width = float(page.get_by_label("Width %").input_value())
        assert width == pytest.approx(60, abs=2) and page.evaluate("scrollY") == before
        page.get_by_label("Everything but the boxes").check()
        page.get_by_role("button", name="Save, and make the covered copy").click()
        expect(page.get_by_text("To be watched.")).to_be_visible()
        page.get_by_role("button", name="Look at the clip").or_(page.locator(".stage")).first.wait_for()
        saved = json.loads(page.locator("[name=masks]").get_attribute("value") or "")
        assert saved["mode"] == "all_but" and len(saved["tracks"]) == 1
    finally:
        context.close()
    assert complaints == []
