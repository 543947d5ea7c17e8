"""The log and one interaction's timeline."""

from datetime import datetime, timedelta
from typing import Any

from flask import Response, abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from edge.interactions import log as interactions
from edge.interactions.log import Cursor, Filters
from edge.paging import feed
from edge.people import store as people
from edge.web.access import signed_in
from edge.web.live import live
from edge.web.manage.devices import kiosks
from edge.web.services import services

PAGE_ROWS = 50
_ASKED = ("from", "to", "kind", "zone", "person", "state", "q", "before")


def home() -> AnyResponse:
    return redirect(url_for("manage.log"))


def log() -> AnyResponse:
    """The rows that the address asks for; for htmx only the rows. 400 for an address that says nonsense."""
    room = services()
    filters, before = filters_here(), _before()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        rows = interactions.search(conn, room.store, filters, before, PAGE_ROWS + 1)
        more = len(rows) > PAGE_ROWS
        context: dict[str, Any] = {
            "rows": rows[:PAGE_ROWS],
            "older": _address(before=str(rows[PAGE_ROWS - 1].cursor)) if more else None,
            "newest": _address(before=None),
            "filtered": filters != Filters(),
            "at_top": before is None,
            "me": signed_in().person,
        }
        if not request.headers.get("HX-Request"):
            context |= {
                "cursor": cursor,
                "zones": interactions.zones(conn, room.store),
                "people": people.all_people(conn, room.store),
                "kiosks": kiosks(conn, room.store, room.clock()),
            }
    part = request.headers.get("HX-Request")
    return make_response(render_template("manage/_rows.html" if part else "manage/log.html", **context))


def interaction(interaction_id: str) -> AnyResponse:
    """One interaction from the press to its end. 404 for another store's."""
    room = services()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        story = interactions.timeline_of(conn, room.store, interaction_id)
    part = request.headers.get("HX-Request")
    template = "manage/_story.html" if part else "manage/interaction.html"
    return make_response(render_template(template, story=story, cursor=cursor, me=signed_in().person))


def stream() -> Response:
    return live(services(), signed_in(), pages=False)


def filters_here() -> Filters:
    """The filters in the address of this request."""
    asked = request.args
    return Filters(
        from_at=_time("from", asked.get("from", "")),
        to_at=_time("to", asked.get("to", ""), end=True),
        kind=asked.get("kind", "")[:16],
        zone=asked.get("zone", "")[:32],
        person=asked.get("person", "")[:36],
        state=asked.get("state", "")[:16],
        text=asked.get("q", "")[:100],
    )


def _time(name: str, text: str, *, end: bool = False) -> datetime | None:
    """A day or a minute in the store's own time. The end of a span includes the day or minute it names."""
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text).astimezone()
        if end:
            at += timedelta(days=1) if len(text) == 10 else timedelta(minutes=1)
    except (ValueError, OverflowError):
        abort(
            400, f"The address says {name}={text[:40]!r}; a time looks like 2026-03-01 or 2026-03-01T14:30."
        )
    return at


def _before() -> Cursor | None:
    text = request.args.get("before")
    if not text:
        return None
    try:
        return Cursor.parse(text)
    except ValueError:
        abort(400, "The address says a place in the log that does not exist; begin again at its top.")


def _address(**changes: str | None) -> str:
    asked: dict[str, Any] = {key: value for key, value in request.args.items() if value}
    asked.update(changes)
    # Only our own names: url_for would take '_external' and the like as its options.
    return url_for("manage.log", **{key: asked[key] for key in _ASKED if asked.get(key)})
