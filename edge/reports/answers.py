"""What the charts are drawn from: every request for help of a span, and every rating of it by day."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from edge.db.feedback_tables import feedback
from edge.db.tables import interaction
from edge.reports.curves import Waits

SCORES = (1, 2, 3, 4)


@dataclass
class Answers:
    """The requests of a span. `answered` and `there` hold all that count; what does not is counted apart."""

    answered: Waits = field(default_factory=Waits)
    there: Waits = field(default_factory=Waits)
    hours: dict[int, Waits] = field(default_factory=lambda: defaultdict(Waits))
    # never answered: nobody came in time, or the shopper took it back while waiting
    missed: int = 0
    given_up: int = 0
    # left out: not over yet, or pressed at a time that is not known
    waiting: int = 0
    unknown: int = 0


@dataclass
class Day:
    """The ratings of one day: those that count, by score, and how many came in all."""

    day: str
    counted: dict[int, int] = field(default_factory=lambda: dict.fromkeys(SCORES, 0))
    total: int = 0


def answers(conn: sa.Connection, store: str, conditions: Sequence[sa.ColumnElement[bool]]) -> Answers:
    """Every shopper's request for help that is no drill. Hours are those of the server's own time zone."""
    i = interaction.c
    rows = conn.execution_options(yield_per=2000).execute(
        sa.select(i.raised_at, i.acknowledged_at, i.attended_at, i.closed_at, i.state, i.age_known).where(
            i.store == store, i.kind == "help", sa.not_(i.drill), i.raised_by.is_(None), *conditions
        )
    )
    found = Answers()
    for raised_at, acknowledged_at, attended_at, closed_at, state, age_known in rows:
        if not age_known:
            found.unknown += 1
            continue
        answered_at = acknowledged_at or attended_at
        if answered_at is None and closed_at is None:
            found.waiting += 1
            continue
        answered_s = _seconds(raised_at, answered_at)
        found.answered.add(answered_s)
        found.hours[raised_at.astimezone().hour].add(answered_s)
        # Who is still on the way has not arrived late yet; it is left out of the arrivals alone.
        if attended_at is not None or closed_at is not None:
            found.there.add(_seconds(raised_at, attended_at))
        if answered_at is None and state == "cancelled":
            found.given_up += 1
        elif answered_at is None:
            found.missed += 1
    return found


def ratings(
    conn: sa.Connection, store: str, from_at: datetime, to_at: datetime, zone: str = "", device: str = ""
) -> list[Day]:
    """Each day of the span with its ratings, the days without any too."""
    f = feedback.c
    query = sa.select(f.at, f.score, f.judged).where(f.store == store, f.at >= from_at, f.at < to_at)
    if zone:
        query = query.where(f.zone == zone)
    if device:
        query = query.where(f.device == device)
    days: dict[str, Day] = {}
    day = from_at.astimezone().date()
    last = (to_at - timedelta(microseconds=1)).astimezone().date()
    while day <= last:
        days[day.isoformat()] = Day(day.isoformat())
        day += timedelta(days=1)
    for at, score, judged in conn.execute(query):
        on = days[at.astimezone(UTC).astimezone().date().isoformat()]
        on.total += 1
        if judged == "counted":
            on.counted[score] += 1
    return list(days.values())


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start) / timedelta(seconds=1)
