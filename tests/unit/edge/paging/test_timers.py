"""Timers: rows that survive any restart and fire once."""

import threading
from datetime import timedelta

import sqlalchemy as sa

from edge.db.engine import connect
from edge.paging import timers
from edge.paging.timers import Timer
from tests.unit.edge.conftest import START, STORE, SmallStore

SOON = START + timedelta(seconds=15)


def test_a_timer_is_due_at_its_time_and_is_claimed_once(conn: sa.Connection) -> None:
    with conn.begin():
        timers.set_due(conn, STORE, "r", Timer.ESCALATE, SOON)
        assert timers.due(conn, STORE, SOON - timedelta(microseconds=1)) == []
        assert timers.due(conn, STORE, SOON) == [("r", Timer.ESCALATE, SOON)]
        assert timers.claim(conn, "r", Timer.ESCALATE, SOON)
        assert not timers.claim(conn, "r", Timer.ESCALATE, SOON)


def test_a_claim_that_is_rolled_back_fires_after_the_restart(small_store: SmallStore) -> None:
    engine = connect(small_store.url, write=True)
    with engine.begin() as conn:
        timers.set_due(conn, STORE, "r", Timer.ESCALATE, SOON)
    with engine.connect() as conn:
        transaction = conn.begin()
        assert timers.claim(conn, "r", Timer.ESCALATE, SOON)
        transaction.rollback()
    engine.dispose()
    again = connect(small_store.url, write=True)
    with again.begin() as conn:
        assert timers.due(conn, STORE, SOON + timedelta(hours=1)) == [("r", Timer.ESCALATE, SOON)]
        assert timers.claim(conn, "r", Timer.ESCALATE, SOON)
    again.dispose()


def test_a_timer_that_was_moved_meanwhile_is_not_claimed_by_its_old_time(conn: sa.Connection) -> None:
    later = SOON + timedelta(seconds=5)
    with conn.begin():
        timers.set_due(conn, STORE, "r", Timer.ESCALATE, SOON)
        timers.set_due(conn, STORE, "r", Timer.ESCALATE, later)
        assert not timers.claim(conn, "r", Timer.ESCALATE, SOON)
        assert timers.next_due(conn, STORE) == later
        timers.clear(conn, "r")
        assert timers.next_due(conn, STORE) is None


def test_the_most_overdue_come_first(conn: sa.Connection) -> None:
    with conn.begin():
        for n in (3, 1, 2):
            timers.set_due(conn, STORE, f"r{n}", Timer.ESCALATE, START + timedelta(seconds=n))
        assert [request for request, _, _ in timers.due(conn, STORE, SOON)] == ["r1", "r2", "r3"]


def test_of_two_workers_that_claim_a_timer_at_once_one_fires_it(small_store: SmallStore) -> None:
    engine = connect(small_store.url, write=True)
    with engine.begin() as conn:
        timers.set_due(conn, STORE, "r", Timer.ESCALATE, SOON)
    both, claimed = threading.Barrier(2), []

    def work() -> None:
        both.wait(30)
        with engine.begin() as conn:
            claimed.append(timers.claim(conn, "r", Timer.ESCALATE, SOON))

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    engine.dispose()
    assert sorted(claimed) == [False, True]
