"""A revoked device at a real Mosquitto: its open connection ends, and it does not come back."""

import datetime as dt
import os
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from broker import codec, identity, mosquitto, revocation, topics
from broker.authority import open_authority
from broker.events import HelpRequested, SecurityRequested, new_id
from broker.identity import Certificate
from broker.mosquitto import Broker
from broker.tls import Credentials, tls_context
from edge.audit.store import Actor
from edge.db.engine import connect
from edge.handling import revoking
from kiosk.display import State
from tests.rig.store import STORE as STORE_OF_RIG
from tests.rig.store import Rig, wait_for
from tests.system.conftest import STORE
from tests.system.kiosk_rig import FakeServer, RunningKiosk, settings, until

pytestmark = pytest.mark.system
PATIENCE_S = 60.0
# What the store itself finds wrong meanwhile is no press.
PRESSED = "SELECT id FROM interaction WHERE kind <> 'trouble'"
ROOT = "root" if os.geteuid() == 0 else None


class Line:
    """One connection that does not come back by itself, with a client id of the device's own choice."""

    def __init__(self, port: int, directory: Path, client: str) -> None:
        self.ended: queue.Queue[float] = queue.Queue()
        self.let_in = threading.Event()
        self._client = mqtt.Client(
            CallbackAPIVersion.VERSION2, client_id=client, protocol=mqtt.MQTTv5, reconnect_on_failure=False
        )
        self._client.tls_set_context(tls_context(Credentials.in_directory(directory), check_time=True))
        self._client.on_connect = lambda *_: self.let_in.set()
        self._client.on_disconnect = lambda *_: self.ended.put(time.monotonic())
        self._client.connect("127.0.0.1", port, 5)
        self._client.loop_start()

    def publish(self, topic: str, payload: bytes) -> None:
        self._client.publish(topic, payload, 1)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def broker(store: Path, said: list[str]) -> Iterator[Broker]:
    running = Broker(mosquitto.Settings(STORE, store, port=mosquitto.free_port(), user=ROOT), said.append)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def enrol(store: Path) -> Callable[[str], Certificate]:
    def enrol(name: str, where: str = "") -> Certificate:
        directory, now = store / (where or name), dt.datetime.now(dt.UTC)
        request = identity.make_request(directory, name)
        certificate, ca, registered = identity.sign_request(store, request, name, now)
        identity.install_certificate(directory, certificate, ca)
        return registered

    return enrol


def stays_away(line: Line) -> bool:
    """Let in or not, it is cut off."""
    line.ended.get(timeout=PATIENCE_S)
    return True


def test_an_open_connection_of_a_revoked_name_is_ended_each_time_it_comes(
    store: Path, broker: Broker, enrol: Callable[[str], Certificate], said: list[str]
) -> None:
    for name in ("tills-1", "tills-2"):
        enrol(name)
    port = broker.settings.port
    stolen = [
        Line(port, store / "tills-1", name) for name in ("tills-1-x", "another (p5, c1, k5, u'tills-2')")
    ]
    other = Line(port, store / "tills-2", "tills-2-x")
    assert all(line.let_in.wait(PATIENCE_S) for line in (*stolen, other))
    began = time.monotonic()
    revocation.turn_away(store, ["tills-1"])
    took = [line.ended.get(timeout=PATIENCE_S) - began for line in stolen]
    print(f"cut after {', '.join(f'{one:.2f}' for one in took)} s")
    again = Line(port, store / "tills-1", "tills-1-y")
    assert stays_away(again)
    assert other.ended.empty()
    until(lambda: sum("tills-1 is revoked" in line for line in said) >= 3)
    other.close()


