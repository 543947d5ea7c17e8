"""The whole round in a real browser: shopper, associate, manager."""

import re

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from pytest_playwright import CreateContextCallback

from deploy.demo.shop import MANAGER, PEOPLE, VISITOR
from tests.browser.conftest import Demo
from tests.rig.wire import Wire

pytestmark = pytest.mark.browser
PINS = {member.name: member.pin for member in PEOPLE if member.pin}
PATIENCE_MS = 20_000
expect.set_options(timeout=PATIENCE_MS)


def sign_in_on_the_phone(phone: FrameLocator | Page, name: str) -> None:
    phone.get_by_role("link", name=name).click()
    for digit in PINS[name] or "":
        phone.locator(f"[data-digit='{digit}']").click()
    phone.get_by_label("Sign in", exact=True).click()
    # The name alone stood on the page of the PIN already.
    expect(phone.locator("#board")).to_be_attached()
    expect(phone.get_by_role("heading", name=name)).to_be_visible()


def test_a_press_is_answered_by_name_and_stands_in_the_log(
    demo: Demo, complaints: list[str], page: Page
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(demo.address)
    phone, desk = page.frame_locator("#phone"), page.frame_locator("#desk")
    page.get_by_role("button", name="Do it for me").click()
    expect(phone.get_by_role("heading", name=VISITOR.name)).to_be_visible()
    expect(phone.locator("#link")).to_have_attribute("data-link", "connected")

    kiosk = page.locator("[data-case]:visible")
    kiosk.locator(".key-help").first.click(delay=80)
    card = phone.locator("article[data-waiting]")
    expect(card).to_be_visible()
    expect(kiosk.locator("[data-reference]")).to_contain_text("Your code: ")
    code = kiosk.locator("[data-reference]").inner_text().removeprefix("Your code: ")
    expect(card).to_contain_text(code)
    expect(kiosk.locator("[data-sentence]")).to_contain_text(f"{VISITOR.name} has seen your request")

    phone.get_by_role("button", name="I’m coming").click()
    expect(kiosk.locator("[data-sentence]")).to_contain_text(f"{VISITOR.name} is on the way")
    phone.get_by_role("button", name="I’m here").click()
    expect(kiosk.locator("[data-sentence]")).to_contain_text(f"{VISITOR.name} is here")
    phone.locator("summary", has_text="Done").click()
    phone.get_by_role("button", name="Helped").click()
    expect(phone.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()
    expect(kiosk.locator("[data-sentence]")).to_contain_text("Done")

    desk.locator("details > summary", has_text="Floor").click()
    desk.get_by_role("link", name="Log", exact=True).click()
    row = desk.get_by_text(code)
    expect(row.first).to_be_visible()
    assert complaints == []


def test_the_kiosks_own_screen_says_what_the_lamp_says_and_asks_how_it_was(demo: Demo, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(demo.address)
    phone = page.frame_locator("#phone")
    page.get_by_role("button", name="Do it for me").click()
    expect(phone.get_by_role("heading", name=VISITOR.name)).to_be_visible()
    page.get_by_role("tab", name="Entrance").click()
    screen = page.frame_locator("[data-case]:visible [data-display] iframe")
    screen.get_by_role("button", name="Català").click()
    key = screen.get_by_role("button", name="Trobar un producte")
    expect(key).to_be_visible()
    # The screen takes a touch that comes with new keys for the end of the one before it.
    page.wait_for_timeout(600)
    key.click()
    card = phone.locator("article[data-waiting]")
    expect(card).to_contain_text("Català")
    phone.get_by_role("button", name="I’m coming").click()
    expect(screen.locator("body")).to_contain_text(VISITOR.name)
    phone.locator("summary", has_text="Done").click()
    phone.get_by_role("button", name="Helped").click()
    # The smiley that is pressed, not touched: both are the same to the kiosk.
    happy = page.locator("[data-case]:visible [data-button='smiley-4']")
    expect(happy).to_have_class(re.compile("is-lit"))
    happy.click(delay=80)
    expect(screen.locator("body")).to_contain_text("La botiga té la seva resposta")


def test_the_guided_round_acts_in_the_real_pages_and_ends_when_it_is_told_to(demo: Demo, page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(demo.address)
    phone, tour = page.frame_locator("#phone"), page.locator("#tour")
    expect(tour).to_be_hidden()
    page.get_by_role("button", name="Or watch a round of one minute").click()
    expect(phone.get_by_role("heading", name=VISITOR.name)).to_be_visible()
    expect(phone.locator("article[data-waiting]")).to_be_visible()
    expect(page.locator("[data-case]:visible [data-sentence]")).to_contain_text(
        f"{VISITOR.name} is on the way"
    )
    page.keyboard.press("Escape")
    expect(tour).to_be_hidden()
    phone.locator("summary", has_text="Done").click()
    phone.get_by_role("button", name="Helped").click()
    expect(phone.locator("article[data-waiting]")).to_have_count(0)


def test_a_held_security_button_pages_shows_nothing_at_the_kiosk_and_leaves_a_clip_at_the_desk(
    demo: Demo, page: Page
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(demo.address)
    phone = page.frame_locator("#phone")
    sign_in_on_the_phone(phone, "Omar")
    desk = page.frame_locator("#desk")
    desk.get_by_label("Name").fill(MANAGER.name)
    desk.get_by_label("Password").fill(MANAGER.password or "")
    desk.get_by_role("button", name="Sign in", exact=True).click()
    expect(desk.locator("#link")).to_have_attribute("data-link", "connected")
    # Not the kiosk of the tests before: it asks for a minute how the help was.
    page.get_by_role("tab", name="Tills").click()
    kiosk = page.locator("[data-case]:visible")
    sentence = kiosk.locator("[data-sentence]")
    expect(sentence).to_contain_text("Press a button if you need help", timeout=30_000)
    lamp = kiosk.locator("[data-filming]")
    expect(lamp).to_have_class(re.compile("is-lit"))
    kiosk.locator(".key-security").hover()
    # Held until it is known to have been taken: how long that lasts is the machine's business.
    page.mouse.down()
    expect(phone.locator("article[data-kind='security'][data-waiting]")).to_be_visible()
    page.mouse.up()
    expect(sentence).to_contain_text("Press a button if you need help")
    phone.get_by_role("button", name="I’m coming").click()
    phone.locator("summary", has_text="Done").click()
    phone.get_by_role("button", name="Handled").click()
    expect(phone.locator("article[data-kind='security']")).to_have_count(0)
    page.get_by_role("button", name="A clip came in: Tills. Open it").click()
    expect(desk.locator(".story-head")).to_contain_text("Sealed")
    expect(lamp).to_have_class(re.compile("is-lit"))


def test_a_phone_that_was_away_misses_nothing_and_does_not_claim_to_be_connected(
    demo: Demo, page: Page, new_context: CreateContextCallback
) -> None:
    wire = Wire(int(demo.address.rpartition(":")[2]))
    page.set_viewport_size({"width": 360, "height": 740})
    page.goto(f"http://127.0.0.1:{wire.port}/floor/")
    sign_in_on_the_phone(page, VISITOR.name)
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    wire.freeze()
    expect(page.locator("#link")).to_have_attribute("data-link", "lost", timeout=30_000)

    shopper = new_context().new_page()
    shopper.goto(demo.address)
    kiosk = shopper.locator("[data-case]:visible")
    kiosk.locator(".key-help").first.click(delay=80)
    expect(kiosk.locator("[data-reference]")).to_contain_text("Your code: ")
    code = kiosk.locator("[data-reference]").inner_text().removeprefix("Your code: ")
    assert page.get_by_text(code).count() == 0

    wire.mend()
    expect(page.locator("article[data-waiting]", has_text=code)).to_be_visible(timeout=30_000)
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    page.get_by_role("button", name="I’m coming").click()
    page.locator("summary", has_text="Done").click()
    page.get_by_role("button", name="Helped").click()
    expect(page.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()
    wire.close()
