"""The real worker behind a real Mosquitto: what is said is committed, whatever is killed, hangs or lies."""

import datetime as dt
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import msgspec
import pytest

from broker import codec, topics
from broker.events import Clock, Content, Greeted, HelpRequested, SecurityRequested, new_id
from broker.messages import Call, DeviceState, EdgeState, Receipt
from broker.session import Accepted, Arrival, Delivery, Session
from broker.tls import Credentials
from broker.topics import Channel, of_device
from edge.db.engine import connect
from edge.people.store import set_presence
from tests.rig.store import ROOT, STORE, Rig, wait_for

pytestmark = pytest.mark.system
DEVICE = "kiosk-1"


class Device:
    """A kiosk reduced to the contract: it publishes what it is told and keeps what it hears."""

    def __init__(self, rig: Rig) -> None:
        self.outbox, self.boot, self.seq = new_id(1), new_id(2), 0
        self.receipts: list[Receipt] = []
        self.calls: list[Call] = []
        self.edge: list[str] = []
        self.accepted: set[int] = set()
        self._lock = threading.Lock()
        heard = [of_device(STORE, DEVICE, channel) for channel in (Channel.RECEIPT, Channel.CALL)]
        self.session = rig.session(
            DEVICE,
            self._deliver,
            subscriptions=[(topic, 1) for topic in (*heard, topics.edge_state(STORE))],
            will=(of_device(STORE, DEVICE, Channel.STATE), codec.encode(DeviceState("offline"))),
        )
        self.session.start()
        wait_for(lambda: self.session.connected, "The device's connection")

    def _deliver(self, delivery: Delivery) -> None:
        if isinstance(delivery, Accepted):
            self.accepted.add(delivery.mid)
        if not isinstance(delivery, Arrival):
            return
        with self._lock:
            if delivery.topic.endswith("/receipt"):
                self.receipts.append(codec.decode(delivery.payload, Receipt))
            elif delivery.topic.endswith("/call"):
                self.calls.append(codec.decode(delivery.payload, Call))
            else:
                self.edge.append(codec.decode(delivery.payload, EdgeState).status)

    def make(self, content: Content, kind: str) -> tuple[UUID, bytes]:
        self.seq += 1
        event = new_id(int(dt.datetime.now(dt.UTC).timestamp() * 1000))
        clock = Clock(False, self.boot, 1000 * self.seq)
        return event, codec.encode_event(event, content, kind, outbox=self.outbox, seq=self.seq, clock=clock)

    def publish(self, kind: str, payload: bytes) -> int:
        mid = self.session.publish(topics.event(STORE, DEVICE, kind), payload)
        assert mid is not None
        return mid

    def receipted(self) -> set[int]:
        return {
            seq for receipt in list(self.receipts) if receipt.outbox == self.outbox for seq in receipt.seqs
        }

    def refused(self) -> list[str]:
        return [refusal.reason for receipt in list(self.receipts) for refusal in receipt.refused]


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> Rig:
    """A store with everyone on the floor available; nothing runs."""
    rig = Rig.make(tmp_path_factory.mktemp("spine") / "store")
    engine = connect(rig.config.database_url, write=True)
    with engine.begin() as conn:
        for someone in rig.people.values():
            set_presence(conn, STORE, someone.id, "available", dt.datetime.now(dt.UTC))
    engine.dispose()
    shutil.copyfile(rig.directory / rig.config.database, rig.directory / "fresh.db")
    return rig


@pytest.fixture
def rig(provisioned: Rig) -> Iterator[Rig]:
    """Its broker running, its database as new."""
    folder = provisioned.directory
    for old in folder.glob(f"{provisioned.config.database}*"):
        old.unlink()
    shutil.copyfile(folder / "fresh.db", folder / provisioned.config.database)
    provisioned.start_broker()
    yield provisioned
    provisioned.stop()
    provisioned.processes.clear()
    (folder / "worker.log").unlink(missing_ok=True)


@pytest.fixture
def worker(rig: Rig) -> None:
    start(rig)


@pytest.fixture
def device(rig: Rig) -> Iterator[Device]:
    device = Device(rig)
    yield device
    device.session.stop()