def test_a_revoked_name_may_publish_nothing_while_it_is_still_connected(
    store: Path, broker: Broker, enrol: Callable[[str], Certificate]
) -> None:
    for name in ("tills-1", "tills-2"):
        enrol(name)
    server = FakeServer(store, broker.settings.port)
    try:
        revocation.turn_away(store, ["tills-1"])
        # Whoever is cut off comes after the list of who may publish was read anew.
        stays_away(Line(broker.settings.port, store / "tills-1", "tills-1-x"))
        stolen = Line(broker.settings.port, store / "tills-1", "tills-1-y")
        stolen.publish(topics.event(STORE, "tills-1", "help"), help_event())
        stays_away(stolen)
        other = Line(broker.settings.port, store / "tills-2", "tills-2-x")
        other.publish(topics.event(STORE, "tills-2", "help"), help_event())
        until(lambda: server.arrivals)
        assert [event.device for event in server.arrivals] == ["tills-2"]
        other.close()
    finally:
        server.close()


def test_a_certificate_on_the_list_is_refused_and_a_new_one_of_the_same_name_is_let_in(
    store: Path, broker: Broker, enrol: Callable[[str], Certificate], said: list[str]
) -> None:
    stolen = enrol("tills-1", "stolen")
    line = Line(broker.settings.port, store / "stolen", "tills-1-x")
    assert line.let_in.wait(PATIENCE_S)
    revocation.turn_away(store, ["tills-1"])
    stays_away(line)
    revocation.revoke(store, open_authority(store), [stolen.serial], dt.datetime.now(dt.UTC))
    revocation.turn_away(store, [])
    until(lambda: "topic deny #" not in (store / "broker" / "access.acl").read_text())
    enrol("tills-1", "new")
    until(lambda: any("certificate verify failed" in one for one in said) or _knock(broker, store))
    fresh = Line(broker.settings.port, store / "new", "tills-1-x")
    assert fresh.let_in.wait(PATIENCE_S)
    again = Line(broker.settings.port, store / "stolen", "tills-1-z")
    stays_away(again)
    assert not again.let_in.is_set() and fresh.ended.empty()
    fresh.close()


def test_a_name_that_is_let_in_anew_without_being_revoked_keeps_no_connection_of_its_old_certificate(
    store: Path, broker: Broker, enrol: Callable[[str], Certificate], said: list[str]
) -> None:
    stolen = enrol("tills-1", "stolen")
    enrol("tills-2")
    line = Line(broker.settings.port, store / "stolen", "an id of its own choice")
    other = Line(broker.settings.port, store / "tills-2", "tills-2-x")
    assert line.let_in.wait(PATIENCE_S) and other.let_in.wait(PATIENCE_S)
    resumed = Resuming(broker.settings.port, store / "stolen")
    assert resumed.connect()
    # As add_device does it, all within one look.
    new = enrol("tills-1", "new")
    revocation.revoke(store, open_authority(store), [stolen.serial], dt.datetime.now(dt.UTC))
    revocation.let_in_anew(store, "tills-1", new.serial)
    stays_away(line)
    until(lambda: any("tills-1 was let in anew" in one for one in said))
    assert not any("is revoked" in one for one in said)
    again = Line(broker.settings.port, store / "stolen", "tills-1-z")
    stays_away(again)
    assert not again.let_in.is_set()
    # Nor by the TLS session that it has from before.
    assert not resumed.connect()
    fresh = Line(broker.settings.port, store / "new", "tills-1-x")
    assert fresh.let_in.wait(PATIENCE_S)
    revocation.turn_away(store, ["tills-3"])
    until(lambda: "tills-3" in (store / "broker" / "access.acl").read_text())
    assert fresh.ended.empty() and other.ended.empty()
    fresh.close()
    other.close()


