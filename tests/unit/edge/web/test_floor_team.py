"""The associate's page and their colleagues: declining, handing over, a supervisor, who has what."""

import re

import sqlalchemy as sa

from edge.config import Policies
from edge.handling import escalating
from edge.handling.telling import Telling
from edge.paging import timers

from .conftest import STORE, Browser, Shop


def test_declining_takes_one_tap_and_a_reason_and_the_card_is_gone(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    request = shop.raise_request("Ana", "Marc")
    assert ana.post(f"/floor/requests/{request}/decline", reason="too-far").status_code == 303
    assert "Nobody is waiting for you" in ana.get("/floor/").text
    assert "Fitting room" in marc.get("/floor/").text
    assert shop.read("SELECT answer FROM page WHERE state = 'declined'") == [("Too far away",)]
    wrong = marc.post(f"/floor/requests/{request}/decline", reason="bored", htmx=True)
    assert wrong.status_code == 409 and "allowed are with-shopper" in wrong.text


def test_declining_what_somebody_has_meanwhile_says_who(shop: Shop, ana: Browser, marc: Browser) -> None:
    request = shop.raise_request("Ana", "Marc")
    marc.post(f"/floor/requests/{request}/acknowledge")
    late = ana.post(f"/floor/requests/{request}/decline", reason="other", htmx=True)
    assert late.status_code == 409 and "Marc is already coming." in late.text


def test_a_hand_over_is_shown_to_both_until_it_is_accepted(shop: Shop, ana: Browser, marc: Browser) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    marc_id = shop.people["Marc"].id
    assert f'value="{marc_id}"' in ana.get("/floor/").text
    ana.post(f"/floor/requests/{request}/hand-over", to=marc_id, note="Wants a blue one")
    assert "It stays yours until Marc accepts" in ana.get("/floor/").text
    asked = marc.get("/floor/").text
    assert "Ana asks you to take over: Wants a blue one" in asked and "data-waiting" in asked
    marc.post(f"/floor/requests/{request}/acknowledge")
    mine = marc.get("/floor/").text
    assert "You are on your way" in mine and "Wants a blue one" in mine
    assert "Marc is coming" in ana.get("/floor/").text
    stale = ana.post(f"/floor/requests/{request}/take-back", htmx=True)
    assert stale.status_code == 409 and "Marc is already coming." in stale.text


def test_what_became_of_a_hand_over_stands_on_the_owners_card(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    ana.post(f"/floor/requests/{request}/hand-over", to=shop.people["Marc"].id)
    marc.post(f"/floor/requests/{request}/decline", reason="with-shopper")
    assert "Marc cannot come: with a shopper." in ana.get("/floor/").text


def test_a_supervisor_is_one_tap_away_and_comes_beside_the_owner(
    shop: Shop, ana: Browser, sofia: Browser
) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    ana.post(f"/floor/requests/{request}/supervisor")
    assert "Ana calls you to help" in sofia.get("/floor/").text
    sofia.post(f"/floor/requests/{request}/acknowledge")
    assert "Sofia comes too." in ana.get("/floor/").text
    assert "Ana is coming" in sofia.get("/floor/").text


def test_a_supervisor_is_called_to_a_place_and_called_off(shop: Shop, ana: Browser, sofia: Browser) -> None:
    assert "Call a supervisor" in ana.get("/floor/").text
    assert ana.post("/floor/supervisor", zone="shoes").status_code == 303
    assert "You called a supervisor" in ana.get("/floor/").text
    called = sofia.get("/floor/").text
    assert "Ana calls a supervisor" in called and "Shoes" in called
    ((request,),) = shop.read("SELECT id FROM interaction")
    ana.post(f"/floor/requests/{request}/call-off")
    assert "Nobody is waiting for you" in sofia.get("/floor/").text
    assert ana.post("/floor/supervisor", zone="moon", htmx=True).status_code == 409


def test_everyone_sees_who_has_what_but_nothing_of_a_silent_request(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    shown = shop.raise_request("Marc", topic="till")
    silent = shop.raise_request("Marc", kind="security", zone="tills")
    waiting = ana.get("/floor/colleagues").text
    assert "Nobody has it yet" in waiting and "Till" in waiting
    for request in (shown, silent):
        marc.post(f"/floor/requests/{request}/acknowledge")
    text = ana.get("/floor/colleagues", **{"HX-Request": "true"}).text
    assert "<html" not in text and "Marc" in text and "Till" in text
    assert "Security" not in text and "Tills" not in text


def test_a_note_that_is_too_long_is_refused_not_cut(shop: Shop, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    refused = ana.post(f"/floor/requests/{request}/resolve", outcome="helped", note="x" * 1001, htmx=True)
    assert refused.status_code == 409 and "1001 signs; allowed are 1000" in refused.text


def test_a_request_is_closed_in_at_most_three_taps(shop: Shop, ana: Browser) -> None:
    """Opening 'Done' is one tap, an outcome the second; nothing else must be filled in."""
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")
    text = ana.get("/floor/").text
    form = re.search(r'<details class="done".*?</details>', text, re.S)
    assert form is not None and " required" not in form[0]
    assert form[0].count('name="outcome"') == 6 and form[0].count("<summary") == 1


def test_who_is_asked_whether_they_are_there_hears_it_and_can_say_that_they_still_come(
    shop: Shop, ana: Browser, sofia: Browser
) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge")

    def fire(conn: sa.Connection) -> None:
        telling, now = Telling(STORE), shop.clock()
        floor = escalating.floor_of(conn, STORE, now)
        for about, kind, due in timers.due(conn, STORE, now):
            escalating.fire(conn, telling, Policies(), about, kind, due, floor, now)
        telling.flush(conn, now)

    shop.clock.pass_(seconds=120)
    shop.write(fire)
    text = ana.get("/floor/").text
    assert "Are you there?" in text and "Still on my way" in text and "data-waiting" in text
    shop.clock.pass_(seconds=30)
    shop.write(fire)
    assert "Ana has not answered; called: Sofia." in ana.get("/floor/").text
    text = sofia.get("/floor/").text
    assert "Ana does not answer" in text
    assert "Ana said 2 min 30 s ago that they are coming and does not answer" in text
    ana.post(f"/floor/requests/{request}/acknowledge")
    text = ana.get("/floor/").text
    assert "Still on my way" not in text and "data-waiting" not in text
    assert "data-waiting" not in sofia.get("/floor/").text
