from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from kiosk.flight import FRESH_ROOM, PROBE_S, WINDOW, Flight, Link


@dataclass(frozen=True)
class Event:
    id: UUID
    kind: str
    seq: int | None
    made_s: float | None


def an_event(number: int, kind: str = "help", made_s: float | None = None) -> Event:
    return Event(UUID(int=number), kind, number, made_s)


def opened() -> Flight:
    flight = Flight()
    flight.link(Link.OPEN, anew=True)
    return flight


def send(flight: Flight, events: list[Event], now_s: float) -> list[int]:
    due = flight.due(events, now_s)
    for event in due:
        flight.sent(event, now_s)
    return [event.seq or 0 for event in due]


def test_security_goes_first_then_the_newest_request_then_the_oldest_of_the_backlog() -> None:
    events = [
        an_event(1),
        an_event(2, "feedback", 90.0),
        an_event(3, "help", 95.0),
        an_event(4, "help", 99.0),
        an_event(5, "security", 98.0),
        an_event(6, "help", 20.0),
    ]
    assert send(opened(), events, 100.0) == [5, 4, 3, 1, 6, 2]


def test_an_unanswered_event_is_sent_again_after_longer_and_longer_waits() -> None:
    flight, event, sent = opened(), an_event(1, "help", 0.0), []
    for tenth in range(600):
        if send(flight, [event], tenth / 10):
            sent.append(tenth / 10)
    assert [round(b - a, 1) for a, b in pairwise(sent)][:6] == [1, 2, 4, 8, 10, 10]


def test_security_that_nobody_answers_is_never_silent_for_longer_than_four_seconds() -> None:
    flight, event, sent = opened(), an_event(1, "security", 0.0), []
    for tenth in range(600):
        if send(flight, [event], tenth / 10):
            sent.append(tenth / 10)
    assert [round(b - a, 1) for a, b in pairwise(sent)][:5] == [1, 2, 4, 4, 4]


def test_security_that_was_sent_to_a_server_that_was_gone_is_sent_again_as_soon_as_it_is_back() -> None:
    flight, event = opened(), an_event(1, "security", 0.0)
    for now_s in (0.0, 1.0, 3.0):
        assert send(flight, [event], now_s) == [1]
    flight.link(Link.HELD)
    assert send(flight, [event], 4.1) == []
    flight.link(Link.OPEN)
    assert send(flight, [event], 4.1) == [1]


def test_security_that_was_sent_a_moment_before_the_server_said_that_it_is_there_is_not_sent_twice() -> None:
    flight, event = Flight(), an_event(1, "security", 0.0)
    flight.link(Link.HELD, anew=True)
    assert send(flight, [event], 0.1) == [1]
    flight.link(Link.OPEN)
    assert send(flight, [event], 0.2) == []
    assert send(flight, [event], 1.2) == [1]


def test_a_backlog_fills_the_window_and_leaves_room_for_a_fresh_press() -> None:
    flight, backlog = opened(), [an_event(n) for n in range(1, 100)]
    assert len(send(flight, backlog, 0.0)) == WINDOW - FRESH_ROOM
    assert send(flight, [*backlog, an_event(200, made_s=0.5)], 0.5) == [200]


def test_the_window_halves_without_receipts_and_grows_back_with_them() -> None:
    flight, backlog, now_s = opened(), [an_event(n) for n in range(1, 100)], 0.0
    for _ in range(30):
        send(flight, backlog, now_s)
        now_s += 1.0
    assert flight.window == 1
    assert flight.on_their_way(now_s) <= 1
    flight.answered([event.id for event in backlog[:40]], now_s)
    assert flight.window == WINDOW


