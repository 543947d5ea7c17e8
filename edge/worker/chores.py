"""What the worker does besides its batches: each in a transaction of its own that can wait."""

import logging
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa

from edge.feedback import store as scores
from edge.handling import incidents, supervising
from edge.handling.telling import Telling
from edge.interactions import index
from edge.retention import Retention
from edge.worker.commits import UNAVAILABLE
from edge.worker.own import Own
from edge.worker.sender import Sender

log = logging.getLogger(__name__)


class Chores:
    """For the loop's thread alone. `urgent` says whether a security request is waiting, `own` is the server's
    own side."""

    def __init__(
        self,
        store: str,
        worker: str,
        sender: Sender,
        clock: Callable[[], datetime],
        urgent: Callable[[], bool],
        own: Own,
        retention: Retention,
    ) -> None:
        self._store, self._worker, self._sender = store, worker, sender
        self._clock, self._urgent, self._own = clock, urgent, own
        self._remind_after = retention.remind_after

    def index(self, conn: sa.Connection) -> bool:
        """Write words for the search of the log, in a transaction of its own; whether more may wait.

        A search that is behind is no reason to stop: what fails is tried again at the next look.
        """
        try:
            with conn.begin():
                return index.settle(conn, self._store) == index.BATCH
        except sa.exc.DBAPIError as error:
            log.warning("The log's words could not be written: %s", error.orig)
            return False

    def judge(self, conn: sa.Connection) -> bool:
        """Judge the scores in doubt at one device, in a transaction of its own; whether more may wait."""
        try:
            with conn.begin():
                return scores.settle(conn, self._store) is not None
        except sa.exc.DBAPIError as error:
            log.warning("Scores could not be judged: %s", error.orig)
            return False

    def open_incidents(self, conn: sa.Connection) -> bool:
        """Open incidents of security requests, in a transaction of its own; whether more may wait.

        It can wait: whoever writes first opens it.
        """
        try:
            with conn.begin():
                return incidents.open_due(conn, self._store, self._clock())
        except sa.exc.DBAPIError as error:
            log.warning("Incidents could not be opened: %s", error.orig)
            return False

    def supervise(self, conn: sa.Connection, reading: sa.Connection) -> None:
        """Look for what is wrong with the store's own things. Only what is to be told takes the lock."""
        telling, now = Telling(self._store), self._clock()
        try:
            own = self._own.look()
            with reading.begin():
                anything = supervising.anything(reading, self._store, own, now, self._remind_after)
            if not anything or self._urgent():
                return
            with conn.begin():
                supervising.look(conn, telling, own, now, self._remind_after)
                cursor, claimed = telling.flush(conn, now, self._worker)
        except UNAVAILABLE as error:
            log.warning("What is wrong could not be looked for: %s", error)
            return
        except Exception:
            # A bug here must not stop the line.
            log.exception("What is wrong could not be looked for.")
            return
        if cursor is not None:
            self._sender.feed(cursor)
        self._sender.messages(claimed)
