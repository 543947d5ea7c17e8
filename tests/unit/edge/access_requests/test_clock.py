"""One calendar month, two more with a reason, and the warning a week before."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from edge.access_requests.clock import Pressing, days_left, due, first_due, months_after, pressing


@pytest.mark.parametrize(
    ("received", "ends"),
    [
        (date(2026, 3, 2), date(2026, 4, 2)),
        (date(2026, 1, 31), date(2026, 2, 28)),
        (date(2028, 1, 31), date(2028, 2, 29)),
        (date(2028, 1, 29), date(2028, 2, 29)),
        (date(2026, 1, 29), date(2026, 2, 28)),
        (date(2026, 3, 31), date(2026, 4, 30)),
        (date(2026, 2, 28), date(2026, 3, 28)),
        (date(2026, 12, 31), date(2027, 1, 31)),
    ],
)
def test_a_month_ends_with_the_same_day_or_the_last_of_a_shorter_month(received: date, ends: date) -> None:
    assert first_due(received) == due(received, extended=False) == ends


@pytest.mark.parametrize(
    ("received", "ends"),
    [
        (date(2026, 1, 31), date(2026, 4, 30)),
        (date(2025, 11, 30), date(2026, 2, 28)),
        (date(2027, 11, 30), date(2028, 2, 29)),
        (date(2026, 10, 15), date(2027, 1, 15)),
    ],
)
def test_an_extension_is_counted_from_the_receipt_and_not_from_the_shortened_month(
    received: date, ends: date
) -> None:
    assert due(received, extended=True) == ends


@given(some.dates(date(1990, 1, 1), date(2200, 1, 1)), some.integers(0, 36))
def test_so_many_months_later_is_in_that_month_and_never_later_in_it(day: date, months: int) -> None:
    found = months_after(day, months)
    assert (found.year * 12 + found.month) - (day.year * 12 + day.month) == months
    assert found.day == day.day or (found.day < day.day and (found + timedelta(days=1)).day == 1)


def test_a_week_before_its_last_day_it_presses_and_after_it_it_is_overdue() -> None:
    last = date(2026, 4, 2)
    days = [date(2026, 3, 25), date(2026, 3, 26), last, date(2026, 4, 3)]
    assert [days_left(last, day) for day in days] == [8, 7, 0, -1]
    assert [pressing(last, day) for day in days] == [
        Pressing.NOT_YET,
        Pressing.SOON,
        Pressing.SOON,
        Pressing.OVERDUE,
    ]
