"""Drills on a server without a wire: the press and the answers are given by hand."""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from broker import codec
from broker.events import Attended, HelpRequested, SecurityRequested
from broker.messages import CallState, Drill
from broker.signing import Signer, is_signed
from broker.topics import Channel, of_device
from edge.audit.store import Actor
from edge.config import Policies
from edge.db.drill_tables import drill
from edge.db.store_tables import person
from edge.db.tables import outgoing, tally
from edge.drills import store as drills
from edge.drills.result import to_sign
from edge.errors import Refused
from edge.handling import acting, drilling, following, handing_on, summoning
from edge.handling.drilling import Assignment, DrillError
from edge.handling.telling import Telling
from edge.paging import timers
from edge.paging.timers import Timer
from edge.people import sessions
from edge.routing import roster
from edge.schedule import LATE, Plan
from edge.supervision import heard
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server

BY = Actor("Mira", "command")
HELP, HOLD = HelpRequested("find-item"), SecurityRequested("hold", True)


class Drills:
    """The worker's looks; `sent` are those that the built-in responder was sent to answer."""

    def __init__(self, server: Server) -> None:
        self.server, self.plan = server, Plan()
        self.sent: list[Assignment] = []

    def look(self, trouble: str | None = None) -> None:
        server, telling, now = self.server, Telling(STORE), self.server.clock()
        with server.conn.begin():
            busy = {one.drill for one in self.sent}
            self.sent += drilling.look(
                server.conn, telling, self.plan, busy.__contains__, lambda _: trouble, now
            )
            telling.flush(server.conn, now)

    def ask(self, kind: str = "help", responder: str = "test") -> str:
        with self.server.conn.begin():
            args = (self.server.conn, STORE, BY, "kiosk-1", kind, responder, self.server.clock())
            return drilling.ask(*args)

    def row(self) -> dict[str, object]:
        (row,) = self.server.rows(drill)
        return dict(row)


@pytest.fixture
def drilled(server: Server) -> Drills:
    return Drills(server)


def press(server: Server, kiosk: Kiosk, id_: str, kind: str = "help") -> None:
    server.take(kiosk.event(HELP if kind == "help" else HOLD, id_=UUID(id_), drill=True))


def responder_of(server: Server) -> str:
    (row,) = server.rows(person, role="drill")
    return str(row["id"])


@pytest.mark.parametrize("kind", ["help", "security"])
def test_a_drill_calls_its_responder_alone_and_passes_once_the_kiosk_has_heard(
    server: Server, kiosk: Kiosk, drilled: Drills, kind: str
) -> None:
    id_ = drilled.ask(kind)
    drilled.look()
    topic = of_device(STORE, "kiosk-1", Channel.COMMAND)
    (command,) = [row["payload"] for row in server.rows(outgoing) if row["topic"] == topic]
    assert codec.decode_command(command) == Drill("help" if kind == "help" else "security", UUID(id_))
    press(server, kiosk, id_, kind)
    assert server.paged() == ["Test responder"]
    server.do(acting.acknowledge, id_, responder_of(server))
    told = server.calls()[-1]
    assert told.drill and told.state is CallState.ACKNOWLEDGED
    assert told.display == ("discreet" if kind == "security" else "open")
    server.take(kiosk.event(Attended(UUID(id_)), drill=True))
    drilled.look()
    assert drilled.row()["state"] == "passed"
    (request,) = server.requests()
    assert (request["drill"], request["state"]) == (True, "resolved")
    assert not [row for row in server.rows(tally) if "answered" in row["name"]]


def test_the_built_in_responder_is_sent_once_with_a_session_of_its_own(
    server: Server, drilled: Drills
) -> None:
    drilled.ask()
    drilled.look()
    drilled.look()
    (one,) = drilled.sent
    with server.conn.begin():
        key = sessions.key_of(one.token)
        found = sessions.find(server.conn, STORE, "floor", key, server.clock())
        assert found is not None and found.person.name == "Test responder"
        # It is on no roster, and signing in has not made it present.
        floor = roster.read(server.conn, STORE, server.clock())
        assert found.person.presence == "off" and found.person.id not in {c.id for c in floor.roster}


def test_a_drill_escalates_nowhere_however_long_nobody_answers(
    server: Server, kiosk: Kiosk, drilled: Drills
) -> None:
    id_ = drilled.ask("security")
    drilled.look()
    press(server, kiosk, id_, "security")
    # Another press that is marked as a drill joins it, and a worker begins anew.
    server.take(kiosk.event(HOLD, drill=True))
    with server.conn.begin():
        following.hold_to(server.conn, Telling(STORE), Policies(), server.clock())
        # Even one that should not be there calls nobody.
        timers.set_due(server.conn, STORE, id_, Timer.ESCALATE, server.clock())
    for _ in range(6):
        kiosk.wait(10)
        server.timers()
        drilled.look()
    assert server.paged() == ["Test responder"]
    assert (drilled.row()["state"], drilled.row()["hop"]) == ("failed", "written")
    assert server.requests()[0]["state"] == "missed"


def test_a_real_press_during_a_drill_is_a_real_one(server: Server, kiosk: Kiosk, drilled: Drills) -> None:
    id_ = drilled.ask()
    drilled.look()
    press(server, kiosk, id_)
    server.take(kiosk.event(HELP))
    real = [row for row in server.requests() if not row["drill"]]
    assert len(real) == 1 and set(server.paged()) > {"Test responder"}
    assert [call.drill for call in server.calls()] == [True, False]


