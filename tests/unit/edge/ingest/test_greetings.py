"""A shopper whom nobody greets: who is called, when nobody is, and what ends it."""

import pytest

from broker.events import Attended, Cancelled, Greeted, HelpRequested, SecurityRequested
from edge.config import Greeter
from edge.db.tables import interaction, page, timeline, timer
from edge.errors import NotFound, Refused
from edge.handling import acting, handing_on
from edge.policies import Policies
from tests.unit.edge.conftest import SmallStore
from tests.unit.edge.ingest.server import Arrival, Kiosk, Server, id_of

IN, OUT = Greeted("in", "door"), Greeted("out", "door")


def greet(server: Server, kiosk: Kiosk) -> str:
    """Somebody comes in; the greeting's id."""
    arrival = kiosk.event(IN)
    server.take(arrival)
    return str(id_of(arrival))


def later(server: Server, kiosk: Kiosk, seconds: float) -> None:
    """So much later, timers having fired each second and the kiosk's clock having been heard."""
    for _ in range(int(seconds)):
        kiosk.wait(1)
        kiosk.heard()
        server.timers()


def state(server: Server, greeting: str) -> str:
    (row,) = server.rows(interaction, id=greeting)
    return str(row["state"])


def test_one_who_is_free_is_called_after_30_s_then_one_more_and_then_it_is_over_without_a_word_at_the_kiosk(
    server: Server, kiosk: Kiosk
) -> None:
    greeting = greet(server, kiosk)
    later(server, kiosk, 29)
    assert (server.paged(), state(server, greeting)) == ([], "recorded")
    later(server, kiosk, 2)
    first = server.paged()
    assert len(first) == 1 and state(server, greeting) == "raised"
    later(server, kiosk, 30)
    # Both of the zone; the third associate, the supervisor and all others are left in peace.
    assert server.paged() == ["Ana", "Bo"]
    later(server, kiosk, 31)
    assert state(server, greeting) == "missed"
    later(server, kiosk, 300)
    assert server.paged() == ["Ana", "Bo"] and server.rows(timer) == [] and server.calls() == []
    assert {row["state"] for row in server.rows(page)} == {"superseded"}
    told = server.words()
    assert told[0] == "As far as is known, nobody has greeted them."
    assert told[1] == f"{first[0]} is called: works in Shoes, free."
    assert told[-1] == "Nobody has said that they greeted them."


def test_one_tap_is_the_whole_answer(server: Server, kiosk: Kiosk, small_store: SmallStore) -> None:
    greeting = greet(server, kiosk)
    later(server, kiosk, 65)
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    server.do(acting.acknowledge, greeting, ana)
    server.do(acting.acknowledge, greeting, ana)
    (row,) = server.rows(interaction, id=greeting)
    assert (row["state"], row["owner"], row["outcome"]) == ("resolved", ana, "greeted")
    assert row["acknowledged_at"] == row["closed_at"] == server.clock() and row["attended_at"] is None
    assert {p["person"]: p["state"] for p in server.rows(page)} == {ana: "answered", bo: "superseded"}
    assert server.words()[-1] == "Ana greets them." and server.rows(timer) == []
    with pytest.raises(Refused, match="Ana greets them already"):
        server.do(acting.acknowledge, greeting, bo)


def test_whoever_cannot_come_makes_way_for_the_next_at_once(server: Server, kiosk: Kiosk) -> None:
    greeting = greet(server, kiosk)
    later(server, kiosk, 31)
    (first,) = server.rows(page)

    def cannot(conn, store, now):  # type: ignore[no-untyped-def]
        handing_on.decline(conn, store, Policies(), greeting, first["person"], "too-far", now)

    server.do(cannot)
    assert server.paged() == ["Ana", "Bo"] and server.calls() == []


ENDS = {
    "just looking": lambda kiosk, greeting: kiosk.event(Cancelled(greeting)),
    "here": lambda kiosk, greeting: kiosk.event(Attended(greeting)),
    "a badge": lambda kiosk, greeting: kiosk.event(Attended(greeting, "badge-bo")),
    "help": lambda kiosk, greeting: kiosk.event(HelpRequested()),
    "out": lambda kiosk, greeting: kiosk.event(OUT),
}


@pytest.mark.parametrize(
    ("end", "before", "after"),
    [
        ("just looking", "cancelled", "cancelled"),
        ("here", "resolved", "resolved"),
        ("a badge", "resolved", "resolved"),
        ("help", "recorded", "cancelled"),
        ("out", "recorded", "cancelled"),
    ],
)
@pytest.mark.parametrize("called", [False, True])
def test_what_happens_at_the_kiosk_ends_it_before_and_after_somebody_was_called(
    server: Server, kiosk: Kiosk, end: str, before: str, after: str, called: bool
) -> None:
    arrival = kiosk.event(IN)
    server.take(arrival)
    later(server, kiosk, 40 if called else 10)
    server.take(ENDS[end](kiosk, id_of(arrival)))
    assert state(server, str(id_of(arrival))) == (after if called else before)
    closed = [p["state"] for p in server.rows(page, request=str(id_of(arrival)))]
    assert len(closed) == called and set(closed) <= {"superseded", "answered"}
    assert server.rows(timer, request=str(id_of(arrival))) == []
    before_it = [p["id"] for p in server.rows(page)]
    later(server, kiosk, 10)
    assert [p["id"] for p in server.rows(page)] == before_it
    assert all(str(call.request) != str(id_of(arrival)) for call in server.calls())


