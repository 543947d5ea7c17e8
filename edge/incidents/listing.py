"""Incidents as people read them: newest first, narrowed, by keyset; and those that concern one person."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from edge.db.columns import Instant
from edge.db.incident_tables import incident, incident_asked, incident_entry, incident_request, incident_step
from edge.db.keyset import Cursor
from edge.db.store_tables import person, zone
from edge.db.tables import interaction, timeline
from edge.errors import NotFound
from edge.incidents import links
from edge.incidents.store import numbered

MAX_LIMIT = 200
# By these a person has had to do with a request.
_DEEDS = ("acknowledged", "attended", "joined", "taken_over", "handed_over")


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; empty where it is not. `to_at` is exclusive; `text` stands in the number
    or in something that was written. Silent ones, and numbers, only where that is said."""

    state: str = ""
    classed_as: str = ""
    zone: str = ""
    from_at: datetime | None = None
    to_at: datetime | None = None
    text: str = ""
    with_silent: bool = False


@dataclass(frozen=True)
class Row:
    """One incident. `silent`: one of its requests is."""

    id: str
    year: int
    count: int
    classed_as: str
    zone: str
    zone_title: str
    happened_at: datetime
    state: str
    revision: int
    opened_at: datetime
    opened_name: str | None
    request: str | None
    outcome: str | None
    closed_at: datetime | None
    silent: bool
    entries: int

    @property
    def number(self) -> str:
        return numbered(self.year, self.count)

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.happened_at, self.id)


def search(conn: sa.Connection, store: str, filters: Filters, before: Cursor | None, limit: int) -> list[Row]:
    """Up to `limit` incidents behind `before`."""
    i, query = incident.c, _listed(store)
    if not filters.with_silent:
        query = query.where(sa.not_(links.is_silent()))
    for column, value in (
        (i.state, filters.state),
        (i.classed_as, filters.classed_as),
        (i.zone, filters.zone),
    ):
        if value:
            query = query.where(column == value)
    if filters.from_at is not None:
        query = query.where(i.happened_at >= filters.from_at)
    if filters.to_at is not None:
        query = query.where(i.happened_at < filters.to_at)
    if filters.text:
        query = query.where(_holds(filters.text, numbers=filters.with_silent))
    if before is not None:
        query = query.where(before.behind(i.happened_at, i.id))
    return _read(conn, query.order_by(i.happened_at.desc(), i.id.desc()).limit(limit))


def one(conn: sa.Connection, store: str, incident_id: str, *, silent: bool) -> Row:
    """NotFound if it is not there, or is silent and may not be seen."""
    found = _read(conn, _listed(store).where(incident.c.id == incident_id))
    if not found or (found[0].silent and not silent):
        raise NotFound("There is no such incident in this store.")
    return found[0]


def left_alone(
    conn: sa.Connection, store: str, since: datetime
) -> list[tuple[str, str, datetime, datetime, bool]]:
    """(id, number, opened at, last added to at, silent) of open incidents to which no person has done
    anything after `since`."""
    i, s = incident.c, incident_step.c
    of_it = sa.select(sa.func.max(s.at)).where(s.incident == i.id, s.person.is_not(None))
    last = sa.func.coalesce(of_it.correlate(incident).scalar_subquery(), i.opened_at, type_=Instant)
    query = sa.select(i.id, i.year, i.number, i.opened_at, last.label("added_at"), links.is_silent())
    of_open = i.state == sa.literal_column("'open'")
    query = query.where(i.store == store, of_open, i.opened_at <= since, last <= since)
    rows = conn.execute(query.order_by(i.opened_at))
    return [(r[0], numbered(r[1], r[2]), r[3], r[4], bool(r[5])) for r in rows]


def of_person(conn: sa.Connection, store: str, who: str, limit: int = 20) -> list[Row]:
    """What this person has opened, written into, is asked about, or whose request they answered."""
    query = _listed(store).where(_concerns(store, who))
    i = incident.c
    open_first = sa.case((i.state == "open", 0), else_=1)
    return _read(conn, query.order_by(open_first, i.happened_at.desc(), i.id.desc()).limit(limit))


def concerns(conn: sa.Connection, store: str, incident_id: str, who: str) -> bool:
    """Whether this person may know of the incident because they had to do with it."""
    query = sa.select(incident.c.id).where(
        incident.c.store == store, incident.c.id == incident_id, _concerns(store, who)
    )
    return conn.execute(query).first() is not None


@dataclass(frozen=True)
class Untold:
    """A security request that somebody had to do with and has not written about."""

    request: str
    zone_title: str
    raised_at: datetime


