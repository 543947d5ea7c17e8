"""The clips of an access request: found by place and time, held, marked, covered, and watched to the end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.access_requests.rules import WAITING, State
from edge.db.access_tables import access_clip, access_request
from edge.db.evidence_tables import clip
from edge.db.inserts import INSERT

# No clip is longer: an index finds those that overlap a time.
_LONGEST = timedelta(hours=1)
NONE, ASKED, MADE, FAILED = "none", "asked", "made", "failed"
_NOTHING = {"revision": 0, "state": NONE}
NO_COPY = {"copy": None, "state": NONE, "trouble": None, "watched_name": None, "watched_at": None}


@dataclass(frozen=True, slots=True)
class Shown:
    """A clip that is held for an access request. `chosen`: a person has seen the asker in it. `masks` is what
    edge/evidence/masks.py says, as it is kept; `copy` the file of the covered copy."""

    request: str
    clip: str
    hold: str
    chosen: bool
    masks: dict[str, Any]
    revision: int
    copy: str | None
    state: str
    trouble: str | None
    watched_name: str | None
    watched_at: datetime | None


_COLUMNS = [access_clip.c[name] for name in Shown.__dataclass_fields__]


def overlapping(
    conn: sa.Connection, store: str, zones: Sequence[str], began_at: datetime, ended_at: datetime, limit: int
) -> list[str]:
    """The ids of the clips of these zones' cameras that overlap the time, the oldest first, also such as are
    deleted or have not come."""
    c = clip.c
    query = sa.select(c.id).where(
        c.store == store,
        c.zone.in_(list(zones)),
        c.started_at > began_at - _LONGEST,
        c.started_at <= ended_at,
        c.ended_at >= began_at,
    )
    return list(conn.execute(query.order_by(c.started_at, c.id).limit(limit)).scalars())


def hold(conn: sa.Connection, store: str, request: str, clip_id: str, hold_id: str) -> None:
    """It is held for the access request by this hold from now on."""
    row = {"request": request, "clip": clip_id, "store": store, "hold": hold_id, "chosen": False, "masks": {}}
    c, insert = access_clip.c, INSERT[conn.dialect.name](access_clip).values(row | _NOTHING)
    conn.execute(insert.on_conflict_do_update(index_elements=[c.request, c.clip], set_={"hold": hold_id}))


def of_request(conn: sa.Connection, request: str) -> dict[str, Shown]:
    """By the id of the clip."""
    rows = conn.execute(sa.select(*_COLUMNS).where(access_clip.c.request == request))
    return {one.clip: one for one in (Shown(*row) for row in rows)}


def find(conn: sa.Connection, request: str, clip_id: str) -> Shown | None:
    """Locked until the commit."""
    c = access_clip.c
    query = sa.select(*_COLUMNS).where(c.request == request, c.clip == clip_id)
    row = conn.execute(query.with_for_update()).first()
    return None if row is None else Shown(*row)


def change(conn: sa.Connection, one: Shown, **values: Any) -> bool:
    """Whether it was still as it was read: the boxes and the copy."""
    c = access_clip.c
    same = (c.request == one.request, c.clip == one.clip, c.revision == one.revision, c.state == one.state)
    return conn.execute(sa.update(access_clip).where(*same).values(**values)).rowcount == 1


def to_cover(conn: sa.Connection, store: str) -> list[Shown]:
    """Those whose covered copy is to be made, of access requests that wait for their answer."""
    c, a = access_clip.c, access_request.c
    joined = access_clip.join(access_request, a.id == c.request)
    query = sa.select(*_COLUMNS).select_from(joined)
    query = query.where(c.store == store, c.state == ASKED, a.state.in_(WAITING))
    return [Shown(*row) for row in conn.execute(query.order_by(c.request, c.clip))]


def copies(conn: sa.Connection, store: str) -> set[str]:
    """The covered copies that are to be kept: those of access requests that are not closed."""
    c, a = access_clip.c, access_request.c
    joined = access_clip.join(access_request, a.id == c.request)
    wanted = (c.store == store, c.copy.is_not(None), a.state != State.CLOSED.value)
    return set(conn.execute(sa.select(c.copy).select_from(joined).where(*wanted)).scalars())


def forget_copies(conn: sa.Connection, request: str) -> None:
    """Its covered copies are deleted; the boxes stay."""
    conn.execute(sa.update(access_clip).where(access_clip.c.request == request).values(NO_COPY))
