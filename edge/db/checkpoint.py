"""Moving SQLite's write-ahead log into the database beside the work, instead of inside somebody's commit.

SQLite itself does it within whichever commit makes the log long, and that commit then takes ten times as
long. A passive checkpoint keeps neither readers nor writers waiting.
"""

import logging
import threading
from pathlib import Path

import sqlalchemy as sa

from edge.db.engine import connect

log = logging.getLogger(__name__)

LOOK_S = 1.0
# A log this long is worth moving.
WORTH_BYTES = 1024 * 1024


class Checkpoints:
    """A thread that moves the log of one database. For other databases than SQLite it does nothing."""

    def __init__(self, url: str) -> None:
        self._stop = threading.Event()
        parsed = sa.make_url(url)
        self._thread: threading.Thread | None = None
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            self._wal = Path(f"{parsed.database}-wal")
            self._engine = connect(url, write=False)
            self._thread = threading.Thread(target=self._run, name="checkpoint", daemon=True)

    def start(self) -> None:
        if self._thread is not None:
            self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """May be called twice."""
        self._stop.set()
        if self._thread is not None and self._thread.is_alive():
            self._thread.join(timeout_s)
            self._engine.dispose()

    def _run(self) -> None:
        while not self._stop.wait(LOOK_S):
            try:
                if self._wal.stat().st_size >= WORTH_BYTES:
                    self.move()
            except (OSError, sa.exc.DBAPIError) as error:
                # The next look tries again; until then the log grows and nothing is lost.
                log.warning("The write-ahead log could not be moved: %s.", error)

    def move(self) -> None:
        """One passive checkpoint."""
        with self._engine.connect() as conn:
            raw = conn.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(PASSIVE)")
            raw.close()
