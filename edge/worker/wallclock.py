"""Noticing that the server's clock was set: timers must neither fire at once nor fall silent for it."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.devices import store as devices
from edge.drills import store as drills
from edge.evidence import captures
from edge.interactions import store as requests
from edge.outside import store as outside
from edge.paging import outgoing, timers
from edge.pushing import queue as pushes
from edge.supervision import store as supervision


class WallClock:
    """Notices a jump of the wall clock against the monotonic one."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        threshold_s: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._threshold = timedelta(seconds=threshold_s)
        self._offset = self._read()

    def _read(self) -> datetime:
        return self._clock() - timedelta(seconds=self._monotonic())

    def jump(self) -> timedelta | None:
        """How far it jumped since the last look; None if it did not."""
        offset = self._read()
        difference = offset - self._offset
        if abs(difference) < self._threshold:
            return None
        self._offset = offset
        return difference

    def undo(self, jump: timedelta | None) -> None:
        """The jump could not be written: find it again at the next look."""
        if jump is not None:
            self._offset -= jump


def follow(conn: sa.Connection, store: str, jump: timedelta) -> None:
    """Move everything that is measured against now with the clock, so that no age and no wait changes."""
    timers.shift(conn, store, jump)
    requests.shift_open(conn, store, jump)
    outgoing.shift(conn, store, jump)
    devices.shift_clocks(conn, store, jump)
    drills.shift(conn, store, jump)
    captures.shift(conn, store, jump)
    supervision.shift(conn, store, jump)
    outside.shift(conn, store, jump)
    pushes.shift(conn, store, jump)
