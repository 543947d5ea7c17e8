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
    """One export. `keys` are the public keys, `head_size` and `head_root` the head to verify it with."""

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
) -> None:
    row = {"store": store, "id": identity, "clips": list(clips), "silent": silent, "actor": actor}
    row |= {"reason": reason, "asked_at": now, "state": ASKED, "keys": []}
    conn.execute(sa.insert(export).values(row))


def find(conn: sa.Connection, store: str, identity: str) -> Export | None:
    found = _read(conn, export.c.store == store, export.c.id == identity)
    return found[0] if found else None


def newest(conn: sa.Connection, store: str, limit: int, *, silent: bool) -> list[Export]:
    """Up to `limit` exports; those of silent requests' clips only with `silent`."""
    conditions = [export.c.store == store, *([] if silent else [sa.not_(export.c.silent)])]
    return _read(conn, *conditions, limit=limit)


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
    values = {"state": READY, "made_at": now, "bytes": size, "keys": list(keys)}
    _change(conn, store, identity, ASKED, values | {"head_size": head[0], "head_root": head[1]})


def set_failed(conn: sa.Connection, store: str, identity: str, trouble: str) -> None:
    _change(conn, store, identity, ASKED, {"state": FAILED, "trouble": trouble[:300]})


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
