"""Numbers that never came."""

from datetime import timedelta
from itertools import pairwise
from uuid import UUID

import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from broker import codec, topics
from broker.events import Greeted
from edge.db.tables import gap
from edge.ingest import gaps
from edge.ingest import store as events
from edge.ingest.store import SetAside
from tests.unit.edge.conftest import START, STORE

OUTBOX = UUID(int=77)


@given(st.integers(1, 20), st.integers(0, 25), st.sets(st.integers(1, 40)))
def test_the_missing_runs_are_those_that_counting_one_by_one_finds(
    first: int, length: int, received: set[int]
) -> None:
    below = first + length
    inside = sorted(n for n in received if first <= n < below)
    found = [n for low, high in gaps.missing(first, below, inside) for n in range(low, high + 1)]
    assert found == [n for n in range(first, below) if n not in received]
    runs = gaps.missing(first, below, inside)
    assert all(high + 1 < low for (_, high), (low, _) in pairwise(runs))


def commit(conn: sa.Connection, *seqs: int) -> None:
    topic = topics.event(STORE, "kiosk-1", "greet")
    for seq in seqs:
        payload = codec.encode_event(UUID(int=seq), Greeted("in", "pir"), "greet", outbox=OUTBOX, seq=seq)
        events.insert(conn, STORE, [codec.decode_event(STORE, topic, payload)], START)


def look(conn: sa.Connection, oldest_open: int) -> list[tuple[int, int]]:
    return gaps.look(conn, STORE, "kiosk-1", str(OUTBOX), oldest_open, START)


def test_a_gap_is_named_once_and_only_below_what_the_device_still_keeps_open(conn: sa.Connection) -> None:
    with conn.begin():
        commit(conn, 1, 2, 5, 9)
        assert look(conn, 3) == []
        assert look(conn, 6) == [(3, 4)]
        assert look(conn, 6) == []
        assert look(conn, 10) == [(6, 8)]


def test_what_was_refused_with_its_number_is_no_gap(conn: sa.Connection) -> None:
    with conn.begin():
        commit(conn, 1, 3)
        aside = SetAside("kiosk-1", "t", b"?", "Wrong.", None, str(OUTBOX), 2)
        events.set_aside(conn, STORE, aside, START)
        assert look(conn, 4) == []


def test_a_replay_closes_the_gaps_that_it_fills_and_the_rest_is_asked_for_again(conn: sa.Connection) -> None:
    later = START + timedelta(minutes=1)
    with conn.begin():
        commit(conn, 1, 4, 6)
        assert look(conn, 7) == [(2, 3), (5, 5)]
        commit(conn, 2, 3)
        gaps.close_filled(conn, STORE, "kiosk-1", later)
        rows = conn.execute(sa.select(gap.c.first_seq, gap.c.closed_at).order_by(gap.c.first_seq))
        assert [tuple(row) for row in rows] == [(2, later), (5, None)]
        assert gaps.still_open(conn, STORE, "kiosk-1", later) == [(str(OUTBOX), 5)]
        assert gaps.still_open(conn, STORE, "kiosk-1", later + gaps.KEPT_AT_DEVICE) == []


def test_one_look_reads_no_more_than_its_span(conn: sa.Connection) -> None:
    with conn.begin():
        assert look(conn, 10**9) == [(1, gaps.SPAN)]
