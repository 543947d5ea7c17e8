"""The manager runs the store in a real browser: people, a file of them, a policy."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from deploy.demo.shop import MANAGER
from tests.browser.conftest import Demo
from tests.browser.test_round import PATIENCE_MS

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def desk(demo: Demo, page: Page) -> Iterator[Page]:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{demo.address}/manage/sign-in")
    page.get_by_label("Name").fill(MANAGER.name)
    page.get_by_label("Password").fill(MANAGER.password or "")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    yield page


def sign_in(phone: Page, demo: Demo, name: str, pin: str) -> None:
    phone.goto(f"{demo.address}/floor/")
    phone.get_by_role("link", name=name).click()
    for digit in pin:
        phone.locator(f"[data-digit='{digit}']").click()
    phone.get_by_label("Sign in", exact=True).click()


def test_nora_is_added_signs_in_on_a_phone_and_is_out_once_she_is_disabled(
    demo: Demo, complaints: list[str], desk: Page, new_context: CreateContextCallback
) -> None:
    desk.get_by_role("link", name="People", exact=True).first.click()
    desk.get_by_role("link", name="Add a person").click()
    desk.get_by_label("Name", exact=True).fill("Nora")
    desk.get_by_label("Fitting rooms").check()
    desk.get_by_role("button", name="Add and show the PIN").click()
    pin = desk.locator(".secret code").inner_text()
    assert re.fullmatch(r"\d{6}", pin)

    phone = new_context().new_page()
    sign_in(phone, demo, "Nora", pin)
    expect(phone.get_by_role("heading", name="Nora")).to_be_visible()

    desk.goto(f"{demo.address}/manage/people")
    desk.get_by_role("link", name="Nora").click()
    desk.get_by_role("button", name="Disable").click()
    expect(desk.get_by_role("status").filter(has_text="Disabled")).to_be_visible()
    phone.goto(f"{demo.address}/floor/")
    expect(phone).to_have_url(re.compile("/floor/sign-in$"))
    expect(phone.get_by_role("link", name="Nora")).to_have_count(0)
    assert complaints == []


def test_a_file_of_people_is_mended_looked_at_and_taken_in(
    demo: Demo, complaints: list[str], desk: Page
) -> None:
    faulty = b"name;role;zones\nPau Serra;boss;tills\nIris;associate;roof\n"
    right = (
        "\ufeffname;role;zones\nPau Serra;associate;tills\nBia;associate;tills\nIris;associate;\n".encode()
    )

    def look(content: bytes) -> None:
        desk.goto(f"{demo.address}/manage/people/import")
        file = {"name": "people.csv", "mimeType": "text/csv", "buffer": content}
        desk.get_by_label("File, up to").set_input_files(file)  # type: ignore[arg-type]
        desk.get_by_role("button", name="Look at it first").click()

    look(faulty)
    expect(desk.get_by_role("heading", name="2 things to mend; nothing was written")).to_be_visible()
    expect(desk.get_by_text("The role is 'boss'; allowed are associate")).to_be_visible()
    look(right)
    expect(desk.get_by_text("2 added, 0 changed, 1 left as they are.")).to_be_visible()
    desk.get_by_role("button", name="Do it, and show 2 PINs").click()
    expect(desk.locator(".slip")).to_have_count(2)
    look(right)
    expect(desk.get_by_text("The file changes nothing.")).to_be_visible()
    # A browser notes each answer of 400 by itself.
    assert [said for said in complaints if "400" not in said] == []


def test_a_changed_policy_is_foreseen_and_followed_by_the_next_press(
    demo: Demo, desk: Page, new_context: CreateContextCallback
) -> None:
    address = f"{demo.address}/manage/policy/help"
    desk.goto(address)
    for step in desk.locator(".step").all()[1:]:
        step.get_by_label("After seconds").fill("")
        for box in step.get_by_role("checkbox").all():
            box.uncheck()
    first = desk.locator(".step").first
    first.get_by_label("The two best placed").uncheck()
    first.get_by_label("Supervisors").check()
    desk.get_by_role("button", name="Preview").click()
    expect(desk.get_by_text("Not saved yet: this is what you typed.")).to_be_visible()
    expect(desk.locator(".foreseen > li")).to_have_count(1)
    expect(desk.locator(".foreseen")).to_contain_text("Nadia")
    desk.get_by_role("button", name="Save").click()
    expect(desk.get_by_text("Saved, and in force from now on.")).to_be_visible()

    shopper = new_context(viewport={"width": 1440, "height": 900}).new_page()
    shopper.goto(demo.address)
    kiosk = shopper.locator("[data-case]:visible")
    kiosk.locator(".key-help").first.click(delay=80)
    expect(kiosk.locator("[data-reference]")).to_contain_text("Your code: ")
    code = kiosk.locator("[data-reference]").inner_text().removeprefix("Your code: ")
    desk.goto(f"{demo.address}/manage/log")
    desk.locator(".row", has_text=code).get_by_role("link").click()
    expect(desk.locator(".timeline")).to_contain_text("Nadia is called: supervisor.")
    expect(desk.locator(".timeline")).not_to_contain_text("Luka")
    kiosk.locator(".key-cancel").first.click(delay=80)
    expect(desk.locator("#story")).to_contain_text("Cancelled at the kiosk")

    desk.goto(address)
    desk.get_by_role("button", name="Back to edge.toml").click()
    expect(desk.locator(".step")).to_have_count(5)
    desk.goto(f"{demo.address}/manage/changes?what=policy")
    expect(desk.locator(".change").first).to_contain_text("is that of edge.toml again")
