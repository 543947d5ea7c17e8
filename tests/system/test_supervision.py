"""A real kiosk, broker and worker: who dies is told of in time, and back again once."""

import datetime as dt
import signal
import time
from collections.abc import Iterator

import pytest

from edge.db.engine import connect
from edge.people.store import set_presence
from tests.rig import kiosk
from tests.rig.store import STORE, Rig, wait_for

pytestmark = pytest.mark.system


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Everything runs, the manager is on the floor, and the kiosk has been heard."""
    rig = Rig.make(tmp_path_factory.mktemp("watched") / "store")
    engine = connect(rig.config.database_url, write=True)
    with engine.begin() as conn:
        set_presence(conn, STORE, rig.people["Mira"].id, "available", dt.datetime.now(dt.UTC))
    engine.dispose()
    kiosk.configure(rig, "kiosk-1")
    rig.start_broker()
    rig.start("worker")
    kiosk.start(rig, "kiosk-1")
    beats = "SELECT 1 FROM device WHERE heartbeat_at IS NOT NULL"
    wait_for(lambda: rig.read(beats), "The first heartbeat")
    yield rig
    rig.stop()


def told(rig: Rig) -> list[tuple[str, bool]]:
    # Nobody here has a phone, which is told too.
    query = "SELECT what, over_at IS NOT NULL FROM trouble JOIN trouble_told ON trouble = id"
    return [(what, bool(over)) for what, over in rig.read(query) if what != "phone"]


def test_a_killed_kiosk_is_told_of_within_20_s_and_a_dead_broker_is_not_called_dead_kiosks(rig: Rig) -> None:
    rig.signal("kiosk-1", signal.SIGKILL)
    killed_s = time.monotonic()
    wait_for(lambda: told(rig), "The page about the silent kiosk", 25)
    assert time.monotonic() - killed_s < 20
    kiosk.start(rig, "kiosk-1")
    well = "SELECT 1 FROM trouble WHERE well_at IS NOT NULL"
    wait_for(lambda: rig.read(well), "The kiosk's return", 20)
    rig.kill("broker")
    wait_for(lambda: ("broker", False) in told(rig), "The page about the broker", 30)
    assert sorted(told(rig)) == [("broker", False), ("silent", False)]
