"""Opening the database: pragmas, BEGIN IMMEDIATE for writers, and the check of its version."""

import logging
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from edge.errors import StorageError

# The newest migration; a test holds it against the migrations folder.
VERSION = "0033"
BUSY_S = 10.0
LONGEST_LOG_PAGES = 20_000
# How often the write lock is looked at while another process holds it.
LOCK_LOOK_S = 0.0003
# An error quotes no values: they are names, words and hashes of secrets, and errors go to the log.
_DISCREET = {"hide_parameters": True}


def connect(url: str, *, write: bool) -> sa.Engine:
    """An engine for readers or for the process's one writer. Nothing is connected yet.

    StorageError if `url` is none that this installation can use.
    """
    try:
        engine = sa.create_engine(url, pool_pre_ping=False, pool_size=8, max_overflow=64, **_DISCREET)
    except (sa.exc.ArgumentError, ImportError) as error:
        raise StorageError(f"The database setting cannot be used: {error}.") from None
    if engine.dialect.name == "sqlite":
        _prepare_sqlite(engine, write=write)
    return engine


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def _prepare_sqlite(engine: sa.Engine, *, write: bool) -> None:
    @event.listens_for(engine, "connect")
    def on_connect(connection: sqlite3.Connection, _record: Any) -> None:
        # The driver must not begin transactions by itself; on_begin says which kind is meant.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={int(BUSY_S * 1000)}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        if write:
            # on_begin waits in its own way. edge.db.checkpoint moves the log beside the work; the limit is
            # for a log that nobody moves because no worker runs.
            cursor.execute("PRAGMA busy_timeout=0")
            cursor.execute(f"PRAGMA wal_autocheckpoint={LONGEST_LOG_PAGES}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def on_begin(connection: sa.Connection) -> None:
        if write:
            _begin_immediate(connection)
        else:
            connection.exec_driver_sql("BEGIN")


def _begin_immediate(connection: sa.Connection) -> None:
    """Take the write lock as soon as it is free.

    SQLite's own waiting sleeps longer and longer, up to 100 ms, and so misses the moment that the worker
    leaves free between two batches: an associate's tap then waits for a whole backlog.
    """
    cursor = connection.connection.cursor()
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            cursor.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise sa.exc.OperationalError("BEGIN IMMEDIATE", None, error) from error
            time.sleep(LOCK_LOOK_S)
        else:
            cursor.close()
            return


def check_version(engine: sa.Engine) -> None:
    """StorageError unless the database stands at this program's migration."""
    try:
        with engine.connect() as connection:
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    except sa.exc.DBAPIError as error:
        raise StorageError(
            f"The database {engine.url.render_as_string()} has no Floorbell tables; "
            f"run 'floorbell edge migrate' first ({error.orig})."
        ) from None
    if found != VERSION:
        raise StorageError(
            f"The database stands at version {found}, this program needs {VERSION}; "
            "run 'floorbell edge migrate'."
        )


def migrate(url: str) -> None:
    """Bring the database to this program's version. Alembic is imported only here. StorageError."""
    # It tells of each of its own parts.
    logging.getLogger("alembic.runtime.plugins").setLevel(logging.WARNING)
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        raise StorageError(f"The database {url} cannot be brought up to date: {error.orig}.") from None
    except CommandError as error:
        raise StorageError(f"The database {url} is not one that this program knows: {error}.") from None
