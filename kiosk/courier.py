"""The thread that carries: events to the store, receipts, calls and commands back.

What is sent when is decided in kiosk.flight. paho's callbacks only enqueue here.
"""

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from broker import codec, topics
from broker.errors import ContractError
from broker.messages import (
    Call,
    Capture,
    DeviceState,
    Drill,
    EdgeHeartbeat,
    EdgeState,
    Heartbeat,
    Identify,
    Receipt,
    Replay,
    Revert,
    Update,
    Upload,
)
from broker.session import Accepted, Arrival, Connected, Delivery, Disconnected, Session
from broker.tls import Credentials
from broker.topics import Channel
from broker.witness import HEAD_MARK
from kiosk import VERSION
from kiosk.clock import Clocks
from kiosk.config import Config
from kiosk.flight import Flight, Link
from kiosk.jobs import Job, NotSaved, Receive, Refill, Refilled, ReplayFrom, Report, Saved
from kiosk.keeper.trial import Way
from kiosk.outbox import OpenEvent, id_of

log = logging.getLogger(__name__)

HEARTBEAT_S = 5.0
EDGE_SILENT_S = 6.0
GRACE_S = 4.0  # after the start, before it is said that the store cannot be reached
ASK_AGAIN_S = 1.0
HURRY_S = 2.0  # between two connections that are made at once because security waits for one
TAKEN_OVER_S = 300.0
CARRIED = 512  # events in memory; the rest stays in the outbox until there is room
LOW = 64


@dataclass(frozen=True)
class Answered:
    """The server's word on these events of ours."""

    receipted: tuple[UUID, ...]
    refused: tuple[tuple[UUID, str], ...]


@dataclass(frozen=True)
class Reachable:
    """Whether the store answers."""

    reachable: bool


@dataclass(frozen=True)
class Say:
    """A message of ours that is no event and waits for nothing."""

    channel: Channel
    payload: bytes


News = Answered | Reachable | Call | Identify | Drill | Capture | Upload | Update | Revert


