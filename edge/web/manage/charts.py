"""The first charts: how long people waited and what they thought, each with its numbers beside it."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

from flask import abort, make_response, render_template
from werkzeug.wrappers import Response

from edge.interactions import log as interactions
from edge.interactions.filters import Filters, conditions
from edge.paging import feed
from edge.reports import curves
from edge.reports.answers import SCORES, answers, ratings
from edge.reports.devices import kiosks
from edge.web import words
from edge.web.access import signed_in
from edge.web.manage import asking
from edge.web.services import services

USUAL = timedelta(days=7)
LONGEST = timedelta(days=366)
# At these seconds the table gives the curve in numbers.
TOLD_S = (5, 10, 15, 30, 45, 60, 90, 120, 180, 300)


@dataclass(frozen=True)
class Chart:
    """What charts.js draws: a shared x and a series of numbers for each name; None leaves a gap."""

    kind: str
    x: list[float]
    series: list[dict[str, Any]]
    x_title: str
    y_title: str
    labels: list[str] | None = None


def charts() -> Response:
    """The span, zone, topic, language and kiosk in the address; the last seven days without a span."""
    room = services()
    asked = asking.filters_here()
    from_at, to_at = span_of(asked, room.clock())
    filters = Filters(
        from_at, to_at, zone=asked.zone, topic=asked.topic, language=asked.language, device=asked.device
    )
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        found = answers(conn, room.store, conditions(filters))
        days = ratings(conn, room.store, from_at, to_at, filters.zone, filters.device)
        choices = {
            "zones": interactions.zones(conn, room.store),
            "topics": interactions.topics(conn, room.store),
            "kiosks": kiosks(conn, room.store, room.clock()),
        }
    bars = curves.by_hour(found.hours)
    marks = curves.marks([found.answered, found.there])
    context = choices | {
        "cursor": cursor,
        "me": signed_in().person,
        "spans": asking.spans("manage.charts", "Last 7 days"),
        "from_at": from_at,
        "to_at": to_at - timedelta(microseconds=1),
        "found": found,
        "days": days,
        "bars": [bar for bar in bars if bar.count],
        "quantiles": [(q, curves.quantile(found.answered, q), curves.quantile(found.there, q)) for q in _QS],
        "shares": [
            (s, curves.share_within(found.answered, s), curves.share_within(found.there, s)) for s in TOLD_S
        ],
        "curve": _curve(marks, found.answered, found.there),
        "hours": _hours(bars),
        "rated": _rated(days),
        "narrowed": replace(filters, from_at=None, to_at=None) != Filters(),
        "rated_narrowed": bool(filters.topic or filters.language),
    }
    return make_response(render_template("manage/charts.html", **context))


_QS = (0.5, 0.9, 0.99)


def span_of(asked: Filters, now: datetime) -> tuple[datetime, datetime]:
    """From the asked day to the asked end, or to the end of today."""
    midnight = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    to_at = asked.to_at or (midnight + timedelta(days=1)).astimezone()
    from_at = asked.from_at or (to_at.astimezone().replace(tzinfo=None) - USUAL).astimezone()
    if not timedelta(0) < to_at - from_at <= LONGEST:
        abort(400, "The address asks for a span that ends before it begins or is longer than 366 days.")
    return from_at, to_at


def _curve(marks: list[float], answered: curves.Waits, there: curves.Waits) -> Chart:
    series: list[dict[str, Any]] = [
        {"name": "Answered", "colour": "acknowledged", "values": _percents(curves.ecdf(answered, marks))},
        {"name": "There", "colour": "attended", "values": _percents(curves.ecdf(there, marks)), "dash": True},
    ]
    return Chart("curve", marks, series, "seconds after the press", "% of requests")


def _hours(bars: list[curves.Bar]) -> Chart:
    """The hours from the first to the last in which anybody asked."""
    busy = [bar.hour for bar in bars if bar.count] or [0]
    bars = bars[min(busy) : max(busy) + 1]
    series: list[dict[str, Any]] = [
        {"name": "Half were answered within", "colour": "acknowledged", "values": [b.median_s for b in bars]},
        {"name": "Nine in ten within", "colour": "acknowledged", "values": [b.p90_s for b in bars]},
    ]
    return Chart("bars", [float(b.hour) for b in bars], series, "hour of the day", "seconds")


def _rated(days: list[Any]) -> Chart:
    colours = {1: "missed", 2: "raised", 3: "happy", 4: "resolved"}
    series: list[dict[str, Any]] = [
        {"name": words.SCORES[score], "colour": colours[score], "values": [d.counted[score] for d in days]}
        for score in SCORES
    ]
    x = [float(number) for number in range(len(days))]
    names = [f"{date.fromisoformat(day.day):%-d %b}" for day in days]
    return Chart("stack", x, series, "day", "ratings", names)


def _percents(shares: list[float]) -> list[float]:
    return [round(100 * share, 2) for share in shares]
