"""Until when an access request must be answered. Pure.

GDPR art. 12(3): within one month of receipt; longer by two months where that is necessary, if the asker is
told so, with the reasons, within the first month. A month ends with the day of the same number, or with the
last day of a shorter month (Regulation 1182/71, art. 3(2)(c)). That a last day which is a holiday moves on
(art. 3(4)) is left out: nobody here knows the holidays, and earlier is never late."""

from calendar import monthrange
from datetime import date
from enum import StrEnum

MONTHS, MONTHS_MORE = 1, 2
# So many days before its last one, managers are told once.
SOON_DAYS = 7


class Pressing(StrEnum):
    """How the clock stands."""

    NOT_YET = "not_yet"
    SOON = "soon"
    OVERDUE = "overdue"


def months_after(day: date, months: int) -> date:
    """The day of the same number, or the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def first_due(received_on: date) -> date:
    """The last day on which it is answered in time, or on which the asker is told that it takes longer."""
    return months_after(received_on, MONTHS)


def due(received_on: date, *, extended: bool) -> date:
    """The last day on which it is answered in time."""
    return months_after(received_on, MONTHS + (MONTHS_MORE if extended else 0))


def days_left(due_on: date, today: date) -> int:
    """0 on the last day; negative: overdue for so many days."""
    return (due_on - today).days


def pressing(due_on: date, today: date) -> Pressing:
    left = days_left(due_on, today)
    if left < 0:
        return Pressing.OVERDUE
    return Pressing.SOON if left <= SOON_DAYS else Pressing.NOT_YET
