"""The live floor at the desk."""

from datetime import timedelta

import pytest

from edge.db import store_tables
from edge.handling import acting
from edge.people import store as people

from .conftest import Browser, Shop


@pytest.fixture
def mira(shop: Shop) -> Browser:
    visitor = Browser(shop.app)
    visitor.sign_in_at_desk("Mira")
    return visitor


def test_the_desk_begins_at_the_floor_and_says_at_once_that_nobody_waits(mira: Browser) -> None:
    assert mira.get("/manage/").headers["Location"] == "/manage/floor"
    assert "Nobody is waiting" in mira.get("/manage/floor").text


def test_who_waits_is_shown_with_who_was_called_and_who_has_seen_it(shop: Shop, mira: Browser) -> None:
    shop.raise_request("Ana", "Marc")
    text = mira.get("/manage/floor", **{"HX-Request": "true"}).text
    assert "1 waiting" in text and "Called 2" in text and "Nobody has seen it yet." in text
    ana = shop.people["Ana"].id
    ((page,),) = shop.read("SELECT id FROM page WHERE person = :who", who=ana)
    shop.write(lambda c: acting.mark_seen(c, "trial", ana, [str(page)], shop.clock.now))
    assert "Seen by Ana." in mira.get("/manage/floor").text


def test_whoever_comes_is_named_and_busy_with_that_zone(shop: Shop, mira: Browser) -> None:
    request = shop.raise_request("Ana")
    ana = shop.people["Ana"].id
    shop.write(lambda c: people.set_presence(c, "trial", ana, "available", shop.clock.now))
    shop.write(lambda c: acting.acknowledge(c, "trial", request, ana, shop.clock.now))
    text = mira.get("/manage/floor").text
    assert "Ana is coming" in text and "with Shoes" in text and "Nobody is waiting" in text


def test_security_waits_before_help_however_long_help_has_waited(shop: Shop, mira: Browser) -> None:
    helped = shop.raise_request("Ana")
    shop.clock.pass_(seconds=30)
    alarm = shop.raise_request("Igor", kind="security")
    text = mira.get("/manage/floor").text
    assert text.index(f'data-request="{alarm}"') < text.index(f'data-request="{helped}"')
    assert "verdict-security" in text


def test_only_a_phone_that_answered_in_the_last_ten_seconds_is_called_reachable(
    shop: Shop, mira: Browser
) -> None:
    now = shop.clock.now
    for name, ago in (("Ana", 3), ("Marc", 40)):
        who = shop.people[name].id
        shop.write(lambda c, who=who: people.set_presence(c, "trial", who, "available", now))  # type: ignore[misc]
        values = {
            "token_sha256": name, "store": "trial", "person": who, "audience": "floor", "started_at": now,
            "expires_at": now + timedelta(hours=1), "heard_at": now - timedelta(seconds=ago),
        }  # fmt: skip
        shop.write(lambda c, values=values: c.execute(store_tables.session.insert().values(values)))  # type: ignore[misc]
    text = mira.get("/manage/floor").text
    assert text.count("phone answers") == 1 and "phone silent" in text and "40 s" in text
