"""Hardware pagers: what they are told beside the phones, what they may answer, and what that does."""

import contextlib

import pytest
import sqlalchemy as sa

from broker import codec, topics
from broker.events import HelpRequested, PageAnswered, SecurityRequested
from broker.pages import Page
from edge.db.store_tables import device, person
from edge.db.tables import attempt, outgoing, page, timeline
from edge.devices.store import register
from edge.errors import Refused
from edge.handling import acting, calling, summoning
from edge.paging import pagers
from edge.people import store as people
from tests.unit.edge.conftest import START, STORE, SmallStore
from tests.unit.edge.ingest.server import Arrival, Kiosk, Server, id_of


@pytest.fixture
def who(small_store: SmallStore) -> dict[str, str]:
    return small_store.people


def give(server: Server, name: str, person: str | None) -> Kiosk:
    """The device becomes a pager in the hand of this person, and its clock is heard."""
    with server.conn.begin():
        register(server.conn, STORE, name, "tills", None, START)
        mine = sa.update(device).where(device.c.store == STORE, device.c.name == name)
        server.conn.execute(mine.values(pager=True, holder=person))
    pager = Kiosk(server, name)
    pager.heard()
    return pager


def told(server: Server, pager: str) -> list[Page]:
    topic = topics.pager_page(STORE, pager)
    rows = server.rows(outgoing, topic=topic)
    return [codec.decode(row["payload"], Page) for row in sorted(rows, key=lambda row: row["id"])]


def answered(server: Server, pager: Kiosk, press: Arrival, says: str) -> str | None:
    """The sentence that its answer is refused with, if it is."""
    receipts = server.take(pager.event(PageAnswered(id_of(press), says)))  # type: ignore[arg-type]
    refused = [one.reason for some in receipts[pager.name].refused.values() for one in some]
    return refused[0] if refused else None


def states(server: Server) -> dict[str, str]:
    return {row["person"]: row["state"] for row in server.rows(page)}


