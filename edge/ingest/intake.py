"""One transaction's events: committed once each, then turned into interactions and requests.

The order of arrival promises nothing: a cancel may come before its help, an old press after a newer one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker import codec, topics
from broker.errors import ContractError
from broker.events import (
    Attended,
    Cancelled,
    DrawerMoved,
    Event,
    FeedbackGiven,
    Greeted,
    HelpRequested,
    SecurityRequested,
    Tampered,
    reference_of,
)
from broker.messages import Refusal
from edge.config import Policies
from edge.db.tables import interaction
from edge.handling import escalating
from edge.handling.telling import Telling, state_text
from edge.ingest import store as events
from edge.ingest.age import Age, Reference, age_of
from edge.ingest.store import SetAside
from edge.interactions import store as requests
from edge.interactions.lifecycle import Attend, Cancel, Change, Join, Noted, Request, State, decide
from edge.interactions.store import Entry
from edge.people.store import by_badge

UNKNOWN_ZONE = "unknown"


@dataclass(frozen=True, slots=True)
class Origin:
    """What the server knows about a device: its zone and its clock as last heard."""

    zone: str
    reference: Reference | None


@dataclass
class Receipts:
    """What one device may let go of: (seqs by outbox, ids without outbox) and what was refused."""

    seqs: dict[UUID, list[int]] = field(default_factory=dict)
    ids: list[UUID] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)

    def add(self, event: Event) -> None:
        if event.outbox is not None and event.seq is not None:
            self.seqs.setdefault(event.outbox, []).append(event.seq)
        else:
            self.ids.append(event.id)


class Intake:
    """Takes one batch inside one transaction. A new one for each; `receipts` go out after the commit."""

    def __init__(
        self,
        conn: sa.Connection,
        store: str,
        policies: Policies,
        origins: dict[str, Origin],
        telling: Telling,
        now: datetime,
    ) -> None:
        self._conn, self._store, self._policies = conn, store, policies
        self._origins, self._telling, self._now = origins, telling, now
        self._floor = escalating.floor_of(conn, store)
        self._open: dict[tuple[str, str], Request] = {}
        self._early: set[str] = set()
        self._rows: list[dict[str, object]] = []
        self._expired: dict[str, Request] = {}
        self.receipts: dict[str, Receipts] = {}

    def take(self, arrivals: Sequence[tuple[str, bytes]]) -> None:
        """Take (topic, payload) pairs. Nothing in them can stop the line."""
        incoming: dict[tuple[str, str], Event] = {}
        for topic, payload in arrivals:
            try:
                event = codec.decode_event(self._store, topic, payload)
            except ContractError as error:
                self._refuse(topic, payload, error)
                continue
            first = incoming.setdefault((event.device, str(event.id)), event)
            if first is not event:
                self._known(event, first.payload)
        if not incoming:
            return
        new = events.insert(self._conn, self._store, list(incoming.values()), self._now)
        fresh = []
        for key, event in incoming.items():
            if key in new:
                fresh.append(event)
            else:
                self._known(event, events.payload_of(self._conn, self._store, *key))
        self._look_around(fresh)
        for event in fresh:
            try:
                self._accept(event)
                self._receipt(event)
            except ContractError as error:
                events.withdraw(self._conn, self._store, event.device, str(event.id))
                self._refuse(topics.event(event.store, event.device, event.kind), event.payload, error)
        if self._rows:
            self._conn.execute(sa.insert(interaction), self._rows)
            last = self._rows[-1]
            self._telling.recorded(str(last["id"]), str(last["kind"]))

    def set_aside(self, topic: str, payload: bytes, reason: str) -> None:
        """Refuse a payload that this program cannot handle, whatever it says."""
        try:
            event = codec.decode_event(self._store, topic, payload)
        except ContractError as error:
            self._refuse(topic, payload, error)
        else:
            outbox = str(event.outbox) if event.outbox else None
            self._refuse(topic, payload, ContractError(reason, str(event.id), event.seq, outbox))

    def _known(self, event: Event, committed: bytes) -> None:
        """The same event again gets its receipt again; another one under its id is refused."""
        if codec.same_content(event.payload, committed):
            self._receipt(event)
            return
        reason = "This id is already committed with other content."
        outbox = str(event.outbox) if event.outbox else None
        error = ContractError(reason, str(event.id), event.seq, outbox)
        self._refuse(topics.event(event.store, event.device, event.kind), event.payload, error)

    def _receipt(self, event: Event) -> None:
        self.receipts.setdefault(event.device, Receipts()).add(event)

    def _refuse(self, topic: str, payload: bytes, error: ContractError) -> None:
        parts = topic.split("/")
        device = parts[3] if len(parts) > 3 else ""
        aside = SetAside(device, topic, payload, error.reason, error.event_id, error.outbox, error.seq)
        events.set_aside(self._conn, self._store, aside, self._now)
        self._telling.device(device, "refused")
        if device:
            refusal = Refusal(error.reason[:400], error.seq, error.event_id)
            self.receipts.setdefault(device, Receipts()).refused.append(refusal)

    def _look_around(self, fresh: Sequence[Event]) -> None:
        """Read what the decisions of this batch need, once."""
        touching = {e.device for e in fresh if e.kind in ("help", "security", "cancel", "attend")}
        if not touching:
            return
        for request in requests.open_of_devices(self._conn, self._store, touching):
            self._open[request.device, request.kind] = request
        helps: dict[str, list[str]] = {}
        for event in fresh:
            if event.kind == "help":
                helps.setdefault(event.device, []).append(str(event.id))
        for device, ids in helps.items():
            self._early |= events.early_cancels(self._conn, self._store, device, ids)

    def _accept(self, event: Event) -> None:
        match event.content:
            case HelpRequested():
                self._help(event, event.content)
            case SecurityRequested():
                self._security(event, event.content)
            case Cancelled() | Attended():
                self._about(event, event.content)
            case FeedbackGiven(score=score, reason=reason, request=about):
                self._record(event, score=score, reason=reason, about=str(about) if about else None)
            case Greeted(way=way):
                self._record(event, topic=way)
            case Tampered(what=what):
                self._record(event, reason=what)
            case DrawerMoved(open=is_open):
                self._record(event, topic="open" if is_open else "closed")

    def _help(self, event: Event, content: HelpRequested) -> None:
        age, pressed_at = self._pressed(event)
        current = self._open.get((event.device, "help"))
        if current is not None:
            self._join(event, current, content.count, content.topic)
            return
        ceiling = self._policies.help.ceiling_s
        if ceiling is not None and age.at_least.total_seconds() >= ceiling:
            self._too_late(event, content, age, pressed_at, ceiling)
            return
        if str(event.id) in self._early:
            self._record(
                event, state="cancelled", topic=content.topic, language=content.language, count=content.count
            )
            self._note(str(event.id), "cancelled", "Cancelled at the kiosk before it reached the store.")
            return
        self._raise(event, age, pressed_at, content.topic, content.language, content.count, silent=False)

    def _too_late(
        self, event: Event, content: HelpRequested, age: Age, pressed_at: datetime, ceiling: float
    ) -> None:
        """Older than its ceiling: logged as missed, pages nobody; presses of the same wait are one."""
        last = self._expired.get(event.device) or requests.latest_of_device(
            self._conn, self._store, event.device, "help"
        )
        if (
            last is not None
            and last.state is State.MISSED
            and abs((pressed_at - last.raised_at).total_seconds()) < ceiling
        ):
            before = self._settle(last)
            change = decide(before, Join(content.count, content.topic))
            assert isinstance(change, Change)
            after = replace(change.request, raised_at=min(before.raised_at, pressed_at))
            requests.update(self._conn, before, after)
            events.joined(self._conn, self._store, event.device, str(event.id), after.id)
            self._expired[event.device] = after
            return
        self._record(
            event, state="missed", topic=content.topic, language=content.language, count=content.count
        )
        self._note(str(event.id), "missed", f"It came {_minutes(age)} after the press; nobody was paged.")
        self._expired[event.device] = self._request(
            event, State.MISSED, pressed_at, age, content.topic, None, content.count
        )

    def _settle(self, request: Request) -> Request:
        """Rows of this batch wait for one insert; what is to be updated must be there first."""
        if any(row["id"] == request.id for row in self._rows):
            self._conn.execute(sa.insert(interaction), self._rows)
            self._rows = []
        return request

    def _security(self, event: Event, content: SecurityRequested) -> None:
        age, pressed_at = self._pressed(event)
        current = self._open.get((event.device, "security"))
        if current is not None:
            joined = self._join(event, current, 1, None)
            again = escalating.page_again(
                self._conn, self._telling, self._policies, joined, self._floor, self._now
            )
            self._open[event.device, "security"] = again
            return
        request = self._raise(event, age, pressed_at, content.trigger, None, 1, silent=content.silent)
        if not age.known:
            self._note(request.id, "noted", "Its age is unknown; it is treated as new.")
        elif age.at_least.total_seconds() >= 5:
            self._note(request.id, "noted", f"It came {_minutes(age)} after the press.")

    def _about(self, event: Event, content: Cancelled | Attended) -> None:
        """A cancel or an arrival, about a request that this device raised."""
        about = str(content.request)
        request = requests.find(self._conn, self._store, about)
        if request is None:
            joined = events.interaction_of(self._conn, self._store, event.device, about)
            request = requests.find(self._conn, self._store, joined) if joined else None
        if request is None:
            return
        if request.device != event.device:
            outbox = str(event.outbox) if event.outbox else None
            raise ContractError(
                f"Only the device that raised request {about} may {event.kind} it.",
                str(event.id),
                event.seq,
                outbox,
            )
        if isinstance(content, Cancelled):
            decision = decide(request, Cancel())
        else:
            who = by_badge(self._conn, self._store, content.badge) if content.badge else None
            decision = decide(request, Attend(who.id, who.name) if who else Attend(None, None))
        if isinstance(decision, Change):
            escalating.finish(self._conn, self._telling, request, decision, "kiosk", self._now)
            self._open.pop((request.device, request.kind), None)
            if decision.request.open:
                self._open[request.device, request.kind] = decision.request
        elif isinstance(decision, Noted) and decision.words:
            self._note(request.id, "noted", decision.words)
        elif not isinstance(decision, Noted):
            self._note(request.id, "noted", f"At the kiosk: {event.kind}. {decision.sentence}")

    def _raise(
        self,
        event: Event,
        age: Age,
        pressed_at: datetime,
        topic: str | None,
        language: str | None,
        count: int,
        *,
        silent: bool,
    ) -> Request:
        request = self._request(event, State.RAISED, pressed_at, age, topic, language, count, silent)
        row = self._row(event, age, pressed_at, state="raised", topic=topic, language=language, count=count)
        self._conn.execute(sa.insert(interaction), [row | {"silent": silent}])
        request = escalating.start(self._conn, self._telling, self._policies, request, self._floor, self._now)
        self._open[event.device, event.kind] = request
        return request

    def _join(self, event: Event, current: Request, count: int, topic: str | None) -> Request:
        change = decide(current, Join(count, topic))
        assert isinstance(change, Change)
        requests.update(self._conn, current, change.request)
        requests.append(self._conn, [Entry(current.id, self._now, change.what, "kiosk", change.words)])
        events.joined(self._conn, self._store, event.device, str(event.id), current.id)
        self._open[event.device, event.kind] = change.request
        if event.kind == "help":
            text, args = state_text(change.request)
            if change.request.state is State.RAISED:
                text, args = "pressed_again", {"count": change.request.count}
            self._telling.call(change.request, text, args, pressed=str(event.id))
            self._telling.changed(change.request)
        return change.request

    def _record(self, event: Event, state: str = "recorded", **values: object) -> None:
        """An interaction that pages nobody; inserted with the rest of the batch."""
        age, pressed_at = self._pressed(event)
        row = self._row(event, age, pressed_at, state=state, **values)
        if state != "recorded":
            row["closed_at"] = self._now
        self._rows.append(row)

    def _note(self, request: str, what: str, words: str) -> None:
        requests.append(self._conn, [Entry(request, self._now, what, "kiosk", words)])

    def _pressed(self, event: Event) -> tuple[Age, datetime]:
        origin = self._origins.get(event.device)
        age = age_of(event.clock, origin.reference if origin else None, self._now)
        return age, self._now - age.at_least if age.known else self._now

    def _zone(self, device: str) -> str:
        origin = self._origins.get(device)
        return origin.zone if origin else UNKNOWN_ZONE

    def _request(
        self,
        event: Event,
        state: State,
        pressed_at: datetime,
        age: Age,
        topic: str | None,
        language: str | None,
        count: int,
        silent: bool = False,
    ) -> Request:
        return Request(
            id=str(event.id),
            store=self._store,
            device=event.device,
            zone=self._zone(event.device),
            kind=event.kind,
            topic=topic,
            language=language,
            state=state,
            count=count,
            revision=0,
            step=0,
            round=0,
            silent=silent,
            drill=event.drill,
            raised_at=pressed_at,
            age_known=age.known,
        )

    def _row(self, event: Event, age: Age, pressed_at: datetime, **values: object) -> dict[str, object]:
        row: dict[str, object] = {
            "id": str(event.id),
            "store": self._store,
            "device": event.device,
            "zone": self._zone(event.device),
            "kind": event.kind,
            "topic": None,
            "language": None,
            "reference": reference_of(event.id),
            "count": 1,
            "revision": 0,
            "step": 0,
            "round": 0,
            "silent": False,
            "drill": event.drill,
            "raised_at": pressed_at,
            "received_at": self._now,
            "age_known": age.known,
            "closed_at": None,
            "score": None,
            "reason": None,
            "about": None,
        }
        return row | values


def _minutes(age: Age) -> str:
    seconds = int(age.at_least.total_seconds())
    at_least = "" if age.known else "at least "
    return f"{at_least}{seconds} s" if seconds < 120 else f"{at_least}{seconds // 60} min"
