"""The devices as they were last heard: who is there as far as is known, what is missing, what was refused."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.store_tables import device, person, zone
from edge.db.tables import event, gap, interaction, quarantine
from edge.hearing import SILENT_AFTER, in_maintenance

QUARANTINE_ROWS = 100
LAST_EVENTS, LAST_GAPS, LAST_ASIDE = 20, 20, 20


@dataclass(frozen=True)
class Kiosk:
    """`status` is online, offline, unknown or revoked; `silence` the time since the last heartbeat, None
    before it.

    `holder` is the person who holds a pager.
    """

    name: str
    zone: str
    zone_title: str
    status: str
    status_at: datetime | None
    silence: timedelta | None
    version: str | None
    depth: int
    faults: tuple[str, ...]
    gaps: int
    maintained: bool
    pager: bool
    holder: str | None
    holder_name: str | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class SetAside:
    """A message that was refused and kept. `count` is how often the same one came."""

    id: int
    device: str
    topic: str
    reason: str
    count: int
    first_at: datetime
    last_at: datetime


def kiosks(conn: sa.Connection, store: str, now: datetime) -> list[Kiosk]:
    """Every registered device, by name."""
    open_gaps = (
        sa.select(sa.func.count())
        .where(gap.c.store == device.c.store, gap.c.device == device.c.name, gap.c.closed_at.is_(None))
        .correlate(device)
        .scalar_subquery()
    )
    zone_title = sa.func.coalesce(zone.c.title, device.c.zone).label("zone_title")
    rows = conn.execute(
        sa.select(device, zone_title, open_gaps.label("gaps"), person.c.name.label("holder_name"))
        .select_from(
            device.outerjoin(
                zone, sa.and_(zone.c.store == device.c.store, zone.c.name == device.c.zone)
            ).outerjoin(person, person.c.id == device.c.holder)
        )
        .where(device.c.store == store)
        .order_by(device.c.name)
    )
    return [_kiosk(row, now) for row in rows.mappings()]


def set_aside(conn: sa.Connection, store: str) -> list[SetAside]:
    """What was quarantined last, newest first."""
    rows = conn.execute(
        sa.select(
            quarantine.c.id,
            quarantine.c.device,
            quarantine.c.topic,
            quarantine.c.reason,
            quarantine.c.count,
            quarantine.c.first_at,
            quarantine.c.last_at,
        )
        .where(quarantine.c.store == store)
        .order_by(quarantine.c.last_at.desc(), quarantine.c.id.desc())
        .limit(QUARANTINE_ROWS)
    )
    return [SetAside(*row) for row in rows]


def gaps(conn: sa.Connection, store: str, name: str) -> list[sa.Row[Any]]:
    """Open ones first, then the newest."""
    g = gap.c
    columns = sa.select(g.outbox, g.first_seq, g.last_seq, g.found_at, g.closed_at)
    order = (g.closed_at.is_not(None), g.found_at.desc())
    return list(
        conn.execute(columns.where(g.store == store, g.device == name).order_by(*order).limit(LAST_GAPS))
    )


def aside(conn: sa.Connection, store: str, name: str) -> list[sa.Row[Any]]:
    q = quarantine.c
    columns = sa.select(q.id, q.reason, q.topic, q.count, q.last_at)
    mine = columns.where(q.store == store, q.device == name)
    return list(conn.execute(mine.order_by(q.last_at.desc(), q.id.desc()).limit(LAST_ASIDE)))


def events(conn: sa.Connection, store: str, name: str) -> list[sa.Row[Any]]:
    """The events that came from it last, by their id, which begins with the time of the press."""
    e, i = event.c, interaction
    mine = (e.store == store, e.device == name)
    columns = sa.select(
        e.id, e.kind, e.seq, e.received_at, e.drill, i.c.id.label("interaction"), i.c.reference
    )
    joined = event.outerjoin(i, i.c.id == sa.func.coalesce(e.interaction, e.id))
    return list(
        conn.execute(columns.select_from(joined).where(*mine).order_by(e.id.desc()).limit(LAST_EVENTS))
    )


def _kiosk(row: sa.RowMapping, now: datetime) -> Kiosk:
    silence = now - row["heartbeat_at"] if row["heartbeat_at"] else None
    status = row["status"]
    if status == "online":
        heard_at = max((at for at in (row["heartbeat_at"], row["status_at"]) if at), default=None)
        if heard_at is None or now - heard_at > SILENT_AFTER:
            status = "unknown"
    if row["revoked_at"] is not None:
        status = "revoked"
    beat = row["heartbeat"] or {}
    faults = [str(fault) for fault in beat.get("faults", [])]
    faults += [f"button {name} is stuck" for name in beat.get("stuck", [])]
    return Kiosk(
        name=row["name"],
        zone=row["zone"],
        zone_title=row["zone_title"],
        status=status,
        status_at=row["status_at"],
        silence=silence,
        version=row["version"],
        depth=int(beat.get("depth", 0)),
        faults=tuple(faults),
        gaps=row["gaps"],
        maintained=in_maintenance(row["maintained_at"], now),
        pager=bool(row["pager"]),
        holder=row["holder"],
        holder_name=row["holder_name"],
        revoked_at=row["revoked_at"],
    )
