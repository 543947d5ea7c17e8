"""The bridge as a real process, at a real broker of Home Assistant with user names and passwords."""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from broker import codec, topics
from broker.events import Cancelled, Clock, Content, HelpRequested, SecurityRequested, new_id
from broker.messages import DeviceState, Heartbeat
from broker.session import Session
from broker.topics import Channel, of_device
from edge.audit.store import Actor
from edge.config import Policies
from edge.db.engine import connect
from edge.handling import acting, raising, revoking
from tests.rig.home import PASSWORD, HomeBroker, Listener
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system
BOOT = new_id(1)


class Kiosk:
    """One that only talks: its state, its heartbeats, its presses."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.name, self._seq, self._outbox, self._beats = name, 0, new_id(2), 0
        self.session: Session = rig.session(name, lambda _: None)
        self.session.start()
        wait_for(lambda: self.session.connected, f"{name}'s connection", 60)
        state = DeviceState("online", BOOT, 1000, "0.1.0", dt.datetime.now(dt.UTC))
        topic = of_device(STORE, name, Channel.STATE)
        self.session.publish(topic, codec.encode(state), retain=True)
        self._stop = threading.Event()
        threading.Thread(target=self._live, name=f"{name}-beats", daemon=True).start()

    def _live(self) -> None:
        while True:
            self.beat()
            if self._stop.wait(2.0):
                return

    def stop(self) -> None:
        self._stop.set()
        self.session.stop()

    def beat(self) -> None:
        self._beats += 1
        said = {"camera": "ok", "temperature_c": 48.3, "free_disk_bytes": 10**10}
        beat = Heartbeat(BOOT, 1000 + self._beats, outbox=self._outbox, depth=self._seq, **said)  # type: ignore[arg-type]
        self.session.publish(of_device(STORE, self.name, Channel.HEARTBEAT), codec.encode(beat))

    def press(self, kind: str, content: Content) -> UUID:
        self._seq += 1
        id_ = new_id(int(dt.datetime.now(dt.UTC).timestamp() * 1000))
        payload = codec.encode_event(id_, content, kind, clock=Clock(False, BOOT, 1000))
        self.session.publish(topics.event(STORE, self.name, kind), payload)
        return id_


@pytest.fixture
def home(tmp_path: Path) -> Iterator[HomeBroker]:
    made = HomeBroker(tmp_path / "home", STORE)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def rig(tmp_path: Path, home: HomeBroker) -> Iterator[Rig]:
    made = Rig.make(tmp_path / "store", ("kiosk-1", "kiosk-2"))
    secret = made.directory / "home.txt"
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o600)
    section = (
        f'\n[home_assistant]\nhost = "127.0.0.1"\nport = {home.port}\ntls = false\n'
        'username = "floorbell"\npassword_file = "home.txt"\n'
    )
    made.configure(lambda text: text + section)
    made.start_broker()
    made.start("worker")
    wait_for(lambda: "edge-security is connected" in made.log_of("worker"), "the worker's connection", 60)
    yield made
    made.stop()


@pytest.fixture
def listener(home: HomeBroker) -> Iterator[Listener]:
    made = Listener(home.port)
    yield made
    made.close()


def value(kiosk: str, entity: str) -> str:
    return f"floorbell/{STORE}/{kiosk}/{entity}"


def config(kiosk: str) -> str:
    return f"homeassistant/device/floorbell_{STORE}_{kiosk}/config"


def kept(listener: Listener, topic: str, payload: bytes) -> Callable[[], bool]:
    return lambda: listener.kept.get(topic) == payload


def begin(rig: Rig, listener: Listener, *names: str) -> list[Kiosk]:
    """The kiosks are there, and Home Assistant knows it."""
    kiosks = [Kiosk(rig, name) for name in names]
    rig.start("bridge")
    for name in names:
        wait_for(kept(listener, value(name, "online"), b"ON"), f"{name}'s coming online", 60)
        wait_for(kept(listener, value(name, "temperature"), b"50"), f"{name}'s first heartbeat", 60)
    wait_for(kept(listener, f"floorbell/{STORE}/status", b"online"), "the bridge's word", 60)
    return kiosks


def settle(listener: Listener) -> None:
    """Everything that was told until now is here: it is told again, and that anything is known comes last."""
    listener.got.clear()
    listener.publish("homeassistant/status", b"online")
    known = f"floorbell/{STORE}/status"
    wait_for(lambda: any(topic == known for topic, *_ in listener.got), "all of it", 60)


def act(rig: Rig, work: Callable[..., object], *arguments: object) -> None:
    """What a person does, as the web program writes it."""
    engine = connect(rig.config.database_url, write=True)
    with engine.begin() as conn:
        work(conn, STORE, *arguments, dt.datetime.now(dt.UTC))
    engine.dispose()


def test_a_kiosk_is_a_device_whose_help_comes_and_goes_and_that_goes_when_it_is_revoked(
    rig: Rig, home: HomeBroker, listener: Listener
) -> None:
    (one,) = begin(rig, listener, "kiosk-1")
    told = json.loads(listener.kept[config("kiosk-1")])
    assert told["device"]["identifiers"] == [f"floorbell_{STORE}_kiosk-1"] and told["origin"]["name"]
    assert {
        key: listener.kept[value("kiosk-1", key)] for key in ("help", "camera", "temperature", "disk")
    } == {
        "help": b"free",
        "camera": b"ok",
        "temperature": b"50",
        "disk": b"OFF",
    }
    request = one.press("help", HelpRequested("find", "en", 1))
    wait_for(kept(listener, value("kiosk-1", "help"), b"waiting"), "the waiting", 60)
    act(rig, acting.acknowledge, str(request), rig.people["Ana"].id)
    wait_for(kept(listener, value("kiosk-1", "help"), b"coming"), "the coming", 60)
    one.press("cancel", Cancelled(request))
    wait_for(kept(listener, value("kiosk-1", "help"), b"free"), "the end of it", 60)
    # Home Assistant starts anew: everything is told once more.
    listener.got.clear()
    listener.publish("homeassistant/status", b"online")
    wait_for(lambda: any(topic == config("kiosk-1") for topic, *_ in listener.got), "the description", 60)
    # Nobody answers any more: the last will says that nothing is known.
    rig.kill("bridge")
    wait_for(kept(listener, f"floorbell/{STORE}/status", b"offline"), "the last will", 60)
    act(rig, revoking.revoke, Actor("Mira", "desk", rig.people["Mira"].id), "kiosk-1", "It was stolen.")  # type: ignore[arg-type]
    rig.start("bridge")
    wait_for(lambda: not any("kiosk-1" in topic for topic in listener.kept), "its removal", 60)
    rig.processes["bridge"].terminate()
    assert rig.processes["bridge"].wait(30) == 0
    wait_for(kept(listener, f"floorbell/{STORE}/status", b"offline"), "the good-bye", 60)
    assert PASSWORD not in rig.log_of("bridge")
    one.stop()


def test_a_call_of_security_leaves_every_byte_as_it_was(rig: Rig, listener: Listener) -> None:
    one, two = begin(rig, listener, "kiosk-1", "kiosk-2")
    two.press("help", HelpRequested("find", "en", 1))
    wait_for(kept(listener, value("kiosk-2", "help"), b"waiting"), "the first help", 60)
    settle(listener)
    before = dict(listener.kept)
    listener.got.clear()
    silent = one.press("security", SecurityRequested("hold", True))
    loud = two.press("security", SecurityRequested("panic", False))
    wait_for(
        lambda: len(rig.read("SELECT 1 FROM interaction WHERE kind = 'security'")) == 2, "both calls", 60
    )
    for request in (silent, loud):
        act(rig, acting.acknowledge, str(request), rig.people["Igor"].id)
    act(rig, acting.attend, str(silent), rig.people["Igor"].id)
    act(rig, acting.resolve, str(silent), rig.people["Igor"].id, "handled", "")
    act(rig, _from_a_phone, rig.people["Ana"].id)
    # What is told after all of that is one press for help, and nothing came before it.
    one.press("help", HelpRequested("find", "en", 1))
    wait_for(kept(listener, value("kiosk-1", "help"), b"waiting"), "the second help", 60)
    changed = {value("kiosk-1", "help"), value("kiosk-1", "since")}
    assert {topic for topic, *_ in listener.got} <= changed
    assert {topic: said for topic, said in listener.kept.items() if topic not in changed} == {
        topic: said for topic, said in before.items() if topic not in changed
    }
    # Whoever subscribes only now is told nothing more.
    text = b"".join(listener.kept.values()).lower()
    assert b"security" not in text and b"silent" not in text
    one.stop()
    two.stop()


def _from_a_phone(conn: object, store: str, person: str, now: dt.datetime) -> None:
    raising.call(conn, store, Policies(), person, raising.Call(new_id(3)), now)  # type: ignore[arg-type]
