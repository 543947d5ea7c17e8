"""The worker: the one loop that takes events in, fires timers and sends what leaves the server.

The loop thread is the process's only writer. It commits, and only then acknowledges, receipts and sends.
Threads of paho and of the hint socket do nothing but put into the inbox.
"""

import logging
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from broker import codec, topics
from broker.errors import ContractError
from broker.messages import EdgeHeartbeat, EdgeState, FeedCursor, Receipt
from broker.session import Accepted, Arrival, Connected, Credentials, Delivery, Disconnected, Session
from broker.topics import Channel, of_device
from broker.watchdog import Watchdog, notify
from edge.config import EdgeConfig
from edge.db.engine import check_version, connect
from edge.errors import StorageError
from edge.handling import escalating
from edge.handling.telling import Telling
from edge.hint import HintListener
from edge.ingest.inbox import Inbox, Waiting
from edge.ingest.intake import Intake, Receipts
from edge.paging import feed, outgoing, timers
from edge.worker.devices import Devices, Word
from edge.worker.lock import take_lock
from edge.worker.wallclock import WallClock

log = logging.getLogger(__name__)

BEAT_S = 2.0
LOOK_S = 1.0
# A batch is as long as a security request may wait behind it, and long enough to share its fsync.
BATCH = 64
PAUSE_S = 0.001
RETRY_S = (0.2, 2.0)
RECEIVE_MAXIMUM = 500
FORGET_S = 600.0
# The disk is full, the database is locked or gone: wait and try the same again.
_UNAVAILABLE = (sa.exc.OperationalError, sa.exc.InterfaceError, StorageError)


@dataclass(frozen=True, slots=True)
class _Link:
    """A change of one of the worker's connections."""

    session: str
    up: bool
    reason: str = ""


def utc_now() -> datetime:
    return datetime.now(UTC)


