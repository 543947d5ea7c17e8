"""What the vault does by itself: it signs a new head whenever the custody log has grown, and deletes what
retention says, the register and the log first and the files after them, and what lies in quarantine for
nothing. In a second thread, since that may take minutes, it makes the bundles and the
covered copies that were asked for."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from broker.signing import Signer
from edge.db.writer import Writer
from edge.drills import store as drills
from edge.errors import StorageError
from edge.evidence import clips, heads
from edge.evidence.clips import Clip
from edge.evidence.files import VaultFiles
from edge.handling import access_requests, keeping
from edge.retention import Retention
from edge.vault.bundles import Bundles
from edge.vault.covering import Covering

log = logging.getLogger(__name__)
# A head for many entries at once: each is judged and kept by every kiosk.
EVERY_S = 10.0
# Somebody waits for a bundle, with a page before them.
BUNDLES_EVERY_S = 1.0
# After a start the files of what was purged so recently are looked for once more.
RECENT = timedelta(days=2)


class Keeping:
    """See the module. `told` is called when others have something new to show; `tidy`, with whether the disk
    is full, empties places in quarantine and says how many."""

    def __init__(
        self,
        store: str,
        signer: Signer,
        writer: Writer,
        files: VaultFiles,
        retention: Retention,
        clock: Callable[[], datetime],
        told: Callable[[], None],
        bundles: Bundles,
        covering: Covering,
        tidy: Callable[[bool], int],
    ) -> None:
        self._store, self._signer, self._writer = store, signer, writer
        self._files, self._retention = files, retention
        self._clock, self._told = clock, told
        self._bundles, self._covering, self._tidy = bundles, covering, tidy
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="vault-keeping", daemon=True),
            threading.Thread(target=self._make_bundles, name="vault-bundles", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """May be called twice."""
        self._stop.set()
        self._bundles.stop()
        self._covering.stop()
        until_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until_s - time.monotonic()))

    def _run(self) -> None:
        self._try(self.finish_purges)
        while not self._stop.wait(EVERY_S):
            self._try(self.turn)

    def _make_bundles(self) -> None:
        next_s = time.monotonic() + EVERY_S
        while not self._stop.wait(BUNDLES_EVERY_S):
            self._try(self._bundles.make)
            self._try(self._covering.make)
            if time.monotonic() >= next_s:
                next_s = time.monotonic() + EVERY_S
                self._try(self._bundles.remove_old)
                self._try(self._covering.remove_old)

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (StorageError, sa.exc.SQLAlchemyError, OSError) as error:
            log.warning("The vault could not be looked after: %s", error)
        except Exception:
            # Without this thread nothing more is sealed into the log, deleted or exported.
            log.exception("The vault could not be looked after.")

    def turn(self) -> None:
        """One look."""
        now = self._clock()
        self._delete(
            self._writer.run(lambda conn: keeping.purge_due(conn, self._store, self._retention, now))
        )
        lacking = int(self._retention.free_gb * 1e9) - self._files.free_bytes()
        if lacking > 0:
            self._delete(
                self._writer.run(
                    lambda conn: keeping.purge_for_room(conn, self._store, self._retention, lacking, now)
                )
            )
            lacking = int(self._retention.free_gb * 1e9) - self._files.free_bytes()
        since = self._retention.askers_since(now)
        self._writer.run(lambda conn: access_requests.forget(conn, self._store, since, now))
        if emptied := self._tidy(lacking > 0):
            log.info("%d clips left the vault's quarantine before they were whole.", emptied)
        head = self._writer.run(lambda conn: heads.sign_newest(conn, self._store, self._signer, now))
        self._writer.run(lambda conn: drills.sign_due(conn, self._store, self._signer))
        if head is not None:
            log.debug("The custody log has %d entries under a new head.", head.size)
            self._told()

    def finish_purges(self) -> None:
        """Delete files that a kill between the commit and the deletion has left."""
        since = self._clock() - RECENT
        self._delete(self._writer.run(lambda conn: clips.purged_since(conn, self._store, since)))

    def _delete(self, purged: Sequence[Clip]) -> None:
        for clip in purged:
            for digest in (clip.sha256, clip.manifest_sha256):
                # In the writer, so that nothing with the same bytes is sealed in between.
                self._writer.run(partial(self._delete_unless_shared, digest))

    def _delete_unless_shared(self, digest: str, conn: sa.Connection) -> None:
        if not clips.shared(conn, self._store, digest):
            self._files.delete(digest)
