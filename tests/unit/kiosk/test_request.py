from itertools import count, pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broker.events import Attended, Cancelled, HelpRequested, reference_of
from broker.messages import Call, CallState
from kiosk.display import Display, State
from kiosk.request import CountRepeats, Make, Request


def a_request(give_up_s: float = 180, window_s: float = 5) -> Request:
    ids = count(1)
    return Request("en", give_up_s, window_s, lambda: UUID(int=next(ids)))


def a_call(state: str = "raised", text: str = "paging.best", revision: int = 1, **more: object) -> Call:
    values: dict[str, object] = {"request": UUID(int=1), "reference": "K7F-2QD", "valid_s": 30}
    values.update(more)
    return Call(state=CallState(state), text=text, revision=revision, **values)  # type: ignore[arg-type]


def pressed_and_sent(now_s: float = 0.0) -> Request:
    request = a_request()
    request.press_help("till", now_s)
    request.stored(UUID(int=1), now_s)
    request.receipted(UUID(int=1), now_s)
    return request


def looks(request: Request) -> tuple[State, str]:
    return request.display.state, request.display.text


def test_a_press_is_pressed_then_saved_then_sent_each_only_when_it_is_so() -> None:
    request = a_request()
    (made,) = request.press_help("till", 1.0)
    assert made == Make(UUID(int=1), HelpRequested("till", "en", 1), UUID(int=1))
    assert looks(request) == (State.PRESSED, "pressed")
    assert request.display.reference == reference_of(UUID(int=1))
    request.stored(UUID(int=1), 1.1)
    assert looks(request) == (State.SAVED, "saved")
    request.receipted(UUID(int=1), 1.2)
    assert looks(request) == (State.SENT, "sent")


def test_a_disk_that_takes_nothing_is_admitted_and_the_receipt_still_counts() -> None:
    request = a_request()
    request.press_help("till", 1.0)
    request.not_stored(UUID(int=1), 1.1)
    assert request.display.state is State.NOT_SAVED
    request.receipted(UUID(int=1), 1.2)
    assert request.display.state is State.SENT


def test_a_name_is_shown_only_when_a_call_says_it() -> None:
    request = pressed_and_sent()
    request.call(a_call("acknowledged", "coming", 2, name=None), 1.0)
    assert looks(request) == (State.ON_THE_WAY, "coming.someone")
    request.call(a_call("acknowledged", "coming", 3, name="Ana"), 2.0)
    assert looks(request) == (State.ON_THE_WAY, "coming")
    assert request.display.name == request.display.args["name"] == "Ana"
    request.call(a_call("attended", "here", 4, name="Ana"), 3.0)
    assert looks(request) == (State.HERE, "here")


def test_a_person_who_has_seen_it_has_not_yet_promised_to_come() -> None:
    request = pressed_and_sent()
    request.call(a_call("raised", "seen", 2, name="Ana"), 1.0)
    assert looks(request) == (State.SEEN, "seen")


def test_an_older_revision_changes_nothing() -> None:
    request = pressed_and_sent()
    request.call(a_call("acknowledged", "coming", 5, name="Ana"), 1.0)
    before = request.display
    request.call(a_call("raised", "paging.best", 4), 2.0)
    request.call(a_call("acknowledged", "coming", 5, name="Ana"), 2.5)
    assert request.display is before


def test_a_call_that_has_run_out_is_no_longer_believed() -> None:
    request = pressed_and_sent()
    request.call(a_call("acknowledged", "coming", 2, name="Ana", valid_s=20), 10.0)
    request.tick(29.0)
    assert request.display.state is State.ON_THE_WAY
    request.tick(30.1)
    assert looks(request) == (State.UNREACHABLE, "silent")
    assert request.display.args == {"seconds": "20"}
    assert request.display.name is None
    request.call(a_call("acknowledged", "coming", 2, name="Ana", valid_s=20), 31.0)
    assert looks(request) == (State.ON_THE_WAY, "coming")


def test_a_discreet_call_leaves_no_trace() -> None:
    for request in (a_request(), pressed_and_sent()):
        before = request.display
        request.call(a_call("acknowledged", "coming", 9, name="Bo", display="discreet"), 1.0)
        assert request.display is before


