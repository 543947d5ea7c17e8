"""Tries that are under way, each in a thread of its own that nobody waits for longer than was said."""

import logging
import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

log = logging.getLogger(__name__)
C = TypeVar("C")
E = TypeVar("E")


@dataclass(eq=False)
class Flight(Generic[C]):
    """A try that is under way. `noted`: its end is written, although its thread may not have ended."""

    claimed: C
    thread: threading.Thread
    cut_at: float
    noted: bool = False


class Flights(Generic[C, E]):
    """`unknown(words)` makes the end of a try of which nobody knows how it went."""

    def __init__(self, name: str, unknown: Callable[[str], E], monotonic: Callable[[], float]) -> None:
        self._name, self._unknown, self._monotonic = name, unknown, monotonic
        self._flights: list[Flight[C]] = []
        self._ended: queue.SimpleQueue[tuple[Flight[C], E]] = queue.SimpleQueue()
        self._unnoted: list[tuple[Flight[C], E]] = []

    @property
    def flying(self) -> bool:
        return any(not flight.noted for flight in self._flights)

    def under_way(self) -> list[C]:
        """What is being tried, or was given up on and whose thread has not ended."""
        self._flights = [one for one in self._flights if not one.noted or one.thread.is_alive()]
        return [one.claimed for one in self._flights]

    def begin(self, claimed: C, send: Callable[[], E], cut_s: float) -> None:
        thread = threading.Thread(name=self._name, daemon=True)
        flight = Flight(claimed, thread, self._monotonic() + cut_s)

        def work() -> None:
            try:
                ended = send()
            except Exception:
                log.exception("A try of %s failed.", self._name)
                ended = self._unknown("The messenger broke off; whether it arrived is not known.")
            self._ended.put((flight, ended))

        thread.run = work  # type: ignore[method-assign]
        self._flights.append(flight)
        thread.start()

    def ended(self) -> Iterator[tuple[C, E]]:
        """How tries went; each is noted once the caller asks for the next one, and comes again if it never
        does. One whose time is over is not waited for any more."""
        while not self._ended.empty():
            self._unnoted.append(self._ended.get())
        waiting = {id(flight) for flight, _ in self._unnoted}
        for flight in self._flights:
            if not flight.noted and id(flight) not in waiting and self._monotonic() >= flight.cut_at:
                words = "It took too long; whether it arrived is not known."
                self._unnoted.append((flight, self._unknown(words)))
        for flight, ended in list(self._unnoted):
            if not flight.noted:
                yield flight.claimed, ended
                flight.noted = True
            self._unnoted.remove((flight, ended))
