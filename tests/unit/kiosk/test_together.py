from hypothesis import given
from hypothesis import strategies as st

from kiosk.buttons import ButtonEvent, Happening
from kiosk.together import NAME, WITHIN_S, Together

PAIR = frozenset({"cancel", "here"})
HOLD_S = 1.5


def down(name: str, at_s: float) -> ButtonEvent:
    return ButtonEvent(name, Happening.PRESSED, at_s)


def up(name: str, at_s: float) -> ButtonEvent:
    return ButtonEvent(name, Happening.RELEASED, at_s)


def test_both_held_are_a_security_request_and_nothing_else() -> None:
    both = Together(PAIR, HOLD_S)
    assert both.hear(down("cancel", 1.0)) == []
    assert both.hear(down("here", 1.1)) == []
    assert both.due_at() == 2.6
    assert both.look(2.59) == []
    assert both.look(2.7) == [ButtonEvent(NAME, Happening.HELD, 2.6)]
    assert both.hear(up("cancel", 3.0)) == both.hear(up("here", 3.1)) == []
    assert both.due_at() is None


def test_one_alone_counts_a_moment_later_at_its_own_time() -> None:
    both = Together(PAIR, HOLD_S)
    assert both.hear(down("cancel", 1.0)) == []
    assert both.due_at() == 1.0 + WITHIN_S
    assert both.look(1.3) == [down("cancel", 1.0)]
    assert both.hear(up("cancel", 1.4)) == [up("cancel", 1.4)]


def test_a_short_tap_counts_on_its_release() -> None:
    both = Together(PAIR, HOLD_S)
    both.hear(down("cancel", 1.0))
    assert both.hear(up("cancel", 1.08)) == [down("cancel", 1.0), up("cancel", 1.08)]


def test_one_that_comes_later_than_a_hand_would_is_a_press_of_its_own() -> None:
    both = Together(PAIR, HOLD_S)
    both.hear(down("cancel", 1.0))
    assert both.hear(down("here", 1.5)) == [down("cancel", 1.0)]
    assert both.look(9.0) == [down("here", 1.5)]


def test_another_button_passes_untouched() -> None:
    both = Together(PAIR, HOLD_S)
    both.hear(down("cancel", 1.0))
    assert both.hear(down("till", 1.05)) == [down("till", 1.05)]


def test_without_a_pair_everything_passes() -> None:
    assert Together(frozenset(), HOLD_S).hear(down("cancel", 1.0)) == [down("cancel", 1.0)]


taps = st.lists(
    st.tuples(st.sampled_from(["cancel", "here", "till"]), st.floats(0.02, 1.4), st.floats(0.0, 0.5)),
    max_size=40,
)


@given(taps)
def test_whatever_children_tap_shorter_than_the_hold_calls_nobody_and_loses_no_press(
    tapped: list[tuple[str, float, float]],
) -> None:
    """Three buttons at once, each again and again: which, how long, how long after its last."""
    both, free_s, edges = Together(PAIR, HOLD_S), dict.fromkeys(("cancel", "here", "till"), 0.0), []
    for name, long_s, after_s in tapped:
        start_s = free_s[name] + after_s + 0.01
        free_s[name] = start_s + long_s
        edges += [down(name, start_s), up(name, start_s + long_s)]
    edges.sort(key=lambda event: event.at_s)
    heard = [event for edge in edges for event in [*both.look(edge.at_s), *both.hear(edge)]]
    heard += both.look(1e9)
    assert sorted(heard, key=lambda e: (e.at_s, e.name)) == sorted(edges, key=lambda e: (e.at_s, e.name))
