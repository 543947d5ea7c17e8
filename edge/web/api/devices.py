"""The devices: what each said of itself, what is missing from it, and what can be asked of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Any

import sqlalchemy as sa
from msgspec import Meta, Struct

from edge.db.store_tables import device
from edge.db.tables import quarantine
from edge.errors import NotFound
from edge.handling import basis, commanding, revoking
from edge.hearing import tells_of_a_call
from edge.reports import devices as heard
from edge.reports.devices import Kiosk
from edge.web import bearer
from edge.web.api.discretion import shows
from edge.web.api.shapes import BasedOn, Name, Short, shape
from edge.web.services import services


class Device(Struct):
    """`status` is online, offline, unknown or revoked; `silence_s` the time since its last heartbeat; `depth`
    what waits in its outbox; `faults` what it says is wrong with it, without `security` nothing that can
    come of a call; `gaps` how many runs of numbers never came; `maintained` whether somebody works on it,
    so that nobody is told of what is wrong with it; `holder` the person whose pages a pager gets too, null
    where nobody holds it."""

    name: str
    zone: str
    zone_title: str
    status: str
    status_at: datetime | None
    silence_s: float | None
    software: str | None
    depth: int
    faults: list[str]
    gaps: int
    maintained: bool
    pager: bool
    holder: str | None
    holder_name: str | None
    based_on: str


class Devices(Struct):
    devices: list[Device]


class Gap(Struct):
    """Numbers of an outbox that never came; `closed_at` when they did after all."""

    outbox: str
    first_seq: int
    last_seq: int
    found_at: datetime
    closed_at: datetime | None


class Refused(Struct):
    """A message that was refused and kept; `count` is how often it came."""

    id: int
    topic: str
    reason: str
    count: int
    last_at: datetime


class RefusedOf(Refused):
    device: str
    first_at: datetime


class RefusedMessages(Struct):
    messages: list[RefusedOf]


class RefusedWhole(RefusedOf):
    """`payload` is what was kept of it: the first 8 KiB, in base64; `sha256` is that of all of it."""

    sha256: str
    payload: bytes


class Event(Struct):
    """An event that came from it, and the interaction that it raised or joined."""

    id: str
    kind: str
    seq: int | None
    received_at: datetime
    drill: bool
    interaction: str | None
    reference: str | None


class DeviceWhole(Struct):
    """`heartbeat` is its last one as it came; `events` its last ones. For a token that may not see silent
    requests the numbers of events are missing from the one, and the other is null."""

    device: Device
    heartbeat: dict[str, Any] | None
    certificate_until: datetime | None
    gaps: list[Gap]
    refused: list[Refused]
    events: list[Event] | None


class Move(Struct, frozen=True, forbid_unknown_fields=True):
    zone: Name
    based_on: BasedOn = None


class Handed(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether it is a pager, and the person who holds it; null: nobody does."""

    pager: bool
    holder: Short | None = None
    based_on: BasedOn = None


class Blink(Struct, frozen=True, forbid_unknown_fields=True):
    seconds: Annotated[int, Meta(ge=1, le=commanding.MAX_IDENTIFY_S)] = commanding.IDENTIFY_S


class Maintained(Struct, frozen=True, forbid_unknown_fields=True):
    on: bool


class Revoked(Struct, frozen=True, forbid_unknown_fields=True):
    """Why; one line that the audit of changes keeps."""

    reason: Annotated[str, Meta(min_length=revoking.SHORTEST_REASON, max_length=revoking.LONGEST_REASON)]


class Replayed(Struct):
    """From which number on it was asked to send again."""

    from_seq: int


def devices_list() -> Devices:
    """Every device."""
    room = services()
    with room.read() as conn:
        return Devices([_device(one) for one in heard.kiosks(conn, room.store, room.clock())])