def start(rig: Rig) -> None:
    """Start the worker and wait until both its connections stand."""

    def connected() -> int:
        log = rig.directory / "worker.log"
        return log.read_text().count(" is connected.") if log.exists() else 0

    before = connected()
    rig.start("worker")
    wait_for(lambda: connected() == before + 2, "The worker's start")


def count(rig: Rig, table: str, where: str = "1=1") -> Any:
    return rig.read(f"SELECT count(*) FROM {table} WHERE {where}")[0][0]


def test_a_press_becomes_a_receipt_pages_and_a_call(rig: Rig, worker: None, device: Device) -> None:
    event, payload = device.make(HelpRequested("find", "ca"), "help")
    device.publish("help", payload)
    wait_for(lambda: device.receipted() == {1}, "The receipt")
    call = wait_for(lambda: next(iter(device.calls), None), "The call")
    assert (call.request, call.state.value, call.text) == (event, "raised", "paging.best")
    names = rig.read("SELECT person.name FROM page JOIN person ON person.id = page.person ORDER BY 1")
    assert names == [("Ana",), ("Marc",)]
    wait_for(lambda: count(rig, "outgoing", "sent_at IS NULL") == 0, "The call marked as sent")


def test_a_worker_killed_with_a_press_in_its_hands_has_it_exactly_once_in_the_end(
    rig: Rig, worker: None, device: Device
) -> None:
    made = [device.make(HelpRequested("find"), "help"), device.make(SecurityRequested("hold"), "security")]
    for kind, (_, payload) in zip(("help", "security"), made, strict=True):
        device.publish(kind, payload)
    rig.kill("worker")
    start(rig)

    def all_receipted() -> bool:
        for kind, (_, payload) in zip(("help", "security"), made, strict=True):
            device.publish(kind, payload)
        return device.receipted() == {1, 2}

    wait_for(all_receipted, "The receipts after the restart")
    # What the store itself finds wrong meanwhile is no press.
    pressed = "SELECT id, count FROM interaction WHERE kind <> 'trouble' ORDER BY id"
    assert rig.read(pressed) == sorted((str(e), 1) for e, _ in made)
    wait_for(lambda: len({c.request for c in list(device.calls)}) == 2, "Both calls")
    # Nobody was paged twice in one round.
    assert count(rig, "page") == rig.read("SELECT count(DISTINCT request || person || round) FROM page")[0][0]


