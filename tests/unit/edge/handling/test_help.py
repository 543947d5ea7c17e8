"""The story of a help request from the press to the log."""

import threading
from datetime import timedelta
from itertools import pairwise

import pytest

from broker.events import HelpRequested, SecurityRequested
from edge.db.engine import connect
from edge.db.tables import feed, page, timer
from edge.errors import NotFound, Refused
from edge.handling import acting
from edge.paging import store as pages
from edge.people import store as people
from tests.unit.edge.conftest import STORE, Clock, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of


@pytest.fixture
def request_id(server: Server, kiosk: Kiosk) -> str:
    """A help request that was pressed just now."""
    help_ = kiosk.event(HelpRequested("till", "ca"))
    server.take(help_)
    return str(id_of(help_))


def open_pages(server: Server, person: str) -> list[pages.OpenPage]:
    with server.conn.begin():
        return pages.open_pages(server.conn, STORE, person)


def test_nobody_answers_so_more_and_more_are_paged_each_once_until_it_is_missed(
    server: Server, kiosk: Kiosk, request_id: str
) -> None:
    assert server.paged() == ["Ana", "Bo"]
    told = []
    for second in range(1, 121):
        kiosk.wait(1)
        if server.timers():
            told.append((second, server.calls()[-1].text))
    assert server.paged() == ["Ana", "Bo", "Carla", "Igor", "Mira", "Sofia"]
    assert told[-1] == (120, "missed") and (45, "paging.all") in told and (30, "paging.supervisors") in told
    seconds = [0, *(second for second, _ in told)]
    assert max(later - sooner for sooner, later in pairwise(seconds)) <= 15
    (request,) = server.requests()
    assert request["state"] == "missed" and server.rows(timer) == []
    assert {row["state"] for row in server.rows(page)} == {"superseded"}


def test_the_shopper_is_told_something_new_each_time(server: Server, kiosk: Kiosk, request_id: str) -> None:
    for _ in range(20):
        kiosk.wait(6)
        server.timers()
    revisions = [call.revision for call in server.calls()]
    assert revisions == sorted(set(revisions))


def test_after_downtime_all_overdue_steps_are_taken_at_once_and_once(
    server: Server, kiosk: Kiosk, request_id: str
) -> None:
    kiosk.wait(50)
    server.timers()
    assert server.paged() == ["Ana", "Bo", "Carla", "Igor", "Mira", "Sofia"]
    assert server.timers() == 0


def test_after_long_downtime_it_is_missed_and_nobody_more_is_paged(
    server: Server, kiosk: Kiosk, request_id: str
) -> None:
    kiosk.wait(4000)
    server.timers()
    assert server.requests()[0]["state"] == "missed" and server.paged() == ["Ana", "Bo"]


def test_of_two_who_acknowledge_one_wins_and_the_other_hears_who(
    server: Server, small_store: SmallStore, request_id: str
) -> None:
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    server.do(acting.acknowledge, request_id, ana)
    with pytest.raises(Refused, match=r"Ana is already coming\.") as refused:
        server.do(acting.acknowledge, request_id, bo)
    assert refused.value.holder == "Ana"
    assert server.requests()[0]["owner"] == ana
    assert {r["person"]: r["state"] for r in server.rows(page)} == {ana: "answered", bo: "superseded"}
    call = server.calls()[-1]
    assert (call.text, call.name, call.args) == ("coming", "Ana", {"name": "Ana"})


def test_of_two_who_acknowledge_from_two_processes_at_once_exactly_one_wins(
    small_store: SmallStore, request_id: str, clock: Clock
) -> None:
    both, refused = threading.Barrier(2), []

    def tap(name: str) -> None:
        engine = connect(small_store.url, write=True)
        both.wait(30)
        try:
            with engine.begin() as conn:
                acting.acknowledge(conn, small_store.name, request_id, small_store.people[name], clock())
        except Refused as error:
            refused.append((name, error.holder))
        engine.dispose()

    taps = [threading.Thread(target=tap, args=(name,)) for name in ("Ana", "Bo")]
    for each in taps:
        each.start()
    for each in taps:
        each.join(60)
    assert refused in ([("Ana", "Bo")], [("Bo", "Ana")])


def test_whoever_accepted_arrives_and_closes_it_and_the_log_says_so(
    server: Server, kiosk: Kiosk, small_store: SmallStore, request_id: str
) -> None:
    ana = small_store.people["Ana"]
    for act in (acting.acknowledge, acting.attend):
        kiosk.wait(5)
        server.do(act, request_id, ana)
    kiosk.wait(60)
    assert server.timers() == 0
    server.do(acting.resolve, request_id, ana, "referred", "To the tailor.")
    (request,) = server.requests()
    waited = [request[c] - request["raised_at"] for c in ("acknowledged_at", "attended_at", "closed_at")]
    assert waited == [timedelta(seconds=s) for s in (5, 10, 70)]
    assert (request["outcome"], request["note"]) == ("referred", "To the tailor.")
    assert server.words()[-3:] == ["Ana is coming.", "Ana is there.", "Sent to the right place."]
    with pytest.raises(Refused, match="already closed by Ana"):
        server.do(acting.acknowledge, request_id, ana)


def test_an_acknowledged_request_escalates_no_more_but_the_shopper_still_hears_of_it(
    server: Server, kiosk: Kiosk, small_store: SmallStore, request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, small_store.people["Ana"])
    for _ in range(5):
        kiosk.wait(12)
        assert server.timers() == 1
    assert server.paged() == ["Ana", "Bo"]
    assert (server.calls()[-1].text, server.calls()[-1].args["seconds"]) == ("coming.still", "60")


