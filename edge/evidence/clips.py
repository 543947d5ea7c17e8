"""The register of clips: what devices told of, how far each has come, and the tickets that let them in.

State: announced (told of, not here) -> sealed (whole, compared and in the vault) -> purged (deleted, its
tombstone stays). mismatched: what came was not what was told of; it is kept aside and asked for again.
gone, damaged: its device no longer has it, or not as it was signed; it is not asked for any more.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.evidence_tables import clip, ticket
from edge.retention import Keepable

ANNOUNCED, MISMATCHED, SEALED, PURGED = "announced", "mismatched", "sealed", "purged"
GONE, DAMAGED = "gone", "damaged"
# As which an announced clip is shown once it has been waited for too long. It may still come.
NOT_ARRIVED = "not_arrived"
WAITING = (ANNOUNCED, MISMATCHED)
# A new one is sent when it is over or the device comes back, and an upload goes on with it. Not longer:
# a command that was lost in some way that nobody thought of is missed for as long.
TICKET_GOOD_FOR = timedelta(minutes=10)
# Good tickets of one device, and with those of security requests; up to AT_A_LOOK more, for they are counted
# before they are sent. Its panel tells its camera of 64 at most: one that was dropped would keep its clip,
# and those behind it, waiting until it is over.
AT_ONCE, WITH_SECURITY, AT_A_LOOK = 32, 44, 20


@dataclass(frozen=True, slots=True)
class Clip:
    """One clip. `key` is the device's public signing key when it told of it, None if it has none registered.

    `kept_as` is its class of retention; `trouble` says what is wrong with it. `clock_behind_ms`: by how much
    the device's clock was behind the server's at `clock_heard_at`, the message's way included; below 0 it was
    ahead. None where that is not known.
    """

    id: str
    device: str
    zone: str
    event: str
    cause: str
    state: str
    kept_as: str
    silent: bool
    drill: bool
    started_at: datetime
    ended_at: datetime
    bytes: int
    sha256: str
    manifest_sha256: str
    signature: str
    key: str | None
    codec: str
    width: int
    height: int
    announced_at: datetime
    sealed_at: datetime | None
    keep_until: datetime | None
    purged_at: datetime | None
    lost_at: datetime | None
    trouble: str | None
    clock_synced: bool | None
    clock_behind_ms: int | None
    clock_heard_at: datetime | None


def standing(state: str, announced_at: datetime, overdue_at: datetime | None) -> str:
    """The state as it is shown: what was told of at or before `overdue_at` and is not here is not
    arrived. Without it, the state as it is kept."""
    overdue = overdue_at is not None and state == ANNOUNCED and announced_at <= overdue_at
    return NOT_ARRIVED if overdue else state


_COLUMNS = [clip.c[name] for name in Clip.__dataclass_fields__]
_ALL = sa.select(*_COLUMNS)


def add(conn: sa.Connection, store: str, values: dict[str, Any]) -> None:
    """A clip that a device told of; `values` are the columns but for the store."""
    conn.execute(sa.insert(clip).values(store=store, **values))


def find(conn: sa.Connection, store: str, clip_id: str) -> Clip | None:
    row = conn.execute(_ALL.where(clip.c.store == store, clip.c.id == clip_id)).first()
    return None if row is None else Clip(*row)


def without_ticket(conn: sa.Connection, store: str, now: datetime) -> list[Clip]:
    """What is to come next and has no ticket that is good: of each device the first AT_ONCE, those of
    security requests first, then the newest, at last what came once and was not what was told of. None while
    the device has tickets enough, also for clips that are no longer among the first."""
    c = clip.c
    order = (
        sa.case((c.state == MISMATCHED, 2), (c.kept_as == "security", 0), else_=1),
        c.started_at.desc(),
        c.id,
    )
    waiting = c.store == store, c.sealed_at.is_(None), c.state.in_(WAITING)
    place = sa.func.row_number().over(partition_by=c.device, order_by=order).label("place")
    first = sa.select(c.id, place).where(*waiting).subquery()
    is_good = ticket.c.store == store, ticket.c.clip == c.id, ticket.c.expires_at > now
    good = sa.select(c.device, sa.func.count().label("number")).where(*waiting, *is_good)
    had = good.group_by(c.device).subquery()
    most = sa.case((c.kept_as == "security", WITH_SECURITY), else_=AT_ONCE)
    query = _ALL.join(first, first.c.id == c.id).outerjoin(had, had.c.device == c.device)
    query = query.where(c.store == store, first.c.place <= AT_ONCE, sa.not_(sa.exists().where(*is_good)))
    query = query.where(sa.func.coalesce(had.c.number, 0) < most)
    rows = conn.execute(query.order_by(first.c.place, c.device).limit(AT_A_LOOK))
    return [Clip(*row) for row in rows]


def issue_ticket(conn: sa.Connection, store: str, clip_id: str, now: datetime) -> str:
    """A new ticket, shown this once; it takes the place of an earlier one."""
    secret = secrets.token_urlsafe(32)
    conn.execute(sa.delete(ticket).where(ticket.c.store == store, ticket.c.clip == clip_id))
    row = {
        "store": store,
        "clip": clip_id,
        "ticket_sha256": _key(secret),
        "expires_at": now + TICKET_GOOD_FOR,
    }
    conn.execute(sa.insert(ticket).values(row))
    return secret


def admits(conn: sa.Connection, store: str, clip_id: str, secret: str, now: datetime) -> bool:
    """Whether this ticket is for this clip and still good."""
    t = ticket.c
    query = sa.select(t.ticket_sha256).where(t.store == store, t.clip == clip_id, t.expires_at > now)
    kept = conn.execute(query).scalar()
    return kept is not None and secrets.compare_digest(kept, _key(secret))


def forget_tickets(conn: sa.Connection, store: str, device: str) -> None:
    """Those of a device's clips that are still to come are worth nothing; new ones will be sent."""
    theirs = sa.select(clip.c.id).where(
        clip.c.store == store, clip.c.sealed_at.is_(None), clip.c.device == device
    )
    conn.execute(sa.delete(ticket).where(ticket.c.store == store, ticket.c.clip.in_(theirs)))


