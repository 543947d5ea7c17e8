"""Incidents: what is there, and what was written into each.

Who a person involved is, is read at the desk alone.
"""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from edge.handling import casefile
from edge.handling.casefile import Casefile
from edge.incidents import listing
from edge.incidents.classes import CHECKS
from edge.incidents.listing import Filters, Row
from edge.web import bearer
from edge.web.api.shapes import Moment, Short, shape
from edge.web.manage import asking
from edge.web.services import services

# `class` is a word of Python.
CLASS = {"classed_as": "class"}


class IncidentsAsked(Struct, frozen=True, forbid_unknown_fields=True, rename=CLASS | {"from_": "from"}):
    """What the incidents are narrowed to; '' where they are not."""

    state: Literal["", "open", "closed"] = ""
    classed_as: Short = ""
    zone: Short = ""
    from_: Moment = ""
    to: Moment = ""
    q: Annotated[Short, Meta(description="Words that stand in what was written, or the number.")] = ""
    before: Annotated[Short, Meta(description="`next` of the last answer.")] = ""
    limit: Annotated[int, Meta(ge=1, le=listing.MAX_LIMIT)] = 50


class Incident(Struct, rename=CLASS):
    """One incident. `number` is null for a token that may not see silent requests: those that are missing
    would tell of them. `opened_name` is null for one that a security request opened by itself."""

    id: str
    number: str | None
    classed_as: str
    zone: str
    zone_title: str
    happened_at: datetime
    state: str
    revision: int
    opened_at: datetime
    opened_name: str | None
    outcome: str | None
    closed_at: datetime | None
    silent: bool
    entries: int


class Incidents(Struct):
    """Those that happened last come first. `next` goes on, null at the end."""

    incidents: list[Incident]
    next: str | None


class IncidentStep(Struct):
    """One line of the timeline."""

    at: datetime
    what: str
    name: str
    through: str
    words: str


class IncidentEntry(Struct):
    """What was written, never changed: `corrects` is the number of the entry that this one corrects,
    `corrected_by` that of the one which corrects this.
    `amount_cents` is in hundredths of `currency`."""

    id: str
    number: int
    kind: str
    words: str
    said_by: str
    role: str | None
    amount_cents: int | None
    currency: str | None
    happened_at: datetime | None
    corrects: int | None
    corrected_by: int | None
    name: str
    through: str
    written_at: datetime


class IncidentCheck(Struct):
    """A point of the checklist, with who ticked it and when."""

    check: str
    said: str
    name: str | None
    at: datetime | None


class AskedAccount(Struct):
    person: str
    name: str
    at: datetime
    written: bool


class IncidentWhole(Struct):
    """One incident. `requests` are ids of interactions, `clips` of evidence."""

    incident: Incident
    timeline: list[IncidentStep]
    entries: list[IncidentEntry]
    checks: list[IncidentCheck]
    accounts: list[AskedAccount]
    requests: list[str]
    clips: list[str]


def incidents_search(query: IncidentsAsked) -> Incidents:
    """Search the incidents."""
    room = services()
    span = asking.span_here()
    filters = Filters(
        query.state, query.classed_as, query.zone, *span, query.q.strip(), with_silent=bearer.sees_silent()
    )
    with room.read() as conn:
        rows = listing.search(conn, room.store, filters, asking.before_here("in this list"), query.limit)
    following = str(rows[-1].cursor) if len(rows) == query.limit else None
    return Incidents([_incident(row) for row in rows], following)


def incident_read(id: str) -> IncidentWhole:
    """One incident with all that was written into it, its requests and its clips."""
    room, silent = services(), bearer.sees_silent()
    with room.read() as conn:
        return _whole(casefile.read(conn, room.store, id, silent=silent, silent_clips=silent))


def _incident(row: Row) -> Incident:
    fields = {
        name: getattr(row, name)
        for name in Incident.__struct_fields__
        if name not in ("number", "opened_name")
    }
    return Incident(
        number=row.number if bearer.sees_silent() else None, opened_name=row.opened_name, **fields
    )


def _whole(case: Casefile) -> IncidentWhole:
    return IncidentWhole(
        _incident(case.row),
        [shape(step, IncidentStep) for step in case.steps],
        [
            IncidentEntry(
                entry.id,
                entry.number,
                entry.kind.value,
                entry.words,
                entry.said_by,
                entry.role,
                entry.amount_cents,
                None if entry.amount_cents is None else services().config.currency,
                entry.happened_at,
                entry.corrects,
                case.corrected.get(entry.number),
                entry.name,
                entry.through,
                entry.written_at,
            )
            for entry in case.entries
        ],
        [
            IncidentCheck(
                check.key,
                CHECKS[check.key],
                check.done.name if check.done else None,
                check.done.at if check.done else None,
            )
            for check in case.checks
        ],
        [shape(asked, AskedAccount) for asked in case.asked],
        [row.id for row in case.requests if bearer.sees_silent() or not row.silent],
        [one.clip.id for one in case.clips],
    )
