"""Troubles by the API and in the metrics; what could tell of a silent request only for those who may know."""

from datetime import timedelta

import pytest

from edge.devices.store import register
from edge.supervision.facts import Found, Key, What
from tests.unit.edge.web.conftest import STORE, Browser, Shop
from tests.unit.edge.web.test_troubles import look

from .conftest import Let, Program
from .test_metrics import value


@pytest.fixture
def two(shop: Shop, mira: Browser) -> None:
    """A silent kiosk, and a refused message that may have been a silent request; Mira is told of both."""
    now = shop.clock.now
    shop.write(lambda conn: register(conn, STORE, "kiosk-1", "shoes", None, now))
    refused = Found(Key("kiosk-1", What.REFUSED), now, "A message of kiosk-1 was refused.", silent=True)
    look(shop, Found(Key("kiosk-1", What.SILENT), now - timedelta(seconds=16), "Not heard."), refused)


def test_what_is_wrong_is_listed_with_who_was_told(two: None, let: Let) -> None:
    def kinds(program: Program) -> list[str]:
        return sorted(one["what"] for one in program.get("/troubles").json["troubles"])

    plain, trusted = let("read:store"), let("read:store", "security")
    assert kinds(plain) == ["silent"] and kinds(trusted) == ["refused", "silent"]
    (one,) = plain.get("/troubles").json["troubles"]
    assert (one["device"], one["told"], one["returns"]) == ("kiosk-1", ["Mira"], 0)


def test_whoever_was_told_can_say_so_by_a_program(shop: Shop, two: None, let: Let) -> None:
    plain = let("act:requests")
    ids = dict(shop.read("SELECT what, id FROM trouble"))
    mira, ana = shop.people["Mira"].id, shop.people["Ana"].id
    assert plain.post(f"/troubles/{ids['silent']}/seen", person=mira).status_code == 204
    assert plain.post(f"/troubles/{ids['silent']}/seen", person=ana).status_code == 404
    assert plain.post(f"/troubles/{ids['refused']}/seen", person=mira).status_code == 404
    assert let("act:requests", "security").post(
        f"/troubles/{ids['refused']}/seen", person=mira
    ).status_code == 204  # fmt: skip


def test_metrics_count_them_apart_from_requests(two: None, let: Let) -> None:
    plain, trusted = let("read:metrics"), let("read:metrics", "security")
    assert value(plain, "troubles_open", what="silent") == 1
    assert (
        value(plain, "troubles_open", what="refused"),
        value(trusted, "troubles_open", what="refused"),
    ) == (
        0,
        1,
    )
    assert value(plain, "troubles_total", what="silent") == 1
    assert value(plain, "troubles_total", what="refused") is None
