"""What shoppers thought: both totals in words, every score with its reason, and what staff type in."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from broker.questions import QUESTIONS
from edge.db.keyset import Cursor
from edge.errors import Faulty
from edge.feedback import opinions
from edge.feedback.judging import Judged
from edge.feedback.opinions import Filters
from edge.interactions import log as interactions
from edge.paging import feed
from edge.web import told
from edge.web.access import signed_in
from edge.web.manage import asking
from edge.web.manage.devices import kiosks
from edge.web.manage.saving import saved, status_of
from edge.web.services import services

PAGE_ROWS = 50
USUAL = timedelta(days=30)
JUDGED = {Judged.COUNTED: "Counted", Judged.BURST: "In a burst", Judged.STAFF: "By staff"}
ABOUT = {"request": "A request", "visit": "The visit"}


def feedback() -> Response:
    """The scores that the address asks for; of the last 30 days without a span."""
    room, before = services(), asking.before_here()
    usual = not (request.args.get("from") or request.args.get("to"))
    filters = _filters()
    shown = replace(filters, from_at=_month_ago()) if usual else filters
    place = (before.at, before.id) if before else None
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        rows = opinions.newest(conn, room.store, shown, place, PAGE_ROWS + 1)
        context: dict[str, Any] = {
            "cursor": cursor,
            "me": signed_in().person,
            "totals": opinions.totals(conn, room.store, shown),
            "zones": interactions.zones(conn, room.store),
            "kiosks": kiosks(conn, room.store, room.clock()),
        }
    last = Cursor(rows[PAGE_ROWS - 1].at, rows[PAGE_ROWS - 1].interaction) if len(rows) > PAGE_ROWS else None
    context |= {
        "rows": rows[:PAGE_ROWS],
        "usual": usual,
        "older": asking.address("manage.feedback", before=str(last)) if last else None,
        "newest": asking.address("manage.feedback", before=None),
        "at_top": before is None,
        "narrowed": replace(filters, from_at=None, to_at=None) != Filters(),
        "spans": asking.spans("manage.feedback", "Last 30 days"),
        "looks": _looks(),
        "judged": JUDGED,
        "about": ABOUT,
        "questions": told.QUESTIONS,
        "answers": told.ANSWERS,
        "known": QUESTIONS,
    }
    return make_response(render_template("manage/feedback.html", **context))


def feedback_new() -> Response:
    return _form()


def feedback_new_do() -> Response:
    error = told.save("desk")
    if error is not None:
        return _form(error, status_of(error))
    return saved(url_for("manage.feedback"), "It is saved with your name and stands in the log.")


def _form(error: Faulty | None = None, status: int = 200) -> Response:
    room = services()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
    page = render_template(
        "manage/feedback_new.html", cursor=cursor, me=signed_in().person, **told.form(error)
    )
    return make_response(page, status)


def _filters() -> Filters:
    asked = asking.filters_here()
    return Filters(
        asked.from_at,
        asked.to_at,
        zone=asked.zone,
        device=asked.device,
        scores=asked.scores,
        source=_one_of("source", opinions.SOURCES),
        judged=_one_of("judged", tuple(JUDGED)),
        about=_one_of("about", opinions.ABOUT),
    )


def _one_of(name: str, allowed: tuple[str, ...]) -> str:
    text = request.args.get(name, "")
    if text and text not in allowed:
        abort(400, f"The address says {name}={text[:40]!r}; allowed are {', '.join(allowed)}.")
    return text


def _month_ago() -> Any:
    today = services().clock().astimezone().replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    return (today + timedelta(days=1) - USUAL).astimezone()


def _looks() -> list[asking.Quick]:
    none: dict[str, str | None] = {"score": None, "judged": None, "source": None}
    look = asking.quick
    return [
        look("manage.feedback", "Everything", none),
        look("manage.feedback", "Unhappy", none | {"score": "low", "judged": "counted"}),
        look("manage.feedback", "Not counted: bursts", none | {"judged": "burst"}),
        look("manage.feedback", "Not counted: by staff", none | {"judged": "staff"}),
    ]
