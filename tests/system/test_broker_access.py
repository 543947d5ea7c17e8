"""What a device may do at a real Mosquitto, and what it is refused."""

import datetime as dt
import os
import queue
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from broker import identity, mosquitto, topics
from broker.session import Accepted, Arrival, Connected, Delivery, Disconnected, Session
from broker.tls import Credentials
from broker.topics import Channel

pytestmark = pytest.mark.system
STORE = "shop"
PATIENCE_S = 10.0


class Peer:
    """A session whose deliveries are read one by one."""

    def __init__(self, where: "Place", name: str, subscriptions: list[str] | None = None) -> None:
        self.arrived: queue.Queue[Delivery] = queue.Queue()
        self.session = Session(
            name,
            "127.0.0.1",
            where.port,
            Credentials.in_directory(where.directory / name),
            self.arrived.put,
            subscriptions=[(topic, 1) for topic in subscriptions or []],
        )
        self.session.start()

    def next(self, kind: type) -> Delivery:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            delivery = self.arrived.get(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(delivery, kind):
                return delivery

    def publish(self, topic: str, payload: bytes = b"{}") -> str | None:
        """The broker's reason for refusing it, or None."""
        mid = self.session.publish(topic, payload)
        while True:
            accepted = self.next(Accepted)
            assert isinstance(accepted, Accepted)
            if accepted.mid == mid:
                return accepted.refused


class Place:
    """A private broker with two devices, and its log."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        now = dt.datetime.now(dt.UTC)
        identity.make_store(directory, STORE, ["127.0.0.1"], now)
        for name in ("tills-1", "door-1"):
            request = identity.make_request(directory / name, name)
            pem, ca, _ = identity.sign_request(directory, request, name, now)
            identity.install_certificate(directory / name, pem, ca)
        self.port = mosquitto.free_port()
        self.log: list[str] = []
        self._grew = threading.Condition()
        self.broker = mosquitto.Broker(
            mosquitto.Settings(STORE, directory, port=self.port, user="root" if os.geteuid() == 0 else None),
            self._say,
        )
        self.broker.start()

    def _say(self, line: str) -> None:
        with self._grew:
            self.log.append(line)
            self._grew.notify_all()

    def logged(self, *parts: str, since: int = 0) -> bool:
        """Whether a line with all these parts is in the log, or comes soon."""

        def found() -> bool:
            return any(all(part in line for part in parts) for line in self.log[since:])

        with self._grew:
            return self._grew.wait_for(found, PATIENCE_S)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("place"))
    yield made
    made.broker.stop()


@pytest.fixture
def connect(place: Place) -> Iterator[Callable[..., Peer]]:
    peers: list[Peer] = []

    def connect(name: str, subscriptions: list[str] | None = None) -> Peer:
        peer = Peer(place, name, subscriptions)
        peers.append(peer)
        peer.next(Connected)
        return peer

    yield connect
    for peer in peers:
        peer.session.stop()


def test_a_device_writes_its_own_events_and_the_server_receives_them(
    connect: Callable[..., Peer],
) -> None:
    worker = connect("edge-worker", [topics.event(STORE, "+", "+")])
    device = connect("tills-1")
    topic = topics.event(STORE, "tills-1", "help")
    assert device.publish(topic, b'{"mine": true}') is None
    arrival = worker.next(Arrival)
    assert isinstance(arrival, Arrival) and (arrival.topic, arrival.payload) == (topic, b'{"mine": true}')


FOREIGN = [
    topics.event(STORE, "door-1", "help"),
    topics.of_device(STORE, "door-1", Channel.STATE),
    topics.of_device(STORE, "door-1", Channel.CALL),
    topics.of_device(STORE, "tills-1", Channel.RECEIPT),
    topics.of_device(STORE, "tills-1", Channel.CALL),
    topics.of_device(STORE, "tills-1", Channel.COMMAND),
    topics.event("mall", "tills-1", "help"),
    topics.edge_state(STORE),
    topics.edge_heartbeat(STORE),
    topics.feed(STORE),
    topics.pager_page(STORE, "tills-1"),
    "elsewhere",
    "$SYS/broker/uptime",
]


@pytest.mark.parametrize("topic", FOREIGN)
def test_what_a_device_may_not_write_is_refused_and_logged(
    place: Place, connect: Callable[..., Peer], topic: str
) -> None:
    watcher = connect(
        "edge-worker", [topics.event(STORE, "+", "+"), topics.of_device(STORE, "+", Channel.STATE)]
    )
    device = connect("tills-1")
    assert device.publish(topic) == "Not authorized"
    assert place.logged("refused: Denied PUBLISH from tills-1", f"'{topic}'")
    # What comes next is the device's own event: the refused one was not delivered before it.
    device.publish(topics.event(STORE, "tills-1", "help"), b"own")
    while (arrival := watcher.next(Arrival)) and getattr(arrival, "retained", False):
        continue
    assert isinstance(arrival, Arrival) and arrival.payload == b"own"


def test_a_device_receives_its_own_receipts_and_nobody_elses(
    place: Place, connect: Callable[..., Peer]
) -> None:
    own = topics.of_device(STORE, "tills-1", Channel.RECEIPT)
    foreign = topics.of_device(STORE, "door-1", Channel.RECEIPT)
    device = connect("tills-1", [own, foreign, topics.of_device(STORE, "+", Channel.CALL), "#"])
    worker = connect("edge-worker")
    for topic in (foreign, topics.of_device(STORE, "door-1", Channel.CALL), topics.feed(STORE)):
        assert worker.publish(topic, b"not yours") is None
    assert worker.publish(own, b"yours") is None
    arrival = device.next(Arrival)
    assert isinstance(arrival, Arrival) and (arrival.topic, arrival.payload) == (own, b"yours")
    assert place.logged(f"refused: tills-1 subscribes to {foreign}")
    assert place.logged("refused: tills-1 subscribes to #")


def test_a_device_cannot_read_another_devices_events(connect: Callable[..., Peer]) -> None:
    listener = connect("tills-1", [topics.event(STORE, "door-1", "+"), topics.edge_state(STORE)])
    other, worker = connect("door-1"), connect("edge-worker")
    assert other.publish(topics.event(STORE, "door-1", "security")) is None
    assert worker.publish(topics.edge_state(STORE), b"seen") is None
    arrival = listener.next(Arrival)
    assert isinstance(arrival, Arrival) and arrival.payload == b"seen"


def test_a_pager_receives_its_own_pages_and_nobody_elses(place: Place, connect: Callable[..., Peer]) -> None:
    own, foreign = topics.pager_page(STORE, "tills-1"), topics.pager_page(STORE, "door-1")
    pager = connect("tills-1", [own, foreign, topics.pager_page(STORE, "+")])
    worker = connect("edge-worker")
    assert worker.publish(foreign, b"not yours") is None
    assert worker.publish(own, b"yours") is None
    arrival = pager.next(Arrival)
    assert isinstance(arrival, Arrival) and (arrival.topic, arrival.payload) == (own, b"yours")
    assert place.logged(f"refused: tills-1 subscribes to {foreign}")
    assert pager.publish(foreign) == "Not authorized"


def test_a_message_that_nobody_listens_for_is_accepted_and_said_to_be_unheard(
    connect: Callable[..., Peer],
) -> None:
    worker = connect("edge-worker")
    worker.session.publish(topics.pager_page(STORE, "door-1"), b"{}")
    accepted = worker.next(Accepted)
    assert isinstance(accepted, Accepted) and accepted.unheard and accepted.refused is None


def test_a_last_will_reaches_only_the_devices_own_topics(place: Place, connect: Callable[..., Peer]) -> None:
    worker = connect("edge-worker", [topics.of_device(STORE, "+", Channel.STATE)])
    arrived: queue.Queue[Delivery] = queue.Queue()
    dying = Session(
        "tills-1",
        "127.0.0.1",
        place.port,
        Credentials.in_directory(place.directory / "tills-1"),
        arrived.put,
        will=(topics.of_device(STORE, "door-1", Channel.STATE), b"forged will"),
    )
    dying.start()
    assert isinstance(arrived.get(timeout=PATIENCE_S), Connected | Disconnected)
    mark = len(place.log)
    dying.drop()
    dying.stop()
    assert place.logged("tills-1", "closed its connection", since=mark)
    own = topics.of_device(STORE, "door-1", Channel.STATE)
    assert connect("door-1").publish(own, b"own") is None
    while isinstance(arrival := worker.next(Arrival), Arrival) and arrival.topic != own:
        continue
    assert isinstance(arrival, Arrival) and arrival.payload == b"own"


def test_without_a_certificate_nobody_comes_in(place: Place) -> None:
    context = ssl.create_default_context(cafile=str(place.directory / "ca" / "ca.crt"))
    assert _knock(place, context) is None
    assert place.logged("did not return a certificate")


def test_nor_with_one_of_another_store(place: Place, tmp_path: Path) -> None:
    identity.make_store(tmp_path, STORE, ["127.0.0.1"], dt.datetime.now(dt.UTC))
    context = ssl.create_default_context(cafile=str(place.directory / "ca" / "ca.crt"))
    context.load_cert_chain(tmp_path / "edge-worker" / "tls.crt", tmp_path / "edge-worker" / "tls.key")
    assert _knock(place, context) is None
    assert place.logged("failed", "certificate")


def _knock(place: Place, context: ssl.SSLContext) -> bool | None:
    """True once the broker accepts this client; None if it ends the connection first."""
    accepted = threading.Event()
    client = mqtt.Client(
        mqtt.CallbackAPIVersion.VERSION2, "edge-worker", protocol=mqtt.MQTTv5, reconnect_on_failure=False
    )
    client.tls_set_context(context)
    client.on_connect = lambda *_: accepted.set()
    try:
        client.connect("127.0.0.1", place.port)
        # Under TLS 1.3 the client learns of the refusal at its first read.
        client.loop_forever()
    except (ssl.SSLError, OSError):
        pass
    return True if accepted.is_set() else None


def test_a_device_meets_no_foreign_broker(place: Place, tmp_path: Path) -> None:
    identity.make_store(tmp_path, STORE, ["127.0.0.1"], dt.datetime.now(dt.UTC))
    port = mosquitto.free_port()
    foreign = mosquitto.Broker(
        mosquitto.Settings(STORE, tmp_path, port=port, user="root" if os.geteuid() == 0 else None)
    )
    foreign.start()
    arrived: queue.Queue[Delivery] = queue.Queue()
    credentials = Credentials.in_directory(place.directory / "tills-1")
    session = Session("tills-1", "127.0.0.1", port, credentials, arrived.put, check_time=False)
    session.start()
    try:
        ended = arrived.get(timeout=PATIENCE_S)
        assert isinstance(ended, Disconnected) and "certificate verify failed" in ended.reason
    finally:
        session.stop()
        foreign.stop()


def test_the_broker_listens_in_one_place_only(place: Place) -> None:
    inodes = set()
    for link in Path(f"/proc/{place.broker.pid}/fd").iterdir():
        target = str(link.readlink())
        if target.startswith("socket:["):
            inodes.add(target[8:-1])
    listening = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.append(fields[1])
    assert listening == [f"0100007F:{place.port:04X}"]


def test_mqtt_3_is_let_in_by_this_mosquitto_but_pointed_out(place: Place) -> None:
    folder = place.directory / "door-1"
    context = ssl.create_default_context(cafile=str(folder / "ca.crt"))
    context.load_cert_chain(folder / "tls.crt", folder / "tls.key")
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "door-1", protocol=mqtt.MQTTv311)
    client.tls_set_context(context)
    client.connect("127.0.0.1", place.port)
    client.loop_start()
    try:
        assert place.logged("not MQTT v5: New client connected", "as door-1")
    finally:
        client.disconnect()
        client.loop_stop()
