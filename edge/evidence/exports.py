"""The exports that somebody has asked for at the desk, and how far the vault has come with each.

State: asked -> ready (the bundle can be fetched) -> removed (after KEPT_FOR); or asked -> failed, and why.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.evidence_tables import export

ASKED, READY, FAILED, REMOVED = "asked", "ready", "failed", "removed"
KEPT_FOR = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Export:
    """One export, of chosen clips or of an incident, which need not have any. `keys` are the public keys,
    `head_size` and `head_root` the head to verify it with; `left_out` says what of the incident is not in it.
    """

    id: str
    clips: list[str]
    silent: bool
    actor: str
    reason: str
    asked_at: datetime
    state: str
    trouble: str | None
    made_at: datetime | None
    bytes: int | None
    head_size: int | None
    head_root: str | None
    keys: list[str]
    incident: str | None
    left_out: list[str] | None

    @property
    def kept_until(self) -> datetime | None:
        return None if self.made_at is None else self.made_at + KEPT_FOR


_COLUMNS = [export.c[name] for name in Export.__dataclass_fields__]


def add(
    conn: sa.Connection,
    store: str,
    identity: str,
    clips: Sequence[str],
    actor: str,
    reason: str,
    now: datetime,
    *,
    silent: bool,
    incident: str | None = None,
    left_out: Sequence[str] | None = None,
    incident_file: bytes | None = None,
) -> None:
    row = {"store": store, "id": identity, "clips": list(clips), "silent": silent, "actor": actor}
    row |= {"reason": reason, "asked_at": now, "state": ASKED, "keys": []}
    row |= {"incident": incident, "incident_file": incident_file}
    row["left_out"] = sa.null() if left_out is None else list(left_out)
    conn.execute(sa.insert(export).values(row))


def find(conn: sa.Connection, store: str, identity: str) -> Export | None:
    found = _read(conn, export.c.store == store, export.c.id == identity)
    return found[0] if found else None


def incident_file(conn: sa.Connection, store: str, identity: str) -> bytes | None:
    """incident.json as it was written when the export was asked for, until its bundle is made; None for one
    of chosen clips."""
    query = sa.select(export.c.incident_file).where(export.c.store == store, export.c.id == identity)
    return conn.execute(query).scalar()


def newest(conn: sa.Connection, store: str, limit: int, *, silent: bool) -> list[Export]:
    """Up to `limit` exports; those of silent requests' clips only with `silent`."""
    conditions = [export.c.store == store, *([] if silent else [sa.not_(export.c.silent)])]
    return _read(conn, *conditions, limit=limit)


def of_incident(conn: sa.Connection, store: str, incident: str, limit: int = 20) -> list[Export]:
    """The latest exports of this incident."""
    return _read(conn, export.c.store == store, export.c.incident == incident, limit=limit)


def of_clip(conn: sa.Connection, store: str, clip: str, limit: int = 20) -> list[Export]:
    """The latest exports that hold this clip; of more than 500 exports the older ones are not looked at."""
    return [one for one in _read(conn, export.c.store == store, limit=500) if clip in one.clips][:limit]


def waiting(conn: sa.Connection, store: str) -> list[Export]:
    return _read(conn, export.c.store == store, export.c.state == ASKED)[::-1]


def fetchable(conn: sa.Connection, store: str) -> set[str]:
    """The ids of those whose bundle is to be kept, or is being made."""
    query = sa.select(export.c.id).where(export.c.store == store, export.c.state.in_((ASKED, READY)))
    return set(conn.execute(query).scalars())


def set_ready(
    conn: sa.Connection,
    store: str,
    identity: str,
    size: int,
    head: tuple[int, str],
    keys: Sequence[str],
    now: datetime,
) -> None:
    # What people have said is in the bundle now, and goes with it.
    values = {"state": READY, "made_at": now, "bytes": size, "keys": list(keys), "incident_file": None}
    _change(conn, store, identity, ASKED, values | {"head_size": head[0], "head_root": head[1]})


def set_failed(conn: sa.Connection, store: str, identity: str, trouble: str) -> None:
    _change(conn, store, identity, ASKED, {"state": FAILED, "trouble": trouble[:300], "incident_file": None})


def remove_old(conn: sa.Connection, store: str, now: datetime) -> None:
    """Those whose time is over can be fetched no more; their files go after the commit."""
    old = export.c.store == store, export.c.state == READY, export.c.made_at <= now - KEPT_FOR
    conn.execute(sa.update(export).where(*old).values(state=REMOVED))


def _change(conn: sa.Connection, store: str, identity: str, state: str, values: dict[str, object]) -> None:
    found = export.c.store == store, export.c.id == identity, export.c.state == state
    conn.execute(sa.update(export).where(*found).values(**values))


def _read(conn: sa.Connection, *conditions: sa.ColumnElement[bool], limit: int | None = None) -> list[Export]:
    query = sa.select(*_COLUMNS).where(*conditions).order_by(export.c.asked_at.desc(), export.c.id)
    return [Export(*row) for row in conn.execute(query.limit(limit) if limit else query)]
