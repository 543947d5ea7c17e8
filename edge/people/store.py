"""People in the database. Every change takes the writer's connection; nothing here reads a clock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from broker.events import new_id
from edge.db.store_tables import device, session
from edge.db.store_tables import person as table
from edge.errors import EdgeError, NotFound
from edge.people.details import ROLES as ROLES
from edge.presence import Presence

# Who may sit at the desk. Everyone with a PIN may be on the floor.
DESK_ROLES = frozenset({"supervisor", "manager", "admin"})
# What the desk may set; 'off' is whoever is signed in nowhere.
CHOICES = ("available", "busy", "on_break")
PRESENCES = tuple(Presence)


class PersonError(EdgeError):
    """A person who cannot be added or changed like this. The sentence says what to mend."""


@dataclass(frozen=True)
class Person:
    """One member of staff. No `zones` means the whole floor; `languages` are tags like "en", best first."""

    id: str
    store: str
    name: str
    role: str
    zones: tuple[str, ...]
    languages: tuple[str, ...]
    presence: str
    active: bool
    badge: str | None = None
    # The presence as it was said: edge.presence.at gives the one that holds now.
    presence_until: datetime | None = None
    cover: str | None = None


@dataclass(frozen=True)
class Secrets:
    """What a person is recognised by: argon2id hashes, None where there is none.

    With the PIN of `duress_hash` they sign in too, and call security by it.
    """

    pin_hash: str | None
    password_hash: str | None
    duress_hash: str | None = None


def add(
    conn: sa.Connection,
    store: str,
    name: str,
    role: str,
    now: datetime,
    *,
    zones: Iterable[str] = (),
    languages: Iterable[str] = ("en",),
    pin_hash: str | None = None,
    password_hash: str | None = None,
    badge: str | None = None,
) -> Person:
    """A new person, off until they sign in. Hash the secrets before (passwords.py): hashing holds a core.

    PersonError if the name is taken or empty, the role unknown, or the badge another's.
    """
    name = " ".join(name.split())
    if not 1 <= len(name) <= 80:
        raise PersonError("A person's name has 1 to 80 letters.")
    if role not in ROLES:
        raise PersonError(f"The role is {role!r}; allowed are {', '.join(ROLES)}.")
    if by_name(conn, store, name) is not None:
        raise PersonError(f"There is a {name} in this store already; add a letter of the family name.")
    if badge is not None and _one(conn, table.c.store == store, table.c.badge == badge) is not None:
        raise PersonError(f"The badge {badge} belongs to someone else.")
    person = Person(
        id=str(new_id(int(now.timestamp() * 1000))),
        store=store,
        name=name,
        role=role,
        zones=tuple(zones),
        languages=tuple(languages),
        presence="off",
        active=True,
        badge=badge,
    )
    conn.execute(
        table.insert().values(
            id=person.id,
            store=store,
            name=name,
            role=role,
            zones=list(person.zones),
            languages=list(person.languages),
            pin_hash=pin_hash,
            password_hash=password_hash,
            badge=badge,
            presence="off",
            presence_at=now,
            active=True,
            added_at=now,
        )
    )
    return person


def by_id(conn: sa.Connection, store: str, person: str) -> Person | None:
    return _one(conn, table.c.store == store, table.c.id == person)


def by_name(conn: sa.Connection, store: str, name: str) -> Person | None:
    """Without regard to upper and lower case, as people type their names."""
    return _one(conn, table.c.store == store, sa.func.lower(table.c.name) == name.strip().lower())


def by_badge(conn: sa.Connection, store: str, badge: str) -> Person | None:
    """Whoever works here and wears this badge."""
    return _one(conn, table.c.store == store, table.c.badge == badge, table.c.active)


def all_people(conn: sa.Connection, store: str, *, with_pin: bool = False) -> list[Person]:
    """Everyone active, by name; `with_pin` leaves out whoever cannot sign in on the floor. Not the built-in
    responder of drills."""
    wanted = sa.select(table).where(table.c.store == store, table.c.active, table.c.role != "drill")
    if with_pin:
        wanted = wanted.where(table.c.pin_hash.is_not(None))
    return [_person(row) for row in conn.execute(wanted.order_by(table.c.name)).mappings()]


def secrets(conn: sa.Connection, person: str) -> Secrets:
    row = conn.execute(
        sa.select(table.c.pin_hash, table.c.password_hash, table.c.duress_hash).where(table.c.id == person)
    ).one_or_none()
    return Secrets(*row) if row else Secrets(None, None)


def set_presence(
    conn: sa.Connection,
    store: str,
    person: str,
    presence: str,
    now: datetime,
    *,
    until: datetime | None = None,
    cover: str | None = None,
) -> None:
    """What is not said again, an end or a cover, is gone.

    PersonError if there is no such presence, NotFound if there is no such person.
    """
    if presence not in PRESENCES:
        raise PersonError(f"The presence is {presence!r}; allowed are {', '.join(PRESENCES)}.")
    said = {"presence": str(presence), "presence_at": now, "presence_until": until, "cover": cover}
    _update(conn, store, person, **said)


def set_pin(conn: sa.Connection, store: str, person: str, pin_hash: str | None) -> None:
    """A new PIN ends the person's sessions on the floor: whoever knew the old one is out."""
    _update(conn, store, person, pin_hash=pin_hash)
    conn.execute(session.delete().where(session.c.person == person, session.c.audience == "floor"))


