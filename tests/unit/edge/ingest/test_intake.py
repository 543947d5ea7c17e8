"""Each event is committed once and receipted, or refused and set aside; nothing stops the line."""

import shutil
import tempfile
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from broker import topics
from broker.events import (
    Attended,
    Cancelled,
    Content,
    DrawerMoved,
    FeedbackGiven,
    Greeted,
    HelpRequested,
    SecurityRequested,
    Tampered,
)
from edge.db.engine import connect, sqlite_url
from edge.db.tables import event, interaction, quarantine
from tests.rig.place import place
from tests.unit.edge.conftest import STORE, Clock
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

EVENT = topics.event(STORE, "kiosk-1", "help")


def test_an_event_is_committed_and_its_number_receipted(server: Server, kiosk: Kiosk) -> None:
    help_ = kiosk.event(HelpRequested("till", "ca"))
    receipts = server.take(help_)["kiosk-1"]
    assert receipts.seqs == {kiosk.outbox: [1]} and not receipts.ids and not receipts.refused
    assert server.events() == [str(id_of(help_))]


def test_without_an_outbox_it_is_receipted_by_id(server: Server, kiosk: Kiosk) -> None:
    greet = kiosk.event(Greeted("in", "pir"), outbox=None, seq=None)
    assert server.take(greet)["kiosk-1"].ids == [id_of(greet)]


def test_a_duplicate_is_receipted_again_and_changes_nothing(server: Server, kiosk: Kiosk) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(help_)
    paged = server.paged()
    assert server.take(help_)["kiosk-1"].seqs == {kiosk.outbox: [1]}
    assert server.take(help_, help_)["kiosk-1"].seqs == {kiosk.outbox: [1, 1]}
    assert server.paged() == paged and len(server.requests()) == 1
    assert server.requests()[0]["count"] == 1


def test_the_same_content_with_its_keys_in_another_order_is_the_same_event(
    server: Server, kiosk: Kiosk
) -> None:
    topic, payload = kiosk.event(HelpRequested())
    values = msgspec.json.decode(payload)
    turned = msgspec.json.encode(dict(reversed(values.items())))
    server.take((topic, payload))
    assert server.take((topic, turned))["kiosk-1"].seqs == {kiosk.outbox: [1]}


@pytest.mark.parametrize("together", [True, False])
def test_other_content_under_a_known_id_is_refused_and_set_aside(
    server: Server, kiosk: Kiosk, together: bool
) -> None:
    first = kiosk.event(HelpRequested("till"))
    forged = kiosk.event(HelpRequested("collect"), id_=id_of(first))
    if together:
        receipts = server.take(first, forged)
    else:
        server.take(first)
        receipts = server.take(forged)
    (refusal,) = receipts["kiosk-1"].refused[kiosk.outbox]
    assert (refusal.seq, refusal.id) == (2, str(id_of(first)))
    assert server.refusals() == ["This id is already committed with other content."]
    assert server.requests()[0]["topic"] == "till"


def _envelope(**more: object) -> bytes:
    values: dict[str, object] = {
        "id": "0190a1b2-0000-7000-8000-000000000001", "outbox": str(UUID(int=7)), "seq": 5, "kind": "help",
        "data": {},
    }  # fmt: skip
    return msgspec.json.encode({**values, **more})


BAD = {
    "no JSON": (EVENT, b"\xff{"),
    "not an envelope": (EVENT, b"[1]"),
    "unknown kind": (topics.event(STORE, "kiosk-1", "dance"), _envelope(kind="dance")),
    "kind of another topic": (EVENT, _envelope(kind="greet")),
    "wrong data": (EVENT, _envelope(data={"topic": 5})),
    "too large": (EVENT, _envelope(data={"topic": "help", "more": "x" * 9000})),
    "another store": (topics.event("mall", "kiosk-1", "help"), _envelope()),
    "an outbox without a number": (EVENT, _envelope(seq=None)),
    "nested without end": (EVENT, b'{"id":' + b"[" * 8000),
    "empty": (EVENT, b""),
}


@pytest.mark.parametrize("what", BAD)
def test_what_is_none_of_the_contract_is_refused_and_set_aside_while_the_line_goes_on(
    server: Server, kiosk: Kiosk, what: str
) -> None:
    before, after = kiosk.event(Greeted("in", "pir")), kiosk.event(HelpRequested())
    receipts = server.take(before, BAD[what], after)["kiosk-1"]
    assert receipts.seqs == {kiosk.outbox: [1, 2]}
    ((refusal,),) = receipts.refused.values()
    assert server.refusals() == [refusal.reason] and refusal.reason.endswith(".")
    assert len(server.events()) == 2


def test_a_refusal_names_its_outbox_so_that_a_number_alone_can_be_found_again(
    server: Server, kiosk: Kiosk
) -> None:
    payload = _envelope(id="no id at all")
    refused = server.take((EVENT, payload))["kiosk-1"].refused
    assert [(r.id, r.seq) for r in refused[UUID(int=7)]] == [(None, 5)]


