"""What presses do, in whatever order they come."""

from itertools import permutations
from uuid import UUID

import pytest

from broker.events import Attended, Cancelled, HelpRequested, SecurityRequested
from edge.db.tables import event, page, timer
from edge.handling import acting
from edge.people import store as people
from tests.unit.edge.conftest import STORE, SmallStore
from tests.unit.edge.ingest.server import Kiosk, Server, id_of

HOLD = SecurityRequested("hold")


@pytest.mark.parametrize("batches", ["together", "apart", "together, cancel first", "apart, cancel first"])
def test_a_help_that_is_cancelled_pages_nobody_any_more_whatever_came_first(
    server: Server, kiosk: Kiosk, batches: str
) -> None:
    help_ = kiosk.event(HelpRequested())
    kiosk.wait(1)
    cancel = kiosk.event(Cancelled(id_of(help_)))
    both = [cancel, help_] if "first" in batches else [help_, cancel]
    if "together" in batches:
        server.take(*both)
    else:
        for one in both:
            server.take(one)
    (request,) = server.requests()
    assert request["state"] == "cancelled" and request["closed_at"] is not None
    kiosk.wait(500)
    server.timers()
    # It had paged before only where it came alone and first.
    assert bool(server.paged()) is (batches == "apart")
    assert {row["state"] for row in server.rows(page)} <= {"superseded"}


def test_a_press_that_was_taken_back_before_it_came_ends_the_request_that_it_belongs_to(
    server: Server, kiosk: Kiosk
) -> None:
    server.take(kiosk.event(HelpRequested()))
    kiosk.wait(5)
    again = kiosk.event(HelpRequested(count=3))
    kiosk.wait(1)
    server.take(kiosk.event(Cancelled(id_of(again))))
    server.take(again)
    (request,) = server.requests()
    assert (request["state"], request["count"]) == ("cancelled", 4)


