"""The messenger as a real process, killed at the worst moment: nothing is lost, and no id is new twice."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from broker import codec, topics
from broker.events import Clock, SecurityRequested, new_id
from edge.db.engine import connect
from edge.outside import store as outside
from edge.outside.channels import TEST
from tests.rig import receiver as ways
from tests.rig.receiver import OK, SECRET, Certificate, Receiver
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    made = Rig.make(tmp_path / "store", devices=())
    yield made
    made.stop()


def channel_at(rig: Rig, there: Receiver) -> None:
    file = rig.directory / "guards.toml"
    file.write_text(f'url = "{there.url}"\nsecret = "{SECRET}"\n')
    file.chmod(0o600)
    rig.configure(
        lambda text: (
            text + '\n[[outside.channel]]\nname = "guards"\nkind = "webhook"\nfile = "guards.toml"\n'
            "allow_private = true\nwithin_s = 2\n"
        )
    )


def ask_for_tests(rig: Rig, number: int) -> None:
    engine = connect(rig.config.database_url, write=True)
    now = dt.datetime.now(dt.UTC)
    with engine.begin() as conn:
        for one in range(number):
            outside.mark(conn, STORE, TEST, f"test-{one}-{now.timestamp()}", now, channel="guards")
    engine.dispose()


def test_killed_between_a_try_and_its_note_it_tries_again_under_the_same_id(rig: Rig) -> None:
    # The first request is taken, and its answer never comes: the try has no end yet.
    there = Receiver(ways.hang, OK)
    channel_at(rig, there)
    rig.start("messenger")
    wait_for(lambda: rig.read("SELECT 1 FROM outside_channel"), "the messenger to begin")
    ask_for_tests(rig, 1)
    wait_for(lambda: there.calls, "the first try")
    rig.kill("messenger")
    assert rig.read("SELECT outcome FROM outside_try") == [(None,)]
    rig.start("messenger")
    # A lease of 10 s, and a pause.
    wait_for(lambda: len(there.calls) > 1, "the second try", timeout_s=60)
    wait_for(lambda: rig.read("SELECT 1 FROM outside_delivery WHERE state = 'accepted'"), "its note")
    assert len(set(there.ids)) == 1 and all(call.signed_with() for call in there.calls)
    rows = rig.read("SELECT number, outcome FROM outside_try ORDER BY number")
    assert rows == [(1, "unknown"), (2, "accepted")]
    assert rig.read("SELECT count(*) FROM outside_delivery") == [(1,)]
    there.close()


def test_killed_again_and_again_every_message_arrives_under_an_id_of_its_own(rig: Rig) -> None:
    there = Receiver(OK)
    channel_at(rig, there)
    rig.start("messenger")
    wait_for(lambda: rig.read("SELECT 1 FROM outside_channel"), "the messenger to begin")
    for round_ in range(1, 5):
        ask_for_tests(rig, 5)
        wait_for(lambda: len(set(there.ids)) > (round_ - 1) * 5, "a message")  # noqa: B023
        rig.kill("messenger")
        rig.start("messenger")
    wait_for(
        lambda: rig.read("SELECT count(*) FROM outside_delivery WHERE state = 'accepted'") == [(20,)],
        "every note",
        timeout_s=90,
    )
    assert len(set(there.ids)) == 20
    ids = {row[0] for row in rig.read("SELECT id FROM outside_delivery")}
    assert set(there.ids) == ids
    there.close()


def test_a_silent_press_reaches_every_channel_that_answers_and_the_store_waits_for_none(
    tmp_path: Path,
) -> None:
    rig = Rig.make(tmp_path / "store")
    secured = Certificate(tmp_path / "tls")
    hangs, safe, spoken = Receiver(ways.hang), Receiver(OK, tls=secured), Receiver(OK)
    try:
        for name, text in (
            ("slow.toml", f'url = "{hangs.url}"\nsecret = "{SECRET}"\n'),
            ("guards.toml", f'url = "{safe.url}"\nsecret = "{SECRET}"\n'),
            ("boss.txt", f"json://localhost:{spoken.port}/\n"),
        ):
            (rig.directory / name).write_text(text)
            (rig.directory / name).chmod(0o600)
        webhook = 'kind = "webhook"\nallow_private = true\n'
        channels = (
            f'[[outside.channel]]\nname = "slow"\nfile = "slow.toml"\n{webhook}'
            f'[[outside.channel]]\nname = "guards"\nfile = "guards.toml"\n{webhook}'
            f'certificate = "{secured.ca}"\nopened = ["threat"]\n'
            '[[outside.channel]]\nname = "boss"\nkind = "apprise"\nfile = "boss.txt"\nallow_private = true\n'
        )
        rig.configure(lambda text: f"{text}\n{channels}")
        rig.start_broker()
        rig.start("worker")
        rig.start("messenger")
        wait_for(lambda: len(rig.read("SELECT 1 FROM outside_channel")) == 3, "the messenger to begin")
        session = rig.session("kiosk-1", lambda _: None)
        session.start()
        wait_for(lambda: session.connected, "the kiosk's connection")
        wait_for(lambda: "edge-security is connected" in rig.log_of("worker"), "the worker's connection")
        id_, silent = new_id(int(dt.datetime.now(dt.UTC).timestamp() * 1000)), SecurityRequested("hold", True)
        payload = codec.encode_event(id_, silent, "security", clock=Clock(False, new_id(2), 1000))
        session.publish(topics.event(STORE, "kiosk-1", "security"), payload)
        wait_for(lambda: rig.read("SELECT 1 FROM page"), "the page")
        wait_for(lambda: len(safe.calls) == 2 and spoken.calls and hangs.calls, "the channels")
        session.stop()
    finally:
        rig.stop()
        for one in (hangs, safe, spoken):
            one.close()
    by_type = {call.said["type"]: call for call in safe.calls}
    assert set(by_type) == {"security.raised", "incident.opened"}
    data = by_type["security.raised"].said["data"]
    assert data["silent"] and data["zone_title"] == "Shoes" and all(c.signed_with() for c in safe.calls)
    (said,) = spoken.calls
    assert "nobody in the store may notice it from you" in said.said["message"]
    assert not any(name in str(said.said) + str(data) for name in rig.people)
