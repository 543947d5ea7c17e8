"""Releases and roll-outs in the database, and the tickets that let a kiosk fetch one."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import sqlalchemy as sa

from broker.events import new_id
from broker.release import Manifest
from edge.db.store_tables import device, zone
from edge.db.update_tables import release, rollout, rollout_part
from edge.updates import rules
from edge.updates.rules import TICKET_GOOD_FOR, Part, RollOut

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Carried:
    """A release that this server carries."""

    version: str
    sha256: str
    bytes: int
    key: str
    needs: str
    notes: str
    made_at: datetime
    added_at: datetime
    added_by: str


@dataclass(frozen=True, slots=True)
class Rolled:
    """A roll-out; `words` why it failed."""

    id: str
    version: str
    state: str
    soak_s: int
    batch: int
    begun_at: datetime
    begun_by: str
    changed_at: datetime
    words: str

    @property
    def rule(self) -> RollOut:
        return RollOut(self.state, timedelta(seconds=self.soak_s), self.batch)


@dataclass(frozen=True, slots=True)
class Found:
    """A kiosk of a roll-out, found by the id of an order; `reverts` where it is that of going back."""

    rollout: str
    version: str
    device: str
    state: str
    reverts: bool


_CARRIED = sa.select(*(release.c[name] for name in Carried.__dataclass_fields__))
_ROLLED = sa.select(*(rollout.c[name] for name in Rolled.__dataclass_fields__))
_OPEN = (
    _ROLLED.where(
        rollout.c.store == sa.bindparam("in_store"), rollout.c.state.in_((rules.RUNNING, rules.RECALLED))
    )
    .order_by(rollout.c.begun_at.desc())
    .limit(1)
    .with_for_update()
)


def releases(conn: sa.Connection, store: str) -> list[Carried]:
    """Newest first."""
    rows = conn.execute(_CARRIED.where(release.c.store == store).order_by(release.c.added_at.desc()))
    return [Carried(*row) for row in rows]


def find_release(conn: sa.Connection, store: str, version: str) -> Carried | None:
    row = conn.execute(_CARRIED.where(release.c.store == store, release.c.version == version)).first()
    return None if row is None else Carried(*row)


def add_release(
    conn: sa.Connection,
    store: str,
    manifest: Manifest,
    digest: str,
    size: int,
    key: str,
    by: str,
    now: datetime,
) -> None:
    conn.execute(
        sa.insert(release).values(
            store=store, version=manifest.version, sha256=digest, bytes=size, key=key, needs=manifest.needs,
            notes=manifest.notes, made_at=manifest.made_at, added_at=now, added_by=by[:80],
        )
    )  # fmt: skip


def open_one(conn: sa.Connection, store: str) -> Rolled | None:
    """The roll-out in which something may still be to be done; nobody else changes it meanwhile."""
    row = conn.execute(_OPEN, {"in_store": store}).first()
    return None if row is None else Rolled(*row)


def newest(conn: sa.Connection, store: str, limit: int = SHOWN) -> list[Rolled]:
    query = _ROLLED.where(rollout.c.store == store).order_by(rollout.c.begun_at.desc()).limit(limit)
    return [Rolled(*row) for row in conn.execute(query)]


def find(conn: sa.Connection, store: str, rollout_id: str) -> Rolled | None:
    """Nobody else changes it meanwhile."""
    query = _ROLLED.where(rollout.c.store == store, rollout.c.id == rollout_id)
    row = conn.execute(query.with_for_update()).first()
    return None if row is None else Rolled(*row)


def begin(
    conn: sa.Connection,
    store: str,
    version: str,
    devices: Sequence[str],
    soak_s: int,
    batch: int,
    by: str,
    now: datetime,
) -> str:
    """`devices` in their order, the one that goes first at its head."""
    made = str(_new_id(now))
    conn.execute(
        sa.insert(rollout).values(
            id=made, store=store, version=version, state=rules.RUNNING, soak_s=soak_s, batch=batch,
            begun_at=now, begun_by=by[:80], changed_at=now,
        )
    )  # fmt: skip
    rows = [
        {
            "rollout": made, "device": name, "store": store, "place": place, "state": rules.WAITING,
            "order_id": str(_new_id(now)), "revert_id": str(_new_id(now)), "changed_at": now,
        }
        for place, name in enumerate(devices)
    ]  # fmt: skip
    conn.execute(sa.insert(rollout_part), rows)
    return made


def end(conn: sa.Connection, rollout_id: str, state: str, now: datetime, words: str = "") -> None:
    """It runs no more. Whoever was told and has not said that it has the release gets it no more."""
    values = {"state": state, "changed_at": now, "words": words[:400]}
    conn.execute(sa.update(rollout).where(rollout.c.id == rollout_id).values(values))
    p = rollout_part.c
    left = {"state": rules.LEFT, "changed_at": now, "ticket_sha256": None, "ticket_until": None}
    conn.execute(sa.update(rollout_part).where(p.rollout == rollout_id, p.state == rules.TOLD).values(left))


def parts(conn: sa.Connection, rollout_id: str) -> list[Part]:
    """In their order."""
    p, d = rollout_part.c, device.c
    joined = rollout_part.outerjoin(device, sa.and_(d.store == p.store, d.name == p.device))
    columns = sa.select(
        p.device,
        p.place,
        p.state,
        p.changed_at,
        p.ticket_until,
        p.reverted_at,
        d.status,
        d.revoked_at,
        p.reason,
    )
    rows = conn.execute(
        columns.select_from(joined).where(p.rollout == rollout_id).order_by(p.place, p.device)
    )
    return [
        Part(
            row.device, row.place, row.state, row.changed_at, row.ticket_until, row.reverted_at,
            row.status == "online" and row.revoked_at is None, row.revoked_at is not None, row.reason,
        )
        for row in rows
    ]  # fmt: skip


def orders(conn: sa.Connection, rollout_id: str, name: str) -> tuple[str, str]:
    """The ids of a kiosk's two commands: to take the release, and to go back from it."""
    p = rollout_part.c
    row = conn.execute(
        sa.select(p.order_id, p.revert_id).where(p.rollout == rollout_id, p.device == name)
    ).one()
    return row.order_id, row.revert_id


