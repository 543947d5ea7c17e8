"""The desk's page of what people outside were told: true, live, with a test, and only for who may know."""

from datetime import timedelta

import sqlalchemy as sa

from edge.db.outside_tables import outside_happening
from edge.outside import store
from tests.unit.edge.web.api.busy import told_outside

from .conftest import STORE, Browser, Shop


def page(desk: Browser, address: str = "/manage/outside") -> str:
    answer = desk.get(address)
    assert answer.status_code == 200
    return answer.text


def test_each_channel_is_shown_by_its_name_and_kind_and_what_it_takes(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    text = page(visitor)
    assert "guards" in text and "Signed webhook" in text and "boss" in text and "Apprise" in text
    assert "Security requests; silent ones too, no drills, no names." in text
    assert "guards.toml" not in text


def test_a_messenger_that_does_not_run_is_said_in_one_sentence(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    assert "The messenger does not run: nothing goes outside." in page(visitor)
    faults = {"guards": "guards.toml may be read by others (mode 0644); run chmod 600 on it.", "boss": None}
    shop.write(lambda conn: store.see(conn, STORE, faults, shop.clock.now))
    text = page(visitor)
    assert "does not run" not in text and "may be read by others (mode 0644)" in text
    shop.clock.now += timedelta(seconds=31)
    text = page(visitor)
    assert "The messenger does not run" in text and "It was last heard" in text


def test_what_went_wrong_is_told_with_its_next_try_and_every_earlier_one(
    shop: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Mira")
    told = told_outside(shop, silent=True)
    text = page(visitor)
    assert "Security request, Shoes" in text and "The receiver was away." in text and "Next try" in text
    whole = page(visitor, f"/manage/outside/{told}")
    assert "Did not get there" in whole and "The receiver was away." in whole and "silent" in whole
    assert visitor.get("/manage/outside/nothing").status_code == 404


def test_accepted_is_never_said_to_be_seen(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    told = told_outside(shop)
    shop.write(
        lambda conn: conn.execute(
            sa.text("UPDATE outside_delivery SET state = 'accepted', next_at = NULL, ended_at = created_at")
        )
    )
    assert "whether anybody has read it is not known" in page(visitor)
    assert "whether anybody has read it is not known" in page(visitor, f"/manage/outside/{told}")


def test_a_test_is_asked_for_with_one_button_and_stands_among_the_changes(
    shop: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Mira")
    page(visitor)
    answer = visitor.post("/manage/outside/channels/guards/test")
    assert answer.status_code == 303 and "A test goes to guards" in page(visitor)
    h = outside_happening.c
    with shop.services.read() as conn:
        rows = [tuple(row) for row in conn.execute(sa.select(h.what, h.channel))]
    assert rows == [("test", "guards")]
    assert "A test of the channel guards (Signed webhook) was asked for." in page(visitor, "/manage/changes")
    assert visitor.post("/manage/outside/channels/nobody/test").status_code == 404


def test_it_is_narrowed_by_channel_and_state(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    told = told_outside(shop)
    assert told in page(visitor, "/manage/outside?channel=guards&state=waiting")
    assert told not in page(visitor, "/manage/outside?channel=boss")
    assert "No message is like this" in page(visitor, "/manage/outside?state=accepted")
    assert visitor.get("/manage/outside?state=lost").status_code == 400
    assert visitor.get("/manage/outside?before=x").status_code == 400


def test_a_supervisor_who_may_not_know_of_silent_requests_sees_none_of_it(
    shop: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Sofia")
    told = told_outside(shop)
    assert "/manage/outside" not in visitor.get("/manage/log").text
    for address in ("/manage/outside", f"/manage/outside/{told}"):
        assert visitor.get(address).status_code == 403
    assert visitor.post("/manage/outside/channels/guards/test").status_code == 403
