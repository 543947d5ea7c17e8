"""One batch into one commit, and what may only follow it: sending, receipts and PUBACKs."""

import contextlib
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa

from broker import codec, topics
from broker.errors import ContractError
from broker.messages import EdgeState
from edge.config import Greeter, Policies
from edge.errors import StorageError
from edge.handling import (
    acting,
    drilling,
    escalating,
    evidence,
    following,
    greeting,
    updating,
)
from edge.handling.telling import Telling
from edge.ingest.inbox import Waiting
from edge.ingest.intake import Intake, Receipts
from edge.outside import store as outside
from edge.paging import feed, outgoing, pagers, timers
from edge.pushing import queue as pushes
from edge.routing.inforce import InForce
from edge.schedule import Plan
from edge.worker.devices import Devices, Word
from edge.worker.own import Own
from edge.worker.responder import Responder
from edge.worker.sender import Sender
from edge.worker.wallclock import follow

log = logging.getLogger(__name__)

# A security request waits for one part of the batch that it meets at most, and for its commit.
PART = 16
# A timer that failed is tried again after so long.
AGAIN = timedelta(seconds=5)
# The disk is full, the database is locked or gone: wait and try the same again.
UNAVAILABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, StorageError)


@dataclass
class Batch:
    """What one transaction takes on. What it has dealt with for good leaves `events`; what it left for a
    security request that came meanwhile goes to `left`. With `ask` devices are asked for their clips."""

    events: list[Waiting]
    words: dict[object, object]
    look: bool = False
    forget: bool = False
    jump: timedelta | None = None
    ask: bool = False
    left: list[Waiting] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Link:
    """A change of one of the worker's connections."""

    session: str
    main: bool
    up: bool
    reason: str = ""


