"""The messenger's pushes: claims what is due, begins its tries, notes how they went.

Security requests have tries kept free for them: what goes to everybody about a help request leaves most of
them alone, and a push service that hangs leaves those of the others.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa

from edge.config import EdgeConfig
from edge.db.writer import Writer
from edge.handling import acting
from edge.messenger.flights import Flights
from edge.messenger.pushing import WITHIN_S, Push
from edge.pushing import queue, store
from edge.pushing.queue import Claimed, Room
from edge.pushing.rules import Ended, Outcome

log = logging.getLogger(__name__)
ROOM = Room(total=64, service=32, others=24, others_service=12)
# Beyond a try's own time until nobody waits for its thread, and until its lease ends.
GRACE_S, LEASE_S = 3.0, 5.0


class Pushes:
    """Shares the messenger's readers and its one writer."""

    def __init__(
        self,
        config: EdgeConfig,
        readers: sa.Engine,
        writer: Writer,
        push: Push,
        *,
        name: str,
        clock: Callable[[], datetime],
        monotonic: Callable[[], float],
    ) -> None:
        self._store, self._readers, self._writer = config.store, readers, writer
        self._push, self._name, self._clock = push, name, clock
        self._flights: Flights[Claimed, Ended] = Flights("push", _unknown, monotonic)

    @property
    def flying(self) -> bool:
        return self._flights.flying

    def beat(self) -> None:
        """Say that pushes are sent from here."""
        self._writer.run(lambda conn: store.see(conn, self._store, self._clock()))

    def note(self) -> None:
        """Write down how tries went."""
        for claimed, ended in self._flights.ended():
            self._writer.run(partial(self._note_one, claimed, ended))
            log.debug("A push to %s: %s", claimed.service, ended.words)

    def begin(self) -> None:
        """Claim what is due, and begin its tries."""
        flying, now = self._flights.under_way(), self._clock()
        with self._readers.connect() as conn:
            if not queue.due(conn, self._store, now):
                return
        lease = timedelta(seconds=WITHIN_S + GRACE_S + LEASE_S)
        begun = self._writer.run(
            lambda conn: queue.claim(conn, self._store, self._name, flying, ROOM, lease, now)
        )
        for claimed in begun:
            self._flights.begin(claimed, partial(self._try, claimed), WITHIN_S + GRACE_S)

    def _try(self, claimed: Claimed) -> Ended:
        return self._push(claimed, self._clock())

    def _note_one(self, claimed: Claimed, ended: Ended, conn: sa.Connection) -> None:
        now = self._clock()
        noted = queue.end(conn, claimed, self._name, ended, now)
        if noted and ended.outcome is Outcome.SENT and claimed.page is not None:
            acting.mark_sent(conn, self._store, [claimed.page], now)


def _unknown(words: str) -> Ended:
    return Ended(Outcome.UNKNOWN, words)
