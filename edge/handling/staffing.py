"""The people of a store as the desk changes them: each function one transaction, with its audit row.

Secrets are made and hashed before the transaction (edge.people.passwords.fresh_pin, fresh_password).
"""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.db.store_tables import person as table
from edge.db.store_tables import session
from edge.db.tables import interaction, is_open
from edge.devices import store as devices
from edge.errors import NotFound, Refused
from edge.handling import basis
from edge.handling.behalf import SILENT
from edge.handling.telling import Telling
from edge.people import rights
from edge.people import store as people
from edge.people.details import Details, faults
from edge.people.store import CHOICES, Person, PersonError


def add(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    details: Details,
    now: datetime,
    *,
    pin_hash: str | None = None,
    password_hash: str | None = None,
) -> Person:
    """A new person, off until they sign in."""
    details = _checked(conn, store, details)
    basis.allow(rights.why_not_add(basis.role_of(conn, store, actor), details.role))
    _free(conn, store, details, None)
    someone = people.add(
        conn,
        store,
        details.name,
        details.role,
        now,
        zones=details.zones,
        languages=details.languages,
        pin_hash=pin_hash,
        password_hash=password_hash,
        badge=details.badge,
    )
    after = details.values() | {"pin": pin_hash is not None, "password": password_hash is not None}
    _done(conn, store, actor, "added", someone, f"{someone.name} added as {someone.role}.", now, {}, after)
    return someone


def change(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    person: str,
    details: Details,
    now: datetime,
    based_on: str | None = None,
) -> Person:
    """Other details. Stale if somebody else changed them since the form that `based_on` comes from."""
    who = find(conn, store, person)
    before = details_of(who)
    role = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_change(role))
    basis.check(conn, store, based_on, before.values(), "person", who.name)
    after = _checked(conn, store, details)
    of_self = actor.person == who.id
    others = _others_in_charge(conn, store, who.id)
    basis.allow(rights.why_not_edit(role, who.role, after.role, of_self=of_self, others_in_charge=others))
    if after == before:
        return who
    _free(conn, store, after, who.id)
    people.edit(conn, store, who.id, **asdict(after))
    old, new = basis.changed(before.values(), after.values())
    words = f"{before.name}: {', '.join(new)} changed."
    _done(conn, store, actor, "changed", replace(who, name=after.name), words, now, old, new)
    return find(conn, store, who.id)


def disable(conn: sa.Connection, store: str, actor: Actor, person: str, now: datetime) -> None:
    """Signed out everywhere at once and paged no more; what they have done stays in the log.

    Refused while a request is theirs or is being handed to them: a shopper who was told that somebody is
    coming must not be left alone by a change at the desk. A new PIN signs them out meanwhile.
    """
    who = find(conn, store, person)
    by = basis.role_of(conn, store, actor)
    others = _others_in_charge(conn, store, who.id)
    of_self = actor.person == who.id
    basis.allow(rights.why_not_disable(by, who.role, of_self=of_self, others_in_charge=others))
    if not who.active:
        return
    if held := open_requests(conn, store, who.id):
        raise Refused(
            f"{who.name} has {'an open request' if len(held) == 1 else 'open requests'} "
            f"({', '.join(held)}); close or hand over first. A new PIN signs {who.name} out meanwhile."
        )
    people.disable(conn, store, who.id, now)
    words = f"{who.name} disabled and signed out everywhere."
    _done(conn, store, actor, "disabled", who, words, now, {"active": True}, {"active": False})


def enable(conn: sa.Connection, store: str, actor: Actor, person: str, now: datetime) -> None:
    """The person works here again, with the PIN they had."""
    who = find(conn, store, person)
    basis.allow(rights.why_not_enable(basis.role_of(conn, store, actor), who.role))
    if who.active:
        return
    people.enable(conn, store, who.id)
    words = f"{who.name} works here again."
    _done(conn, store, actor, "enabled", who, words, now, {"active": False}, {"active": True})


def set_pin(conn: sa.Connection, store: str, actor: Actor, person: str, pin_hash: str, now: datetime) -> None:
    """Another PIN; whoever is signed in with the old one is out at once."""
    who = _for_secret(conn, store, actor, person)
    people.set_pin(conn, store, who.id, pin_hash)
    _done(conn, store, actor, "pin", who, f"{who.name} has a new PIN.", now, {}, {"pin": "new"})


def set_second_pin(
    conn: sa.Connection, store: str, actor: Actor, person: str, pin_hash: str, now: datetime
) -> None:
    """Another second PIN, by which they call security as they sign in. It ends no session."""
    _set_second(conn, store, actor, _for_secret(conn, store, actor, person), pin_hash, now)


def set_own_second_pin(
    conn: sa.Connection, store: str, actor: Actor, person: str, pin_hash: str, now: datetime
) -> None:
    """As set_second_pin, by the person, who has just typed their own PIN."""
    _set_second(conn, store, actor, find(conn, store, person), pin_hash, now)


