"""Has the custody log's newest head stamped once a day, in a thread of its own: nothing waits for it."""

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from functools import partial
from pathlib import Path

import sqlalchemy as sa

from broker.witness import head_to_sign
from edge.db.writer import Writer
from edge.errors import EdgeError, StorageError
from edge.evidence import heads, stamp, stamps
from edge.stamping import due
from edge.vault import authority

log = logging.getLogger(__name__)
LOOK_EVERY_S = 10.0
Read = Callable[[], AbstractContextManager[sa.Connection]]
Ask = Callable[[str, bytes], bytes]


class Stamping:
    """See the module. `certificate` is read at each try, so that a mended file needs no restart."""

    def __init__(
        self,
        store: str,
        url: str,
        certificate: Path,
        writer: Writer,
        read: Read,
        clock: Callable[[], datetime],
        ask: Ask = authority.ask,
        look_every_s: float = LOOK_EVERY_S,
    ) -> None:
        self._store, self._url, self._certificate = store, url, certificate
        self._writer, self._read, self._clock, self._ask = writer, read, clock, ask
        self._look_every_s = look_every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vault-stamping", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 1.0) -> None:
        """May be called twice. A reply that is waited for then is not waited for any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.wait(self._look_every_s):
            try:
                self.turn()
            except (StorageError, sa.exc.SQLAlchemyError) as error:
                log.warning("Whether the custody log is to be stamped could not be looked up: %s", error)

    def turn(self) -> None:
        """One look, and if it is time one try. What is wrong with the authority is written down."""
        now = self._clock()
        with self._read() as conn:
            head = heads.newest(conn, self._store) if due(stamps.state(conn, self._store), now) else None
        if head is None:
            return
        message = head_to_sign(head.store, head.log, head.size, head.root, head.at_ms)
        try:
            reply, found = self._fetch(message)
        except EdgeError as error:
            log.warning("The custody log's head could not be stamped: %s", error)
            self._writer.run(partial(self._failed, str(error), now))
            return
        keep = partial(stamps.keep, store=self._store, size=head.size, reply=reply, stamp=found, now=now)
        self._writer.run(lambda conn: keep(conn))
        log.info("%s has stamped the custody log's %d entries at %s.", found.by, head.size, found.at)

    def _fetch(self, message: bytes) -> tuple[bytes, stamp.Stamp]:
        try:
            pem = self._certificate.read_bytes()
        except OSError as error:
            sentence = f"{self._certificate}, which [evidence.stamp] names, cannot be read: {error.strerror}."
            raise EdgeError(sentence) from None
        roots = stamp.authority(pem, str(self._certificate))
        asked = stamp.request(message)
        reply = self._ask(self._url, asked.body)
        return reply, stamp.check(reply, message, roots, asked.nonce)

    def _failed(self, trouble: str, now: datetime, conn: sa.Connection) -> None:
        stamps.failed(conn, self._store, trouble, now)
