"""One kiosk first, then the rest in batches, none after the first failure."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.updates import rules
from edge.updates.rules import Fail, Finish, Part, Revert, RollOut, Tell, steps

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ROLLOUT = RollOut(rules.RUNNING, timedelta(minutes=30), 2)


def part(place: int, state: str = rules.WAITING, minutes: float = 0, **more: object) -> Part:
    at = NOW - timedelta(minutes=minutes)
    until = NOW + timedelta(minutes=1) if state == rules.TOLD else None
    return replace(Part(f"kiosk-{place}", place, state, at, until, None, True), **more)


def test_the_first_goes_alone_until_it_is_well_for_its_time() -> None:
    rest = [part(n) for n in range(1, 5)]
    assert steps(ROLLOUT, [part(0), *rest], True, NOW) == [Tell("kiosk-0")]
    for state in (rules.TOLD, rules.TAKEN, rules.TRYING):
        assert steps(ROLLOUT, [part(0, state, 600), *rest], True, NOW) == []
    assert steps(ROLLOUT, [part(0, rules.HEALTHY, 29), *rest], True, NOW) == []
    told = steps(ROLLOUT, [part(0, rules.HEALTHY, 30), *rest], True, NOW)
    assert told == [Tell("kiosk-1"), Tell("kiosk-2")]


def test_no_more_than_a_batch_are_at_it_and_whoever_is_away_is_left_for_later() -> None:
    well = part(0, rules.HEALTHY, 60)
    assert steps(ROLLOUT, [well, part(1, rules.TRYING), part(2), part(3)], True, NOW) == [Tell("kiosk-2")]
    assert steps(ROLLOUT, [well, part(1, there=False), part(2), part(3)], True, NOW) == [
        Tell("kiosk-2"),
        Tell("kiosk-3"),
    ]
    assert steps(ROLLOUT, [part(0, there=False), part(1)], True, NOW) == []
    # One that went away before it had it, but none that went away with it.
    one_at_once = replace(ROLLOUT, batch=1)
    for state, told in ((rules.TOLD, [Tell("kiosk-2")]), (rules.TAKEN, []), (rules.TRYING, [])):
        away = part(1, state, there=False)
        assert steps(one_at_once, [well, away, part(2)], True, NOW) == told


def test_where_the_first_is_shut_out_another_that_is_well_vouches_for_the_release() -> None:
    shut_out = part(0, rules.HEALTHY, 60, revoked=True, there=False)
    assert steps(ROLLOUT, [shut_out, part(1), part(2)], True, NOW) == [Tell("kiosk-1")]
    away, well = part(1, there=False), part(2, rules.HEALTHY, 30)
    assert steps(ROLLOUT, [shut_out, away, well, part(3)], True, NOW) == [Tell("kiosk-3")]
    well = part(2, rules.HEALTHY, 29)
    assert steps(ROLLOUT, [shut_out, away, well, part(3)], True, NOW) == []


def test_where_every_kiosk_is_shut_out_nobody_says_that_all_run_it() -> None:
    gone = [part(n, rules.TAKEN, revoked=True, there=False) for n in range(2)]
    assert steps(ROLLOUT, gone, True, NOW) == [Fail("kiosk-0", "No kiosk of it is let in any more.")]


def test_whoever_is_to_go_first_and_is_away_is_named() -> None:
    away = part(0, there=False)
    assert rules.absent(ROLLOUT, [part(1), away]) == away
    assert rules.absent(ROLLOUT, [part(1), part(0)]) is None
    assert rules.absent(ROLLOUT, [away, part(1, rules.HEALTHY)]) is None
    assert rules.absent(replace(ROLLOUT, state=rules.STOPPED), [away]) is None
    assert rules.absent(ROLLOUT, [replace(away, revoked=True)]) is None


def test_whoever_holds_it_up_is_named_after_two_hours() -> None:
    well = part(0, rules.HEALTHY, 600)
    for state in (rules.TOLD, rules.TAKEN, rules.TRYING):
        assert rules.silent(ROLLOUT, [well, part(1, state, 119)], NOW) is None
        late = part(1, state, 120, there=False)
        assert rules.silent(ROLLOUT, [well, late, part(2, state, 1)], NOW) == late
        assert rules.silent(ROLLOUT, [well, replace(late, revoked=True)], NOW) is None
        assert rules.silent(replace(ROLLOUT, state=rules.RECALLED), [late], NOW) is None
    assert rules.silent(ROLLOUT, [well, part(1, minutes=600)], NOW) is None


@pytest.mark.parametrize("state", [rules.REFUSED, rules.ROLLED_BACK])
def test_the_first_failure_stops_it(state: str) -> None:
    bad = part(1, state, reason="It does not start.")
    found = steps(ROLLOUT, [part(0, rules.HEALTHY, 60), bad, part(2)], True, NOW)
    assert found == [Fail("kiosk-1", "It does not start.")]
    assert steps(replace(ROLLOUT, state=rules.FAILED), [bad, part(2)], True, NOW) == []


def test_outside_its_hours_nobody_begins_and_whoever_began_goes_on() -> None:
    assert steps(ROLLOUT, [part(0)], False, NOW) == []
    begun = part(0, rules.TOLD, ticket_until=None)
    assert steps(ROLLOUT, [begun], False, NOW) == [Tell("kiosk-0")]


def test_a_command_that_may_be_lost_is_said_again_once_its_ticket_is_over() -> None:
    assert steps(ROLLOUT, [part(0, rules.TOLD)], True, NOW) == []
    over = part(0, rules.TOLD, ticket_until=NOW)
    assert steps(ROLLOUT, [over], True, NOW) == [Tell("kiosk-0")]
    assert steps(ROLLOUT, [replace(over, there=False)], True, NOW) == []


def test_it_is_done_when_all_that_are_let_in_are_well() -> None:
    gone = part(1, revoked=True, there=False)
    assert steps(ROLLOUT, [part(0, rules.HEALTHY), gone], True, NOW) == [Finish()]


def test_what_is_called_back_is_called_back_wherever_it_may_be() -> None:
    recalled = replace(ROLLOUT, state=rules.RECALLED)
    parts = [part(n, state) for n, state in enumerate(
        (rules.HEALTHY, rules.TRYING, rules.TAKEN, rules.TOLD, rules.LEFT, rules.WAITING, rules.ROLLED_BACK,
         rules.KEPT)
    )]  # fmt: skip
    assert steps(recalled, parts, False, NOW) == [Revert(f"kiosk-{n}") for n in range(5)]
    assert steps(recalled, [replace(parts[0], reverted_at=NOW)], True, NOW) == []
    late = replace(parts[0], reverted_at=NOW - rules.AGAIN)
    assert steps(recalled, [late], True, NOW) == [Revert("kiosk-0")]


STATES = (
    rules.WAITING,
    rules.TOLD,
    rules.TAKEN,
    rules.TRYING,
    rules.HEALTHY,
    rules.REFUSED,
    rules.ROLLED_BACK,
)


@given(
    st.lists(
        st.tuples(st.sampled_from(STATES), st.floats(0, 90), st.booleans(), st.booleans()),
        min_size=1,
        max_size=8,
    ),
    st.integers(1, 4),
    st.booleans(),
)
def test_never_more_than_one_before_the_first_is_well_and_never_one_after_a_failure(
    drawn: list[tuple[str, float, bool, bool]], batch: int, allowed: bool
) -> None:
    parts = [part(n, s, m, there=t, revoked=r) for n, (s, m, t, r) in enumerate(drawn)]
    found = steps(replace(ROLLOUT, batch=batch), parts, allowed, NOW)
    told = [step.device for step in found if isinstance(step, Tell)]
    counted = [one for one in parts if not one.revoked]
    if any(one.state in rules.BAD for one in counted):
        assert not told
    beginning = [one for one in counted if one.device in told and one.state == rules.WAITING]
    if not any(one.state == rules.HEALTHY for one in counted):
        assert set(beginning) <= set(counted[:1])
    at_it = sum(one.state in rules.AT_IT and (one.there or one.state != rules.TOLD) for one in counted)
    assert not beginning or at_it + len(beginning) <= max(batch, 1)
    assert len(told) == len(set(told))


@pytest.mark.parametrize(
    ("window", "hour", "within"),
    [("", 3, True), ("22:00-06:00", 23, True), ("22:00-06:00", 5, True), ("22:00-06:00", 6, False),
     ("22:00-06:00", 12, False), ("01:00-04:00", 3, True), ("01:00-04:00", 4, False)],
)  # fmt: skip
def test_a_window_may_go_over_midnight(window: str, hour: int, within: bool) -> None:
    local = datetime(2026, 3, 2, hour, 0).astimezone()
    assert rules.is_within(window, local.astimezone(UTC)) is within


@pytest.mark.parametrize("window", ["22-6", "24:00-06:00", "22:00-22:00", "22:00 - 06:00", "٢٢:00-06:00"])
def test_a_window_that_is_none_is_refused_in_a_sentence(window: str) -> None:
    assert "allowed are" in (rules.fault_of_window(window) or "")


def test_words_that_come_late_take_nobody_back() -> None:
    assert rules.moves(rules.TOLD, "taken") and rules.moves(rules.TOLD, "healthy")
    assert not rules.moves(rules.HEALTHY, "trying") and not rules.moves(rules.ROLLED_BACK, "healthy")
    assert rules.moves(rules.HEALTHY, "rolled_back")
    # It had it after all.
    assert rules.moves(rules.LEFT, "taken") and not rules.moves(rules.KEPT, "taken")
