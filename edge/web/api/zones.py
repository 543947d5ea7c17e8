"""The zones of the store."""

from typing import Annotated

from msgspec import Meta, Struct

from edge.devices import store as devices
from edge.handling import basis, zoning
from edge.web import bearer
from edge.web.api.shapes import BasedOn, Name, Short
from edge.web.services import services

Title = Annotated[Short, Meta(min_length=1)]


class Zone(Struct):
    """`name` is what devices know and stays; `neighbours` are the zones beside it, whose cameras are asked
    for pictures of a security request here; `users` are who works and what stands there."""

    name: str
    title: str
    neighbours: list[str]
    users: list[str]
    based_on: str


class Zones(Struct):
    zones: list[Zone]


class NewZone(Struct, frozen=True, forbid_unknown_fields=True):
    name: Name
    title: Title
    neighbours: list[Name] = []


class ZoneChange(Struct, frozen=True, forbid_unknown_fields=True):
    """`neighbours` null: as they are."""

    title: Title
    neighbours: list[Name] | None = None
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
    """Give a zone another title, or other neighbours."""
    room, actor = services(), bearer.actor_here()
    room.change(
        lambda conn: zoning.change(
            conn, room.store, actor, name, body.title, room.clock(), body.based_on, body.neighbours
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
    return Zone(name, values["title"], values["neighbours"], users, basis.of(values))
