"""Everyone who works here, as a page."""

from datetime import timedelta

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from edge.paging import feed
from edge.people import rights
from edge.reports import floor as now_there
from edge.reports.staff import members
from edge.web.access import signed_in
from edge.web.services import services


def people() -> Response:
    """Those who work here; with ?all=1 also those who no longer do."""
    room = services()
    with room.read() as conn:
        everyone = members(conn, room.store, room.clock())
        context = {
            "cursor": feed.head(conn, room.store),
            "zone_titles": dict(now_there.zones(conn, room.store)),
            "me": signed_in().person,
        }
    shown = [one for one in everyone if one.active or request.args.get("all")]
    gone = sum(not one.active for one in everyone)
    may = rights.may_change(signed_in().person.role)
    page = render_template(
        "manage/people.html", people=shown, gone=gone, may_change=may, day_long=timedelta(days=1), **context
    )
    return make_response(page)
