"""Access requests: what is there, opening one, and how it is answered.

Who is in a picture, and that a covered copy shows nobody else, only a person says, at the desk.
"""

from datetime import date, datetime
from typing import Annotated, Literal
from uuid import uuid4

from msgspec import Meta, Struct

from edge.access_requests import rules, store
from edge.access_requests.rules import Extend
from edge.access_requests.store import New, Row, Step
from edge.handling import access_requests as handling
from edge.web import bearer
from edge.web.api.evidence import actor_here
from edge.web.api.shapes import Name, Text, shape
from edge.web.manage import access_requests as desk
from edge.web.services import services

At = Annotated[datetime, Meta(tz=True)]
Words = Annotated[Text, Meta(min_length=1, max_length=rules.MAX_CONTACT)]
Reason = Annotated[Text, Meta(max_length=rules.MAX_REASON)]
Based = (
    Annotated[int, Meta(ge=0, le=2**31 - 1, description="`revision` as it was read: 409 if it is another.")]
    | None
)


class AccessRequest(Struct):
    """One access request. It is to be answered by the end of `due_on`, in the store's own time; `days_left`
    is negative once it is overdue, and null once it is answered. How to reach the asker is shown at the
    desk alone."""

    id: str
    number: str
    came: str
    received_on: date
    due_on: date
    days_left: int | None
    zone: str
    zone_title: str
    began_at: datetime
    ended_at: datetime
    state: str
    revision: int
    opened_at: datetime
    extended_on: date | None
    answer: str | None
    answered_at: datetime | None
    closed_at: datetime | None
    erased_at: datetime | None


class AccessRequests(Struct):
    """Those that wait for their answer first, the most pressing at the top; 200 at most."""

    access_requests: list[AccessRequest]


class AccessStep(Struct):
    """One line of the timeline."""

    at: datetime
    what: str
    name: str
    through: str
    words: str


class AccessClip(Struct):
    """A clip of the place and time. `held` for the request; `shows_asker`: a person has marked it; `copy` is
    none, asked, made or failed, and `watched` whether somebody has watched it to the end."""

    clip: str
    state: str
    held: bool
    shows_asker: bool
    copy: str
    watched: bool


class AccessWhole(Struct):
    access_request: AccessRequest
    timeline: list[AccessStep]
    clips: list[AccessClip]


class NewAccessRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """`contact` and `identity`: how to reach the asker and how it was made sure who they are; both are erased
    some time after it is closed. The time is 24 hours at most."""

    came: Literal["desk", "letter", "email"]
    received_on: date
    contact: Words
    identity: Words
    zone: Name
    began_at: At
    ended_at: At
    description: Annotated[Text, Meta(max_length=rules.MAX_CONTACT)] = ""


class Extended(Struct, frozen=True, forbid_unknown_fields=True):
    """Two months more, once: the asker was told so and why on `told_on`, within the first month."""

    told_on: date
    reason: Annotated[Reason, Meta(min_length=1)]
    based_on: Based = None


class AccessAnswered(Struct, frozen=True, forbid_unknown_fields=True):
    """With footage, `letter` goes out beside the covered copies; `reason` is needed where it is refused."""

    how: Literal["footage", "nothing", "refused", "withdrawn"]
    reason: Reason = ""
    letter: Annotated[Text, Meta(max_length=rules.MAX_LETTER)] = ""
    based_on: Based = None


class AccessClosed(Struct, frozen=True, forbid_unknown_fields=True):
    based_on: Based = None


class AccessReopened(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[Reason, Meta(min_length=1)]
    based_on: Based = None


def access_requests_list() -> AccessRequests:
    """The access requests of the store."""
    room = services()
    with room.read() as conn:
        return AccessRequests([_one(row) for row in store.listed(conn, room.store)])


def access_request_read(id: str) -> AccessWhole:
    """One access request, its timeline and the clips of its place and time."""
    room = services()
    with room.read() as conn:
        row = store.one(conn, room.store, id)
        found = desk.found_for(conn, room, row, silent=bearer.sees_silent())
        steps = store.steps(conn, id)
    return AccessWhole(_one(row), [_step(step) for step in steps], [_clip(one) for one in found])


def access_request_open(body: NewAccessRequest) -> AccessWhole:
    """Open an access request; what it asks for is held from now on."""
    room, actor = services(), actor_here()
    new = New(
        str(uuid4()), body.came, body.received_on, body.contact, body.identity, body.description, body.zone,
        body.began_at, body.ended_at,
    )  # fmt: skip
    return access_request_read(
        room.change(lambda conn: handling.open_(conn, room.store, new, actor, room.clock()))
    )


def access_request_extend(id: str, body: Extended) -> AccessWhole:
    """Two months more. 409 once the first month is over without the asker having been told."""
    room, actor, now = services(), actor_here(), services().clock()
    told = Extend(actor.name, body.told_on, body.reason, now.astimezone().date(), body.based_on)
    room.change(lambda conn: handling.extend(conn, room.store, id, told, actor, now))
    return access_request_read(id)


def access_request_answer(id: str, body: AccessAnswered) -> AccessWhole:
    """Say how it was answered. 409 while a marked clip has no covered copy that somebody has watched."""
    room, actor = services(), actor_here()
    said = body.how, body.reason, body.letter
    room.change(lambda conn: handling.answer(conn, room.store, id, *said, actor, body.based_on, room.clock()))
    return access_request_read(id)


def access_request_close(id: str, body: AccessClosed) -> AccessWhole:
    """Nothing is left to do: the covered copies are deleted, holds stay until two release them."""
    room, actor = services(), actor_here()
    room.change(lambda conn: handling.close(conn, room.store, id, actor, body.based_on, room.clock()))
    return access_request_read(id)


def access_request_reopen(id: str, body: AccessReopened) -> AccessWhole:
    """Open it again."""
    room, actor = services(), actor_here()
    why = body.reason, actor, body.based_on
    room.change(lambda conn: handling.reopen(conn, room.store, id, *why, room.clock()))
    return access_request_read(id)


def _one(row: Row) -> AccessRequest:
    beside = ("due_on", "days_left", "number")
    fields = {name: getattr(row, name) for name in AccessRequest.__struct_fields__ if name not in beside}
    left = row.days_left(services().clock().astimezone().date()) if row.waits else None
    return AccessRequest(number=row.number, due_on=row.due_on, days_left=left, **fields)


def _step(step: Step) -> AccessStep:
    return shape(step, AccessStep)


def _clip(found: desk.Found) -> AccessClip:
    one = found.shown
    return AccessClip(
        found.listed.clip.id,
        found.listed.state,
        found.listed.held,
        one is not None and one.chosen,
        one.state if one else "none",
        one is not None and one.watched_at is not None,
    )
