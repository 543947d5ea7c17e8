"""Hardware pagers: who holds which, and every try to call somebody by one."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from broker.events import new_id
from edge.db.store_tables import device, person
from edge.db.tables import attempt, interaction, is_open, page


@dataclass(frozen=True, slots=True)
class Held:
    """A pager, the person who holds it, and when it was last heard, if it does not call itself offline."""

    pager: str
    person: str
    name: str
    heard_at: datetime | None


@dataclass(frozen=True, slots=True)
class Attempt:
    """One call by a pager: of which page of whom, about which request."""

    id: str
    pager: str
    page: str
    request: str
    person: str


_COLUMNS = (attempt.c.id, attempt.c.pager, attempt.c.page, attempt.c.request, attempt.c.person)
_HEARD_AT = sa.case(
    (device.c.status == "online", sa.func.coalesce(device.c.heartbeat_at, device.c.status_at))
)
_HELD = (
    sa.select(device.c.name, device.c.holder, person.c.name.label("holder_name"), _HEARD_AT.label("heard_at"))
    .join(person, person.c.id == device.c.holder)
    .where(device.c.store == sa.bindparam("in_store"), device.c.pager, person.c.active)
    .order_by(device.c.name)
)
_HELD_BY = _HELD.where(device.c.holder.in_(sa.bindparam("in_people", expanding=True)))
_IN_ORDER = (attempt.c.created_at, attempt.c.id)
# Security is repeated without end: of each pager and person the last call says enough.
_LAST = (
    sa.select(sa.func.max(attempt.c.id))
    .where(attempt.c.request == sa.bindparam("in_request"))
    .group_by(attempt.c.pager, attempt.c.person)
)
_CALLED = sa.select(*_COLUMNS).where(attempt.c.id.in_(_LAST)).order_by(*_IN_ORDER)
# As many rounds of one request as an answer may be about.
MOST_ANSWERED = 100
_OF_PAGER = (
    sa.select(*_COLUMNS)
    .where(attempt.c.request == sa.bindparam("in_request"), attempt.c.pager == sa.bindparam("in_pager"))
    .order_by(attempt.c.created_at.desc(), attempt.c.id.desc())
    .limit(MOST_ANSWERED)
)
_SENT = (
    sa.update(attempt)
    .where(attempt.c.id.in_(sa.bindparam("in_ids", expanding=True)), attempt.c.sent_at.is_(None))
    .values(sent_at=sa.bindparam("in_now"))
    .returning(attempt.c.page)
)


def held(conn: sa.Connection, store: str) -> list[Held]:
    """Every pager with a holder who works here, by name."""
    return [Held(*row) for row in conn.execute(_HELD, {"in_store": store})]


def held_by(conn: sa.Connection, store: str, people: Collection[str]) -> list[Held]:
    """The pagers of these people, by name."""
    return [Held(*row) for row in conn.execute(_HELD_BY, {"in_store": store, "in_people": sorted(people)})]


def holder(conn: sa.Connection, store: str, name: str) -> tuple[bool, str | None]:
    """Whether this device is a pager, and the person who holds it."""
    query = sa.select(device.c.pager, device.c.holder).where(device.c.store == store, device.c.name == name)
    row = conn.execute(query).first()
    return (False, None) if row is None else (bool(row.pager), row.holder)


def add(
    conn: sa.Connection, store: str, tries: Sequence[tuple[str, str, str, str]], now: datetime
) -> list[Attempt]:
    """Write one attempt for each (pager, page, request, person)."""
    unix_ms = int(now.timestamp() * 1000)
    made = [Attempt(str(new_id(unix_ms)), *one) for one in tries]
    if made:
        rows = [
            {
                "id": one.id,
                "store": store,
                "pager": one.pager,
                "page": one.page,
                "request": one.request,
                "person": one.person,
                "created_at": now,
            }
            for one in made
        ]
        conn.execute(sa.insert(attempt), rows)
    return made


def called(conn: sa.Connection, request: str) -> list[Attempt]:
    """The last attempt of a request by each pager for each person, in order."""
    return [Attempt(*row) for row in conn.execute(_CALLED, {"in_request": request})]


def called_by(conn: sa.Connection, request: str, pager: str) -> list[Attempt]:
    """The attempts of a request by this pager, the latest first; MOST_ANSWERED at most."""
    found = conn.execute(_OF_PAGER, {"in_request": request, "in_pager": pager})
    return [Attempt(*row) for row in found]


def lately(conn: sa.Connection, store: str, pager: str, since: datetime) -> list[Attempt]:
    """What a pager was called by last about each request that is open, and since then about others; in
    order."""
    a = attempt.c
    joined = sa.select(sa.func.max(a.id)).join(interaction, interaction.c.id == a.request)
    each = joined.where(a.store == store, a.pager == pager, sa.or_(is_open, a.created_at >= since))
    query = sa.select(*_COLUMNS).where(a.id.in_(each.group_by(a.request)))
    return [Attempt(*row) for row in conn.execute(query.order_by(*_IN_ORDER))]


def mark_sent(conn: sa.Connection, ids: Collection[str], now: datetime) -> list[str]:
    """These attempts went out; their pages."""
    return list(conn.execute(_SENT, {"in_ids": sorted(ids), "in_now": now}).scalars()) if ids else []


def last(conn: sa.Connection, store: str, pager: str, most: int) -> list[sa.Row[Any]]:
    """What a pager was called by last: of whom, about what, when it went out, and how far that page got."""
    a, p, i = attempt.c, page.c, interaction.c
    columns = sa.select(
        a.created_at, a.sent_at, a.request, i.reference, person.c.name, p.delivered_at, p.seen_at
    )
    place = attempt.join(page, p.id == a.page).join(person, person.c.id == a.person)
    place = place.join(interaction, i.id == a.request)
    query = columns.select_from(place).where(a.store == store, a.pager == pager)
    return list(conn.execute(query.order_by(a.created_at.desc(), a.id.desc()).limit(most)))