def untold(conn: sa.Connection, store: str, who: str, since: datetime) -> list[Untold]:
    """Those that this person answered or raised, that are over, and of whose open incident they have not
    said a word; the newest few first."""
    rows = conn.execute(_UNTOLD, {"in_store": store, "in_who": who, "in_since": since})
    return [Untold(*row) for row in rows]


def _did(who: str | sa.BindParameter[str]) -> sa.Exists:
    """Whether this person has had to do with a row of `interaction`, by its timeline."""
    t = timeline.c
    return (
        sa.exists()
        .where(t.interaction == interaction.c.id, t.person == who, t.what.in_(_DEEDS))
        .correlate(interaction)
    )


def _called(who: str | sa.BindParameter[str]) -> sa.ColumnElement[bool]:
    """Whether this person called for a row of `interaction`, and others have ended it: until then their own
    phone, at which somebody may be looking, says nothing of it, nor where they took it back."""
    i = interaction.c
    return sa.and_(i.raised_by == who, i.state.in_(("resolved", "missed")))


def _untold() -> sa.Select[Any]:
    i, e, case = interaction.c, incident_entry.c, incident.c
    store: sa.BindParameter[str] = sa.bindparam("in_store", type_=sa.String)
    who: sa.BindParameter[str] = sa.bindparam("in_who", type_=sa.String)
    wrote = sa.exists().where(e.incident == case.id, e.person == who).correlate(incident)
    settled = sa.exists().where(
        case.store == store, case.request == i.id, sa.or_(case.state == "closed", wrote)
    )
    titled = interaction.outerjoin(zone, sa.and_(zone.c.store == i.store, zone.c.name == i.zone))
    return (
        sa.select(i.id, sa.func.coalesce(zone.c.title, i.zone), i.raised_at)
        .select_from(titled)
        .where(
            i.store == store,
            i.kind == sa.literal_column("'security'"),
            i.raised_at > sa.bindparam("in_since"),
            i.closed_at.is_not(None),
            sa.not_(i.drill),
            sa.or_(i.owner == who, _called(who), _did(who)),
            sa.not_(settled.correlate(interaction)),
        )
        .order_by(i.raised_at.desc(), i.id.desc())
        .limit(5)
    )


# Built once: every look of every phone asks for it.
_UNTOLD = _untold()


def _concerns(store: str, who: str) -> sa.ColumnElement[bool]:
    i, e, a, r, about = incident.c, incident_entry.c, incident_asked.c, incident_request.c, interaction.c
    had_to_do = (
        sa.select(about.id)
        .join(incident_request, r.interaction == about.id)
        .where(r.incident == i.id, sa.or_(about.owner == who, _called(who), _did(who)))
    )
    return sa.or_(
        i.opened_by == who,
        sa.exists().where(e.incident == i.id, e.person == who, e.store == store).correlate(incident),
        sa.exists().where(a.incident == i.id, a.person == who).correlate(incident),
        had_to_do.correlate(incident).exists(),
    )


def _holds(text: str, *, numbers: bool) -> sa.ColumnElement[bool]:
    """Without `numbers` none is found by its number: those that are missing would tell of silent ones."""
    i, e = incident.c, incident_entry.c
    year, _, number = text.strip().partition("-")
    if numbers and year.isdigit() and number.isdigit() and len(year) == 4 and len(number) < 8:
        return sa.and_(i.year == int(year), i.number == int(number))
    said = sa.or_(e.words.icontains(text, autoescape=True), e.said_by.icontains(text, autoescape=True))
    return sa.exists().where(e.incident == i.id, said).correlate(incident)


def _listed(store: str) -> sa.Select[Any]:
    i, e = incident.c, incident_entry.c
    joined = incident.outerjoin(zone, sa.and_(zone.c.store == i.store, zone.c.name == i.zone)).outerjoin(
        person, person.c.id == i.opened_by
    )
    written = sa.select(sa.func.count()).where(e.incident == i.id).correlate(incident).scalar_subquery()
    return (
        sa.select(
            i.id, i.year, i.number, i.classed_as, i.zone, sa.func.coalesce(zone.c.title, i.zone),
            i.happened_at, i.state, i.revision, i.opened_at, person.c.name, i.request, i.outcome, i.closed_at,
            links.is_silent(), written,
        )
        .select_from(joined)
        .where(i.store == store)
    )  # fmt: skip


def _read(conn: sa.Connection, query: sa.Select[Any]) -> list[Row]:
    return [Row(*row) for row in conn.execute(query)]
