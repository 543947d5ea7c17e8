"""Whether the database is of use: can be written, and stands where this program needs it."""

import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from edge.db.engine import VERSION
from edge.errors import StorageError

if TYPE_CHECKING:
    from edge.web.services import Services

# Whoever asks more often is told what was found last: anybody may ask, and each look is a write.
LOOK_EVERY = timedelta(seconds=5)
OK = "ok"
_VERSION = sa.table("alembic_version", sa.column("version_num", sa.String))


@dataclass(frozen=True)
class Look:
    """What the database was found to be like, in words; OK where all is well."""

    at: datetime
    database: str
    migrations: str


class Looker:
    """Tries the database at most every LOOK_EVERY."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last: Look | None = None

    def look(self, room: "Services") -> Look:
        with self._lock:
            now = room.clock()
            if self._last is None or not timedelta(0) <= now - self._last.at < LOOK_EVERY:
                self._last = _look(room, now)
            return self._last


def _look(room: "Services", now: datetime) -> Look:
    """A write that changes nothing, to the one row that says which migration the database stands at."""
    version = _VERSION.c.version_num

    def touch(conn: sa.Connection) -> str | None:
        conn.execute(sa.update(_VERSION).values(version_num=version))
        return conn.execute(sa.select(version)).scalar()

    try:
        found = room.writer.run(touch)
    except StorageError:
        return Look(now, "cannot be written", "not known")
    fits = found == VERSION
    return Look(now, OK, OK if fits else f"at {found}; this program needs {VERSION}")
