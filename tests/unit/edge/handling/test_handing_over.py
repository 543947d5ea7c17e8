"""Declining, handing over and calling a supervisor, on a real database: nothing ever stops silently."""

import pytest

from broker.events import HelpRequested, SecurityRequested
from edge.config import Policies
from edge.db.tables import page, timer
from edge.errors import NotFound, Refused
from edge.handling import acting, handing_on, summoning
from edge.interactions.store import last_words
from edge.paging import store as pages
from edge.people import store as people
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

NEWS = ("handover_declined", "handover_lapsed", "not_coming", "joined")


@pytest.fixture
def request_id(server: Server, kiosk: Kiosk) -> str:
    """A help request that was pressed just now: Ana and Bo are paged."""
    help_ = kiosk.event(HelpRequested("till", "ca"))
    server.take(help_)
    return str(id_of(help_))


@pytest.fixture
def who(small_store: SmallStore) -> dict[str, str]:
    return small_store.people


def decline(server: Server, request: str, person: str, reason: str = "with-shopper") -> None:
    with server.conn.begin():
        handing_on.decline(server.conn, STORE, Policies(), request, person, reason, server.clock())


def shown(server: Server, person: str) -> list[pages.OpenPage]:
    with server.conn.begin():
        return pages.open_pages(server.conn, STORE, person)


def news(server: Server, request: str) -> str:
    with server.conn.begin():
        return last_words(server.conn, request, NEWS)


def states(server: Server, who: dict[str, str]) -> dict[str, str]:
    names = {person: name for name, person in who.items()}
    return {names[row["person"]]: row["state"] for row in server.rows(page)}