def test_a_press_that_comes_after_its_drill_is_over_calls_nobody(
    server: Server, kiosk: Kiosk, drilled: Drills
) -> None:
    id_ = drilled.ask("security")
    drilled.look()
    kiosk.wait(31)
    drilled.look("The test responder: nobody answers.")
    assert (drilled.row()["state"], drilled.row()["hop"]) == ("failed", "sent")
    press(server, kiosk, id_, "security")
    assert server.paged() == []
    assert server.requests()[0]["state"] == "missed"
    assert "The drill was over when its press came" in server.words()[-1]


def test_a_person_who_agreed_answers_in_turn_and_a_refusal_calls_nobody_else(
    server: Server, kiosk: Kiosk, drilled: Drills, small_store: SmallStore
) -> None:
    ana = small_store.people["Ana"]
    with server.conn.begin():
        drilling.set_agreed(server.conn, STORE, BY, {ana}, server.clock())
    id_ = drilled.ask(responder="people")
    drilled.look()
    assert drilled.sent == [] and drilled.row()["responder_name"] == "Ana"
    press(server, kiosk, id_)
    assert server.paged() == ["Ana"]
    with server.conn.begin():
        handing_on.decline(server.conn, STORE, Policies(), id_, ana, "with-shopper", server.clock())
    assert server.paged() == ["Ana"]
    drilled.look()
    assert drilled.row()["hop"] == "acknowledged"
    assert str(drilled.row()["words"]).startswith("Ana said at ")


def test_whoever_answers_a_drill_calls_nobody_else_to_it(
    server: Server, kiosk: Kiosk, drilled: Drills, small_store: SmallStore
) -> None:
    ana, bo = small_store.people["Ana"], small_store.people["Bo"]
    id_ = drilled.ask()
    drilled.look()
    press(server, kiosk, id_)
    server.do(acting.acknowledge, id_, ana)
    for call, args in ((summoning.call_to_request, ()), (handing_on.hand_over, (bo, "size 42"))):
        with pytest.raises(Refused, match="This is a drill"):
            server.do(call, id_, ana, *args)
    assert server.paged() == ["Test responder"]


def test_where_nobody_who_agreed_is_free_the_built_in_responder_answers(drilled: Drills) -> None:
    drilled.ask(responder="people")
    drilled.look()
    assert drilled.row()["built_in"] and len(drilled.sent) == 1


def test_the_plan_begins_one_a_day_and_a_missing_one_is_written_down_once(
    server: Server, drilled: Drills
) -> None:
    drilled.plan = Plan(f"{server.clock().astimezone():%H:%M}")
    drilled.look()
    drilled.look()
    first = drilled.row()
    assert (first["cause"], first["state"], first["device"]) == ("plan", "running", "kiosk-1")
    server.clock.forward(86_400 + LATE.total_seconds() + 60)
    drilled.look()
    drilled.look()
    rows = sorted(server.rows(drill), key=lambda row: row["asked_at"])
    assert [row["state"] for row in rows] == ["failed", "failed"]
    assert rows[1]["hop"] == "asked" and "did not take place" in rows[1]["words"]
    assert rows[1]["device"] == "till-1"


def test_results_are_signed_by_the_stores_key(server: Server, drilled: Drills) -> None:
    drilled.ask()
    drilled.look()
    server.clock.forward(31)
    drilled.look()
    signer = Signer(Ed25519PrivateKey.generate())
    with server.conn.begin():
        assert drills.sign_due(server.conn, STORE, signer) == 1
        assert drills.sign_due(server.conn, STORE, signer) == 0
    row = drilled.row()
    assert is_signed(signer.key, to_sign(str(row["result"])), str(row["signature"]))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda args: args | {"device": "till-9"}, "this store has kiosk-1, till-1"),
        (lambda args: args | {"kind": "tea"}, "allowed are help, security"),
        (lambda args: args | {"responder": "cat"}, "allowed are test, people"),
    ],
)
def test_what_cannot_be_drilled_is_named(
    server: Server, change: Callable[[dict[str, str]], dict[str, str]], words: str
) -> None:
    args = change({"device": "kiosk-1", "kind": "help", "responder": "test"})
    with pytest.raises(DrillError, match=words), server.conn.begin():
        drilling.ask(server.conn, STORE, BY, *args.values(), server.clock())


def test_one_kiosk_drills_once_at_a_time(server: Server, drilled: Drills) -> None:
    drilled.ask()
    with pytest.raises(Refused, match="wait until it is over"):
        drilled.ask()


def test_a_failed_drill_is_told_as_trouble_until_the_next_one_passes(
    server: Server, kiosk: Kiosk, drilled: Drills
) -> None:
    def failed() -> list[str]:
        with server.conn.begin():
            said = heard.said(server.conn, STORE, (), server.clock())
        return [one.name for one in said if one.drill_failed]

    drilled.ask()
    drilled.look()
    kiosk.wait(31)
    drilled.look()
    assert failed() == ["kiosk-1"]
    kiosk.wait(1)
    id_ = drilled.ask()
    drilled.look()
    press(server, kiosk, id_)
    server.do(acting.acknowledge, id_, responder_of(server))
    server.take(kiosk.event(Attended(UUID(id_)), drill=True))
    drilled.look()
    assert failed() == []


def test_a_jump_of_the_clock_ends_no_drill(server: Server, drilled: Drills) -> None:
    drilled.ask()
    drilled.look()
    server.clock.forward(3600)
    with server.conn.begin():
        drills.shift(server.conn, STORE, timedelta(hours=1))
    drilled.look()
    assert drilled.row()["state"] == "running"
