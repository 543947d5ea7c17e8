"""Which signed heads of the custody log an authority has stamped, and how its asking goes."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from broker.witness import head_to_sign
from edge.db.evidence_tables import custody_log, stamping, tree_head
from edge.db.inserts import INSERT
from edge.evidence.stamp import Stamp
from edge.stamping import State

MAX_TROUBLE = 300


@dataclass(frozen=True, slots=True)
class Stamped:
    """A stamped head: `message` is what was stamped, `reply` the authority's answer, byte for byte."""

    size: int
    message: bytes
    reply: bytes
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Standing:
    """What the desk shows: the newest stamp, and since when and why there is no newer one."""

    size: int
    at: datetime | None
    by: str | None
    trouble: str | None
    tried_at: datetime | None


def newest(conn: sa.Connection, store: str, upto: int) -> Stamped | None:
    """The newest stamped head of at most `upto` entries."""
    h = tree_head.c
    query = (
        sa.select(custody_log.c.log, h.size, h.root, h.at_ms, h.stamp, h.stamped_at, h.stamped_by)
        .join(custody_log, custody_log.c.store == h.store)
        .where(h.store == store, h.size <= upto, h.stamp.is_not(None))
        .order_by(h.size.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    if row is None:
        return None
    message = head_to_sign(store, row.log, row.size, row.root, row.at_ms)
    return Stamped(row.size, message, row.stamp, Stamp(row.stamped_at, row.stamped_by))


def standing(conn: sa.Connection, store: str) -> Standing:
    h, s = tree_head.c, stamping.c
    stamped = (
        sa.select(h.size, h.stamped_at, h.stamped_by)
        .where(h.store == store, h.stamp.is_not(None))
        .order_by(h.size.desc())
        .limit(1)
    )
    last = conn.execute(stamped).first()
    tried = conn.execute(sa.select(s.trouble, s.tried_at).where(s.store == store)).first()
    return Standing(*(last or (0, None, None)), *(tried or (None, None)))


def state(conn: sa.Connection, store: str) -> State:
    """For the rule of edge/stamping.py."""
    h, s = tree_head.c, stamping.c
    heads = sa.select(
        sa.func.coalesce(sa.func.max(h.size), 0),
        sa.func.coalesce(sa.func.max(h.size).filter(h.stamp.is_not(None)), 0),
    ).where(h.store == store)
    head, stamped = conn.execute(heads).one()
    tried = conn.execute(sa.select(s.tried_at, s.failures).where(s.store == store)).first()
    return State(head, stamped, *(tried or (None, 0)))


def keep(conn: sa.Connection, store: str, size: int, reply: bytes, stamp: Stamp, now: datetime) -> None:
    """The head of so many entries is stamped: the reply has been checked."""
    h = tree_head.c
    values = {"stamp": reply, "stamped_at": stamp.at, "stamped_by": stamp.by}
    conn.execute(sa.update(tree_head).where(h.store == store, h.size == size).values(**values))
    _tried(conn, store, now, None)


def failed(conn: sa.Connection, store: str, trouble: str, now: datetime) -> None:
    """A try brought no stamp, for this reason."""
    _tried(conn, store, now, trouble[:MAX_TROUBLE])


def _tried(conn: sa.Connection, store: str, now: datetime, trouble: str | None) -> None:
    row = {"store": store, "tried_at": now, "trouble": trouble, "failures": int(trouble is not None)}
    failures = stamping.c.failures + 1 if trouble is not None else 0
    again = {"tried_at": now, "trouble": trouble, "failures": failures}
    adding = INSERT[conn.dialect.name](stamping).values(row)
    conn.execute(adding.on_conflict_do_update(index_elements=["store"], set_=again))
