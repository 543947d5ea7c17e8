from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest

from broker.events import Attended, HelpRequested, SecurityRequested
from broker.messages import Call, CallState, Drill
from kiosk.drilling import NOTE, NOTE_S, Drilling, Press

REQUEST, OTHER = UUID(int=1), UUID(int=2)


def made() -> Iterator[UUID]:
    yield from (UUID(int=100 + number) for number in range(100))


@pytest.fixture
def drilling() -> Drilling:
    ids = made()
    return Drilling("find-item", "en", lambda: next(ids))


def said(request: UUID, state: CallState, **more: Any) -> Call:
    return Call(request, 1, state, "coming", "AAA-AAA", 60, drill=True, **more)


def test_a_help_drill_presses_once_under_the_id_that_the_store_gave_it(drilling: Drilling) -> None:
    command = Drill("help", REQUEST)
    assert drilling.asked(command, 0.0) == [Press(REQUEST, HelpRequested("find-item", "en"))]
    assert drilling.asked(command, 1.0) == []
    assert drilling.asked(Drill("help", OTHER), 2.0)[0].id == OTHER


def test_that_somebody_acknowledged_is_answered_once(drilling: Drilling) -> None:
    drilling.asked(Drill("help", REQUEST), 0.0)
    assert drilling.call(said(REQUEST, CallState.RAISED), 0.1) == []
    (answer,) = drilling.call(said(REQUEST, CallState.ACKNOWLEDGED), 0.2)
    assert answer.content == Attended(REQUEST)
    assert drilling.call(said(REQUEST, CallState.ACKNOWLEDGED), 0.3) == []


def test_after_a_restart_the_answer_is_still_given(drilling: Drilling) -> None:
    assert drilling.call(said(REQUEST, CallState.ACKNOWLEDGED), 0.0)


def test_the_note_stands_while_a_help_drill_runs_and_no_longer_than_is_known(drilling: Drilling) -> None:
    drilling.asked(Drill("help", REQUEST), 0.0)
    assert drilling.note == NOTE
    drilling.call(said(OTHER, CallState.RESOLVED), 1.0)
    assert drilling.note == NOTE
    drilling.call(said(REQUEST, CallState.RESOLVED), 2.0)
    assert drilling.note is None and drilling.due_at() is None
    drilling.asked(Drill("help", OTHER), 10.0)
    assert drilling.due_at() == 10.0 + NOTE_S
    drilling.tick(10.0 + NOTE_S)
    assert drilling.note is None


def test_a_security_drill_shows_nothing(drilling: Drilling) -> None:
    (press,) = drilling.asked(Drill("security", REQUEST), 0.0)
    assert press == Press(REQUEST, SecurityRequested("hold"))
    drilling.call(said(REQUEST, CallState.ACKNOWLEDGED, display="discreet"), 1.0)
    assert drilling.note is None