def test_one_event_that_never_gets_an_answer_does_not_hold_up_the_others() -> None:
    flight, poison, now_s = opened(), an_event(1), 0.0
    waiting = {event.id: event for event in [poison, *(an_event(n) for n in range(2, 60))]}
    for _ in range(400):
        for event in flight.due(list(waiting.values()), now_s):
            flight.sent(event, now_s)
            if event != poison:
                flight.answered([event.id], now_s)
                del waiting[event.id]
        now_s += 0.5
    assert list(waiting) == [poison.id]


def test_without_a_server_only_security_and_one_probe_in_ten_seconds_leave() -> None:
    flight, now_s = Flight(), 0.0
    flight.link(Link.HELD, anew=True)
    events = [an_event(1), an_event(2, "help", 0.0), an_event(3, "security", 0.0)]
    assert send(flight, events, 0.0) == [3, 2]
    sent: list[tuple[float, int]] = []
    for tenth in range(1, 301):
        now_s = tenth / 10
        sent += [(now_s, seq) for seq in send(flight, events, now_s)]
    probes = [at for at, seq in sent if seq != 3]
    assert probes == [PROBE_S, 2 * PROBE_S, 3 * PROBE_S]
    assert [at for at, seq in sent if seq == 3] == [1.0, 3.0, *range(7, 31, 4)]


def test_when_the_server_is_back_everything_held_leaves_at_once() -> None:
    flight = Flight()
    flight.link(Link.HELD, anew=True)
    events = [an_event(1, made_s=0.0), an_event(2, made_s=0.1)]
    send(flight, events, 0.2)
    flight.link(Link.OPEN)
    assert send(flight, events, 0.3) == [2, 1]


def test_without_a_broker_nothing_leaves_and_a_new_connection_begins_anew() -> None:
    flight, events = opened(), [an_event(1)]
    send(flight, events, 0.0)
    flight.link(Link.DOWN)
    assert send(flight, events, 50.0) == []
    flight.link(Link.OPEN, anew=True)
    assert send(flight, events, 50.1) == [1]


class FlightMachine(RuleBasedStateMachine):
    """Anything may happen in any order; the rules of the wire hold."""

    def __init__(self) -> None:
        super().__init__()
        self.flight = opened()
        self.link = Link.OPEN
        self.now_s = 1000.0
        self.number = 0
        self.open: dict[UUID, Event] = {}

    @rule(kind=st.sampled_from(["help", "security", "cancel", "feedback"]), age=st.floats(0, 200))
    def happens(self, kind: str, age: float) -> None:
        self.number += 1
        event = an_event(self.number, kind, self.now_s - age)
        self.open[event.id] = event

    @rule(seconds=st.floats(0.01, 15))
    def time_passes(self, seconds: float) -> None:
        self.now_s += seconds

    @rule(link=st.sampled_from(list(Link)), anew=st.booleans())
    def link_changes(self, link: Link, anew: bool) -> None:
        self.link = link
        self.flight.link(link, anew=anew)

    @precondition(lambda self: self.open)
    @rule(data=st.data())
    def receipt(self, data: st.DataObject) -> None:
        event_id = data.draw(st.sampled_from(sorted(self.open)))
        self.flight.answered([event_id], self.now_s)
        del self.open[event_id]

    @rule()
    def sends(self) -> None:
        due = self.flight.due(list(self.open.values()), self.now_s)
        kinds = [event.kind == "security" for event in due]
        assert kinds == sorted(kinds, reverse=True), "security first"
        assert all(event.id in self.open for event in due)
        if self.link is Link.DOWN:
            assert due == []
        if self.link is Link.HELD:
            assert kinds.count(False) <= 1
        for event in due:
            self.flight.sent(event, self.now_s)  # type: ignore[arg-type]

    @invariant()
    def the_window_is_bounded(self) -> None:
        assert 1 <= self.flight.window <= WINDOW
        if self.link is not Link.HELD:
            assert self.flight.on_their_way(self.now_s) <= WINDOW


TestAnythingInAnyOrder = FlightMachine.TestCase
TestAnythingInAnyOrder.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
