"""The running totals: written with what they count, once, and apart from what is silent."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from broker import topics
from broker.events import Cancelled, HelpRequested, SecurityRequested
from edge.handling import acting
from edge.paging import store as pages
from edge.reports import tallies
from edge.reports.tallies import MORE, Tally
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of


def totals(server: Server) -> dict[Tally, int]:
    with server.conn.begin():
        return tallies.totals(server.conn, STORE)


def test_events_and_refusals_are_counted_once_and_what_may_tell_of_a_silent_request_apart(
    server: Server, kiosk: Kiosk
) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(help_, help_)
    server.take(help_)
    security = kiosk.event(SecurityRequested("hold", True))
    server.take(security, kiosk.event(Cancelled(id_of(security))))
    server.take((topics.event(STORE, "kiosk-1", "help"), b"?"), (topics.event(STORE, "x", "security"), b"?"))
    assert totals(server) == {
        Tally("events", "help"): 1,
        Tally("events", "security", True): 1,
        Tally("events", "cancel", True): 1,
        Tally("refused"): 1,
        Tally("refused", silent=True): 1,
    }


def test_a_refused_message_that_may_be_of_a_silent_request_is_news_for_few(server: Server) -> None:
    server.take((topics.event(STORE, "kiosk-1", "security"), b"?"))
    assert server.audiences().keys() == {"silent"}
    server.take((topics.event(STORE, "kiosk-1", "help"), b"?"))
    assert server.audiences().keys() == {"silent", "manage"}


def test_the_first_answer_is_in_the_histogram_and_no_drill_is(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    help_, drill = kiosk.event(HelpRequested()), kiosk.event(HelpRequested(), drill=True)
    server.take(help_, drill)
    kiosk.wait(7)
    for event in (help_, drill):
        server.do(acting.acknowledge, str(id_of(event)), small_store.people["Ana"])
    server.do(acting.attend, str(id_of(help_)), small_store.people["Ana"])
    found = totals(server)
    assert found[Tally("answered", "help/10")] == 1 and found[Tally("answered_ms", "help")] == 7000
    assert not [one for one in found if one.name == "answered" and one.label != "help/10"]


def test_a_silent_answer_and_its_pages_are_for_few(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    security = kiosk.event(SecurityRequested("hold", True))
    server.take(security)
    igor = small_store.people["Igor"]
    with server.conn.begin():
        (page,) = [one.page for one in pages.open_pages(server.conn, STORE, igor)]
    server.do(acting.mark_sent, [str(page)])
    server.do(acting.mark_sent, [str(page)])
    server.do(acting.acknowledge, str(id_of(security)), igor)
    found = totals(server)
    assert found[Tally("pages_sent", silent=True)] == 1
    assert {one.silent for one in found if one.name in ("pages_sent", "answered", "answered_ms")} == {True}


def test_what_nobody_answers_is_counted_when_it_is_given_up(server: Server, kiosk: Kiosk) -> None:
    server.take(kiosk.event(HelpRequested()))
    for _ in range(20):
        kiosk.wait(12)
        server.timers()
    assert totals(server)[Tally("missed", "help")] == 1


@pytest.mark.parametrize(("seconds", "within"), [(-1, "2"), (2, "2"), (2.1, "5"), (300, "300"), (301, MORE)])
def test_a_wait_is_in_one_bucket(seconds: float, within: str) -> None:
    (bucket, one), _ = tallies.answered("help", timedelta(seconds=seconds), silent=False)
    assert (bucket.label, one) == (f"help/{within}", 1)


def test_totals_add_up_and_are_each_stores_own(conn: sa.Connection) -> None:
    one = Tally("events", "help")
    with conn.begin():
        tallies.add(conn, STORE, [(one, 2), (one, 3)])
        tallies.add(conn, STORE, [(one, 1)])
        tallies.add(conn, "other", [(one, 9)])
        tallies.add(conn, STORE, [])
        assert tallies.totals(conn, STORE) == {one: 6}
