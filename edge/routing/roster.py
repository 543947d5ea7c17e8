"""The floor as routing sees it: who is on the roster, how busy they are, what the zones are called."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge import presence
from edge.db.store_tables import person, zone
from edge.db.tables import interaction, is_open
from edge.routing.choose import Colleague

_BUSY = ("acknowledged", "attended")


@dataclass(frozen=True, slots=True)
class Floor:
    """One moment of the floor, read inside the transaction that decides on it."""

    roster: tuple[Colleague, ...]
    zone_titles: dict[str, str]

    def title(self, zone_name: str) -> str:
        return self.zone_titles.get(zone_name, zone_name)


_PEOPLE = (
    sa.select(
        person.c.id,
        person.c.name,
        person.c.role,
        person.c.zones,
        person.c.languages,
        person.c.presence,
        person.c.presence_until,
        person.c.cover,
        sa.select(sa.func.count())
        .where(
            interaction.c.store == person.c.store,
            is_open,
            interaction.c.state.in_(_BUSY),
            interaction.c.owner == person.c.id,
        )
        .correlate(person)
        .scalar_subquery()
        .label("open_requests"),
    )
    .where(
        person.c.store == sa.bindparam("in_store"),
        person.c.active,
        # The built-in responder of drills is nobody whom a request could reach.
        person.c.role != "drill",
    )
    .order_by(person.c.name)
)
_ZONES = sa.select(zone.c.name, zone.c.title).where(zone.c.store == sa.bindparam("in_store"))


def read(conn: sa.Connection, store: str, now: datetime) -> Floor:
    """Everyone active and as present as they are now, with the requests that they answer."""
    here = {"in_store": store}
    roster = tuple(
        Colleague(
            id=p.id,
            name=p.name,
            role=p.role,
            zones=frozenset(p.zones),
            languages=frozenset(p.languages),
            presence=presence.at(p.presence, p.presence_until, now),
            open_requests=p.open_requests,
            cover=p.cover,
        )
        for p in conn.execute(_PEOPLE, here)
    )
    return Floor(roster, {row.name: row.title for row in conn.execute(_ZONES, here)})
