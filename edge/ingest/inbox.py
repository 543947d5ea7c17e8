"""What has arrived and waits for the loop that commits. Security first, then the answers of pagers; paho's
threads only put here."""

import logging
import threading
import time
from collections import deque
from dataclasses import dataclass

from broker.session import Arrival, Session

log = logging.getLogger(__name__)

# Far more than the broker's receive maximum lets through of what is sent as the contract says.
MOST_WAITING = 10_000
# Kinds of events that have the connection of security: no backlog is before them on their way here.
URGENT = ("security", "answer")


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message and the session that it must be acknowledged on."""

    session: Session
    arrival: Arrival

    @property
    def security(self) -> bool:
        return self.arrival.topic.endswith("/event/security")

    @property
    def answer(self) -> bool:
        """What a holder answers stops the paging: behind no backlog, and before no security."""
        return self.arrival.topic.endswith("/event/answer")

    @property
    def clip(self) -> bool:
        return self.arrival.topic.endswith("/event/clip")


class Inbox:
    """Four queues and one wake-up. The broker's receive maximum bounds how much can wait, but for QoS 0:
    of that only so much is taken that no device can fill the memory with it; the rest gets no receipt."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._security: deque[Waiting] = deque()
        self._answers: deque[Waiting] = deque()
        self._events: deque[Waiting] = deque()
        self._words: dict[object, object] = {}
        self._answered = self._woken = False
        self._overrun = False

    def put_event(self, waiting: Waiting) -> None:
        with self._condition:
            if not waiting.arrival.qos and self.backlog >= MOST_WAITING:
                if not self._overrun:
                    log.error("Events come with QoS 0 faster than they can be committed; some are dropped.")
                self._overrun = True
                return
            self._queue_of(waiting).append(waiting)
            self._condition.notify()

    def put_word(self, about: object, word: object) -> None:
        """A state, heartbeat or change of a connection. Only the latest about the same thing counts, so
        that a database that cannot be written for an hour fills no memory."""
        with self._condition:
            self._words.pop(about, None)
            self._words[about] = word
            self._condition.notify()

    def wake(self) -> None:
        """Something in the database wants the loop's attention."""
        with self._condition:
            self._woken = True
            self._condition.notify()

    def wait(self, timeout_s: float) -> bool:
        """Wait until something is there or woken; True if it was woken."""
        with self._condition:
            if not (self.backlog or self._words or self._woken) and timeout_s > 0:
                self._condition.wait(timeout_s)
            woken, self._woken = self._woken, False
            return woken

    def take(self, most: int) -> tuple[list[Waiting], dict[object, object]]:
        """Up to `most` events and all words. Security requests go alone: nothing shares their commit. A pager
        that answers without end has every other turn, so that others' presses come through."""
        with self._condition:
            turn = self._events if self._answered else self._answers
            source = self._security or turn or self._answers or self._events
            self._answered = source is self._answers
            self._overrun = self._overrun and self.backlog >= MOST_WAITING // 2
            events = [source.popleft() for _ in range(min(most, len(source)))]
            words, self._words = self._words, {}
            return events, words

    def put_back(self, events: list[Waiting], words: dict[object, object]) -> None:
        """What could not be committed waits again, in its old order, before what came since."""
        with self._condition:
            for waiting in reversed(events):
                self._queue_of(waiting).appendleft(waiting)
            self._words = {a: w for a, w in words.items() if a not in self._words} | self._words

    def pause(self, seconds: float) -> None:
        """Leave the write lock free for an associate's tap, unless a security request or answer waits."""
        deadline = time.monotonic() + seconds
        with self._condition:
            while not self.urgent() and (left := deadline - time.monotonic()) > 0:
                self._condition.wait(left)

    def urgent(self) -> bool:
        """Whether a security request is waiting, or an answer whose turn it is."""
        return bool(self._security or (self._answers and not self._answered))

    @property
    def backlog(self) -> int:
        return len(self._security) + len(self._answers) + len(self._events)

    def _queue_of(self, waiting: Waiting) -> deque[Waiting]:
        if waiting.security:
            return self._security
        return self._answers if waiting.answer else self._events