def test_a_request_that_joined_another_is_followed_under_that_one() -> None:
    request = pressed_and_sent()
    other = UUID(int=77)
    request.call(a_call("raised", "paging.zone", 4, joined_to=other, reference="AAA-AAA"), 1.0)
    assert request.display.reference == "AAA-AAA"
    request.call(a_call("acknowledged", "coming", 5, name="Ana", request=other), 2.0)
    assert request.display.name == "Ana"
    (cancel,) = request.press_cancel(3.0)
    assert cancel.content == Cancelled(other)  # type: ignore[union-attr]


def test_an_open_request_of_the_server_is_taken_up_after_a_start() -> None:
    request = a_request()
    request.call(a_call("acknowledged", "coming", 3, name="Ana"), 1.0)
    assert looks(request) == (State.ON_THE_WAY, "coming")
    assert isinstance(request.press_help("till", 2.0)[0], CountRepeats)


@given(st.lists(st.floats(0.03, 2.0), min_size=1, max_size=80))
def test_every_press_is_counted_exactly_once_and_events_keep_their_distance(gaps: list[float]) -> None:
    request, now_s, made = a_request(), 0.0, []
    for gap in gaps:
        now_s += gap
        for effect in [*request.press_help("till", now_s), *request.tick(now_s)]:
            if isinstance(effect, Make):
                made.append((now_s, effect))
    made += [(now_s + 5, effect) for effect in request.tick(now_s + 5) if isinstance(effect, Make)]
    contents = [effect.content for _, effect in made]
    assert sum(c.count for c in contents if isinstance(c, HelpRequested)) == len(gaps)
    assert all(b - a >= 5 - 1e-9 for (a, _), (b, _) in pairwise(made))
    assert {effect.request for _, effect in made} == {UUID(int=1)}


def test_the_count_that_waits_on_disk_is_the_whole_count() -> None:
    request = a_request()
    request.press_help("till", 0.0)
    waiting = [request.press_help("till", n / 20)[0] for n in range(1, 41)]
    assert [w.content.count for w in waiting] == list(range(1, 41))  # type: ignore[union-attr]
    (made,) = request.tick(5.0)
    assert isinstance(made, Make) and made.ends_repeats
    assert made.content == HelpRequested("till", "en", 40)


def test_cancel_withdraws_every_press_that_may_still_be_on_its_way() -> None:
    request = a_request()
    request.press_help("till", 0.0)
    request.press_help("till", 1.0)
    request.tick(5.0)  # the second event, id 2
    request.press_help("till", 6.0)
    effects = [e for e in request.press_cancel(7.0) if isinstance(e, Make)]
    assert [type(e.content) for e in effects] == [HelpRequested, Cancelled, Cancelled, Cancelled]
    withdrawn = {e.content.request for e in effects if isinstance(e.content, Cancelled)}
    assert withdrawn == {UUID(int=1), UUID(int=2), effects[0].id}


def test_after_a_cancel_the_calls_that_crossed_it_are_ignored() -> None:
    request = pressed_and_sent()
    (cancel,) = request.press_cancel(1.0)
    assert looks(request) == (State.PRESSED, "cancel.pressed")
    request.stored(cancel.id, 1.1)  # type: ignore[union-attr]
    assert looks(request) == (State.CANCELLED, "cancel.saved")
    request.call(a_call("raised", "paging.zone", 6), 1.2)
    assert request.display.state is State.CANCELLED
    request.receipted(cancel.id, 1.3)  # type: ignore[union-attr]
    assert looks(request) == (State.CANCELLED, "cancelled")
    request.tick(11.4)
    assert request.display.state is State.IDLE


def test_cancel_and_attend_without_a_request_do_nothing() -> None:
    request = a_request()
    before = request.display
    assert request.press_cancel(1.0) == [] == request.press_attend(1.0)
    assert request.display is before


def test_attend_names_nobody_and_is_sent_once() -> None:
    request = pressed_and_sent()
    (made,) = request.press_attend(1.0)
    assert made.content == Attended(UUID(int=1))  # type: ignore[union-attr]
    assert request.press_attend(2.0) == []
    assert request.display.state is State.SENT and request.display.name is None


def test_nobody_to_be_reached_is_said_honestly_and_ends_the_request() -> None:
    request = a_request(give_up_s=60)
    request.press_help("till", 0.0)
    request.stored(UUID(int=1), 0.1)
    request.tick(59.0)
    assert request.display.state is State.SAVED
    request.tick(60.0)
    assert looks(request) == (State.MISSED, "gave_up")
    request.tick(70.0)
    assert request.display.state is State.IDLE
    request.call(a_call("acknowledged", "coming", 2, name="Ana"), 71.0)
    assert request.display.name == "Ana", "the store has found somebody after all"


