"""Calls to a locked phone: whose they are, what the phone may report, and what is refused."""

import json

import pytest
from werkzeug.test import TestResponse

from edge.pushing import queue
from edge.pushing.queue import Called, Claimed, Room
from edge.pushing.rules import WORTH, Ended, Outcome
from tests.rig.push_phone import PushPhone
from tests.unit.edge.web.conftest import STORE, Browser, Shop

ROOM = Room(8, 8, 8, 8)
OWN = {"Floorbell-Call": "1"}


def switch_on(browser: Browser, endpoint: str = "https://push.example/a", **more: str) -> TestResponse:
    keys = PushPhone(endpoint).keys
    form = {"endpoint": keys.endpoint, "p256dh": keys.p256dh, "auth": keys.auth} | more
    return browser.post("/floor/locked/on", **form)


def state(browser: Browser) -> dict[str, object]:
    return dict(json.loads(browser.get("/floor/locked/state").text))


def claimed(shop: Shop) -> list[Claimed]:
    found: list[Claimed] = []
    shop.write(lambda c: found.extend(queue.claim(c, STORE, "w", (), ROOM, WORTH, shop.clock())))
    return found


def called(shop: Shop, name: str) -> Claimed:
    """They are paged, and the push is on its way."""
    request = shop.raise_request(name)
    ((page, person),) = shop.read("SELECT id, person FROM page WHERE request = :r", r=request)
    one = Called(str(page), request, str(person), False, None)
    shop.write(lambda conn: queue.put(conn, STORE, [one], shop.clock()))
    (found,) = claimed(shop)
    return found


@pytest.fixture
def ana(shop: Shop, visitor: Browser) -> Browser:
    visitor.sign_in(shop.people["Ana"])
    return visitor


def report(browser: Browser, push: str, stage: str, **headers: str) -> int:
    form = {"push": push, "stage": stage}
    return browser.client.post("/floor/locked/told", data=form, headers=OWN | headers).status_code


def test_it_is_switched_on_tried_and_off_and_says_only_what_is_known(shop: Shop, ana: Browser) -> None:
    assert state(ana)["state"] == "off" and state(ana)["sender"] is False
    assert switch_on(ana, trial="1").status_code == 204 and state(ana)["state"] == "waiting"
    (trial,) = claimed(shop)
    assert report(ana, trial.id, "shown") == 204
    assert state(ana) | {"key": ""} == {
        "state": "shown",
        "at": int(shop.clock().timestamp() * 1000),
        "sender": False,
        "key": "",
    }
    assert ana.post("/floor/locked/off").status_code == 204 and state(ana)["state"] == "off"
    assert ana.post("/floor/locked/trial").status_code == 409


def test_what_the_phone_reports_of_a_push_moves_its_page_and_no_acknowledgement(
    shop: Shop, ana: Browser
) -> None:
    switch_on(ana)
    push = called(shop, "Ana")
    report(ana, push.id, "shown")
    assert shop.read("SELECT state FROM page") == [("delivered",)]
    report(ana, push.id, "opened")
    assert shop.read("SELECT state FROM page") == [("seen",)]
    assert shop.read("SELECT state, owner FROM interaction") == [("raised", None)]


def test_nobody_reports_of_another_phones_push(shop: Shop, ana: Browser) -> None:
    switch_on(ana)
    push, marc = called(shop, "Ana"), Browser(shop.app)
    marc.sign_in(shop.people["Marc"])
    assert report(marc, push.id, "opened") == 204
    assert shop.read("SELECT state FROM page") == [("pending",)]


def test_signing_out_ends_it_and_nothing_goes_to_whoever_signs_in_next(shop: Shop, ana: Browser) -> None:
    switch_on(ana)
    ana.post("/floor/sign-out")
    ana.sign_in(shop.people["Marc"])
    assert state(ana)["state"] == "off"
    request = shop.raise_request("Ana", "Marc")
    pages = shop.read("SELECT id, person FROM page WHERE request = :r", r=request)
    calls = [Called(str(page), request, str(person), False, None) for page, person in pages]
    shop.write(lambda conn: queue.put(conn, STORE, calls, shop.clock()))
    assert claimed(shop) == []


def test_a_new_address_counts_only_where_it_is_switched_on(shop: Shop, ana: Browser) -> None:
    keys = PushPhone("https://push.example/new").keys
    form = {"endpoint": keys.endpoint, "p256dh": keys.p256dh, "auth": keys.auth}
    assert ana.client.post("/floor/locked/renewed", data=form, headers=OWN).status_code == 409
    switch_on(ana)
    assert ana.client.post("/floor/locked/renewed", data=form, headers=OWN).status_code == 204
    assert shop.read("SELECT endpoint FROM push_subscription") == [("https://push.example/new",)]


@pytest.mark.parametrize(
    "headers", [{"Floorbell-Call": ""}, {"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}]
)
def test_another_site_reports_nothing(ana: Browser, headers: dict[str, str]) -> None:
    assert report(ana, "p", "shown", **headers) == 403
    assert ana.client.post("/floor/locked/renewed", headers=OWN | headers).status_code == 403


@pytest.mark.parametrize(
    "more",
    [
        {"endpoint": "http://push.example/a"},
        {"endpoint": "https://me@push.example/"},
        {"endpoint": "https://push.example/" + "a" * 1000},
        {"endpoint": ""},
        {"p256dh": "AAAA"},
        {"auth": "AAAA"},
    ],
)
def test_what_no_browser_gives_is_refused_in_one_sentence(
    shop: Shop, ana: Browser, more: dict[str, str]
) -> None:
    answer = switch_on(ana, **more)
    assert answer.status_code == 400 and "gave no address that calls can be sent to" in answer.text
    assert shop.read("SELECT count(*) FROM push_subscription") == [(0,)]


def test_without_a_token_of_the_form_nothing_is_switched_on(shop: Shop, ana: Browser) -> None:
    assert ana.client.post("/floor/locked/on", data={"endpoint": "https://push.example"}).status_code == 400
    assert Browser(shop.app).get("/floor/locked").status_code == 303


def test_the_workers_script_has_its_words_in_the_phones_language_and_nothing_of_the_store(
    shop: Shop, ana: Browser
) -> None:
    script = ana.get("/floor/worker.js?language=it")
    assert (
        script.mimetype == "text/javascript"
        and "Apri ora"
        in json.loads(script.text.splitlines()[0].removeprefix("const WORDS = ").removesuffix(";"))["open"][
            "body"
        ]
    )
    assert not any(word in script.text for word in ("The trial store", "Ana", "Shoes"))


def test_the_desk_says_of_each_page_how_its_push_went_and_never_that_it_arrived_before_the_phone_does(
    shop: Shop, ana: Browser
) -> None:
    switch_on(ana)
    push, mira = called(shop, "Ana"), Browser(shop.app)
    mira.sign_in_at_desk("Mira")
    ((request,),) = shop.read("SELECT id FROM interaction")
    assert "push: being tried." in mira.get(f"/manage/log/{request}").text
    sent = Ended(Outcome.SENT, "Sent to the phone's push service (201 Created).")
    shop.write(lambda conn: queue.end(conn, push, "w", sent, shop.clock()))
    assert "push: sent to the phone&#39;s push service at " in mira.get(f"/manage/log/{request}").text
    report(ana, push.id, "shown")
    assert "push: shown by the phone at " in mira.get(f"/manage/log/{request}").text
    page = mira.get("/manage/reach").text
    assert "No messenger runs here" in page and "a push last arrived" in page
