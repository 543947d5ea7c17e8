"""Somebody has accepted and does not arrive: they are asked, then others are called."""

import pytest

from broker.events import HelpRequested, SecurityRequested
from edge.db.tables import page, timer
from edge.errors import Refused
from edge.handling import acting, escalating, handing_on
from edge.handling.telling import Telling
from edge.interactions import store as requests
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of


@pytest.fixture
def who(small_store: SmallStore) -> dict[str, str]:
    return small_store.people


@pytest.fixture
def request_id(server: Server, kiosk: Kiosk, who: dict[str, str]) -> str:
    """A help request that Ana accepted just now."""
    help_ = kiosk.event(HelpRequested("till", "ca"))
    server.take(help_)
    server.do(acting.acknowledge, str(id_of(help_)), who["Ana"])
    return str(id_of(help_))


def wait(server: Server, kiosk: Kiosk, seconds: int) -> None:
    """Time goes by, and what is due is done as it comes."""
    for _ in range(seconds // 10):
        kiosk.wait(10)
        server.timers()


def reasons(server: Server, person: str) -> list[str]:
    """Why this person is called now, by pages that are not answered."""
    open_ = ("pending", "sent", "delivered", "seen")
    return [row["reason"] for row in server.rows(page, person=person) if row["state"] in open_]


def owner(server: Server) -> tuple[str, str | None]:
    (row,) = server.requests()
    return row["state"], row["owner"]


def test_who_says_in_time_that_they_are_there_is_never_asked(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 110)
    server.do(acting.attend, request_id, who["Ana"])
    wait(server, kiosk, 600)
    assert reasons(server, who["Ana"]) == reasons(server, who["Sofia"]) == []
    assert server.rows(timer) == []


def test_who_is_silent_is_asked_and_then_supervisors_are_called_once_with_the_reason(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 120)
    assert reasons(server, who["Ana"]) == ["Are you there?"] and reasons(server, who["Sofia"]) == []
    assert server.calls()[-1].text == "coming.still"
    wait(server, kiosk, 30)
    (reason,) = reasons(server, who["Sofia"])
    assert reason == "Ana said 2 min 30 s ago that they are coming and does not answer"
    assert "Ana has not answered; called: Sofia." in server.words()
    # The shopper is not told any more that Ana comes.
    assert {call.name for call in server.calls()[-1:]} == {None}
    assert "paging.supervisors" in [call.text for call in server.calls()]
    assert owner(server) == ("acknowledged", who["Ana"])
    wait(server, kiosk, 600)
    assert len(server.rows(page, person=who["Sofia"])) == 1 and reasons(server, who["Bo"]) == []
    assert server.calls()[-1].text == "paging.still"


def test_the_first_who_accepts_then_takes_over_and_the_silent_one_is_told_who(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 150)
    server.do(acting.acknowledge, request_id, who["Sofia"])
    assert owner(server) == ("acknowledged", who["Sofia"])
    assert server.words()[-1] == "Sofia takes over from Ana, who did not answer."
    assert reasons(server, who["Ana"]) == reasons(server, who["Sofia"]) == []
    assert (server.calls()[-1].text, server.calls()[-1].name) == ("coming", "Sofia")
    with pytest.raises(Refused, match=r"^Sofia is already coming\.$"):
        server.do(acting.attend, request_id, who["Ana"])
    # Sofia is asked in her turn.
    wait(server, kiosk, 120)
    assert reasons(server, who["Sofia"]) == ["Are you there?"]


def test_i_am_here_after_all_ends_the_question_and_the_calls(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 150)
    server.do(acting.attend, request_id, who["Ana"])
    assert owner(server) == ("attended", who["Ana"])
    assert reasons(server, who["Ana"]) == reasons(server, who["Sofia"]) == []
    assert server.rows(timer) == []


def test_still_on_my_way_gives_as_long_again_and_sends_the_others_home(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 150)
    server.do(acting.acknowledge, request_id, who["Ana"])
    assert server.words()[-1] == "Ana is still coming."
    assert reasons(server, who["Ana"]) == reasons(server, who["Sofia"]) == []
    assert (server.calls()[-1].text, server.calls()[-1].name) == ("coming", "Ana")
    wait(server, kiosk, 110)
    assert reasons(server, who["Ana"]) == []
    wait(server, kiosk, 40)
    (reason,) = reasons(server, who["Sofia"])
    assert reason.startswith("Ana said 2 min 30 s ago")


def test_when_every_supervisor_declines_whoever_is_here_is_called(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 150)
    for name in ("Sofia", "Mira"):
        if reasons(server, who[name]):
            server.do(
                lambda conn, store, request, person, now: handing_on.decline(
                    conn, store, server.policies, request, person, "too-far", now
                ),
                request_id,
                who[name],
            )
        wait(server, kiosk, 60)
    assert all(reasons(server, who[name]) for name in ("Bo", "Carla"))
    assert owner(server) == ("acknowledged", who["Ana"])


def test_a_hand_over_begins_the_wait_anew(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 100)
    server.do(handing_on.hand_over, request_id, who["Ana"], who["Bo"], "")
    server.do(acting.acknowledge, request_id, who["Bo"])
    wait(server, kiosk, 110)
    assert reasons(server, who["Bo"]) == []
    wait(server, kiosk, 10)
    assert reasons(server, who["Bo"]) == ["Are you there?"] and reasons(server, who["Ana"]) == []


def test_security_is_called_every_half_minute_and_an_associate_who_was_not_called_hears_nothing(
    server: Server, kiosk: Kiosk, who: dict[str, str]
) -> None:
    hold = kiosk.event(SecurityRequested("hold"))
    server.take(hold)
    server.do(acting.acknowledge, str(id_of(hold)), who["Igor"])
    before = len(server.rows(page, person=who["Sofia"]))
    wait(server, kiosk, 120)
    assert reasons(server, who["Igor"]) == ["Are you there?"]
    wait(server, kiosk, 90)
    assert len(server.rows(page, person=who["Sofia"])) == before + 3
    assert reasons(server, who["Ana"]) == []
    server.do(acting.acknowledge, str(id_of(hold)), who["Sofia"])
    wait(server, kiosk, 110)
    assert len(server.rows(page, person=who["Sofia"])) == before + 3


def test_a_device_that_comes_back_meanwhile_is_not_told_that_somebody_comes(
    server: Server, kiosk: Kiosk, who: dict[str, str], request_id: str
) -> None:
    wait(server, kiosk, 150)
    telling = Telling(STORE)
    with server.conn.begin():
        escalating.answer(server.conn, telling, requests.load(server.conn, STORE, request_id), server.clock())
        telling.flush(server.conn, server.clock())
    call = server.calls()[-1]
    assert (call.state.value, call.text, call.name) == ("raised", "paging.still", None)
