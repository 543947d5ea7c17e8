"""A phone that is called while it is locked: the switch, the notification, and what the phone reports.

A real push service is not reached from here: DevTools hands the browser what one would, and the browser's own
subscription is replaced by one at an address that answers nobody.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, CDPSession, Page, expect
from pytest_playwright import CreateContextCallback

from tests.browser.floor_rig import Floor, serious, waiting
from tests.rig.push_phone import PushPhone
from tests.rig.store import wait_for

pytestmark = pytest.mark.browser

KEYS = PushPhone("https://push.invalid/one").keys
# What PushManager would answer if its push service could be reached.
SUBSCRIBED = """(given) => {
  PushManager.prototype.getSubscription = async () => null;
  PushManager.prototype.subscribe = async (wanted) => {
    window.asked = wanted;
    return { toJSON: () => ({ endpoint: given.endpoint, keys: { p256dh: given.p256dh, auth: given.auth } }) };
  };
}"""
SHOWN = """async () => {
  const here = await navigator.serviceWorker.getRegistration("/floor/");
  return (await here.getNotifications()).map((one) => ({
    title: one.title, body: one.body, tag: one.tag, push: one.data.push,
    stays: one.requireInteraction, again: one.renotify,
  }));
}"""


@dataclass
class Locked:
    """Ana's phone with her page, and a second page from which the service worker is reached."""

    floor: Floor
    context: BrowserContext
    page: Page

    def open(self) -> None:
        self.page.get_by_role("link", name="Calls while this phone is locked").click()
        expect(self.page.locator("#locked-state")).not_to_be_empty()

    def switch_on(self) -> None:
        self.page.add_init_script(f"({SUBSCRIBED})({json.dumps(_given())})")
        self.open()
        self.page.get_by_role("button", name="Switch on").click()
        expect(self.page.get_by_role("button", name="Switch off")).to_be_visible()

    def push(self, said: dict[str, Any] | str) -> None:
        """As if the push service had brought it, and the browser had opened it."""
        ready = "navigator.serviceWorker.ready.then(found => found.active.state === 'activated')"
        self.page.wait_for_function(ready)
        devtools: CDPSession = self.context.new_cdp_session(self.page)
        found: list[dict[str, Any]] = []

        def of_this_store(said: dict[str, Any]) -> None:
            here = [one for one in said["registrations"] if one["scopeURL"] == f"{self.floor.rig.url}/floor/"]
            found.extend(one for one in here if not one["isDeleted"])

        devtools.on("ServiceWorker.workerRegistrationUpdated", of_this_store)
        devtools.send("ServiceWorker.enable")
        wait_for(lambda: self.page.wait_for_timeout(20) or found, "the service worker")
        devtools.send(
            "ServiceWorker.deliverPushMessage",
            {
                "origin": self.floor.rig.url,
                "registrationId": found[-1]["registrationId"],
                "data": said if isinstance(said, str) else json.dumps(said),
            },
        )
        # It stays attached: the answer comes before the worker has the message, which leaving may end.

    def shown(self) -> list[dict[str, Any]]:
        return list(self.page.evaluate(SHOWN))


def _given() -> dict[str, str]:
    return {"endpoint": KEYS.endpoint, "p256dh": KEYS.p256dh, "auth": KEYS.auth}


@pytest.fixture
def locked(floor: Floor, new_context: CreateContextCallback) -> Iterator[Locked]:
    context = new_context(viewport={"width": 360, "height": 740}, has_touch=True, locale="en-GB")
    context.grant_permissions(["notifications"], origin=floor.rig.url)
    yield Locked(floor, context, floor.sign_in(context, "Ana"))


def test_without_a_push_service_nothing_is_switched_on_and_the_page_says_so(
    locked: Locked, complaints: list[str]
) -> None:
    locked.open()
    state = locked.page.locator("#locked-state")
    expect(state).to_have_text("Off on this phone.")
    locked.page.get_by_role("button", name="Switch on").click()
    expect(state).to_have_text("This browser did not reach its push service. Nothing was switched on.")
    assert locked.floor.rig.read("SELECT 1 FROM push_subscription") == []
    assert serious(locked.page) == []