def test_but_it_never_ends_a_later_request(server: Server, kiosk: Kiosk) -> None:
    first = kiosk.event(HelpRequested())
    server.take(first)
    kiosk.wait(5)
    again = kiosk.event(HelpRequested())
    kiosk.wait(1)
    server.take(kiosk.event(Cancelled(id_of(first))), kiosk.event(Cancelled(id_of(again))))
    kiosk.wait(20)
    server.take(kiosk.event(HelpRequested()))
    server.take(again)
    assert [(r["state"], r["count"]) for r in server.requests()] == [("cancelled", 2), ("raised", 1)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("batch", [1, 3])
def test_the_next_shopper_is_not_taken_back_with_the_one_who_cancelled_whatever_came_first(
    server: Server, kiosk: Kiosk, order: tuple[int, ...], batch: int
) -> None:
    first = kiosk.event(HelpRequested())
    server.take(first)
    kiosk.wait(20)
    late = [kiosk.event(Cancelled(id_of(first)))]
    for _ in range(2):
        kiosk.wait(3)
        late.append(kiosk.event(HelpRequested()))
    kiosk.wait(5)
    shuffled = [late[n] for n in order]
    for at in range(0, 3, batch):
        server.take(*shuffled[at : at + batch])
    requests = server.requests()
    assert [(r["state"], r["count"]) for r in requests] == [("cancelled", 1), ("raised", 2)]
    assert (requests[0]["closed_at"] - requests[0]["raised_at"]).total_seconds() == 20
    assert {row["request"] for row in server.rows(page)} == {r["id"] for r in requests}
    # The log's counts and the events agree on who pressed for what.
    assert requests[0]["id"] not in {row["interaction"] for row in server.rows(event)}


def test_only_the_device_that_raised_a_request_may_cancel_or_attend_it(server: Server, kiosk: Kiosk) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(help_)
    other = Kiosk(server, "till-1")
    server.take(other.event(Cancelled(id_of(help_))), other.event(Attended(id_of(help_))))
    assert server.requests()[0]["state"] == "raised"
    assert len(server.refusals()) == 2 and "Only the device that raised" in server.refusals()[0]


def test_a_foreign_cancel_that_came_first_has_no_effect(server: Server, kiosk: Kiosk) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(Kiosk(server, "till-1").event(Cancelled(id_of(help_))))
    server.take(help_)
    assert server.requests()[0]["state"] == "raised" and server.paged()


@pytest.mark.parametrize("together", [True, False])
def test_an_associates_badge_counts_even_if_it_came_before_the_press(
    server: Server, kiosk: Kiosk, together: bool
) -> None:
    help_ = kiosk.event(HelpRequested())
    badge = kiosk.event(Attended(id_of(help_), "badge-ana"))
    if together:
        server.take(badge, help_)
    else:
        server.take(badge)
        server.take(help_)
    assert server.requests()[0]["state"] == "attended"
    assert "Ana is there." in server.words()


def test_the_kiosks_button_without_a_badge_stops_nothing(server: Server, kiosk: Kiosk) -> None:
    help_ = kiosk.event(HelpRequested())
    server.take(help_, kiosk.event(Attended(id_of(help_))))
    assert server.requests()[0]["state"] == "raised"
    assert sum("before anyone had accepted" in words for words in server.words()) == 1


def test_presses_of_an_open_request_join_it_and_the_kiosk_is_told_which(server: Server, kiosk: Kiosk) -> None:
    first = kiosk.event(HelpRequested())
    server.take(first)
    paged = server.paged()
    again = kiosk.event(HelpRequested(count=20))
    server.take(again)
    (request,) = server.requests()
    assert request["count"] == 21 and server.paged() == paged
    call = server.calls()[-1]
    assert (call.request, call.joined_to, call.text) == (id_of(again), id_of(first), "pressed_again")


def test_a_help_of_unknown_age_pages_and_is_marked(server: Server, kiosk: Kiosk) -> None:
    server.origins.clear()
    server.take(kiosk.event(HelpRequested()))
    assert server.requests()[0]["age_known"] is False and server.paged()


def test_a_kiosk_that_rebooted_unheard_is_not_taken_for_late(server: Server, kiosk: Kiosk) -> None:
    kiosk.heard(present=False)
    kiosk.reboot()
    kiosk.wait(500)
    server.take(kiosk.event(HelpRequested()))
    assert server.requests()[0]["state"] == "raised" and server.paged()


def test_a_real_press_never_joins_a_drill(server: Server, kiosk: Kiosk) -> None:
    server.take(kiosk.event(HOLD, drill=True))
    server.take(kiosk.event(HOLD))
    assert [r["drill"] for r in server.requests()] == [True, False]


@pytest.mark.parametrize("old_s", [0, 121, 86_400])
def test_security_always_pages_however_old_and_says_how_old(server: Server, kiosk: Kiosk, old_s: int) -> None:
    hold = kiosk.event(HOLD)
    kiosk.wait(old_s)
    server.take(hold)
    assert {"Igor", "Sofia"} <= set(server.paged())
    assert server.requests()[0]["state"] == "raised"
    assert any("after the press" in words for words in server.words()) is bool(old_s)


def test_security_of_unknown_age_pages_and_says_so(server: Server, kiosk: Kiosk) -> None:
    server.origins.clear()
    server.take(kiosk.event(HOLD))
    assert server.paged() and "Its age is unknown; it is treated as new." in server.words()


def test_a_device_with_an_absurd_clock_still_calls_security(server: Server, kiosk: Kiosk) -> None:
    hold = kiosk.event(HOLD)
    kiosk.uptime_s = 2**53 / 1000
    kiosk.heard()
    server.take(hold)
    assert server.paged()


def test_every_further_security_press_pages_everyone_again_at_once(server: Server, kiosk: Kiosk) -> None:
    for presses in range(1, 21):
        server.take(kiosk.event(HOLD))
        assert server.paged() == ["Igor"] * presses + ["Sofia"] * presses
    (request,) = server.requests()
    assert (request["count"], request["round"]) == (20, 19)


def test_whoever_comes_after_the_last_step_is_called_by_the_next_repetition(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    """Nobody who could help may miss a security request because they signed in a minute late."""

    def igor_is(presence: str) -> None:
        with server.conn.begin():
            people.set_presence(server.conn, STORE, small_store.people["Igor"], presence, server.clock())

    igor_is("off")
    server.take(kiosk.event(HOLD))
    for _ in range(3):
        server.clock.forward(10)
        server.timers()
    assert "Igor" not in server.paged() and "Ana" in server.paged()
    igor_is("available")
    server.clock.forward(10)
    server.timers()
    assert server.paged().count("Igor") == 1


def test_even_when_someone_is_already_coming_and_then_no_page_is_left_open(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    hold = kiosk.event(HOLD)
    server.take(hold)
    request, igor = str(id_of(hold)), small_store.people["Igor"]
    server.do(acting.acknowledge, request, igor)
    server.take(kiosk.event(HOLD))
    assert server.paged() == ["Igor", "Igor", "Sofia", "Sofia"]
    assert server.rows(timer, kind="escalate") == []
    server.do(acting.resolve, request, igor, "handled", "")
    assert {row["state"] for row in server.rows(page)} == {"answered", "superseded"}


def test_cancel_and_the_kiosks_button_do_not_stop_security(server: Server, kiosk: Kiosk) -> None:
    hold = kiosk.event(HOLD)
    server.take(hold)
    server.take(kiosk.event(Cancelled(id_of(hold))), kiosk.event(Attended(id_of(hold))))
    assert server.requests()[0]["state"] == "raised"
    kiosk.wait(10)
    assert server.timers() == 1


def test_silent_security_is_never_told_to_the_whole_staff(
    server: Server, kiosk: Kiosk, small_store: SmallStore
) -> None:
    hold = kiosk.event(HOLD)
    server.take(hold)
    server.take(kiosk.event(HOLD))
    kiosk.wait(30)
    server.timers()
    request, igor = str(id_of(hold)), small_store.people["Igor"]
    for act in (acting.acknowledge, acting.attend):
        server.do(act, request, igor)
    server.do(acting.resolve, request, igor, "handled", "")
    audiences = server.audiences()
    assert "staff" not in audiences
    assert {f"person:{igor}", "silent"} <= audiences.keys()
    assert {call.display for call in server.calls()} == {"discreet"}


def test_a_silent_press_makes_a_loud_request_silent_from_then_on(server: Server, kiosk: Kiosk) -> None:
    server.take(kiosk.event(SecurityRequested("hold", silent=False)))
    loud = len(server.audiences()["staff"])
    server.take(kiosk.event(HOLD))
    assert len(server.audiences()["staff"]) == loud
    assert server.calls()[-1].display == "discreet"


def test_a_cancel_of_something_unknown_is_kept_and_does_no_harm(server: Server, kiosk: Kiosk) -> None:
    receipts = server.take(kiosk.event(Cancelled(UUID(int=5))))
    assert receipts["kiosk-1"].seqs == {kiosk.outbox: [1]} and server.requests() == []
