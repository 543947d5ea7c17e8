"""Happenings, deliveries and tries in the database.

A try is written down before it is made and ended afterwards: whoever was killed between the two leaves one
without an end, which the next look ends as 'unknown' and makes again, under the same id.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

import sqlalchemy as sa

from edge.db.columns import Instant, moved
from edge.db.inserts import INSERT
from edge.db.outside_tables import outside_channel, outside_delivery, outside_happening, outside_try
from edge.outside.channels import SECURITY
from edge.outside.rules import Outcome, Over, Try, Wait, following

KEPT = timedelta(days=90)
MAX_WORDS = 300
CUT_OFF = "The server stopped during this try; whether it arrived is not known."
# Built once: a press waits for it.
_MARK = sa.insert(outside_happening)


@dataclass(frozen=True, slots=True)
class Happened:
    """A happening as it was marked. `channel`: a test's."""

    id: int
    what: str
    subject: str
    channel: str | None
    person: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class New:
    """A delivery to be."""

    channel: str
    part: int
    what: str
    facts: str
    silent: bool
    give_up_at: datetime


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that this process may try until its lease ends; its try `number` is written."""

    id: str
    channel: str
    part: int
    what: str
    facts: str
    number: int

    @property
    def urgent(self) -> bool:
        return self.what == SECURITY


@dataclass(frozen=True, slots=True)
class Ended:
    """How a try went. `wait_s`: how long the receiver asked to be left alone."""

    outcome: Outcome
    words: str
    wait_s: float | None = None


@dataclass
class Room:
    """How many more tries a channel may have under way, and how many of those for anything but security."""

    urgent: int
    other: int


def mark(
    conn: sa.Connection,
    store: str,
    what: str,
    subject: str,
    now: datetime,
    *,
    channel: str | None = None,
    person: str | None = None,
) -> None:
    """This happened; the messenger finds out whom it concerns."""
    row = {"store": store, "what": what, "subject": subject, "channel": channel, "person": person, "at": now}
    conn.execute(_MARK, row)


def unspread(conn: sa.Connection, store: str, limit: int = 50) -> list[Happened]:
    """What nobody has looked at yet, the oldest first."""
    h = outside_happening.c
    query = sa.select(h.id, h.what, h.subject, h.channel, h.person, h.at)
    query = query.where(h.store == store, h.spread_at.is_(None)).order_by(h.id).limit(limit)
    return [Happened(*row) for row in conn.execute(query)]


def spread(
    conn: sa.Connection, store: str, happening: Happened, deliveries: Sequence[New], now: datetime
) -> bool:
    """Write a happening's deliveries, if this transaction is the one that claims it."""
    h = outside_happening.c
    taken = sa.update(outside_happening).where(h.id == happening.id, h.spread_at.is_(None))
    if conn.execute(taken.values(spread_at=now)).rowcount != 1:
        return False
    rows = [
        {
            "id": str(uuid4()),
            "store": store,
            "happening": happening.id,
            "channel": new.channel,
            "part": new.part,
            "what": new.what,
            "facts": new.facts,
            "silent": new.silent,
            "state": "waiting",
            "tries": 0,
            "created_at": happening.at,
            "give_up_at": new.give_up_at,
            "next_at": now,
        }
        for new in deliveries
    ]
    if rows:
        conn.execute(sa.insert(outside_delivery), rows)
    return True


def due(conn: sa.Connection, store: str, now: datetime) -> bool:
    """Whether anything is due that nobody tries."""
    return conn.execute(_due(store, now).limit(1)).first() is not None


def claim(
    conn: sa.Connection,
    store: str,
    worker: str,
    rooms: dict[str, Room],
    leases: dict[str, timedelta],
    now: datetime,
) -> tuple[list[Claimed], int]:
    """Begin tries that are due, as many as the channels have room for; security first. Those, and how many
    deliveries were changed without one.

    Ends what was cut off, what is too late, and what a channel waits for that is not there any more.
    """
    changed = _clear(conn, store, list(rooms), now)
    d, begun = outside_delivery.c, []
    urgent_first = sa.case((d.what == SECURITY, 0), else_=1)
    for channel, room in rooms.items():
        # By channel, so that what waits for one of them hides nothing of the others.
        query = _due(store, now).where(d.channel == channel).order_by(urgent_first, d.next_at, d.id)
        query = query.limit(max(0, room.urgent)).with_for_update(skip_locked=True)
        for row in conn.execute(query).all():
            if row.what == SECURITY or room.other > 0:
                room.other -= row.what != SECURITY
                begun.append(_begin(conn, row, worker, now, now + leases[channel]))
    return begun, changed


def end(conn: sa.Connection, claimed: Claimed, worker: str, ended: Ended, now: datetime) -> bool:
    """Note how a try went and what follows, unless its lease ended before and somebody else did."""
    d = outside_delivery.c
    mine = sa.select(d.give_up_at).where(
        d.id == claimed.id, d.claimed_by == worker, d.tries == claimed.number, d.claimed_until.is_not(None)
    )
    give_up_at = conn.execute(mine.with_for_update()).scalar()
    if give_up_at is None:
        return False
    _end(conn, claimed.id, claimed.number, give_up_at, ended, now)
    return True


