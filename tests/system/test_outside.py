"""The messenger as a real process, killed at the worst moment: nothing is lost, and no id is new twice."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.db.engine import connect
from edge.outside import store as outside
from edge.outside.channels import TEST
from tests.rig import receiver as ways
from tests.rig.receiver import OK, SECRET, Receiver
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
