"""A store's first admin: a code made on the console, and the person who types it at the desk."""

import hashlib
from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.errors import Refused
from edge.handling import basis, staffing
from edge.people import first
from edge.people.details import Details
from edge.people.factors import tidy
from edge.people.store import Person

# Whoever has the code has the console, which may do as much.
WITH_CODE = Actor("one-time code", "command")
HAS_ADMIN = "This store has an admin already; they add whoever else needs the desk."
WRONG = "That code does not count: it is wrong, older than 15 minutes, or was used already."


def key_of(code: str) -> str:
    """What the store keeps of a code."""
    return hashlib.sha256(tidy(code).encode()).hexdigest()


def offer(conn: sa.Connection, store: str, actor: Actor, code: str, now: datetime) -> None:
    """This code makes one person the first admin. Refused once there is one."""
    if first.has_admin(conn, store):
        raise Refused(HAS_ADMIN)
    first.offer(conn, store, key_of(code), now)
    words = "A one-time code for the first admin was made, good for 15 minutes."
    record(conn, store, actor, "person.first_code", "first admin", words, now)


def check(conn: sa.Connection, store: str, code: str, now: datetime) -> None:
    """Refused where there is an admin, NotAllowed for a code that does not count."""
    if first.has_admin(conn, store):
        raise Refused(HAS_ADMIN)
    basis.allow(None if first.counts(conn, store, key_of(code), now) else WRONG)


def begin(conn: sa.Connection, store: str, code: str, name: str, password_hash: str, now: datetime) -> Person:
    """The first admin. The code is used up; of two who type it at once, one is."""
    check(conn, store, code, now)
    first.withdraw(conn, store)
    return staffing.add(
        conn, store, WITH_CODE, Details(name, "admin"), now, pin_hash=None, password_hash=password_hash
    )
