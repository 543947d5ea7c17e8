"""Messages on their way out: claimed with a lease, sent, and only then marked."""

from datetime import timedelta

import sqlalchemy as sa

from edge.db.tables import outgoing as table
from edge.paging import outgoing
from edge.paging.outgoing import KEPT, LEASE, Message
from tests.unit.edge.conftest import START, STORE

ONE = Message("t", b"1", 60)
LATER = START + LEASE + timedelta(microseconds=1)


def ids(claimed: list[outgoing.Claimed]) -> list[bytes]:
    return [c.payload for c in claimed]


def test_a_worker_claims_its_own_at_once_and_nobody_else_may_until_the_lease_ends(
    conn: sa.Connection,
) -> None:
    with conn.begin():
        assert ids(outgoing.put(conn, STORE, [ONE], START, "w1")) == [b"1"]
        assert outgoing.claim(conn, STORE, "w2", START + LEASE) == []
        assert ids(outgoing.claim(conn, STORE, "w2", LATER)) == [b"1"]
        assert outgoing.claim(conn, STORE, "w1", LATER) == []


def test_another_process_leaves_its_own_for_the_worker(conn: sa.Connection) -> None:
    with conn.begin():
        assert outgoing.put(conn, STORE, [ONE], START) == []
        assert ids(outgoing.claim(conn, STORE, "w", START)) == [b"1"]


def test_what_is_marked_sent_is_never_claimed_again(conn: sa.Connection) -> None:
    with conn.begin():
        (claimed,) = outgoing.put(conn, STORE, [ONE], START, "w")
        outgoing.mark_sent(conn, [claimed.id], START)
        assert outgoing.claim(conn, STORE, "w", LATER) == []


def test_the_oldest_go_first(conn: sa.Connection) -> None:
    with conn.begin():
        outgoing.put(conn, STORE, [Message("t", b"%d" % n) for n in range(205)], START)
        assert ids(outgoing.claim(conn, STORE, "w", START)) == [b"%d" % n for n in range(200)]
        assert ids(outgoing.claim(conn, STORE, "w", START)) == [b"%d" % n for n in range(200, 205)]


def test_what_is_worth_nothing_any_more_is_dropped(conn: sa.Connection) -> None:
    with conn.begin():
        outgoing.put(conn, STORE, [ONE, Message("t", b"for ever")], START)
        late = START + timedelta(seconds=61)
        assert ids(outgoing.claim(conn, STORE, "w", late)) == [b"for ever"]
        assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 1


def test_a_jump_of_the_clock_changes_no_lease_and_no_expiry(conn: sa.Connection) -> None:
    with conn.begin():
        outgoing.put(conn, STORE, [ONE], START, "w")
        outgoing.put(conn, STORE, [Message("t", b"2", 60)], START)
        back = timedelta(hours=-1)
        outgoing.shift(conn, STORE, back)
        (second,) = outgoing.claim(conn, STORE, "w", START + back)
        assert second.payload == b"2"
        outgoing.mark_sent(conn, [second.id], START + back)
        assert ids(outgoing.claim(conn, STORE, "w", LATER + back)) == [b"1"]


def test_what_was_sent_long_ago_is_forgotten(conn: sa.Connection) -> None:
    with conn.begin():
        sent, _ = outgoing.put(conn, STORE, [ONE, ONE], START, "w")
        outgoing.mark_sent(conn, [sent.id], START)
        outgoing.forget(conn, STORE, START + KEPT + timedelta(seconds=1))
        assert conn.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 1
