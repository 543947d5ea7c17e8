"""The tables, the migrations and the instants in them."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from hypothesis import given
from hypothesis import strategies as st

from edge.db import (  # noqa: F401 (their tables belong to the metadata)
    access_tables,
    backup_tables,
    drill_tables,
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
from edge.db import engine as engines
from edge.db.columns import Instant, metadata, moved
from edge.db.engine import check_version, connect, sqlite_url
from edge.db.tables import timer
from edge.errors import StorageError


def test_the_migrations_make_exactly_the_tables_that_the_code_describes(conn: sa.Connection) -> None:
    # What each database keeps for finding words is its own: SQLite's table of them, PostgreSQL's index.
    words = ("log_index", "ix_log_words_vector")
    own = {"include_name": lambda name, kind, _: name is None or not name.startswith(words)}
    context = MigrationContext.configure(conn, opts={"compare_type": True, **own})
    assert compare_metadata(context, metadata) == []


def test_the_program_asks_for_the_newest_migration() -> None:
    folder = Path(engines.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_current_head() == engines.VERSION


def test_a_migrated_database_is_accepted_and_an_empty_one_is_refused_in_one_sentence(
    engine: sa.Engine, tmp_path: Path
) -> None:
    check_version(engine)
    with pytest.raises(StorageError, match=r"floorbell edge migrate"):
        check_version(connect(sqlite_url(tmp_path / "other.db"), write=True))


def test_a_database_of_another_version_is_refused(engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="stands at version 9999"):
        check_version(engine)


def test_an_instant_without_a_zone_is_refused(conn: sa.Connection) -> None:
    naive = datetime(2026, 3, 2)  # noqa: DTZ001
    row = {"store": "shop", "request": "r", "kind": "escalate", "due_at": naive}
    with pytest.raises(sa.exc.StatementError, match="without a zone"), conn.begin():
        conn.execute(sa.insert(timer), row)


_aware = st.datetimes(
    min_value=datetime(1971, 1, 1),  # noqa: DTZ001
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.timezones(),
)


@given(_aware)
def test_an_instant_comes_back_to_the_microsecond_from_whatever_zone(at: datetime) -> None:
    kind, dialect = Instant(), sa.create_engine("sqlite://").dialect
    stored = kind.process_bind_param(at, dialect)
    back = kind.process_result_value(stored, dialect)
    assert back == at.astimezone(UTC) and back is not None and back.tzinfo is UTC


def test_instants_are_moved_in_the_database_by_exactly_the_time_asked_for(conn: sa.Connection) -> None:
    at = datetime(2026, 3, 2, 10, 0, 0, 7, tzinfo=timezone(timedelta(hours=2)))
    by = timedelta(hours=-1, microseconds=3)
    with conn.begin():
        conn.execute(sa.insert(timer).values(store="s", request="r", kind="escalate", due_at=at))
        conn.execute(sa.update(timer).values(due_at=moved(timer.c.due_at, by)))
        assert conn.execute(sa.select(timer.c.due_at)).scalar() == at + by