def test_the_first_who_sees_a_page_is_named_to_the_shopper_once(
    server: Server, small_store: SmallStore, request_id: str
) -> None:
    ids = {row["person"]: row["id"] for row in server.rows(page)}
    for name in ("Bo", "Ana", "Bo"):
        person = small_store.people[name]
        server.do(acting.mark_seen, person, [ids[person]])
    assert [call.args["name"] for call in server.calls() if call.text == "seen"] == ["Bo"]


def test_nobody_marks_another_persons_page(server: Server, small_store: SmallStore, request_id: str) -> None:
    ids = {row["person"]: row["id"] for row in server.rows(page)}
    server.do(acting.mark_seen, small_store.people["Carla"], list(ids.values()))
    assert {row["state"] for row in server.rows(page)} == {"pending"}


def test_a_disabled_person_acts_no_more(server: Server, small_store: SmallStore, request_id: str) -> None:
    ana = small_store.people["Ana"]
    server.do(people.disable, ana)
    with pytest.raises(NotFound):
        server.do(acting.acknowledge, request_id, ana)


def test_a_phone_shows_what_its_person_was_paged_for_or_answers_and_nothing_else(
    server: Server, small_store: SmallStore, request_id: str
) -> None:
    ana, bo, carla = (small_store.people[name] for name in ("Ana", "Bo", "Carla"))
    (shown,) = open_pages(server, ana)
    assert (shown.zone_title, shown.topic, shown.language) == ("Shoes", "till", "ca")
    assert (
        shown.reason == "works in Shoes, speaks Catalan, free" and not shown.mine and shown.owner_name is None
    )
    assert open_pages(server, carla) == []
    server.do(acting.acknowledge, request_id, ana)
    assert open_pages(server, ana)[0].mine
    assert (open_pages(server, bo)[0].mine, open_pages(server, bo)[0].owner_name) == (False, "Ana")
    server.do(acting.resolve, request_id, ana, "helped", "")
    assert open_pages(server, ana) == open_pages(server, bo) == []


def test_a_phone_shows_a_security_request_once_however_often_it_paged(
    server: Server, kiosk: Kiosk, small_store: SmallStore, request_id: str
) -> None:
    server.take(kiosk.event(SecurityRequested("hold")))
    for _ in range(3):
        kiosk.wait(10)
        server.timers()
    ana = small_store.people["Ana"]
    assert [p.kind for p in open_pages(server, ana)] == ["security", "help"]
    server.do(acting.acknowledge, request_id, ana)
    assert [(p.kind, p.mine) for p in open_pages(server, ana)] == [("help", True), ("security", False)]


def test_security_is_paged_again_every_ten_seconds_until_someone_acknowledges(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    hold = kiosk.event(SecurityRequested("hold"))
    server.take(hold)
    igor = small_store.people["Igor"]
    for rounds in range(1, 31):
        assert len(server.rows(page, person=igor)) == rounds
        kiosk.wait(10)
        assert server.timers() == 1
    server.do(acting.acknowledge, str(id_of(hold)), igor)
    server.do(acting.attend, str(id_of(hold)), igor)
    kiosk.wait(3600)
    assert server.timers() == 0
    assert len(server.rows(page, person=igor)) == 31


def test_who_sees_every_round_of_a_security_page_is_noted_once(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    server.take(kiosk.event(SecurityRequested("hold")))
    igor = small_store.people["Igor"]
    for _ in range(3):
        ids = [row["id"] for row in server.rows(page, person=igor, state="pending")]
        server.do(acting.mark_seen, igor, ids)
        kiosk.wait(10)
        server.timers()
    assert server.words().count("Igor has seen it.") == 1


def test_with_nobody_signed_in_the_shopper_is_told_so_and_whoever_comes_is_paged(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    for person in small_store.people.values():
        server.do(people.set_presence, person, "off")
    server.take(kiosk.event(HelpRequested()))
    assert (server.paged(), server.calls()[-1].text) == ([], "paging.nobody")
    server.do(people.set_presence, small_store.people["Carla"], "available")
    kiosk.wait(15)
    server.timers()
    assert server.paged() == ["Carla"]


def test_whoever_comes_after_the_last_step_is_called_if_nobody_who_was_called_is_here(
    server: Server, kiosk: Kiosk, small_store: SmallStore, request_id: str
) -> None:
    for person in small_store.people.values():
        server.do(people.set_presence, person, "off")
    for _ in range(5):
        kiosk.wait(10)
        server.timers()
    assert server.paged() == ["Ana", "Bo"]
    server.do(people.set_presence, small_store.people["Carla"], "available")
    kiosk.wait(12)
    server.timers()
    assert server.paged() == ["Ana", "Bo", "Carla"] and server.calls()[-1].text == "paging.all"
    for _ in range(6):
        kiosk.wait(12)
        server.timers()
    assert server.paged() == ["Ana", "Bo", "Carla"] and server.requests()[0]["state"] == "missed"


def test_a_page_is_told_to_its_person_alone(server: Server, small_store: SmallStore, request_id: str) -> None:
    told = [row["audience"] for row in server.rows(feed, what="page")]
    assert sorted(told) == sorted(f"person:{small_store.people[n]}" for n in ("Ana", "Bo"))
