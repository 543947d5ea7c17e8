"""One batch, one commit, and only then receipts, PUBACKs and messages."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from broker import topics
from broker.events import Greeted, HelpRequested, SecurityRequested
from broker.messages import Call, Receipt
from broker.session import Arrival
from broker.topics import Channel
from edge.config import Policies
from edge.db.engine import connect
from edge.db.store_tables import device
from edge.db.tables import event, outgoing, page, quarantine, timer
from edge.handling import acting, escalating
from edge.ingest.inbox import Inbox, Waiting
from edge.worker.commits import UNAVAILABLE, Batch, Commits, Link
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, id_of
from tests.unit.edge.worker.rig import FakeSession, Worker


def test_a_receipt_and_a_puback_come_only_when_another_connection_sees_the_event(
    worker: Worker, small_store: SmallStore
) -> None:
    reader = connect(small_store.url, write=False)

    def committed(topic: str = "") -> int:
        with reader.connect() as conn:
            return conn.execute(sa.select(sa.func.count()).select_from(event)).scalar_one()

    seen: list[int] = []
    worker.session.on_publish = lambda topic: seen.append(committed(topic))
    worker.take(worker.kiosk.event(HelpRequested()))
    reader.dispose()
    assert seen and set(seen) == {1}
    assert worker.session.on("receipt", Receipt) == [Receipt(outbox=worker.kiosk.outbox, seqs=[1])]
    assert len(worker.session.acknowledged) == 1


def fill_the_disk(conn: sa.Connection) -> Callable[[], None]:
    pages = conn.exec_driver_sql("PRAGMA page_count").scalar()
    conn.exec_driver_sql(f"PRAGMA max_page_count={pages}")
    conn.commit()

    def free() -> None:
        conn.exec_driver_sql("PRAGMA max_page_count=1000000")
        conn.commit()

    return free


def hold_the_lock(conn: sa.Connection) -> Callable[[], None]:
    other = connect(str(conn.engine.url), write=True)
    held = other.connect()
    held.begin()

    def free() -> None:
        held.close()
        other.dispose()

    return free


@pytest.mark.parametrize("fault", [fill_the_disk, hold_the_lock])
def test_while_the_database_cannot_be_written_nothing_is_said_and_afterwards_nothing_is_missing(
    worker: Worker, fault: Callable[[sa.Connection], Callable[[], None]]
) -> None:
    link = Link("edge-worker", True, True)
    arrivals = [worker.kiosk.event(Greeted("in", "x" * 30)) for _ in range(64)]
    free = fault(worker.conn)
    events = [Waiting(worker.session, Arrival(*a, False, 1, n, 1)) for n, a in enumerate(arrivals)]  # type: ignore[arg-type]
    batch = Batch(events, {"link": link, "beat": worker.beat()})
    for _ in range(2):
        with pytest.raises(UNAVAILABLE):
            worker.commits.take(worker.conn, batch)
        assert worker.session.published == [] and worker.session.acknowledged == []
        assert len(batch.events) == 64 and len(batch.words) == 2
    free()
    worker.commits.take(worker.conn, batch)
    (receipt,) = worker.session.on("receipt", Receipt)
    assert receipt.seqs == list(range(1, 65))  # type: ignore[attr-defined]
    assert (topics.edge_state(STORE)) in [topic for topic, _ in worker.session.published]


def test_what_could_not_be_committed_waits_again_in_its_old_order_before_what_came_since() -> None:
    inbox, session = Inbox(), FakeSession()

    def put(mid: int, kind: str = "greet") -> None:
        arrival = Arrival(topics.event(STORE, "kiosk-1", kind), b"", False, 1, mid, 1)
        inbox.put_event(Waiting(session, arrival))  # type: ignore[arg-type]

    def taken(most: int) -> tuple[list[int], dict[object, object]]:
        events, words = inbox.take(most)
        back.append((events, words))
        return [w.arrival.mid for w in events], words

    back: list[tuple[list[Waiting], dict[object, object]]] = []
    for mid in range(3):
        put(mid)
    put(9, "security")
    inbox.put_word("a", "old")
    inbox.put_word("b", "old")
    assert taken(2)[0] == [9]
    put(10, "security")
    inbox.put_word("a", "new")
    inbox.put_back(*back[-1])
    assert taken(2) == ([9, 10], {"b": "old", "a": "new"})
    assert taken(2)[0] == [0, 1]
    put(3)
    inbox.put_back(*back[-1])
    assert taken(9)[0] == [0, 1, 2, 3]


def poison(conn: sa.Connection, sensor: str) -> None:
    """A bug that only one event triggers; an id, in hex, never says `sensor`."""
    conn.exec_driver_sql(
        "CREATE TEMP TRIGGER bug BEFORE INSERT ON event WHEN instr(NEW.payload, '" + sensor + "') "
        "BEGIN SELECT RAISE(ABORT, 'bug'); END"
    )
    conn.commit()


def test_an_event_that_trips_over_a_bug_is_set_aside_and_the_others_are_committed(worker: Worker) -> None:
    poison(worker.conn, "poison")
    kiosk = worker.kiosk
    arrivals = [kiosk.event(Greeted("in", sensor)) for sensor in ("a", "b", "poison", "c")]
    batch = worker.take(*arrivals, words=[worker.beat()])
    receipts = worker.session.on("receipt", Receipt)
    assert [r.seqs for r in receipts] == [[1], [2], [], [4]]  # type: ignore[attr-defined]
    assert [r.seq for r in receipts[2].refused] == [3]  # type: ignore[attr-defined]
    assert len(worker.server.rows(event)) == 3 and len(worker.server.rows(quarantine)) == 1
    assert len(worker.session.acknowledged) == 4 and batch.events == []
    assert worker.server.rows(device, name="kiosk-1")[0]["heartbeat_at"] == worker.clock()


def test_a_security_request_that_trips_over_a_bug_is_shown_but_not_refused_and_pages_when_it_comes_again(
    worker: Worker, small_store: SmallStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    def trip(*_: object) -> None:
        raise RuntimeError("a bug")

    press = worker.kiosk.event(SecurityRequested("hold"))
    with monkeypatch.context() as broken:
        broken.setattr(escalating, "choose", trip)
        worker.take(press)
    assert worker.server.refusals() == ["The server could not handle this event."]
    assert worker.session.on("receipt", Receipt) == [] and len(worker.session.acknowledged) == 1
    worker.take(press)
    assert worker.server.paged() != [] and worker.session.on("receipt", Receipt) != []


def test_an_id_that_another_device_has_used_is_refused_with_that_reason(worker: Worker) -> None:
    help_ = worker.kiosk.event(HelpRequested())
    worker.take(help_)
    till = Kiosk(worker.server, "till-1")
    worker.take(till.event(HelpRequested(), id_=id_of(help_)), till.event(Greeted("in", "pir")))
    assert worker.server.refusals() == ["The id of this event is already another device's."]
    receipts = worker.session.on("receipt", Receipt, "till-1")
    assert [r.seqs for r in receipts] == [[], [2]]  # type: ignore[attr-defined]


def test_a_disk_that_fills_up_between_single_events_repeats_only_the_rest(worker: Worker) -> None:
    poison(worker.conn, "poison")
    arrivals = [worker.kiosk.event(Greeted("in", sensor)) for sensor in ("a", "poison", "c")]
    events = [Waiting(worker.session, Arrival(*a, False, 1, n, 1)) for n, a in enumerate(arrivals)]  # type: ignore[arg-type]
    batch = Batch(events, {})
    free: list[Callable[[], None]] = []

    def after_the_first(topic: str) -> None:
        if not free:
            free.append(hold_the_lock(worker.conn))

    worker.session.on_publish = after_the_first
    with pytest.raises(UNAVAILABLE):
        worker.commits.take(worker.conn, batch)
    assert [w.arrival.mid for w in batch.events] == [1, 2]
    free[0]()
    worker.commits.take(worker.conn, batch)
    assert len(worker.server.rows(event)) == 2 and len(worker.server.rows(quarantine)) == 1


def test_a_word_that_trips_over_a_bug_stops_neither_the_worker_nor_the_other_words(worker: Worker) -> None:
    worker.conn.exec_driver_sql(
        "CREATE TEMP TRIGGER bug BEFORE UPDATE OF heartbeat ON device BEGIN SELECT RAISE(ABORT, 'bug'); END"
    )
    worker.conn.commit()
    worker.take(worker.kiosk.event(Greeted("in", "a")), words=[worker.beat(), worker.state()])
    assert worker.server.rows(device, name="kiosk-1")[0]["status"] == "online"
    assert len(worker.session.on("receipt", Receipt)) == 1


def test_a_word_that_is_none_of_the_contract_is_only_logged(worker: Worker) -> None:
    worker.take(
        words=[worker.word(Channel.STATE, b"\x00"), worker.word(Channel.HEARTBEAT, b"{}"), worker.beat()]
    )
    assert worker.server.rows(device, name="kiosk-1")[0]["heartbeat_at"] == worker.clock()


def test_a_timer_that_trips_over_a_bug_is_tried_again_and_the_others_fire(worker: Worker) -> None:
    till = Kiosk(worker.server, "till-1")
    bad, good = worker.kiosk.event(HelpRequested("bad")), till.event(HelpRequested("good"))
    worker.take(bad, good)
    request = str(id_of(bad))
    worker.conn.exec_driver_sql(
        f"CREATE TEMP TRIGGER bug BEFORE INSERT ON timeline WHEN NEW.interaction = '{request}' "
        "BEGIN SELECT RAISE(ABORT, 'bug'); END"
    )
    worker.conn.commit()
    worker.kiosk.wait(45)
    worker.take()
    steps = {row["id"]: row["step"] for row in worker.server.requests()}
    assert steps == {request: 1, str(id_of(good)): 4}
    worker.conn.exec_driver_sql("DROP TRIGGER bug")
    worker.conn.commit()
    worker.kiosk.wait(5)
    worker.take()
    assert {row["step"] for row in worker.server.requests()} == {4}


def test_a_message_is_marked_sent_once_the_broker_has_it_and_is_not_sent_again(worker: Worker) -> None:
    worker.take(worker.kiosk.event(HelpRequested()))
    worker.take(look=True)
    assert [row["sent_at"] for row in worker.server.rows(outgoing)] == [None]
    worker.accept_all()
    worker.take(look=True)
    assert [row["sent_at"] for row in worker.server.rows(outgoing)] == [worker.clock()]
    worker.clock.forward(6)
    worker.take(look=True)
    assert len(worker.session.on("call", Call)) == 1


def test_what_the_broker_never_took_is_sent_again_when_its_lease_ends(worker: Worker) -> None:
    worker.take(worker.kiosk.event(HelpRequested()))
    worker.sender.lost()
    worker.clock.forward(4)
    worker.take(look=True)
    assert len(worker.session.on("call", Call)) == 1
    worker.clock.forward(2)
    worker.take(look=True)
    assert len(worker.session.on("call", Call)) == 2


def test_what_another_process_wrote_is_sent_at_the_next_look(worker: Worker, small_store: SmallStore) -> None:
    help_ = worker.kiosk.event(HelpRequested())
    worker.take(help_)
    worker.server.do(acting.acknowledge, str(id_of(help_)), small_store.people["Ana"])
    worker.take(look=True)
    call = worker.session.on("call", Call)[-1]
    assert (call.text, call.name) == ("coming", "Ana")  # type: ignore[attr-defined]


def test_the_next_timer_is_known_after_each_look(worker: Worker) -> None:
    worker.take()
    assert worker.commits.next_timer is None
    worker.take(worker.kiosk.event(HelpRequested()))
    due = min(row["due_at"] for row in worker.server.rows(timer))
    assert worker.commits.next_timer == due


def test_a_batch_with_security_and_greetings_pages_in_one_commit(worker: Worker) -> None:
    hold = worker.kiosk.event(SecurityRequested("hold"))
    worker.take(hold, *(worker.kiosk.event(Greeted("in", "a")) for _ in range(63)))
    assert {row["request"] for row in worker.server.rows(page)} == {str(id_of(hold))}


def test_a_security_request_waits_for_one_part_of_a_batch_and_everything_else_waits_for_it(
    worker: Worker,
) -> None:
    waiting = [True]
    commits = Commits(STORE, Policies(), "w", worker.sender, lambda: None, worker.clock, lambda: waiting[0])
    arrivals = [worker.kiosk.event(Greeted("in", "a")) for _ in range(40)]
    events = [Waiting(worker.session, Arrival(*a, False, 1, n, 1)) for n, a in enumerate(arrivals)]  # type: ignore[arg-type]
    greets = Batch(events, {})
    commits.take(worker.conn, greets)
    assert (len(worker.server.rows(event)), len(greets.events), len(greets.left)) == (16, 16, 24)
    assert worker.session.acknowledged == [] and worker.session.on("receipt", Receipt) == []
    waiting[0] = False
    hold = Arrival(*worker.kiosk.event(SecurityRequested("hold")), False, 1, 99, 1)  # type: ignore[arg-type]
    commits.take(worker.conn, Batch([Waiting(worker.session, hold)], {}))  # type: ignore[arg-type]
    assert [arrival.mid for arrival in worker.session.acknowledged] == [*range(16), 99]
    commits.take(worker.conn, Batch(greets.left, {}))
    assert len(worker.server.rows(event)) == 41
