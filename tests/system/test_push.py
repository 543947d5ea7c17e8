"""A page to a locked phone through the real programs: a push service over TLS reads it as the phone would."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from broker import codec, topics
from broker.events import Clock, Content, HelpRequested, SecurityRequested, new_id
from broker.session import Session
from edge.db.engine import connect
from edge.people import sessions
from edge.people import store as people
from edge.pushing import store
from tests.rig import receiver as ways
from tests.rig.push_phone import PushPhone
from tests.rig.receiver import Certificate, Receiver, status
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system
CREATED = status(201, "Created")
LATEST = "SELECT state FROM push ORDER BY created_at DESC LIMIT 1"


@dataclass
class Pocket:
    """The store with its worker and messenger, and Igor's phone in his pocket."""

    rig: Rig
    there: Receiver
    phone: PushPhone
    kiosk: Session

    def press(self, content: Content, kind: str) -> None:
        id_ = new_id(int(dt.datetime.now(dt.UTC).timestamp() * 1000))
        payload = codec.encode_event(id_, content, kind, clock=Clock(False, new_id(2), 1000))
        self.kiosk.publish(topics.event(STORE, "kiosk-1", kind), payload)


@pytest.fixture
def pocket(tmp_path: Path) -> Iterator[Pocket]:
    rig, tls = Rig.make(tmp_path / "store"), Certificate(tmp_path / "tls")
    there = Receiver(CREATED, tls=tls)
    phone = PushPhone(f"https://localhost:{there.port}/send/igor")
    rig.configure(lambda text: f'{text}\n[push]\nallow_private = true\ncertificate = "{tls.ca}"\n')
    now = dt.datetime.now(dt.UTC)
    engine = connect(rig.config.database_url, write=True)
    with engine.begin() as conn:
        igor = people.by_id(conn, STORE, rig.people["Igor"].id)
        assert igor is not None
        key = sessions.key_of(sessions.start(conn, igor, "floor", now, 8))
        store.subscribe(conn, STORE, igor.id, key, phone.keys, now)
    engine.dispose()
    rig.start_broker()
    for program in ("worker", "messenger"):
        rig.start(program)
    kiosk = rig.session("kiosk-1", lambda _: None)
    kiosk.start()
    wait_for(lambda: kiosk.connected, "the kiosk's connection")
    wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "the worker's connection")
    wait_for(lambda: rig.read("SELECT 1 FROM push_sender"), "the messenger to begin")
    yield Pocket(rig, there, phone, kiosk)
    kiosk.stop()
    rig.stop()
    there.close()


def test_a_silent_press_calls_a_locked_phone_again_and_again_and_says_nothing_of_it(pocket: Pocket) -> None:
    pocket.press(SecurityRequested("hold", True), "security")
    wait_for(lambda: pocket.there.calls, "the push")
    said = pocket.phone.reads(pocket.there.calls[0].body)
    assert set(said) == {"push", "tag", "at", "what"} and said["what"] == "open"
    wait_for(lambda: pocket.rig.read("SELECT 1 FROM page WHERE state = 'sent'"), "the page to be sent")
    # Sent is no acknowledgement: ten seconds later it comes again, in the first one's place.
    wait_for(lambda: len(pocket.there.calls) > 1, "the second round", timeout_s=30)
    assert len({call.headers["topic"] for call in pocket.there.calls}) == 1
    assert pocket.rig.read("SELECT state, owner FROM interaction WHERE kind = 'security'") == [
        ("raised", None)
    ]


def test_killed_during_a_try_the_messenger_makes_it_again_and_nothing_was_called_sent(pocket: Pocket) -> None:
    pocket.there.answers[:] = [ways.hang, CREATED]
    # Somebody presses for help, and Igor is the only one with a phone.
    pocket.press(HelpRequested("fitting-room", "en"), "help")
    wait_for(lambda: pocket.there.calls, "the first try")
    pocket.rig.kill("messenger")
    assert pocket.rig.read("SELECT outcome FROM push_try") == [(None,)]
    assert pocket.rig.read("SELECT 1 FROM page WHERE state = 'sent'") == []
    pocket.rig.start("messenger")
    # A lease of 18 s.
    wait_for(lambda: len(pocket.there.calls) > 1, "the second try", timeout_s=50)
    wait_for(lambda: pocket.rig.read(LATEST) == [("sent",)], "its note")
    first, second = (pocket.phone.reads(call.body) for call in pocket.there.calls[:2])
    assert first == second and first["what"] == "help" and first["place"] == "Shoes"
