"""A store on PostgreSQL is backed up into the same kind of file, and put back into either database."""

from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa

from edge.backup import proof, rows, snapshot
from edge.backup.errors import BackupError
from edge.db import tables
from edge.db.columns import metadata
from edge.db.engine import check_version, connect, sqlite_url
from edge.db.tables import feed_head, interaction, outgoing
from edge.interactions import index
from tests.rig.postgres import Postgres
from tests.unit.edge.conftest import START, STORE, SmallStore


def counted(url: str) -> dict[str, int]:
    opened = connect(url, write=False)
    with opened.connect() as conn:
        found = {
            table.name: conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
            for table in metadata.sorted_tables
        }
    opened.dispose()
    return found


def test_no_table_is_forgotten() -> None:
    """Of every module with tables the metadata must know, or its rows stay behind without a word."""
    folder = Path(tables.__file__).parent
    assert {path.stem for path in folder.glob("*tables.py")} <= vars(rows).keys()


def test_a_postgresql_store_comes_back_row_by_row_in_either_database(
    postgres: Postgres, postgres_template: tuple[str, dict[str, str]], tmp_path: Path
) -> None:
    name = postgres.create(postgres_template[0])
    url, request = postgres.url(name), str(uuid4())
    opened = connect(url, write=True)
    with opened.begin() as conn:
        conn.execute(
            sa.insert(interaction).values(
                id=request, store=STORE, device="kiosk-1", zone="shoes", kind="help", state="raised",
                reference="ABC-DEF", count=1, revision=1, step=0, round=0, silent=False, drill=False,
                raised_at=START, received_at=START, age_known=True, note="Größe 44",
            )
        )  # fmt: skip
        conn.execute(sa.insert(feed_head).values(store=STORE, cursor=7))
        for _ in range(3):
            conn.execute(
                sa.insert(outgoing).values(store=STORE, topic="t", payload=b"\x00\xff", created_at=START)
            )
        index.settle(conn, STORE)
    before = counted(url)
    copy = tmp_path / "copy.db"
    assert snapshot.take(url, copy) == "postgresql"
    there = proof.rows_of(copy)
    assert {name: there[name] for name in before} == before
    # As a SQLite store it is one that the programs open, with its triggers and its index of words.
    lite = connect(sqlite_url(copy), write=True)
    check_version(lite)
    with lite.begin() as conn:
        assert conn.execute(sa.select(interaction.c.note)).scalar_one() == "Größe 44"
        conn.execute(sa.update(interaction).values(note="changed"))
        assert conn.execute(sa.text("SELECT count(*) FROM log_due")).scalar_one() == 1
        conn.execute(sa.text("DELETE FROM log_due"))
    lite.dispose()
    other = postgres.create()
    rows.into_database(copy, postgres.url(other))
    assert counted(postgres.url(other)) == before
    back = connect(postgres.url(other), write=True)
    with back.begin() as conn:
        row = {"store": STORE, "topic": "t", "payload": b"", "created_at": datetime.now(UTC)}
        conn.execute(sa.insert(outgoing).values(row))
        assert conn.execute(sa.text("SELECT max(id) FROM outgoing")).scalar_one() == 4
        assert (
            conn.execute(sa.select(outgoing.c.payload).where(outgoing.c.id == 1)).scalar_one() == b"\x00\xff"
        )
    for one in (opened, back):
        one.dispose()
    for database in (name, other):
        postgres.drop(database)


def test_a_database_that_has_something_in_it_is_not_restored_into(
    postgres: Postgres, postgres_template: tuple[str, dict[str, str]], small_store: SmallStore, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    snapshot.take(small_store.url, copy)
    name = postgres.create(postgres_template[0])
    with pytest.raises(BackupError, match="must be empty"):
        rows.into_database(copy, postgres.url(name))
    postgres.drop(name)
