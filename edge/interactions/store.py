"""Requests and their timelines in the database."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from broker.events import reference_of
from edge.db.columns import moved
from edge.db.store_tables import person
from edge.db.tables import interaction, is_open, timeline
from edge.errors import NotFound
from edge.interactions.request import Request, State

# A greeting is one once somebody is called for it; until then it is only recorded.
REQUEST_KINDS = ("help", "security", "greet", "drawer", "watch")
# No request stays open longer than a shift; this bounds how far back a late press is looked for.
LONGEST = timedelta(hours=12)
_COLUMNS = (
    interaction.c.id,
    interaction.c.store,
    interaction.c.device,
    interaction.c.zone,
    interaction.c.kind,
    interaction.c.topic,
    interaction.c.language,
    interaction.c.state,
    interaction.c.count,
    interaction.c.revision,
    interaction.c.step,
    interaction.c.round,
    interaction.c.silent,
    interaction.c.drill,
    interaction.c.raised_at,
    interaction.c.age_known,
    interaction.c.owner,
    interaction.c.acknowledged_at,
    interaction.c.handover_to,
    interaction.c.handover_at,
    interaction.c.attended_at,
    interaction.c.outcome,
    interaction.c.raised_by,
    interaction.c.held_by,
    interaction.c.called_at,
    # Not a join: PostgreSQL reads a row that it waited for again, but not what was joined to it before.
    sa.select(person.c.name)
    .where(person.c.id == interaction.c.owner)
    .correlate(interaction)
    .scalar_subquery()
    .label("owner_name"),
)
_SELECT = sa.select(*_COLUMNS).where(interaction.c.kind.in_(REQUEST_KINDS))
# Locked where the database has row locks, so that of two who act at once the second sees the first's.
_BY_ID = _SELECT.where(
    interaction.c.store == sa.bindparam("in_store"), interaction.c.id == sa.bindparam("in_id")
).with_for_update(of=interaction)
# All open ones of the store: asked for by device, SQLite would read all that the device ever logged.
_OPEN = _SELECT.where(interaction.c.store == sa.bindparam("in_store"), is_open)
_CLOSED_AROUND = (
    _SELECT.where(
        interaction.c.store == sa.bindparam("in_store"),
        interaction.c.device == sa.bindparam("in_device"),
        interaction.c.kind == "help",
        interaction.c.drill == sa.bindparam("in_drill"),
        sa.not_(is_open),
        # Of which nothing is known, after a restore.
        interaction.c.state != "recorded",
        interaction.c.age_known,
        interaction.c.raised_at > sa.bindparam("in_from"),
        interaction.c.raised_at < sa.bindparam("in_after"),
        interaction.c.closed_at <= sa.bindparam("in_now"),
        sa.case(
            (interaction.c.state == "missed", interaction.c.raised_at > sa.bindparam("in_before")),
            else_=interaction.c.closed_at >= sa.bindparam("in_at"),
        ),
    )
    .order_by(interaction.c.raised_at.desc())
    .limit(1)
)
# Statements are built once: building one costs five times as much as running it.
_UPDATE = sa.update(interaction).where(
    interaction.c.id == sa.bindparam("in_id"), interaction.c.revision == sa.bindparam("in_revision")
)
_APPEND = sa.insert(timeline)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a request's timeline."""

    interaction: str
    at: datetime
    what: str
    through: str
    words: str
    person: str | None = None


def insert(conn: sa.Connection, store: str, id_: str, now: datetime, **values: object) -> None:
    """A row of the log that no device's event made, as if it needed nobody; `values` say what differs."""
    row: dict[str, object] = {
        "id": id_,
        "store": store,
        "state": State.RECORDED.value,
        "reference": reference_of(UUID(id_)),
        "count": 1,
        "revision": 0,
        "step": 0,
        "round": 0,
        "silent": False,
        "drill": False,
        "received_at": now,
        "age_known": True,
    }
    conn.execute(sa.insert(interaction).values(row | values))


def load(conn: sa.Connection, store: str, request: str) -> Request:
    """The request, or NotFound."""
    found = find(conn, store, request)
    if found is None:
        raise NotFound("There is no such request in this store.")
    return found


def find(conn: sa.Connection, store: str, request: str) -> Request | None:
    row = conn.execute(_BY_ID, {"in_store": store, "in_id": request}).first()
    return _request(row) if row else None


def among(conn: sa.Connection, store: str, ids: Sequence[str]) -> list[Request]:
    """Those of these requests that are there."""
    if not ids:
        return []
    query = _SELECT.where(interaction.c.store == store, interaction.c.id.in_(list(ids)))
    return [_request(row) for row in conn.execute(query)]


def greeter_called(conn: sa.Connection, store: str, device: str, since: datetime, now: datetime) -> bool:
    """Whether somebody was called to greet at this device after `since`."""
    i = interaction.c
    query = sa.select(i.id).where(
        i.store == store,
        i.device == device,
        i.kind == "greet",
        i.raised_at > since - LONGEST,
        i.called_at.between(since, now),
    )
    return conn.execute(query.limit(1)).first() is not None


