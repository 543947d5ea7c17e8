"""A database on its way to another release, and back by its copy only."""

import datetime as dt
import sqlite3
from pathlib import Path

import pytest

from deploy import upgrade
from deploy.errors import DeployError
from deploy.upgrade import bring_back, bring_forward, standing
from edge.errors import StorageError

NOW = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=1)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A database at version 0001 with two events; this release needs 0002."""
    monkeypatch.setattr(upgrade, "VERSION", "0002")
    monkeypatch.setattr(upgrade, "migrate", lambda url: stand(path, "0002"))
    path = tmp_path / "floorbell.db"
    conn = sqlite3.connect(path)
    conn.executescript(
        "PRAGMA journal_mode=WAL; CREATE TABLE alembic_version (version_num); CREATE TABLE event (id);"
        "CREATE TABLE interaction (id); CREATE TABLE timeline (id); CREATE TABLE custody (id);"
        "CREATE TABLE audit (id)"
    )
    conn.execute("INSERT INTO alembic_version VALUES ('0001')")
    conn.executemany("INSERT INTO event VALUES (?)", [(1,), (2,)])
    conn.commit()
    conn.close()
    return path


def stand(path: Path, version: str) -> None:
    conn = sqlite3.connect(path)
    conn.execute("UPDATE alembic_version SET version_num = ?", (version,))
    conn.commit()
    conn.close()


def grow(path: Path, table: str) -> None:
    conn = sqlite3.connect(path)
    conn.execute(f"INSERT INTO {table} VALUES (3)")
    conn.commit()
    conn.close()


def test_before_a_migration_there_is_a_copy_that_only_its_owner_reads(path: Path, tmp_path: Path) -> None:
    said = bring_forward(path, tmp_path / "copies", NOW)
    copy = tmp_path / "copies" / "floorbell.db.0001.20260301T120000"
    assert said == f"The database was copied to {copy} and brought from 0001 to 0002."
    assert standing(path) == ("0002", 2) and standing(copy) == ("0001", 2)
    assert copy.stat().st_mode & 0o077 == 0 and copy.parent.stat().st_mode & 0o077 == 0


def test_where_nothing_is_to_be_migrated_nothing_is_copied(path: Path, tmp_path: Path) -> None:
    stand(path, "0002")
    assert bring_forward(path, tmp_path / "copies", NOW) == "The database stands at 0002 already."
    assert not (tmp_path / "copies").exists()


def test_a_migration_that_fails_leaves_the_database_as_it_was(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(url: str) -> None:
        stand(path, "0001-and-a-half")
        raise StorageError("The database cannot be brought up to date.")

    monkeypatch.setattr(upgrade, "migrate", half)
    with pytest.raises(DeployError, match="It was put back as it was"):
        bring_forward(path, tmp_path / "copies", NOW)
    assert standing(path) == ("0001", 2)


def test_an_older_release_refuses_a_newer_database_in_one_sentence(path: Path, tmp_path: Path) -> None:
    stand(path, "0003")
    with pytest.raises(DeployError, match=r"stands at 0003, this release knows 0002 at most"):
        bring_forward(path, tmp_path / "copies", NOW)


def test_the_way_back_is_the_copy_as_long_as_nothing_came(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_forward(path, tmp_path / "copies", NOW)
    monkeypatch.setattr(upgrade, "VERSION", "0001")
    assert "is the copy floorbell.db.0001.20260301T120000 again" in bring_back(
        path, tmp_path / "copies", LATER, False
    )
    assert standing(path) == ("0001", 2)


@pytest.mark.parametrize("table", ["event", "interaction", "timeline", "custody", "audit"])
def test_what_came_since_is_not_lost_unasked_and_is_kept_aside(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    bring_forward(path, tmp_path / "copies", NOW)
    grow(path, table)
    monkeypatch.setattr(upgrade, "VERSION", "0001")
    with pytest.raises(
        DeployError,
        match=r"loses 1 entry of contacts, evidence and changes that came since; --with-database does so",
    ):
        bring_back(path, tmp_path / "copies", LATER, False)
    assert standing(path) == ("0002", 3)
    bring_back(path, tmp_path / "copies", LATER, True)
    assert standing(path) == ("0001", 2)
    assert standing(tmp_path / "copies" / "floorbell.db.0002.20260301T130000") == ("0002", 3)


def test_without_a_copy_of_its_version_there_is_no_way_back(path: Path, tmp_path: Path) -> None:
    stand(path, "0003")
    with pytest.raises(DeployError, match="holds no copy of that version"):
        bring_back(path, tmp_path / "copies", NOW, True)


def test_a_release_without_a_migration_goes_back_as_it_came(path: Path, tmp_path: Path) -> None:
    stand(path, "0002")
    assert bring_back(path, tmp_path / "copies", NOW, False) == (
        "The database stands at 0002, as the release needs it."
    )


def test_what_is_no_database_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DeployError, match="There is no database"):
        standing(tmp_path / "floorbell.db")
    (tmp_path / "floorbell.db").write_text("not one" * 1000)
    with pytest.raises(DeployError, match="cannot be read"):
        standing(tmp_path / "floorbell.db")