def test_the_pager_of_whoever_is_called_is_called_beside_their_phone(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    give(server, "pager-1", who["Ana"])
    give(server, "pager-2", who["Ana"])
    give(server, "pager-3", who["Mira"])
    kiosk.wait(3)
    press = kiosk.event(HelpRequested("fitting_room", "ca"))
    kiosk.wait(2)
    server.take(press)
    (call,) = told(server, "pager-1")
    assert told(server, "pager-2") == [call] and told(server, "pager-3") == []
    assert (call.state, call.request, call.revision, call.kind) == ("call", id_of(press), 1, "help")
    assert (call.text, call.zone_title, call.topic) == ("Fitting room: Shoes (ca)", "Shoes", "fitting_room")
    assert (call.age_ms, call.age_known, call.language) == (2000, True, "ca")
    (row,) = server.rows(outgoing, topic=topics.pager_page(STORE, "pager-1"))
    assert row["expiry_s"] == call.valid_s == 600
    phone = [one for one in server.audiences()[f"person:{who['Ana']}"] if "page" in one]
    assert [str(call.page)] == [one["page"] for one in phone]
    assert "Ana is called on pager-1, which is not heard at this moment." in server.words()


def test_it_is_repeated_with_the_rounds_of_security_and_ends_with_who_has_it(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    igor, sofia = give(server, "pager-1", who["Igor"]), give(server, "pager-2", who["Sofia"])
    press = kiosk.event(SecurityRequested("hold"))
    server.take(press)
    for _ in range(20):
        server.clock.forward(1)
        server.timers()
    calls = told(server, "pager-1")
    assert [one.round for one in calls] == [0, 1, 2] and len({one.page for one in calls}) == 3
    assert {one.text for one in calls} == {"Come at once: Shoes"} and all(one.silent for one in calls)
    assert {one.topic for one in calls} == {None}
    assert answered(server, igor, press, "coming") is None
    assert server.requests()[0]["owner"] == who["Igor"]
    mine, others = told(server, "pager-1")[-1], told(server, "pager-2")[-1]
    assert (mine.state, mine.text) == ("ended", "You are coming: Shoes")
    assert (others.state, others.why, others.name) == ("ended", "acknowledged", "Igor")
    assert others.text == "Igor is coming: Shoes" and others.revision > calls[-1].revision
    assert answered(server, sofia, press, "coming") == "Igor is already coming."
    (line,) = server.rows(timeline, what="acknowledged")
    assert (line["through"], line["words"]) == ("pager", "Igor is coming.")
    called = len(told(server, "pager-1"))
    server.clock.forward(30)
    server.timers()
    assert len(told(server, "pager-1")) == called


def test_a_pager_moves_only_its_holders_page_and_only_by_what_it_says(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    pager = give(server, "pager-1", who["Ana"])
    press = kiosk.event(HelpRequested())
    server.take(press)
    assert states(server) == {who["Ana"]: "pending", who["Bo"]: "pending"}
    assert answered(server, pager, press, "delivered") is None
    assert states(server) == {who["Ana"]: "delivered", who["Bo"]: "pending"}
    assert [call.text for call in server.calls()] == ["paging.best"]
    assert answered(server, pager, press, "seen") is None
    assert server.calls()[-1].text == "seen" and server.calls()[-1].args == {"name": "Ana"}
    assert answered(server, pager, press, "there") is None
    assert server.requests()[0]["state"] == "attended"
    assert told(server, "pager-1")[-1].text == "You are there: Shoes"


def test_only_a_pager_that_was_called_for_its_holder_may_answer(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    ana = give(server, "pager-1", who["Ana"])
    mira, nobody = give(server, "pager-2", who["Mira"]), give(server, "pager-3", None)
    press = kiosk.event(HelpRequested())
    server.take(press)
    for pager, sentence in (
        (mira, "pager-2 was not called about this request."),
        (nobody, "pager-3 has no holder at the desk, so nobody answers with it."),
        (kiosk, "kiosk-1 is not a pager at the desk; only pagers answer pages."),
    ):
        assert answered(server, pager, press, "coming") == sentence
    unknown = kiosk.event(HelpRequested())
    assert answered(server, mira, unknown, "coming") == "pager-2 was not called about this request."
    give(server, "pager-1", who["Carla"])
    assert answered(server, ana, press, "coming") == "pager-1 was called for somebody else, who held it then."
    assert server.requests()[0]["state"] == "raised"


def test_of_two_who_acknowledge_in_one_batch_exactly_one_wins(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    igor, sofia = give(server, "pager-1", who["Igor"]), give(server, "pager-2", who["Sofia"])
    press = kiosk.event(SecurityRequested("hold"))
    server.take(press)
    again = kiosk.event(SecurityRequested("hold"))
    both = [one.event(PageAnswered(id_of(press), "coming")) for one in (sofia, igor)]
    receipts = server.take(*both, again)
    assert server.requests()[0]["owner"] == who["Sofia"]
    (refusal,) = receipts["pager-1"].refused[igor.outbox]
    assert refusal.reason == "Sofia is already coming." and not receipts["pager-2"].refused
    assert told(server, "pager-1")[-1].name == "Sofia"


def test_whoever_comes_along_is_called_on_their_pager_no_more(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    sofia = give(server, "pager-1", who["Sofia"])
    press = kiosk.event(HelpRequested())
    server.take(press)
    server.do(acting.acknowledge, str(id_of(press)), who["Ana"])
    server.do(summoning.call_to_request, str(id_of(press)), who["Ana"])
    assert told(server, "pager-1")[-1].text == "Shoes: Ana calls you to help"
    assert answered(server, sofia, press, "coming") is None
    last = told(server, "pager-1")[-1]
    assert (last.state, last.text) == ("ended", "Ana is coming: Shoes")
    assert server.requests()[0]["owner"] == who["Ana"] and "Sofia comes too." in server.words()


def test_what_was_pressed_long_ago_is_written_down_or_does_not_count(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    pager = give(server, "pager-1", who["Igor"])
    press = kiosk.event(SecurityRequested("hold"))
    server.take(press)
    old, newer = (pager.event(PageAnswered(id_of(press), "coming")) for _ in range(2))
    kiosk.wait(40)
    pager.uptime_s += 40
    server.take(newer)
    assert "Igor pressed this 40 s earlier on pager-1." in server.words()
    kiosk.wait(600)
    server.take(old)
    assert server.refusals() == ["It was pressed 10 min 40 s earlier, too long ago to count."]


def test_a_drill_is_marked_and_a_place_that_nobody_knows_is_said_so(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    give(server, "pager-1", who["Igor"])
    server.origins.pop("kiosk-1")
    server.take(kiosk.event(SecurityRequested("hold", silent=False), drill=True))
    (call,) = told(server, "pager-1")
    assert call.drill and call.text == "Drill. Security: place not known" and not call.age_known


def test_a_pager_is_not_called_by_what_it_pressed_itself(server: Server, who: dict[str, str]) -> None:
    pager = give(server, "pager-1", who["Igor"])
    give(server, "pager-2", who["Igor"])
    server.take(pager.event(SecurityRequested("hold", silent=False)))
    assert told(server, "pager-1") == [] and len(told(server, "pager-2")) == 1


def test_nothing_of_whoever_presses_security_silently_on_their_pager_rings(
    server: Server, who: dict[str, str]
) -> None:
    pager = give(server, "pager-1", who["Igor"])
    give(server, "pager-2", who["Igor"])
    server.take(pager.event(SecurityRequested("hold")))
    for _ in range(30):
        server.clock.forward(1)
        server.timers()
    assert told(server, "pager-1") == told(server, "pager-2") == []
    assert who["Igor"] not in states(server) and who["Sofia"] in states(server)


def test_nor_when_it_is_handed_on_meanwhile(server: Server, who: dict[str, str]) -> None:
    """Whoever held it when it was pressed called; whoever has it now stands beside them, perhaps."""
    pager = give(server, "pager-1", who["Igor"])
    server.take(pager.event(SecurityRequested("hold")))
    with server.conn.begin():
        mine = sa.update(device).where(device.c.store == STORE, device.c.name == "pager-1")
        server.conn.execute(mine.values(holder=who["Ana"]))
    for _ in range(30):
        server.clock.forward(1)
        server.timers()
    assert who["Igor"] not in states(server) and who["Sofia"] in states(server)


def test_nor_when_others_are_called_later(server: Server, who: dict[str, str]) -> None:
    """In place of an owner who does not come, and by whoever asks for a supervisor."""
    with server.conn.begin():
        server.conn.execute(sa.update(person).where(person.c.id == who["Igor"]).values(role="supervisor"))
    pager = give(server, "pager-1", who["Igor"])
    press = pager.event(SecurityRequested("hold"))
    server.take(press)
    server.do(acting.acknowledge, str(id_of(press)), who["Sofia"])
    for _ in range(40):
        server.clock.forward(10)
        server.timers()
    assert any("has not answered" in words for words in server.words())
    with contextlib.suppress(Refused):
        server.do(summoning.call_to_request, str(id_of(press)), who["Sofia"])
    assert told(server, "pager-1") == [] and who["Igor"] not in states(server)


def test_one_that_comes_online_hears_what_waits_and_what_ended(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    give(server, "pager-1", who["Igor"])
    press = kiosk.event(SecurityRequested("hold"))
    server.take(press)

    def again() -> list[Page]:
        with server.conn.begin():
            found = calling.again(server.conn, STORE, "pager-1", server.clock())
        return [codec.decode(one.payload, Page) for one in found]

    server.clock.forward(4)
    (waits,) = again()
    assert (waits.state, waits.request, waits.age_ms) == ("call", id_of(press), 4000)
    server.do(acting.acknowledge, str(id_of(press)), who["Sofia"])
    assert [(one.state, one.name) for one in again()] == [("ended", "Sofia")]
    server.do(acting.resolve, str(id_of(press)), who["Sofia"], "handled", "")
    assert [one.why for one in again()] == ["resolved"]
    server.clock.forward(601)
    assert again() == []


def test_a_bug_with_the_pagers_costs_no_phone_its_page(
    server: Server, kiosk: Kiosk, who: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    give(server, "pager-1", who["Ana"])

    def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr(pagers, "add", broken)
    server.take(kiosk.event(HelpRequested()))
    assert server.paged() == ["Ana", "Bo"] and told(server, "pager-1") == []


def test_whoever_works_here_no_more_holds_no_pager(server: Server, who: dict[str, str]) -> None:
    give(server, "pager-1", who["Ana"])
    with server.conn.begin():
        assert [one.name for one in pagers.held(server.conn, STORE)] == ["Ana"]
        people.disable(server.conn, STORE, who["Ana"], server.clock())
        assert pagers.held(server.conn, STORE) == []
        assert pagers.holder(server.conn, STORE, "pager-1") == (True, None)


def test_a_round_costs_no_more_after_hours_of_rounds(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    igor = give(server, "pager-1", who["Igor"])
    give(server, "pager-2", who["Sofia"])
    press = kiosk.event(SecurityRequested("hold"))
    server.take(press)
    for _ in range(12):
        server.clock.forward(10)
        server.timers()
    assert len(server.rows(attempt)) > 20
    with server.conn.begin():
        last = pagers.called(server.conn, str(id_of(press)))
        assert {(one.pager, one.person) for one in last} == {
            ("pager-1", who["Igor"]),
            ("pager-2", who["Sofia"]),
        }
        lately = pagers.lately(server.conn, STORE, "pager-1", server.clock())
    assert {str(told(server, one.pager)[-1].page) for one in last} == {one.page for one in last}
    assert [one.page for one in lately] == [one.page for one in last if one.pager == "pager-1"]
    assert answered(server, igor, press, "coming") is None
