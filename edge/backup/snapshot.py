"""A copy of the database as it was at one moment, made beside everybody who reads and writes it.

SQLite: the online backup API over one open read transaction, so that a commit meanwhile does not make it
begin anew; it takes no lock that a writer waits for. PostgreSQL: all rows within one REPEATABLE READ
transaction, into a SQLite file of the same version (rows.py): decisions/001.
"""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import sqlalchemy as sa

from edge.backup.errors import BackupError
from edge.db import engine

# At a page of 4 KiB: 1 MiB between two looks at the pace.
_STEP_PAGES = 256


def take(url: str, to: Path, passed: Callable[[int], None] = lambda size: None) -> str:
    """Copy the database to the new SQLite file `to`; which kind it was. `passed` is told of bytes as they are
    copied, and may wait. BackupError if it cannot be read."""
    parsed = sa.make_url(url)
    kind = parsed.get_backend_name()
    try:
        if kind == "sqlite":
            _copy_sqlite(Path(str(parsed.database)), to, passed)
        else:
            from edge.backup.rows import into_file

            into_file(url, to)
    except (sqlite3.Error, sa.exc.DBAPIError) as error:
        raise BackupError(f"The database cannot be copied: {getattr(error, 'orig', error)}.") from None
    return kind


def size_of(url: str) -> int:
    """About how many bytes the copy will take."""
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "sqlite":
        try:
            return Path(str(parsed.database)).stat().st_size
        except OSError as error:
            raise BackupError(f"The database {parsed.database} cannot be read: {error.strerror}.") from None
    opened = engine.connect(url, write=False)
    try:
        with opened.connect() as conn:
            return int(conn.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one())
    except sa.exc.DBAPIError as error:
        raise BackupError(f"The database cannot be read: {error.orig}.") from None
    finally:
        opened.dispose()


def _copy_sqlite(source: Path, to: Path, passed: Callable[[int], None]) -> None:
    if not source.exists():
        raise BackupError(f"There is no database {source}.")
    reading = sqlite3.connect(f"file:{source}?mode=rw", uri=True, timeout=30, isolation_level=None)
    writing = sqlite3.connect(to, isolation_level=None)
    try:
        # What is seen from here on is what is seen now, however much is written meanwhile.
        reading.execute("BEGIN")
        reading.execute("SELECT count(*) FROM sqlite_master").fetchone()
        (page_bytes,) = reading.execute("PRAGMA page_size").fetchone()
        # The copy is read back and then thrown away: it needs no disk that keeps promises.
        writing.execute("PRAGMA synchronous=OFF")
        left: list[int] = []

        def moved(status: int, remaining: int, total: int) -> None:
            before = left[-1] if left else total
            if remaining > before:
                raise BackupError("The copy of the database began anew; try again.")
            left.append(remaining)
            passed((before - remaining) * page_bytes)

        # Python's own sleep between two steps is for a locked database; the pace is ours.
        reading.backup(writing, pages=_STEP_PAGES, progress=moved, sleep=0.05)
        reading.execute("COMMIT")
        # Alone in its file, and nothing beside it.
        writing.execute("PRAGMA journal_mode=DELETE")
    finally:
        reading.close()
        writing.close()
