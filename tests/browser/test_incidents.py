"""A first report from the floor in a real browser: how many taps it takes, and what the desk reads of it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.floor_rig import Floor, SignIn, accept, serious, waiting
from tests.rig.store import wait_for

pytestmark = pytest.mark.browser
# From the board to a saved report: 'Write what happened', the field, 'Save'.
MOST_TAPS = 3
COUNT = """() => addEventListener('click', () =>
    sessionStorage.setItem('taps', Number(sessionStorage.getItem('taps') || 0) + 1), true)"""


def taps(page: Page) -> int:
    return int(page.evaluate("sessionStorage.getItem('taps')") or 0)


def test_a_first_report_of_a_security_request_takes_three_taps(
    floor: Floor, phone: SignIn, complaints: list[str]
) -> None:
    igor = phone("Igor")
    request = floor.press(security=True)
    waiting(igor)
    accept(igor)
    igor.locator("summary", has_text="Done").tap()
    igor.get_by_role("button", name="Handled").tap()
    ask = igor.get_by_role("link", name="Write what happened")
    expect(ask).to_be_visible()
    igor.context.add_init_script(f"({COUNT})()")
    igor.evaluate(COUNT)
    ask.tap()
    field = igor.get_by_label("In your own words")
    expect(igor.locator(".case-facts")).to_contain_text("Threat")
    field.tap()
    field.press_sequentially("He shouted, then he left.")
    igor.get_by_role("button", name="Save", exact=True).tap()
    expect(igor.get_by_text("Saved, with your name.")).to_be_visible()
    assert taps(igor) <= MOST_TAPS
    assert serious(igor) == []
    query = "SELECT e.words FROM incident i JOIN incident_entry e ON e.incident = i.id WHERE i.request = :id"
    assert floor.rig.read(query, id=request) == [("He shouted, then he left.",)]
    assert re.fullmatch(r"\d{4}-\d{4}", igor.locator(".case-facts .code").inner_text())
    igor.goto(f"{floor.rig.url}/floor/")
    expect(igor.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()
    expect(ask).to_have_count(0)
    assert complaints == []


def test_the_worker_opens_an_incident_by_itself(floor: Floor, phone: SignIn) -> None:
    igor = phone("Igor")
    request = floor.press(security=True)
    query = "SELECT state FROM incident WHERE request = :id"
    wait_for(lambda: floor.rig.read(query, id=request) == [("open",)], "The incident's opening")
    waiting(igor)
    accept(igor)
    expect(igor.get_by_role("link", name="Write what happened")).to_be_visible()
    igor.locator("summary", has_text="Done").tap()
    igor.get_by_role("button", name="False alarm").tap()
    expect(igor.get_by_role("heading", name="Nobody is waiting for you")).to_be_visible()
