"""Where somebody is who cannot be asked: their last known place, and how it is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.tables import interaction, page
from edge.interactions.request import OPEN
from edge.people.store import Person

UNKNOWN = "unknown"
# For so long after somebody was verifiably at a place that is the best guess.
RECENT = timedelta(minutes=15)
_LOOKED_AT = 20


@dataclass(frozen=True, slots=True)
class Stay:
    """A request that somebody went to: where, how it stands, and when they came and it ended."""

    zone: str
    state: str
    attended_at: datetime | None
    closed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """`zone` may be UNKNOWN; `words` say what is known, and how."""

    zone: str
    words: str


def last_known(
    conn: sa.Connection, store: str, who: Person, title: Callable[[str], str], now: datetime
) -> Place:
    """See place_of. Reads the newest pages of the person, however long the log is."""
    i = interaction.c
    # Ids begin with their time, so the newest are the last of an index.
    newest = (
        sa.select(page.c.request)
        .where(page.c.person == who.id)
        .order_by(page.c.request.desc())
        .limit(_LOOKED_AT)
        .subquery()
    )
    query = sa.select(i.zone, i.state, i.attended_at, i.closed_at).where(
        i.store == store, i.id.in_(sa.select(newest.c.request)), i.owner == who.id, sa.not_(i.drill)
    )
    stays = [Stay(*row) for row in conn.execute(query)]
    return place_of(who.name, who.zones, stays, title, now)


def place_of(
    name: str, zones: Sequence[str], stays: Sequence[Stay], title: Callable[[str], str], now: datetime
) -> Place:
    """Where somebody is said to be there; where they were a moment ago; where they were going; where they
    work, if that is one zone. Otherwise UNKNOWN, with the zones where they work."""
    there = [s for s in stays if s.attended_at is not None and s.state == "attended"]
    if there:
        zone = max(there, key=lambda s: s.attended_at or now).zone
        return Place(zone, f"{name} was last with a shopper in {title(zone)}.")
    left = [s for s in stays if s.attended_at and s.closed_at and now - s.closed_at <= RECENT]
    if left:
        last = max(left, key=lambda s: s.closed_at or now)
        # After the server's clock was put back it may have ended later than now.
        ago = max(0, int((now - (last.closed_at or now)).total_seconds()))
        words = f"{name} was last in {title(last.zone)}, {ago // 60} min {ago % 60:02} s ago."
        return Place(last.zone, words)
    going = [s for s in stays if s.state in OPEN]
    if going:
        return Place(going[0].zone, f"{name} was on the way to {title(going[0].zone)}.")
    if len(zones) == 1:
        return Place(zones[0], f"{name} works in {title(zones[0])}; nothing newer is known.")
    if zones:
        known = ", ".join(title(zone) for zone in zones)
        return Place(UNKNOWN, f"Nobody knows where {name} is; they work in {known}.")
    return Place(UNKNOWN, f"Nobody knows where {name} is; they work on the whole floor.")
