"""What a program at one of the store's doors refused, in the audit: its log is read by nobody who sits at the
desk.

The door waits for none of this. What finds the database busy, or too many before it, is only in the log.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.audit.bounds import Bounds
from edge.audit.store import Actor, record
from edge.errors import EdgeError

log = logging.getLogger(__name__)
WAITING = 200


@dataclass(frozen=True, slots=True)
class Refused:
    """For the audit: `what` as 'denied.topic', `subject` who or what it was about, `words` a sentence. One a
    minute is written of those that are `like` each other; without it, of those with the same words."""

    what: str
    subject: str
    words: str
    like: str = ""


class Refusals:
    """One thread. hear() may be called from any other, and never waits."""

    def __init__(
        self,
        actor: Actor,
        store: str,
        write: Callable[[Callable[[sa.Connection], None]], object],
        clock: Callable[[], datetime],
    ) -> None:
        """`actor` is the door; `write` runs a function in a transaction, or raises an EdgeError."""
        self._actor, self._store, self._write, self._clock = actor, store, write, clock
        self._bounds = Bounds()
        self._waiting: queue.Queue[Refused | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="refusals", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hear(self, refused: Refused) -> None:
        try:
            self._waiting.put_nowait(refused)
        except queue.Full:
            return

    def stop(self, timeout_s: float = 3.0) -> None:
        """Write what waits. May be called twice."""
        if self._thread.is_alive():
            try:
                self._waiting.put(None, timeout=timeout_s)
            except queue.Full:
                return
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while (found := self._waiting.get()) is not None:
            now = self._clock()
            more = self._bounds.take((found.what, found.subject, found.like or found.words), now)
            if more is not None:
                self._record(found, found.words + more, now)

    def _record(self, found: Refused, words: str, now: datetime) -> None:
        def write(conn: sa.Connection) -> None:
            record(conn, self._store, self._actor, found.what, found.subject, words, now)

        try:
            self._write(write)
        except EdgeError as error:
            log.warning("What %s refused is not in the audit: %s", self._actor.name, error)
