"""MQTT messages on their way out: written with their cause, sent by the worker, marked after it was sent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.columns import moved
from edge.db.tables import outgoing

LEASE = timedelta(seconds=5)
KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Message:
    """A QoS 1 message to be. `expiry_s`: after that long it is worth nothing; `attempt`: which it is, of what
    calls a pager."""

    topic: str
    payload: bytes
    expiry_s: int | None = None
    attempt: str | None = None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this worker may send until its lease ends."""

    id: int
    topic: str
    payload: bytes
    expiry_s: int | None


_COLUMNS = (outgoing.c.id, outgoing.c.topic, outgoing.c.payload, outgoing.c.expiry_s)
_PUT = sa.insert(outgoing)
_PUT_CLAIMED = _PUT.returning(*_COLUMNS, sort_by_parameter_order=True)
_SENT = (
    sa.update(outgoing)
    .where(outgoing.c.id.in_(sa.bindparam("in_ids", expanding=True)))
    .values(sent_at=sa.bindparam("in_now"))
    .returning(outgoing.c.id, outgoing.c.attempt)
)
_CLAIM = (
    sa.update(outgoing)
    .where(
        outgoing.c.id.in_(
            sa.select(outgoing.c.id)
            .where(
                outgoing.c.store == sa.bindparam("in_store"),
                outgoing.c.sent_at.is_(None),
                sa.or_(outgoing.c.claimed_until.is_(None), outgoing.c.claimed_until < sa.bindparam("in_now")),
            )
            .order_by(outgoing.c.id)
            .limit(200)
        )
    )
    .values(claimed_by=sa.bindparam("in_worker"), claimed_until=sa.bindparam("in_until"))
    .returning(*_COLUMNS, outgoing.c.created_at)
)


def put(
    conn: sa.Connection, store: str, messages: Sequence[Message], now: datetime, worker: str | None = None
) -> list[Claimed]:
    """Write messages. A worker claims its own at once; another process leaves them for it."""
    if not messages:
        return []
    rows = [
        {
            "store": store,
            "topic": m.topic,
            "payload": m.payload,
            "expiry_s": m.expiry_s,
            "attempt": m.attempt,
            "created_at": now,
            "claimed_by": worker,
            "claimed_until": now + LEASE if worker else None,
        }
        for m in messages
    ]
    if worker is None:
        conn.execute(_PUT, rows)
        return []
    return [Claimed(*row) for row in conn.execute(_PUT_CLAIMED, rows)]


def claim(conn: sa.Connection, store: str, worker: str, now: datetime) -> list[Claimed]:
    """Claim up to 200 waiting messages whose lease is free, oldest first; drop those past their expiry."""
    values = {"in_store": store, "in_now": now, "in_worker": worker, "in_until": now + LEASE}
    rows = conn.execute(_CLAIM, values).all()
    claimed, late = [], []
    for row in sorted(rows, key=lambda r: r.id):
        if row.expiry_s is not None and row.created_at + timedelta(seconds=row.expiry_s) < now:
            late.append(row.id)
        else:
            claimed.append(Claimed(row.id, row.topic, row.payload, row.expiry_s))
    if late:
        conn.execute(sa.delete(outgoing).where(outgoing.c.id.in_(late)))
    return claimed


def mark_sent(conn: sa.Connection, ids: Sequence[int], now: datetime) -> dict[int, str]:
    """The broker has them. The attempts that they are, of those that call a pager."""
    if not ids:
        return {}
    rows = conn.execute(_SENT, {"in_ids": list(ids), "in_now": now})
    return {row.id: row.attempt for row in rows if row.attempt is not None}


def shift(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move what waits by a jump of the server's clock: no lease and no expiry changes for it."""
    columns = (outgoing.c.created_at, outgoing.c.claimed_until)
    conn.execute(
        sa.update(outgoing)
        .where(outgoing.c.store == store, outgoing.c.sent_at.is_(None))
        .values({column: moved(column, by) for column in columns})
    )


def forget(conn: sa.Connection, store: str, now: datetime) -> None:
    """Drop what was sent long ago."""
    conn.execute(sa.delete(outgoing).where(outgoing.c.store == store, outgoing.c.sent_at < now - KEPT))