def test_the_same_refused_payload_again_only_raises_its_count(server: Server) -> None:
    server.take(BAD["empty"], BAD["empty"])
    server.take(BAD["empty"])
    assert [row["count"] for row in server.rows(quarantine)] == [3]


def test_a_refused_event_is_not_receipted_even_if_it_came_twice(server: Server, kiosk: Kiosk) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(help_)
    other = Kiosk(server, "till-1")
    cancel = other.event(Cancelled(id_of(help_)))
    receipts = server.take(cancel, cancel)["till-1"]
    assert not receipts.seqs and len(receipts.refused[other.outbox]) == 1
    assert len(server.events()) == 1


def test_what_needs_nobody_is_logged_and_pages_nobody(server: Server, kiosk: Kiosk) -> None:
    contents: list[Content] = [
        Greeted("in", "pir"),
        FeedbackGiven(2, "It took long."),
        Tampered("case"),
        DrawerMoved(True),
    ]
    server.take(*(kiosk.event(content) for content in contents))
    rows = {row["kind"]: row for row in server.rows(interaction)}
    assert set(rows) == {"greet", "feedback", "tamper", "drawer"}
    assert all(row["state"] == "recorded" and row["zone"] == "shoes" for row in rows.values())
    assert (rows["feedback"]["score"], rows["feedback"]["reason"]) == (2, "It took long.")
    assert server.paged() == []


def test_a_rolled_back_batch_has_left_nothing_and_can_be_taken_again(
    server: Server, kiosk: Kiosk, conn: sa.Connection, sqlite_only: None
) -> None:
    help_ = kiosk.event(HelpRequested())
    conn.exec_driver_sql(
        "CREATE TEMP TRIGGER fault BEFORE INSERT ON page BEGIN SELECT RAISE(ABORT, 'x'); END"
    )
    conn.commit()
    with pytest.raises(sa.exc.DBAPIError):
        server.take(help_)
    assert server.events() == [] and server.requests() == []
    conn.exec_driver_sql("DROP TRIGGER fault")
    conn.commit()
    assert server.take(help_)["kiosk-1"].seqs == {kiosk.outbox: [1]}


_steps = st.lists(
    st.tuples(st.sampled_from(["greet", "help", "security", "cancel", "attend"]), st.integers(0, 90)),
    min_size=1,
    max_size=10,
)


@settings(max_examples=40)
@given(steps=_steps, random=st.randoms(use_true_random=False), batch=st.integers(1, 6))
def test_however_a_set_of_events_is_shuffled_and_repeated_each_is_committed_and_counted_exactly_once(
    sqlite_template: tuple[Path, dict[str, str]], steps: list[tuple[str, int]], random: object, batch: int
) -> None:
    with tempfile.TemporaryDirectory(dir=place()) as folder:
        path = Path(folder) / "floorbell.db"
        shutil.copyfile(sqlite_template[0], path)
        engine = connect(sqlite_url(path), write=True)
        with engine.connect() as conn:
            server = Server(conn, Clock())
            kiosk = Kiosk(server)
            arrivals, presses = [], []
            for kind, pause in steps:
                kiosk.wait(pause)
                about = presses[-1] if presses else UUID(int=99)
                content: Content = {
                    "greet": Greeted("in", "pir"),
                    "help": HelpRequested(),
                    "security": SecurityRequested("hold"),
                    "cancel": Cancelled(about),
                    "attend": Attended(about),
                }[kind]
                arrivals.append(kiosk.event(content))
                if kind in ("help", "security"):
                    presses.append(id_of(arrivals[-1]))
            kiosk.heard()
            delivered = arrivals + [a for a in arrivals if random.random() < 0.5]  # type: ignore[attr-defined]
            random.shuffle(delivered)  # type: ignore[attr-defined]
            receipted: set[int] = set()
            while delivered:
                taken, delivered = delivered[:batch], delivered[batch:]
                for given_ in server.take(*taken).values():
                    assert not given_.refused
                    receipted.update(*given_.seqs.values())
                kiosk.wait(1)
                kiosk.heard()
                server.timers()
            assert receipted == set(range(1, len(arrivals) + 1))
            assert server.events() == sorted(str(id_of(a)) for a in arrivals)
            kinds = [kind for kind, _ in steps]
            for kind in ("greet", "help", "security"):
                assert sum(row["count"] for row in server.rows(interaction, kind=kind)) == kinds.count(kind)
            open_helps = [r for r in server.requests(kind="help") if r["state"] == "raised"]
            assert len(open_helps) <= 1
            assert len(server.rows(event)) == len(arrivals)
        engine.dispose()


def test_a_device_that_sends_nothing_but_nonsense_does_not_fill_the_feed(server: Server) -> None:
    server.take(*[(EVENT, b"nonsense %d" % number) for number in range(50)])
    assert len(server.refusals()) == 50
    assert server.audiences() == {"manage": [{"device": "kiosk-1", "status": "refused"}]}
