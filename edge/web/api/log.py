"""The log: every interaction by the filters of the desk, one with its whole timeline, and the floor now."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct, field

from edge.errors import NotFound
from edge.interactions import index
from edge.interactions import log as interactions
from edge.interactions.filters import Filters
from edge.interactions.log import PageStory, Story
from edge.pushing import told as pushes
from edge.reports import floor as now_there
from edge.web import bearer
from edge.web.api.shapes import Moment, Short, shape
from edge.web.manage import asking
from edge.web.services import services

Kind = Literal["", "help", "security", "feedback", "greet", "tamper", "drawer", "watch", "trouble"]
State = Literal["", "raised", "acknowledged", "attended", "resolved", "cancelled", "missed", "recorded"]


class Asked(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """What the log is narrowed to; '' where it is not."""

    from_: Moment = ""
    to: Moment = ""
    kind: Kind = ""
    zone: Short = ""
    person: Annotated[Short, Meta(description="The id of who has it or was paged.")] = ""
    state: State = ""
    topic: Short = ""
    language: Short = ""
    device: Short = ""
    outcome: Short = ""
    score: Literal["", "1", "2", "3", "4", "low"] = ""
    drill: Literal["", "only", "without"] = ""
    wait: Annotated[str, Meta(pattern="^([0-9]{1,5})?$", description="Waited so many seconds or more.")] = ""
    q: Annotated[Short, Meta(description="Beginnings of words that all stand in it.")] = ""


class Searched(Asked, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """As Asked, and where in the log."""

    before: Annotated[Short, Meta(description="`next` of the last answer.")] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class Interaction(Struct):
    """One entry of the log. Times that have not come are null."""

    id: str
    reference: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    device: str
    language: str | None
    state: str
    count: int
    silent: bool
    drill: bool
    raised_at: datetime
    received_at: datetime
    age_known: bool
    owner: str | None
    owner_name: str | None
    acknowledged_at: datetime | None
    attended_at: datetime | None
    closed_at: datetime | None
    outcome: str | None
    note: str | None
    score: int | None
    reason: str | None
    about: Annotated[str | None, Meta(description="The request that a rating speaks of.")]


class Log(Struct):
    """The newest first. `next` goes on, null at the end; `behind` entries are not found by words yet."""

    interactions: list[Interaction]
    next: str | None
    behind: int


class Line(Struct):
    """One line of a timeline, `since_s` after the press."""

    at: datetime
    since_s: float
    what: str
    person: str | None
    through: str
    words: str


class Pushed(Struct):
    """A push to one locked phone. `state` is waiting, sent, gone, refused, given_up or over; 'sent': its push
    service has it. `shown_at` and `opened_at` are the phone's own word."""

    state: str
    tries: int
    sent_at: datetime | None
    shown_at: datetime | None
    opened_at: datetime | None
    words: str


class Paged(Struct):
    """How far one page verifiably got, by whichever way. `streamed_at`: to an open page of its person."""

    person_name: str
    round: int
    reason: str
    state: str
    answer: str | None
    created_at: datetime
    sent_at: datetime | None
    streamed_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None
    closed_at: datetime | None
    pushes: list[Pushed]


class Rating(Struct):
    """A score that was given. `judged` is counted, burst or staff; `why` says by which rule."""

    interaction: str
    at: datetime
    source: str
    score: int
    answers: dict[str, str]
    judged: str
    why: str
    entered_by: str | None


class Whole(Struct):
    """One interaction from the press to its end. `pages` are the latest; there were `earlier_pages` more."""

    interaction: Interaction
    timeline: list[Line]
    pages: list[Paged]
    earlier_pages: int
    ratings: list[Rating]


class Called(Struct):
    """Someone who was called, and how far their page got."""

    name: str
    state: str
    answer: str | None


class Waiting(Struct):
    """A request that is not over."""

    id: str
    reference: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    language: str | None
    device: str
    state: str
    count: int
    step: int
    again: int
    drill: bool
    silent: bool
    raised_at: datetime
    age_known: bool
    acknowledged_at: datetime | None
    owner: str | None
    owner_name: str | None
    handover_name: str | None
    called: list[Called]


class Present(Struct):
    """One of the staff; `busy_with` are the ids of the requests that they answer now."""

    id: str
    name: str
    role: str
    zones: list[str]
    presence: str
    presence_at: datetime
    presence_until: datetime | None
    cover_name: str | None
    heard_at: datetime | None
    reachable: bool
    busy_with: list[str] = field(default_factory=list)


class Floor(Struct):
    """The floor at this moment: who waits, and who is there."""

    at: datetime
    requests: list[Waiting]
    people: list[Present]


def interactions_search(query: Searched) -> Log:
    """Search the log, the newest press first."""
    room, before = services(), asking.before_here()
    filters = asked_here()
    with room.read() as conn:
        rows = interactions.search(conn, room.store, filters, before, query.limit)
        behind = index.behind(conn, room.store) if filters.text else 0
    following = str(rows[-1].cursor) if len(rows) == query.limit else None
    return Log([shape(row, Interaction) for row in rows], following, behind)


def interaction_read(id: str) -> Whole:
    """One interaction with its timeline, its pages and what was said of it."""
    room = services()
    with room.read() as conn:
        story = story_of(conn, id)
        ratings = interactions.ratings_of(conn, room.store, id)
        pushed = pushes.of_request(conn, room.store, id)
    return Whole(
        shape(story.row, Interaction),
        [
            Line(
                line.at,
                line.since / timedelta(seconds=1),
                line.what,
                line.person_name,
                line.through,
                line.words,
            )
            for line in story.happenings
        ],
        [_paged(page, pushed.get(page.id, [])) for page in story.pages],
        story.earlier_pages,
        [shape(rating, Rating) for rating in ratings],
    )


def _paged(page: PageStory, pushed: list[pushes.Pushed]) -> Paged:
    values = {name: getattr(page, name) for name in Paged.__struct_fields__ if name != "pushes"}
    return Paged(**values, pushes=[shape(one, Pushed) for one in pushed])


def floor_read() -> Floor:
    """Who waits, who is called and has seen it, and who is there."""
    room, now = services(), services().clock()
    with room.read() as conn:
        open_now = now_there.requests(conn, room.store)
        if not bearer.sees_silent():
            open_now = [one for one in open_now if not one.silent]
        people = now_there.people(conn, room.store, open_now, now)
    return Floor(
        now,
        [shape(one, Waiting) for one in open_now],
        [
            Present(
                one.id,
                one.name,
                one.role,
                list(one.zones),
                one.presence,
                one.presence_at,
                one.presence_until,
                one.cover_name,
                one.heard_at,
                one.reachable,
                [busy.id for busy in one.busy_with],
            )
            for one in people
        ],
    )


def asked_here() -> Filters:
    """The filters in the address, without silent requests for a token that may not see them."""
    return replace(asking.filters_here(), with_silent=bearer.sees_silent())


def story_of(conn: sa.Connection, id: str) -> Story:
    """NotFound also for a silent request, for a token that may not see any."""
    story = interactions.timeline_of(conn, services().store, id)
    if story.row.silent and not bearer.sees_silent():
        raise NotFound("There is no such entry in this store's log.")
    return story
