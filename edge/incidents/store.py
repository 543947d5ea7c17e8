"""Incidents and their timelines in the database: numbered without gaps, changed under their row's lock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from edge.db.incident_tables import (
    incident,
    incident_asked,
    incident_count,
    incident_due,
    incident_entry,
    incident_step,
)
from edge.db.inserts import INSERT, if_new
from edge.errors import NotFound
from edge.incidents.rules import TAKEN_ALWAYS, Incident, State

_MARK = if_new(incident_due)
_ASK = if_new(incident_asked)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of an incident's timeline."""

    at: datetime
    what: str
    subject: str | None
    person: str | None
    name: str
    through: str
    words: str


@dataclass(frozen=True, slots=True)
class New:
    """An incident that is to be opened. `by` None: by the security request `request` itself."""

    id: str
    classed_as: str
    zone: str
    happened_at: datetime
    by: str | None = None
    request: str | None = None


def numbered(year: int, number: int) -> str:
    """As people say it: '2026-0012'."""
    return f"{year}-{number:04}"


def add(conn: sa.Connection, store: str, new: New, now: datetime) -> str:
    """Open it under the next number of the store's own year; the number. Its first step is the caller's."""
    year = now.astimezone().year
    number = _next_number(conn, store, year)
    conn.execute(
        sa.insert(incident).values(
            id=new.id, store=store, year=year, number=number, classed_as=new.classed_as, zone=new.zone,
            happened_at=new.happened_at, state=State.OPEN.value, revision=1, opened_at=now, opened_by=new.by,
            request=new.request,
        )
    )  # fmt: skip
    return numbered(year, number)


def load(conn: sa.Connection, store: str, incident_id: str) -> Incident:
    """The incident as it stands once nobody else is changing it, or NotFound."""
    i = incident.c
    query = sa.select(incident).where(i.store == store, i.id == incident_id).with_for_update()
    row = conn.execute(query).first()
    if row is None:
        raise NotFound("There is no such incident in this store.")
    e = incident_entry.c
    said = conn.execute(
        sa.select(sa.func.count()).where(
            e.incident == row.id, e.kind.in_([kind.value for kind in TAKEN_ALWAYS])
        )
    ).scalar_one()
    lines = steps(conn, row.id)
    last = lines[-1] if lines else None
    return Incident(
        row.id,
        row.store,
        numbered(row.year, row.number),
        row.classed_as,
        row.zone,
        row.happened_at,
        State(row.state),
        row.revision,
        row.outcome,
        frozenset(ticks(lines)),
        said,
        last.name if last else "",
        last.words if last else "",
    )


def save(conn: sa.Connection, before: Incident, after: Incident, now: datetime) -> None:
    """Write a change that was decided on `before`. It is conditional on nobody having changed it since."""
    closing: dict[str, Any] = {}
    if after.state is not before.state:
        closing = {"closed_at": now if after.state is State.CLOSED else None}
    done = conn.execute(
        sa.update(incident)
        .where(incident.c.id == before.id, incident.c.revision == before.revision)
        .values(
            classed_as=after.classed_as,
            zone=after.zone,
            happened_at=after.happened_at,
            state=after.state.value,
            revision=after.revision,
            outcome=after.outcome,
            **closing,
        )
    )
    if done.rowcount != 1:
        raise RuntimeError(f"Incident {before.id} changed inside its own transaction.")


def append(conn: sa.Connection, incident_id: str, step: Step) -> None:
    """Add a line to the timeline."""
    conn.execute(
        sa.insert(incident_step).values(
            incident=incident_id,
            at=step.at,
            what=step.what,
            subject=step.subject,
            person=step.person,
            name=step.name,
            through=step.through,
            words=step.words[:1000],
        )
    )


def steps(conn: sa.Connection, incident_id: str) -> list[Step]:
    """The timeline, the oldest first."""
    s = incident_step.c
    query = sa.select(s.at, s.what, s.subject, s.person, s.name, s.through, s.words)
    return [Step(*row) for row in conn.execute(query.where(s.incident == incident_id).order_by(s.id))]


def ticks(lines: Sequence[Step]) -> Mapping[str, Step]:
    """What is ticked, each with the line that says who did it and when."""
    found: dict[str, Step] = {}
    for line in lines:
        if line.what == "ticked" and line.subject:
            found[line.subject] = line
        elif line.what == "unticked" and line.subject:
            found.pop(line.subject, None)
    return found


def of_request(conn: sa.Connection, store: str, request: str) -> str | None:
    """The incident that this security request opened."""
    i = incident.c
    return conn.execute(sa.select(i.id).where(i.store == store, i.request == request)).scalar()


def of_number(conn: sa.Connection, store: str, year: int, number: int) -> str | None:
    """The incident with this number of the store's."""
    i = incident.c
    return conn.execute(sa.select(i.id).where(i.store == store, i.year == year, i.number == number)).scalar()


def exists(conn: sa.Connection, incident_id: str) -> str | None:
    """The store of the incident with this id, if there is one."""
    return conn.execute(sa.select(incident.c.store).where(incident.c.id == incident_id)).scalar()


def mark_due(conn: sa.Connection, store: str, request: str) -> None:
    """This security request is to open an incident, once no press waits for its page."""
    conn.execute(_MARK[conn.dialect.name], {"store": store, "request": request})


def take_due(conn: sa.Connection, store: str, limit: int) -> list[str]:
    """Up to `limit` security requests whose incident is to be opened; they are no longer due."""
    d = incident_due.c
    query = sa.select(d.request).where(d.store == store).order_by(d.request).limit(limit)
    found = list(conn.execute(query.with_for_update(skip_locked=True)).scalars())
    if found:
        conn.execute(sa.delete(incident_due).where(d.store == store, d.request.in_(found)))
    return found


def ask_account(
    conn: sa.Connection, store: str, incident_id: str, person: str, by: str, now: datetime
) -> bool:
    """The associate's own account is asked for; False if it was before."""
    row = {"incident": incident_id, "person": person, "store": store, "asked_at": now, "asked_by": by}
    return bool(conn.execute(_ASK[conn.dialect.name], row).rowcount)


def asked(conn: sa.Connection, incident_id: str) -> dict[str, datetime]:
    """Whose own account was asked for, and when."""
    a = incident_asked.c
    rows = conn.execute(sa.select(a.person, a.asked_at).where(a.incident == incident_id).order_by(a.asked_at))
    return {row.person: row.asked_at for row in rows}


def _next_number(conn: sa.Connection, store: str, year: int) -> int:
    c = incident_count.c
    first = INSERT[conn.dialect.name](incident_count).values(store=store, year=year, last=1)
    counted = first.on_conflict_do_update(index_elements=[c.store, c.year], set_={"last": c.last + 1})
    return int(conn.execute(counted.returning(c.last)).scalar_one())
