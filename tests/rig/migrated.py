"""A migrated SQLite file: the migrations run once a process, and what they leave is copied."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from edge.db.engine import migrate, sqlite_url
from tests.rig.place import place


def copy_to(path: Path) -> None:
    """A new store's database at `path`, as edge.db.engine.migrate leaves it."""
    path.write_bytes(_file())


@cache
def _file() -> bytes:
    with TemporaryDirectory(dir=place()) as folder:
        path = Path(folder) / "floorbell.db"
        migrate(sqlite_url(path))
        # The last connection to close has written everything into the one file.
        return path.read_bytes()
