"""The waits of shoppers that a press belongs to which came late: an open one's, or one that is over by now.

One transaction's, like the presses themselves.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from broker import codec, topics
from broker.events import Event
from edge.handling.telling import Telling, state_text
from edge.ingest import store as events
from edge.ingest.age import apart
from edge.ingest.record import Pressed
from edge.interactions import store as requests
from edge.interactions.request import Request

# Where a policy has no ceiling, presses this far apart are still one wait.
ONE_WAIT = timedelta(seconds=120)


class Waits:
    """See the module. `ceiling`: after so long nobody is paged any more, None for never."""

    def __init__(self, conn: sa.Connection, store: str, ceiling: timedelta | None, now: datetime) -> None:
        self._conn, self._store, self._now = conn, store, now
        self._one_wait = ceiling or ONE_WAIT
        # Closed requests that were pressed for, each with its newest press, which a kiosk may wait with.
        self._over: dict[str, tuple[Request, Event]] = {}
        self._undated: dict[str, list[tuple[str, Event]]] = {}

    def holds(self, current: Request, pressed: Pressed, too_late: bool, cancelled: bool) -> bool:
        """Whether a press is one of those that wait with the open request.

        One that was taken back ends it, so it must verifiably have been pressed while this one was open.
        """
        if cancelled:
            return pressed.age.known and pressed.at >= current.raised_at
        if too_late:
            return pressed.age.known and pressed.at > current.raised_at - self._one_wait
        return True

    def of(self, event: Event, pressed: Pressed) -> Request | None:
        """The closed help request of this device during whose wait the press was made.

        Presses of an earlier run of the device's clock have no date; that clock still says how far apart
        they are.
        """
        if pressed.age.known:
            return requests.closed_around(
                self._conn, self._store, event.device, event.drill, pressed.at, self._one_wait, self._now
            )
        if event.device not in self._undated:
            known = events.undated_missed(self._conn, self._store, event.device)
            topic = topics.event(self._store, event.device, "help")
            self._undated[event.device] = [
                (request, codec.decode_event(self._store, topic, payload)) for request, payload in known
            ]
        for request, first in self._undated[event.device]:
            if first.drill == event.drill and apart(first.clock, event.clock) < self._one_wait:
                return requests.find(self._conn, self._store, request)
        return None

    def begin(self, event: Event, request: Request) -> None:
        """The request, closed as it came by this press that has no date, is the first known of its wait."""
        if event.device in self._undated:
            self._undated[event.device].append((request.id, event))

    def late(self, event: Event, request: Request) -> None:
        """The kiosk is told once about each request, however many presses of it come late. The newest of them
        comes first (DESIGN 4)."""
        _, newest = self._over.get(request.id, (request, event))
        self._over[request.id] = (request, event if (event.seq or 0) >= (newest.seq or 0) else newest)

    def tell(self, telling: Telling) -> None:
        """The last word on presses that came too late."""
        for request, pressed in self._over.values():
            telling.call(request, *state_text(request), pressed=str(pressed.id))
            telling.recorded(request.id, request.kind, silent=request.silent)
