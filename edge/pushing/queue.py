"""Pushes in the database: written with their page, claimed for a try, and how it went.

A try is written down before it is made and ended afterwards: one without an end was cut off, is 'unknown',
and is made again; the push service puts the later one in the earlier one's place.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from edge.db.columns import Instant, moved
from edge.db.push_tables import push, push_subscription, push_try
from edge.db.store_tables import zone
from edge.db.tables import OPEN_STATES, interaction, page
from edge.pushing import rules, store
from edge.pushing.rules import TRIAL, Ended, Matter, Outcome
from edge.pushing.store import Keys

KEPT = timedelta(days=90)
MAX_WORDS = 300
CUT_OFF = "The server stopped during this try; whether the push service has it is not known."
# States of a page that its person has neither seen nor answered; after that no phone needs to be called.
_UNSEEN = ("pending", "sent", "delivered")


@dataclass(frozen=True, slots=True)
class Called:
    """A page as it is written. `caller`: who raised its request; no phone of theirs is called for it."""

    page: str
    request: str
    person: str
    urgent: bool
    caller: str | None


@dataclass(frozen=True, slots=True)
class Claimed:
    """A push that this process may try until its lease ends; its try `number` is written."""

    id: str
    page: str | None
    session: str
    keys: Keys
    matter: Matter
    urgent: bool
    at: datetime
    until: datetime
    number: int

    @property
    def service(self) -> str:
        """Whose server it goes to."""
        found = rules.parts(self.keys.endpoint)
        return found.netloc if found else ""


@dataclass(frozen=True, slots=True)
class Room:
    """How many tries may be under way: in all, to one push service, and for anything but security."""

    total: int
    service: int
    others: int
    others_service: int


_SUBSCRIBED = sa.select(push_subscription.c.person, push_subscription.c.session).where(
    push_subscription.c.store == sa.bindparam("in_store"),
    push_subscription.c.person.in_(sa.bindparam("in_people", expanding=True)),
)
_INSERT = sa.insert(push)


def put(conn: sa.Connection, name: str, called: Sequence[Called], now: datetime) -> int:
    """Write a push for each phone of whoever is called; how many. An earlier one that waits is over."""
    wanted = [one for one in called if one.person != one.caller]
    if not wanted:
        return 0
    people = sorted({one.person for one in wanted})
    phones = conn.execute(_SUBSCRIBED, {"in_store": name, "in_people": people}).all()
    rows = [
        _row(name, one.person, row.session, one.urgent, now) | {"page": one.page, "request": one.request}
        for one in wanted
        for row in phones
        if row.person == one.person
    ]
    if not rows:
        return 0
    p = push.c
    earlier = sa.update(push).where(
        p.store == name,
        p.next_at.is_not(None),
        p.claimed_until.is_(None),
        p.request.in_(sorted({one.request for one in wanted})),
        p.person.in_(people),
    )
    conn.execute(earlier.values(_over("over", now)))
    conn.execute(_INSERT, rows)
    return len(rows)


def put_trial(conn: sa.Connection, name: str, person_id: str, session_key: str, now: datetime) -> None:
    """A push that calls for nothing, to the phone that asks for it. Earlier trials of it are over."""
    p = push.c
    earlier = sa.update(push).where(
        p.store == name, p.session == session_key, p.page.is_(None), p.next_at.is_not(None)
    )
    conn.execute(earlier.values(_over("over", now)))
    row = _row(name, person_id, session_key, False, now)
    conn.execute(_INSERT, row | {"page": None, "request": None})


def due(conn: sa.Connection, name: str, now: datetime) -> bool:
    """Whether anything is due that nobody tries."""
    return conn.execute(sa.select(push.c.id).where(*_due(name, now)).limit(1)).first() is not None


def claim(
    conn: sa.Connection,
    name: str,
    worker: str,
    flying: Iterable[Claimed],
    room: Room,
    lease: timedelta,
    now: datetime,
) -> list[Claimed]:
    """Begin tries that are due, as many as there is room for; security first, then the newest.

    What was cut off, is too late, or needs nobody any more ends.
    """
    p, begun = push.c, []
    taken, others = Counter[str](), Counter[str]()
    for one in flying:
        taken[one.service] += 1
        others[one.service] += not one.urgent
    for row in conn.execute(_claimable(name, now)).all():
        if row.claimed_until is not None:
            _end(conn, row.id, row.tries, row.give_up_at, Ended(Outcome.UNKNOWN, CUT_OFF), now)
            continue
        if over := _why_over(row, now):
            conn.execute(sa.update(push).where(p.id == row.id).values(_over(over, now)))
            continue
        there = _claimed(row)
        if taken.total() >= room.total or taken[there.service] >= room.service:
            continue
        full = others.total() >= room.others or others[there.service] >= room.others_service
        if not there.urgent and full:
            continue
        taken[there.service] += 1
        others[there.service] += not there.urgent
        values = {"tries": there.number, "claimed_by": worker, "claimed_until": now + lease}
        conn.execute(sa.update(push).where(p.id == row.id).values(**values))
        conn.execute(sa.insert(push_try).values(push=row.id, number=there.number, began_at=now, words=""))
        begun.append(there)
    return begun


def end(conn: sa.Connection, claimed: Claimed, worker: str, ended: Ended, now: datetime) -> bool:
    """Note how a try went and what follows, unless its lease ended before and somebody else did."""
    p = push.c
    mine = sa.select(p.id).where(
        p.id == claimed.id, p.claimed_by == worker, p.tries == claimed.number, p.claimed_until.is_not(None)
    )
    if conn.execute(mine.with_for_update()).first() is None:
        return False
    _end(conn, claimed.id, claimed.number, claimed.until, ended, now)
    if ended.outcome is Outcome.GONE:
        store.drop(conn, claimed.session, claimed.keys.endpoint)
    return True


def shift(conn: sa.Connection, name: str, by: timedelta) -> None:
    """Move what waits by a jump of the server's clock."""
    p = push.c
    columns = (p.next_at, p.claimed_until, p.give_up_at)
    waiting = sa.update(push).where(p.store == name, p.next_at.is_not(None))
    conn.execute(waiting.values({column: moved(column, by) for column in columns}))


