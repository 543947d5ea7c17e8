"""What devices say of themselves, and what the worker makes of it."""

from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa

from broker import codec, topics
from broker.events import Greeted, HelpRequested, SecurityRequested
from broker.messages import Call, Capture, EdgeState, Replay
from broker.session import Arrival
from broker.topics import Channel, of_device
from edge.devices import store as devices
from edge.handling import acting
from edge.worker.devices import Word
from edge.worker.wallclock import WallClock
from tests.unit.edge.conftest import STORE, Clock, SmallStore
from tests.unit.edge.ingest.server import Kiosk, id_of
from tests.unit.edge.worker.rig import Worker


def test_a_device_that_comes_online_is_told_how_its_open_request_stands(worker: Worker) -> None:
    help_, hold = worker.kiosk.event(HelpRequested()), worker.kiosk.event(SecurityRequested("hold"))
    worker.take(help_, hold)
    worker.kiosk.wait(9)
    worker.take(words=[worker.state()], look=False)
    calls = {call.request: call for call in worker.session.on("call", Call)[-2:]}  # type: ignore[attr-defined]
    assert calls[id_of(help_)].text == "paging.still"  # type: ignore[attr-defined]
    assert calls[id_of(help_)].args == {"people": "2", "seconds": "9"}  # type: ignore[attr-defined]
    assert calls[id_of(hold)].display == "discreet"  # type: ignore[attr-defined]


def test_and_how_its_help_ended_while_it_was_away(worker: Worker, small_store: SmallStore) -> None:
    help_, ana = worker.kiosk.event(HelpRequested()), small_store.people["Ana"]
    worker.take(help_, worker.kiosk.event(SecurityRequested("hold")))
    worker.server.do(acting.acknowledge, str(id_of(help_)), ana)
    worker.server.do(acting.resolve, str(id_of(help_)), ana, "helped", "")
    worker.take(words=[worker.state()])
    texts = {call.request: call.text for call in worker.session.on("call", Call)}  # type: ignore[attr-defined]
    assert texts[id_of(help_)] == "resolved"


def test_and_is_asked_again_for_the_pictures_that_it_was_asked_for(
    worker: Worker, small_store: SmallStore
) -> None:
    with worker.conn.begin():
        devices.set_neighbours(worker.conn, STORE, "shoes", ["tills"])
    worker.take(words=[worker.beat(camera="ok")])
    hold = Kiosk(worker.server, "till-1").event(SecurityRequested("hold"))
    worker.take(hold)
    asked = worker.session.on("command", Capture)
    assert [command.cause for command in asked] == [id_of(hold)]  # type: ignore[attr-defined]
    for retained in (False, True):
        worker.accept_all()
        worker.kiosk.wait(5)
        worker.take(words=[worker.state(retained=retained)])
    asked = worker.session.on("command", Capture)
    assert asked == [asked[0]] * 3, "the same moment, however late"


def test_a_state_is_heard_before_the_events_of_its_batch(worker: Worker) -> None:
    worker.take(words=[worker.beat()])
    worker.kiosk.wait(86_400)
    worker.kiosk.reboot()
    worker.kiosk.wait(10)
    worker.take(worker.kiosk.event(HelpRequested()), words=[worker.state()])
    (request,) = worker.server.requests()
    assert (request["state"], request["age_known"]) == ("raised", True)


def test_no_clock_is_read_from_a_retained_word_but_it_tells_that_the_device_has_rebooted(
    worker: Worker,
) -> None:
    worker.take(words=[worker.beat()])
    worker.kiosk.wait(86_400)
    worker.kiosk.reboot()
    late = [worker.state(retained=True), worker.beat(retained=True)]
    worker.kiosk.wait(300)
    worker.take(worker.kiosk.event(HelpRequested()), words=late)
    (request,) = worker.server.requests()
    assert (request["state"], request["age_known"]) == ("raised", False)
    assert worker.server.paged()


