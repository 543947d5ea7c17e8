"""Legal holds: nothing that is held is deleted. One person holds; two different people release."""

from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import sqlalchemy as sa

from edge.db.evidence_tables import clip, hold
from edge.db.store_tables import person, token
from edge.errors import EdgeError, NotFound, Refused
from edge.evidence.clips import PURGED

MAX_REASON = 500


@dataclass(frozen=True, slots=True)
class Hold:
    """One hold, by people and programs as their ids. While `asked_at` is set and `released_at` is not, a
    second one may agree to a release."""

    id: str
    clip: str
    reason: str
    held_by: str
    held_at: datetime
    asked_by: str | None
    asked_at: datetime | None
    asked_reason: str | None
    released_by: str | None
    released_at: datetime | None
    held_name: str | None
    asked_name: str | None
    released_name: str | None


def place(conn: sa.Connection, store: str, clip_id: str, by: str, reason: str, now: datetime) -> str:
    """Hold a clip; the hold's id. Refused if it is purged: the row's lock keeps a purge from racing this."""
    lock_kept(conn, store, clip_id)
    identity = str(uuid4())
    row = {"id": identity, "store": store, "clip": clip_id, "held_by": by, "held_at": now}
    conn.execute(sa.insert(hold).values(reason=checked(reason), **row))
    return identity


def ask_release(conn: sa.Connection, store: str, hold_id: str, by: str, reason: str, now: datetime) -> Hold:
    """Ask that it be released. Asked again by another, their word takes the place of the earlier one."""
    found = _standing(conn, store, hold_id)
    values = {"asked_by": by, "asked_at": now, "asked_reason": checked(reason)}
    conn.execute(sa.update(hold).where(hold.c.id == hold_id).values(**values))
    return found


def release(conn: sa.Connection, store: str, hold_id: str, by: str, now: datetime) -> Hold:
    """Agree to the release that somebody else has asked for. Refused otherwise."""
    found = _standing(conn, store, hold_id)
    if found.asked_by is None:
        raise Refused("Nobody has asked to release this hold; ask first, and another person agrees.")
    if found.asked_by == by:
        raise Refused("You have asked for this release yourself; another person must agree.")
    conn.execute(sa.update(hold).where(hold.c.id == hold_id).values(released_by=by, released_at=now))
    return found


def of_clip(conn: sa.Connection, store: str, clip_id: str) -> list[Hold]:
    """All holds of a clip, also the released ones, the oldest first."""
    return _read(conn, hold.c.store == store, hold.c.clip == clip_id)


def clip_of(conn: sa.Connection, store: str, hold_id: str) -> str | None:
    """Which clip this hold is of; None if there is no such hold."""
    return conn.execute(sa.select(hold.c.clip).where(hold.c.store == store, hold.c.id == hold_id)).scalar()


def lock_kept(conn: sa.Connection, store: str, clip_id: str) -> None:
    """The clip's row, locked until the commit. NotFound, or Refused if it is purged."""
    query = sa.select(clip.c.state).where(clip.c.store == store, clip.c.id == clip_id).with_for_update()
    state = conn.execute(query).scalar()
    if state is None:
        raise NotFound("There is no such clip in this store.")
    if state == PURGED:
        raise Refused("This clip was deleted when its time was over; only its entries are kept.")


def is_held(store: str) -> sa.Exists:
    """Whether a row of `clip` has a hold that stands."""
    return sa.exists().where(hold.c.store == store, hold.c.clip == clip.c.id, hold.c.released_at.is_(None))


def _standing(conn: sa.Connection, store: str, hold_id: str) -> Hold:
    conn.execute(sa.select(hold.c.id).where(hold.c.store == store, hold.c.id == hold_id).with_for_update())
    found = _read(conn, hold.c.store == store, hold.c.id == hold_id)
    if not found:
        raise NotFound("There is no such hold in this store.")
    if found[0].released_at is not None:
        raise Refused(f"This hold was released by {found[0].released_name or 'somebody'} already.")
    return found[0]


def _read(conn: sa.Connection, *conditions: sa.ColumnElement[bool]) -> list[Hold]:
    h = hold.c
    names = [
        sa.func.coalesce(
            sa.select(person.c.name).where(person.c.id == column).correlate(hold).scalar_subquery(),
            sa.select(token.c.name).where(token.c.id == column).correlate(hold).scalar_subquery(),
        )
        for column in (h.held_by, h.asked_by, h.released_by)
    ]
    columns = [h[name] for name in list(Hold.__dataclass_fields__)[:10]]
    rows = conn.execute(sa.select(*columns, *names).where(*conditions).order_by(h.held_at, h.id))
    return [Hold(*row) for row in rows]


def checked(reason: str) -> str:
    """The reason without blanks around it. EdgeError if it is empty or too long."""
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise EdgeError(f"The reason has {len(reason)} signs; 1 to {MAX_REASON} are allowed.")
    return reason