@pytest.mark.parametrize("order", ["one batch", "cancel first", "cancel first in one batch"])
def test_a_cancel_counts_in_whatever_order_it_comes(server: Server, kiosk: Kiosk, order: str) -> None:
    arrival = kiosk.event(IN)
    cancel = kiosk.event(Cancelled(id_of(arrival)))
    both: list[Arrival] = [arrival, cancel] if order == "one batch" else [cancel, arrival]
    if "one batch" in order:
        server.take(*both)
    else:
        for one in both:
            server.take(one)
    later(server, kiosk, 40)
    assert state(server, str(id_of(arrival))) == "cancelled" and server.paged() == []


def test_a_burst_is_one_wait_and_just_looking_of_any_of_it_ends_it(server: Server, kiosk: Kiosk) -> None:
    burst = [kiosk.event(IN) for _ in range(3)]
    server.take(*burst[:2])
    later(server, kiosk, 20)
    server.take(burst[2])
    assert len(server.rows(timer)) == 1 and len(server.rows(interaction)) == 3
    server.take(kiosk.event(Cancelled(id_of(burst[2]))))
    later(server, kiosk, 60)
    assert [state(server, str(id_of(one))) for one in burst] == ["cancelled", "recorded", "recorded"]
    assert server.paged() == []


def test_an_earlier_greeting_does_not_end_a_later_wait(server: Server, kiosk: Kiosk) -> None:
    first = kiosk.event(IN)
    server.take(first, kiosk.event(Cancelled(id_of(first))))
    second = greet(server, kiosk)
    server.take(kiosk.event(Cancelled(id_of(first))), kiosk.event(IN))
    later(server, kiosk, 31)
    assert state(server, second) == "raised" and len(server.paged()) == 1


def test_after_a_call_the_door_is_quiet_for_ten_minutes(server: Server, kiosk: Kiosk) -> None:
    greet(server, kiosk)
    later(server, kiosk, 95)
    quiet = greet(server, kiosk)
    later(server, kiosk, 60)
    assert (state(server, quiet), len(server.paged())) == ("recorded", 2)
    kiosk.wait(600)
    kiosk.heard()
    again = greet(server, kiosk)
    later(server, kiosk, 31)
    assert (state(server, again), len(server.paged())) == ("raised", 3)


def test_whoever_came_in_long_ago_or_at_an_unknown_time_is_only_recorded(
    server: Server, kiosk: Kiosk
) -> None:
    old, overdue = kiosk.event(IN), kiosk.event(IN, drill=True)
    kiosk.wait(45)
    server.take(overdue)
    kiosk.wait(20)
    server.take(old)
    server.origins.clear()
    unknown = greet(server, kiosk)
    assert [row["request"] for row in server.rows(timer)] == [str(id_of(overdue))]
    assert state(server, str(id_of(old))) == state(server, unknown) == "recorded"


def test_a_server_that_was_away_calls_nobody_for_whoever_has_gone_on(server: Server, kiosk: Kiosk) -> None:
    greeting = greet(server, kiosk)
    kiosk.wait(70)
    server.timers()
    assert (server.paged(), state(server, greeting), server.rows(timer)) == ([], "recorded", [])
    assert "too late" in server.words()[-1]


def test_switched_off_or_while_help_is_called_for_nobody_is_called_to_greet(
    server: Server, kiosk: Kiosk
) -> None:
    server.greeter = Greeter(after_s=0)
    greet(server, kiosk)
    server.greeter = Greeter()
    server.take(kiosk.event(HelpRequested()))
    greet(server, kiosk)
    assert "greet" not in {row["kind"] for row in server.rows(timer)}


def test_a_silent_request_leaves_no_trace_at_a_greeting(server: Server, kiosk: Kiosk) -> None:
    greeting = greet(server, kiosk)
    server.take(kiosk.event(SecurityRequested("hold")))
    later(server, kiosk, 31)
    assert state(server, greeting) == "raised"
    lines = server.rows(timeline, interaction=greeting)
    assert lines and not any("ecurity" in line["words"] for line in lines)


def test_a_greeting_that_nobody_is_called_for_is_no_request(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    greeting = greet(server, kiosk)
    with pytest.raises(NotFound, match="only recorded"):
        server.do(acting.acknowledge, greeting, small_store.people["Ana"])


def test_another_device_may_not_answer_for_it(server: Server, kiosk: Kiosk) -> None:
    arrival = kiosk.event(IN)
    server.take(arrival)
    till = Kiosk(server, "till-1")
    server.take(till.event(Cancelled(id_of(arrival))))
    assert "Only the device that raised" in server.refusals()[0]
    assert len(server.rows(timer)) == 1


def test_a_thousand_greetings_a_day_call_six_times_an_hour_at_most(server: Server, kiosk: Kiosk) -> None:
    # In a day of ten hours one comes in every 36 s.
    for _ in range(200):
        greet(server, kiosk)
        for _ in range(4):
            kiosk.wait(9)
            kiosk.heard()
            server.timers()
    calls = [row for row in server.rows(interaction) if row["called_at"]]
    assert len(calls) == 12 and len(server.rows(page)) == 24