def test_after_a_restart_the_saved_clock_still_tells_the_age_of_the_same_run(
    worker: Worker, clock: Clock
) -> None:
    worker.take(words=[worker.beat()])
    help_ = worker.kiosk.event(HelpRequested())
    worker.kiosk.wait(200)
    again = Worker(worker.conn, clock)
    again.take(help_)
    (request,) = again.server.requests()
    assert (request["state"], request["age_known"]) == ("missed", True)


@pytest.mark.parametrize("hours", [-1, 1, 24])
def test_a_jump_of_the_servers_clock_changes_no_age_and_no_wait(worker: Worker, hours: int) -> None:
    worker.take(words=[worker.beat()])
    first = worker.kiosk.event(HelpRequested())
    worker.take(first)
    worker.kiosk.wait(10)
    jump = timedelta(hours=hours)
    worker.clock.now += jump
    till = Kiosk(worker.server, "till-1")
    worker.take(till.event(SecurityRequested("hold")), look=True, jump=jump)
    (request,) = worker.server.requests(kind="help")
    assert (request["state"], request["step"]) == ("raised", 1)
    second = worker.kiosk.event(HelpRequested())
    worker.kiosk.wait(5)
    worker.take(second)
    (request,) = worker.server.requests(kind="help")
    assert (request["state"], request["step"], request["count"]) == ("raised", 2, 2)
    worker.kiosk.wait(105)
    worker.take()
    assert worker.server.requests(kind="help")[0]["state"] == "missed"


def test_a_jump_is_noticed_once_and_again_if_it_could_not_be_written(clock: Clock) -> None:
    seconds = [0.0]
    wall = WallClock(clock, monotonic=lambda: seconds[0])
    assert wall.jump() is None
    clock.forward(60)
    seconds[0] += 60
    assert wall.jump() is None
    clock.forward(-3600)
    assert wall.jump() == timedelta(hours=-1)
    wall.undo(timedelta(hours=-1))
    assert wall.jump() == timedelta(hours=-1)
    assert wall.jump() is None


def test_a_foreign_offline_on_the_servers_own_state_is_answered_with_online(worker: Worker) -> None:
    will = codec.encode(EdgeState("offline"))
    worker.take(words=[Word(Arrival(topics.edge_state(STORE), will, True, 1, 1, 1), worker.clock())])
    ((_, payload),) = [p for p in worker.session.published if p[0] == topics.edge_state(STORE)]
    assert codec.decode(payload, EdgeState).status == "online"


def test_a_gap_is_asked_for_when_it_is_found_and_again_when_the_device_comes_back(worker: Worker) -> None:
    kiosk = worker.kiosk
    worker.take(kiosk.event(Greeted("in", "a")))
    kiosk.seq = 4
    worker.take(kiosk.event(Greeted("in", "b")))
    worker.take(words=[worker.beat(outbox=kiosk.outbox, oldest_open_seq=6)])
    worker.take(words=[worker.beat(outbox=kiosk.outbox, oldest_open_seq=6)])
    topic = of_device(STORE, "kiosk-1", Channel.COMMAND)
    asked = [codec.decode_command(payload) for found, payload in worker.session.published if found == topic]
    assert asked == [Replay(UUID(int=7), 2)]
    worker.take(words=[worker.state()])
    asked = [codec.decode_command(payload) for found, payload in worker.session.published if found == topic]
    assert asked == [Replay(UUID(int=7), 2)] * 2


def test_a_device_that_is_heard_from_two_places_at_once_is_told_of_and_a_restart_is_not(
    worker: Worker, small_store: SmallStore
) -> None:
    def heard(*runs: int) -> list[tuple[object, ...]]:
        for run in runs:
            worker.kiosk.boot = UUID(int=run)
            worker.take(words=[worker.beat()])
        query = sa.text("SELECT subject, words FROM audit WHERE what = 'device.doubted'")
        with worker.conn.begin():
            return [tuple(row) for row in worker.conn.execute(query)]

    assert heard(1, 1, 2, 2, 3, 4, 3, 3) == []
    twice = [("kiosk-1", "kiosk-1 is heard from two places at once: its identity may have been copied.")]
    assert heard(4) == twice
    assert heard(4, 3, 4, 3, 4) == twice
