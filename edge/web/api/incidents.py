"""Incidents: what is there, what was written into each, and what a program does for a person of the store.

Who a person involved is, is read and written at the desk alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import uuid4

import sqlalchemy as sa
from msgspec import Meta, Struct

from edge.audit import store as audits
from edge.audit.store import Actor
from edge.handling import acting, behalf, casefile, incidents, writing
from edge.handling.casefile import Casefile
from edge.handling.writing import MAX_CENTS, MAX_NAME, Said
from edge.incidents import listing
from edge.incidents.classes import CHECKS, CLASSES, OUTCOMES, ROLES
from edge.incidents.listing import Filters, Row
from edge.incidents.rules import MAX_REASON, MAX_WORDS, Kind
from edge.incidents.store import New
from edge.web import bearer
from edge.web.api.shapes import Moment, Name, Short, Text, shape
from edge.web.manage import asking
from edge.web.services import services

Classed = Annotated[Text, Meta(max_length=32, description=" ".join(f"{k}: {v}." for k, v in CLASSES.items()))]
Checked = Annotated[Text, Meta(max_length=32, description=" ".join(f"{k}: {v}." for k, v in CHECKS.items()))]
Ended = Annotated[Text, Meta(max_length=32, description=" ".join(f"{k}: {v}." for k, v in OUTCOMES.items()))]
At = Annotated[datetime, Meta(tz=True)]
Based = (
    Annotated[int, Meta(ge=0, le=2**31 - 1, description="`revision` as it was read: 409 if it is another.")]
    | None
)
Words = Annotated[Text, Meta(min_length=1, max_length=MAX_WORDS)]
_CLASS = {"classed_as": "class"}


class IncidentsAsked(Struct, frozen=True, forbid_unknown_fields=True, rename=_CLASS | {"from_": "from"}):
    """What the incidents are narrowed to; '' where they are not."""

    state: Literal["", "open", "closed"] = ""
    classed_as: Short = ""
    zone: Short = ""
    from_: Moment = ""
    to: Moment = ""
    q: Annotated[Short, Meta(description="Words that stand in what was written, or the number.")] = ""
    before: Annotated[Short, Meta(description="`next` of the last answer.")] = ""
    limit: Annotated[int, Meta(ge=1, le=listing.MAX_LIMIT)] = 50


class Incident(Struct, rename=_CLASS):
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


class For(Struct, frozen=True, forbid_unknown_fields=True):
    """For whom: the id of a person who works here, whose rights count."""

    person: Short


class NewIncident(For, frozen=True, forbid_unknown_fields=True, rename=_CLASS):
    """`about` is an interaction that it comes from; a security request has one incident, which this gives."""

    classed_as: Classed
    zone: Name
    happened_at: At
    about: Short = ""


class NewEntry(For, frozen=True, forbid_unknown_fields=True):
    """`said_by` whose words a statement has, `role` what a person was, `amount_cents` what was lost."""

    kind: Literal["statement", "account", "person", "loss", "action"]
    words: Words
    said_by: Annotated[Text, Meta(max_length=MAX_NAME)] = ""
    role: Annotated[Text, Meta(max_length=16, description=f"Allowed are {', '.join(ROLES)}.")] | None = None
    amount_cents: Annotated[int, Meta(ge=0, le=MAX_CENTS)] | None = None
    happened_at: At | None = None
    corrects: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None


class Ticked(For, frozen=True, forbid_unknown_fields=True):
    check: Checked
    done: bool = True


class Corrected(For, frozen=True, forbid_unknown_fields=True, rename=_CLASS):
    classed_as: Classed
    zone: Name
    happened_at: At
    based_on: Based = None


class Closed(For, frozen=True, forbid_unknown_fields=True):
    outcome: Ended
    note: Annotated[Text, Meta(max_length=MAX_REASON)] = ""
    based_on: Based = None


class Reopened(For, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[Text, Meta(min_length=1, max_length=MAX_REASON)]
    based_on: Based = None


class Linked(For, frozen=True, forbid_unknown_fields=True):
    code: Annotated[Text, Meta(max_length=40, description="The code or id of an interaction.")]


class AccountAsked(For, frozen=True, forbid_unknown_fields=True):
    """`of` is the id of the associate whom the complaint is about."""

    of: Short


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


def incident_open(body: NewIncident) -> IncidentWhole:
    """Open an incident by hand."""
    room, now, actor = services(), services().clock(), bearer.actor_here()
    silent = bearer.sees_silent()
    new = New(str(uuid4()), body.classed_as, body.zone, body.happened_at, body.person)

    def change(conn: sa.Connection) -> str:
        if body.about and not silent:
            behalf.loud(conn, room.store, body.about)
        opened = incidents.open_by_hand(
            conn, room.store, body.person, new, now, actor.through, body.about or None
        )
        _audit(conn, room.store, actor, opened, body.person, "opened", now)
        return opened

    return incident_read(room.change(change))


def incident_write(id: str, body: NewEntry) -> IncidentWhole:
    """Write something into it. A correction is a further entry that names the one which it corrects."""
    said = Said(
        Kind(body.kind),
        body.words,
        body.said_by,
        body.role,
        body.amount_cents,
        body.happened_at,
        body.corrects,
    )
    return _do(
        id,
        body.person,
        "written into",
        lambda conn, store, now, through: writing.write(conn, store, id, body.person, said, now, through),
    )


def incident_tick(id: str, body: Ticked) -> IncidentWhole:
    """Tick a point of the checklist, or take it back."""
    return _do(
        id,
        body.person,
        "ticked",
        lambda conn, store, now, through: incidents.tick(
            conn, store, id, body.person, body.check, body.done, now, through
        ),
    )


def incident_correct(id: str, body: Corrected) -> IncidentWhole:
    """Another class, place or time. Its clips are then those of the new place and time."""
    new = body.classed_as, body.zone, body.happened_at, body.based_on
    return _do(
        id,
        body.person,
        "corrected",
        lambda conn, store, now, through: incidents.correct(conn, store, id, body.person, *new, now, through),
    )


def incident_close(id: str, body: Closed) -> IncidentWhole:
    """Close it. 409 if it is closed already, or somebody has written since it was read."""
    how = body.outcome, body.note, body.based_on
    return _do(
        id,
        body.person,
        "closed",
        lambda conn, store, now, through: incidents.close(conn, store, id, body.person, *how, now, through),
    )


def incident_reopen(id: str, body: Reopened) -> IncidentWhole:
    """Open it again."""
    why = body.reason, body.based_on
    return _do(
        id,
        body.person,
        "opened again",
        lambda conn, store, now, through: incidents.reopen(conn, store, id, body.person, *why, now, through),
    )


def incident_link(id: str, body: Linked) -> IncidentWhole:
    """An interaction belongs to it too; its clips come along."""
    silent = bearer.sees_silent()
    return _do(
        id,
        body.person,
        "linked",
        lambda conn, store, now, through: incidents.link(
            conn, store, id, body.person, body.code, now, through, silent=silent
        ),
    )


def incident_ask_account(id: str, body: AccountAsked) -> IncidentWhole:
    """Ask the associate whom a complaint is about for their own account."""
    return _do(
        id,
        body.person,
        "account asked for",
        lambda conn, store, now, through: incidents.ask_account(
            conn, store, id, body.person, body.of, now, through
        ),
    )


def _do(
    id: str, person: str, what: str, work: Callable[[sa.Connection, str, datetime, str], object]
) -> IncidentWhole:
    """A deed in a person's name; of a silent one, for a token that may not see it, as if there were none."""
    room, now, actor, silent = services(), services().clock(), bearer.actor_here(), bearer.sees_silent()

    def change(conn: sa.Connection) -> None:
        listing.one(conn, room.store, id, silent=silent)
        work(conn, room.store, now, actor.through)
        _audit(conn, room.store, actor, id, person, what, now)

    room.change(change)
    return incident_read(id)


def _audit(
    conn: sa.Connection, store: str, actor: Actor, id: str, person: str, what: str, now: datetime
) -> None:
    """Which program did it. Without the number, as everywhere where not everyone may count."""
    row, who = listing.one(conn, store, id, silent=True), acting.who_is(conn, store, person)
    said, deed = CLASSES[row.classed_as], what.replace(" ", "_")
    kind = f"{behalf.SILENT}.incident_{deed}" if row.silent else f"incident.{deed}"
    words = f"Incident ({said}, {row.zone_title}) {what} for {who.name}."
    audits.record(conn, store, actor, kind, said, words, now)


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
