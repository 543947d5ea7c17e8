from hypothesis import given
from hypothesis import strategies as st

from kiosk.buttons import BOUNCE_S, STUCK_S, ButtonWatch, Happening

gaps = st.lists(st.floats(0.0001, BOUNCE_S / 21), min_size=0, max_size=20)


def bounce(
    watch: ButtonWatch, to: bool, start_s: float, between: list[float]
) -> tuple[list[Happening], float]:
    """Edges that flicker from `start_s` on and end at the level `to`; then the settled look."""
    happened, now_s, level = list(watch.edge(to, start_s)), start_s, to
    for gap in between:
        now_s, level = now_s + gap, not level
        happened += watch.edge(level, now_s)
    if level is not to:
        happened += watch.edge(to, now_s + 0.0001)
    due_s = watch.due_at()
    assert due_s is not None
    happened += watch.look(to, due_s)
    return [event.what for event in happened], due_s


@given(gaps, gaps)
def test_any_number_of_bounces_is_one_press_and_one_release(down: list[float], up: list[float]) -> None:
    watch = ButtonWatch("help")
    pressed, settled_s = bounce(watch, True, 1.0, down)
    released, _ = bounce(watch, False, settled_s + 0.1, up)
    assert pressed == [Happening.PRESSED]
    assert released == [Happening.RELEASED]


@given(st.lists(st.tuples(st.floats(0.031, 3), st.floats(0.031, 3)), max_size=30))
def test_clean_presses_are_counted_one_by_one(presses: list[tuple[float, float]]) -> None:
    watch, now_s, counted = ButtonWatch("help"), 10.0, 0
    for down_s, up_s in presses:
        events = watch.edge(True, now_s) + watch.edge(False, now_s + down_s)
        counted += sum(event.what is Happening.PRESSED for event in events)
        now_s += down_s + up_s
    assert counted == len(presses)


def test_the_first_edge_counts_at_once() -> None:
    assert [e.what for e in ButtonWatch("help").edge(True, 5.0)] == [Happening.PRESSED]


def test_twenty_presses_a_second_are_all_counted_even_when_the_loop_is_late() -> None:
    watch, counted = ButtonWatch("help"), 0
    for number in range(1200):
        at_s = number * 0.05
        for event in watch.edge(True, at_s) + watch.edge(False, at_s + 0.025):
            counted += event.what is Happening.PRESSED
    assert counted == 1200


def test_a_press_that_ends_within_the_bounce_is_seen_as_released_when_it_settles() -> None:
    watch = ButtonWatch("help")
    watch.edge(True, 1.0)
    assert watch.edge(False, 1.01) == []
    assert watch.due_at() == 1.0 + BOUNCE_S
    assert [e.what for e in watch.look(False, 1.04)] == [Happening.RELEASED]


def test_a_hold_fires_once_after_its_time_and_only_when_held() -> None:
    watch = ButtonWatch("guard", hold_s=1.5)
    watch.edge(True, 1.0)
    watch.look(True, 1.1)
    assert watch.due_at() == 2.5
    assert watch.look(True, 2.49) == []
    assert [(e.what, e.at_s) for e in watch.look(True, 2.6)] == [(Happening.HELD, 2.5)]
    assert watch.look(True, 4.0) == []
    assert [e.what for e in watch.edge(False, 5.0)] == [Happening.RELEASED]
    watch.edge(True, 6.0)
    assert [e.what for e in watch.edge(False, 7.4)] == [Happening.RELEASED]


def test_a_hold_is_measured_between_the_edges_even_when_the_loop_slept_through_it() -> None:
    watch = ButtonWatch("guard", hold_s=1.5)
    watch.edge(True, 1.0)
    assert watch.look(False, 3.1) == []  # already released, but its edge is still on the way here
    assert [e.what for e in watch.edge(False, 3.0)] == [Happening.HELD, Happening.RELEASED]


def test_a_lost_release_edge_is_replaced_after_a_moment() -> None:
    watch = ButtonWatch("help")
    watch.edge(True, 1.0)
    watch.look(True, 1.04)
    assert watch.look(False, 2.0) == []
    due_s = watch.due_at()
    assert due_s is not None
    assert [e.what for e in watch.look(False, due_s)] == [Happening.RELEASED]


def test_a_button_pressed_for_half_a_minute_is_stuck_once_and_recovers() -> None:
    watch = ButtonWatch("help")
    watch.edge(True, 0.0)
    watch.look(True, 0.1)
    assert [e.what for e in watch.look(True, STUCK_S)] == [Happening.STUCK]
    assert watch.stuck
    assert watch.look(True, STUCK_S + 50) == []
    assert [e.what for e in watch.edge(False, STUCK_S + 60)] == [Happening.RECOVERED]
    assert not watch.stuck
    assert [e.what for e in watch.edge(True, STUCK_S + 61)] == [Happening.PRESSED]


def test_a_button_that_is_pressed_at_the_start_calls_nobody() -> None:
    watch = ButtonWatch("guard", hold_s=1.5)
    watch.begin(True, 0.0)
    assert watch.look(True, 2.0) == []
    assert [e.what for e in watch.look(True, STUCK_S)] == [Happening.STUCK]