def locked(conn: sa.Connection, store: str, ids: Iterable[str]) -> list[Request]:
    """Those of these requests that are there, each as it stands once nobody else is changing it."""
    found = (find(conn, store, id_) for id_ in sorted(ids))
    return [request for request in found if request is not None]


def open_of_devices(conn: sa.Connection, store: str, devices: Iterable[str]) -> list[Request]:
    """The open requests that these devices raised, oldest first."""
    wanted = set(devices)
    found = [_request(row) for row in conn.execute(_OPEN, {"in_store": store}) if row.device in wanted]
    return sorted(found, key=lambda request: request.raised_at)


def raised(conn: sa.Connection, store: str) -> list[Request]:
    """Every request that nobody has answered yet, oldest first; they are locked, to be moved on."""
    ids = [row.id for row in conn.execute(_OPEN, {"in_store": store}) if row.state == "raised"]
    found = [request for request in locked(conn, store, ids) if request.state is State.RAISED]
    return sorted(found, key=lambda request: request.raised_at)


def latest_of_device(conn: sa.Connection, store: str, device: str, kind: str) -> Request | None:
    """The request that the device pressed for last, open or closed."""
    query = (
        _SELECT.where(
            interaction.c.store == store, interaction.c.device == device, interaction.c.kind == kind
        )
        .order_by(interaction.c.raised_at.desc())
        .limit(1)
    )
    row = conn.execute(query).first()
    return _request(row) if row else None


def closed_around(
    conn: sa.Connection, store: str, device: str, drill: bool, at: datetime, near: timedelta, now: datetime
) -> Request | None:
    """The device's closed help request that was waiting at `at`, or that a press at `at` began.

    A missed one counts as waiting for `near` from its first press, one that was pressed for less than `near`
    later as begun by it. One that closed after `now` was closed before the server's clock was set back.
    """
    values = {
        "in_store": store,
        "in_device": device,
        "in_drill": drill,
        "in_at": at,
        "in_from": at - LONGEST,
        "in_before": at - near,
        "in_after": at + near,
        "in_now": now,
    }
    row = conn.execute(_CLOSED_AROUND, values).first()
    return _request(row) if row else None


def shift_open(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move the open requests' times by a jump of the server's clock: their ages stay what they are."""
    i = interaction.c
    columns = (i.raised_at, i.called_at, i.acknowledged_at, i.attended_at)
    conn.execute(
        sa.update(interaction)
        .where(interaction.c.store == store, is_open)
        .values({column: moved(column, by) for column in columns})
    )


def update(conn: sa.Connection, before: Request, after: Request, **more: Any) -> None:
    """Write a change that was decided on `before`. It is conditional on nobody having changed it since."""
    done = conn.execute(
        _UPDATE,
        {
            "in_id": before.id,
            "in_revision": before.revision,
            "state": after.state.value,
            "count": after.count,
            "revision": after.revision,
            "step": after.step,
            "round": after.round,
            "raised_at": after.raised_at,
            "silent": after.silent,
            "owner": after.owner,
            "handover_to": after.handover_to,
            "handover_at": after.handover_at,
            **more,
        },
    )
    if done.rowcount != 1:
        raise RuntimeError(f"Request {before.id} changed inside its own transaction.")


def last_words(conn: sa.Connection, request: str, whats: Sequence[str]) -> str:
    """The newest line of the timeline, if it is one of these; else ''."""
    row = conn.execute(
        sa.select(timeline.c.what, timeline.c.words)
        .where(timeline.c.interaction == request, timeline.c.what.not_in(("seen", "kept")))
        .order_by(timeline.c.id.desc())
        .limit(1)
    ).first()
    return row.words if row is not None and row.what in whats else ""


def has_said(conn: sa.Connection, request: str, what: str) -> bool:
    """Whether its timeline has such a line."""
    query = sa.select(timeline.c.id).where(timeline.c.interaction == request, timeline.c.what == what)
    return conn.execute(query.limit(1)).first() is not None


def said(conn: sa.Connection, request: str, whats: Sequence[str]) -> dict[str, str]:
    """The newest words of each of these kinds in its timeline."""
    query = sa.select(timeline.c.what, timeline.c.words).where(
        timeline.c.interaction == request, timeline.c.what.in_(whats)
    )
    return {row.what: row.words for row in conn.execute(query.order_by(timeline.c.id))}


def last_said(conn: sa.Connection, request: str, who: str, whats: Sequence[str]) -> datetime | None:
    """When this person last did one of these to the request."""
    query = sa.select(sa.func.max(timeline.c.at)).where(
        timeline.c.interaction == request, timeline.c.person == who, timeline.c.what.in_(whats)
    )
    return conn.execute(query).scalar()


def append(conn: sa.Connection, entries: Sequence[Entry]) -> None:
    """Add to timelines."""
    if entries:
        conn.execute(
            _APPEND,
            [
                {
                    "interaction": e.interaction,
                    "at": e.at,
                    "what": e.what,
                    "through": e.through,
                    "words": e.words[:500],
                    "person": e.person,
                }
                for e in entries
            ],
        )


def _request(row: Any) -> Request:
    values = dict(row._mapping)
    values["state"] = State(values["state"])
    return Request(**values)
