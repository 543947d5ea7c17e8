"""The log and one interaction's timeline."""

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from edge.db.keyset import Cursor
from edge.evidence import captures, register
from edge.incidents import links
from edge.incidents.store import numbered
from edge.interactions import holds, index
from edge.interactions import log as interactions
from edge.interactions.log import Filters
from edge.interactions.request import ENDINGS
from edge.paging import feed
from edge.people import rights
from edge.people import store as people
from edge.people.store import Person
from edge.pushing import told as pushes
from edge.reports.devices import kiosks
from edge.web import told, words
from edge.web.access import signed_in
from edge.web.live import live
from edge.web.manage import asking
from edge.web.manage.evidence import kept_here
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
            zones, staff = interactions.zones(conn, room.store), people.all_people(conn, room.store)
            context |= {
                "cursor": cursor,
                "zones": zones,
                "topics": interactions.topics(conn, room.store),
                "people": staff,
                "kiosks": kiosks(conn, room.store, room.clock()),
                "outcomes": ENDINGS,
                "asked": asking.said(_titles(dict(zones), staff, before)),
                "spans": asking.spans(),
                "looks": asking.looks(),
                "csv": asking.address("manage.export_csv", before=None),
                "xlsx": asking.address("manage.export_xlsx", before=None),
            }
    part = request.headers.get("HX-Request")
    return make_response(render_template("manage/_rows.html" if part else "manage/log.html", **context))


def _titles(zones: dict[str, str], staff: list[Person], before: Cursor | None) -> dict[str, dict[str, str]]:
    """What the filters' values are called on paper."""
    return {
        "zone": zones,
        "person": {person.id: person.name for person in staff},
        "kind": words.KINDS,
        "state": words.STATES,
        "topic": words.TOPICS,
        "language": words.LANGUAGES,
        "outcome": ENDINGS,
        "score": {"low": "Unhappy"} | {str(score): face for score, face in words.SCORES.items()},
        "before": {str(before): f"{words.local(before.at):%Y-%m-%d %H:%M:%S}"} if before else {},
    }


def interaction(interaction_id: str) -> AnyResponse:
    """One interaction from the press to its end. 404 for another store's."""
    room, me = services(), signed_in().person
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        story = interactions.timeline_of(conn, room.store, interaction_id)
        ratings = interactions.ratings_of(conn, room.store, interaction_id)
        cases = links.of_interaction(conn, room.store, interaction_id)
        pushed = pushes.of_request(conn, room.store, interaction_id)
        clips, unfilmed, kept_by = [], [], {}
        if rights.why_not_evidence(me.role) is None:
            silent = rights.sees_silent_evidence(me.role)
            of_it = conn, room.store, interaction_id
            clips = register.of_interaction(*of_it, room.overdue_at, silent=silent)
            kept_by = kept_here(conn, [one.clip for one in clips])
            unfilmed = captures.without_pictures(*of_it) if silent or not story.row.silent else []
    part = request.headers.get("HX-Request")
    template = "manage/_story.html" if part else "manage/interaction.html"
    return make_response(
        render_template(
            template,
            story=story,
            ratings=ratings,
            pushed=pushed,
            cases=[(id_, numbered(year, number)) for id_, year, number in cases],
            clips=clips,
            kept_by=kept_by,
            unfilmed=unfilmed,
            captured=captures.in_words,
            phone_device=holds.DEVICE,
            questions=told.QUESTIONS,
            answers=told.ANSWERS,
            cursor=cursor,
            me=me,
        )
    )


def stream() -> Response:
    return live(services(), signed_in(), pages=False)
