"""The incidents, those that happened last first; opening one by hand; the list as a file."""

from collections.abc import Iterator
from typing import Any

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.devices import store as devices
from edge.errors import EdgeError, Faulty, NotFound
from edge.handling import incidents as handling
from edge.handling import writing
from edge.incidents import listing
from edge.incidents.classes import CLASSES, OUTCOMES, class_for
from edge.incidents.listing import Filters, Row
from edge.incidents.rules import MAX_WORDS, Kind, State
from edge.interactions import log
from edge.paging import feed
from edge.web import report
from edge.web.access import signed_in
from edge.web.asked import asked
from edge.web.manage import asking
from edge.web.manage.export import file_of, full, table_lines
from edge.web.manage.saving import save, saved, status_of
from edge.web.minutes import minute
from edge.web.services import Services, services

PAGE_ROWS = 50
# Name of the column -> what stands in it. Times are ISO 8601 with their offset, by the server's own zone.
COLUMNS = (
    "number", "class", "zone", "zone_title", "happened_at", "state", "outcome", "opened_at", "opened_by",
    "closed_at", "entries", "silent", "id",
)  # fmt: skip


def incidents() -> Response:
    """The rows that the address asks for. 400 for an address that says nonsense."""
    room = services()
    filters, before = filters_here(), asking.before_here("in this list")
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        rows = listing.search(conn, room.store, filters, before, PAGE_ROWS + 1)
        zones = devices.zones(conn, room.store)
    more = len(rows) > PAGE_ROWS
    page = render_template(
        "manage/incidents.html",
        rows=rows[:PAGE_ROWS],
        older=asking.address("manage.incidents", before=str(rows[PAGE_ROWS - 1].cursor)) if more else None,
        newest=asking.address("manage.incidents", before=None),
        at_top=before is None,
        filtered=filters != Filters(with_silent=True),
        asked=asking.said({"class": CLASSES, "zone": zones, "state": _STATES}),
        csv=asking.address("manage.incidents_csv", before=None),
        looks=_looks(),
        spans=asking.spans("manage.incidents"),
        zones=zones,
        classes=CLASSES,
        outcomes=OUTCOMES,
        states=_STATES,
        remind_days=f"{room.config.retention.remind_days:g}",
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page)


def incidents_csv() -> Response:
    """Exactly the rows that the page shows, all of them."""
    room, filters = services(), filters_here()
    if not room.exports.acquire(blocking=False):
        return full()
    return file_of(table_lines(COLUMNS, _cells(room, filters)), "text/csv; charset=utf-8", "csv", "incidents")


def incidents_new() -> Response:
    """With ?about=, an interaction that it comes from."""
    return _form()


def incidents_new_do() -> Response:
    """Open it, with what happened in words if somebody has said it already."""
    room, me, now = services(), signed_in().person.id, services().clock()
    about = request.form.get("about", "")[:36] or None
    try:
        new, said = report.new_here(now), report.said_here(Kind.STATEMENT, now)
    except Faulty as error:
        return _form(error)
    if said.words.strip():
        done = save(lambda conn: writing.report(conn, room.store, me, new, said, now, "desk", about))
    else:
        done = save(lambda conn: handling.open_by_hand(conn, room.store, me, new, now, "desk", about))
    if isinstance(done, EdgeError):
        return _form(done)
    return saved(url_for("manage.incidents_one", incident_id=done), "The incident is open.")


def filters_here() -> Filters:
    """What the address narrows the list to."""
    asked = request.args
    for name, allowed in (("state", _STATES), ("class", CLASSES)):
        if asked.get(name) and asked[name] not in allowed:
            abort(400, f"The address says {name}={asked[name][:40]!r}; allowed are {', '.join(allowed)}.")
    return Filters(
        asked.get("state", ""),
        asked.get("class", ""),
        asked.get("zone", "")[:32],
        *asking.span_here(),
        asked.get("q", "").replace("\x00", "").strip()[:100],
        with_silent=True,
    )


_STATES = {State.OPEN.value: "Open", State.CLOSED.value: "Closed"}


def _looks() -> list[asking.Quick]:
    none: dict[str, str | None] = {"state": None, "class": None}
    look = asking.quick
    return [
        look("manage.incidents", "Everything", none),
        look("manage.incidents", "Open", none | {"state": "open"}),
        look("manage.incidents", "Thefts", none | {"class": "theft"}),
        look("manage.incidents", "Complaints", none | {"class": "complaint"}),
    ]


def _cells(room: Services, filters: Filters) -> Iterator[list[str | int | float | None]]:
    before = None
    while True:
        with room.read() as conn:
            found = listing.search(conn, room.store, filters, before, listing.MAX_LIMIT)
        yield from map(_line, found)
        if len(found) < listing.MAX_LIMIT:
            return
        before = found[-1].cursor


def _line(row: Row) -> list[str | int | float | None]:
    at = [
        None if one is None else one.astimezone().isoformat(timespec="seconds")
        for one in (row.happened_at, row.opened_at, row.closed_at)
    ]
    return [
        row.number, row.classed_as, row.zone, row.zone_title, at[0], row.state, row.outcome, at[1],
        row.opened_name, at[2], row.entries, "yes" if row.silent else "no", row.id,
    ]  # fmt: skip


def _form(error: EdgeError | None = None) -> Response:
    room, about = services(), asked("about", 36)
    with room.read() as conn:
        found = log.among(conn, room.store, [about]) if about else []
        if about and not found:
            raise NotFound("There is no such entry in this store's log.")
        context: dict[str, Any] = {
            "zones": devices.zones(conn, room.store),
            "cursor": feed.head(conn, room.store),
        }
    row = found[0] if found else None
    page = render_template(
        "manage/incident_new.html",
        about=row,
        classed_as=class_for(row.kind, row.topic) if row else "other",
        happened=minute(row.raised_at if row else room.clock()),
        classes=CLASSES,
        typed=request.form,
        error=error,
        most=MAX_WORDS,
        me=signed_in().person,
        **context,
        **report.fresh(),
    )
    return make_response(page, status_of(error) if error else 200)
