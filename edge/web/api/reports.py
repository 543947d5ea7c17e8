"""The numbers of the charts: how long people waited as distributions, and what they thought, by day."""

from datetime import datetime

from msgspec import Struct

from edge.interactions.filters import Filters, conditions
from edge.reports import curves
from edge.reports.answers import answers, ratings
from edge.reports.curves import Waits
from edge.web import bearer
from edge.web.api.shapes import Moment, Short
from edge.web.manage import asking, charts
from edge.web.services import services

SHARES = (0.5, 0.9, 0.99)


class Spanned(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The last seven days without a span; at most 366."""

    from_: Moment = ""
    to: Moment = ""
    zone: Short = ""
    device: Short = ""


class AnswersAsked(Spanned, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    topic: Short = ""
    language: Short = ""


class Share(Struct):
    """Which share of all was over within so many seconds."""

    seconds: float
    share: float


class Quantile(Struct):
    """The time within which this share of all was over; null: it never was."""

    share: float
    seconds: float | None


class Distribution(Struct):
    """Those who were never answered are in `total` and in every share."""

    total: int
    never: int
    quantiles: list[Quantile]
    curve: list[Share]


class Hour(Struct):
    """Of one hour of the day, by the server's own time."""

    hour: int
    count: int
    never: int
    median_s: float | None
    p90_s: float | None


class Answers(Struct):
    """Requests for help that are no drills. `waiting` are not over and `unknown` have no known time of the
    press; neither is in the distributions."""

    from_at: datetime
    to_at: datetime
    answered: Distribution
    there: Distribution
    hours: list[Hour]
    missed: int
    given_up: int
    waiting: int
    unknown: int


class RatedDay(Struct):
    """The ratings of one day that count, from 1 to 4, and how many came in all."""

    day: str
    counted: dict[str, int]
    total: int


class Ratings(Struct):
    days: list[RatedDay]


def report_answers(query: AnswersAsked) -> Answers:
    """How long it took until somebody answered, and until they were there."""
    room = services()
    asked = asking.filters_here()
    from_at, to_at = charts.span_of(asked, room.clock())
    filters = Filters(
        from_at,
        to_at,
        zone=asked.zone,
        topic=asked.topic,
        language=asked.language,
        device=asked.device,
        with_silent=bearer.sees_silent(),
    )
    with room.read() as conn:
        found = answers(conn, room.store, conditions(filters))
    marks = curves.marks([found.answered, found.there])
    return Answers(
        from_at,
        to_at,
        _distribution(found.answered, marks),
        _distribution(found.there, marks),
        [
            Hour(bar.hour, bar.count, bar.never, bar.median_s, bar.p90_s)
            for bar in curves.by_hour(found.hours)
        ],
        found.missed,
        found.given_up,
        found.waiting,
        found.unknown,
    )


def report_ratings(query: Spanned) -> Ratings:
    """What shoppers thought, day by day."""
    room = services()
    from_at, to_at = charts.span_of(asking.filters_here(), room.clock())
    with room.read() as conn:
        days = ratings(conn, room.store, from_at, to_at, query.zone, query.device)
    return Ratings(
        [
            RatedDay(day.day, {str(score): count for score, count in day.counted.items()}, day.total)
            for day in days
        ]
    )


def _distribution(waits: Waits, marks: list[float]) -> Distribution:
    curve = zip(marks, curves.ecdf(waits, marks), strict=True)
    found = [curves.quantile(waits, share) for share in SHARES]
    return Distribution(
        waits.total,
        waits.never,
        [Quantile(one.share, one.seconds) for one in found],
        [Share(mark, share) for mark, share in curve],
    )
