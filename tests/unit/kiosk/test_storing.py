import threading
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from uuid import UUID

import pytest

from broker.events import Content, HelpRequested, SecurityRequested
from broker.messages import Receipt
from kiosk.clock import Clocks
from kiosk.jobs import Flush, NotSaved, Receive, Refill, Refilled, ReplayFrom, Report, Save, Saved
from kiosk.outbox import NewEvent
from kiosk.storing import RETRY_S, Storing

_numbers = count(1)


class Clock:
    """Monotonic seconds that a test moves."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


class Place:
    """A storing thread and what it reported."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.clock = Clock()
        self.reports: list[Report] = []
        self.clocks = Clocks(UUID(int=5), self.clock)
        self.storing = Storing(directory, self.clocks, self.reports.append)
        self.storing.open()
        self.storing.start()

    def save(self, content: Content | None = None) -> NewEvent:
        event = NewEvent(
            UUID(int=next(_numbers)), content or HelpRequested("till"), self.clocks.stamp(self.clock())
        )
        self.storing.put(Save(event))
        self.settle()
        return event

    def settle(self) -> None:
        done = threading.Event()
        self.storing.put(Flush(done))
        assert done.wait(5)

    def full(self, yes: bool) -> None:
        """SQLite's own limit: the same error as a full disk."""
        outbox = self.storing.outbox
        assert outbox is not None
        pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
        outbox._db.execute(f"PRAGMA max_page_count = {pages if yes else 100_000}")
        if yes:
            while not any(isinstance(report, NotSaved) for report in self.reports):
                self.save()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.storing.close()


def kinds(reports: list[Report]) -> list[type]:
    return [type(report) for report in reports]


def test_saved_is_reported_after_the_commit(place: Place) -> None:
    event = place.save()
    (report,) = place.reports
    assert isinstance(report, Saved) and report.event.id == event.id and report.event.seq == 1
    other = Storing(place.directory, place.clocks, lambda _: None)
    other.open()
    assert other.outbox is not None and [e.id for e in other.outbox.open_events()[0]] == [event.id]
    other.close()


def test_many_presses_at_once_are_one_transaction(place: Place) -> None:
    for _ in range(200):
        stamp = place.clocks.stamp(1.0)
        place.storing.put(Save(NewEvent(UUID(int=next(_numbers)), HelpRequested("till"), stamp)))
    place.settle()
    assert [r.event.seq for r in place.reports if isinstance(r, Saved)] == list(range(1, 201))


def test_a_full_disk_keeps_events_in_memory_without_a_number_and_writes_them_later(place: Place) -> None:
    place.full(True)
    held = place.reports[-1]
    assert isinstance(held, NotSaved) and held.event.seq is None and held.event.outbox is None
    assert place.storing.in_memory == 1
    assert "only in memory" in place.storing.faults()[0]
    place.full(False)
    place.clock.now_s += RETRY_S
    place.settle()
    written = [r for r in place.reports if isinstance(r, Saved) and not r.first]
    assert [(w.event.id, w.event.payload) for w in written] == [(held.event.id, held.event.payload)]
    assert place.storing.in_memory == 0 and place.storing.faults() == []
    number = max(r.event.seq or 0 for r in place.reports if isinstance(r, Saved))
    place.reports.clear()
    place.save()
    assert isinstance(place.reports[0], Saved) and place.reports[0].event.seq == number + 1


def test_a_receipt_by_id_lets_go_of_what_is_only_in_memory(place: Place) -> None:
    place.full(True)
    held = place.reports[-1]
    assert isinstance(held, NotSaved)
    place.storing.put(Receive(Receipt(ids=[held.event.id])))
    place.settle()
    assert place.storing.in_memory == 0


def test_a_receipt_that_could_not_be_written_is_written_when_there_is_room(place: Place) -> None:
    place.save()
    place.full(True)
    assert place.storing.outbox is not None
    identity = place.storing.outbox.id
    place.storing.put(Receive(Receipt(outbox=identity, seqs=[1])))
    place.settle()
    place.full(False)
    place.clock.now_s += RETRY_S
    place.settle()
    events, _ = place.storing.outbox.open_events()
    assert 1 not in [event.seq for event in events]


def test_a_full_disk_gives_its_reserve_to_a_security_event(place: Place) -> None:
    reserve = place.directory / "reserve"
    assert reserve.stat().st_size > 0
    place.full(True)
    assert reserve.exists(), "help does not touch the reserve"
    place.save(SecurityRequested("hold"))
    assert not reserve.exists()


def test_refill_and_replay_report_open_events(place: Place) -> None:
    place.save()
    assert place.storing.outbox is not None
    identity = place.storing.outbox.id
    place.storing.put(Receive(Receipt(outbox=identity, seqs=[1])))
    place.storing.put(Refill())
    place.storing.put(ReplayFrom(identity, 1))
    place.settle()
    refilled = [report for report in place.reports if isinstance(report, Refilled)]
    assert [len(report.events) for report in refilled] == [0, 1]


def test_a_database_that_breaks_while_in_use_is_replaced_and_the_press_is_saved(place: Place) -> None:
    place.save()
    outbox = place.storing.outbox
    assert outbox is not None
    outbox._db.execute("DROP TABLE meta")
    event = place.save()
    saved = place.reports[-1]
    assert any(isinstance(r, Saved) and r.event.id == event.id for r in place.reports), saved
    assert "set aside as damaged-1.db" in place.storing.faults()[0]


def test_closing_writes_what_waits(tmp_path: Path) -> None:
    place = Place(tmp_path)
    stamp = place.clocks.stamp(1.0)
    for _ in range(50):
        place.storing.put(Save(NewEvent(UUID(int=next(_numbers)), HelpRequested("till"), stamp)))
    close: Callable[[], None] = place.storing.close
    close()
    close()
    assert len(place.reports) == 50


def test_what_is_receipted_is_not_sent_again_and_again_while_the_disk_is_full(place: Place) -> None:
    place.save()
    place.full(True)
    assert place.storing.outbox is not None
    place.storing.put(Receive(Receipt(outbox=place.storing.outbox.id, seqs=[1])))
    place.reports.clear()
    place.storing.put(Refill())
    place.settle()
    assert place.reports == [Refilled([], True)]
