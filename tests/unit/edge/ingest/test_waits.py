"""Presses that come late: of a wait that is over, of one that goes on, or of a shopper who waits now."""

from itertools import permutations

import pytest

from broker.events import HelpRequested
from broker.messages import CallState
from edge.handling import acting
from tests.unit.edge.conftest import SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of


def test_a_help_older_than_its_ceiling_is_missed_pages_nobody_and_the_kiosk_is_told(
    server: Server, kiosk: Kiosk
) -> None:
    help_ = kiosk.event(HelpRequested())
    kiosk.wait(121)
    server.take(help_)
    (request,) = server.requests()
    assert request["state"] == "missed" and server.paged() == []
    assert (request["received_at"] - request["raised_at"]).total_seconds() == 121
    assert server.calls()[-1].state is CallState.MISSED
    assert "It came 2 min 01 s after the press; nobody was paged." in server.words()


def test_a_help_of_an_earlier_run_is_missed_once_the_present_run_alone_is_too_long(
    server: Server, kiosk: Kiosk
) -> None:
    old = kiosk.event(HelpRequested())
    kiosk.reboot()
    kiosk.wait(121)
    kiosk.heard()
    server.take(old)
    (request,) = server.requests()
    assert (request["state"], request["age_known"]) == ("missed", False) and server.paged() == []
    assert "It came at least 2 min 01 s after the press; nobody was paged." in server.words()


@pytest.mark.parametrize("order", list(permutations(range(4))))
@pytest.mark.parametrize("rebooted", [False, True])
def test_presses_made_offline_in_one_wait_are_one_missed_request_whatever_the_order(
    server: Server, kiosk: Kiosk, order: tuple[int, ...], rebooted: bool
) -> None:
    presses = []
    for count in (1, 2, 3):
        presses.append(kiosk.event(HelpRequested(count=count)))
        kiosk.wait(30)
    kiosk.wait(900)
    presses.append(kiosk.event(HelpRequested(count=7)))
    if rebooted:
        kiosk.reboot()
    kiosk.wait(300)
    kiosk.heard()
    server.take(presses[order[0]], presses[order[1]])
    server.take(presses[order[2]])
    server.take(presses[order[3]])
    requests = server.requests()
    assert sorted((r["state"], r["count"]) for r in requests) == [("missed", 6), ("missed", 7)]
    assert server.paged() == []
    if not rebooted:
        waited = [int((server.clock() - r["raised_at"]).total_seconds()) for r in requests]
        assert waited == [1290, 300]


def test_of_a_batch_of_late_presses_the_kiosk_hears_what_became_of_its_newest(
    server: Server, kiosk: Kiosk
) -> None:
    older = kiosk.event(HelpRequested())
    kiosk.wait(600)
    newest = kiosk.event(HelpRequested())
    kiosk.wait(200)
    server.take(newest, older)
    told = {call.request: call.state for call in server.calls()}
    assert told == {id_of(newest): CallState.MISSED, id_of(older): CallState.MISSED}
    again = [kiosk.event(HelpRequested()) for _ in range(2)]
    kiosk.wait(200)
    server.take(*reversed(again))
    assert server.calls()[-1].request == id_of(again[-1])


def test_a_late_press_of_a_wait_that_was_answered_is_counted_there_and_nobody_was_missed(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    first = kiosk.event(HelpRequested())
    kiosk.wait(20)
    lost = kiosk.event(HelpRequested())
    server.take(first)
    request, ana = str(id_of(first)), small_store.people["Ana"]
    server.do(acting.acknowledge, request, ana)
    kiosk.wait(30)
    server.do(acting.resolve, request, ana, "helped", "")
    kiosk.wait(300)
    server.take(lost)
    assert [(r["state"], r["count"]) for r in server.requests()] == [("resolved", 2)]


def test_presses_that_were_counted_before_a_request_closed_and_come_after_page_nobody(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(help_)
    ana = small_store.people["Ana"]
    kiosk.wait(5)
    counted = kiosk.event(HelpRequested(count=3))
    kiosk.wait(1)
    server.do(acting.acknowledge, str(id_of(help_)), ana)
    server.do(acting.resolve, str(id_of(help_)), ana, "helped", "")
    kiosk.wait(1)
    pages_before = len(server.paged())
    server.take(counted)
    (request,) = server.requests()
    assert (request["state"], request["count"]) == ("resolved", 4)
    assert len(server.paged()) == pages_before
    server.take(kiosk.event(HelpRequested()))
    assert [r["state"] for r in server.requests()] == ["resolved", "raised"]


def test_a_press_of_hours_ago_is_not_counted_with_the_shopper_who_waits_now(
    server: Server, kiosk: Kiosk
) -> None:
    old = kiosk.event(HelpRequested())
    kiosk.wait(7200)
    server.take(kiosk.event(HelpRequested()))
    server.take(old)
    assert [(r["state"], r["count"]) for r in server.requests()] == [("missed", 1), ("raised", 1)]
