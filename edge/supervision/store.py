"""Troubles in the database, and who was told of them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from broker.events import new_id
from edge.db.columns import moved
from edge.db.inserts import if_new
from edge.db.store_tables import device, person, zone
from edge.db.supervision_tables import trouble, trouble_told
from edge.supervision.facts import Found, Key, What
from edge.supervision.rules import REMEMBERED, Trouble

# Whoever was told that something is over, and has not looked since, needs it no more.
KEPT_ON_PHONE = timedelta(hours=12)
_HISTORY = 20
_ADD = if_new(trouble, returning=[trouble.c.id])
_ADD_TOLD = if_new(trouble_told, returning=[trouble_told.c.person])


# Built once: every two seconds the worker asks for all of this, and making the statements cost most of it.
_STORE: sa.BindParameter[str] = sa.bindparam("in_store")
_FROM: sa.BindParameter[datetime] = sa.bindparam("in_from")
_GOING_ON = (
    sa.select(trouble)
    .where(trouble.c.store == _STORE, trouble.c.over_at.is_(None))
    .order_by(trouble.c.seen_at)
)
_ENDED = (
    sa.select(trouble.c.device, trouble.c.what, trouble.c.about, trouble.c.over_at, trouble.c.returns)
    .where(trouble.c.store == _STORE, trouble.c.over_at > _FROM)
    .order_by(trouble.c.over_at)
)
_TOLD = (
    sa.select(trouble_told.c.trouble, trouble_told.c.person, person.c.name)
    .select_from(trouble_told.join(person, person.c.id == trouble_told.c.person))
    .where(trouble_told.c.trouble.in_(sa.bindparam("in_troubles", expanding=True)))
    .order_by(person.c.name)
)


@dataclass(frozen=True, slots=True)
class Told:
    """A trouble as one person's phone, or the desk, shows it. `names` are those who were told."""

    id: str
    device: str
    zone_title: str
    what: str
    about: str
    words: str
    since: datetime
    told_at: datetime
    returns: int
    well_at: datetime | None
    over_at: datetime | None
    ending: str | None
    silent: bool
    # whose phone it is that does not answer
    someone: str | None
    names: tuple[str, ...] = ()


def going_on(conn: sa.Connection, store: str) -> list[Trouble]:
    """What is not over, told of or not."""
    return [
        Trouble(
            r.id,
            Key(r.device, What(r.what), r.about),
            r.since,
            r.seen_at,
            r.words,
            r.mark,
            r.told_at is not None,
            r.returns,
            r.well_at,
            r.silent,
        )
        for r in conn.execute(_GOING_ON, {"in_store": store})
    ]


def ended(conn: sa.Connection, store: str, now: datetime) -> Mapping[Key, tuple[datetime, int]]:
    """When what is over ended last, and how often it had come back."""
    rows = conn.execute(_ENDED, {"in_store": store, "in_from": now - REMEMBERED})
    return {Key(r.device, What(r.what), r.about): (r.over_at, r.returns) for r in rows}


def add(
    conn: sa.Connection, store: str, found: Found, returns: int, now: datetime, id_: str | None = None
) -> Trouble | None:
    """Seen for the first time; None where another process was faster. `id_`: an event's that tells of it."""
    id_ = id_ or str(new_id(int(now.timestamp() * 1000)))
    values = {
        "id": id_,
        "store": store,
        "device": found.key.device,
        "what": found.key.what.value,
        "about": found.key.about,
        "words": found.words[:500],
        "since": found.since,
        "seen_at": now,
        "mark": found.mark[:40],
        "returns": returns,
        "silent": found.silent,
    }
    if conn.execute(_ADD[conn.dialect.name], values).scalar() is None:
        return None
    return Trouble(
        id_, found.key, found.since, now, found.words, found.mark, returns=returns, silent=found.silent
    )


def change(conn: sa.Connection, one: Trouble, **values: object) -> bool:
    """Whether it was still going on, and not yet told of where `told_at` is set."""
    query = sa.update(trouble).where(trouble.c.id == one.id, trouble.c.over_at.is_(None))
    if "told_at" in values:
        query = query.where(trouble.c.told_at.is_(None))
    return conn.execute(query.values(**values)).rowcount == 1


def drop(conn: sa.Connection, one: Trouble) -> None:
    conn.execute(sa.delete(trouble).where(trouble.c.id == one.id, trouble.c.told_at.is_(None)))


