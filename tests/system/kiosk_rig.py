"""A whole kiosk on mock pins in a thread, and a fake store server that speaks the real protocol."""

import queue
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import msgspec

from broker import codec, topics
from broker.events import Event
from broker.messages import (
    Call,
    DeviceState,
    EdgeHeartbeat,
    EdgeState,
    Heartbeat,
    Receipt,
    Refusal,
)
from broker.session import Arrival, Connected, Delivery, Disconnected, Session
from broker.tls import Credentials
from broker.topics import Channel
from kiosk import program
from kiosk.config import Broker, Button, Buzzer, Config, Lamp, Outbox
from kiosk.display import Display, State
from kiosk.pins import mock_factory

STORE = "shop"
# An alarm; how long something takes is measured where it matters.
PATIENCE_S = 60.0
HELP, TILL, CANCEL, HERE, SECURITY, LAMP, BUZZER, RELAY, PULSE = 17, 27, 22, 5, 26, 18, 25, 12, 16


def until(what: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """What `what` returns once it is true."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if found := what():
            return found
        time.sleep(0.005)
    raise AssertionError("it did not happen in time")


def settings(identity: Path, port: int, outbox: Path, device: str = "kiosk-1", **more: Any) -> Config:
    config = Config(
        store=STORE,
        device=device,
        zone="menswear",
        broker=Broker("127.0.0.1", str(identity), port),
        outbox=Outbox(str(outbox)),
        button=[
            Button("find", "help", HELP, "find-item"),
            Button("till", "help", TILL, "till"),
            Button("cancel", "cancel", CANCEL),
            Button("here", "attend", HERE),
            Button("guard", "security", SECURITY, hold_s=0.5),
        ],
        lamp=Lamp(pin=LAMP),
        buzzer=Buzzer(BUZZER),
    )
    return msgspec.structs.replace(config, **more)


class RunningKiosk:
    """kiosk.program.run in a thread, on gpiozero's mock pins or what `factory` gives."""

    def __init__(self, config: Config, factory: Any = None) -> None:
        self.factory = mock_factory() if factory is None else factory
        self.shown: list[tuple[float, Display]] = []
        self.stop = threading.Event()
        self.status: int | None = None
        self.error: BaseException | None = None
        self._config = config
        self._thread = threading.Thread(target=self._run, name="kiosk-under-test", daemon=True)
        self._thread.start()
        until(lambda: self.shown or self.error)

    @property
    def states(self) -> list[State]:
        return [display.state for _, display in self.shown]

    @property
    def display(self) -> Display:
        return self.shown[-1][1]

    def press(self, pin: int, seconds: float = 0.05) -> float:
        at_s = time.monotonic()
        self.factory.pin(pin).drive_low()
        time.sleep(seconds)
        self.factory.pin(pin).drive_high()
        return at_s

    def shows(self, state: State, text: str | None = None) -> Display:
        return until(
            lambda: next(
                (d for _, d in reversed(self.shown) if d.state is state and text in (None, d.text)), None
            )
        )

    def close(self) -> None:
        self.stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.status = program.run(
                self._config, self.factory, self.stop, lambda d: self.shown.append((time.monotonic(), d))
            )
        except BaseException as error:
            self.error = error


class FakeServer:
    """Receipts what it has 'committed', and says what a test tells it to."""

    def __init__(self, store: Path, port: int, *, receipts: bool = True, online: bool = True) -> None:
        self.receipts = receipts
        self.events: dict[UUID, Event] = {}
        self.arrivals: list[Event] = []
        self.states: list[DeviceState] = []
        self.heartbeats: list[Heartbeat] = []
        self.refuse: str | None = None
        self._online = online
        self._inbox: queue.SimpleQueue[Delivery | None] = queue.SimpleQueue()
        self._beat = 0
        self._connected = threading.Event()
        filters = [
            f"{topics.ROOT}/{STORE}/+/event/+",
            topics.of_device(STORE, "+", Channel.STATE),
            topics.of_device(STORE, "+", Channel.HEARTBEAT),
        ]
        self._session = Session(
            "edge-worker",
            "127.0.0.1",
            port,
            Credentials.in_directory(store / "edge-worker"),
            self._inbox.put,
            subscriptions=[(topic, 1) for topic in filters],
            will=(topics.edge_state(STORE), codec.encode(EdgeState("offline"))),
        )
        self._session.start()
        self._thread = threading.Thread(target=self._run, name="fake-server", daemon=True)
        self._thread.start()
        assert self._connected.wait(PATIENCE_S)

    def online(self, yes: bool) -> None:
        self._online = yes
        state = EdgeState("online" if yes else "offline")
        self._session.publish(topics.edge_state(STORE), codec.encode(state), retain=True)
        if yes:
            self._heartbeat()

    def of_kind(self, kind: str) -> list[Event]:
        return [event for event in list(self.events.values()) if event.kind == kind]

    def receipt(self, event: Event) -> None:
        if event.outbox is None:
            receipt = Receipt(ids=[event.id])
        else:
            receipt = Receipt(outbox=event.outbox, seqs=[event.seq or 0])
        self._say(event.device, Channel.RECEIPT, receipt)

    def call(self, device: str, call: Call) -> None:
        self._say(device, Channel.CALL, call)

    def command(self, device: str, command: msgspec.Struct) -> None:
        self._say(device, Channel.COMMAND, command)

    def raw(self, device: str, channel: Channel, payload: bytes) -> None:
        """Bytes that may be anything."""
        self._session.publish(topics.of_device(STORE, device, channel), payload)

    def close(self) -> None:
        self._inbox.put(None)
        self._thread.join(5)
        self._session.stop()

    def _say(self, device: str, channel: Channel, message: msgspec.Struct) -> None:
        self._session.publish(topics.of_device(STORE, device, channel), codec.encode(message))

    def _heartbeat(self) -> None:
        self._beat += 1
        self._session.publish(topics.edge_heartbeat(STORE), codec.encode(EdgeHeartbeat(self._beat)), qos=0)

    def _run(self) -> None:
        beaten_s = 0.0
        while True:
            try:
                item = self._inbox.get(timeout=0.2)
            except queue.Empty:
                item = Disconnected("nothing came")
            if item is None:
                return
            if isinstance(item, Connected):
                self._connected.set()
                self.online(self._online)
            elif isinstance(item, Arrival):
                self._on_arrival(item)
            if self._online and time.monotonic() - beaten_s > 2:
                beaten_s = time.monotonic()
                self._heartbeat()

    def _on_arrival(self, arrival: Arrival) -> None:
        if "/edge/" in arrival.topic:
            return  # the server's own words, which '+' matches too
        if arrival.topic.endswith("/state"):
            self.states.append(codec.decode(arrival.payload, DeviceState))
        elif arrival.topic.endswith("/heartbeat"):
            self.heartbeats.append(codec.decode(arrival.payload, Heartbeat))
        else:
            event = codec.decode_event(STORE, arrival.topic, arrival.payload)
            self.arrivals.append(event)
            if self.refuse is not None:
                refusal = Refusal(self.refuse, seq=event.seq)
                self._say(event.device, Channel.RECEIPT, Receipt(outbox=event.outbox, refused=[refusal]))
                return
            known = self.events.get(event.id)
            assert known is None or codec.same_content(known.payload, event.payload)
            if self.receipts:
                self.events[event.id] = event
                self.receipt(event)


def a_call(request: UUID | None = None, **more: Any) -> Call:
    values: dict[str, Any] = {
        "request": request or uuid4(),
        "revision": 1,
        "state": "raised",
        "text": "paging.best",
        "reference": "K7F-2QD",
        "valid_s": 30,
    }
    values.update(more)
    return msgspec.convert(values, Call)
