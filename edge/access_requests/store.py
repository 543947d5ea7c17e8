"""Access requests and their timelines in the database: numbered without gaps, changed under their row's
lock."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa

from edge.access_requests import clock
from edge.access_requests.rules import WAITING, AccessRequest, State
from edge.db.access_tables import access_count, access_request, access_step
from edge.db.inserts import INSERT
from edge.db.store_tables import zone
from edge.errors import NotFound

MAX_LISTED = 200


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the timeline."""

    at: datetime
    what: str
    person: str | None
    name: str
    through: str
    words: str


@dataclass(frozen=True, slots=True)
class New:
    """An access request that is to be opened."""

    id: str
    came: str
    received_on: date
    contact: str
    identity: str
    description: str
    zone: str
    began_at: datetime
    ended_at: datetime


@dataclass(frozen=True, slots=True)
class Row:
    """One access request as people read it. `contact`, `identity` and `description` are None once erased."""

    id: str
    year: int
    count: int
    came: str
    received_on: date
    contact: str | None
    identity: str | None
    description: str | None
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
    letter: str | None
    package: str | None
    package_bytes: int | None
    trouble: str | None
    closed_at: datetime | None
    erased_at: datetime | None

    @property
    def number(self) -> str:
        return numbered(self.year, self.count)

    @property
    def waits(self) -> bool:
        return self.state in WAITING

    @property
    def due_on(self) -> date:
        return clock.due(self.received_on, extended=self.extended_on is not None)

    @property
    def first_due_on(self) -> date:
        return clock.first_due(self.received_on)

    def days_left(self, today: date) -> int:
        return clock.days_left(self.due_on, today)

    def pressing(self, today: date) -> clock.Pressing:
        return clock.pressing(self.due_on, today)


def numbered(year: int, number: int) -> str:
    """As people say it: '2026-0003'."""
    return f"{year}-{number:04}"


def add(conn: sa.Connection, store: str, new: New, now: datetime) -> str:
    """Open it under the next number of the store's own year; the number. Its first step is the caller's."""
    year = now.astimezone().year
    c = access_count.c
    first = INSERT[conn.dialect.name](access_count).values(store=store, year=year, last=1)
    counted = first.on_conflict_do_update(index_elements=[c.store, c.year], set_={"last": c.last + 1})
    number = int(conn.execute(counted.returning(c.last)).scalar_one())
    conn.execute(
        sa.insert(access_request).values(
            id=new.id, store=store, year=year, number=number, came=new.came, received_on=new.received_on,
            contact=new.contact, identity=new.identity, description=new.description, zone=new.zone,
            began_at=new.began_at, ended_at=new.ended_at, state=State.OPEN.value, revision=1, opened_at=now,
        )
    )  # fmt: skip
    return numbered(year, number)


def load(conn: sa.Connection, store: str, request_id: str) -> AccessRequest:
    """The access request as it stands once nobody else is changing it, or NotFound."""
    a = access_request.c
    query = sa.select(access_request).where(a.store == store, a.id == request_id).with_for_update()
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("There is no such access request in this store.")
    lines = steps(conn, row.id)
    return AccessRequest(
        row.id,
        numbered(row.year, row.number),
        row.received_on,
        State(row.state),
        row.revision,
        row.extended_on,
        row.answer,
        lines[-1].words if lines else "",
    )


def save(conn: sa.Connection, before: AccessRequest, after: AccessRequest, now: datetime) -> None:
    """Write a change that was decided on `before`. It is conditional on nobody having changed it since."""
    more: dict[str, Any] = {}
    if after.state is not before.state:
        more["closed_at"] = now if after.state is State.CLOSED else None
        if after.state is State.ANSWERED:
            more["answered_at"] = now
        elif after.state in WAITING:
            more |= {"answered_at": None, "package": None, "package_bytes": None, "trouble": None}
    a = access_request.c
    done = conn.execute(
        sa.update(access_request)
        .where(a.id == before.id, a.revision == before.revision)
        .values(
            state=after.state.value,
            revision=after.revision,
            extended_on=after.extended_on,
            answer=after.answer,
            **more,
        )
    )
    if done.rowcount != 1:
        raise RuntimeError(f"Access request {before.id} changed inside its own transaction.")


def append(conn: sa.Connection, request_id: str, step: Step) -> None:
    """Add a line to the timeline."""
    conn.execute(
        sa.insert(access_step).values(
            request=request_id,
            at=step.at,
            what=step.what,
            person=step.person,
            name=step.name[:80],
            through=step.through,
            words=step.words[:1000],
        )
    )


