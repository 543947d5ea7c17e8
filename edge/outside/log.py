"""What was told outside, as the desk and other programs read it: deliveries, their tries, the channels."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from edge.db.keyset import Cursor
from edge.db.outside_tables import outside_channel, outside_delivery, outside_try
from edge.errors import NotFound
from edge.outside import wording
from edge.outside.channels import Channel
from edge.outside.wording import Facts

MAX_LIMIT = 200
STATES = ("waiting", "accepted", "refused", "given_up")
# A messenger says every ten seconds that it is there.
QUIET = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try. `outcome` None: it is under way, or was cut off and nobody has looked since."""

    number: int
    began_at: datetime
    ended_at: datetime | None
    outcome: str | None
    words: str


@dataclass(frozen=True)
class Delivery:
    """One message for one address of a channel. `next_at` None: it is over. `last`: its latest try."""

    id: str
    channel: str
    part: int
    what: str
    facts: Facts
    silent: bool
    state: str
    tries: int
    created_at: datetime
    give_up_at: datetime
    next_at: datetime | None
    under_way: bool
    ended_at: datetime | None
    last: Attempt | None = None

    @property
    def cursor(self) -> Cursor:
        return Cursor(self.created_at, self.id)

    @property
    def headline(self) -> str:
        return wording.headline(self.what, self.facts)


@dataclass(frozen=True)
class Filters:
    """What the list is narrowed to; empty where it is not. Silent ones only where that is said."""

    channel: str = ""
    state: str = ""
    with_silent: bool = False


@dataclass(frozen=True)
class Standing:
    """A channel as it stands. `heard` false: no messenger looks after it, and nothing goes out."""

    channel: Channel
    heard: bool
    seen_at: datetime | None
    fault: str | None
    last: Delivery | None


def search(
    conn: sa.Connection, store: str, filters: Filters, before: Cursor | None, limit: int
) -> list[Delivery]:
    """Up to `limit` deliveries behind `before`, the newest first."""
    d, query = outside_delivery.c, _visible(store, with_silent=filters.with_silent)
    if filters.channel:
        query = query.where(d.channel == filters.channel)
    if filters.state:
        query = query.where(d.state == filters.state)
    if before is not None:
        query = query.where(before.behind(d.created_at, d.id))
    return _read(conn, query.order_by(d.created_at.desc(), d.id.desc()).limit(min(limit, MAX_LIMIT)))


def one(conn: sa.Connection, store: str, delivery_id: str, *, silent: bool) -> tuple[Delivery, list[Attempt]]:
    """A delivery with its tries, the oldest first. NotFound if it is not there or may not be seen."""
    query = _visible(store, with_silent=silent).where(outside_delivery.c.id == delivery_id)
    found = _read(conn, query)
    if not found:
        raise NotFound("There is no such message in this store.")
    t = outside_try.c
    columns = t.number, t.began_at, t.ended_at, t.outcome, t.words
    rows = conn.execute(sa.select(*columns).where(t.delivery == delivery_id).order_by(t.number))
    return found[0], [Attempt(*row) for row in rows]


def standings(
    conn: sa.Connection, store: str, channels: tuple[Channel, ...], now: datetime
) -> list[Standing]:
    """Every channel of edge.toml, for whoever may see silent requests."""
    c, found = outside_channel.c, []
    rows = conn.execute(sa.select(c.channel, c.seen_at, c.fault).where(c.store == store))
    known = {row.channel: row for row in rows}
    for channel in channels:
        row = known.get(channel.name)
        heard = row is not None and abs(now - row.seen_at) < QUIET
        last = search(conn, store, Filters(channel.name, with_silent=True), None, 1)
        found.append(
            Standing(
                channel,
                heard,
                row.seen_at if row else None,
                row.fault if row and heard else None,
                last[0] if last else None,
            )
        )
    return found


def _visible(store: str, *, with_silent: bool) -> sa.Select[Any]:
    d = outside_delivery.c
    query = sa.select(outside_delivery).where(d.store == store)
    return query if with_silent else query.where(sa.not_(d.silent))


def _read(conn: sa.Connection, query: sa.Select[Any]) -> list[Delivery]:
    rows = conn.execute(query).all()
    t, d = outside_try.c, outside_delivery.c
    columns = t.delivery, t.number, t.began_at, t.ended_at, t.outcome, t.words
    latest = (
        sa.select(*columns)
        .join(outside_delivery, sa.and_(d.id == t.delivery, d.tries == t.number))
        .where(t.delivery.in_([row.id for row in rows]))
    )
    last = {row[0]: Attempt(*row[1:]) for row in conn.execute(latest)} if rows else {}
    return [
        Delivery(
            row.id,
            row.channel,
            row.part,
            row.what,
            wording.decode(row.facts),
            row.silent,
            row.state,
            row.tries,
            row.created_at,
            row.give_up_at,
            row.next_at,
            row.claimed_until is not None,
            row.ended_at,
            last.get(row.id),
        )
        for row in rows
    ]
