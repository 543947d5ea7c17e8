"""What the vault does by itself, in one thread: it signs a new head whenever the custody log has grown."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from broker.signing import Signer
from edge.db.writer import Writer
from edge.errors import StorageError
from edge.evidence import heads

log = logging.getLogger(__name__)
# A head for many entries at once: each is judged and kept by every kiosk.
EVERY_S = 10.0


class Keeping:
    """See the module. `told` is called when the worker has something new to show."""

    def __init__(
        self,
        store: str,
        signer: Signer,
        writer: Writer,
        clock: Callable[[], datetime],
        told: Callable[[], None],
    ) -> None:
        self._store, self._signer, self._writer = store, signer, writer
        self._clock, self._told = clock, told
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vault-keeping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        """May be called twice."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.turn()
            except (StorageError, sa.exc.SQLAlchemyError) as error:
                log.warning("The custody log could not be looked after: %s", error)

    def turn(self) -> None:
        """One look."""
        head = self._writer.run(
            lambda conn: heads.sign_newest(conn, self._store, self._signer, self._clock())
        )
        if head is not None:
            log.info("The custody log has %d entries under a new head.", head.size)
            self._told()
