"""The manager at the desk in a real browser: live floor, a complaint of yesterday, the file, the charts."""

import csv
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from playwright.sync_api import Page, expect
from pytest_playwright import CreateContextCallback

from broker.events import new_id, reference_of
from deploy.demo.shop import MANAGER, STORE, VISITOR
from edge.db import tables
from edge.db.engine import connect, sqlite_url
from tests.browser.conftest import Demo, WorkedIn
from tests.browser.test_round import PATIENCE_MS, sign_in_on_the_phone
from tests.rig.furnished import COMPLAINT
from tests.rig.store import wait_for

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture
def desk(demo: Demo, page: Page) -> Page:
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in_at_the_desk(page, demo.address)
    expect(page.locator("#link")).to_have_attribute("data-link", "connected")
    return page


def sign_in_at_the_desk(page: Page, address: str) -> None:
    page.goto(f"{address}/manage/sign-in")
    page.get_by_label("Name").fill(MANAGER.name)
    page.get_by_label("Password").fill(MANAGER.password or "")
    page.get_by_role("button", name="Sign in", exact=True).click()


@pytest.fixture(scope="module")
def complaint(demo: Demo, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The code of yesterday's complaint; that day there were 80 help requests as well."""
    folder = next(path.parent for path in tmp_path_factory.getbasetemp().glob("browser*/floorbell.db"))
    engine = connect(sqlite_url(folder / "floorbell.db"), write=True)
    yesterday = datetime.now(UTC).astimezone().replace(hour=12, minute=0) - timedelta(days=1)
    code = ""
    with engine.begin() as conn:
        for number in range(81):
            at = yesterday + timedelta(seconds=number)
            id_ = new_id(int(at.timestamp() * 1000))
            rated = number == 40
            values = {
                "id": str(id_), "store": STORE, "device": "kiosk-tills", "zone": "tills", "language": "en",
                "kind": "feedback" if rated else "help", "topic": None if rated else "till",
                "state": "recorded" if rated else "missed", "reference": reference_of(id_), "count": 1,
                "revision": 1, "step": 0, "round": 0, "silent": False, "drill": False, "raised_at": at,
                "received_at": at, "age_known": True, "score": 1 if rated else None,
                "reason": "Señor Sàbates waited for ever" if rated else None,
                "closed_at": None if rated else at + timedelta(seconds=120),
            }  # fmt: skip
            conn.execute(tables.interaction.insert().values(values))
            code = reference_of(id_) if rated else code

    def indexed() -> bool:
        with engine.connect() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(tables.log_due)).scalar() == 0

    # The worker writes the words of the log aside, within a second or so.
    wait_for(indexed, "The log's words")
    engine.dispose()
    return code


COUNT_CLICKS = """addEventListener("click", () => {
    sessionStorage.clicks = 1 + Number(sessionStorage.clicks ?? 0);
}, true)"""


def test_among_days_of_work_yesterdays_complaint_is_three_clicks_from_the_desks_first_page(
    worked_in: WorkedIn, page: Page, complaints: list[str]
) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    sign_in_at_the_desk(page, worked_in.address)
    expect(page).to_have_url(re.compile("/manage/floor$"))
    page.add_init_script(COUNT_CLICKS)
    page.reload()
    page.get_by_role("link", name="Log", exact=True).first.click()
    page.get_by_role("link", name="Complaints").click()
    page.locator(f"[data-id='{worked_in.names['yesterday']}']").get_by_role("link").click()
    expect(page.get_by_text(COMPLAINT)).to_be_visible()
    assert page.evaluate("Number(sessionStorage.clicks)") == 3
    assert complaints == []


def test_a_word_of_it_finds_it_and_the_address_is_the_search(
    desk: Page, complaint: str, new_context: CreateContextCallback
) -> None:
    desk.goto(desk.url.replace("/floor", "/log"))
    desk.get_by_role("searchbox").fill("sabat")
    expect(desk.locator("#rows")).to_be_visible()
    desk.get_by_role("button", name="Find").click()
    expect(desk.locator("tr.row")).to_have_count(1)
    expect(desk.locator("tr.row")).to_contain_text(complaint)
    desk.get_by_role("link", name="Yesterday").click()
    expect(desk.locator("tr.row")).to_have_count(1)
    assert "q=sabat" in desk.url and "from=" in desk.url