def forget(conn: sa.Connection, name: str, now: datetime) -> None:
    """Drop what is over and old."""
    p = push.c
    old = sa.select(p.id).where(p.store == name, p.created_at < now - KEPT, p.next_at.is_(None))
    conn.execute(sa.delete(push_try).where(push_try.c.push.in_(old)))
    conn.execute(sa.delete(push).where(p.id.in_(old)))


def _row(name: str, person_id: str, session_key: str, urgent: bool, now: datetime) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "store": name,
        "person": person_id,
        "session": session_key,
        "urgent": urgent,
        "state": "waiting",
        "tries": 0,
        "created_at": now,
        "give_up_at": now + rules.WORTH,
        "next_at": now,
    }


def _due(name: str, now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    p = push.c
    return p.store == name, p.next_at <= now, sa.or_(p.claimed_until.is_(None), p.claimed_until < now)


def _claimable(name: str, now: datetime) -> sa.Select[Any]:
    p, s, i = push.c, push_subscription.c, interaction.c
    living = (
        sa.select(s.session, s.endpoint, s.p256dh, s.auth).select_from(store.living(now)).subquery("living")
    )
    query = (
        sa.select(
            push,
            living.c.endpoint,
            living.c.p256dh,
            living.c.auth,
            page.c.state.label("page_state"),
            i.state.label("request_state"),
            i.kind,
            i.drill,
            sa.func.coalesce(zone.c.title, i.zone, "").label("place"),
        )
        .select_from(
            push.outerjoin(living, living.c.session == p.session)
            .outerjoin(page, page.c.id == p.page)
            .outerjoin(interaction, i.id == p.request)
            .outerjoin(zone, sa.and_(zone.c.store == i.store, zone.c.name == i.zone))
        )
        .where(*_due(name, now))
        .order_by(p.urgent.desc(), p.created_at.desc(), p.id)
        .limit(500)
    )
    return query.with_for_update(of=push, skip_locked=True)


def _why_over(row: sa.Row[Any], now: datetime) -> str:
    """'given_up' when it is too late, 'over' when nobody is called by it any more; '' while it counts."""
    if row.endpoint is None:
        return "over"
    needed = row.page is None or (row.page_state in _UNSEEN and row.request_state in OPEN_STATES)
    if not needed:
        return "over"
    return "given_up" if row.give_up_at <= now else ""


def _claimed(row: sa.Row[Any]) -> Claimed:
    matter = Matter(TRIAL, row.session)
    if row.page is not None:
        matter = Matter(row.kind, row.request, row.place, row.drill)
    keys = Keys(row.endpoint, row.p256dh, row.auth)
    return Claimed(
        row.id, row.page, row.session, keys, matter, row.urgent, row.created_at, row.give_up_at, row.tries + 1
    )


def _end(
    conn: sa.Connection,
    push_id: str,
    number: int,
    until: datetime,
    ended: Ended,
    now: datetime,
) -> None:
    t, p = push_try.c, push.c
    noted = sa.update(push_try).where(t.push == push_id, t.number == number)
    conn.execute(noted.values(ended_at=now, outcome=ended.outcome.value, words=ended.words[:MAX_WORDS]))
    values: dict[str, Any]
    if ended.outcome is Outcome.SENT:
        values = _over("sent", now) | {"sent_at": now}
    elif ended.outcome in (Outcome.GONE, Outcome.REFUSED):
        values = _over(ended.outcome.value, now)
    elif (again := rules.next_at(until, number, ended.wait_s, now)) is None:
        values = _over("given_up", now)
    else:
        values = {"next_at": again, "claimed_by": None, "claimed_until": None}
    conn.execute(sa.update(push).where(p.id == push_id).values(**values))


def _over(state: str, now: datetime) -> dict[str, Any]:
    return {
        "state": state,
        "next_at": sa.null(),
        "claimed_by": sa.null(),
        "claimed_until": sa.null(),
        "ended_at": sa.literal(now, Instant),
    }
