"""Drills at the desk: asked for, planned, shown and handed out."""

import re

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker.signing import Signer
from edge.db.store_tables import session
from edge.devices.store import register
from edge.drills import store as drills
from edge.drills.result import check
from edge.handling import drilling
from edge.handling.telling import Telling
from edge.people import sessions
from edge.schedule import Plan

from .conftest import STORE, Browser, Shop

SIGNER = Signer(Ed25519PrivateKey.generate())


def a_kiosk(shop: Shop) -> str:
    shop.write(lambda conn: register(conn, STORE, "kiosk-1", "shoes", None, shop.clock.now))
    return "kiosk-1"


def based_on(page: str) -> str:
    found = re.search(r'name="based_on" value="(\w+)"', page)
    assert found
    return found[1]


def look(shop: Shop) -> None:
    """The worker's look, and the vault's."""
    now = shop.services.clock()

    def work(conn):  # type: ignore[no-untyped-def]
        telling = Telling(STORE)
        drilling.look(conn, telling, Plan(), lambda _: True, lambda _: None, now)
        telling.flush(conn, now)
        drills.sign_due(conn, STORE, SIGNER)

    shop.services.writer.run(work)


def test_a_drill_that_was_asked_for_is_listed_judged_and_handed_out(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    kiosk = a_kiosk(shop)
    visitor.get("/manage/drills")
    answer = visitor.post("/manage/drills", do="run", device=kiosk, kind="help", responder="test")
    assert answer.status_code == 303
    assert "running" in visitor.get("/manage/drills").text
    look(shop)
    shop.clock.pass_(seconds=31)
    look(shop)
    page = visitor.get("/manage/drills").text
    assert "failed" in page and "has not left the server" in page
    with shop.services.read() as conn:
        (one,) = drills.newest(conn, STORE, 5)
    assert "Command sent to the kiosk" in visitor.get(f"/manage/drills/{one.id}").text
    file = visitor.get(f"/manage/drills/{one.id}/result")
    assert check(file.data, SIGNER.key).finding == "ok"
    assert visitor.get("/manage/drills/none").status_code == 404


def test_a_plan_is_kept_and_a_faulty_one_is_refused_with_what_is_allowed(
    shop: Shop, visitor: Browser
) -> None:
    visitor.sign_in_at_desk("Mira")
    plan = {"do": "plan", "daily": "1", "kind": "both", "device": "", "responder": "people"}
    plan["based_on"] = based_on(visitor.get("/manage/drills").text)
    assert visitor.post("/manage/drills", **plan, at="09:15").status_code == 303
    page = visitor.get("/manage/drills").text
    assert 'value="09:15"' in page
    plan["based_on"] = based_on(page)
    answer = visitor.post("/manage/drills", **plan, at="later")
    assert answer.status_code == 400 and "allowed are times like 08:30" in answer.text
    with shop.services.read() as conn:
        assert drills.plan(conn, STORE, Plan())[0] == Plan("09:15", "both", "", "people")


def test_who_agreed_is_kept(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Mira")
    visitor.get("/manage/drills")
    assert visitor.post("/manage/drills", do="people", people=[shop.people["Ana"].id]).status_code == 303
    with shop.services.read() as conn:
        assert drills.agreed(conn, STORE) == {shop.people["Ana"].id}
    answer = visitor.post("/manage/drills", do="people", people=["nobody"])
    assert answer.status_code == 400


def test_a_supervisor_sees_drills_and_runs_none(shop: Shop, visitor: Browser) -> None:
    visitor.sign_in_at_desk("Sofia")
    page = visitor.get("/manage/drills")
    assert page.status_code == 200 and "Run a drill now" not in page.text
    assert visitor.post("/manage/drills", do="run", device=a_kiosk(shop)).status_code == 403


def test_the_desk_sees_whose_phone_answers(shop: Shop, visitor: Browser) -> None:
    now = shop.clock.now
    shop.write(lambda conn: sessions.start(conn, shop.people["Ana"], "floor", now, 8))
    visitor.sign_in_at_desk("Mira")
    assert "first answer is awaited" in visitor.get("/manage/reach").text
    shop.clock.pass_(seconds=20)
    assert "Has not answered since they began" in visitor.get("/manage/reach").text
    shop.write(lambda conn: conn.execute(sa.update(session).values(heard_at=shop.clock.now)))
    page = visitor.get("/manage/reach").text
    assert "Answers now" in page and "Phones that answer now: <b>1</b>" in page