def test_one_of_two_who_declines_calls_nobody_new_and_hears_no_more_of_it(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    decline(server, request_id, who["Ana"])
    assert server.paged() == ["Ana", "Bo"]
    assert server.words()[-1] == "Ana cannot come: with a shopper."
    assert shown(server, who["Ana"]) == [] and len(shown(server, who["Bo"])) == 1


def test_when_all_who_were_called_decline_the_next_are_called_at_once(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    decline(server, request_id, who["Ana"])
    decline(server, request_id, who["Bo"], "too-far")
    # All associates of the zone have declined, so it is the supervisor's turn, before its time.
    assert server.paged() == ["Ana", "Bo", "Sofia"]
    assert server.calls()[-1].text == "paging.supervisors"


def test_when_everyone_in_the_house_declines_the_shopper_hears_it_and_the_ceiling_stays(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    for name in ("Ana", "Bo", "Sofia", "Carla", "Igor", "Mira"):
        decline(server, request_id, who[name])
    assert (server.calls()[-1].text, server.words()[-1]) == (
        "paging.nobody",
        "Everyone who was called has declined.",
    )
    for _ in range(10):
        kiosk.wait(12)
        server.timers()
    assert server.requests()[0]["state"] == "missed"
    revisions = [call.revision for call in server.calls()]
    assert revisions == sorted(set(revisions))


def test_declining_twice_is_declining_once_and_a_stranger_declines_nothing(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    decline(server, request_id, who["Ana"])
    decline(server, request_id, who["Ana"])
    assert sum("Ana cannot come" in words for words in server.words()) == 1
    with pytest.raises(Refused, match="You are not called for this request"):
        decline(server, request_id, who["Carla"])


def test_a_security_request_that_was_declined_comes_again(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    hold = kiosk.event(SecurityRequested("hold"))
    server.take(hold)
    decline(server, str(id_of(hold)), who["Igor"])
    assert shown(server, who["Igor"]) == []
    kiosk.wait(10)
    server.timers()
    (again,) = shown(server, who["Igor"])
    assert again.called


def test_whoever_was_asked_takes_over_and_until_then_the_first_is_responsible(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    kiosk.wait(5)
    server.do(acting.attend, request_id, who["Ana"])
    server.do(handing_on.hand_over, request_id, who["Ana"], who["Carla"], " Knows  the tills ")
    (asked,) = shown(server, who["Carla"])
    assert asked.asked and asked.called and asked.reason == "Ana asks you to take over: Knows the tills"
    assert server.requests()[0]["owner"] == who["Ana"]
    assert shown(server, who["Ana"])[0].handover_name == "Carla"
    kiosk.wait(5)
    server.do(acting.acknowledge, request_id, who["Carla"])
    (request,) = server.requests()
    assert (request["owner"], request["state"]) == (who["Carla"], "acknowledged")
    assert (server.calls()[-1].text, server.calls()[-1].name) == ("coming", "Carla")
    assert states(server, who)["Carla"] == "answered"
    # What the shopper waited is the first answer and the first arrival.
    kiosk.wait(5)
    server.do(acting.attend, request_id, who["Carla"])
    (request,) = server.requests()
    assert (request["attended_at"] - request["raised_at"]).total_seconds() == 5
    assert server.rows(timer) == []


def test_without_an_answer_for_a_minute_the_owner_is_told_and_keeps_it(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    server.do(acting.attend, request_id, who["Ana"])
    server.do(handing_on.hand_over, request_id, who["Ana"], who["Bo"], "")
    kiosk.wait(59)
    assert server.timers() == 0
    kiosk.wait(1)
    server.timers()
    assert news(server, request_id) == "Bo did not answer; Ana stays responsible."
    (request,) = server.requests()
    assert (request["owner"], request["handover_to"], request["state"]) == (who["Ana"], None, "attended")
    assert states(server, who)["Bo"] == "superseded"
    with pytest.raises(Refused, match="Ana is already there"):
        server.do(acting.acknowledge, request_id, who["Bo"])


def test_a_colleague_who_cannot_take_over_says_so_to_the_owner(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    server.do(handing_on.hand_over, request_id, who["Ana"], who["Carla"], "")
    decline(server, request_id, who["Carla"], "not-mine")
    assert news(server, request_id) == "Carla cannot come: somebody else knows it better."
    assert server.requests()[0]["owner"] == who["Ana"]
    assert server.paged() == ["Ana", "Bo", "Carla"]
    kiosk.wait(60)
    server.timers()
    assert news(server, request_id) == "Carla cannot come: somebody else knows it better."


def test_taken_back_the_colleagues_page_is_over(server: Server, who: dict[str, str], request_id: str) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    server.do(handing_on.hand_over, request_id, who["Ana"], who["Carla"], "")
    server.do(handing_on.take_back, request_id, who["Ana"])
    assert states(server, who)["Carla"] == "superseded" and not shown(server, who["Carla"])[0].called
    assert {row["kind"] for row in server.rows(timer)} == {"progress", "arrival"}


def test_nobody_is_handed_a_request_who_is_not_here(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    server.do(people.set_presence, who["Bo"], "off")
    for to, note, sentence in (
        (who["Bo"], "", "Bo is off; choose"),
        (who["Ana"], "", "Choose a colleague"),
        (who["Carla"], "x" * 141, "141 signs; allowed are 140"),
    ):
        with pytest.raises(Refused, match=sentence):
            server.do(handing_on.hand_over, request_id, who["Ana"], to, note)
    with pytest.raises(Refused, match="Ana is already coming"):
        server.do(handing_on.hand_over, request_id, who["Sofia"], who["Bo"], "")


def test_a_silent_request_can_be_handed_to_one_who_knew_nothing_of_it(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    hold = kiosk.event(SecurityRequested("hold"))
    server.take(hold)
    request = str(id_of(hold))
    server.do(acting.acknowledge, request, who["Igor"])
    with pytest.raises(NotFound):
        decline(server, request, who["Carla"])
    server.do(handing_on.hand_over, request, who["Igor"], who["Carla"], "")
    server.do(acting.acknowledge, request, who["Carla"])
    assert server.requests()[0]["owner"] == who["Carla"]


def test_a_supervisor_comes_to_the_owners_side_and_the_owner_keeps_it(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    server.do(summoning.call_to_request, request_id, who["Ana"])
    server.do(summoning.call_to_request, request_id, who["Ana"])
    assert server.paged() == ["Ana", "Bo", "Sofia"], "the second tap calls nobody twice"
    (called,) = shown(server, who["Sofia"])
    assert called.called and not called.asked and called.reason == "Ana calls you to help"
    # Her arrival does not end the call to the supervisor.
    server.do(acting.attend, request_id, who["Ana"])
    server.do(acting.acknowledge, request_id, who["Sofia"])
    assert news(server, request_id) == "Sofia comes too."
    assert server.requests()[0]["owner"] == who["Ana"] and not shown(server, who["Sofia"])[0].called
    with pytest.raises(Refused, match="Ana is already there"):
        server.do(acting.acknowledge, request_id, who["Bo"])


def test_with_no_supervisor_here_a_manager_is_called_and_else_the_caller_is_told(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    server.do(people.set_presence, who["Sofia"], "off")
    server.do(summoning.call_to_request, request_id, who["Ana"])
    assert "Mira" in server.paged()
    server.do(people.set_presence, who["Mira"], "off")
    with pytest.raises(Refused, match="nobody was called"):
        server.do(summoning.call_to_request, request_id, who["Ana"])


def call_to_place(server: Server, person: str, zone: str = "shoes") -> str:
    with server.conn.begin():
        return summoning.call_to_place(server.conn, STORE, Policies(), person, zone, server.clock())


def test_a_supervisor_is_called_to_a_place_without_a_request_and_then_everyone_but_the_caller(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    call = call_to_place(server, who["Ana"])
    assert server.paged() == ["Sofia"] and call_to_place(server, who["Ana"]) == call
    (own,) = shown(server, who["Ana"])
    assert own.own and (own.zone_title, own.caller_name, own.state) == ("Shoes", "Ana", "raised")
    kiosk.wait(20)
    server.timers()
    assert sorted(set(server.paged())) == ["Bo", "Carla", "Igor", "Mira", "Sofia"]
    server.do(acting.acknowledge, call, who["Sofia"])
    assert shown(server, who["Ana"])[0].owner_name == "Sofia"
    assert server.calls("phone") == [], "there is no kiosk to be told"


def test_a_supervisor_who_called_is_not_called_to_their_own_call(server: Server, who: dict[str, str]) -> None:
    call = call_to_place(server, who["Sofia"])
    with pytest.raises(Refused, match="No supervisor or manager"):
        server.do(summoning.call_to_request, call, who["Mira"])
    assert who["Sofia"] not in {row["person"] for row in server.rows(page)}


def test_an_owner_who_is_called_again_answers_with_one_tap(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    hold = kiosk.event(SecurityRequested("hold"))
    server.take(hold)
    server.do(acting.acknowledge, str(id_of(hold)), who["Igor"])
    server.take(kiosk.event(SecurityRequested("hold")))
    server.do(acting.acknowledge, str(id_of(hold)), who["Igor"])
    assert {row["state"] for row in server.rows(page, person=who["Igor"])} == {"answered"}
    assert server.requests()[0]["owner"] == who["Igor"]


def test_the_caller_takes_their_own_call_back_and_nobody_else_does(
    server: Server, who: dict[str, str]
) -> None:
    call = call_to_place(server, who["Ana"])
    with pytest.raises(Refused):
        server.do(summoning.take_back, call, who["Bo"])
    server.do(summoning.take_back, call, who["Ana"])
    assert server.requests()[0]["state"] == "cancelled" and server.rows(timer) == []
    with pytest.raises(Refused, match="allowed are shoes, tills"):
        call_to_place(server, who["Ana"], "moon")


def test_closing_twice_with_the_same_outcome_is_closing_once(
    server: Server, who: dict[str, str], request_id: str
) -> None:
    server.do(acting.acknowledge, request_id, who["Ana"])
    for _ in range(2):
        server.do(acting.resolve, request_id, who["Ana"], "helped", "Size 38.")
    assert server.words().count("Helped.") == 1
    with pytest.raises(Refused, match="already closed by Ana"):
        server.do(acting.resolve, request_id, who["Ana"], "gone", "")
