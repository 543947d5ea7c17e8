from collections.abc import Callable
from itertools import count
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.events import Attended, Cancelled, FeedbackGiven, Greeted, HelpRequested, reference_of
from broker.messages import Call, CallState
from kiosk.config import Button, Motion, Screen, load
from kiosk.display import State
from kiosk.feedback import ASK_S, signs_of
from kiosk.request import Make
from kiosk.visit import NOTED_S, OFFER_S, QUIET_S, Visit

EXAMPLE = load(Path(__file__).parents[3] / "kiosk" / "kiosk.example.toml")
DOOR, EXIT = Motion("door", 4, "in"), Motion("exit", 14, "out")
CONFIG = msgspec.structs.replace(
    EXAMPLE,
    screen=Screen(),
    motion=[DOOR, EXIT],
    feedback_url="https://floorbell.local/f/",
    button=[*EXAMPLE.button, Button("happy", "smiley", 16, score=4)],
)
FIRST = UUID(int=1)


def a_visit(ids: Callable[[], int] | None = None) -> Visit:
    numbers = count(1)
    return Visit(CONFIG, lambda: UUID(int=next(numbers)), lambda words: words[0])


def resolved(now_s: float = 10.0) -> Visit:
    visit = a_visit()
    visit.press_help("till", 0.0)
    visit.stored(FIRST, 0.1)
    visit.call(a_call(CallState.RESOLVED), now_s)
    return visit


def a_call(state: CallState, display: str = "open") -> Call:
    return Call(FIRST, 2, state, "resolved", "K7F-2QD", 30, display=display)  # type: ignore[arg-type]


def given_scores(effects: list) -> list[FeedbackGiven]:  # type: ignore[type-arg]
    return [e.content for e in effects if isinstance(e, Make) and isinstance(e.content, FeedbackGiven)]


def test_after_a_resolved_request_the_smileys_light_for_a_minute_and_the_score_is_tied_to_it() -> None:
    visit = resolved(10.0)
    asking = visit.beside.asking
    assert asking is not None and asking.request == str(FIRST) and asking.code == reference_of(FIRST)
    assert asking.link == "https://floorbell.local/f/" + signs_of(FIRST) and len(signs_of(FIRST)) == 22
    assert visit.feedback.smileys == {1, 2, 3, 4}
    assert visit.display.text == "resolved"
    (score,) = given_scores(visit.press_smiley(4, 12.0))
    assert score == FeedbackGiven(4, request=FIRST)
    other = resolved(10.0)
    other.tick(10.0 + ASK_S)
    assert other.feedback.smileys == frozenset() and other.beside.asking is None
    assert given_scores(other.press_smiley(4, 80.0)) == [FeedbackGiven(4)]


def test_saved_is_said_after_the_commit_and_not_before() -> None:
    visit = a_visit()
    (made,) = visit.press_smiley(3, 1.0)
    assert isinstance(made, Make)
    assert visit.display.text == "pressed"
    visit.not_stored(made.id, 1.1)
    assert visit.display.text == "feedback.not_saved"
    visit.stored(made.id, 1.2)
    assert visit.display.text == "feedback.saved"
    visit.receipted(made.id, 1.3)
    assert visit.display.text == "feedback.thanks"


def test_two_answers_leave_in_one_event_that_follows_the_score_and_one_leaves_when_time_is_up() -> None:
    visit = resolved()
    (made,) = visit.press_smiley(2, 11.0)
    assert isinstance(made, Make) and visit.beside.asking is not None
    first, second = visit.beside.asking.questions
    assert visit.answer(first, "short", 12.0) == []
    (answers,) = given_scores(visit.answer(second, "yes", 13.0))
    assert answers.answers == {first: "short", second: "yes"}
    assert (answers.follows, answers.score, answers.request) == (made.id, 2, FIRST)
    visit = resolved()
    visit.press_smiley(2, 11.0)
    visit.answer(first, "short", 12.0)
    (late,) = given_scores(visit.tick(200.0))
    assert late.answers == {first: "short"}


def test_the_questions_rotate() -> None:
    visit = a_visit()
    asked = []
    for turn in range(3):
        visit.press_smiley(4, turn * 100.0)
        asked.append(visit.beside.asking.questions if visit.beside.asking else [])
        visit.tick(turn * 100.0 + 90)
    assert len({tuple(each) for each in asked}) == 3


