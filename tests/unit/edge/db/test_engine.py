"""A database that cannot be used is one sentence."""

from pathlib import Path

import pytest
import sqlalchemy as sa

from edge.db.engine import connect, migrate, sqlite_url
from edge.errors import StorageError


@pytest.mark.parametrize("url", ["foo://bar", "://", "mysql+nothing://x/y"])
def test_a_url_that_is_no_database_is_refused(url: str) -> None:
    with pytest.raises(StorageError, match="cannot be used"):
        connect(url, write=False)


def test_what_cannot_be_migrated_is_refused(tmp_path: Path) -> None:
    (tmp_path / "junk.db").write_bytes(b"junk" * 5000)
    for name in ("junk.db", "none/floorbell.db"):
        with pytest.raises(StorageError, match="cannot be brought up to date"):
            migrate(sqlite_url(tmp_path / name))


def test_a_database_of_a_newer_program_is_left_alone(tmp_path: Path) -> None:
    url = sqlite_url(tmp_path / "floorbell.db")
    migrate(url)
    engine = connect(url, write=True)
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    with pytest.raises(StorageError, match="9999"):
        migrate(url)
