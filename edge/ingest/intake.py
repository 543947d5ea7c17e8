"""One transaction's events: each committed once and receipted, or refused and set aside."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from broker import codec, topics
from broker.errors import ContractError
from broker.events import (
    Attended,
    Cancelled,
    ClipLost,
    ClipRecorded,
    DrawerMoved,
    Event,
    FeedbackGiven,
    Greeted,
    HelpRequested,
    PageAnswered,
    ReleaseMoved,
    SecurityRequested,
    Tampered,
)
from broker.messages import Refusal
from edge.audit.store import record, since
from edge.config import Greeter, Policies
from edge.db.tables import interaction
from edge.errors import NotFound, Refused
from edge.handling import answering, escalating, evidence, losing, supervising, tampering, updating
from edge.handling.revoking import SERVER
from edge.handling.telling import Telling
from edge.ingest import store as events
from edge.ingest.eyes import Eyes
from edge.ingest.greetings import Greetings
from edge.ingest.presses import Presses
from edge.ingest.ratings import Ratings
from edge.ingest.record import Origin, Records
from edge.ingest.store import SetAside
from edge.reports import tallies


@dataclass
class Receipts:
    """What one device may let go of, by outbox (None: by id, without one), and what was refused."""

    seqs: dict[UUID, list[int]] = field(default_factory=dict)
    ids: list[UUID] = field(default_factory=list)
    refused: dict[UUID | None, list[Refusal]] = field(default_factory=dict)

    def add(self, event: Event) -> None:
        if event.outbox is not None and event.seq is not None:
            self.seqs.setdefault(event.outbox, []).append(event.seq)
        else:
            self.ids.append(event.id)


class Intake:
    """Takes one batch inside one transaction. A new one for each; `receipts`, by device, may be those of an
    earlier one of the same transaction, and go out after its commit."""

    def __init__(
        self,
        conn: sa.Connection,
        store: str,
        policies: Policies,
        origins: dict[str, Origin],
        telling: Telling,
        now: datetime,
        receipts: dict[str, Receipts] | None = None,
        greeter: Greeter = Greeter(),  # noqa: B008
    ) -> None:
        self._conn, self._store, self._telling, self._now = conn, store, telling, now
        self._origins = origins
        self._records = Records(store, origins, now)
        self._greetings = Greetings(conn, store, greeter, self._records, telling, now)
        self._presses = Presses(conn, store, policies, self._records, self._greetings, telling, now)
        read_floor = escalating.floor_of(conn, store, now)
        self._eyes = Eyes(conn, store, policies, self._records, telling, read_floor, now)
        self._ratings = Ratings(conn, store, self._records, now)
        self._rows: list[dict[str, object]] = []
        self.receipts = {} if receipts is None else receipts

    def take(self, arrivals: Sequence[tuple[str, bytes]]) -> None:
        """Take (topic, payload) pairs. Nothing in them can stop the line."""
        incoming: dict[tuple[str, str], Event] = {}
        again: list[Event] = []
        for topic, payload in arrivals:
            try:
                event = codec.decode_event(self._store, topic, payload)
            except ContractError as error:
                self._refuse(topic, payload, error)
                continue
            if (revoked_at := self._revoked_at(event.device)) is not None:
                self._turn_away(event, revoked_at)
                continue
            first = incoming.setdefault((event.device, str(event.id)), event)
            if first is not event and self._same(event, first.payload):
                again.append(event)
        if not incoming:
            return
        new = events.insert(self._conn, self._store, list(incoming.values()), self._now)
        fresh = []
        for key, event in incoming.items():
            if key in new:
                fresh.append(event)
            elif self._same(event, events.payload_of(self._conn, self._store, *key)):
                self._receipt(event)
        withdrawn = self._accept_all(fresh)
        for event in again:
            if (event.device, str(event.id)) not in withdrawn:
                self._receipt(event)

    def set_aside(self, topic: str, payload: bytes, reason: str) -> None:
        """Refuse a payload that this program cannot handle, whatever it says."""
        try:
            event = codec.decode_event(self._store, topic, payload)
        except ContractError as error:
            self._refuse(topic, payload, error)
        else:
            self._refuse_event(event, reason)

    def _accept_all(self, fresh: Sequence[Event]) -> set[tuple[str, str]]:
        """Turn new events into what they mean; those that are refused after all are returned."""
        withdrawn = set()
        self._presses.look_around(fresh)
        # What is answered stands once every press of the batch does.
        for event in sorted(fresh, key=lambda event: isinstance(event.content, PageAnswered)):
            try:
                self._accept(event)
                self._receipt(event)
                self._telling.count(tallies.event(event.kind))
            except ContractError as error:
                events.withdraw(self._conn, self._store, event.device, str(event.id))
                self._refuse(topics.event(event.store, event.device, event.kind), event.payload, error)
                withdrawn.add((event.device, str(event.id)))
        self._presses.settle()
        self._rows += self._greetings.rows + self._eyes.rows
        self._rows += self._ratings.tie(self._presses.request_of, self._presses.rated)
        if self._rows:
            self._conn.execute(sa.insert(interaction), self._rows)
            last = self._rows[-1]
            self._telling.recorded(str(last["id"]), str(last["kind"]))
        self._ratings.write()
        told_together = (SecurityRequested, Tampered)
        for zone in sorted(
            {self._records.zone(e.device) for e in fresh if isinstance(e.content, told_together)}
        ):
            tampering.look(self._conn, self._telling, zone, self._now)
        return withdrawn

    def _accept(self, event: Event) -> None:
        match event.content:
            case HelpRequested():
                self._presses.help(event, event.content)
                if self._presses.helped(event.device, event.drill):
                    self._greetings.give_way(event, "Help was pressed there, and takes over.")
            case SecurityRequested():
                self._presses.security(event, event.content)
            case Cancelled() | Attended():
                self._presses.about(event, event.content)
            case FeedbackGiven():
                self._ratings.take(event, event.content)
            case Greeted():
                if not self._eyes.moved(event, event.content.way):
                    helped = self._presses.helped(event.device, event.drill)
                    self._greetings.take(event, event.content, helped=helped)
            case ClipRecorded():
                zone = self._records.zone(event.device)
                evidence.announce(self._conn, self._telling, event, event.content, zone, self._now)
                for lost in events.losses_of(self._conn, self._store, event.device, str(event.content.clip)):
                    self._lose(lost)
            case ClipLost():
                self._lose(event)
            case Tampered(what=what):
                self._record(event, reason=what)
                if not event.drill:
                    id_, at = str(event.id), self._records.pressed(event).at
                    supervising.tampered(self._conn, self._telling, id_, event.device, what, at, self._now)
            case DrawerMoved(open=is_open):
                if not self._eyes.drawer(event, is_open=is_open):
                    self._record(event, topic="open" if is_open else "closed")
            case PageAnswered():
                self._answer(event, event.content)
            case ReleaseMoved():
                at = self._records.pressed(event).at
                updating.heard(self._conn, self._telling, event.device, event.content, at, self._now)

    def _answer(self, event: Event, content: PageAnswered) -> None:
        age = self._records.pressed(event).age.at_least
        try:
            answering.answer(self._conn, self._telling, event.device, content, self._now, age)
        except (Refused, NotFound) as error:
            outbox = str(event.outbox) if event.outbox else None
            raise ContractError(str(error), str(event.id), event.seq, outbox) from None

    def _lose(self, event: Event) -> None:
        assert isinstance(event.content, ClipLost)
        at = self._records.pressed(event).at
        losing.lose(self._conn, self._telling, event, event.content, at, self._now)

    def _record(self, event: Event, **values: object) -> None:
        """An interaction that needs nobody; inserted with the rest of the batch."""
        self._rows.append(self._records.row(event, self._records.pressed(event), **values))

    def _same(self, event: Event, committed: bytes) -> bool:
        """The same event again gets its receipt again; another one under its id is refused."""
        if codec.same_content(event.payload, committed):
            return True
        self._refuse_event(event, "This id is already committed with other content.")
        return False

    def _revoked_at(self, device: str) -> datetime | None:
        origin = self._origins.get(device)
        return origin.revoked_at if origin is not None else None

    def _turn_away(self, event: Event, revoked_at: datetime) -> None:
        """Refuse what still comes of a revoked device; the audit says once that it tried."""
        reason = f"{event.device} is revoked since {revoked_at:%Y-%m-%d %H:%M:%S} UTC; nothing of it counts."
        if not since(self._conn, self._store, "device.refused", event.device, revoked_at):
            words = f"{event.device} is revoked and has sent something; it was set aside."
            record(self._conn, self._store, SERVER, "device.refused", event.device, words, self._now)
        self._refuse_event(event, reason)

    def _receipt(self, event: Event) -> None:
        self.receipts.setdefault(event.device, Receipts()).add(event)

    def _refuse_event(self, event: Event, reason: str) -> None:
        outbox = str(event.outbox) if event.outbox else None
        error = ContractError(reason, str(event.id), event.seq, outbox)
        self._refuse(topics.event(event.store, event.device, event.kind), event.payload, error)

    def _refuse(self, topic: str, payload: bytes, error: ContractError) -> None:
        parts = topic.split("/")
        device = parts[3][:64] if len(parts) > 3 else ""
        aside = SetAside(device, topic, payload, error.reason, error.event_id, error.outbox, error.seq)
        events.set_aside(self._conn, self._store, aside, self._now)
        refused = tallies.refused(topic)
        self._telling.count(refused)
        self._telling.device(device, "refused", silent=refused.silent)
        if device:
            refusal = Refusal(error.reason[:400], error.seq, error.event_id)
            outbox = UUID(error.outbox) if error.outbox else None
            receipts = self.receipts.setdefault(device, Receipts())
            receipts.refused.setdefault(outbox, []).append(refusal)
