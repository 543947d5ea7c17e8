"""The log and one interaction's timeline."""

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from edge.interactions import index
from edge.interactions import log as interactions
from edge.interactions.lifecycle import ENDINGS
from edge.interactions.log import Filters
from edge.paging import feed
from edge.people import store as people
from edge.reports.devices import kiosks
from edge.web.access import signed_in
from edge.web.live import live
from edge.web.manage import asking
from edge.web.services import services

PAGE_ROWS = 50


def home() -> AnyResponse:
    return redirect(url_for("manage.floor"))


def log() -> AnyResponse:
    """The rows that the address asks for; for htmx only the rows. 400 for an address that says nonsense."""
    room = services()
    filters, before = asking.filters_here(), asking.before_here()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        rows = interactions.search(conn, room.store, filters, before, PAGE_ROWS + 1)
        more = len(rows) > PAGE_ROWS
        context: dict[str, Any] = {
            "rows": rows[:PAGE_ROWS],
            "older": asking.address(before=str(rows[PAGE_ROWS - 1].cursor)) if more else None,
            "newest": asking.address(before=None),
            "filtered": filters != Filters(),
            "behind": index.behind(conn, room.store) if filters.text else 0,
            "at_top": before is None,
            "me": signed_in().person,
        }
        if not request.headers.get("HX-Request"):
            context |= {
                "cursor": cursor,
                "zones": interactions.zones(conn, room.store),
                "topics": interactions.topics(conn, room.store),
                "people": people.all_people(conn, room.store),
                "kiosks": kiosks(conn, room.store, room.clock()),
                "outcomes": ENDINGS,
                "spans": asking.spans(),
                "looks": asking.looks(),
                "csv": asking.address("manage.export_csv", before=None),
                "xlsx": asking.address("manage.export_xlsx", before=None),
            }
    part = request.headers.get("HX-Request")
    return make_response(render_template("manage/_rows.html" if part else "manage/log.html", **context))


def interaction(interaction_id: str) -> AnyResponse:
    """One interaction from the press to its end. 404 for another store's."""
    room = services()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        story = interactions.timeline_of(conn, room.store, interaction_id)
        ratings = interactions.ratings_of(conn, room.store, interaction_id)
    part = request.headers.get("HX-Request")
    template = "manage/_story.html" if part else "manage/interaction.html"
    return make_response(
        render_template(template, story=story, ratings=ratings, cursor=cursor, me=signed_in().person)
    )


def stream() -> Response:
    return live(services(), signed_in(), pages=False)