def device_read(name: str) -> DeviceWhole:
    """One device, with what is missing from it and what of it was refused."""
    room, d = services(), device.c
    with room.read() as conn:
        row = conn.execute(
            sa.select(d.heartbeat, d.valid_until).where(d.store == room.store, d.name == name)
        ).first()
        if row is None:
            raise NotFound("There is no such device in this store.")
        kiosk = next(one for one in heard.kiosks(conn, room.store, room.clock()) if one.name == name)
        gaps = heard.gaps(conn, room.store, name)
        refused = heard.aside(conn, room.store, name)
        # Also the bare number of an event would tell of a silent press, or a button that a finger rests on.
        heartbeat = row.heartbeat
        if heartbeat and not bearer.sees_silent():
            heartbeat = {
                name: _loud(value) if name == "faults" else value
                for name, value in heartbeat.items()
                if name not in ("oldest_open_seq", "stuck")
            }
        events = heard.events(conn, room.store, name) if bearer.sees_silent() else None
    return DeviceWhole(
        _device(kiosk),
        heartbeat,
        row.valid_until,
        [shape(one, Gap) for one in gaps],
        [shape(one, Refused) for one in refused if shows(one.topic)],
        None if events is None else [shape(one, Event) for one in events],
    )


def device_move(name: str, body: Move) -> DeviceWhole:
    """It stands in another zone from now on."""
    room, actor = services(), bearer.actor_here()
    room.change(
        lambda conn: commanding.move(conn, room.store, actor, name, body.zone, room.clock(), body.based_on)
    )
    return device_read(name)


def device_pager(name: str, body: Handed) -> DeviceWhole:
    """It is a pager in somebody's hand from now on, or in nobody's, or no pager."""
    room, actor = services(), bearer.actor_here()
    given = (body.pager, body.holder, room.clock(), body.based_on)
    room.change(lambda conn: commanding.hand_out(conn, room.store, actor, name, *given))
    return device_read(name)


def device_identify(name: str, body: Blink) -> None:
    """Every lamp of it blinks. 409 if it was not heard just now."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: commanding.identify(conn, room.store, actor, name, room.clock(), body.seconds))


def device_replay(name: str) -> Replayed:
    """Ask it to send its kept events again, from the first gap on."""
    room, actor = services(), bearer.actor_here()
    return Replayed(room.change(lambda conn: commanding.replay(conn, room.store, actor, name, room.clock())))


def device_maintain(name: str, body: Maintained) -> None:
    """Tell it that somebody works on it, or no longer does. For a day at most nobody is told meanwhile of
    what is wrong with it; its buttons call people as always."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: commanding.maintain(conn, room.store, actor, name, body.on, room.clock()))


def device_revoke(name: str, body: Revoked) -> DeviceWhole:
    """It is lost, stolen or no longer wanted: nothing of it is taken any more, and `floorbell broker run`
    ends its connections within seconds. It comes back by a new certificate only."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: revoking.revoke(conn, room.store, actor, name, body.reason, room.clock()))
    return device_read(name)


def refused_list() -> RefusedMessages:
    """The messages that were refused last."""
    room = services()
    with room.read() as conn:
        found = heard.set_aside(conn, room.store)
    return RefusedMessages([shape(one, RefusedOf) for one in found if shows(one.topic)])


def refused_read(number: str) -> RefusedWhole:
    """One message that was refused, with its content."""
    room, q = services(), quarantine.c
    columns = (q.id, q.topic, q.reason, q.count, q.last_at, q.device, q.first_at, q.sha256, q.payload)
    wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0
    with room.read() as conn:
        row = conn.execute(sa.select(*columns).where(q.store == room.store, q.id == wanted)).first()
    if row is None or not shows(row.topic):
        raise NotFound("There is no such message in this store.")
    return shape(row, RefusedWhole)


def _device(one: Kiosk) -> Device:
    return Device(
        one.name,
        one.zone,
        one.zone_title,
        one.status,
        one.status_at,
        one.silence / timedelta(seconds=1) if one.silence is not None else None,
        one.version,
        one.depth,
        list(one.faults) if bearer.sees_silent() else _loud(one.faults),
        one.gaps,
        one.maintained,
        one.pager,
        one.holder,
        one.holder_name,
        basis.of(commanding.version(one)),
    )


def _loud(faults: Iterable[str]) -> list[str]:
    """Without those that can tell of a silent request."""
    return [fault for fault in faults if not tells_of_a_call(fault)]
