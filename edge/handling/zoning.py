"""The zones of a store: added, given another title or other neighbours, removed once nobody uses them."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from broker.errors import ContractError
from broker.topics import check_name
from edge.audit.store import Actor, record
from edge.db.store_tables import device, person, zone
from edge.devices import store as devices
from edge.errors import EdgeError, NotFound, Refused
from edge.handling import basis
from edge.handling.telling import Telling
from edge.watching import WATCHED, Watching, fault

MAX_TITLE = 80


class ZoneError(EdgeError):
    """A zone that cannot be like this. The sentence says what to mend."""


def add(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    name: str,
    title: str,
    now: datetime,
    neighbours: Sequence[str] = (),
) -> None:
    """A new zone. ZoneError if the name is taken or not one, the title empty or too long, or a neighbour
    none of the store's zones."""
    basis.allow_change(conn, store, actor)
    try:
        check_name(name, "The zone's name")
    except ContractError as error:
        raise ZoneError(str(error)) from None
    if name in devices.zones(conn, store):
        raise ZoneError(f"There is a zone {name} already; choose another name.")
    title = _title(title)
    beside = _neighbours(conn, store, name, neighbours)
    devices.add_zone(conn, store, name, title)
    devices.set_neighbours(conn, store, name, beside)
    after: dict[str, object] = {"title": title, "neighbours": beside} if beside else {"title": title}
    record(conn, store, actor, "zone.added", name, f"Zone {title} ({name}) added.", now, {}, after)
    _tell(conn, store, now)


def change(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    name: str,
    title: str,
    now: datetime,
    based_on: str | None = None,
    neighbours: Sequence[str] | None = None,
    watching: Watching | None = None,
) -> None:
    """Another title for people, other zones beside it and what it is watched for (None: as they were); the
    name, which devices know, stays."""
    basis.allow_change(conn, store, actor)
    before = values_of(conn, store, name)
    basis.check(conn, store, based_on, before, "zone", name)
    old_title, old = title_of(conn, store, name), before["neighbours"]
    title = _title(title)
    beside = old if neighbours is None else _neighbours(conn, store, name, neighbours)
    eyes = devices.watching(conn, store)[name]
    wanted = eyes if watching is None else watching
    if wrong := fault(wanted):
        raise ZoneError(wrong)
    if title != old_title:
        devices.add_zone(conn, store, name, title)
        words = f"Zone {name} is now called {title}, before {old_title}."
        record(conn, store, actor, "zone.renamed", name, words, now, {"title": old_title}, {"title": title})
    if beside != old:
        devices.set_neighbours(conn, store, name, beside)
        words = (
            f"Beside zone {name} are now {', '.join(beside) or 'none'}, before {', '.join(old) or 'none'}."
        )
        was, now_is = {"neighbours": old}, {"neighbours": beside}
        record(conn, store, actor, "zone.neighbours", name, words[:500], now, was, now_is)
    if wanted != eyes:
        devices.set_watching(conn, store, name, wanted)
        words = f"Zone {name}: {_in_words(wanted)}; before: {_in_words(eyes)}."
        record(conn, store, actor, "zone.watching", name, words[:500], now, asdict(eyes), asdict(wanted))
    if title != old_title or beside != old or wanted != eyes:
        _tell(conn, store, now)


def remove(conn: sa.Connection, store: str, actor: Actor, name: str, now: datetime) -> None:
    """Refused, with who uses it, while a device stands or a person works there."""
    basis.allow_change(conn, store, actor)
    title = title_of(conn, store, name)
    if users := users_of(conn, store, name):
        listed = ", ".join(users[:5]) + (f" and {len(users) - 5} more" if len(users) > 5 else "")
        raise Refused(f"{title} is used by {listed}; move them to another zone first.")
    devices.set_neighbours(conn, store, name, ())
    conn.execute(sa.delete(zone).where(zone.c.store == store, zone.c.name == name))
    record(conn, store, actor, "zone.removed", name, f"Zone {title} removed.", now, {"title": title}, {})
    _tell(conn, store, now)


def users_of(conn: sa.Connection, store: str, name: str) -> list[str]:
    """The devices that stand and the people, also disabled ones, who work in this zone."""
    kiosks = sa.select(device.c.name).where(device.c.store == store, device.c.zone == name)
    people = sa.select(person.c.name, person.c.zones, person.c.active).where(person.c.store == store)
    found = list(conn.execute(kiosks.order_by(device.c.name)).scalars())
    return found + [
        p.name if p.active else f"{p.name} (disabled)"
        for p in conn.execute(people.order_by(person.c.name))
        if name in p.zones
    ]


def title_of(conn: sa.Connection, store: str, name: str) -> str:
    """The title of a zone; NotFound if there is none of this name."""
    title = devices.zones(conn, store).get(name)
    if title is None:
        raise NotFound(f"There is no zone {name!r} in this store.")
    return title


def values_of(conn: sa.Connection, store: str, name: str) -> dict[str, Any]:
    """What of a zone can be changed. NotFound if there is none of this name."""
    return {
        "title": title_of(conn, store, name),
        "neighbours": devices.neighbours(conn, store).get(name, []),
        "watching": asdict(devices.watching(conn, store)[name]),
    }


def _in_words(watching: Watching) -> str:
    drawer = f"for {watching.drawer_s} s" if watching.drawer_s else "for ever"
    hours = f", open {watching.opens} to {watching.closes}" if watching.opens else ""
    return f"a drawer may be open {drawer}, watched: {WATCHED[watching.watched].lower()}{hours}"


def _neighbours(conn: sa.Connection, store: str, name: str, given: Sequence[str]) -> list[str]:
    others = {other for other in devices.zones(conn, store) if other != name}
    for one in given:
        if one not in others:
            listed = ", ".join(sorted(others)) or "none yet"
            raise ZoneError(f"A neighbour of {name} is {one[:32]!r}; allowed are {listed}.")
    return sorted(set(given))


def _title(title: str) -> str:
    title = " ".join(title.split())
    if not 1 <= len(title) <= MAX_TITLE:
        raise ZoneError(f"A zone's title has 1 to {MAX_TITLE} letters; this one has {len(title)}.")
    if not title.isprintable():
        raise ZoneError("The title has signs that cannot be read; allowed are ordinary letters.")
    return title


def _tell(conn: sa.Connection, store: str, now: datetime) -> None:
    telling = Telling(store)
    telling.store_changed("zone")
    telling.flush(conn, now)
