"""The log as a manager reads it: newest first, filtered, by keyset; and one interaction's whole timeline."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.feedback_tables import feedback
from edge.db.keyset import Cursor
from edge.db.store_tables import person, zone
from edge.db.tables import interaction, log_words, page, timeline
from edge.errors import NotFound
from edge.interactions import index
from edge.interactions.filters import Filters, conditions

MAX_LIMIT = 200
# A security request that nobody answers pages everyone every 10 s: after a night that is 10 MB of table.
PAGES_TOLD = 200


@dataclass(frozen=True)
class Row:
    """One interaction. `acknowledged_at` and what follows are None until they happen."""

    id: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    device: str
    language: str | None
    state: str
    reference: str
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
    # the request that a rating speaks of
    about: str | None

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.raised_at, self.id)


@dataclass(frozen=True)
class Happening:
    """One line of a timeline. `since` is the time from the press, which may be a hair below zero."""

    at: datetime
    since: timedelta
    what: str
    person_name: str | None
    through: str
    words: str


@dataclass(frozen=True)
class PageStory:
    """How far one page verifiably got; None for each stage it has not reached, or that nobody reported.

    `streamed_at`: when it was written to an open page of its person.
    """

    id: str
    person_name: str
    round: int
    reason: str
    state: str
    # why it was declined
    answer: str | None
    created_at: datetime
    sent_at: datetime | None
    streamed_at: datetime | None
    delivered_at: datetime | None
    seen_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True)
class Story:
    """`pages` are the latest; `earlier_pages` says how many more there were."""

    row: Row
    happenings: list[Happening]
    pages: list[PageStory]
    earlier_pages: int


_owner = person.alias("owner")
_own = interaction.c


def _with_titles(source: sa.FromClause) -> sa.FromClause:
    zones = source.outerjoin(zone, sa.and_(zone.c.store == _own.store, zone.c.name == _own.zone))
    return zones.outerjoin(_owner, _owner.c.id == _own.owner)


_WHOLE = sa.select(
    _own.id,
    _own.kind,
    _own.topic,
    _own.zone,
    sa.func.coalesce(zone.c.title, _own.zone).label("zone_title"),
    _own.device,
    _own.language,
    _own.state,
    _own.reference,
    _own.count,
    _own.silent,
    _own.drill,
    _own.raised_at,
    _own.received_at,
    _own.age_known,
    _own.owner,
    _owner.c.name.label("owner_name"),
    _own.acknowledged_at,
    _own.attended_at,
    _own.closed_at,
    _own.outcome,
    _own.note,
    _own.score,
    _own.reason,
    _own.about,
).select_from(_with_titles(interaction))


def search(
    conn: sa.Connection, store: str, filters: Filters, before: Cursor | None = None, limit: int = 50
) -> list[Row]:
    """Up to `limit` rows, newest press first, behind `before`."""
    query = found(conn, store, filters, before).limit(min(limit, MAX_LIMIT))
    return [row_of(one) for one in conn.execute(query).mappings()]


def among(conn: sa.Connection, store: str, ids: Sequence[str]) -> list[Row]:
    """Those of these interactions that are there, the oldest press first."""
    query = _WHOLE.where(_own.store == store, _own.id.in_(list(ids))).order_by(_own.raised_at, _own.id)
    return [row_of(one) for one in conn.execute(query).mappings()] if ids else []


def found(
    conn: sa.Connection, store: str, filters: Filters, before: Cursor | None = None
) -> sa.Select[tuple[Any, ...]]:
    """The whole log, narrowed by filters, newest first, behind `before`; its rows become Row."""
    if filters.text.strip():
        return _found_by_words(conn, store, filters, before)
    query = _WHOLE.where(_own.store == store, *conditions(filters))
    if before is not None:
        # The first condition alone is what the index understands; the second settles equal times.
        query = query.where(
            _own.raised_at <= before.at,
            sa.or_(_own.raised_at < before.at, _own.id < before.id),
        )
    return query.order_by(_own.raised_at.desc(), _own.id.desc())


def _found_by_words(
    conn: sa.Connection, store: str, filters: Filters, before: Cursor | None
) -> sa.Select[tuple[Any, ...]]:
    """In the order of the index of words, which is that of the log but for presses of one microsecond."""
    held = index.holding(conn, filters.text)
    place = held.place
    joined = held.source.join(interaction, _own.id == log_words.c.interaction)
    query = (
        sa.select(*_WHOLE.selected_columns)
        .select_from(_with_titles(joined))
        # No bare column: by an index of the log SQLite would read all of it and ask each row for words.
        .where(held.holds, _own.store + "" == store, *conditions(replace(filters, from_at=None, to_at=None)))
    )
    if filters.from_at is not None:
        query = query.where(place >= index.first_place(filters.from_at))
    if filters.to_at is not None:
        query = query.where(place < index.first_place(filters.to_at))
    if before is not None:
        stands = index.place_of(conn, before.id)
        query = query.where(place < (index.first_place(before.at) if stands is None else stands))
    return query.order_by(place.desc())


def timeline_of(conn: sa.Connection, store: str, interaction_id: str) -> Story:
    """Everything that is known about one interaction, in order. NotFound."""
    found = conn.execute(_WHOLE.where(_own.store == store, _own.id == interaction_id)).mappings().first()
    if found is None:
        raise NotFound("There is no such entry in this store's log.")
    row = row_of(found)
    lines = conn.execute(
        sa.select(timeline, person.c.name.label("person_name"))
        .select_from(timeline.outerjoin(person, person.c.id == timeline.c.person))
        .where(timeline.c.interaction == row.id)
        .order_by(timeline.c.at, timeline.c.id)
    ).mappings()
    of_it = (page.c.request == row.id, page.c.store == store)
    latest = conn.execute(
        sa.select(page, sa.func.coalesce(person.c.name, "someone").label("person_name"))
        .select_from(page.outerjoin(person, person.c.id == page.c.person))
        .where(*of_it)
        .order_by(page.c.round.desc(), page.c.created_at.desc(), person.c.name.desc())
        .limit(PAGES_TOLD)
    ).mappings()
    pages = [PageStory(**{name: each[name] for name in PageStory.__dataclass_fields__}) for each in latest]
    count = conn.execute(sa.select(sa.func.count()).select_from(page).where(*of_it)).scalar_one()
    return Story(
        row,
        [
            Happening(
                line["at"],
                line["at"] - row.raised_at,
                line["what"],
                line["person_name"],
                line["through"],
                line["words"],
            )
            for line in lines
        ],
        pages[::-1],
        count - len(pages),
    )


def zones(conn: sa.Connection, store: str) -> list[tuple[str, str]]:
    """(name, title) of every zone, by title: what a filter can be set to."""
    rows = conn.execute(
        sa.select(zone.c.name, zone.c.title).where(zone.c.store == store).order_by(zone.c.title)
    )
    return [(name, title) for name, title in rows]


def topics(conn: sa.Connection, store: str) -> list[str]:
    """The topics of the latest thousand interactions: what a filter can be set to."""
    latest = sa.select(_own.topic).where(_own.store == store).order_by(_own.raised_at.desc()).limit(1000)
    some = latest.subquery()
    return sorted(conn.execute(sa.select(some.c.topic).where(some.c.topic.is_not(None)).distinct()).scalars())


@dataclass(frozen=True)
class Rating:
    """A score that speaks of a request. `judged` is counted, burst or staff, and `why` says by which rule."""

    interaction: str
    at: datetime
    source: str
    score: int
    answers: dict[str, str]
    judged: str
    why: str
    entered_by: str | None


def ratings_of(conn: sa.Connection, store: str, interaction_id: str) -> list[Rating]:
    """What was said of this request, or, where it is itself a rating, that rating; the oldest first."""
    f = feedback.c
    rows = conn.execute(
        sa.select(
            f.interaction,
            f.at,
            f.source,
            f.score,
            f.answers,
            f.judged,
            f.why,
            person.c.name.label("entered_by"),
        )
        .select_from(feedback.outerjoin(person, person.c.id == f.entered_by))
        .where(f.store == store, sa.or_(f.about == interaction_id, f.interaction == interaction_id))
        .order_by(f.at)
        .limit(MAX_LIMIT)
    )
    return [Rating(*row) for row in rows]


def row_of(found: Any) -> Row:
    """A row of found() as it is shown."""
    return Row(**{name: found[name] for name in Row.__dataclass_fields__})
