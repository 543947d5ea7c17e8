"""What the store knows of its backups: each that was tried, and when one was last proven."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.backup_tables import backup, restore


@dataclass(frozen=True, slots=True)
class Run:
    """One backup, or one that failed: `trouble` says why. `proven_at` is when it was last opened with the
    recovery key and found whole."""

    name: str
    began_at: datetime
    ended_at: datetime
    target: str
    trouble: str | None = None
    database_bytes: int = 0
    clips: int = 0
    missing: int = 0
    clip_bytes: int = 0
    sent_bytes: int = 0
    proven_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Restored:
    """That this store was put back, and from which backup."""

    restored_at: datetime
    backup: str
    backup_at: datetime


_COLUMNS = [backup.c[name] for name in Run.__dataclass_fields__]


def record(conn: sa.Connection, store: str, run: Run) -> None:
    """Write one down, once it has ended."""
    values = {name: getattr(run, name) for name in Run.__dataclass_fields__}
    conn.execute(sa.insert(backup).values(store=store, **values))


def runs(conn: sa.Connection, store: str, limit: int = 20) -> list[Run]:
    """The last ones, the newest first."""
    query = sa.select(*_COLUMNS).where(backup.c.store == store)
    rows = conn.execute(query.order_by(backup.c.ended_at.desc(), backup.c.name.desc()).limit(limit))
    return [Run(*row) for row in rows]


def last_good(conn: sa.Connection, store: str) -> Run | None:
    """The newest that is whole."""
    query = sa.select(*_COLUMNS).where(backup.c.store == store, backup.c.trouble.is_(None))
    row = conn.execute(query.order_by(backup.c.began_at.desc()).limit(1)).first()
    return None if row is None else Run(*row)


def last_failed(conn: sa.Connection, store: str) -> Run | None:
    """The last try, if it failed."""
    last = runs(conn, store, 1)
    return last[0] if last and last[0].trouble is not None else None


def last_proven(conn: sa.Connection, store: str) -> datetime | None:
    """When a backup was last proven."""
    query = sa.select(sa.func.max(backup.c.proven_at)).where(backup.c.store == store)
    return conn.execute(query).scalar()


def set_proven(conn: sa.Connection, store: str, name: str, now: datetime) -> bool:
    """It was opened and found whole; False if this store knows no such backup."""
    mine = (backup.c.store == store, backup.c.name == name)
    return bool(conn.execute(sa.update(backup).where(*mine).values(proven_at=now)).rowcount)


def restored(conn: sa.Connection, store: str) -> Restored | None:
    """The last time that this store was put back."""
    r = restore.c
    query = sa.select(r.restored_at, r.backup, r.backup_at).where(r.store == store)
    row = conn.execute(query.order_by(r.restored_at.desc()).limit(1)).first()
    return None if row is None else Restored(*row)
