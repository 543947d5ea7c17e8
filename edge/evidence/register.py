"""The register of clips as people read it: newest first, narrowed, by keyset; those of one interaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.evidence_tables import clip
from edge.db.keyset import Cursor
from edge.db.store_tables import zone
from edge.evidence import causes, clips, holds
from edge.evidence.clips import Clip

_COLUMNS = [clip.c[name] for name in Clip.__dataclass_fields__]


@dataclass(frozen=True)
class Filters:
    """What the register is narrowed to; empty where it is not. Silent ones only where that is said. `state`
    is as clips.standing says."""

    zone: str = ""
    state: str = ""
    held: bool | None = None
    with_silent: bool = False


@dataclass(frozen=True)
class Listed:
    """A clip with what stands beside it in a list; `held` if a hold stands, `state` as it is shown."""

    clip: Clip
    zone_title: str
    held: bool
    state: str

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.clip.started_at, self.clip.id)

    @property
    def length(self) -> timedelta:
        return self.clip.ended_at - self.clip.started_at


def search(
    conn: sa.Connection,
    store: str,
    filters: Filters,
    before: Cursor | None,
    limit: int,
    overdue_at: datetime | None = None,
) -> list[Listed]:
    """Up to `limit` clips behind `before`. `overdue_at`: see clips.standing."""
    c, query = clip.c, _listed(store)
    if not filters.with_silent:
        query = query.where(sa.not_(c.silent))
    if filters.zone:
        query = query.where(c.zone == filters.zone)
    if overdue_at is not None and filters.state == clips.NOT_ARRIVED:
        query = query.where(c.state == clips.ANNOUNCED, c.announced_at <= overdue_at)
    elif overdue_at is not None and filters.state == clips.ANNOUNCED:
        query = query.where(c.state == clips.ANNOUNCED, c.announced_at > overdue_at)
    elif filters.state:
        query = query.where(c.state == filters.state)
    if filters.held is not None:
        held = holds.is_held(store)
        query = query.where(held if filters.held else sa.not_(held))
    if before is not None:
        query = query.where(before.behind(c.started_at, c.id))
    return _read(conn, query.order_by(c.started_at.desc(), c.id.desc()).limit(limit), overdue_at)


def of_interaction(
    conn: sa.Connection, store: str, interaction: str, overdue_at: datetime | None = None, *, silent: bool
) -> list[Listed]:
    """The clips of this interaction and of the presses that joined it, the oldest first."""
    c = clip.c
    query = _listed(store).where(c.id.in_(causes.clips_of(store, interaction)))
    if not silent:
        query = query.where(sa.not_(c.silent))
    return _read(conn, query.order_by(c.started_at, c.id), overdue_at)


def among(
    conn: sa.Connection, store: str, ids: Sequence[str], overdue_at: datetime | None = None, *, silent: bool
) -> list[Listed]:
    """Those of these clips that are there, the oldest first."""
    query = _listed(store).where(clip.c.id.in_(list(ids)))
    if not silent:
        query = query.where(sa.not_(clip.c.silent))
    return _read(conn, query.order_by(clip.c.started_at, clip.c.id), overdue_at) if ids else []


def one(conn: sa.Connection, store: str, clip_id: str, overdue_at: datetime | None = None) -> Listed | None:
    found = _read(conn, _listed(store).where(clip.c.id == clip_id), overdue_at)
    return found[0] if found else None


def _listed(store: str) -> sa.Select[Any]:
    title = sa.func.coalesce(zone.c.title, clip.c.zone)
    joined = clip.outerjoin(zone, sa.and_(zone.c.store == clip.c.store, zone.c.name == clip.c.zone))
    return sa.select(title, holds.is_held(store), *_COLUMNS).select_from(joined).where(clip.c.store == store)


def _read(conn: sa.Connection, query: sa.Select[Any], overdue_at: datetime | None) -> list[Listed]:
    found = []
    for row in conn.execute(query):
        one = Clip(*row[2:])
        found.append(Listed(one, row[0], row[1], clips.standing(one.state, one.announced_at, overdue_at)))
    return found
