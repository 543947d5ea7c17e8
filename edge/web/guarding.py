"""Looks after the worker from beside it: nobody else is there to say that it hears and calls nobody.

While the worker itself says that the broker is away, that is what is wrong.
"""

import logging
import threading
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from edge.errors import StorageError
from edge.handling import supervising
from edge.handling.telling import Telling
from edge.supervision import store as troubles
from edge.supervision.facts import Found, Key, Look, What

if TYPE_CHECKING:
    from edge.web.services import Services

_log = logging.getLogger(__name__)
EVERY_S = 5.0
# Twice as long as kiosks wait for the worker's word, so that a restart of it is nothing to tell of.
UNHEARD = timedelta(seconds=12)
KEY = Key("", What.WORKER)


class Guarding:
    """One thread; look() is what it does every few seconds."""

    def __init__(self, services: "Services") -> None:
        self._services = services
        self._unheard_since: datetime | None = None
        self._wrong = True
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web-guarding", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float = 3.0) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)

    def look(self) -> None:
        """Judge what is heard of the worker now. A worker that is well costs no write."""
        services = self._services
        now = services.clock()
        if services.hub.calling():
            self._unheard_since = None
        elif self._unheard_since is None:
            self._unheard_since = now
        lost = self._unheard_since is not None and now - self._unheard_since >= UNHEARD
        if not lost and not self._wrong:
            return
        self._wrong = services.change(lambda conn: self._judge(conn, lost, now))

    def _judge(self, conn: sa.Connection, lost: bool, now: datetime) -> bool:
        """Whether something is wrong, or was until a moment ago."""
        store = self._services.store
        known = troubles.going_on(conn, store)
        by_worker = any(one.told and one.key.what is What.BROKER for one in known)
        found = []
        if lost and not by_worker and self._unheard_since is not None:
            words = "The worker is not heard: what kiosks send waits, and nobody is called for it."
            if self._services.wake_state() == "away":
                words = (
                    "Neither the broker nor the worker is heard here; whether anybody is called is not known."
                )
            found.append(Found(KEY, self._unheard_since, words))
        telling = Telling(store)
        seen = Look(found, frozenset(), frozenset())
        supervising.take(conn, telling, known, seen, {What.WORKER}, now)
        telling.flush(conn, now)
        return bool(found) or any(one.key == KEY for one in known)

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            try:
                self.look()
            except StorageError as error:
                _log.warning("How the worker is could not be judged: %s", error)
            except Exception:
                _log.exception("How the worker is could not be judged.")
