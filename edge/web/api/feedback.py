"""What shoppers thought: every score with what became of it, and what was told to somebody of the staff."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

import sqlalchemy as sa
from msgspec import Meta, Struct, field

from broker.questions import MOST, QUESTIONS
from edge.audit import store as audits
from edge.db.keyset import Cursor
from edge.feedback import opinions
from edge.feedback import store as scores
from edge.feedback.judging import Judged
from edge.handling import behalf, feedback
from edge.handling.feedback import Typed
from edge.web import bearer
from edge.web.api.shapes import Moment, Short, Text, shape
from edge.web.manage import asking
from edge.web.services import services

USUAL = timedelta(days=30)
Source = Literal["phone", "letter", "desk"]
Questions = Annotated[
    dict[Short, Short],
    Meta(
        max_length=MOST,
        description=" ".join(f"{name}: {', '.join(answers)}." for name, answers in QUESTIONS.items()),
    ),
]


class FeedbackAsked(Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    """The last 30 days without a span."""

    from_: Moment = ""
    to: Moment = ""
    zone: Short = ""
    device: Short = ""
    score: Literal["", "1", "2", "3", "4", "low"] = ""
    source: Literal["", "kiosk", "code", "phone", "letter", "desk"] = ""
    judged: Literal["", "counted", "burst", "staff"] = ""
    about: Literal["", "request", "visit"] = ""
    before: Annotated[Short, Meta(description="`next` of the last answer.")] = ""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50


class Opinion(Struct):
    """One score. `why` is the rule by which it was judged; `reference` and `topic` are its request's."""

    interaction: str
    at: datetime
    score: int
    answers: dict[str, str]
    reason: str | None
    source: str
    judged: str
    why: str
    zone: str
    zone_title: str | None
    device: str
    about: str | None
    reference: str | None
    topic: str | None
    owner_name: str | None
    entered_by: str | None


class Faces(Struct):
    """How often each face was chosen, from 1 to 4, in those that were judged so."""

    judged: str
    faces: dict[str, int]


class Feedback(Struct):
    """The newest first, and totals of all that the address asks for. `next` goes on, null at the end."""

    scores: list[Opinion]
    totals: list[Faces]
    next: str | None


class Told(Struct, frozen=True, forbid_unknown_fields=True):
    """What a shopper told `person`. `reference` is the code of the request that it speaks of; without one it
    is of the visit, in `zone` or in the store as a whole."""

    person: Short
    source: Source
    score: Annotated[int, Meta(ge=1, le=4)]
    reference: Short = ""
    zone: Short = ""
    answers: Questions = field(default_factory=dict)
    words: Annotated[Text, Meta(max_length=feedback.MAX_WORDS)] = ""
    at: Annotated[datetime, Meta(tz=True)] | None = None


class Saved(Struct):
    interaction: str


class MayRate(Struct):
    """A request that its shopper may rate: once it is closed, once, and for 14 days."""

    interaction: str
    reference: str
    language: str | None
    closed_at: datetime | None
    rated: bool


class RatedByCode(Struct, frozen=True, forbid_unknown_fields=True):
    """What the shopper themselves said of the request whose code they have."""

    score: Annotated[int, Meta(ge=1, le=4)]
    answers: Questions = field(default_factory=dict)
    words: Annotated[Text, Meta(max_length=feedback.MAX_WORDS)] = ""


def feedback_list(query: FeedbackAsked) -> Feedback:
    """Every score with what became of it."""
    room, before = services(), asking.before_here()
    asked = asking.filters_here()
    filters = opinions.Filters(
        asked.from_at,
        asked.to_at,
        query.zone,
        query.device,
        asked.scores,
        query.source,
        query.judged,
        query.about,
    )
    if asked.from_at is None and asked.to_at is None:
        filters = replace(filters, from_at=room.clock() - USUAL)
    with room.read() as conn:
        rows = opinions.newest(
            conn, room.store, filters, (before.at, before.id) if before else None, query.limit
        )
        totals = opinions.totals(conn, room.store, filters)
    last = str(Cursor(rows[-1].at, rows[-1].interaction)) if len(rows) == query.limit else None
    faces = [
        Faces(one.value, {str(face): count for face, count in totals.faces(one).items()}) for one in Judged
    ]
    return Feedback([shape(row, Opinion) for row in rows], faces, last)


def feedback_by_code(code: str) -> MayRate:
    """The request that a shopper has the code of, as a kiosk showed it."""
    room, now = services(), services().clock()
    with room.read() as conn:
        id_ = feedback.of_code(conn, room.store, code, now)
        of = feedback.of_request(conn, room.store, id_, now)
        rated = scores.given_by_code(conn, room.store, id_) is not None
    return MayRate(id_, of["reference"], of["language"], of["closed_at"], rated)


def feedback_give(code: str, body: RatedByCode) -> MayRate:
    """Save what a shopper says of their own request. 409 while it is open, and for a second answer."""
    room, now, actor = services(), services().clock(), bearer.actor_here()

    def change(conn: sa.Connection) -> None:
        id_ = feedback.of_code(conn, room.store, code, now)
        feedback.by_code(conn, room.store, id_, body.score, dict(body.answers), body.words.strip(), now)
        reference = feedback.of_request(conn, room.store, id_, now)["reference"]
        audits.record(
            conn, room.store, actor, "request.rated", reference, f"{reference} rated by its code.", now
        )

    room.change(change)
    return feedback_by_code(code)


def feedback_add(body: Told) -> Saved:
    """Save what a shopper said by telephone, in a letter or at the desk, as typed in by somebody."""
    room, actor, now = services(), bearer.actor_here(), services().clock()
    about = None
    if body.reference:
        with room.read() as conn:
            about = feedback.told_of(conn, room.store, body.reference, now)
    typed = Typed(body.source, body.score, about, body.zone, dict(body.answers), body.words, body.at or now)

    def change(conn: sa.Connection) -> str:
        return behalf.of_person(
            conn,
            room.store,
            actor,
            body.person,
            "feedback typed in",
            lambda: feedback.typed(conn, room.store, typed, body.person, actor.through, now),
            now,
        )

    return Saved(room.change(change))