class Courier:
    """See the module. `tell`, and `witness` with each head of the custody log, are called from the courier's
    thread and must only enqueue."""

    def __init__(
        self,
        config: Config,
        clocks: Clocks,
        heartbeat: Callable[[], Heartbeat],
        store: Callable[[Job], None],
        tell: Callable[[News], None],
        tick: Callable[[], None] = lambda: None,
        witness: Callable[[bytes], None] = lambda payload: None,
    ) -> None:
        self._clocks = clocks
        self._witness = witness
        self._heartbeat = heartbeat
        self._store = store
        self._tell = tell
        self._tick = tick
        self._names = (config.store, config.device)
        self._has_camera = config.camera is not None
        self._updates = config.update is not None
        self._inbox: queue.SimpleQueue[Delivery | Report | Say | None] = queue.SimpleQueue()
        self._flight = Flight()
        self._carried: dict[UUID, OpenEvent] = {}
        self._answered: set[UUID] = set()  # since the outbox was last asked, which may not know it yet
        self._more, self._asked_s = True, float("-inf")
        self._connected = False
        self._hurried_s = float("-inf")
        self._edge_online = False
        self._edge_heard_s = float("-inf")
        self._started_s = clocks.now()
        self._beat_s = float("-inf")
        self._told = True
        self._said: str | None = None
        self._offline_mid: int | None = None
        self._offline = threading.Event()
        self._taken_over_s = float("-inf")
        self.failed: BaseException | None = None
        self._session = Session(
            config.device,
            config.broker.host,
            config.broker.port,
            Credentials.in_directory(config.identity),
            self._inbox.put,
            subscriptions=[
                (self._topic(Channel.RECEIPT), 1),
                (self._topic(Channel.CALL), 1),
                (self._topic(Channel.COMMAND), 1),
                (self._topic(Channel.WITNESS), 1),
                (topics.edge_state(config.store), 1),
                (topics.edge_heartbeat(config.store), 0),
            ],
            will=(
                self._topic(Channel.STATE),
                codec.encode(DeviceState(status="offline", boot=clocks.boot)),
            ),
            check_time=False,
        )
        self._thread = threading.Thread(target=self._run, name="courier", daemon=True)

    @property
    def taken_over(self) -> bool:
        """Whether another program with this identity was seen in the last minutes."""
        return self._clocks.now() - self._taken_over_s < TAKEN_OVER_S

    @property
    def way(self) -> Way:
        """How far this kiosk reaches at this moment. From any thread."""
        if not self._connected:
            return Way.DOWN
        return Way.OPEN if self._reachable(self._clocks.now()) else Way.HELD

    def start(self) -> None:
        self._session.start()
        self._thread.start()

    def put(self, report: Report) -> None:
        """What the storing thread reports."""
        self._inbox.put(report)

    def say(self, said: Say) -> None:
        """Send this now if there is a connection; else nobody misses it."""
        self._inbox.put(said)

    def renew(self) -> None:
        """The files of the identity are others now: connect anew with them. From any thread."""
        self._session.drop()

    def close(self, timeout_s: float = 1.5) -> None:
        """Say offline, disconnect, end. May be called twice."""
        if self._thread.is_alive():
            self._inbox.put(None)
            self._offline.wait(timeout_s / 2)
        self._session.stop(timeout_s)
        if self._thread.is_alive():
            self._inbox.put(None)
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while self._turn():
                pass
        except BaseException as error:
            log.exception("The courier ended.")
            self.failed = error

    def _turn(self) -> bool:
        try:
            item = self._inbox.get(timeout=self._pause_s())
            while True:
                if item is not None:
                    self._handle(item)
                elif self._offline_mid is not None or not self._connected:
                    self._offline.set()
                    return False
                else:
                    self._say_state("offline")
                item = self._inbox.get_nowait()
        except queue.Empty:
            pass
        self._tick()
        now_s = self._clocks.now()
        self._tell_reachable(now_s)
        if self._offline_mid is None:
            self._send(now_s)
        return True

    def _pause_s(self) -> float:
        now_s = self._clocks.now()
        times = [now_s + HEARTBEAT_S]
        if self._connected:
            times += [self._beat_s + HEARTBEAT_S, self._edge_heard_s + EDGE_SILENT_S]
            if (next_s := self._flight.next_s(bool(self._carried), now_s)) is not None:
                times.append(next_s)
            if self._more and len(self._carried) < LOW:
                times.append(self._asked_s + ASK_AGAIN_S)
        else:
            if self._told:
                times.append(self._started_s + GRACE_S)
            if self._security_waits():
                times.append(self._hurried_s + HURRY_S)
        return min(at for at in times if at > now_s) - now_s

    def _send(self, now_s: float) -> None:
        if not self._connected:
            if now_s - self._hurried_s >= HURRY_S and self._security_waits():
                self._hurried_s = now_s
                self._session.hurry()
            return
        if now_s - self._beat_s >= HEARTBEAT_S:
            self._beat_s = now_s
            self._session.publish(self._topic(Channel.HEARTBEAT), codec.encode(self._heartbeat()), qos=0)
        for waiting in self._flight.due(self._carried.values(), now_s):
            event = self._carried[waiting.id]
            topic = topics.event(*self._names, event.kind)
            if self._session.publish(topic, event.payload) is None:
                return
            self._flight.sent(event, now_s)
        if self._more and len(self._carried) < LOW and now_s - self._asked_s >= ASK_AGAIN_S:
            self._asked_s = now_s
            self._answered.clear()
            self._store(Refill())

    def _security_waits(self) -> bool:
        return any(event.kind == "security" for event in self._carried.values())

    def _handle(self, item: Delivery | Report | Say) -> None:
        match item:
            case Say(channel, payload):
                if self._connected:
                    self._session.publish(self._topic(channel), payload)
            case Connected():
                self._on_connected()
            case Disconnected(reason, taken_over):
                self._connected = self._edge_online = False
                if taken_over:
                    self._taken_over_s = self._clocks.now()
                self._flight.link(Link.DOWN)
                self._log_once(reason)
                if self._offline_mid is not None:
                    self._offline.set()
            case Arrival():
                self._on_arrival(item)
            case Accepted(mid, refused):
                if refused is not None:
                    self._log_once(f"The broker refused a message of this kiosk: {refused}.")
                if mid == self._offline_mid:
                    self._offline.set()
            case Saved(event, first):
                if first or event.id in self._carried:
                    self._carry(event)
            case NotSaved(event):
                self._carry(event)
            case Refilled(events, more):
                self._more = more
                known = self._carried.keys() | self._answered
                fresh = [event for event in events if event.id not in known]
                self._carried.update((event.id, event) for event in fresh)
                if fresh:  # otherwise it is asked again after a while
                    self._asked_s = float("-inf")

    def _on_connected(self) -> None:
        log.info("Connected to the broker.")
        self._said = None
        self._connected, self._edge_online = True, False
        self._edge_heard_s = float("-inf")
        if self._offline_mid is None:
            self._say_state("online")
        self._beat_s = float("-inf")
        self._flight.link(Link.HELD, anew=True)

    def _say_state(self, status: Literal["online", "offline"]) -> None:
        state = DeviceState(
            status=status,
            boot=self._clocks.boot,
            monotonic_ms=self._clocks.monotonic_ms(),
            version=VERSION,
            at=self._clocks.wall(),
            updates=self._updates,
        )
        mid = self._session.publish(self._topic(Channel.STATE), codec.encode(state), retain=True)
        if status == "offline":
            self._offline_mid = -1 if mid is None else mid
            if mid is None:
                self._offline.set()

    def _on_arrival(self, arrival: Arrival) -> None:
        now_s = self._clocks.now()
        try:
            if arrival.topic == topics.edge_state(self._names[0]):
                self._edge_online = codec.decode(arrival.payload, EdgeState).status == "online"
                self._edge_heard_s = now_s
                if not self._edge_online and self._connected:
                    # At once: it may be online again in the same turn, and what was sent to it is gone.
                    self._flight.link(Link.HELD)
            elif arrival.topic == topics.edge_heartbeat(self._names[0]):
                codec.decode(arrival.payload, EdgeHeartbeat)
                self._edge_heard_s = now_s
            elif not arrival.retained:  # nothing else is ever retained: a kept call or command is not meant
                self._on_message(topics.parse(arrival.topic).channel, arrival.payload, now_s)
        except ContractError as error:
            log.warning("A message on %s was ignored: %s", arrival.topic, error.reason)

    def _on_message(self, channel: Channel, payload: bytes, now_s: float) -> None:
        if channel is Channel.RECEIPT:
            self._on_receipt(codec.decode(payload, Receipt), now_s)
        elif channel is Channel.CALL:
            self._tell(codec.decode(payload, Call))
        elif channel is Channel.WITNESS:
            # We write there too; our own words come back.
            if HEAD_MARK in payload[:40]:
                self._witness(payload)
        elif channel is Channel.COMMAND:
            command = codec.decode_command(payload)
            if (
                isinstance(command, Identify | Drill)
                or (self._has_camera and isinstance(command, Capture | Upload))
                or (self._updates and isinstance(command, Update | Revert))
            ):
                self._tell(command)
            elif isinstance(command, Replay):
                self._answered.clear()
                self._store(ReplayFrom(command.outbox, command.from_seq))
            else:
                log.warning("The command %s is not for this kiosk.", type(command).__name__.lower())

    def _on_receipt(self, receipt: Receipt, now_s: float) -> None:
        self._store(Receive(receipt))
        by_seq = {
            event.seq: event_id
            for event_id, event in self._carried.items()
            if event.seq is not None and event.outbox == receipt.outbox
        }
        receipted = [by_seq[seq] for seq in receipt.seqs if seq in by_seq] + list(receipt.ids)
        refused: list[tuple[UUID, str]] = []
        for refusal in receipt.refused:
            log.error("The store refused an event of this kiosk: %s", refusal.reason)
            event_id = id_of(refusal.id) or (by_seq.get(refusal.seq) if refusal.seq is not None else None)
            if event_id is not None:
                refused.append((event_id, refusal.reason))
        answered = [*receipted, *(event_id for event_id, _ in refused)]
        self._flight.answered([event_id for event_id in answered if event_id in self._carried], now_s)
        for event_id in answered:
            self._carried.pop(event_id, None)
        if self._more:
            self._answered.update(answered)
        self._tell(Answered(tuple(receipted), tuple(refused)))

    def _carry(self, event: OpenEvent) -> None:
        self._carried[event.id] = event
        if len(self._carried) <= CARRIED:
            return
        # Numbered events are in the outbox, so the middle of a long backlog need not be in memory too.
        numbered = [e for e in self._carried.values() if e.seq is not None and e.kind != "security"]
        numbered.sort(key=lambda e: e.seq or 0)
        dropped = numbered[LOW : len(numbered) - LOW]
        for old in dropped:
            del self._carried[old.id]
        self._flight.forget([old.id for old in dropped])
        self._more = self._more or bool(dropped)

    def _reachable(self, now_s: float) -> bool:
        heard = now_s - self._edge_heard_s < EDGE_SILENT_S
        return self._connected and self._edge_online and heard

    def _tell_reachable(self, now_s: float) -> None:
        reachable = self._reachable(now_s)
        if self._connected:
            self._flight.link(Link.OPEN if reachable else Link.HELD)
        if reachable != self._told and (reachable or now_s - self._started_s >= GRACE_S):
            self._told = reachable
            self._log_once("The store answers." if reachable else "The store does not answer.")
            self._tell(Reachable(reachable))

    def _log_once(self, sentence: str) -> None:
        if sentence != self._said:
            log.info("%s", sentence)
            self._said = sentence

    def _topic(self, channel: Channel) -> str:
        return topics.of_device(*self._names, channel)
