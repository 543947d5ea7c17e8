"""What the rules say of an incident, one sentence each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from edge.incidents.classes import CHECKLISTS, CHECKS, CLASSES, class_for
from edge.incidents.rules import (
    Change,
    Close,
    Correct,
    Incident,
    Kind,
    Noted,
    Refusal,
    Reopen,
    State,
    Tick,
    Write,
    decide,
)

AT = datetime(2026, 3, 2, 10, tzinfo=UTC)
FRESH = Incident("i", "shop", "2026-0001", "threat", "shoes", AT, State.OPEN, 1)
TOLD = replace(FRESH, said=1, revision=2, last_name="Ana", last_words="Ana wrote down a statement: entry 1.")
OVER = replace(
    TOLD, state=State.CLOSED, outcome="settled", last_name="Sofia", last_words="Sofia closed it: Settled."
)


def change(decision: object) -> Change:
    assert isinstance(decision, Change), decision
    return decision


def refused(decision: object) -> Refusal:
    assert isinstance(decision, Refusal), decision
    return decision


def test_every_class_has_a_checklist_of_known_points() -> None:
    assert CHECKLISTS.keys() == CLASSES.keys()
    assert all(lists and set(lists) <= CHECKS.keys() for lists in CHECKLISTS.values())


@pytest.mark.parametrize(
    ("kind", "topic", "classed"),
    [
        ("security", "hold", "threat"),
        ("security", "duress", "threat"),
        ("security", "tamper", "damage"),
        ("feedback", None, "complaint"),
        ("help", "till", "other"),
    ],
)
def test_a_class_is_taken_from_where_it_came(kind: str, topic: str | None, classed: str) -> None:
    assert class_for(kind, topic) == classed


def test_it_is_closed_with_an_outcome_once_somebody_said_what_happened() -> None:
    assert "what happened" in refused(decide(FRESH, Close("Sofia", "settled"))).sentence
    closed = change(decide(TOLD, Close("Sofia", "settled", "Paid for.", based_on=2)))
    assert (closed.incident.state, closed.incident.outcome, closed.what) == ("closed", "settled", "closed")
    assert closed.words == "Sofia closed it: Settled in the store. “Paid for.”"
    assert "allowed are police" in refused(decide(TOLD, Close("Sofia", "over"))).sentence


def test_a_false_alarm_needs_no_words() -> None:
    assert change(decide(FRESH, Close("Sofia", "false-alarm"))).incident.state is State.CLOSED


def test_whoever_closes_has_read_everything() -> None:
    stale = refused(decide(TOLD, Close("Sofia", "settled", based_on=1)))
    assert stale.holder == "Ana" and "Ana wrote down a statement" in stale.sentence


def test_of_two_who_close_the_second_is_told_who_was_first() -> None:
    late = refused(decide(OVER, Close("Mira", "police")))
    assert late.holder == "Sofia" and "Sofia closed it" in late.sentence


def test_it_is_opened_again_with_a_reason_and_has_no_outcome_then() -> None:
    assert "signs" in refused(decide(OVER, Reopen("Mira", "  "))).sentence
    again = change(decide(OVER, Reopen("Mira", "A witness has come.")))
    assert (again.incident.state, again.incident.outcome) == ("open", None)
    assert refused(decide(again.incident, Reopen("Mira", "Once more."))).sentence.startswith(
        "This incident is open already."
    )


def test_words_are_taken_also_when_it_is_closed_and_work_is_not() -> None:
    for kind in (Kind.STATEMENT, Kind.ACCOUNT):
        assert change(decide(OVER, Write("Bo", kind, 2))).incident.state is State.CLOSED
    for action in (
        Write("Bo", Kind.LOSS, 2),
        Write("Bo", Kind.PERSON, 2),
        Tick("Bo", "police-called", True),
        Correct("Bo", "theft", "shoes", "Shoes", AT, AT),
    ):
        assert "open it again" in refused(decide(OVER, action)).sentence


def test_a_correction_names_one_entry_of_its_kind_that_was_not_corrected_yet() -> None:
    fine = change(decide(TOLD, Write("Ana", Kind.STATEMENT, 2, 1, Kind.STATEMENT)))
    assert fine.words == "Ana corrected entry 1 by entry 2."
    assert "another kind" in refused(decide(TOLD, Write("Ana", Kind.LOSS, 2, 1, Kind.STATEMENT))).sentence
    twice = refused(decide(TOLD, Write("Ana", Kind.STATEMENT, 3, 1, Kind.STATEMENT, corrected_by=2)))
    assert "correct that one" in twice.sentence


def test_a_check_is_ticked_once_and_can_be_taken_back() -> None:
    done = change(decide(FRESH, Tick("Ana", "police-called", True)))
    assert done.words == "Ana ticked: Police called." and done.incident.ticked == {"police-called"}
    assert isinstance(decide(done.incident, Tick("Bo", "police-called", True)), Noted)
    back = change(decide(done.incident, Tick("Bo", "police-called", False)))
    assert back.incident.ticked == set() and back.what == "unticked"
    assert "allowed here are" in refused(decide(FRESH, Tick("Ana", "stock-checked", True))).sentence


def test_what_was_ticked_under_another_class_can_still_be_taken_back() -> None:
    ticked = change(decide(FRESH, Tick("Ana", "police-called", True))).incident
    injury = change(decide(ticked, Correct("Sofia", "injury", "shoes", "Shoes", AT, AT))).incident
    assert change(decide(injury, Tick("Ana", "police-called", False))).incident.ticked == set()


def test_class_place_and_time_are_corrected_in_words() -> None:
    action = Correct("Sofia", "theft", "tills", "Tills", AT - timedelta(minutes=3), AT, based_on=1)
    words = change(decide(FRESH, action)).words
    assert words == "Sofia changed: class Threat → Theft, place → Tills, time of what happened."
    assert isinstance(decide(FRESH, Correct("Sofia", "threat", "shoes", "Shoes", AT, AT)), Noted)
    for wrong in (
        Correct("Sofia", "murder", "shoes", "Shoes", AT, AT),
        Correct("Sofia", "theft", "shoes", "Shoes", AT + timedelta(hours=1), AT),
        Correct("Sofia", "theft", "shoes", "Shoes", AT - timedelta(days=400), AT),
        Correct("Sofia", "theft", "shoes", "Shoes", AT, AT, based_on=0),
    ):
        refused(decide(FRESH, wrong))