def see(conn: sa.Connection, store: str, faults: dict[str, str | None], now: datetime) -> None:
    """These channels are looked after, each with what is wrong with it."""
    for name, fault in faults.items():
        short = fault[:MAX_WORDS] if fault else None
        row = {"store": store, "channel": name, "since": now, "seen_at": now, "fault": short}
        insert = INSERT[conn.dialect.name](outside_channel).values(row)
        c = outside_channel.c
        # One that begins in the future was first seen by a clock that was wrong.
        values = {
            "seen_at": now,
            "fault": short,
            "since": sa.case((c.since > now, sa.literal(now, Instant)), else_=c.since),
        }
        conn.execute(insert.on_conflict_do_update(index_elements=[c.store, c.channel], set_=values))


def since(conn: sa.Connection, store: str) -> dict[str, datetime]:
    """Since when there is which channel: what happened before does not concern it."""
    c = outside_channel.c
    rows = conn.execute(sa.select(c.channel, c.since).where(c.store == store))
    return {row.channel: row.since for row in rows}


def shift(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move what waits by a jump of the server's clock."""
    d = outside_delivery.c
    columns = (d.next_at, d.claimed_until, d.give_up_at)
    h = outside_happening
    new = sa.update(h).where(h.c.store == store, h.c.spread_at.is_(None))
    conn.execute(new.values({h.c.at: moved(h.c.at, by)}))
    waiting = sa.update(outside_delivery).where(d.store == store, d.next_at.is_not(None))
    conn.execute(waiting.values({column: moved(column, by) for column in columns}))


def forget(conn: sa.Connection, store: str, now: datetime) -> None:
    """Drop what is over and old."""
    d, h = outside_delivery.c, outside_happening.c
    old = sa.select(d.id).where(d.store == store, d.created_at < now - KEPT, d.next_at.is_(None))
    conn.execute(sa.delete(outside_try).where(outside_try.c.delivery.in_(old)))
    conn.execute(sa.delete(outside_delivery).where(d.id.in_(old)))
    conn.execute(sa.delete(outside_happening).where(h.store == store, h.at < now - KEPT))


def _clear(conn: sa.Connection, store: str, channels: list[str], now: datetime) -> int:
    """End what was cut off, what is too late, and what waits for a channel that is not there; how many."""
    d = outside_delivery.c
    cut = d.claimed_until < now
    over = sa.and_(d.claimed_until.is_(None), sa.or_(d.channel.not_in(channels), d.give_up_at <= now))
    query = _due(store, now).where(sa.or_(cut, over)).limit(500).with_for_update(skip_locked=True)
    rows = conn.execute(query).all()
    for row in rows:
        if row.claimed_until is None:
            _close(conn, row.id, "given_up", now)
        else:
            _end(conn, row.id, row.tries, row.give_up_at, Ended(Outcome.UNKNOWN, CUT_OFF), now)
    return len(rows)


def _due(store: str, now: datetime) -> sa.Select[tuple[object, ...]]:
    d = outside_delivery.c
    free = sa.or_(d.claimed_until.is_(None), d.claimed_until < now)
    return sa.select(outside_delivery).where(d.store == store, d.next_at <= now, free)


def _begin(
    conn: sa.Connection, row: sa.Row[tuple[object, ...]], worker: str, now: datetime, until: datetime
) -> Claimed:
    number = row.tries + 1
    values = {"tries": number, "claimed_by": worker, "claimed_until": until}
    conn.execute(sa.update(outside_delivery).where(outside_delivery.c.id == row.id).values(**values))
    conn.execute(sa.insert(outside_try).values(delivery=row.id, number=number, began_at=now, words=""))
    return Claimed(row.id, row.channel, row.part, row.what, row.facts, number)


def _end(
    conn: sa.Connection, delivery: str, number: int, give_up_at: datetime, ended: Ended, now: datetime
) -> None:
    t, d = outside_try.c, outside_delivery.c
    noted = sa.update(outside_try).where(t.delivery == delivery, t.number == number)
    conn.execute(noted.values(ended_at=now, outcome=ended.outcome.value, words=ended.words[:MAX_WORDS]))
    # The pause grows with the number of tries; how the earlier ones went has no say.
    tries = [Try(now, ended.outcome, ended.wait_s)] * number
    decision = following(give_up_at, tries, now)
    if isinstance(decision, Over):
        _close(conn, delivery, decision.state, now)
        return
    until = decision.until if isinstance(decision, Wait) else now
    free = {"next_at": until, "claimed_by": None, "claimed_until": None}
    conn.execute(sa.update(outside_delivery).where(d.id == delivery).values(**free))


def _close(conn: sa.Connection, delivery: str, state: str, now: datetime) -> None:
    values = {"state": state, "next_at": None, "claimed_by": None, "claimed_until": None, "ended_at": now}
    conn.execute(sa.update(outside_delivery).where(outside_delivery.c.id == delivery).values(**values))
