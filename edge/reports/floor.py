"""The floor at this moment: who waits, who is called and who has seen it, who is where and reachable."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge import presence
from edge.db.store_tables import person, session, zone
from edge.db.tables import interaction, is_open, page

# DESIGN 7: a phone counts as reachable only after a round trip this recently.
FRESH = timedelta(seconds=10)


@dataclass(frozen=True)
class Called:
    """Someone who was called for a request, and how far their page verifiably got."""

    name: str
    state: str
    answer: str | None


@dataclass(frozen=True)
class Open:
    """A request that is not over. `step` counts the steps of paging done, `again` its repeats after that."""

    id: str
    kind: str
    topic: str | None
    zone: str
    zone_title: str
    language: str | None
    device: str
    reference: str
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
    called: tuple[Called, ...]

    @property
    def seen(self) -> list[str]:
        return [one.name for one in self.called if one.state in ("seen", "answered")]

    @property
    def declined(self) -> list[Called]:
        return [one for one in self.called if one.state == "declined"]


@dataclass(frozen=True)
class Someone:
    """One of the staff. `busy_with` is what they answer now; `heard_at` None where no phone ever answered."""

    id: str
    name: str
    role: str
    zones: tuple[str, ...]
    presence: str
    presence_at: datetime
    presence_until: datetime | None
    cover_name: str | None
    heard_at: datetime | None
    reachable: bool
    busy_with: tuple[Open, ...]


def requests(conn: sa.Connection, store: str, kinds: Sequence[str] = ("help", "security")) -> list[Open]:
    """Every open request of these kinds: who waits before who is answered, security first, then who waits
    longest."""
    i, owner, other = interaction.c, person.alias("owner"), person.alias("other")
    rows = conn.execute(
        sa.select(
            i.id, i.kind, i.topic, i.zone, sa.func.coalesce(zone.c.title, i.zone).label("zone_title"),
            i.language, i.device, i.reference, i.state, i.count, i.step, i.round.label("again"), i.drill,
            i.silent, i.raised_at, i.age_known, i.acknowledged_at, i.owner, owner.c.name.label("owner_name"),
            other.c.name.label("handover_name"),
        )
        .select_from(
            interaction.outerjoin(zone, sa.and_(zone.c.store == i.store, zone.c.name == i.zone))
            .outerjoin(owner, owner.c.id == i.owner)
            .outerjoin(other, other.c.id == i.handover_to)
        )
        .where(i.store == store, is_open, i.kind.in_(kinds))
    ).mappings().all()  # fmt: skip
    called = _called(conn, store, [row["id"] for row in rows])
    found = [Open(**row, called=tuple(called[row["id"]].values())) for row in rows]
    return sorted(found, key=lambda r: (r.state != "raised", r.kind != "security", r.raised_at))


def people(conn: sa.Connection, store: str, open_now: list[Open], now: datetime) -> list[Someone]:
    """Everyone active, by name."""
    p, cover = person.c, person.alias("cover")
    heard_at = (
        sa.select(sa.func.max(session.c.heard_at))
        .where(session.c.person == p.id, session.c.audience == "floor", session.c.expires_at > now)
        .correlate(person)
        .scalar_subquery()
    )
    rows = conn.execute(
        sa.select(
            p.id, p.name, p.role, p.zones, p.presence, p.presence_at, p.presence_until,
            cover.c.name.label("cover_name"), heard_at.label("heard_at"),
        )
        .select_from(person.outerjoin(cover, cover.c.id == p.cover))
        .where(p.store == store, p.active, p.role != "drill")
        .order_by(p.name)
    ).mappings()  # fmt: skip
    return [
        Someone(
            **(dict(row) | holding(row, now) | {"zones": tuple(row["zones"])}),
            reachable=row["heard_at"] is not None and now - row["heard_at"] <= FRESH,
            busy_with=tuple(r for r in open_now if r.owner == row["id"]),
        )
        for row in rows
    ]


def holding(row: sa.RowMapping, now: datetime) -> dict[str, Any]:
    """The presence that holds now, and since when: a break ends by itself."""
    there = presence.at(row["presence"], row["presence_until"], now)
    if there == row["presence"]:
        return {}
    return {"presence": there.value, "presence_at": row["presence_until"], "presence_until": None}


def zones(conn: sa.Connection, store: str) -> list[tuple[str, str]]:
    """(name, title), by title."""
    query = sa.select(zone.c.name, zone.c.title).where(zone.c.store == store)
    return [(row.name, row.title) for row in conn.execute(query.order_by(zone.c.title))]


def _called(conn: sa.Connection, store: str, ids: list[str]) -> dict[str, dict[str, Called]]:
    """Request -> person -> their page of the latest round."""
    found: dict[str, dict[str, Called]] = defaultdict(dict)
    if ids:
        rows = conn.execute(
            sa.select(page.c.request, page.c.person, person.c.name, page.c.state, page.c.answer)
            .select_from(page.join(person, person.c.id == page.c.person))
            .where(page.c.store == store, page.c.request.in_(ids))
            .order_by(page.c.round, page.c.created_at)
        )
        for row in rows:
            before = found[row.request].get(row.person)
            # Whoever has seen an earlier page knows of it, though the newest is not on their screen yet.
            if before is None or before.state not in ("seen", "answered", "declined"):
                found[row.request][row.person] = Called(row.name, row.state, row.answer)
    return found
