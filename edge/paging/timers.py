"""Timers of open requests and waiting greetings: rows with a due time. They survive any restart, fire once.

They are claimed by deleting the row with the due time that was read, in the transaction that does what is
due (decisions/001-timers-without-lease.md).
"""

from datetime import datetime, timedelta
from enum import StrEnum

import sqlalchemy as sa

from edge.db.columns import moved
from edge.db.inserts import INSERT
from edge.db.tables import timer


class Timer(StrEnum):
    ESCALATE = "escalate"
    PROGRESS = "progress"
    # A colleague who was asked to take over has not answered.
    HANDOVER = "handover"
    # Whoever accepted has not said that they are there.
    ARRIVAL = "arrival"
    # Somebody came in and nobody has greeted them.
    GREET = "greet"
    # A drawer was opened and has not been closed.
    DRAWER = "drawer"


_DUE = (
    sa.select(timer.c.request, timer.c.kind, timer.c.due_at)
    .where(timer.c.store == sa.bindparam("in_store"), timer.c.due_at <= sa.bindparam("in_now"))
    .order_by(timer.c.due_at)
    .limit(50)
)
_NEXT = sa.select(sa.func.min(timer.c.due_at).label("next")).where(timer.c.store == sa.bindparam("in_store"))
_CLAIM = sa.delete(timer).where(
    timer.c.request == sa.bindparam("in_request"),
    timer.c.kind == sa.bindparam("in_kind"),
    timer.c.due_at == sa.bindparam("in_due"),
)
_REMOVE = sa.delete(timer).where(
    timer.c.request == sa.bindparam("in_request"), timer.c.kind == sa.bindparam("in_kind")
)
_NEW = {dialect: insert(timer) for dialect, insert in INSERT.items()}
_SET = {
    dialect: new.on_conflict_do_update(
        index_elements=["request", "kind"], set_={"due_at": new.excluded.due_at}
    )
    for dialect, new in _NEW.items()
}
_CLEAR = sa.delete(timer).where(timer.c.request == sa.bindparam("in_request"))


def due(conn: sa.Connection, store: str, now: datetime) -> list[tuple[str, Timer, datetime]]:
    """Up to 50 timers that are due, the most overdue first."""
    return [
        (r.request, Timer(r.kind), r.due_at) for r in conn.execute(_DUE, {"in_store": store, "in_now": now})
    ]


def next_due(conn: sa.Connection, store: str) -> datetime | None:
    return conn.execute(_NEXT, {"in_store": store}).scalar()


def when(conn: sa.Connection, request: str, kind: Timer) -> datetime | None:
    """When this timer of a request is due, if it has one."""
    query = sa.select(timer.c.due_at).where(timer.c.request == request, timer.c.kind == kind.value)
    return conn.execute(query).scalar()


def waiting(conn: sa.Connection, store: str, kind: Timer) -> list[str]:
    """The requests that have such a timer."""
    query = sa.select(timer.c.request).where(timer.c.store == store, timer.c.kind == kind.value)
    return list(conn.execute(query).scalars())


def claim(conn: sa.Connection, request: str, kind: Timer, due_at: datetime) -> bool:
    """Whether this transaction is the one that fires it."""
    done = conn.execute(_CLAIM, {"in_request": request, "in_kind": kind.value, "in_due": due_at})
    return done.rowcount == 1


def set_due(conn: sa.Connection, store: str, request: str, kind: Timer, due_at: datetime | None) -> None:
    """Set, move or (None) remove one timer of a request."""
    if due_at is None:
        conn.execute(_REMOVE, {"in_request": request, "in_kind": kind.value})
    else:
        values = {"store": store, "request": request, "kind": kind.value, "due_at": due_at}
        conn.execute(_SET[conn.dialect.name], values)


def clear(conn: sa.Connection, request: str) -> None:
    """Remove every timer of a closed request."""
    conn.execute(_CLEAR, {"in_request": request})


def shift(conn: sa.Connection, store: str, by: timedelta) -> int:
    """Move all timers by a jump of the server's clock, so that none fires late or early for it."""
    update = sa.update(timer).where(timer.c.store == store).values(due_at=moved(timer.c.due_at, by))
    return conn.execute(update).rowcount
