"""The copy of a database: as it was at one moment, however much is written meanwhile."""

import sqlite3
import threading
from pathlib import Path

from edge.backup import proof, snapshot
from edge.db.engine import connect, migrate, sqlite_url
from tests.rig.backed_up import BackedUp

PAIR = "INSERT INTO tally (store, name, label, silent, value) VALUES ('shop', ?, ?, 0, 1)"


def test_a_copy_is_of_one_moment_while_another_process_would_write(tmp_path: Path) -> None:
    """Each transaction writes two rows that belong together, and each page of the copy lets many of them
    pass: a copy that mixed two moments would have one of a pair."""
    path = tmp_path / "store.db"
    migrate(sqlite_url(path))
    db = connect(sqlite_url(path), write=True).raw_connection()
    raw = db.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    # How long a commit takes is not what this is about.
    raw.execute("PRAGMA synchronous=OFF")

    def write(number: int) -> None:
        raw.execute("BEGIN IMMEDIATE")
        raw.execute(PAIR, (f"one-{number}", "x" * 400))
        raw.execute(PAIR, (f"two-{number}", "x" * 400))
        raw.execute("COMMIT")

    for number in range(1500):
        write(number)
    steps = []

    def meanwhile(size: int) -> None:
        steps.append(size)
        for number in range(20):
            write(1500 + 20 * len(steps) + number)

    copy = tmp_path / "copy.db"
    snapshot.take(sqlite_url(path), copy, meanwhile)
    with sqlite3.connect(copy) as taken:
        rows = [str(name) for (name,) in taken.execute("SELECT name FROM tally")]
    taken.close()
    # As many as when it began, although each of its steps let more in.
    assert len(rows) == 3000 and len(steps) > 1
    assert {r[4:] for r in rows if r.startswith("one")} == {r[4:] for r in rows if r.startswith("two")}
    assert len(raw.execute("SELECT 1 FROM tally").fetchall()) == 3000 + 40 * len(steps)
    db.close()


def test_no_writer_waits_for_a_copy(shop: BackedUp, tmp_path: Path) -> None:
    """A transaction is begun and committed within each step of the copy, from another connection."""
    source = Path(shop.config.directory) / "floorbell.db"
    begun = threading.Event()

    def meanwhile(size: int) -> None:
        with sqlite3.connect(source, timeout=0) as db:
            db.execute("BEGIN IMMEDIATE")
            db.execute(PAIR, (f"while-{begun.is_set()}", "x"))
        db.close()
        begun.set()

    snapshot.take(shop.config.database_url, tmp_path / "copy.db", meanwhile)
    assert begun.is_set()
    assert proof.rows_of(tmp_path / "copy.db")["tally"] == 0
