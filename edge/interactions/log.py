"""The log as a manager reads it: newest first, filtered, by keyset; and one interaction's whole timeline."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.tables import interaction, page, person, timeline, zone
from edge.errors import NotFound

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MAX_LIMIT = 200
# A security request that nobody answers pages everyone every 10 s: after a night that is 10 MB of table.
PAGES_TOLD = 200


@dataclass(frozen=True)
class Filters:
    """What the log is narrowed to; None or '' where it is not. `to_at` is exclusive.

    `person` is whoever has the request or was paged for it; `text` is sought in reference and note.
    """

    from_at: datetime | None = None
    to_at: datetime | None = None
    kind: str = ""
    zone: str = ""
    person: str = ""
    state: str = ""
    text: str = ""


@dataclass(frozen=True)
class Cursor:
    """The last row of a page of the log; the next page begins behind it."""

    raised_at: datetime
    id: str

    def __str__(self) -> str:
        return f"{(self.raised_at - _EPOCH) // timedelta(microseconds=1)}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """What str() gave. ValueError for anything else."""
        micros, _, id_ = text.partition(".")
        if not (micros.isascii() and micros.isdigit() and len(micros) <= 17 and 0 < len(id_) <= 36):
            raise ValueError("This is not a place in the log.")
        return cls(_EPOCH + timedelta(microseconds=int(micros)), id_)


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
    """How far one page verifiably got; None for each stage it has not reached, or that nobody reported."""

    person_name: str
    round: int
    reason: str
    state: str
    created_at: datetime
    sent_at: datetime | None
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
).select_from(
    interaction.outerjoin(zone, sa.and_(zone.c.store == _own.store, zone.c.name == _own.zone)).outerjoin(
        _owner, _owner.c.id == _own.owner
    )
)


def search(
    conn: sa.Connection, store: str, filters: Filters, before: Cursor | None = None, limit: int = 50
) -> list[Row]:
    """Up to `limit` rows, newest press first, behind `before`."""
    query = _WHOLE.where(_own.store == store, *_wanted(filters))
    if before is not None:
        # The first condition alone is what the index understands; the second settles equal times.
        query = query.where(
            _own.raised_at <= before.raised_at,
            sa.or_(_own.raised_at < before.raised_at, _own.id < before.id),
        )
    query = query.order_by(_own.raised_at.desc(), _own.id.desc()).limit(min(limit, MAX_LIMIT))
    return [_row(found) for found in conn.execute(query).mappings()]


def timeline_of(conn: sa.Connection, store: str, interaction_id: str) -> Story:
    """Everything that is known about one interaction, in order. NotFound."""
    found = conn.execute(_WHOLE.where(_own.store == store, _own.id == interaction_id)).mappings().first()
    if found is None:
        raise NotFound("There is no such entry in this store's log.")
    row = _row(found)
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


def _wanted(filters: Filters) -> list[sa.ColumnElement[bool]]:
    wanted: list[sa.ColumnElement[bool]] = []
    if filters.from_at is not None:
        wanted.append(_own.raised_at >= filters.from_at)
    if filters.to_at is not None:
        wanted.append(_own.raised_at < filters.to_at)
    for column, value in ((_own.kind, filters.kind), (_own.zone, filters.zone), (_own.state, filters.state)):
        if value:
            wanted.append(column == value)
    if filters.person:
        paged = sa.exists().where(page.c.person == filters.person, page.c.request == _own.id)
        wanted.append(sa.or_(_own.owner == filters.person, paged))
    if text := filters.text.strip():
        wanted.append(
            sa.or_(
                _own.reference.icontains(text, autoescape=True), _own.note.icontains(text, autoescape=True)
            )
        )
    return wanted


def _row(found: Any) -> Row:
    return Row(**{name: found[name] for name in Row.__dataclass_fields__})