@given(st.lists(st.sampled_from(["help", "score", "answer", "dismiss", "cancel", "wait", "looking"])))
def test_every_press_of_a_smiley_is_one_score_whatever_else_happens(acts: list[str]) -> None:
    visit, now_s, presses = resolved(), 11.0, 0
    made: list[FeedbackGiven] = []
    for act in acts:
        now_s += 1.0
        asking = visit.beside.asking
        match act:
            case "score":
                presses += 1
                made += given_scores(visit.press_smiley(1 + presses % 4, now_s))
            case "answer" if asking is not None and asking.questions:
                made += given_scores(visit.answer(asking.questions[0], "yes", now_s))
            case "help":
                made += given_scores(visit.press_help("till", now_s))
            case "cancel":
                made += given_scores(visit.press_cancel(now_s))
            case "looking":
                made += given_scores(visit.press_looking(now_s))
            case "dismiss":
                made += given_scores(visit.dismiss(now_s))
            case "wait":
                now_s += 40.0
                made += given_scores(visit.tick(now_s))
    assert len([m for m in made if m.follows is None]) == presses
    followed = [m.follows for m in made if m.follows is not None]
    assert len(followed) == len(set(followed))
    if visit.is_open:
        beside = visit.beside
        assert (beside.offer, beside.asking) == (False, None)
        assert beside.note is None or beside.note.startswith("feedback.")


def test_a_language_counts_for_the_next_request_and_goes_with_the_shopper() -> None:
    visit = a_visit()
    visit.speak("ca", 1.0)
    (made,) = visit.press_help("till", 2.0)
    assert isinstance(made, Make) and made.content == HelpRequested("till", "ca")
    visit.speak("it", 3.0)
    assert visit.beside.language == "it"
    (again,) = visit.press_help("till", 4.0)
    assert again.content.language == "ca"  # type: ignore[union-attr]
    visit.tick(100.0)
    assert visit.language == "it"
    visit.press_cancel(101.0)
    visit.tick(101.0 + QUIET_S - 1)
    assert visit.language == "it"
    visit.tick(101.0 + QUIET_S)
    assert visit.language == "en"
    visit.speak("xx", 200.0)
    assert visit.language == "en"


def test_who_comes_in_is_greeted_once_in_a_cool_down_and_never_twice_in_the_same_words() -> None:
    visit = a_visit()
    assert visit.moved(DOOR, 0.0) == [Make(FIRST, Greeted("in", "door"))]
    first = visit.beside.note
    assert visit.moved(DOOR, 59.0) == []
    visit.tick(60.0)
    assert visit.beside.note is None
    assert visit.moved(DOOR, 61.0) != []
    assert first is not None and visit.beside.note not in (None, first)
    visit.press_help("till", 62.0)
    assert visit.beside.note is None


def test_at_the_exit_a_score_of_the_visit_is_asked_for_but_never_over_an_open_request() -> None:
    visit = a_visit()
    visit.moved(EXIT, 0.0)
    assert visit.beside.note == "thanks.1"
    assert visit.beside.asking is not None and visit.beside.asking.request is None
    visit.press_help("till", 1.0)
    visit.moved(EXIT, 70.0)
    assert visit.beside.asking is None and visit.beside.note is None


def test_just_looking_stops_the_greeter_and_offers_once_more_without_a_sound() -> None:
    visit = a_visit()
    visit.moved(DOOR, 0.0)
    (made,) = visit.press_looking(5.0)
    assert isinstance(made, Make) and made.content == Cancelled(FIRST)
    assert (visit.display.text, visit.display.state) == ("looking.noted", State.IDLE)
    visit.tick(5.0 + NOTED_S)
    assert visit.display.text == "idle"
    assert not visit.beside.offer
    visit.tick(185.0)
    assert visit.beside.offer and visit.display.state is State.IDLE
    visit.tick(185.0 + OFFER_S)
    assert not visit.beside.offer
    assert visit.press_looking(300.0) == []


def test_an_associate_who_is_here_answers_a_greeting_once() -> None:
    visit = a_visit()
    visit.moved(DOOR, 0.0)
    (made,) = visit.press_attend(5.0)
    assert isinstance(made, Make) and made.content == Attended(FIRST)
    visit.stored(made.id, 5.1)
    assert visit.display.text == "attend.saved"
    assert visit.press_attend(6.0) == []


@pytest.mark.parametrize("state", list(CallState))
def test_a_discreet_call_leaves_nothing_to_be_seen(state: CallState) -> None:
    visit = a_visit()
    before = visit.display, visit.beside
    visit.call(a_call(state, "discreet"), 1.0)
    assert (visit.display, visit.beside) == before