def test_the_file_holds_what_the_screen_shows(desk: Page, complaint: str, tmp_path: Path) -> None:
    desk.get_by_role("link", name="Log", exact=True).first.click()
    desk.get_by_role("link", name="Yesterday").click()
    desk.get_by_role("link", name="Missed").click()
    expect(desk.locator("tr.row")).to_have_count(50)
    shown = desk.locator("tr.row .c-code").all_inner_texts()
    desk.get_by_role("link", name="Older").click()
    expect(desk.locator("tr.row")).to_have_count(30)
    shown += desk.locator("tr.row .c-code").all_inner_texts()
    with desk.expect_download() as download:
        desk.get_by_role("link", name="CSV").click()
    path = tmp_path / "log.csv"
    download.value.save_as(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert [line["reference"] for line in csv.DictReader(file)] == shown


@pytest.fixture
def answered_phone(demo: Demo, new_context: CreateContextCallback) -> Iterator[Page]:
    phone = new_context().new_page()
    phone.goto(f"{demo.address}/floor/")
    sign_in_on_the_phone(phone, VISITOR.name)
    expect(phone.locator("#link")).to_have_attribute("data-link", "connected")
    yield phone
    phone.locator("summary", has_text="Done").click()
    phone.get_by_role("button", name="Helped").click()
    expect(phone.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()


def test_the_live_floor_shows_a_press_and_then_who_is_coming(
    demo: Demo, desk: Page, answered_phone: Page, new_context: CreateContextCallback
) -> None:
    shopper = new_context().new_page()
    shopper.goto(demo.address)
    expect(desk.get_by_role("heading", name="Nobody is waiting")).to_be_visible()
    kiosk = shopper.locator("[data-case]:visible")
    kiosk.locator(".key-help").first.click(delay=80)
    expect(desk.locator(".verdict")).to_contain_text("1 waiting")
    answered_phone.get_by_role("button", name="I’m coming").click()
    expect(desk.locator(".now")).to_contain_text(f"{VISITOR.name} is coming")
    expect(desk.get_by_role("heading", name="Nobody is waiting")).to_be_visible()


def test_the_charts_are_drawn_under_the_strict_policy_and_say_their_numbers(
    desk: Page, complaint: str, complaints: list[str]
) -> None:
    desk.get_by_role("link", name="Charts").first.click()
    expect(desk.locator(".chart canvas").first).to_be_visible()
    desk.get_by_text("The same in numbers").first.click()
    expect(desk.get_by_role("region", name="Answers in numbers")).to_be_visible()
    assert complaints == []


def test_the_log_on_paper_says_what_it_is_of_and_is_black_on_white_from_a_dark_screen(
    desk: Page, complaint: str
) -> None:
    desk.goto(f"{desk.url.rpartition('/')[0]}/log?zone=tills&score=low&drill=without")
    desk.emulate_media(media="print", color_scheme="dark")
    printed = desk.locator(".printed")
    expect(printed).to_contain_text("Riverside · Zone: Tills; Rating: Unhappy; Drills: without.")
    expect(printed).to_have_text(re.compile(r"Printed \d{4}-\d\d-\d\d \d\d:\d\d by Helen\.$"))
    expect(desk.locator("tr.row", has_text=complaint)).to_be_visible()
    for hidden in ("header.bar", ".finding", ".filters", ".export", ".leaf"):
        expect(desk.locator(hidden)).to_be_hidden()
    ink = desk.evaluate("getComputedStyle(document.querySelector('.row .what')).color")
    paper = desk.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (ink, paper) == ("rgb(0, 0, 0)", "rgb(255, 255, 255)")
    assert desk.evaluate("getComputedStyle(document.querySelector('tr.row')).breakInside") == "avoid"
    desk.locator("tr.row", has_text=complaint).get_by_role("link").first.dispatch_event("click")
    expect(desk.get_by_role("heading", name="Feedback")).to_be_visible()
    expect(printed).to_contain_text("by Helen.")
    expect(desk.locator("header.bar")).to_be_hidden()