class Resuming:
    """Comes back with the TLS session that it had, as far as the broker lets it."""

    def __init__(self, port: int, directory: Path) -> None:
        self._port, self._session = port, None
        self._context = tls_context(Credentials.in_directory(directory), check_time=True)
        self._context.check_hostname = False

    def connect(self) -> bool:
        """Whether the broker accepts an MQTT connection."""
        try:
            with (
                socket.create_connection(("127.0.0.1", self._port), PATIENCE_S) as raw,
                self._context.wrap_socket(raw, session=self._session) as line,
            ):
                # CONNECT of MQTT 5 with a clean start, no properties and the client id 'again'.
                line.sendall(b"\x10\x12\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x05again")
                answer = line.recv(64)
                self._session = line.session or self._session
                return answer[:1] == b"\x20" and answer[3] == 0
        except (OSError, ssl.SSLError, IndexError):
            return False


def _knock(broker: Broker, store: Path) -> None:
    Line(broker.settings.port, store / "stolen", "tills-1-k").ended.get(timeout=PATIENCE_S)


def test_a_connection_whose_client_id_is_too_long_for_the_log_is_ended_too(
    store: Path, broker: Broker, enrol: Callable[[str], Certificate], said: list[str]
) -> None:
    enrol("tills-1")
    line = Line(broker.settings.port, store / "tills-1", "x" * 2000)
    assert line.let_in.wait(PATIENCE_S)
    revocation.turn_away(store, ["tills-1"])
    stays_away(line)
    until(lambda: any("started anew" in one for one in said))


def test_a_revoked_kiosk_says_that_nobody_hears_it(
    store: Path, broker: Broker, device: Callable[[str], Path], tmp_path: Path
) -> None:
    server = FakeServer(store, broker.settings.port)
    kiosk = RunningKiosk(settings(device("kiosk-1"), broker.settings.port, tmp_path / "outbox.db"))
    try:
        until(lambda: kiosk.display.state is State.IDLE and server.heartbeats)
        revocation.turn_away(store, ["kiosk-1"])
        until(lambda: kiosk.display.state is State.UNREACHABLE)
    finally:
        kiosk.close()
        server.close()


def test_a_kiosk_that_the_desk_revokes_is_cut_off_and_what_it_had_said_stands(tmp_path: Path) -> None:
    rig = Rig.make(tmp_path / "shop", devices=("kiosk-1", "kiosk-2"))
    engine = connect(rig.config.database_url, write=True)
    try:
        rig.start_broker_program()
        rig.start("worker")
        stolen, other = (
            Line(rig.config.broker.port, rig.directory / "devices" / name, name)
            for name in ("kiosk-1", "kiosk-2")
        )
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "The worker's start")
        stolen.publish(topics.event(STORE_OF_RIG, "kiosk-1", "help"), help_event())
        wait_for(lambda: rig.read(PRESSED), "The press")
        began = time.monotonic()
        with engine.begin() as conn:
            desk, now = Actor("Mira", "desk", rig.people["Mira"].id), dt.datetime.now(dt.UTC)
            revoking.revoke(conn, STORE_OF_RIG, desk, "kiosk-1", "Stolen from the entrance.", now)
        took = stolen.ended.get(timeout=PATIENCE_S) - began
        print(f"from the desk's commit to the cut {took:.2f} s")
        again = Line(rig.config.broker.port, rig.directory / "devices" / "kiosk-1", "kiosk-1")
        again.publish(topics.event(STORE_OF_RIG, "kiosk-1", "security"), security_event())
        again.ended.get(timeout=PATIENCE_S)
        other.publish(topics.event(STORE_OF_RIG, "kiosk-2", "help"), help_event())
        wait_for(lambda: len(rig.read(PRESSED)) == 2, "The other kiosk's press")
        kinds = rig.read("SELECT device, kind FROM interaction WHERE kind <> 'trouble' ORDER BY device")
        assert kinds == [("kiosk-1", "help"), ("kiosk-2", "help")]
        assert other.ended.empty()
        other.close()
    finally:
        engine.dispose()
        rig.stop()


def help_event() -> bytes:
    return codec.encode_event(new_id(1), HelpRequested("find", "ca"), "help")


def security_event() -> bytes:
    return codec.encode_event(new_id(2), SecurityRequested("hold", True), "security")
