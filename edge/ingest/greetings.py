"""What somebody who comes in does: their device waits, and if nobody greets them, somebody is called.

One wait per device at a time: whoever comes in meanwhile joins it. It ends at a cancel or an arrival about
any of its greetings, at a press for help or somebody going out there. Security has nothing to do with it: a
timeline that all may read must not tell of a silent request. A greeting whose age is unknown opens no wait:
nobody has asked for anything, and after a power cut people would be sent to greet whoever left an hour ago.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

import sqlalchemy as sa

from broker.events import Attended, Cancelled, Event, Greeted
from edge.config import Greeter
from edge.db.tables import interaction
from edge.handling import finishing
from edge.handling.greeting import LATE, times
from edge.handling.telling import Telling
from edge.ingest import store as events
from edge.ingest.record import Pressed, Records
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import Action, Attend, Cancel, Change, GiveWay, Request, State
from edge.interactions.store import Entry
from edge.paging import timers
from edge.paging.timers import Timer
from edge.people.store import by_badge


class Greetings:
    """One transaction's greetings. `look_around` first. `rows` are those that wait for nobody."""

    def __init__(
        self,
        conn: sa.Connection,
        store: str,
        greeter: Greeter,
        records: Records,
        telling: Telling,
        now: datetime,
    ) -> None:
        self._conn, self._store, self._records, self._telling = conn, store, records, telling
        self._after, self._quiet = timedelta(seconds=greeter.after_s), timedelta(seconds=greeter.quiet_s)
        self._now = now
        # By device and whether it is a drill: the greeting that waits, or for which somebody is called.
        self._unmet: dict[tuple[str, bool], Request] = {}
        self.rows: list[dict[str, object]] = []

    def look_around(self, devices: set[str], open_now: Iterable[Request]) -> None:
        """Read the waits of these devices; `open_now` are their open requests."""
        waiting = requests.among(
            self._conn, self._store, timers.waiting(self._conn, self._store, Timer.GREET)
        )
        for request in [*waiting, *open_now]:
            if request.kind == "greet" and request.device in devices:
                self._unmet[request.device, request.drill] = request

    def opens_wait(self, event: Event) -> bool:
        """Whether it is of somebody who came in a moment ago, as far as the event says."""
        if not self._after or not isinstance(event.content, Greeted) or event.content.way != "in":
            return False
        age = self._records.pressed(event).age
        return age.known and age.at_least < self._after + LATE

    def take(self, event: Event, content: Greeted, *, helped: bool) -> None:
        """Somebody came in or went out. `helped`: help is called for or there, at this device."""
        pressed = self._records.pressed(event)
        row = self._records.row(event, pressed, topic=content.way)
        unmet = self._unmet.get((event.device, event.drill))
        if content.way == "out":
            if unmet is not None and pressed.age.known and pressed.at >= unmet.raised_at:
                self.give_way(event, "Somebody went out again.")
        elif self.opens_wait(event) and not helped:
            if unmet is not None:
                events.joined(self._conn, self._store, event.device, str(event.id), unmet.id)
            elif not self._called_lately(event.device):
                self._wait(event, pressed, row)
                return
        self.rows.append(row)

    def answer(self, event: Event, content: Cancelled | Attended, request: Request) -> None:
        """A cancel or an arrival about a greeting. One that nobody waits for stays recorded."""
        if request.state is State.RECORDED and not timers.when(self._conn, request.id, Timer.GREET):
            return
        action: Action = Cancel()
        if isinstance(content, Attended):
            who = by_badge(self._conn, self._store, content.badge) if content.badge else None
            action = Attend(who.id, who.name) if who else Attend(None, None)
        self._do(event, request, action)

    def give_way(self, event: Event, words: str) -> None:
        """What happened now at the device makes its greeting needless."""
        unmet = self._unmet.get((event.device, event.drill))
        # As it is now: somebody may have tapped since it was read.
        request = requests.find(self._conn, self._store, unmet.id) if unmet else None
        if request is not None and (request.open or request.state is State.RECORDED):
            self._do(event, request, GiveWay(words))

    def _do(self, event: Event, request: Request, action: Action) -> None:
        unmet = self._unmet.get((request.device, request.drill))
        if unmet is not None and unmet.id == request.id:
            del self._unmet[request.device, request.drill]
        decision = decide(request, action)
        if isinstance(decision, Change):
            more = times(decision, self._now)
            finishing.finish(self._conn, self._telling, request, decision, "kiosk", self._now, **more)
            return
        timers.clear(self._conn, request.id)
        words = getattr(decision, "words", "")
        if words:
            requests.append(self._conn, [Entry(request.id, self._now, "noted", "kiosk", words)])

    def _wait(self, event: Event, pressed: Pressed, row: dict[str, object]) -> None:
        """Written at once: what follows in the same transaction may speak of it."""
        self._conn.execute(sa.insert(interaction), row)
        due_at = pressed.at + self._after
        timers.set_due(self._conn, self._store, str(event.id), Timer.GREET, due_at)
        request = self._records.request(event, pressed, State.RECORDED, topic="in", language=None, count=1)
        self._unmet[event.device, event.drill] = request
        self._telling.recorded(request.id, request.kind)

    def _called_lately(self, device: str) -> bool:
        since = self._now - self._quiet
        return requests.greeter_called(self._conn, self._store, device, since, self._now)