class Worker:
    """See the module. `run` returns after `stop`; it raises StorageError if it may not start at all."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], datetime] = utc_now) -> None:
        self._config, self._store, self._clock = config, config.store, clock
        self._name = f"worker-{os.getpid()}"
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._engine = connect(config.database_url, write=True)
        self._devices = Devices(self._store)
        self._unsent: list[int] = []
        self._sent: list[int] = []
        self._beat = 0
        self._healthy = True
        self._next_timer: datetime | None = None
        self._watchdog = Watchdog(["commit"])
        credentials = Credentials.in_directory(config.identity_path / "edge-worker")
        base = f"{topics.ROOT}/{self._store}"
        common = {"receive_maximum": RECEIVE_MAXIMUM, "manual_ack": True}
        self._main = Session(
            "edge-worker",
            config.broker.host,
            config.broker.port,
            credentials,
            lambda delivery: self._deliver(self._main, delivery),
            subscriptions=[
                (f"{base}/+/state", 1),
                (f"{base}/+/heartbeat", 0),
                (topics.event(self._store, "+", "+"), 1),
                (topics.edge_state(self._store), 1),
            ],
            will=(topics.edge_state(self._store), codec.encode(EdgeState("offline"))),
            **common,  # type: ignore[arg-type]
        )
        # Its own connection: in a shared one a security request waits behind a whole backlog (DESIGN 4).
        self._security = Session(
            "edge-security",
            config.broker.host,
            config.broker.port,
            credentials,
            lambda delivery: self._deliver(self._security, delivery),
            subscriptions=[(topics.event(self._store, "+", "security"), 1)],
            **common,  # type: ignore[arg-type]
        )

    def stop(self) -> None:
        self._stop.set()
        self._inbox.wake()

    def run(self) -> None:
        check_version(self._engine)
        lock = take_lock(self._config)
        hints = HintListener(self._config.hint_path)
        listener = threading.Thread(target=self._listen, args=(hints,), name="hints", daemon=True)
        listener.start()
        self._main.start()
        self._security.start()
        self._watchdog.start()
        notify("READY=1")
        try:
            self._loop()
        finally:
            self._main.publish(
                topics.edge_state(self._store), codec.encode(EdgeState("offline", self._clock())), retain=True
            )
            self._main.stop()
            self._security.stop()
            self._watchdog.stop()
            listener.join(2)
            hints.close()
            self._engine.dispose()
            lock.close()

    def _deliver(self, session: Session, delivery: Delivery) -> None:
        """Runs in paho's threads: only enqueues."""
        match delivery:
            case Arrival() if "/event/" in delivery.topic:
                security = delivery.topic.endswith("/event/security")
                self._inbox.put_event(Waiting(session, delivery), security=security)
            case Arrival() if delivery.topic == topics.edge_heartbeat(self._store):
                session.acknowledge(delivery)
            case Arrival():
                self._inbox.put_word(Word(delivery, self._clock()))
                session.acknowledge(delivery)
            case Connected():
                self._inbox.put_word(_Link(session.name, True))
            case Disconnected():
                self._inbox.put_word(_Link(session.name, False, delivery.reason))
            case Accepted(refused=reason) if reason:
                log.error("The broker refused a message of the worker: %s.", reason)

    def _listen(self, hints: HintListener) -> None:
        while not self._stop.is_set():
            if hints.wait(0.5):
                self._inbox.wake()

    def _loop(self) -> None:
        retry_s = RETRY_S[0]
        next_beat = next_look = next_forget = time.monotonic()
        wall = WallClock(self._clock)
        with self._engine.connect() as conn:
            while not self._stop.is_set():
                self._watchdog.tick("commit")
                now_mono = time.monotonic()
                due_in = self._timer_in()
                wait_s = max(0.0, min(next_beat - now_mono, next_look - now_mono, due_in))
                woken = self._inbox.wait(wait_s)
                events, words = self._inbox.take(BATCH)
                now_mono = time.monotonic()
                look = woken or now_mono >= next_look
                jump = wall.jump() if look else None
                try:
                    if events or words or look or self._sent or self._timer_in() <= 0:
                        self._transact(conn, events, words, look, jump, now_mono >= next_forget)
                except _UNAVAILABLE as error:
                    # Nothing was acknowledged or receipted; the same again once the disk is well.
                    self._inbox.put_back(events, words)
                    wall.undo(jump)
                    if self._healthy:
                        log.error("The database cannot be written: %s. No receipts until it can.", error)
                    self._healthy = False
                    self._stop.wait(retry_s)
                    retry_s = min(retry_s * 2, RETRY_S[1])
                    continue
                if not self._healthy:
                    log.warning("The database can be written again.")
                self._healthy, retry_s = True, RETRY_S[0]
                now_mono = time.monotonic()
                if look:
                    next_look = now_mono + LOOK_S
                if now_mono >= next_forget:
                    next_forget = now_mono + FORGET_S
                if now_mono >= next_beat:
                    self._send_beat()
                    next_beat = now_mono + BEAT_S
                if self._inbox.backlog:
                    self._inbox.pause(PAUSE_S)

    def _timer_in(self) -> float:
        """Seconds until the next timer, as far as this process knows."""
        if self._next_timer is None:
            return LOOK_S
        return (self._next_timer - self._clock()).total_seconds()

    def _transact(
        self,
        conn: sa.Connection,
        events: list[Waiting],
        words: list[object],
        look: bool,
        jump: timedelta | None,
        forget: bool,
    ) -> None:
        """One commit, and after it everything that may only follow a commit."""
        now = self._clock()
        telling = Telling(self._store)
        try:
            with conn.begin():
                receipts = self._work(conn, telling, events, words, look, jump, forget, now)
                cursor, claimed = telling.flush(conn, now, self._name)
                if look:
                    claimed += outgoing.claim(conn, self._store, self._name, now)
                outgoing.mark_sent(conn, self._sent, now)
                self._next_timer = timers.next_due(conn, self._store)
        except _UNAVAILABLE:
            self._devices.forget()
            raise
        except Exception:
            # A bug must not stop the line: the events that trigger it are set aside one by one.
            self._devices.forget()
            if not events:
                raise
            log.exception("A batch of %d events could not be handled; trying them one by one.", len(events))
            self._one_by_one(conn, events, words)
            return
        self._sent = []
        if cursor is not None:
            self._main.publish(topics.feed(self._store), codec.encode(FeedCursor(cursor)), qos=0)
        for message in claimed:
            mid = self._main.publish(message.topic, message.payload, expiry_s=message.expiry_s)
            if mid is not None:
                self._sent.append(message.id)
        for device, receipt in receipts.items():
            self._send_receipts(device, receipt)
        for waiting in events:
            waiting.session.acknowledge(waiting.arrival)

    def _work(
        self,
        conn: sa.Connection,
        telling: Telling,
        events: list[Waiting],
        words: list[object],
        look: bool,
        jump: timedelta | None,
        forget: bool,
        now: datetime,
    ) -> dict[str, Receipts]:
        """Everything inside the transaction, security first."""
        if jump is not None:
            log.warning("The server's clock jumped by %s; all timers move with it.", jump)
            timers.shift(conn, self._store, jump)
        if not self._devices.origins or look:
            self._devices.read(conn)
        intake = Intake(conn, self._store, self._config.policy, self._devices.origins, telling, now)
        if events:
            intake.take([(w.arrival.topic, w.arrival.payload) for w in events])
        read_floor = escalating.floor_of(conn, self._store)
        for request, kind, due in timers.due(conn, self._store, now):
            self._fire(conn, telling, request, kind, due, read_floor, now)
        for word in words:
            self._hear(conn, telling, word, now)
        if forget:
            feed.forget(conn, self._store, now)
            outgoing.forget(conn, self._store, now)
        return intake.receipts

    def _fire(
        self,
        conn: sa.Connection,
        telling: Telling,
        request: str,
        kind: timers.Timer,
        due: datetime,
        read_floor: escalating.ReadFloor,
        now: datetime,
    ) -> None:
        """One timer in a savepoint: a bug in one request must not keep the others waiting."""
        said = len(telling.news), len(telling.messages)
        try:
            with conn.begin_nested():
                escalating.fire(conn, telling, self._config.policy, request, kind, due, read_floor, now)
        except _UNAVAILABLE:
            raise
        except Exception:
            log.exception("The timer %s of request %s failed; it is tried again.", kind, request)
            del telling.news[said[0] :], telling.messages[said[1] :]
            timers.set_due(conn, self._store, request, kind, now + timedelta(seconds=5))

    def _one_by_one(self, conn: sa.Connection, events: list[Waiting], words: list[object]) -> None:
        for waiting in events:
            telling = Telling(self._store)
            now = self._clock()
            try:
                with conn.begin():
                    receipts = self._work(conn, telling, [waiting], [], False, None, False, now)
                    telling.flush(conn, now)
            except _UNAVAILABLE:
                raise
            except Exception:
                log.exception("This event is set aside: %s", waiting.arrival.topic)
                with conn.begin():
                    receipts = self._set_aside(conn, waiting, now)
            for device, receipt in receipts.items():
                self._send_receipts(device, receipt)
            waiting.session.acknowledge(waiting.arrival)
        self._inbox.put_back([], words)

    def _set_aside(self, conn: sa.Connection, waiting: Waiting, now: datetime) -> dict[str, Receipts]:
        telling = Telling(self._store)
        intake = Intake(conn, self._store, self._config.policy, self._devices.origins, telling, now)
        intake.set_aside(
            waiting.arrival.topic, waiting.arrival.payload, "The server could not handle this event."
        )
        telling.flush(conn, now)
        return intake.receipts

    def _hear(self, conn: sa.Connection, telling: Telling, word: object, now: datetime) -> None:
        if isinstance(word, _Link):
            self._link(word)
        elif isinstance(word, Word):
            try:
                if word.arrival.topic == topics.edge_state(self._store):
                    self._own_state(word.arrival)
                else:
                    self._devices.hear(conn, telling, word, now)
            except ContractError as error:
                log.warning("%s: %s", word.arrival.topic, error.reason)

    def _link(self, link: _Link) -> None:
        if link.up:
            log.info("%s is connected.", link.session)
        else:
            log.warning("%s: %s", link.session, link.reason)
        if link.up and link.session == self._main.name:
            self._say_online()
            # Messages that found no connection are claimed again when their lease ends.
            self._send_beat()
            self._inbox.wake()

    def _own_state(self, arrival: Arrival) -> None:
        if codec.decode(arrival.payload, EdgeState).status == "offline":
            # The will of a predecessor that hung: it would stand for ever.
            self._say_online()

    def _say_online(self) -> None:
        state = codec.encode(EdgeState("online", self._clock()))
        self._main.publish(topics.edge_state(self._store), state, retain=True)

    def _send_receipts(self, device: str, receipts: Receipts) -> None:
        topic = of_device(self._store, device, Channel.RECEIPT)
        for outbox, seqs in receipts.seqs.items():
            self._main.publish(topic, codec.encode(Receipt(outbox=outbox, seqs=seqs)))
        if receipts.ids or receipts.refused:
            self._main.publish(topic, codec.encode(Receipt(ids=receipts.ids, refused=receipts.refused)))

    def _send_beat(self) -> None:
        self._beat += 1
        self._main.publish(topics.edge_heartbeat(self._store), codec.encode(EdgeHeartbeat(self._beat)), qos=0)
