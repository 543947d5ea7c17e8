from datetime import UTC, datetime, timedelta

import pytest

from edge.schedule import LATE, Plan, due, kind_of, turn_of

# In the zone of whoever runs this, as the plan is.
AT = datetime(2026, 3, 2, 8, 30).astimezone()
DAILY = Plan("08:30")
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


def test_a_drill_begins_at_its_time_once_a_day() -> None:
    assert due(DAILY, AT - DAY, None, AT - MINUTE) is None
    assert due(DAILY, AT - DAY, None, AT) == ("run", AT)
    assert due(DAILY, AT, None, AT + MINUTE) is None
    assert due(DAILY, AT, None, AT + DAY) == ("run", AT + DAY)


def test_without_a_time_none_is_due() -> None:
    assert due(Plan(), None, None, AT) is None


def test_one_that_could_begin_only_much_later_is_missing_and_only_the_last_of_them() -> None:
    assert due(DAILY, AT - DAY, None, AT + LATE) == ("run", AT)
    assert due(DAILY, AT - DAY, None, AT + LATE + MINUTE) == ("missing", AT)
    assert due(DAILY, AT - 5 * DAY, None, AT - MINUTE) == ("missing", AT - DAY)


def test_a_plan_misses_nothing_from_before_it_was_made() -> None:
    assert due(DAILY, None, AT + MINUTE, AT + 2 * MINUTE) is None
    assert due(DAILY, None, None, AT + LATE + MINUTE) is None
    assert due(DAILY, None, AT - MINUTE, AT + LATE + MINUTE) == ("missing", AT)


@pytest.mark.parametrize("at", ["8:30", "24:00", "08:60", "soon"])
def test_a_time_that_is_none_is_named_with_what_is_allowed(at: str) -> None:
    assert "allowed are times like 08:30" in (Plan(at).fault() or "")


def test_a_kiosk_that_is_not_there_is_named() -> None:
    assert "this store has till-1" in (Plan(device="till-9").fault({"till-1": None}) or "")
    assert Plan("08:30", device="till-1").fault({"till-1": None}) is None


def test_kiosks_take_turns_and_kinds_too() -> None:
    now = datetime(2026, 3, 2, tzinfo=UTC)
    assert turn_of(DAILY, {"a": now, "b": None, "c": None}) == "b"
    assert turn_of(DAILY, {"a": now, "b": now - DAY}) == "b"
    assert turn_of(DAILY, {"a": None, "b": None}) == "a"
    assert turn_of(Plan(device="b"), {"a": None, "b": now}) == "b"
    assert turn_of(DAILY, {}) is None
    both = Plan(kind="both")
    assert [kind_of(both, last) for last in (None, "help", "security")] == ["help", "security", "help"]
