"""The worker: the one loop that takes events in, fires timers and sends what leaves the server.

The loop thread is the process's only writer. It commits, and only then acknowledges, receipts and sends.
Threads of paho and of the hint socket do nothing but put into the inbox.
"""

import gc
import logging
import os
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime

from broker import codec, revocation, topics
from broker.messages import EdgeState
from broker.session import Accepted, Arrival, Connected, Delivery, Disconnected, Session
from broker.tls import Credentials
from broker.watchdog import Watchdog, notify
from broker.witness import HEAD_MARK
from edge.clock import utc_now
from edge.config import EdgeConfig
from edge.db.checkpoint import Checkpoints
from edge.db.engine import check_version, connect
from edge.hint import HintListener
from edge.ingest.inbox import URGENT, Inbox, Waiting
from edge.tls import of_own_pages
from edge.worker.chores import Chores
from edge.worker.commits import UNAVAILABLE, Batch, Commits, Link
from edge.worker.devices import Word
from edge.worker.lock import take_lock
from edge.worker.own import Own
from edge.worker.responder import Responder
from edge.worker.sender import Sender
from edge.worker.wallclock import WallClock

log = logging.getLogger(__name__)

BEAT_S = 2.0
LOOK_S = 1.0
# As many events as share an fsync, and the time between two such batches in which a tap gets the write lock.
BATCH, PAUSE_S = 64, 0.001
# While people act, and a second longer, a backlog makes way for them: smaller batches, longer pauses.
BATCH_BESIDE_PEOPLE, PAUSE_BESIDE_PEOPLE_S, PEOPLE_S = 16, 0.012, 1.0
RETRY_S = (0.2, 2.0)
# Two batches on their way: more would only keep the thread that receives busy beside the one that commits.
RECEIVE_MAXIMUM = 128
FORGET_S = 600.0
# How often the words of what is new are written for the log's search, and how often while many wait.
WORDS_S, MANY_WORDS_S = 1.0, 0.03
# A kiosk that falls silent is to be told of within 20 s.
SUPERVISE_S = 2.0
# Each statement lets go of the interpreter. Beside a busy thread a press took 96 ms to commit with Python's
# own 5 ms, 12 ms with 0.5 and 6 ms with 0.1; alone 2.4 ms.
SWITCH_S = 0.0001


