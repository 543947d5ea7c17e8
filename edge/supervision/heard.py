"""What the store has heard of its devices and staff, from which it is judged what is wrong."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from edge import presence
from edge.db.drill_tables import drill
from edge.db.evidence_tables import witness
from edge.db.push_tables import push_subscription
from edge.db.store_tables import device, person, session
from edge.db.tables import gap, quarantine
from edge.presence import AWAY, Presence
from edge.supervision.facts import REFUSED_LATELY, Said
from edge.supervision.reach import Responder
from edge.supervision.rules import Someone

_REFUSED_MOST = 200

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
        sa.select(
            d.name, d.heartbeat, d.heartbeat_at, d.valid_until, d.maintained_at, w.refused,
            d.doubted_at, d.doubted_words,
        )
        .select_from(device.outerjoin(witness, sa.and_(w.store == d.store, w.device == d.name)))
        .where(d.store == _STORE, d.revoked_at.is_(None))
        .order_by(d.name)
    )  # fmt: skip


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
        doubted=None if row.doubted_at is None else (row.doubted_at, row.doubted_words or ""),
    )


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
