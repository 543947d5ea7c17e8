"""Presses that come again after a restore: the lost store had them, and nobody knows what it did."""

from datetime import timedelta

import sqlalchemy as sa

from broker.events import Attended, Cancelled, HelpRequested, SecurityRequested
from edge.db.backup_tables import restore
from edge.db.tables import timeline
from edge.ingest import gaps
from tests.unit.edge.conftest import STORE
from tests.unit.edge.ingest.server import Kiosk, Server, id_of


def restored(server: Server) -> None:
    """The store was restored a moment ago."""
    at = server.clock() - timedelta(seconds=5)
    row = {"store": STORE, "restored_at": at, "backup": "b", "backup_at": at - timedelta(hours=9), "size": 0}
    with server.conn.begin():
        server.conn.execute(sa.insert(restore).values(row))


def settled_below(server: Server, kiosk: Kiosk, seq: int) -> list[tuple[int, int]]:
    """The kiosk's heartbeat says that everything below this number has its receipt."""
    with server.conn.begin():
        return gaps.look(server.conn, STORE, kiosk.name, str(kiosk.outbox), seq, server.clock())


def test_help_that_the_lost_store_had_is_recorded_and_not_called_missed(server: Server, kiosk: Kiosk) -> None:
    pressed = kiosk.event(HelpRequested("till"))
    again = kiosk.event(HelpRequested("till"))
    taken_back = kiosk.event(Cancelled(id_of(pressed)))
    there = kiosk.event(Attended(id_of(again)))
    never_receipted = kiosk.event(HelpRequested("collect"))
    kiosk.wait(3600)
    kiosk.heard()
    restored(server)
    assert settled_below(server, kiosk, 5) == [(1, 4)]
    server.take(never_receipted, again, pressed, taken_back, there)
    found = {row["id"]: row["state"] for row in server.requests()}
    assert found == {
        str(id_of(pressed)): "recorded",
        str(id_of(again)): "recorded",
        # This one waited at the kiosk for a store that was not there.
        str(id_of(never_receipted)): "missed",
    }
    assert server.paged() == [] and server.refusals() == []
    words = [row["words"] for row in server.rows(timeline, interaction=str(id_of(pressed)))]
    assert any("What was done about it is not known; nobody was called" in one for one in words)
    # The kiosk learns of the one that it still waits with.
    assert {call.request for call in server.calls()} == {id_of(never_receipted)}
    assert settled_below(server, kiosk, 6) == []


def test_help_that_somebody_may_still_wait_with_is_called_for(server: Server, kiosk: Kiosk) -> None:
    pressed = kiosk.event(HelpRequested("till"))
    kiosk.wait(20)
    kiosk.heard()
    restored(server)
    settled_below(server, kiosk, 2)
    server.take(pressed)
    assert [row["state"] for row in server.requests()] == ["raised"] and server.paged()


def test_security_pages_also_when_it_comes_again_and_says_so(server: Server, kiosk: Kiosk) -> None:
    pressed = kiosk.event(SecurityRequested("hold"))
    kiosk.wait(3600)
    kiosk.heard()
    restored(server)
    settled_below(server, kiosk, 2)
    server.take(pressed)
    assert [row["state"] for row in server.requests()] == ["raised"]
    assert {"Igor", "Sofia"} <= set(server.paged())
    assert any("Whether somebody answered it then is not known" in one for one in server.words())


def test_a_drill_of_security_that_comes_again_calls_nobody(server: Server, kiosk: Kiosk) -> None:
    pressed = kiosk.event(SecurityRequested("hold"), drill=True)
    kiosk.wait(3600)
    kiosk.heard()
    restored(server)
    settled_below(server, kiosk, 2)
    server.take(pressed)
    assert [row["state"] for row in server.requests()] == ["recorded"] and server.paged() == []


def test_what_was_missing_before_the_restore_is_missed_as_ever(server: Server, kiosk: Kiosk) -> None:
    pressed = kiosk.event(HelpRequested("till"))
    settled_below(server, kiosk, 2)
    kiosk.wait(3600)
    kiosk.heard()
    restored(server)
    server.take(pressed)
    assert [row["state"] for row in server.requests()] == ["missed"]
