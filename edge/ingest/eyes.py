"""A second pair of eyes: a drawer that stays open, and movement in a zone that is watched.

A drawer waits as a greeting does, until it is closed or its time is over; then somebody is called to look,
once. Movement in a watched zone calls at once, and for as long as that is open, and a while longer, whatever
moves in the zone is nothing new. Nothing of it shows at the device.
"""

from datetime import datetime, timedelta

import sqlalchemy as sa

from broker.events import Event
from edge.config import Policies
from edge.db.tables import interaction
from edge.devices import store as devices
from edge.handling import escalating, finishing
from edge.handling.escalating import ReadFloor
from edge.handling.greeting import LATE, times
from edge.handling.telling import Telling
from edge.ingest import store as events
from edge.ingest.record import Pressed, Records
from edge.interactions import store as requests
from edge.interactions.lifecycle import decide
from edge.interactions.request import Change, GiveWay, Request, State
from edge.interactions.store import Entry
from edge.paging import timers
from edge.paging.timers import Timer
from edge.presence import AWAY
from edge.watching import Watching, why

# What a kiosk sends after it was away: the drawer's closing may be in its next message.
SETTLES = timedelta(seconds=5)
# So long after the last call for movement in a zone nobody is called there again.
QUIET = timedelta(minutes=10)


class Eyes:
    """One transaction's drawers and movements. Reads only what an event asks for. `rows` need nobody."""

    def __init__(
        self,
        conn: sa.Connection,
        store: str,
        policies: Policies,
        records: Records,
        telling: Telling,
        read_floor: ReadFloor,
        now: datetime,
    ) -> None:
        self._conn, self._store, self._policies = conn, store, policies
        self._records, self._telling, self._read_floor, self._now = records, telling, read_floor, now
        self._zones: dict[str, Watching] | None = None
        self.rows: list[dict[str, object]] = []

    def drawer(self, event: Event, *, is_open: bool) -> bool:
        """A drawer was opened or closed; whether its row is written already."""
        if event.drill:
            return False
        waiting = self._unmet(event.device)
        if not is_open:
            for one in waiting:
                self._give_way(one)
            return False
        limit = timedelta(seconds=self._zone(event.device).drawer_s)
        if waiting or not limit:
            return False
        pressed = self._records.pressed(event)
        row = self._records.row(event, pressed, topic="open")
        self._conn.execute(sa.insert(interaction), row)
        due_at = max(pressed.at + limit, self._now + SETTLES)
        timers.set_due(self._conn, self._store, str(event.id), Timer.DRAWER, due_at)
        self._telling.recorded(str(event.id), event.kind)
        return True

    def moved(self, event: Event, way: str) -> bool:
        """Somebody moves at the device; whether that is what the zone is watched for, and no greeting."""
        zone, pressed = self._records.zone(event.device), self._records.pressed(event)
        watching = self._zone(event.device)
        if (
            watching.watched == "never"
            or event.drill
            or not pressed.age.known
            or pressed.age.at_least >= LATE
        ):
            return False
        words = self._why(watching, zone)
        if words is None:
            return False
        if (last := self._last(zone)) is not None:
            if last.open:
                events.joined(self._conn, self._store, event.device, str(event.id), last.id)
            self.rows.append(self._records.row(event, pressed, topic=way))
            return True
        self._call(event, pressed, words)
        return True

    def _why(self, watching: Watching, zone: str) -> str | None:
        here = [one for one in self._read_floor().roster if one.presence not in AWAY]
        there = any(zone in one.zones or not one.zones for one in here)
        local = self._now.astimezone().time()
        return why(watching, local, anyone_there=there, anyone_here=bool(here))

    def _call(self, event: Event, pressed: Pressed, words: str) -> None:
        def insert(raised: Request) -> None:
            state = {"state": raised.state.value, "step": raised.step, "revision": raised.revision}
            row = self._records.row(event, pressed, kind="watch", topic="movement", **state)
            self._conn.execute(sa.insert(interaction), row)
            moved = f"Somebody moves there. {words}"
            requests.append(self._conn, [Entry(raised.id, self._now, "moved", "kiosk", moved)])

        request = self._records.request(
            event, pressed, State.RAISED, topic="movement", language=None, count=1, kind="watch"
        )
        escalating.start(
            self._conn, self._telling, self._policies, request, insert, self._read_floor, self._now
        )

    def _give_way(self, request: Request) -> None:
        decision = decide(request, GiveWay("The drawer was closed."))
        if isinstance(decision, Change):
            more = times(decision, self._now)
            finishing.finish(self._conn, self._telling, request, decision, "kiosk", self._now, **more)
            return
        timers.clear(self._conn, request.id)
        requests.append(
            self._conn, [Entry(request.id, self._now, "noted", "kiosk", "The drawer was closed.")]
        )

    def _unmet(self, device: str) -> list[Request]:
        """The device's drawers that wait, and those for which somebody is called."""
        ids = timers.waiting(self._conn, self._store, Timer.DRAWER)
        waiting = requests.among(self._conn, self._store, ids)
        called = requests.open_of_devices(self._conn, self._store, {device})
        found = [*waiting, *(one for one in called if one.kind == "drawer")]
        mine = [one.id for one in found if one.device == device]
        # Somebody may be tapping at this very moment.
        locked = requests.locked(self._conn, self._store, mine) if mine else []
        return [one for one in locked if one.open or one.state is State.RECORDED]

    def _last(self, zone: str) -> Request | None:
        """The latest call for movement in this zone that still counts."""
        i = interaction.c
        query = sa.select(i.id).where(
            i.store == self._store,
            i.raised_at > self._now - QUIET - timedelta(seconds=escalating.EYES.ceiling_s or 0),
            i.kind == "watch",
            i.zone == zone,
        )
        ids = list(self._conn.execute(query.order_by(i.raised_at.desc()).limit(1)).scalars())
        found = next(iter(requests.among(self._conn, self._store, ids)), None)
        if found is None or (not found.open and found.raised_at <= self._now - QUIET):
            return None
        return found

    def _zone(self, device: str) -> Watching:
        if self._zones is None:
            self._zones = devices.watching(self._conn, self._store)
        return self._zones.get(self._records.zone(device), Watching())
