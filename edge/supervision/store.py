"""Troubles in the database, and the facts that they are judged by."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from broker.events import new_id
from edge import presence
from edge.db.columns import moved
from edge.db.drill_tables import drill
from edge.db.evidence_tables import witness
from edge.db.inserts import if_new
from edge.db.push_tables import push_subscription
from edge.db.store_tables import device, person, session, zone
from edge.db.supervision_tables import trouble, trouble_told
from edge.db.tables import gap, quarantine
from edge.presence import AWAY, Presence
from edge.supervision.facts import REFUSED_LATELY, Found, Key, Said, What
from edge.supervision.reach import Responder
from edge.supervision.rules import REMEMBERED, Someone, Trouble

# Whoever was told that something is over, and has not looked since, needs it no more.
KEPT_ON_PHONE = timedelta(hours=12)
_REFUSED_MOST = 200
_HISTORY = 20
_ADD = if_new(trouble, returning=[trouble.c.id])
_ADD_TOLD = if_new(trouble_told, returning=[trouble_told.c.person])


# Built once: every two seconds the worker asks for all of this, and making the statements cost most of it.
_STORE: sa.BindParameter[str] = sa.bindparam("in_store")
_NOW: sa.BindParameter[datetime] = sa.bindparam("in_now")
_FROM: sa.BindParameter[datetime] = sa.bindparam("in_from")
_GAPS = (
    sa.select(gap.c.device, sa.func.min(gap.c.found_at).label("found_at"))
    .where(gap.c.store == _STORE, gap.c.closed_at.is_(None))
    .group_by(gap.c.device)
)
_REFUSED = (
    sa.select(quarantine.c.device, quarantine.c.topic, quarantine.c.last_at)
    .where(quarantine.c.store == _STORE, quarantine.c.last_at > _FROM)
    .order_by(quarantine.c.last_at.desc())
    .limit(_REFUSED_MOST)
)


def _failed_drills() -> sa.Select[tuple[str, datetime, str]]:
    """When the last drill of a device failed, and how, for each whose last one did."""
    f = drill.c
    over = (f.store == _STORE, f.ended_at.is_not(None))
    last = sa.select(f.device, sa.func.max(f.ended_at).label("ended_at")).where(*over).group_by(f.device)
    newest = last.subquery()
    return (
        sa.select(f.device, f.ended_at, f.words)
        .join(newest, sa.and_(newest.c.device == f.device, newest.c.ended_at == f.ended_at))
        .where(*over, f.state == "failed")
    )


def _devices() -> sa.Select[tuple[Any, ...]]:
    d, w = device.c, witness.c
    return (
        sa.select(d.name, d.heartbeat, d.heartbeat_at, d.valid_until, d.maintained_at, w.refused)
        .select_from(device.outerjoin(witness, sa.and_(w.store == d.store, w.device == d.name)))
        .where(d.store == _STORE)
        .order_by(d.name)
    )


def _on_duty() -> sa.Select[tuple[Any, ...]]:
    p, s = person.c, session.c
    at_desk = sa.exists().where(s.person == p.id, s.audience == "manage", s.expires_at > _NOW)
    return (
        sa.select(p.id, p.name, p.role, p.presence, p.presence_until, at_desk.label("at_desk"))
        .where(p.store == _STORE, p.active, p.role.in_(("supervisor", "manager", "admin")))
        .order_by(p.name)
    )


def _responders() -> sa.Select[tuple[Any, ...]]:
    p, s = person.c, session.c
    here = (s.person == p.id, s.audience == "floor", s.expires_at > _NOW)
    began = sa.select(sa.func.max(s.started_at)).where(*here).correlate(person).scalar_subquery()
    heard = sa.select(sa.func.max(s.heard_at)).where(*here).correlate(person).scalar_subquery()
    return (
        sa.select(
            p.id, p.name, p.role, p.presence, p.presence_at, p.presence_until,
            began.label("signed_in_at"), heard.label("heard_at"),
        )
        .where(p.store == _STORE, p.active, p.role != "drill")
        .order_by(p.name)
    )  # fmt: skip


def _pagers() -> sa.Select[tuple[Any, ...]]:
    d = device.c
    heard_at = sa.case((d.status == "online", sa.func.coalesce(d.heartbeat_at, d.status_at)))
    held = sa.select(d.holder, d.name, heard_at).where(d.store == _STORE, d.pager, d.holder.is_not(None))
    return held.order_by(d.name)


_FAILED_DRILLS, _DEVICES = _failed_drills(), _devices()
_ON_DUTY, _RESPONDERS, _PAGERS = _on_duty(), _responders(), _pagers()
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


def said(conn: sa.Connection, store: str, loud: Collection[str], now: datetime) -> list[Said]:
    """Every registered device as it was last heard. `loud`: the kinds whose refusal tells of nobody."""
    here = {"in_store": store}
    missing = {row.device: row.found_at for row in conn.execute(_GAPS, here)}
    refused: dict[str, tuple[datetime, bool]] = {}
    for row in conn.execute(_REFUSED, {**here, "in_from": now - REFUSED_LATELY}):
        at, silent = refused.get(row.device, (row.last_at, False))
        refused[row.device] = (at, silent or row.topic.rpartition("/")[2] not in loud)
    failed = {row.device: (row.ended_at, row.words) for row in conn.execute(_FAILED_DRILLS, here)}
    return [
        _said(row, refused.get(row.name), missing.get(row.name), failed.get(row.name))
        for row in conn.execute(_DEVICES, here)
    ]


def _said(
    row: Any,
    refused: tuple[datetime, bool] | None,
    gap_at: datetime | None,
    drill_failed: tuple[datetime, str] | None = None,
) -> Said:
    beat = row.heartbeat or {}
    off = None
    if beat.get("at") and row.heartbeat_at is not None:
        off = datetime.fromisoformat(beat["at"]) - row.heartbeat_at
    return Said(
        name=row.name,
        heard_at=row.heartbeat_at,
        depth=int(beat.get("depth", 0)),
        oldest_open=beat.get("oldest_open_seq"),
        clock_off=off,
        camera=beat.get("camera"),
        faults=tuple(beat.get("faults", ())),
        stuck=tuple(beat.get("stuck", ())),
        free_bytes=beat.get("free_disk_bytes"),
        temperature_c=beat.get("temperature_c"),
        valid_until=row.valid_until,
        refused_at=refused[0] if refused else None,
        refused_silently=refused[1] if refused else False,
        gap_at=gap_at,
        custody=row.refused,
        maintained_at=row.maintained_at,
        drill_failed=drill_failed,
    )


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


def on_duty(conn: sa.Connection, store: str, now: datetime) -> list[Someone]:
    """Supervisors, managers and admins, and whether they are here."""
    return [
        Someone(
            r.id,
            r.name,
            r.role,
            on_floor=presence.at(r.presence, r.presence_until, now) not in AWAY,
            at_desk=bool(r.at_desk),
        )
        for r in conn.execute(_ON_DUTY, {"in_store": store, "in_now": now})
    ]


def responders(conn: sa.Connection, store: str, now: datetime) -> list[Responder]:
    """Everybody who works here, by name, with what is known of their phones and pagers."""
    held = dict[str, list[tuple[str, datetime | None]]]()
    for who, name, at in conn.execute(_PAGERS, {"in_store": store}):
        held.setdefault(who, []).append((name, at))
    u, pushed = push_subscription.c, dict[str, list[datetime | None]]()
    valid = sa.and_(session.c.token_sha256 == u.session, session.c.expires_at > now)
    phones = sa.select(u.person, u.shown_at).select_from(push_subscription.join(session, valid))
    for who, at in conn.execute(phones.where(u.store == store).order_by(u.made_at)):
        pushed.setdefault(who, []).append(at)
    found = []
    for r in conn.execute(_RESPONDERS, {"in_store": store, "in_now": now}):
        there = presence.at(r.presence, r.presence_until, now)
        # A break ends by itself.
        since = r.presence_at if there == Presence(r.presence) else r.presence_until
        on = tuple(held.get(r.id, ()))
        by_push = tuple(pushed.get(r.id, ()))
        found.append(Responder(r.id, r.name, r.role, there, since, r.signed_in_at, r.heard_at, on, by_push))
    return found


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
