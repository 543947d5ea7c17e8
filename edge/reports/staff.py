"""Everyone who works here: where, in which languages, and whether a page would reach them now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.store_tables import person, session
from edge.reports.floor import FRESH, holding


@dataclass(frozen=True)
class Member:
    """`since` is the start of the present sign-in on a phone, `heard_at` when that phone last answered."""

    id: str
    name: str
    role: str
    zones: tuple[str, ...]
    languages: tuple[str, ...]
    presence: str
    presence_at: datetime
    presence_until: datetime | None
    active: bool
    has_pin: bool
    has_password: bool
    since: datetime | None
    heard_at: datetime | None
    reachable: bool
    badge: str | None


def members(conn: sa.Connection, store: str, now: datetime, ids: Iterable[str] = ()) -> list[Member]:
    """Everyone, also disabled, by name; or only those of these ids. Not the built-in responder of drills."""
    p = person.c
    on_floor = (session.c.person == p.id, session.c.audience == "floor", session.c.expires_at > now)
    started = sa.select(sa.func.max(session.c.started_at)).where(*on_floor).correlate(person)
    heard = sa.select(sa.func.max(session.c.heard_at)).where(*on_floor).correlate(person)
    query = sa.select(
        p.id, p.name, p.role, p.zones, p.languages, p.presence, p.presence_at, p.presence_until, p.active,
        p.badge,
        p.pin_hash.is_not(None).label("has_pin"), p.password_hash.is_not(None).label("has_password"),
        started.scalar_subquery().label("since"), heard.scalar_subquery().label("heard_at"),
    ).where(p.store == store, p.role != "drill")  # fmt: skip
    if wanted := list(ids):
        query = query.where(p.id.in_(wanted))
    return [
        Member(
            **(
                dict(row)
                | holding(row, now)
                | {"zones": tuple(row["zones"]), "languages": tuple(row["languages"])}
            ),
            reachable=row["heard_at"] is not None and now - row["heard_at"] <= FRESH,
        )
        for row in conn.execute(query.order_by(p.name)).mappings()
    ]