def test_a_second_worker_on_the_same_folder_refuses_with_one_sentence(rig: Rig, worker: None) -> None:
    second = subprocess.run(
        [sys.executable, "-m", "edge", "worker", "--config", str(rig.directory / "edge.toml")],
        cwd=ROOT, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert second.returncode == 1
    (sentence,) = second.stderr.strip().splitlines()
    assert sentence.startswith("Another worker (process ") and sentence.endswith("only one may.")
    assert rig.processes["worker"].poll() is None


def test_security_is_committed_before_the_three_thousand_greetings_that_wait_in_front_of_it(
    rig: Rig, worker: None, device: Device
) -> None:
    greets = 3000
    rig.signal("worker", signal.SIGSTOP)
    for _ in range(greets):
        device.publish("greet", device.make(Greeted("in", "pir"), "greet")[1])
    _, hold = device.make(SecurityRequested("hold"), "security")
    last = device.publish("security", hold)
    wait_for(lambda: last in device.accepted, "All of it with the broker", 30)
    rig.signal("worker", signal.SIGCONT)
    wait_for(lambda: greets + 1 in device.receipted(), "The receipt for security")
    wait_for(lambda: count(rig, "event") == greets + 1, "All greetings", 60)
    place = rig.read(
        "SELECT (SELECT count(*) FROM event AS b WHERE b.rowid < a.rowid) FROM event AS a "
        "WHERE kind = 'security'"
    )[0][0]
    # What was on its way to the worker before may be first, the queue in the broker may not.
    assert isinstance(place, int) and place < greets / 2
    wait_for(lambda: len(device.receipted()) == greets + 1, "All receipts", 30)
    assert count(rig, "quarantine") == 0


def test_what_is_none_of_the_contract_is_refused_and_set_aside_and_the_line_goes_on(
    rig: Rig, worker: None, device: Device
) -> None:
    known, payload = device.make(Greeted("in", "pir"), "greet")
    device.publish("greet", payload)

    def envelope(**more: object) -> bytes:
        values = {"id": str(new_id(5)), "kind": "help", "data": {}}
        return msgspec.json.encode({**values, **more})

    bad = {
        "dance": envelope(kind="dance"),
        "help": b"\xff not JSON",
        "greet": envelope(kind="help"),
        "feedback": envelope(kind="feedback", data={"score": 9}),
        "drawer": envelope(kind="drawer", data={"open": True, "more": "x" * 20_000}),
        "cancel": envelope(kind="cancel", data={"request": "nobody"}),
    }
    for kind, payload in bad.items():
        device.publish(kind, payload)
    device.publish("greet", codec.encode_event(known, Greeted("out", "pir"), "greet"))
    _, after = device.make(HelpRequested(), "help")
    device.publish("help", after)
    wait_for(lambda: device.receipted() == {1, 2}, "The receipts before and after")
    wait_for(lambda: len(device.refused()) == 7, "The refusals")
    assert sorted(device.refused()) == sorted(
        reason for (reason,) in rig.read("SELECT reason FROM quarantine")
    )
    assert any("'dance' is unknown" in reason for reason in device.refused())
    assert any("other content" in reason for reason in device.refused())
    assert count(rig, "event") == 2


def test_a_foreign_offline_on_the_servers_state_is_corrected(rig: Rig, worker: None, device: Device) -> None:
    wait_for(lambda: device.edge[-1:] == ["online"], "The first online")
    # Only the server's own identity may say it, as a hung predecessor's will would.
    credentials = Credentials.in_directory(rig.config.identity_path / "edge-worker")
    at = rig.config.broker
    stale = Session("edge-predecessor", at.host, at.port, credentials, lambda delivery: None)
    stale.start()
    wait_for(lambda: stale.connected, "The predecessor's connection")
    stale.publish(topics.edge_state(STORE), codec.encode(EdgeState("offline")), retain=True)
    wait_for(lambda: device.edge[-2:] == ["offline", "online"], "The correction")
    stale.stop()


def test_a_worker_that_hangs_is_offline_and_online_again_when_it_goes_on(
    rig: Rig, worker: None, device: Device
) -> None:
    wait_for(lambda: device.edge[-1:] == ["online"], "The first online")
    rig.signal("worker", signal.SIGSTOP)
    wait_for(lambda: device.edge[-1:] == ["offline"], "The last will", 30)
    _, payload = device.make(HelpRequested(), "help")
    device.publish("help", payload)
    rig.signal("worker", signal.SIGCONT)
    wait_for(lambda: device.edge[-1:] == ["online"], "Online again", 30)

    def receipted() -> bool:
        device.publish("help", payload)
        return device.receipted() == {1}

    wait_for(receipted, "The receipt afterwards")
    assert count(rig, "interaction", "kind = 'help'") == 1


def test_a_worker_that_is_stopped_says_so_and_leaves_nothing_running(
    rig: Rig, worker: None, device: Device
) -> None:
    wait_for(lambda: device.edge[-1:] == ["online"], "The first online")
    rig.signal("worker", signal.SIGTERM)
    assert rig.processes["worker"].wait(10) == 0
    wait_for(lambda: device.edge[-1:] == ["offline"], "The goodbye")
    assert not (rig.directory / "worker.hint").exists()


def test_a_device_that_comes_online_hears_how_its_request_stands(
    rig: Rig, worker: None, device: Device
) -> None:
    event, payload = device.make(HelpRequested(), "help")
    device.publish("help", payload)
    wait_for(lambda: device.calls, "The first call")
    device.session.publish(
        of_device(STORE, DEVICE, Channel.STATE),
        codec.encode(DeviceState("online", device.boot, 5000)),
        retain=True,
    )
    again = wait_for(lambda: [c for c in device.calls if c.text == "paging.still"], "The answer")
    assert again[0].request == event and again[0].args["people"] == "2"


def test_a_wrong_configuration_is_one_sentence(provisioned: Rig) -> None:
    path = provisioned.directory / "wrong.toml"
    path.write_text((provisioned.directory / "edge.toml").read_text().replace("streams = ", "streamz = "))
    refused = subprocess.run(
        [sys.executable, "-m", "edge", "worker", "--config", str(path)],
        cwd=ROOT, capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert refused.returncode == 1
    (sentence,) = refused.stderr.strip().splitlines()
    assert "streamz is not a setting" in sentence