def steps(conn: sa.Connection, request_id: str) -> list[Step]:
    """The timeline, the oldest first."""
    s = access_step.c
    query = sa.select(s.at, s.what, s.person, s.name, s.through, s.words)
    return [Step(*row) for row in conn.execute(query.where(s.request == request_id).order_by(s.id))]


def store_of(conn: sa.Connection, request_id: str) -> str | None:
    """The store of the access request with this id, if there is one."""
    a = access_request.c
    return conn.execute(sa.select(a.store).where(a.id == request_id)).scalar()


def one(conn: sa.Connection, store: str, request_id: str) -> Row:
    found = _read(conn, store, access_request.c.id == request_id)
    if not found:
        raise NotFound("There is no such access request in this store.")
    return found[0]


def listed(conn: sa.Connection, store: str) -> list[Row]:
    """The newest MAX_LISTED; those that wait for their answer first, the most pressing of them at the top."""
    found = _read(conn, store, limit=MAX_LISTED)
    return sorted(found, key=lambda row: (not row.waits, row.due_on if row.waits else date.min))


def waiting(conn: sa.Connection, store: str) -> list[Row]:
    """Those that wait for their answer."""
    return _read(conn, store, access_request.c.state.in_(WAITING))


def wanted_at(
    conn: sa.Connection, store: str, zones: list[str], began_at: datetime, ended_at: datetime
) -> list[Row]:
    """Those that wait for their answer and ask for one of these zones within this time."""
    a = access_request.c
    overlap = (a.zone.in_(zones), a.began_at <= ended_at, a.ended_at >= began_at)
    return _read(conn, store, a.state.in_(WAITING), *overlap)


def set_answer(conn: sa.Connection, request_id: str, letter: str | None, package: str | None) -> None:
    """What goes out with the answer."""
    where = access_request.c.id == request_id
    conn.execute(sa.update(access_request).where(where).values(letter=letter, package=package))


def to_pack(conn: sa.Connection, store: str) -> list[Row]:
    """Those whose file is to be made."""
    a = access_request.c
    return _read(conn, store, a.state == State.ANSWERED.value, a.package == "asked")


def set_packed(
    conn: sa.Connection, request_id: str, size: int | None, trouble: str | None, revision: int
) -> bool:
    """The file is there, or could not be made; False if the access request has moved on meanwhile."""
    a = access_request.c
    values = {
        "package": "ready" if trouble is None else "failed",
        "package_bytes": size,
        "trouble": trouble and trouble[:300],
    }
    same = (a.id == request_id, a.revision == revision, a.package == "asked")
    return conn.execute(sa.update(access_request).where(*same).values(values)).rowcount == 1


def fetchable(conn: sa.Connection, store: str) -> set[str]:
    """The ids of those whose file is to be kept, or is being made."""
    a = access_request.c
    query = sa.select(a.id).where(a.store == store, a.state == State.ANSWERED.value, a.package.is_not(None))
    return set(conn.execute(query).scalars())


def erase(conn: sa.Connection, store: str, closed_before: datetime, now: datetime) -> list[str]:
    """Forget who asked, of those that were closed before then; their ids. The letter goes with it."""
    a = access_request.c
    old = (
        a.store == store,
        a.state == State.CLOSED.value,
        a.closed_at < closed_before,
        a.erased_at.is_(None),
    )
    found = list(conn.execute(sa.select(a.id).where(*old).with_for_update()).scalars())
    if found:
        nothing = {"contact": None, "identity": None, "description": None, "letter": None}
        conn.execute(sa.update(access_request).where(a.id.in_(found)).values(**nothing, erased_at=now))
    return found


def _read(
    conn: sa.Connection, store: str, *conditions: sa.ColumnElement[bool], limit: int | None = None
) -> list[Row]:
    a = access_request.c
    title = sa.func.coalesce(zone.c.title, a.zone)
    columns = [
        title if name == "zone_title" else a.number if name == "count" else a[name]
        for name in Row.__dataclass_fields__
    ]
    joined = access_request.outerjoin(zone, sa.and_(zone.c.store == a.store, zone.c.name == a.zone))
    query = sa.select(*columns).select_from(joined).where(a.store == store, *conditions)
    rows = conn.execute(query.order_by(a.received_on.desc(), a.id.desc()).limit(limit))
    return [Row(*row) for row in rows]
