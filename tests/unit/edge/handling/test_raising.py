"""Somebody calls security from their phone: whom it pages, what joins it, who takes it back, who hears."""

from datetime import timedelta
from uuid import UUID

import pytest

from broker.events import HelpRequested, SecurityRequested, Tampered
from edge.config import Policies
from edge.db.tables import feed, outgoing, page, timer
from edge.errors import NotFound, Refused
from edge.handling import acting, handing_on, raising, safety, summoning
from edge.handling.placing import UNKNOWN, Stay, place_of
from edge.handling.raising import Call
from tests.unit.edge.conftest import START, STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server

FILE = Policies()


def phone_id(number: int) -> UUID:
    return UUID(f"01890a5d-ac96-4{number:03}-b000-b302099a8057")


@pytest.fixture
def who(small_store: SmallStore) -> dict[str, str]:
    return small_store.people


def call(server: Server, person: str, number: int = 1, **more: object) -> str:
    with server.conn.begin():
        made = Call(phone_id(number), **more)  # type: ignore[arg-type]
        return raising.call(server.conn, STORE, FILE, person, made, server.clock())


def paged(server: Server) -> list[str]:
    return server.paged()


def wait(server: Server, seconds: int) -> None:
    for _ in range(seconds):
        server.clock.forward(1)
        server.timers()


def test_it_pages_as_a_kiosks_request_does_and_never_its_caller(server: Server, who: dict[str, str]) -> None:
    call(server, who["Ana"])
    assert paged(server) == ["Igor", "Sofia"]
    (request,) = server.requests()
    assert (request["kind"], request["silent"], request["zone"]) == ("security", True, "shoes")
    wait(server, 9)
    assert paged(server) == ["Igor", "Sofia"]
    wait(server, 1)
    everyone = ["Bo", "Carla", "Igor", "Mira", "Sofia"]
    assert paged(server) == sorted([*everyone, "Igor", "Sofia"])
    wait(server, 10)
    assert paged(server) == sorted([*everyone, *everyone, "Igor", "Sofia"])


def test_a_supervisor_who_calls_is_not_called(server: Server, who: dict[str, str]) -> None:
    call(server, who["Sofia"])
    wait(server, 30)
    assert "Sofia" not in paged(server) and paged(server).count("Igor") == 4


def test_the_same_call_five_times_is_one_request_and_one_page_each(
    server: Server, who: dict[str, str]
) -> None:
    assert len({call(server, who["Ana"]) for _ in range(5)}) == 1
    assert paged(server) == ["Igor", "Sofia"]
    assert server.requests()[0]["count"] == 1


