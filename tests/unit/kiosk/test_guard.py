from typing import Any, Literal
from uuid import UUID

import pytest

from broker.messages import Call, CallState
from kiosk.config import Security
from kiosk.guard import PULSE_S, UNHEARD_S, Guard

REQUEST, OTHER = UUID(int=1), UUID(int=2)


def a_guard(**more: Any) -> Guard:
    return Guard(Security(relay=12, relay_s=60, pulse=16, **more))


def answered(request: UUID, state: CallState = CallState.ACKNOWLEDGED, joined_to: UUID | None = None) -> Call:
    return Call(request, 1, state, "coming", "AAA-AAA", 30, "discreet", joined_to=joined_to)


def ons(guard: Guard, name: Literal["relay", "pulse"], until_s: float) -> int:
    """How often an output goes on until then, looked at every 10 ms."""
    count, before = 0, False
    for step in range(int(until_s * 100)):
        on = guard.driven(step / 100)[name]
        count, before = count + (on and not before), on
    return count


def test_a_request_that_the_store_has_is_felt_once_and_drives_no_siren() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 0.0)
    guard.receipted(REQUEST, 0.04)
    assert guard.driven(0.05) == {"relay": False, "pulse": True}
    assert guard.driven(0.05 + PULSE_S) == {"relay": False, "pulse": False}
    guard.tick(UNHEARD_S + 1)
    assert guard.driven(UNHEARD_S + 1) == {"relay": False, "pulse": False}


def test_the_first_answer_of_a_person_is_felt_twice() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 0.0)
    guard.receipted(REQUEST, 0.0)
    guard.call(answered(REQUEST), 0.1)
    guard.call(answered(REQUEST, CallState.ATTENDED), 0.2)
    assert ons(guard, "pulse", 10) == 3


def test_calling_people_is_no_answer_and_neither_is_one_to_another_request() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 0.0)
    guard.call(answered(REQUEST, CallState.RAISED), 0.1)
    guard.call(answered(OTHER), 0.2)
    assert ons(guard, "pulse", 10) == 0


def test_a_second_press_that_joins_the_first_is_answered_with_it() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 0.0)
    guard.call(answered(OTHER, joined_to=REQUEST), 0.2)
    assert ons(guard, "pulse", 10) == 2


def test_a_store_that_cannot_be_reached_drives_the_relay_at_once_for_its_time() -> None:
    guard = a_guard()
    guard.link(False, 0.0)
    guard.raised(REQUEST, 1.0)
    assert guard.driven(1.0)["relay"]
    assert guard.driven(60.9)["relay"]
    assert guard.due_at(1.0) == 61.0
    assert not guard.driven(61.0)["relay"]


def test_a_connection_that_breaks_before_the_receipt_drives_it() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 1.0)
    guard.link(False, 2.0)
    assert guard.driven(2.0)["relay"]


def test_silence_of_the_store_drives_it_once_and_a_late_receipt_is_still_felt() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 1.0)
    assert guard.due_at(1.0) == 1.0 + UNHEARD_S
    guard.tick(1.0 + UNHEARD_S)
    assert guard.driven(6.0)["relay"]
    guard.tick(66.0)
    assert not guard.driven(66.0)["relay"]
    guard.receipted(REQUEST, 70.0)
    assert guard.driven(70.0) == {"relay": False, "pulse": True}


def test_a_request_that_the_store_refuses_drives_it() -> None:
    guard = a_guard()
    guard.raised(REQUEST, 1.0)
    guard.refused(REQUEST, 1.1)
    assert guard.driven(1.1)["relay"]


def test_an_answer_ends_the_siren() -> None:
    guard = a_guard(relay_when="always")
    guard.raised(REQUEST, 1.0)
    assert guard.driven(1.0)["relay"]
    guard.call(answered(REQUEST), 3.0)
    assert not guard.driven(3.0)["relay"]


@pytest.mark.parametrize("reachable", [True, False])
def test_a_connection_alone_drives_nothing(reachable: bool) -> None:
    guard = a_guard()
    guard.link(reachable, 1.0)
    guard.tick(100.0)
    assert guard.driven(100.0) == {"relay": False, "pulse": False}