def test_a_refused_request_sends_the_shopper_to_the_till() -> None:
    request = a_request()
    request.press_help("till", 0.0)
    request.stored(UUID(int=1), 0.1)
    request.refused(UUID(int=1), 0.2)
    assert looks(request) == (State.MISSED, "refused")


def test_when_nothing_is_open_the_display_says_whether_the_store_answers() -> None:
    request = a_request()
    request.link(False, 1.0)
    assert looks(request) == (State.UNREACHABLE, "unreachable")
    request.link(True, 2.0)
    assert looks(request) == (State.IDLE, "idle")


def test_a_request_of_before_the_restart_goes_on_where_it_was() -> None:
    request = a_request()
    request.resume(UUID(int=9), 100.0, {UUID(int=9)}, 130.0)
    assert looks(request) == (State.SAVED, "saved")
    request.tick(141.0)
    assert request.display.args == {"seconds": "41"}
    request.receipted(UUID(int=9), 142.0)
    assert request.display.state is State.SENT


@pytest.mark.parametrize("reached", ["pressed", "not saved", "saved", "sent", "raised", "coming", "silent"])
@pytest.mark.parametrize("reachable", [True, False])
def test_at_least_every_fifteen_seconds_something_new_is_said_until_someone_arrives(
    reached: str, reachable: bool
) -> None:
    request = a_request(give_up_s=1000)
    request.link(reachable, 0.0)
    request.press_help("till", 0.0)
    if reached == "not saved":
        request.not_stored(UUID(int=1), 0.1)
    elif reached != "pressed":
        request.stored(UUID(int=1), 0.1)
    if reached == "sent":
        request.receipted(UUID(int=1), 0.2)
    if reached == "raised":
        request.call(a_call(valid_s=900), 0.3)
    if reached == "coming":
        request.call(a_call("acknowledged", "coming", name="Ana", valid_s=900), 0.3)
    if reached == "silent":
        request.call(a_call(valid_s=5), 0.3)
    said: list[tuple[float, Display]] = [(0.3, request.display)]
    for second in range(1, 900):
        request.tick(float(second))
        if request.display is not said[-1][1]:
            said.append((float(second), request.display))
    moments = [at for at, _ in said] + [900.0]
    assert max(b - a for a, b in pairwise(moments)) <= 15
    assert all(b.news > a.news for (_, a), (_, b) in pairwise(said))
    assert all((a.text, a.args) != (b.text, b.args) for (_, a), (_, b) in pairwise(said))


def test_once_someone_is_here_nothing_more_is_said() -> None:
    request = pressed_and_sent()
    request.call(a_call("attended", "here", 2, name="Ana", valid_s=3600), 1.0)
    before = request.display
    for second in range(2, 600):
        request.tick(float(second))
    assert request.display is before


@pytest.mark.parametrize("state", ["resolved", "cancelled", "missed"])
def test_presses_counted_before_a_request_closes_leave_with_the_time_of_the_first_of_them(state: str) -> None:
    request = pressed_and_sent()
    request.call(a_call("acknowledged", "coming", 2, name="Ana"), 1.0)
    request.press_help("till", 2.0)
    request.press_help("till", 3.0)
    (made,) = request.call(a_call(state, state, 3), 4.0)
    assert isinstance(made, Make)
    assert (made.content, made.at_s) == (HelpRequested("till", "en", 2), 2.0)
    assert made.ends_repeats


def test_presses_counted_before_a_refusal_leave_too() -> None:
    request = a_request()
    request.press_help("till", 1.0)
    request.press_help("till", 2.0)
    (made,) = request.refused(UUID(int=1), 3.0)
    assert isinstance(made, Make)
    assert made.at_s == 2.0


def test_what_a_person_has_seen_stays_seen_while_others_are_called() -> None:
    request = pressed_and_sent()
    request.call(a_call("raised", "seen", 2, args={"name": "Ana"}), 1.0)
    assert request.display.state is State.SEEN
    request.call(a_call("raised", "paging.zone", 3, args={"people": "3"}), 2.0)
    assert looks(request) == (State.SEEN, "paging.zone")
