"""Declining, and handing over warm: somebody is responsible at every moment."""

from dataclasses import replace
from datetime import UTC, datetime

from edge.config import HELP
from edge.interactions.lifecycle import decide
from edge.interactions.request import (
    Acknowledge,
    Attend,
    Change,
    Decline,
    HandOver,
    LetLapse,
    Noted,
    Refusal,
    Request,
    Resolve,
    State,
    TakeBack,
)
from edge.routing.escalation import hurry

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
RAISED = Request(
    "r", "shop", "kiosk-1", "shoes", "help", None, None, State.RAISED, 1, 1, 1, 0, False, False, NOW, True
)
ANAS = replace(RAISED, state=State.ACKNOWLEDGED, owner="ana", owner_name="Ana")
ASK = HandOver("ana", "Ana", "bo", "Bo", NOW)


def after(decision: object) -> Request:
    assert isinstance(decision, Change), decision
    return decision.request


def test_declining_leaves_the_request_raised_and_says_why() -> None:
    decision = decide(RAISED, Decline("bo", "Bo", "too-far"))
    assert isinstance(decision, Change) and decision.words == "Bo cannot come: too far away."
    assert decision.request == replace(RAISED, revision=2)


def test_declining_what_somebody_has_taken_says_who() -> None:
    assert decide(ANAS, Decline("bo", "Bo", "other")) == Refusal("Ana is already coming.", "Ana")


def test_the_owner_does_not_decline_what_the_shopper_was_told_they_come_for() -> None:
    decision = decide(ANAS, Decline("ana", "Ana", "other", beside=True))
    assert decision == Refusal("This request is yours; hand it over instead.", "Ana")


def test_nobody_answers_their_own_call_for_a_supervisor() -> None:
    call = replace(RAISED, raised_by="bo")
    for answer in (Acknowledge("bo", "Bo"), Attend("bo", "Bo")):
        assert isinstance(decide(call, answer), Refusal)
    answered = after(decide(call, Acknowledge("ana", "Ana")))
    assert decide(answered, ASK) == Refusal("Bo is the one who called; choose somebody else.")


def test_a_reason_that_is_none_is_refused_with_those_that_are() -> None:
    decision = decide(RAISED, Decline("bo", "Bo", "no"))
    assert isinstance(decision, Refusal) and "with-shopper" in decision.sentence


def test_the_first_owner_stays_responsible_until_the_second_has_accepted() -> None:
    asked = after(decide(ANAS, ASK))
    assert (asked.owner, asked.handover_to) == ("ana", "bo")
    taken = after(decide(asked, Acknowledge("bo", "Bo")))
    assert (taken.owner, taken.owner_name, taken.handover_to) == ("bo", "Bo", None)


def test_only_whom_the_owner_asked_can_take_over() -> None:
    asked = after(decide(ANAS, ASK))
    assert decide(asked, Acknowledge("carla", "Carla")) == Refusal("Ana is already coming.", "Ana")
    assert isinstance(decide(ANAS, replace(ASK, person="bo", to="ana")), Refusal)


def test_taking_back_declining_or_no_answer_leaves_it_with_the_owner() -> None:
    asked = after(decide(ANAS, ASK))
    for action in (TakeBack("ana", "Ana"), Decline("bo", "Bo", "other"), LetLapse("Bo")):
        kept = after(decide(asked, action))
        assert (kept.owner, kept.handover_to, kept.revision) == ("ana", None, asked.revision + 1)


def test_an_answer_that_comes_too_late_lets_nothing_lapse() -> None:
    taken = after(decide(after(decide(ANAS, ASK)), Acknowledge("bo", "Bo")))
    assert decide(taken, LetLapse("Bo")) == Noted("")


def test_a_closed_request_is_handed_over_to_nobody() -> None:
    asked = after(decide(ANAS, ASK))
    closed = after(decide(asked, Resolve("ana", "associate", "helped", "")))
    assert closed.handover_to is None
    assert isinstance(decide(closed, Acknowledge("bo", "Bo")), Refusal)


def test_a_step_that_is_hurried_is_taken_before_its_time_and_the_ceiling_stays() -> None:
    move = hurry(HELP, 4, 1)
    assert move is not None and (move.groups, move.step, move.next_s) == (("zone",), 2, 30)
    assert hurry(HELP, 4, len(HELP.steps)) is None
    assert hurry(HELP, 120, 1) is None
