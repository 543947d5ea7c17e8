"""All rows of a store from one kind of database into another, as they are: decisions/001.

Triggers do not see them: whatever a trigger would have written is among the rows.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlalchemy as sa

from edge.backup.errors import BackupError
from edge.db import (  # noqa: F401 (their tables belong to the metadata)
    access_tables,
    backup_tables,
    drill_tables,
    engine,
    evidence_tables,
    feedback_tables,
    incident_tables,
    outside_tables,
    push_tables,
    store_tables,
    supervision_tables,
    tables,
    update_tables,
)
from edge.db.columns import metadata

_AT_ONCE = 500


def into_file(url: str, to: Path) -> None:
    """The rows of a PostgreSQL database as they are at one moment, into the new SQLite file `to`."""
    source = engine.connect(url, write=False)
    try:
        engine.check_version(source)
        engine.migrate(engine.sqlite_url(to))
        target = engine.connect(engine.sqlite_url(to), write=True)
        try:
            with source.connect() as reading:
                reading = reading.execution_options(isolation_level="REPEATABLE READ", stream_results=True)
                with reading.begin(), _without_triggers(to), target.begin() as writing:
                    _copy(reading, writing)
        finally:
            target.dispose()
        with closing(sqlite3.connect(to, isolation_level=None)) as db:
            db.execute("INSERT INTO log_index (log_index) VALUES ('rebuild')")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            db.execute("PRAGMA journal_mode=DELETE")
    finally:
        source.dispose()


def into_database(source: Path, url: str) -> None:
    """The rows of a SQLite file of this program's version into an empty PostgreSQL database."""
    engine.migrate(engine.sqlite_url(source))
    target = engine.connect(url, write=True)
    reading = engine.connect(engine.sqlite_url(source), write=False)
    try:
        with target.connect() as conn:
            if sa.inspect(conn).get_table_names():
                raise BackupError("The database to restore into has tables already; it must be empty.")
        engine.migrate(url)
        with reading.connect() as old, target.begin() as new:
            for table in metadata.sorted_tables:
                new.execute(sa.text(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER'))
            _copy(old, new)
            for table in metadata.sorted_tables:
                new.execute(sa.text(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER'))
                _go_on_counting(new, table)
    except sa.exc.DBAPIError as error:
        raise BackupError(f"The database cannot be restored: {error.orig}.") from None
    finally:
        reading.dispose()
        target.dispose()


def _copy(source: sa.Connection, target: sa.Connection) -> None:
    for table in metadata.sorted_tables:
        target.execute(sa.delete(table))
        insert, part = sa.insert(table), []
        for row in source.execute(sa.select(table)).mappings():
            part.append(dict(row))
            if len(part) == _AT_ONCE:
                target.execute(insert, part)
                part = []
        if part:
            target.execute(insert, part)


def _go_on_counting(conn: sa.Connection, table: sa.Table) -> None:
    """The next number that PostgreSQL gives follows the last one that is there."""
    for column in table.primary_key:
        if column.autoincrement is True:
            name = f"pg_get_serial_sequence('{table.name}', '{column.name}')"
            last = f'(SELECT max("{column.name}") FROM "{table.name}")'
            conn.execute(sa.text(f"SELECT setval({name}, coalesce({last}, 1), {last} IS NOT NULL)"))


@contextmanager
def _without_triggers(database: Path) -> Iterator[None]:
    """SQLite has no way to switch them off: they are taken away, and put back as they were."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as db:
        found = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        for name, _ in found:
            db.execute(f'DROP TRIGGER "{name}"')
    yield
    with closing(sqlite3.connect(database, isolation_level=None, timeout=30)) as db:
        for _, made in found:
            db.execute(made)
