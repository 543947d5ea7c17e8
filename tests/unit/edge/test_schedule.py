from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

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


MADRID = ZoneInfo("Europe/Madrid")


def begun(at: str, first: datetime, days: int) -> list[datetime]:
    """When drills began, by looks of a worker each minute, in the store's time; none may be missing."""
    found: list[datetime] = []
    # By UTC: between two moments of one zone Python counts by the clock on the wall.
    now, last = first.astimezone(UTC), None
    for _ in range(days * 24 * 60):
        if (what := due(Plan(at), last, first, now)) is not None:
            assert what[0] == "run", f"{what} at {now.astimezone(MADRID)}"
            last = what[1]
            found.append(now.astimezone(MADRID))
        now += MINUTE
    return found


@pytest.mark.parametrize(
    "first", [datetime(2026, 3, 27, tzinfo=MADRID), datetime(2026, 10, 23, tzinfo=MADRID)]
)
def test_it_is_half_past_eight_by_the_shops_clock_also_when_the_clocks_are_changed(
    in_madrid: None, first: datetime
) -> None:
    found = begun("08:30", first, 4)
    assert [f"{at:%d %H:%M}" for at in found] == [f"{first.day + n} 08:30" for n in range(4)]
    assert len({at.utcoffset() for at in found}) == 2, "The clocks were not changed within these days."


@pytest.mark.parametrize(
    ("first", "times"),
    [
        (datetime(2026, 3, 27, tzinfo=MADRID), ["27 02:30", "28 02:30", "29 03:30", "30 02:30"]),
        (datetime(2026, 10, 23, tzinfo=MADRID), ["23 02:30", "24 02:30", "25 02:30", "26 02:30"]),
    ],
)
def test_in_the_hour_that_is_left_out_or_comes_twice_it_runs_once_too(
    in_madrid: None, first: datetime, times: list[str]
) -> None:
    assert [f"{at:%d %H:%M}" for at in begun("02:30", first, 4)] == times