class Worker:
    """See the module. `run` returns after `stop`; it raises StorageError if it may not start at all."""

    def __init__(self, config: EdgeConfig, clock: Callable[[], datetime] = utc_now) -> None:
        self._config, self._store, self._clock = config, config.store, clock
        self._name = f"worker-{os.getpid()}"
        self._inbox = Inbox()
        self._stop = threading.Event()
        self._engine = connect(config.database_url, write=True)
        self._reading = connect(config.database_url, write=False)
        self._healthy = True
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
                # The server's own state with the devices': asked for twice, it would come twice.
                (f"{base}/+/state", 1),
                (f"{base}/+/heartbeat", 0),
                (f"{base}/+/witness", 1),
                (topics.event(self._store, "+", "+"), 1),
            ],
            will=(topics.edge_state(self._store), codec.encode(EdgeState("offline"))),
            **common,  # type: ignore[arg-type]
        )
        self._sender = Sender(self._store, self._main, clock)
        self._responder = Responder(config.web.host, config.web.port, clock, lambda: of_own_pages(config))
        own = Own.of(config, clock())
        self._commits = Commits(
            self._store,
            config.policy,
            self._name,
            self._sender,
            self._inbox.wake,
            clock,
            self._inbox.urgent,
            config.greeter,
            config.vault.url,
            own,
            config.drill,
            self._responder,
            lambda names: revocation.turn_away(config.identity_path, names),
            config.update.between,
        )
        self._chores = Chores(
            self._store, self._name, self._sender, clock, self._inbox.urgent, own, config.retention
        )
        # Its own connection: in a shared one a security request waits behind a whole backlog (DESIGN 4).
        self._security = Session(
            "edge-security",
            config.broker.host,
            config.broker.port,
            credentials,
            lambda delivery: self._deliver(self._security, delivery),
            subscriptions=[(topics.event(self._store, "+", kind), 1) for kind in URGENT],
            **common,  # type: ignore[arg-type]
        )

    def stop(self) -> None:
        self._stop.set()
        self._inbox.wake()

    def run(self) -> None:
        check_version(self._engine)
        sys.setswitchinterval(SWITCH_S)
        # What is there now stays: collections need not look through it.
        gc.freeze()
        lock = take_lock(self._config)
        hints = HintListener(self._config.hint_path)
        listener = threading.Thread(target=self._listen, args=(hints,), name="hints", daemon=True)
        listener.start()
        self._main.start()
        self._security.start()
        self._watchdog.start()
        checkpoints = Checkpoints(self._config.database_url)
        checkpoints.start()
        notify("READY=1")
        try:
            self._loop()
        finally:
            self._responder.close()
            self._sender.offline()
            self._main.stop()
            self._security.stop()
            self._watchdog.stop()
            checkpoints.stop()
            listener.join(2)
            hints.close()
            self._engine.dispose()
            self._reading.dispose()
            lock.close()

    def _deliver(self, session: Session, delivery: Delivery) -> None:
        """Runs in paho's threads: only enqueues."""
        match delivery:
            case Arrival() if session is self._main and self._comes_alone(delivery.topic):
                session.acknowledge(delivery)
            case Arrival() if HEAD_MARK in delivery.payload[:40] and delivery.topic.endswith("/witness"):
                # What we said ourselves.
                session.acknowledge(delivery)
            case Arrival() if "/event/" in delivery.topic:
                self._inbox.put_event(Waiting(session, delivery))
            case Arrival() if delivery.topic == topics.edge_heartbeat(self._store):
                session.acknowledge(delivery)
            case Arrival():
                self._inbox.put_word(delivery.topic, Word(delivery, self._clock()))
                session.acknowledge(delivery)
            case Connected():
                self._inbox.put_word(session, Link(session.name, session is self._main, True))
            case Disconnected():
                if session is self._main:
                    self._sender.lost()
                self._inbox.put_word(
                    session, Link(session.name, session is self._main, False, delivery.reason)
                )
            case Accepted() if session is self._main:
                self._sender.accepted(delivery)

    def _comes_alone(self, topic: str) -> bool:
        """A security request or a pager's answer, which also comes on a connection of its own while that one
        is there."""
        return topic.rpartition("/event/")[2] in URGENT and self._security.connected

    def _listen(self, hints: HintListener) -> None:
        while not self._stop.is_set():
            if hints.wait(0.5):
                self._inbox.wake()

    def _loop(self) -> None:
        retry_s = RETRY_S[0]
        next_beat = next_look = next_ask = next_forget = next_words = next_supervise = time.monotonic()
        people_until = 0.0
        wall = WallClock(self._clock)
        with self._engine.connect() as conn, self._reading.connect() as reading:
            while not self._stop.is_set():
                self._watchdog.tick("commit")
                now_mono = time.monotonic()
                due_in = self._timer_in()
                wait_s = max(
                    0.0, min(next_beat - now_mono, next_look - now_mono, next_words - now_mono, due_in)
                )
                woken = self._inbox.wait(wait_s)
                if woken or self._inbox.urgent():
                    people_until = time.monotonic() + PEOPLE_S
                people = time.monotonic() < people_until
                events, words = self._inbox.take(BATCH_BESIDE_PEOPLE if people else BATCH)
                now_mono = time.monotonic()
                look = woken or now_mono >= next_look or self._timer_in() <= 0
                # Not at every hint: each clip that is sealed gives one.
                ask = look and now_mono >= next_ask
                forget, jump = now_mono >= next_forget, wall.jump()
                batch = Batch(events, words, look or jump is not None, forget, jump, ask)
                try:
                    if events or words or batch.look:
                        self._commits.take(conn, batch)
                except UNAVAILABLE as error:
                    # Nothing of it was acknowledged or receipted; the same again once the disk is well.
                    self._inbox.put_back(batch.events, batch.words)
                    wall.undo(batch.jump)
                    if self._healthy:
                        log.error("The database cannot be written: %s. No receipts until it can.", error)
                    self._healthy = False
                    self._stop.wait(retry_s)
                    retry_s = min(retry_s * 2, RETRY_S[1])
                    continue
                self._inbox.put_back(batch.left, {})
                if not self._healthy:
                    log.warning("The database can be written again.")
                self._healthy, retry_s = True, RETRY_S[0]
                now_mono = time.monotonic()
                if look:
                    next_look = now_mono + LOOK_S
                if ask:
                    next_ask = now_mono + LOOK_S
                elif any(waiting.clip for waiting in batch.events) and not self._inbox.backlog:
                    # Its ticket goes out at once.
                    next_look = next_ask = now_mono
                if forget:
                    next_forget = now_mono + FORGET_S
                if now_mono >= next_beat:
                    self._sender.beat()
                    next_beat = now_mono + BEAT_S
                if now_mono >= next_supervise and not self._inbox.urgent():
                    self._chores.supervise(conn, reading)
                    next_supervise = now_mono + SUPERVISE_S
                if now_mono >= next_words and not self._inbox.backlog and not self._inbox.urgent():
                    many = self._chores.open_incidents(conn)
                    many = self._chores.judge(conn) or many
                    many = self._chores.index(conn) or many
                    next_words = time.monotonic() + (MANY_WORDS_S if many else WORDS_S)
                if self._inbox.backlog:
                    self._inbox.pause(PAUSE_BESIDE_PEOPLE_S if people else PAUSE_S)

    def _timer_in(self) -> float:
        """Seconds until the next timer that was there at the last look; a look follows within LOOK_S."""
        due_at = self._commits.next_timer
        return LOOK_S if due_at is None else (due_at - self._clock()).total_seconds()