def by_order(conn: sa.Connection, store: str, name: str, order: str) -> Found | None:
    """Of this device alone: another's order is nobody's."""
    p = rollout_part.c
    query = (
        sa.select(p.rollout, rollout.c.version, p.device, p.state, p.revert_id)
        .join(rollout, rollout.c.id == p.rollout)
        .where(p.store == store, p.device == name, sa.or_(p.order_id == order, p.revert_id == order))
    )
    row = conn.execute(query).first()
    return None if row is None else Found(*row[:4], row.revert_id == order)


def set_part(conn: sa.Connection, rollout_id: str, name: str, **values: Any) -> None:
    p = rollout_part.c
    conn.execute(sa.update(rollout_part).where(p.rollout == rollout_id, p.device == name).values(values))


def issue_ticket(conn: sa.Connection, rollout_id: str, name: str, now: datetime) -> str:
    """A new ticket, shown this once; it takes the place of an earlier one."""
    secret = secrets.token_urlsafe(32)
    set_part(conn, rollout_id, name, ticket_sha256=_key(secret), ticket_until=now + TICKET_GOOD_FOR)
    return secret


def forget_tickets(conn: sa.Connection, store: str, name: str) -> None:
    """The device has come back: what it was told when nobody heard is told again."""
    p = rollout_part.c
    mine = (p.store == store, p.device == name)
    conn.execute(
        sa.update(rollout_part)
        .where(*mine, p.state == rules.TOLD)
        .values(ticket_sha256=None, ticket_until=None)
    )
    conn.execute(sa.update(rollout_part).where(*mine, p.reverted_at.is_not(None)).values(reverted_at=None))


def admits(conn: sa.Connection, store: str, name: str, digest: str, secret: str, now: datetime) -> bool:
    """Whether this ticket lets this device fetch the release with this hash: until it has it."""
    p = rollout_part.c
    query = (
        sa.select(p.ticket_sha256)
        .join(rollout, rollout.c.id == p.rollout)
        .join(release, sa.and_(release.c.store == rollout.c.store, release.c.version == rollout.c.version))
        .where(p.store == store, p.device == name, p.state == rules.TOLD, p.ticket_until > now)
        .where(release.c.sha256 == digest, rollout.c.state == rules.RUNNING)
    )
    return any(kept and secrets.compare_digest(kept, _key(secret)) for (kept,) in conn.execute(query))


def renewable(conn: sa.Connection, store: str) -> list[sa.Row[Any]]:
    """Every device that takes releases and is let in: name, version, zone's title, status."""
    d = device.c
    title = sa.func.coalesce(zone.c.title, d.zone).label("zone_title")
    joined = device.outerjoin(zone, sa.and_(zone.c.store == d.store, zone.c.name == d.zone))
    query = sa.select(d.name, d.version, title, d.status).select_from(joined)
    return list(
        conn.execute(query.where(d.store == store, d.updates, d.revoked_at.is_(None)).order_by(d.name))
    )


def held_up(conn: sa.Connection, store: str, now: datetime) -> tuple[Rolled, Part] | None:
    """A roll-out that goes on and stands still, and the kiosk that it waits for."""
    found = newest(conn, store, 1)
    if not found or found[0].state != rules.RUNNING:
        return None
    waits_for = rules.silent(found[0].rule, parts(conn, found[0].id), now)
    return None if waits_for is None else (found[0], waits_for)


def failed(conn: sa.Connection, store: str) -> Rolled | None:
    """The newest roll-out, if it failed and nobody has dealt with it."""
    found = newest(conn, store, 1)
    return found[0] if found and found[0].state == rules.FAILED else None


def _key(secret: str) -> str:
    return sha256(secret.encode()).hexdigest()


def _new_id(now: datetime) -> Any:
    return new_id(int(now.timestamp() * 1000))
