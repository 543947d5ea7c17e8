"""What the policies ask for, and when."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.config import HELP, SECURITY, Policy
from edge.routing.escalation import Move, advance


def story(policy: Policy, until_s: float, age_s: float = 0.0) -> list[tuple[float, Move]]:
    """Every move of a request that nobody answers, each made exactly when it is due."""
    moves, step, first = [], 0, True
    while age_s <= until_s:
        move = advance(policy, age_s, step, first=first)
        moves.append((age_s, move))
        if move.next_s is None:
            break
        age_s, step, first = move.next_s, move.step, False
    return moves


def test_help_goes_from_the_best_placed_to_the_zone_supervisors_all_hands_and_is_missed() -> None:
    assert [(age, m.groups, m.missed) for age, m in story(HELP, 1000)] == [
        (0, ("best",), False),
        (15, ("zone",), False),
        (30, ("supervisors",), False),
        (45, ("all",), False),
        (120, (), True),
    ]
    assert not any(m.again for _, m in story(HELP, 1000))


def test_security_pages_at_once_all_hands_at_10_s_and_everyone_again_every_10_s_without_end() -> None:
    moves = story(SECURITY, 3600)
    assert [age for age, _ in moves] == [10 * n for n in range(361)]
    assert [set(m.groups) for _, m in moves[:3]] == [
        {"security", "supervisors"},
        {"security", "supervisors", "all"},
        {"security", "supervisors", "all"},
    ]
    assert [m.again for _, m in moves[:3]] == [False, True, True]
    assert not any(m.missed for _, m in moves)


@pytest.mark.parametrize(
    ("age_s", "groups"), [(14.9, ()), (31, ("zone", "supervisors")), (119, ("zone", "supervisors", "all"))]
)
def test_a_late_look_takes_every_overdue_step_at_once(age_s: float, groups: tuple[str, ...]) -> None:
    assert advance(HELP, age_s, 1, first=False).groups == groups


def test_help_that_arrives_older_than_its_ceiling_pages_nobody() -> None:
    assert advance(HELP, 120, 0, first=True) == Move((), False, True, 0, None)


def test_security_that_arrives_late_pages_all_hands_at_once_but_nobody_twice() -> None:
    move = advance(SECURITY, 86_400, 0, first=True)
    assert (move.groups, move.again, move.missed) == (("security", "supervisors", "all"), False, False)


@given(st.lists(st.floats(0, 30), max_size=60), st.sampled_from([HELP, SECURITY]), st.floats(0, 200))
def test_however_late_each_look_comes_no_step_is_skipped_or_taken_twice(
    delays: list[float], policy: Policy, age_s: float
) -> None:
    step, first, groups, missed = 0, True, [], False
    for delay in delays:
        move = advance(policy, age_s, step, first=first)
        # A repetition asks again for those of the steps before.
        groups += [who for who in move.groups if who not in groups]
        assert move.step >= step
        step, first, missed = move.step, False, move.missed
        if move.next_s is None:
            break
        assert move.next_s > age_s
        age_s = move.next_s + delay
    expected = [who for s in policy.steps[:step] for who in s.who]
    assert groups == expected
    assert not (missed and policy is SECURITY)
