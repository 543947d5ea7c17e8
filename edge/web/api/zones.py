"""The zones of the store."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from edge.devices import store as devices
from edge.handling import basis, zoning
from edge.watching import DRAWER_S, MOST_DRAWER_S, Watching
from edge.web import bearer
from edge.web.api.shapes import BasedOn, Name, Short
from edge.web.services import services

Hour = Annotated[str, Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
Title = Annotated[Short, Meta(min_length=1)]


class Watched(Struct, frozen=True, forbid_unknown_fields=True):
    """`drawer_s`: how long a drawer may be open, in seconds, 0 for ever. `watched`: when movement has
    somebody look. `opens` and `closes`, as 09:00, by the server's clock; null: it is closed while none of the
    staff is here."""

    drawer_s: Annotated[int, Meta(ge=0, le=MOST_DRAWER_S)] = DRAWER_S
    watched: Literal["never", "closed", "unattended"] = "never"
    opens: Hour | None = None
    closes: Hour | None = None


class Zone(Struct):
    """`name` is what devices know and stays; `neighbours` are the zones beside it, whose cameras are asked
    for pictures of a security request here; `users` are who works and what stands there; `watching` is what
    it is watched for."""

    name: str
    title: str
    neighbours: list[str]
    watching: Watched
    users: list[str]
    based_on: str


class Zones(Struct):
    zones: list[Zone]


class NewZone(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    title: Title
    neighbours: list[Name] = []


class ZoneChange(Struct, frozen=True, forbid_unknown_fields=True):
    """`neighbours` and `watching` null: as they are."""

    title: Title
    neighbours: list[Name] | None = None
    watching: Watched | None = None
    based_on: BasedOn = None


def zones_list() -> Zones:
    """Every zone."""
    room = services()
    with room.read() as conn:
        names = devices.zones(conn, room.store)
    return Zones([_read(name) for name in names])


def zone_add(body: NewZone) -> Zone:
    """Add a zone."""
    room, actor = services(), bearer.actor_here()
    room.change(
        lambda conn: zoning.add(conn, room.store, actor, body.name, body.title, room.clock(), body.neighbours)
    )
    return _read(body.name)


def zone_change(name: str, body: ZoneChange) -> Zone:
    """Give a zone another title, other neighbours, or something else to be watched for."""
    room, actor, eyes = services(), bearer.actor_here(), body.watching
    watching = None if eyes is None else Watching(**msgspec.structs.asdict(eyes))
    room.change(
        lambda conn: zoning.change(
            conn, room.store, actor, name, body.title, room.clock(), body.based_on, body.neighbours, watching
        )
    )
    return _read(name)


def zone_remove(name: str) -> None:
    """Remove a zone. 409 while a device stands or a person works there."""
    room, actor = services(), bearer.actor_here()
    room.change(lambda conn: zoning.remove(conn, room.store, actor, name, room.clock()))


def _read(name: str) -> Zone:
    room = services()
    with room.read() as conn:
        values = zoning.values_of(conn, room.store, name)
        users = zoning.users_of(conn, room.store, name)
    watching = msgspec.convert(values["watching"], Watched)
    return Zone(name, values["title"], values["neighbours"], watching, users, basis.of(values))