def _set_second(
    conn: sa.Connection, store: str, actor: Actor, who: Person, pin_hash: str, now: datetime
) -> None:
    people.set_duress_pin(conn, store, who.id, pin_hash)
    words = f"{who.name} has a new second PIN."
    record(conn, store, actor, f"{SILENT}.second_pin", who.name, words, now)


def set_password(
    conn: sa.Connection, store: str, actor: Actor, person: str, password_hash: str, now: datetime
) -> None:
    """Another password for the desk. Refused for a role that has no seat there."""
    who = _for_secret(conn, store, actor, person)
    if who.role not in people.DESK_ROLES:
        raise Refused(f"{who.name} is {who.role}; only {', '.join(sorted(people.DESK_ROLES))} use the desk.")
    people.set_password(conn, store, who.id, password_hash)
    words = f"{who.name} has a new password for the desk."
    _done(conn, store, actor, "password", who, words, now, {}, {"password": "new"})


def set_presence(
    conn: sa.Connection, store: str, actor: Actor, person: str, presence: str, now: datetime
) -> None:
    """Somebody's presence, set from the desk. 'off' also signs their phone out.

    Refused for one who is signed in on no phone: saying 'available' would not make them reachable.
    """
    who = find(conn, store, person)
    by = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_presence(by, of_self=actor.person == who.id))
    if presence not in (*CHOICES, "off"):
        raise PersonError(f"The presence is {presence[:40]!r}; allowed are {', '.join((*CHOICES, 'off'))}.")
    on_floor = (session.c.store == store, session.c.person == who.id, session.c.audience == "floor")
    if presence == "off":
        if held := open_requests(conn, store, who.id):
            raise Refused(f"{who.name} has {', '.join(held)} open; close or hand over first.")
        conn.execute(session.delete().where(*on_floor))
    elif not conn.execute(sa.select(sa.func.count()).where(*on_floor, session.c.expires_at > now)).scalar():
        raise Refused(f"{who.name} is signed in on no phone; no page would arrive.")
    if presence == who.presence:
        return
    people.set_presence(conn, store, who.id, presence, now)
    telling = Telling(store)
    telling.presence({who.id} | ({who.cover} if who.cover else set()))
    telling.flush(conn, now)
    words = f"{who.name} was set to {presence.replace('_', ' ')} from the desk."
    before, after = {"presence": who.presence}, {"presence": presence}
    _done(conn, store, actor, "presence", who, words, now, before, after)


def details_of(person: Person) -> Details:
    return Details(person.name, person.role, person.zones, person.languages, person.badge)


def find(conn: sa.Connection, store: str, person: str) -> Person:
    """Anyone of this store, also disabled; or NotFound."""
    who = people.by_id(conn, store, person)
    if who is None:
        raise NotFound("There is no such person in this store.")
    return who


def open_requests(conn: sa.Connection, store: str, person: str) -> list[str]:
    """The reference codes of the open requests that are theirs or being handed to them."""
    i = interaction.c
    theirs = sa.or_(i.owner == person, i.handover_to == person)
    query = sa.select(i.reference).where(i.store == store, is_open, theirs).order_by(i.raised_at)
    return list(conn.execute(query).scalars())


def _checked(conn: sa.Connection, store: str, details: Details) -> Details:
    tidy = details.tidy()
    if found := faults(tidy, devices.zones(conn, store)):
        raise PersonError(found[0].sentence)
    return tidy


def _for_secret(conn: sa.Connection, store: str, actor: Actor, person: str) -> Person:
    who = find(conn, store, person)
    by = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_secret(by, who.role, of_self=actor.person == who.id))
    if not who.active:
        raise Refused(f"{who.name} is disabled; enable them first.")
    return who


def _free(conn: sa.Connection, store: str, details: Details, person: str | None) -> None:
    """PersonError if the name or the badge is somebody else's."""
    other = people.by_name(conn, store, details.name)
    if other is not None and other.id != person:
        disabled = "" if other.active else ", who is disabled"
        raise PersonError(
            f"There is a {other.name} in this store already{disabled}; add a letter of the family name."
        )
    if details.badge:
        badge = (table.c.store == store, table.c.badge == details.badge)
        wearer = conn.execute(sa.select(table.c.id, table.c.name).where(*badge)).first()
        if wearer is not None and wearer.id != person:
            raise PersonError(f"The badge {details.badge} is {wearer.name}'s.")


def _others_in_charge(conn: sa.Connection, store: str, person: str) -> int:
    in_charge = table.c.role.in_(sorted(rights.CHANGERS))
    query = sa.select(sa.func.count()).where(table.c.store == store, table.c.active, in_charge)
    return conn.execute(query.where(table.c.id != person)).scalar() or 0


def _done(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    what: str,
    who: Person,
    words: str,
    now: datetime,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> None:
    record(conn, store, actor, f"person.{what}", who.name, words, now, before, after)
    telling = Telling(store)
    telling.store_changed("person", who.id)
    telling.flush(conn, now)