def touch(conn: sa.Connection, store: str, key: Key, now: datetime) -> bool:
    """A device says again what it has said; whether it is still going on."""
    t = trouble.c
    same = (t.device == key.device, t.what == key.what.value, t.about == key.about)
    query = sa.update(trouble).where(t.store == store, t.over_at.is_(None), *same)
    return conn.execute(query.values(seen_at=now)).rowcount > 0


def tell(conn: sa.Connection, store: str, one: str, people: Sequence[str], now: datetime) -> list[str]:
    """Who of these people had not been told."""
    add_told = _ADD_TOLD[conn.dialect.name]
    found = []
    for who in people:
        values = {"trouble": one, "person": who, "store": store, "told_at": now}
        found += list(conn.execute(add_told, values).scalars())
    return found


def told(conn: sa.Connection, troubles: Collection[str]) -> dict[str, dict[str, str]]:
    """Trouble -> person -> name, for those who were told."""
    found: dict[str, dict[str, str]] = {one: {} for one in troubles}
    for row in conn.execute(_TOLD, {"in_troubles": list(troubles)}):
        found[row.trouble][row.person] = row.name
    return found


def see(conn: sa.Connection, store: str, one: str, who: str, now: datetime) -> bool:
    """The person has seen it, and its end if it is over; whether that is new."""
    o, over = trouble_told.c, sa.exists().where(trouble.c.id == one, trouble.c.over_at.is_not(None))
    mine = sa.update(trouble_told).where(o.store == store, o.trouble == one, o.person == who)
    ended_too = conn.execute(mine.where(over, o.end_seen_at.is_(None)).values(end_seen_at=now)).rowcount
    return conn.execute(mine.where(o.seen_at.is_(None)).values(seen_at=now)).rowcount + ended_too > 0


def for_phone(conn: sa.Connection, store: str, who: str, now: datetime) -> list[Told]:
    """What this person was told of and has not seen, and what is over since and they do not know."""
    t, o = trouble.c, trouble_told.c
    unseen = sa.and_(t.over_at.is_(None), o.seen_at.is_(None))
    over = sa.and_(t.over_at > now - KEPT_ON_PHONE, o.end_seen_at.is_(None))
    place = _shown().join(trouble_told, sa.and_(o.trouble == t.id, o.person == who))
    return _read(conn, store, place, sa.or_(unseen, over))


def open_now(conn: sa.Connection, store: str, *, silent: bool = True) -> list[Told]:
    """What is wrong now and people hear of, the newest first, with who was told."""
    t = trouble.c
    wanted = [t.over_at.is_(None), t.told_at.is_not(None), *([] if silent else [sa.not_(t.silent)])]
    return _named(conn, _read(conn, store, _shown(), *wanted))


def history(conn: sa.Connection, store: str, name: str) -> list[Told]:
    """What was or is wrong with a device, the newest first."""
    t = trouble.c
    found = _read(conn, store, _shown(), t.device == name, t.told_at.is_not(None))
    return _named(conn, found[:_HISTORY])


def shift(conn: sa.Connection, store: str, by: timedelta) -> None:
    """Move what goes on by a jump of the server's clock."""
    t = trouble.c
    columns = (t.since, t.seen_at, t.told_at, t.well_at)
    conn.execute(
        sa.update(trouble)
        .where(t.store == store, t.over_at.is_(None))
        .values({column: moved(column, by) for column in columns})
    )


def _shown() -> sa.Join:
    return trouble.outerjoin(
        device, sa.and_(device.c.store == trouble.c.store, device.c.name == trouble.c.device)
    ).outerjoin(zone, sa.and_(zone.c.store == device.c.store, zone.c.name == device.c.zone))


def _read(conn: sa.Connection, store: str, place: sa.Join, *wanted: sa.ColumnElement[bool]) -> list[Told]:
    t = trouble.c
    columns = (
        t.id,
        t.device,
        sa.func.coalesce(zone.c.title, device.c.zone, "").label("zone_title"),
        t.what,
        t.about,
        t.words,
    )
    someone = sa.select(person.c.name).where(person.c.id == t.about, t.what == What.PHONE.value)
    whose = someone.correlate(trouble).scalar_subquery().label("someone")
    rest = (t.since, t.told_at, t.returns, t.well_at, t.over_at, t.ending, t.silent, whose)
    query = sa.select(*columns, *rest).select_from(place).where(t.store == store, *wanted)
    rows = conn.execute(query.order_by(t.told_at.desc(), t.id))
    return [Told(**row) for row in rows.mappings()]


def _named(conn: sa.Connection, found: list[Told]) -> list[Told]:
    names = told(conn, [one.id for one in found]) if found else {}
    return [replace(one, names=tuple(names[one.id].values())) for one in found]
