"""Who of the strangers is answered now, and who waits: as many threads as `most`, in the order of arrival."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

_answering = threading.local()


class Turns:
    """One thread only. `start` gives a connection a thread."""

    def __init__(self, most: int, start: Callable[[Any], None]) -> None:
        self._most, self._start = most, start
        self._answered: set[int] = set()
        self._waiting: deque[Any] = deque()

    def take(self, conn: Any) -> None:
        """Its turn is now, or once one of those before it has ended."""
        self._waiting.append(conn)
        self._next()

    def end(self, conn: Any) -> None:
        """Its turn is over; nothing where it had none."""
        self._answered.discard(id(conn))
        self._next()

    @property
    def waiting(self) -> list[Any]:
        """Whose turn has yet to come, the longest first."""
        return list(self._waiting)

    def give_up(self, conn: Any) -> bool:
        """Whether it waited; it has no turn any more."""
        if conn not in self._waiting:
            return False
        self._waiting.remove(conn)
        return True

    def _next(self) -> None:
        while self._waiting and len(self._answered) < self._most:
            conn = self._waiting.popleft()
            self._answered.add(id(conn))
            self._start(conn)


def answering(known: Callable[[], None]) -> None:
    """This thread answers a request from now on; `known` is what stays() calls."""
    _answering.known = known


def stays() -> None:
    """The answer that this thread gives is a stream, to somebody who was found known: it keeps its thread
    and takes none of the strangers' turns any more. Nothing where no request is answered so."""
    known = getattr(_answering, "known", None)
    if known is not None:
        known()