class Commits:
    """See the module. For the loop's thread alone. `next_timer` is when a timer is due next, if one is."""

    def __init__(
        self,
        store: str,
        policies: Policies,
        worker: str,
        sender: Sender,
        wake: Callable[[], None],
        clock: Callable[[], datetime],
        urgent: Callable[[], bool] = lambda: False,
        greeter: Greeter = Greeter(),  # noqa: B008
        vault_url: str | None = None,
        own: Own | None = None,
        plan: Plan = Plan(),  # noqa: B008
        responder: Responder | None = None,
        turn_away: Callable[[frozenset[str]], None] = lambda names: None,
        renewed_between: str = "",
    ) -> None:
        """`urgent` says whether a security request is waiting, `wake` asks for a look; clips are asked for
        at `vault_url`; `own` is the server's own side. Without a `responder` nobody drills. `turn_away` is
        told the names of the revoked devices, at the start and whenever they change. Kiosks are told of
        a release `renewed_between` these times of day."""
        self._store, self._policies, self._worker = store, policies, worker
        self._sender, self._wake, self._clock, self._urgent = sender, wake, clock, urgent
        self._greeter = greeter
        self._vault_url = vault_url
        self._plan, self._responder = plan, responder
        self._turn_away = turn_away
        self._renewed_between = renewed_between
        self._turned_away: frozenset[str] | None = None
        self._assigned: list[drilling.Assignment] = []
        self._in_force = InForce(store, policies)
        self._followed: Policies | None = None
        self._owed: list[tuple[dict[str, Receipts], list[Waiting]]] = []
        self._devices = Devices(store)
        self._own_side = own or Own(clock())
        self.next_timer: datetime | None = None

    def take(self, conn: sa.Connection, batch: Batch) -> None:
        """One transaction, or, where one of its events trips over a bug, one for each of them.

        One of UNAVAILABLE if the database cannot be written: the batch then holds what is still to be done.
        """
        try:
            self._transact(conn, batch)
        except UNAVAILABLE:
            self._devices.forget()
            raise
        except Exception:
            self._devices.forget()
            if not batch.events:
                raise
            # A bug must not stop the line: the events that trigger it are set aside one by one.
            log.exception("A batch of %d events failed; trying them one by one.", len(batch.events))
            events, batch.events = batch.events, []
            try:
                self._transact(conn, batch)
                batch.words, batch.jump = {}, None
                self._one_by_one(conn, events)
            finally:
                batch.events = events

    def _transact(self, conn: sa.Connection, batch: Batch) -> None:
        """One commit, and after it everything that may only follow a commit."""
        now = self._clock()
        telling = Telling(self._store)
        self._assigned = []
        # What can wait for the next look is not done while a press waits for its page.
        sent = self._sender.sent() if batch.look else []
        with conn.begin():
            receipts, taken = self._work(conn, telling, batch, now)
            attempts = outgoing.mark_sent(conn, sent, now)
            reached = [one for row, one in attempts.items() if self._sender.heard(row)]
            acting.mark_sent(conn, self._store, pagers.mark_sent(conn, reached, now), now, telling)
            cursor, claimed = telling.flush(conn, now, self._worker)
            if batch.look:
                claimed += outgoing.claim(conn, self._store, self._worker, now)
                self.next_timer = timers.next_due(conn, self._store)
        self._followed = self._policies
        if batch.look:
            self._tell_broker()
        self._sender.settled(sent)
        if cursor is not None:
            self._sender.feed(cursor)
        self._sender.messages(claimed)
        for one in self._assigned:
            if self._responder is not None:
                self._responder.answer(one)
        batch.events, batch.left = batch.events[:taken], batch.events[taken:]
        self._owed.append((receipts, batch.events))
        if not self._urgent():
            self._pay()
        for word in batch.words.values():
            self._answer(word)

    def _tell_broker(self) -> None:
        """Only what is committed is told; what cannot be written is tried again at the next look."""
        if (names := self._devices.revoked) == self._turned_away:
            return
        try:
            self._turn_away(names)
        except OSError as error:
            log.error("The broker cannot be told what is revoked: %s.", error)
        else:
            self._turned_away = names

    def _pay(self) -> None:
        """Receipts and PUBACKs for what is committed. They let the next events in, which would keep this
        process busy beside a security request: so they follow it."""
        owed, self._owed = self._owed, []
        for receipts, events in owed:
            self._sender.receipts(receipts)
            for waiting in events:
                waiting.session.acknowledge(waiting.arrival)

    def _work(
        self, conn: sa.Connection, telling: Telling, batch: Batch, now: datetime
    ) -> tuple[dict[str, Receipts], int]:
        """Everything inside the transaction; its receipts, and how many of the events it took."""
        if batch.jump is not None:
            log.warning("The server's clock jumped by %s; everything that waits moves with it.", batch.jump)
            follow(conn, self._store, batch.jump)
            self._devices.follow(batch.jump)
            self._own_side.follow(batch.jump)
        if not self._devices.origins or batch.look:
            self._devices.read(conn)
        begins = self._followed is None
        changed_from = self._follow_desk(conn) if batch.look or begins else None
        for word in batch.words.values():
            self._listen_to(word)
        receipts: dict[str, Receipts] = {}
        taken = 0
        while taken < len(batch.events) and not (taken and self._urgent()):
            part = batch.events[taken : taken + PART]
            intake = self._intake(conn, telling, now, receipts)
            intake.take([(w.arrival.topic, w.arrival.payload) for w in part])
            taken += len(part)
        read_floor = escalating.floor_of(conn, self._store, now)
        if changed_from is not None:
            with self._apart(conn, telling, "Following a change of policy"):
                following.follow(conn, telling, changed_from, self._policies, read_floor, now)
        if begins:
            with self._apart(conn, telling, "Holding what waits to the policies"):
                following.hold_to(conn, telling, self._policies, now)
        for request, kind, due in timers.due(conn, self._store, now) if batch.look else ():
            with self._apart(conn, telling, f"The timer {kind} of request {request}") as done:
                greeting.fire(conn, telling, self._policies, request, kind, due, read_floor, now)
                done.append(True)
            if not done:
                timers.set_due(conn, self._store, request, kind, now + AGAIN)
        for word in batch.words.values():
            if isinstance(word, Word) and not self._own(word):
                with self._apart(conn, telling, word.arrival.topic):
                    self._devices.hear(conn, telling, word, now)
        if batch.ask and self._vault_url is not None:
            evidence.send_tickets(conn, telling, self._store, self._vault_url, now)
        if batch.look and self._vault_url is not None:
            evidence.show_heads(conn, telling, self._store)
        if batch.ask and self._vault_url is not None:
            with self._apart(conn, telling, "Renewing the kiosks' program"):
                updating.look(conn, telling, self._vault_url, self._renewed_between, now)
        if batch.look and self._responder is not None:
            with self._apart(conn, telling, "Drilling"):
                busy, trouble = self._responder.busy, self._responder.trouble
                self._assigned = drilling.look(conn, telling, self._plan, busy, trouble, now)
        if batch.forget:
            feed.forget(conn, self._store, now)
            outgoing.forget(conn, self._store, now)
            outside.forget(conn, self._store, now)
            pushes.forget(conn, self._store, now)
        return receipts, taken

    def _follow_desk(self, conn: sa.Connection) -> Policies | None:
        """Read the policies in force; those followed until now, if the desk has changed them since."""
        self._policies = self._in_force.read(conn)
        return None if self._followed in (None, self._policies) else self._followed

    @contextlib.contextmanager
    def _apart(self, conn: sa.Connection, telling: Telling, what: str) -> Iterator[list[bool]]:
        """A savepoint: a bug in what is done for one must not keep the others waiting."""
        news, messages = len(telling.news), len(telling.messages)
        pushed, counted = len(telling.pushes), len(telling.counted)
        done: list[bool] = []
        try:
            with conn.begin_nested():
                yield done
        except UNAVAILABLE:
            raise
        except ContractError as error:
            log.warning("%s: %s", what, error.reason)
        except Exception:
            log.exception("%s failed.", what)
            done.clear()
            del telling.news[news:], telling.messages[messages:]
            del telling.pushes[pushed:], telling.counted[counted:]

    def _intake(
        self,
        conn: sa.Connection,
        telling: Telling,
        now: datetime,
        receipts: dict[str, Receipts] | None = None,
    ) -> Intake:
        return Intake(
            conn,
            self._store,
            self._policies,
            self._devices.origins,
            telling,
            now,
            receipts,
            self._greeter,
        )

    def _one_by_one(self, conn: sa.Connection, events: list[Waiting]) -> None:
        """Each event leaves `events` once it is committed, or set aside."""
        while events:
            waiting = events[0]
            topic, payload = waiting.arrival.topic, waiting.arrival.payload
            now = self._clock()
            try:
                receipts = self._alone(conn, lambda intake: intake.take([(topic, payload)]), now)  # noqa: B023
            except UNAVAILABLE:
                raise
            except Exception as error:
                log.exception("This event is set aside: %s", topic)
                reason = "The server could not handle this event."
                if isinstance(error, sa.exc.IntegrityError):
                    reason = "The id of this event is already another device's."
                receipts = self._alone(conn, lambda intake: intake.set_aside(topic, payload, reason), now)  # noqa: B023
                if waiting.security and not isinstance(error, sa.exc.IntegrityError):
                    # Not refused: it stays in its kiosk's outbox and comes again until somebody is paged.
                    receipts = {}
            self._sender.receipts(receipts)
            waiting.session.acknowledge(waiting.arrival)
            events.pop(0)

    def _alone(
        self, conn: sa.Connection, take: Callable[[Intake], None], now: datetime
    ) -> dict[str, Receipts]:
        """One event in a transaction of its own. What it has to tell is sent at the next look."""
        telling = Telling(self._store)
        with conn.begin():
            if not self._devices.origins:
                self._devices.read(conn)
            intake = self._intake(conn, telling, now)
            take(intake)
            telling.flush(conn, now)
        self._wake()
        return intake.receipts

    def _own(self, word: Word) -> bool:
        return word.arrival.topic == topics.edge_state(self._store)

    def _listen_to(self, word: object) -> None:
        """What has to be known before the events of the same batch."""
        if isinstance(word, Link):
            if word.main:
                self._devices.doubt()
                self._own_side.linked(word.up, self._clock())
        elif isinstance(word, Word) and not self._own(word):
            # What is none of the contract is named when it is heard.
            with contextlib.suppress(ContractError):
                self._devices.listen(word)

    def _answer(self, word: object) -> None:
        """What has to be said to a change of a connection, or to our own state, once commits succeed."""
        if isinstance(word, Link):
            self._link(word)
        elif isinstance(word, Word) and self._own(word):
            try:
                if codec.decode(word.arrival.payload, EdgeState).status == "offline":
                    # The will of a predecessor that hung: it would stand for ever.
                    self._sender.online()
            except ContractError as error:
                log.warning("%s: %s", word.arrival.topic, error.reason)

    def _link(self, link: Link) -> None:
        if link.up:
            log.info("%s is connected.", link.session)
        else:
            log.warning("%s: %s", link.session, link.reason)
        if link.up and link.main:
            self._sender.online()
            self._sender.beat()
            # What found no connection waits for the end of its lease at most.
            self._wake()