def test_a_call_that_comes_again_after_its_request_is_over_opens_no_other(
    server: Server, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    call(server, who["Ana"], 2)
    server.do(acting.acknowledge, request, who["Igor"])
    server.do(acting.resolve, request, who["Igor"], "handled", "")
    server.clock.forward(3 * 86_400)
    assert call(server, who["Ana"]) == call(server, who["Ana"], 2) == request
    assert len(server.requests()) == 1
    assert call(server, who["Ana"], 3) != request


def test_a_second_call_within_the_request_pages_everyone_again_at_once_and_says_so(
    server: Server, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    wait(server, 3)
    assert call(server, who["Ana"], 2) == request
    assert paged(server) == ["Igor", "Igor", "Sofia", "Sofia"]
    assert server.requests()[0]["count"] == 2
    assert "Ana called security from a phone again: more urgent." in server.words()
    server.do(acting.acknowledge, request, who["Igor"])
    call(server, who["Ana"], 3)
    assert paged(server).count("Sofia") == 3 and server.requests()[0]["state"] == "acknowledged"


def test_two_people_who_call_are_two_requests(server: Server, who: dict[str, str]) -> None:
    assert call(server, who["Ana"]) != call(server, who["Bo"], 2)


def test_how_long_the_phone_had_kept_it_is_written_down_and_counts_for_the_steps(
    server: Server, who: dict[str, str]
) -> None:
    call(server, who["Ana"], kept_s=42, sender=who["Bo"])
    (request,) = server.requests()
    assert request["raised_at"] == START - timedelta(seconds=42) and request["received_at"] == START
    assert "Ana did this 42 s earlier; their phone had no connection." in server.words()
    assert "It came from a phone on which Bo is signed in by now." in server.words()
    assert "Bo" in paged(server)


def test_a_call_for_a_supervisor_is_no_security_call_and_neither_hides_the_other(
    server: Server, who: dict[str, str]
) -> None:
    server.do(summoning.call_to_place, FILE, who["Ana"], "shoes")
    request = call(server, who["Ana"])
    server.do(summoning.call_to_place, FILE, who["Ana"], "tills")
    kinds = sorted((one["kind"], one["state"]) for one in server.requests())
    assert kinds == [("help", "raised"), ("security", "raised")]
    with pytest.raises(NotFound):
        server.do(summoning.take_back, request, who["Ana"])
    with pytest.raises(Refused, match="own PIN only"):
        server.do(summoning.take_back, call(server, who["Sofia"], 7), who["Sofia"])


def test_only_the_caller_takes_it_back_and_the_log_keeps_it(server: Server, who: dict[str, str]) -> None:
    request = call(server, who["Ana"])
    with server.conn.begin():
        assert raising.take_back(server.conn, STORE, who["Bo"], server.clock()) is None
        assert raising.take_back(server.conn, STORE, who["Ana"], server.clock()) is not None
    (row,) = server.requests()
    assert (row["id"], row["state"]) == (request, "cancelled") and server.rows(timer) == []
    assert "Ana needs nobody any more." in server.words()
    assert {one["state"] for one in server.rows(page)} == {"superseded"}


def test_the_second_pin_takes_nothing_back_and_the_phone_shows_nothing_more(
    server: Server, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    with server.conn.begin():
        assert raising.told(server.conn, STORE, who["Ana"]) is not None
        made = Call(phone_id(2), trigger="duress")
        raising.pretend_to_take_back(server.conn, STORE, FILE, who["Ana"], made, server.clock())
        assert raising.told(server.conn, STORE, who["Ana"]) is None
    assert server.requests()[0]["state"] == "raised"
    assert paged(server) == ["Igor", "Igor", "Sofia", "Sofia"]
    with pytest.raises(Refused, match="watches the caller's phone"):
        server.do(safety.ask, request, who["Igor"])


def test_nobody_but_those_called_and_the_caller_hears_of_it_live_or_in_replay(
    server: Server, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    server.do(safety.ask, request, who["Igor"])
    server.do(safety.answer, request, who["Ana"], True)
    server.do(acting.acknowledge, request, who["Igor"])
    heard = {row["audience"] for row in server.rows(feed)}
    assert heard == {"silent", *(f"person:{who[name]}" for name in ("Ana", "Igor", "Sofia"))}
    assert server.rows(outgoing) == []
    with pytest.raises(NotFound):
        server.do(acting.acknowledge, request, who["Carla"])


def test_after_the_second_pin_the_callers_phone_is_told_nothing(server: Server, who: dict[str, str]) -> None:
    request = call(server, who["Ana"], trigger="duress")
    server.do(acting.acknowledge, request, who["Igor"])
    assert f"person:{who['Ana']}" not in {row["audience"] for row in server.rows(feed)}
    with server.conn.begin():
        assert raising.told(server.conn, STORE, who["Ana"]) is None


def test_the_second_pin_after_a_call_by_the_bar_hides_that_call_too(
    server: Server, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    assert call(server, who["Ana"], 2, trigger="duress") == request
    (row,) = server.requests()
    with server.conn.begin():
        assert raising.told(server.conn, STORE, who["Ana"]) is None
        facts = raising.facts(server.conn, request, row["topic"])
    assert facts.watched == "Ana signed in with the second PIN: somebody watches them."
    with pytest.raises(Refused, match="watches the caller's phone"):
        server.do(safety.ask, request, who["Igor"])


def test_the_caller_is_asked_and_answers_and_the_escalation_goes_on_as_it_would(
    server: Server, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    due = server.rows(timer)
    server.do(safety.ask, request, who["Sofia"])
    with server.conn.begin():
        told = raising.told(server.conn, STORE, who["Ana"])
        check = safety.of(server.conn, request)
    assert told is not None and told.asks == "Sofia"
    assert check is not None and (check.by, check.safe) == ("Sofia", None)
    server.do(safety.answer, request, who["Ana"], False)
    server.do(safety.answer, request, who["Ana"], False)
    with server.conn.begin():
        check = safety.of(server.conn, request)
    assert check is not None and check.safe is False and check.answered_at == server.clock()
    assert server.words().count("Ana answers: I am not safe.") == 1
    assert server.rows(timer) == due and len(server.rows(page)) == 2
    wait(server, 10)
    assert len(server.rows(page)) == 7


def test_only_those_called_ask_and_only_the_caller_answers(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    request = call(server, who["Ana"])
    with pytest.raises(NotFound):
        server.do(safety.ask, request, who["Carla"])
    with pytest.raises(Refused, match="Nobody asks"):
        server.do(safety.answer, request, who["Ana"], True)
    server.do(safety.ask, request, who["Igor"])
    with pytest.raises(NotFound):
        server.do(safety.answer, request, who["Bo"], True)
    with pytest.raises(Refused, match="own call"):
        server.do(safety.ask, call(server, who["Sofia"], 5), who["Sofia"])
    press = kiosk.event(SecurityRequested("hold", True))
    server.take(press)
    (pressed,) = server.requests(device="kiosk-1")
    with pytest.raises(Refused, match="no phone to ask"):
        server.do(safety.ask, pressed["id"], who["Igor"])


@pytest.mark.parametrize("tampered_first", [True, False])
@pytest.mark.parametrize("apart_s", [120, 121])
def test_tampering_reported_in_the_same_zone_within_two_minutes_is_said_as_the_kiosks_word(
    server: Server, kiosk: Kiosk, who: dict[str, str], tampered_first: bool, apart_s: int
) -> None:
    def tamper() -> None:
        kiosk.heard()
        server.take(kiosk.event(Tampered("case opened")))

    deeds = [tamper, lambda: call(server, who["Ana"])]
    first, second = deeds if tampered_first else reversed(deeds)
    first()
    kiosk.wait(apart_s)
    second()
    reported = [one for one in server.words() if one.startswith("kiosk-1 reported tampering there at")]
    assert len(reported) == (apart_s == 120)


def test_a_kiosks_press_and_tampering_in_one_batch_are_named_together_once(
    server: Server, kiosk: Kiosk
) -> None:
    server.take(kiosk.event(Tampered("case opened")), kiosk.event(SecurityRequested("hold", True)))
    server.take(kiosk.event(Tampered("case opened")))
    assert [one for one in server.words() if "tampering" in one] == [
        f"kiosk-1 reported tampering there at {server.clock().astimezone():%H:%M}: case opened."
    ]
    assert not [one for one in server.words() if "onfirm" in one]


def test_tampering_elsewhere_or_of_a_drill_is_said_of_no_call(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    call(server, who["Carla"])
    call(server, who["Ana"], 2)
    server.take(kiosk.event(Tampered("drill"), drill=True))
    assert not [one for one in server.words() if "tampering" in one]
    server.take(kiosk.event(Tampered("case opened")))
    assert [one["zone"] for one in server.requests() if one["revision"] > 1] == ["shoes"]


def test_the_last_place_where_somebody_was_is_where_they_are_looked_for(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    till = Kiosk(server, "till-1")
    till.heard()
    server.origins["till-1"] = type(server.origins["till-1"])("tills", server.origins["till-1"].reference)
    server.take(till.event(HelpRequested("till", "en")))
    (help_,) = server.requests()
    for name in ("Carla", "Ana"):
        if name in server.paged():
            server.do(acting.acknowledge, help_["id"], who[name])
            server.do(acting.attend, help_["id"], who[name])
            break
    server.clock.forward(60)
    call(server, who[name])
    assert server.requests(kind="security")[0]["zone"] == "tills"
    assert f"{name} was last with a shopper in Tills." in server.words()


AT = START


@pytest.mark.parametrize(
    ("zones", "stays", "zone", "words"),
    [
        ((), (), UNKNOWN, "Nobody knows where Ana is; they work on the whole floor."),
        (("a", "b"), (), UNKNOWN, "Nobody knows where Ana is; they work in A, B."),
        (("a",), (), "a", "Ana works in A; nothing newer is known."),
        (("a",), [Stay("b", "acknowledged", None, None)], "b", "Ana was on the way to B."),
        (
            ("a",),
            [Stay("b", "resolved", AT - timedelta(hours=1), AT - timedelta(minutes=15))],
            "b",
            "Ana was last in B, 15 min 00 s ago.",
        ),
        (
            ("a",),
            [Stay("b", "resolved", AT - timedelta(hours=1), AT - timedelta(minutes=16))],
            "a",
            "Ana works in A; nothing newer is known.",
        ),
        # The server's clock was put back meanwhile.
        (
            ("a",),
            [Stay("b", "resolved", AT, AT + timedelta(seconds=17))],
            "b",
            "Ana was last in B, 0 min 00 s ago.",
        ),
        (("a",), [Stay("b", "attended", AT, None)], "b", "Ana was last with a shopper in B."),
        (("a",), [Stay("b", "resolved", None, AT)], "a", "Ana works in A; nothing newer is known."),
    ],
)
def test_no_more_is_claimed_of_a_place_than_is_known(
    zones: tuple[str, ...], stays: list[Stay], zone: str, words: str
) -> None:
    found = place_of("Ana", zones, stays, str.upper, AT)
    assert (found.zone, found.words) == (zone, words)


def test_a_security_call_is_not_handed_to_its_caller(server: Server, who: dict[str, str]) -> None:
    request = call(server, who["Ana"])
    server.do(acting.acknowledge, request, who["Igor"])
    with pytest.raises(Refused, match="Ana is the one who called"):
        server.do(handing_on.hand_over, request, who["Igor"], who["Ana"], "")
