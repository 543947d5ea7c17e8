"""What a program does to incidents, for a person of the store: opening, writing, closing.

Who a person involved is, is written at the desk alone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Literal
from uuid import uuid4

import sqlalchemy as sa
from msgspec import Meta, Struct

from edge.audit import store as audits
from edge.audit.store import Actor
from edge.handling import acting, behalf, incidents, writing
from edge.handling.writing import MAX_CENTS, MAX_NAME, Said
from edge.incidents import listing
from edge.incidents.classes import CHECKS, CLASSES, OUTCOMES, ROLES
from edge.incidents.rules import MAX_REASON, MAX_WORDS, Kind
from edge.incidents.store import New
from edge.web import bearer
from edge.web.api.incidents import CLASS, IncidentWhole, incident_read
from edge.web.api.shapes import Name, Short, Text
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


class For(Struct, frozen=True, forbid_unknown_fields=True):
    """For whom: the id of a person who works here, whose rights count."""

    person: Short


class NewIncident(For, frozen=True, forbid_unknown_fields=True, rename=CLASS):
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


class Corrected(For, frozen=True, forbid_unknown_fields=True, rename=CLASS):
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
