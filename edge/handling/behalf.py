"""Acts of a person that another program does for them: the log names the person, the audit the program."""

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from broker.events import reference_of
from edge.audit.store import Actor, record
from edge.db.tables import interaction
from edge.errors import NotFound
from edge.handling import acting
from edge.interactions import store as requests

T = TypeVar("T")
# What the audit calls acts on silent requests: not everyone who reads it may know of them.
SILENT = "silent"


def loud(conn: sa.Connection, store: str, about: str) -> None:
    """NotFound for a silent interaction, as if there were none."""
    if _is_silent(conn, store, about):
        raise NotFound("There is no such entry in this store's log.")


def on_request(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    request: str,
    person: str,
    what: str,
    act: Callable[[], T],
    now: datetime,
    *,
    silent: bool,
) -> T:
    """Run `act`, which does `what` ('acknowledged', 'handed over') to the request for the person.

    Without `silent` there are no silent requests: NotFound.
    """
    found = requests.load(conn, store, request)
    if found.silent and not silent:
        raise NotFound("There is no such request in this store.")
    done = act()
    kind, reference = SILENT if found.silent else "request", reference_of(UUID(request))
    who = acting.who_is(conn, store, person)
    key = what.replace(" ", "_")
    record(conn, store, actor, f"{kind}.{key}", reference, f"{reference} {what} for {who.name}.", now)
    return done


def security_called(
    conn: sa.Connection, store: str, actor: Actor, request: str, person: str, now: datetime
) -> None:
    """The program has called security for the person, who has this request now."""
    who, reference = acting.who_is(conn, store, person), reference_of(UUID(request))
    words = f"{reference}: security called for {who.name}."
    record(conn, store, actor, f"{SILENT}.security_called", reference, words, now)


def trouble_seen(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    trouble: str,
    person: str,
    act: Callable[[], T],
    now: datetime,
    *,
    silent: bool,
) -> T:
    """Run `act`, by which the person has seen this trouble.

    Without `silent` there is none that could tell of a silent request: NotFound.
    """
    if not silent:
        loud(conn, store, trouble)
    kind = SILENT if _is_silent(conn, store, trouble) else "person"
    return _of(conn, store, actor, person, kind, "trouble seen", act, now)


def of_person(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    person: str,
    what: str,
    act: Callable[[], T],
    now: datetime,
) -> T:
    """Run `act`, which does `what` ('presence said') for the person, without a request."""
    return _of(conn, store, actor, person, "person", what, act, now)


def _of(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    person: str,
    kind: str,
    what: str,
    act: Callable[[], T],
    now: datetime,
) -> T:
    done = act()
    who = acting.who_is(conn, store, person)
    key = what.replace(" ", "_")
    words = f"{what[0].upper()}{what[1:]} for {who.name}."
    record(conn, store, actor, f"{kind}.{key}", who.name, words, now)
    return done


def _is_silent(conn: sa.Connection, store: str, about: str) -> bool:
    i = interaction.c
    return bool(conn.execute(sa.select(i.silent).where(i.store == store, i.id == about[:36])).scalar())