def set_sealed(
    conn: sa.Connection,
    store: str,
    clip_id: str,
    kept_as: str,
    silent: bool,
    keep_until: datetime,
    now: datetime,
) -> bool:
    """Whether this call sealed it: of two at once one does."""
    c = clip.c
    done = conn.execute(
        sa.update(clip)
        .where(c.store == store, c.id == clip_id, c.sealed_at.is_(None))
        .values(
            state=SEALED,
            sealed_at=now,
            kept_as=kept_as,
            silent=silent,
            keep_until=keep_until,
            lost_at=None,
            trouble=None,
        )
    )
    return bool(done.rowcount)


def set_mismatched(conn: sa.Connection, store: str, clip_id: str, trouble: str) -> None:
    """What came was not what was told of. Its ticket is worth nothing from now on."""
    c = clip.c
    found = c.store == store, c.id == clip_id, c.sealed_at.is_(None)
    conn.execute(sa.update(clip).where(*found).values(state=MISMATCHED, trouble=trouble[:300]))
    conn.execute(sa.delete(ticket).where(ticket.c.store == store, ticket.c.clip == clip_id))


def set_lost(
    conn: sa.Connection, store: str, clip_id: str, state: str, trouble: str, lost_at: datetime
) -> bool:
    """Its device no longer has it (GONE), or not as it was signed (DAMAGED); whether that is new. What is
    sealed, or was lost before, stays as it is."""
    c = clip.c
    found = c.store == store, c.id == clip_id, c.sealed_at.is_(None), c.state.in_(WAITING)
    values = {"state": state, "trouble": trouble[:300], "lost_at": lost_at}
    if not conn.execute(sa.update(clip).where(*found).values(values)).rowcount:
        return False
    conn.execute(sa.delete(ticket).where(ticket.c.store == store, ticket.c.clip == clip_id))
    return True


def keepable(
    conn: sa.Connection,
    store: str,
    held: sa.ColumnElement[bool],
    limit: int,
    over_at: datetime | None = None,
) -> list[Keepable]:
    """Up to `limit` sealed clips as retention looks at them, the oldest first: those whose time is over at
    `over_at`, else the routine ones; none of those that are `held`, which is a condition on a clip's row."""
    c = clip.c
    query = sa.select(c.id, c.kept_as, c.bytes, c.sealed_at, c.keep_until, held)
    # So that however many are held, they do not stand before those that are not.
    query = query.where(c.store == store, c.state == SEALED, sa.not_(held))
    query = query.where(c.keep_until <= over_at if over_at is not None else c.kept_as == "routine")
    rows = conn.execute(query.order_by(c.sealed_at, c.id).limit(limit))
    return [Keepable(*row) for row in rows]


def set_purged(
    conn: sa.Connection, store: str, clip_id: str, held: sa.ColumnElement[bool], now: datetime
) -> Clip | None:
    """The clip, if it is purged by this call: not if it was meanwhile held. Its tombstone stays."""
    c = clip.c
    conn.execute(sa.select(c.id).where(c.store == store, c.id == clip_id).with_for_update())
    done = conn.execute(
        sa.update(clip)
        .where(c.store == store, c.id == clip_id, c.state == SEALED, sa.not_(held))
        .values(state=PURGED, purged_at=now)
    )
    return find(conn, store, clip_id) if done.rowcount else None


def shared(conn: sa.Connection, store: str, digest: str) -> bool:
    """Whether a clip that is not purged has a file with this hash."""
    c = clip.c
    query = sa.select(c.id).where(
        c.store == store, c.state == SEALED, sa.or_(c.sha256 == digest, c.manifest_sha256 == digest)
    )
    return conn.execute(query.limit(1)).first() is not None


def purged_since(conn: sa.Connection, store: str, since: datetime) -> list[Clip]:
    """What was purged since then: a program that was killed may not have deleted their files."""
    query = _ALL.where(clip.c.store == store, clip.c.purged_at >= since)
    return [Clip(*row) for row in conn.execute(query)]


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
