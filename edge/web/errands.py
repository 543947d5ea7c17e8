"""What the web process does aside from requests: it records pages as sent and tokens as used, and ends
sessions that expired."""

import logging
import queue
import threading
import time
from datetime import datetime
from typing import TYPE_CHECKING

from edge.errors import EdgeError
from edge.handling import acting
from edge.people import sessions
from edge.tokens import store as tokens

if TYPE_CHECKING:
    from edge.web.services import Services

_log = logging.getLogger(__name__)
SWEEP_EVERY_S = 60.0
_BATCH = 200


class Errands:
    """One thread. sent() may be called from any other and only enqueues."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._sent: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._used: dict[str, datetime] = {}
        self._thread = threading.Thread(target=self._run, name="web-errands", daemon=True)

    def sent(self, page: str) -> None:
        """The page was written to its person's stream."""
        self._sent.put(page)

    def used(self, token: str, at: datetime) -> None:
        """A token was used; written down within a minute, so that no request waits for it."""
        self._used[token] = at

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        self._sent.put(None)
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self.record_used()

    def _run(self) -> None:
        waiting: list[str] = []
        swept_s = time.monotonic()
        while True:
            try:
                first = self._sent.get(timeout=1.0 if waiting else SWEEP_EVERY_S)
            except queue.Empty:
                first = ""
            if first is None:
                self._record(waiting)
                return
            if first:
                waiting.append(first)
                while len(waiting) < _BATCH and not self._sent.empty():
                    if (page := self._sent.get()) is None:
                        self._record(waiting)
                        return
                    waiting.append(page)
            waiting = self._record(waiting)
            # By the clock: in a busy shop pages never pause for long enough.
            if time.monotonic() - swept_s >= SWEEP_EVERY_S:
                swept_s = time.monotonic()
                self._sweep()

    def _record(self, pages: list[str]) -> list[str]:
        """What is still to be recorded: nothing, or all of it if the database did not take it."""
        if not pages:
            return []
        services = self._services
        try:
            services.writer.run(lambda conn: acting.mark_sent(conn, services.store, pages, services.clock()))
        except EdgeError as error:
            _log.warning("Pages are sent but not yet recorded as sent: %s", error)
            return pages[-10_000:]
        return []

    def record_used(self) -> None:
        """Write down when each token was last used."""
        used, self._used = self._used, {}
        services = self._services
        if not used:
            return
        try:
            services.writer.run(lambda conn: tokens.mark_used(conn, services.store, used))
        except EdgeError as error:
            _log.warning("When tokens were last used is not written down: %s", error)

    def _sweep(self) -> None:
        services = self._services
        self.record_used()
        try:
            services.change(lambda conn: sessions.sweep(conn, services.store, services.clock()))
        except EdgeError as error:
            _log.warning("Expired sessions could not be ended: %s", error)
