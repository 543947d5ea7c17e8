"""A tap that a phone kept and sends again: done once, answered the same each time."""

from datetime import timedelta

import pytest

from edge.interactions import taps

from .conftest import Browser, Shop

TAP, OTHER = "01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8058"


def lines(shop: Shop, what: str) -> list[object]:
    return [row[0] for row in shop.read("SELECT words FROM timeline WHERE what = :what", what=what)]


def test_the_same_tap_twice_is_done_once_and_shows_the_same(shop: Shop, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    for _ in range(2):
        answer = ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP)
        assert answer.status_code == 200 and "You are on your way" in answer.text
    assert lines(shop, "acknowledged") == ["Ana is coming."]


def test_a_call_for_a_supervisor_that_comes_again_after_it_was_taken_back_calls_nobody(
    shop: Shop, ana: Browser
) -> None:
    assert ana.post("/floor/supervisor", htmx=True, zone="shoes", tap=TAP).status_code == 200
    ((request,),) = shop.read("SELECT id FROM interaction")
    assert ana.post(f"/floor/requests/{request}/call-off", htmx=True, tap=OTHER).status_code == 200
    assert ana.post("/floor/supervisor", htmx=True, zone="shoes", tap=TAP).status_code == 200
    assert shop.read("SELECT state FROM interaction") == [("cancelled",)]


def test_a_tap_that_lost_is_told_who_has_it_each_time_it_comes(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    request = shop.raise_request("Ana", "Marc")
    marc.post(f"/floor/requests/{request}/acknowledge")
    for _ in range(2):
        late = ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP, kept_s="20")
        assert late.status_code == 409 and "Marc is already coming." in late.text


def test_a_tap_that_lost_takes_over_nothing_that_its_person_is_asked_for_later(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    request = shop.raise_request("Ana", "Marc")
    marc.post(f"/floor/requests/{request}/acknowledge")
    ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP)
    marc.post(f"/floor/requests/{request}/hand-over", to=shop.people["Ana"].id)
    assert ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP).status_code == 409
    assert shop.read("SELECT owner FROM interaction") == [(shop.people["Marc"].id,)]
    assert ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=OTHER).status_code == 200
    assert shop.read("SELECT owner FROM interaction") == [(shop.people["Ana"].id,)]


def test_the_timeline_says_how_long_a_phone_kept_what_changed_something(shop: Shop, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP, kept_s="2")
    assert lines(shop, "kept") == []
    for id_ in (OTHER, TAP[:-1] + "9"):
        ana.post(f"/floor/requests/{request}/attend", htmx=True, tap=id_, kept_s="42")
    assert lines(shop, "kept") == ["Ana tapped this 42 s earlier, without a connection."]


def test_a_tap_of_somebody_else_with_the_same_id_is_their_own(
    shop: Shop, ana: Browser, marc: Browser
) -> None:
    first, second = shop.raise_request("Ana"), shop.raise_request("Marc")
    ana.post(f"/floor/requests/{first}/acknowledge", htmx=True, tap=TAP)
    marc.post(f"/floor/requests/{second}/acknowledge", htmx=True, tap=TAP)
    assert shop.read("SELECT count(*) FROM interaction WHERE state = 'acknowledged'") == [(2,)]


@pytest.mark.parametrize("kept", ["", "-3", "ten", "9" * 30])
def test_a_tap_with_an_odd_age_is_a_tap(shop: Shop, ana: Browser, kept: str) -> None:
    request = shop.raise_request("Ana")
    answer = ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP, kept_s=kept)
    assert answer.status_code == 200 and lines(shop, "kept") == []


def test_old_taps_are_forgotten_once_no_phone_can_send_them(shop: Shop, ana: Browser) -> None:
    request = shop.raise_request("Ana")
    ana.post(f"/floor/requests/{request}/acknowledge", htmx=True, tap=TAP)
    shop.write(lambda conn: taps.sweep(conn, "trial", shop.clock.now + taps.KEPT))
    assert shop.read("SELECT id FROM tap") == [(TAP,)]
    shop.write(lambda conn: taps.sweep(conn, "trial", shop.clock.now + taps.KEPT + timedelta(seconds=1)))
    assert shop.read("SELECT id FROM tap") == []
