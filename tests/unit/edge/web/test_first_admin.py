"""The first admin of a store, by a one-time code from the console."""

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from edge.audit.store import Actor
from edge.errors import Refused
from edge.handling import beginning

from .conftest import STORE, Browser, Shop

CODE = "k7m2-pq9x-rtuv-wxyz"
PASSWORD = "a password of my own"


def offered(shop: Shop, code: str = CODE) -> None:
    console = Actor("command line", "command")
    shop.write(lambda conn: beginning.offer(conn, STORE, console, code, shop.clock.now))


def begin(browser: Browser, **changed: str) -> TestResponse:
    browser.get("/manage/first")
    form = {"code": CODE, "name": "Helen", "password": PASSWORD, "again": PASSWORD} | changed
    return browser.post("/manage/first", **form)


def test_with_the_code_the_first_admin_begins_and_is_signed_in(shop: Shop, visitor: Browser) -> None:
    offered(shop)
    assert begin(visitor, code=CODE.upper().replace("-", " ")).location == "/manage/floor"
    assert "Helen" in visitor.get("/manage/tokens").text
    assert shop.read("SELECT role FROM person WHERE name = 'Helen'") == [("admin",)]
    found = shop.read("SELECT what, actor FROM audit ORDER BY id")
    assert found == [("person.first_code", "command line"), ("person.added", "one-time code")]


def test_the_door_of_the_desk_leads_to_the_first_admin_as_long_as_nobody_can_sign_in(
    shop: Shop, visitor: Browser
) -> None:
    # A manager can.
    assert "/manage/first" not in visitor.get("/manage/sign-in").text
    shop.write(lambda conn: conn.execute(sa.text("UPDATE person SET password_hash = NULL")))
    assert 'href="/manage/first"' in visitor.get("/manage/sign-in").text
    offered(shop)
    begin(visitor)
    visitor.post("/manage/sign-out")
    assert "/manage/first" not in visitor.get("/manage/sign-in").text


def test_once_there_is_an_admin_nobody_begins_and_no_code_is_made(
    shop: Shop, visitor: Browser, second: Browser
) -> None:
    visitor.get("/manage/sign-in")
    answer = visitor.post("/manage/first", code=CODE, name="Helen", password=PASSWORD, again=PASSWORD)
    assert answer.status_code == 409 and "has an admin already" in answer.text
    assert visitor.get("/manage/first").status_code == 409
    with pytest.raises(Refused, match="has an admin already"):
        offered(shop)


def test_a_code_counts_once_for_a_quarter_of_an_hour_and_only_the_newest(shop: Shop) -> None:
    offered(shop)
    shop.clock.pass_(minutes=15)
    assert begin(Browser(shop.app)).status_code == 403
    offered(shop)
    offered(shop, "another-code")
    refused = begin(Browser(shop.app))
    assert refused.status_code == 403 and "does not count" in refused.text
    assert begin(Browser(shop.app), code="another-code").status_code == 303
    shop.write(lambda conn: conn.exec_driver_sql("UPDATE person SET active = 0 WHERE name = 'Helen'"))
    assert begin(Browser(shop.app), code="another-code", name="Ivan").status_code == 403


def test_without_a_code_nobody_is_an_admin(shop: Shop, visitor: Browser) -> None:
    assert [begin(visitor, code=code).status_code for code in ("", "x", "0" * 40, CODE)] == [403] * 4
    assert shop.read("SELECT count(*) FROM person WHERE role = 'admin'") == [(0,)]


def test_guessing_the_code_is_slowed_down(shop: Shop, visitor: Browser) -> None:
    offered(shop)
    assert [begin(visitor, code="x").status_code for _ in range(6)] == [403] * 5 + [429]


def test_what_is_typed_wrong_uses_up_no_code(shop: Shop, visitor: Browser) -> None:
    offered(shop)
    for changed, sentence in (
        ({"again": "another password"}, "not the same"),
        ({"password": "short", "again": "short"}, "10 to 200 characters"),
        ({"name": "mira"}, "There is a Mira in this store already"),
    ):
        answer = begin(visitor, **changed)
        assert answer.status_code == 400 and sentence in answer.text
    assert begin(visitor).status_code == 303


def test_the_code_itself_is_not_in_the_database(shop: Shop) -> None:
    offered(shop)
    ((value,),) = shop.read("SELECT value FROM setting WHERE name = 'first.admin'")
    assert CODE not in str(value) and CODE.replace("-", "") not in str(value)
