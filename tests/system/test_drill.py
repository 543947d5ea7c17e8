"""A whole drill through real programs, and one with a broken path."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.cli import floorbell
from edge.audit.store import Actor
from edge.db.engine import connect
from edge.drills import store as drills
from edge.drills.result import check, file_of
from edge.drills.store import Drill
from edge.handling import drilling
from edge.hint import Hinter
from tests.rig import kiosk
from tests.rig.store import STORE, Rig, listens, wait_for

pytestmark = pytest.mark.system
BY = Actor("Mira", "command")


@pytest.fixture
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Broker, worker, web and vault of the trial store run; its kiosk is configured."""
    # Not below the test's own name: the path of a socket must be short.
    made = Rig.make(tmp_path_factory.mktemp("drilled") / "store")
    made.start_broker()
    kiosk.configure(made, "kiosk-1", screen=True)
    for program in ("worker", "web", "vault"):
        made.start(program)
    yield made
    made.stop()


def ask(rig: Rig, kind: str, responder: str = "test") -> str:
    engine = connect(rig.config.database_url, write=True)
    hinter = Hinter(rig.config.hint_path)
    try:
        with engine.begin() as conn:
            found = drilling.ask(conn, STORE, BY, "kiosk-1", kind, responder, datetime.now(UTC))
        hinter.send()
        return found
    finally:
        hinter.close()
        engine.dispose()


def drill(rig: Rig, id_: str) -> Drill:
    engine = connect(rig.config.database_url, write=False)
    try:
        with engine.connect() as conn:
            found = drills.find(conn, STORE, id_)
            assert found is not None
            return found
    finally:
        engine.dispose()


def ended(rig: Rig, id_: str, timeout_s: float = 25) -> Drill:
    """The drill once it is judged and signed."""

    def look() -> Drill | None:
        one = drill(rig, id_)
        return one if one.over and one.signature else None

    return wait_for(look, f"The end of the drill {id_}", timeout_s)


def online(rig: Rig) -> None:
    # Four programs start at once, on whatever machine this is.
    heard = "select 1 from device where heartbeat_at is not null"
    wait_for(lambda: rig.read(heard), "The kiosk's heartbeat", 45)
    wait_for(lambda: listens(rig.config.web.port), "The pages", 45)


@pytest.mark.parametrize("kind", ["help", "security"])
def test_a_whole_drill_passes_with_the_time_of_each_hop_and_a_signed_result(
    rig: Rig, kind: str, tmp_path: Path
) -> None:
    hand = kiosk.start(rig, "kiosk-1")
    online(rig)
    id_ = ask(rig, kind)
    one = ended(rig, id_)
    assert one.state == "passed", (one.words, rig.log_of("worker"))
    assert one.result is not None and one.key is not None and one.signature is not None
    result = json.loads(one.result)
    hops = [hop["hop"] for hop in result["hops"]]
    assert [hop for hop in hops if hop != "written"] == [hop for hop in drilling.HOPS if hop != "written"]
    # Only the responder was called, and the log says that it was a drill.
    assert rig.read("select distinct p.name from page join person p on p.id = page.person") == [
        ("Test responder",)
    ]
    assert rig.read("select drill, state from interaction where id = :id", id=id_) == [(1, "resolved")]
    assert rig.read("select count(*) from tally where name like '%answered%'") == [(0,)]
    path = tmp_path / "result.json"
    path.write_bytes(file_of(one.result, one.key, one.signature))
    assert check(path.read_bytes(), one.key).finding == "ok"
    found = CliRunner().invoke(floorbell, ["drill", "verify", str(path), "--key", one.key])
    assert found.exit_code == 0 and "passed" in found.output
    del hand


def test_a_drill_names_the_hop_where_the_path_is_broken(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    kiosk.start(rig, "kiosk-1")
    online(rig)
    rig.kill("kiosk-1")
    id_ = ask(rig, "help")
    one = ended(rig, id_, 50)
    assert (one.state, one.hop) == ("failed", "pressed")
    assert one.words is not None and one.words.startswith("No press came from kiosk-1 since its command left")
    assert "offline since" in one.words


def test_a_drill_with_the_broker_gone_never_left_the_server(rig: Rig) -> None:
    kiosk.start(rig, "kiosk-1")
    online(rig)
    rig.kill("broker")
    id_ = ask(rig, "help")
    one = ended(rig, id_, 50)
    assert (one.state, one.hop) == ("failed", "sent")
    assert one.words is not None and "has not left the server" in one.words
    # Its command is not kept for later: nobody is called for it once the path is whole again.
    assert rig.read("select count(*) from interaction where kind <> 'trouble'") == [(0,)]
