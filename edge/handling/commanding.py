"""What the desk does with a device: moves it to another zone, gives a pager to somebody, makes it blink, asks
it to send again."""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from broker.messages import Command, Identify, Maintenance, Replay
from edge.audit.store import Actor, record
from edge.db.store_tables import device
from edge.db.tables import gap
from edge.devices import store as devices
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import acting, basis, calling
from edge.handling.telling import Telling
from edge.hearing import SILENT_AFTER

# A device that comes back later than this does not blink any more, but still sends again what is missing.
IDENTIFY_S, REPLAY_S, MAINTENANCE_S = 10, 3600, 86_400
MAX_IDENTIFY_S = 60


class DeviceError(EdgeError):
    """Something that cannot be asked of a device. The sentence says what to mend."""


def move(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    name: str,
    zone: str,
    now: datetime,
    based_on: str | None = None,
) -> None:
    """The device stands in another zone from now on; requests that are open keep theirs."""
    row = device_here(conn, store, actor, name)
    titles = devices.zones(conn, store)
    basis.check(conn, store, based_on, version(row), "device", name)
    if zone not in titles:
        raise DeviceError(f"The zone is {zone[:32]!r}; allowed are {', '.join(titles) or 'none yet'}.")
    if zone == row.zone:
        return
    conn.execute(sa.update(device).where(device.c.store == store, device.c.name == name).values(zone=zone))
    words = f"{name} stands in {titles[zone]} now, before in {titles.get(row.zone, row.zone)}."
    record(conn, store, actor, "device.moved", name, words, now, {"zone": row.zone}, {"zone": zone})
    telling = Telling(store)
    telling.device(name, row.status)
    telling.flush(conn, now)


def hand_out(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    name: str,
    pager: bool,
    holder: str | None,
    now: datetime,
    based_on: str | None = None,
) -> None:
    """The device is a pager, in the hand of `holder` or of nobody; or, without `pager`, none any more.

    Whoever is called from now on is called by it. What it still shows of its last holder's ends.
    """
    row = device_here(conn, store, actor, name)
    _still_in(row, name)
    basis.check(conn, store, based_on, version(row), "device", name)
    if holder is not None and not pager:
        raise DeviceError(f"{name} is to have a holder and to be no pager; only a pager has a holder.")
    who = acting.who_is(conn, store, holder) if holder is not None else None
    if who is not None and who.role == "drill":
        raise DeviceError("The built-in responder of drills holds no pager; name somebody who works here.")
    if (bool(row.pager), row.holder) == (pager, holder):
        return
    values = {"pager": pager, "holder": holder}
    conn.execute(sa.update(device).where(device.c.store == store, device.c.name == name).values(values))
    if who is not None:
        words = f"{name} is {who.name}'s pager now."
    else:
        words = f"{name} is a pager that nobody holds." if pager else f"{name} is no pager any more."
    record(conn, store, actor, "device.held", name, words, now, *basis.changed(row._asdict(), values))
    telling = Telling(store)
    telling.messages += calling.again(conn, store, name, now)
    telling.device(name, row.status)
    telling.flush(conn, now)


def version(row: Any) -> dict[str, Any]:
    """What of a device the desk sets; what a form was based on."""
    return {"zone": row.zone, "pager": bool(row.pager), "holder": row.holder}


def identify(
    conn: sa.Connection, store: str, actor: Actor, name: str, now: datetime, seconds: int = IDENTIFY_S
) -> None:
    """Every lamp of the device blinks. Refused if it was not heard just now: it would blink too late."""
    row = device_here(conn, store, actor, name)
    if not 1 <= seconds <= MAX_IDENTIFY_S:
        raise DeviceError(f"Blinking for {seconds} s was asked; allowed are 1 to {MAX_IDENTIFY_S}.")
    if row.status != "online" or row.heartbeat_at is None or now - row.heartbeat_at > SILENT_AFTER:
        raise Refused(f"{name} is not heard at this moment; it cannot be made to blink.")
    words = f"{name} was asked to blink for {seconds} s."
    _command(conn, store, actor, name, Identify(seconds), seconds, "device.identified", words, now)


def replay(conn: sa.Connection, store: str, actor: Actor, name: str, now: datetime) -> int:
    """Ask the device to send its kept events again, from its first open gap on; that sequence number."""
    row = device_here(conn, store, actor, name)
    _still_in(row, name)
    outbox = (row.heartbeat or {}).get("outbox")
    if not outbox:
        raise Refused(f"{name} has not yet said which outbox it keeps; there is nothing to ask for.")
    first = conn.execute(
        sa.select(sa.func.min(gap.c.first_seq)).where(
            gap.c.store == store, gap.c.device == name, gap.c.outbox == outbox, gap.c.closed_at.is_(None)
        )
    ).scalar()
    seq = first or 1
    words = f"{name} was asked to send its events again from number {seq}."
    command = Replay(UUID(outbox), seq)
    _command(conn, store, actor, name, command, REPLAY_S, "device.replayed", words, now)
    return seq


def maintain(conn: sa.Connection, store: str, actor: Actor, name: str, on: bool, now: datetime) -> None:
    """Tell a device that somebody works on it, or no longer does. One that knows none ignores it.

    For a day at most nobody is told meanwhile of what is wrong with it.
    """
    _still_in(device_here(conn, store, actor, name), name)
    same = (device.c.store == store, device.c.name == name)
    conn.execute(sa.update(device).where(*same).values(maintained_at=now if on else None))
    words = f"{name} was told that maintenance {'begins' if on else 'is over'}."
    _command(conn, store, actor, name, Maintenance(on), MAINTENANCE_S, "device.maintained", words, now)


def device_here(conn: sa.Connection, store: str, actor: Actor, name: str) -> sa.Row[Any]:
    """What the desk may change a device by. NotAllowed, or NotFound where there is no such device."""
    basis.allow_change(conn, store, actor)
    d = device.c
    row = conn.execute(
        sa.select(d.zone, d.status, d.heartbeat, d.heartbeat_at, d.pager, d.holder, d.revoked_at).where(
            d.store == store, d.name == name
        )
    ).first()
    if row is None:
        raise NotFound(f"There is no device {name[:32]!r} in this store.")
    return row  # type: ignore[return-value]


def _still_in(row: sa.Row[Any], name: str) -> None:
    if row.revoked_at is not None:
        raise Refused(f"{name} is revoked; nothing can be asked of it.")


def _command(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    name: str,
    command: Command,
    expiry_s: int,
    what: str,
    words: str,
    now: datetime,
) -> None:
    telling = Telling(store)
    telling.command(name, command, expiry_s)
    telling.flush(conn, now)
    record(conn, store, actor, what, name, words, now)