def test_where_notifications_are_blocked_the_page_says_what_to_do(
    floor: Floor, new_context: CreateContextCallback
) -> None:
    context = new_context(viewport={"width": 360, "height": 740}, has_touch=True, locale="en-GB")
    page = floor.sign_in(context, "Ana")
    page.add_init_script("Object.defineProperty(Notification, 'permission', { get: () => 'denied' })")
    page.get_by_role("link", name="Calls while this phone is locked").click()
    expect(page.locator("#locked-state")).to_contain_text("Notifications are blocked for this page.")
    expect(page.get_by_role("button", name="Switch on")).to_be_hidden()


def test_it_is_switched_on_and_off_and_a_trial_that_arrives_is_said_to_have_arrived(locked: Locked) -> None:
    locked.switch_on()
    rows = "SELECT endpoint FROM push_subscription"
    assert locked.floor.rig.read(rows) == [(KEYS.endpoint,)]
    asked = locked.page.evaluate("window.asked")
    assert asked["userVisibleOnly"] is True and len(asked["applicationServerKey"]) == 87
    # No messenger runs here, and the page knows.
    expect(locked.page.locator("#locked-sender")).to_be_visible()
    ((push,),) = locked.floor.rig.read("SELECT id FROM push WHERE page IS NULL AND next_at IS NOT NULL")
    locked.push({"push": push, "tag": "t", "at": 1_772_445_600_000, "what": "trial"})
    expect(locked.page.locator("#locked-state")).to_contain_text("On. A call arrived here at")
    locked.page.get_by_role("button", name="Switch off").click()
    expect(locked.page.locator("#locked-state")).to_have_text("Off on this phone.")
    assert locked.floor.rig.read(rows) == []


def test_a_call_for_help_says_what_and_where_and_security_only_that_it_is_open_now(locked: Locked) -> None:
    locked.switch_on()
    at = 1_772_445_600_000
    help_ = {
        "push": "1",
        "tag": "a",
        "at": at,
        "what": "help",
        "place": "Shoes",
        "request": "r",
        "drill": False,
    }
    locked.push(help_)
    wait_for(lambda: len(locked.shown()) == 1, "the notification")
    (one,) = locked.shown()
    assert (
        one["title"] == "Help wanted" and one["body"].startswith("Shoes · ") and one["stays"] and one["again"]
    )
    # The same request again takes its place.
    locked.push(help_ | {"push": "2", "drill": True})
    wait_for(lambda: [one["push"] for one in locked.shown()] == ["2"], "the second one in its place")
    assert locked.shown()[0]["body"].startswith("Drill · Shoes · ")
    locked.push({"push": "3", "tag": "b", "at": at, "what": "open"})
    wait_for(lambda: len(locked.shown()) == 2, "the other notification")
    (alarm,) = [one for one in locked.shown() if one["tag"] == "b"]
    assert alarm["title"] == "Floorbell" and alarm["body"].partition(" · ")[0] == "Open now"
    # What cannot be read is a call all the same.
    locked.push("not JSON")
    wait_for(lambda: len(locked.shown()) == 3, "the notification of what cannot be read")


def test_a_page_that_reached_the_phone_is_delivered_and_what_is_answered_leaves_the_screen(
    locked: Locked,
) -> None:
    locked.switch_on()
    # Away from the calls: only the service worker can report.
    request = locked.floor.press()
    rig = locked.floor.rig
    mine = "SELECT push.id, page.state FROM push JOIN page ON page.id = push.page WHERE page.request = :r"
    wait_for(lambda: rig.read(mine, r=request), "the push")
    ((push, _),) = rig.read(mine, r=request)
    locked.push({"push": push, "tag": "c", "at": 1, "what": "help", "place": "Shoes", "request": request})
    wait_for(lambda: rig.read(mine, r=request) == [(push, "delivered")], "the phone's word")
    assert locked.floor.state(request) == ("raised", None)
    locked.page.goto(f"{rig.url}/floor/#{request}")
    waiting(locked.page)
    locked.page.get_by_role("button", name="I’m coming").tap()
    locked.page.locator("summary", has_text="Done").tap()
    locked.page.get_by_role("button", name="Helped").tap()
    wait_for(lambda: locked.shown() == [], "the notification to go")