def set_duress_pin(conn: sa.Connection, store: str, person: str, duress_hash: str | None) -> None:
    """Another second PIN. It ends no session: whoever watches the phone must not see that it was set."""
    _update(conn, store, person, duress_hash=duress_hash)


def set_password(conn: sa.Connection, store: str, person: str, password_hash: str | None) -> None:
    """As set_pin, for the desk."""
    _update(conn, store, person, password_hash=password_hash)
    conn.execute(session.delete().where(session.c.person == person, session.c.audience == "manage"))


def disable(conn: sa.Connection, store: str, person: str, now: datetime) -> None:
    """The person can no longer sign in, is signed out everywhere at once, holds no pager, and is paged no
    more."""
    set_presence(conn, store, person, "off", now)
    conn.execute(
        sa.update(device).where(device.c.store == store, device.c.holder == person).values(holder=None)
    )
    _update(conn, store, person, active=False)
    conn.execute(session.delete().where(session.c.person == person))


def enable(conn: sa.Connection, store: str, person: str) -> None:
    """The person works here again, and is off until they sign in."""
    _update(conn, store, person, active=True)


def edit(
    conn: sa.Connection,
    store: str,
    person: str,
    *,
    name: str,
    role: str,
    zones: Iterable[str],
    languages: Iterable[str],
    badge: str | None,
) -> None:
    """Other details, which the caller has checked. Who loses their seat at the desk is signed out there."""
    _update(
        conn, store, person, name=name, role=role, zones=list(zones), languages=list(languages), badge=badge
    )
    if role not in DESK_ROLES:
        conn.execute(session.delete().where(session.c.person == person, session.c.audience == "manage"))


def _update(conn: sa.Connection, store: str, person: str, **values: Any) -> None:
    changed = conn.execute(
        table.update().where(table.c.store == store, table.c.id == person).values(**values)
    ).rowcount
    if not changed:
        raise NotFound("There is no such person in this store.")


def _one(conn: sa.Connection, *where: sa.ColumnElement[bool]) -> Person | None:
    row = conn.execute(sa.select(table).where(*where)).mappings().first()
    return _person(row) if row else None


def _person(row: sa.RowMapping) -> Person:
    return Person(
        id=row["id"],
        store=row["store"],
        name=row["name"],
        role=row["role"],
        zones=tuple(row["zones"]),
        languages=tuple(row["languages"]),
        presence=row["presence"],
        active=row["active"],
        badge=row["badge"],
        presence_until=row["presence_until"],
        cover=row["cover"],
    )
