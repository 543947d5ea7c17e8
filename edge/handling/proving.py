"""Second factors: set up, proven at sign-in, given up by their person, reset by an admin. Each is audited."""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.errors import Refused
from edge.handling import basis, staffing
from edge.handling.telling import Telling
from edge.people import factors, rights, sessions
from edge.people.store import Person


def enrol(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    person: Person,
    key: str,
    sealed: bytes,
    step: int,
    code_hashes: Sequence[str],
    now: datetime,
) -> None:
    """The second factor that the code of `step` has proven. The session `key` counts as proven by it; every
    other one of this person at the desk ends."""
    if factors.find(conn, store, person.id) is not None:
        raise Refused(f"{person.name} has a second factor already; give it up first, then set up another.")
    factors.put(conn, store, person.id, sealed, step, now)
    factors.put_codes(conn, person.id, code_hashes)
    sessions.end_others(conn, store, person.id, key)
    sessions.mark(conn, store, key, strong=True)
    _done(conn, store, actor, "second_factor_set", person, f"{person.name} set up a second factor.", now)


def renew_codes(
    conn: sa.Connection, store: str, actor: Actor, person: Person, code_hashes: Sequence[str], now: datetime
) -> None:
    """Ten new recovery codes; the earlier ones let nobody in any more."""
    factors.put_codes(conn, person.id, code_hashes)
    _done(conn, store, actor, "recovery_codes", person, f"{person.name} has new recovery codes.", now)


def give_up(conn: sa.Connection, store: str, actor: Actor, person: Person, key: str, now: datetime) -> None:
    """Their own, which they have just proven once more; the session counts as begun by password alone."""
    if factors.remove(conn, store, person.id):
        sessions.mark(conn, store, key, strong=False)
        words = f"{person.name} gave up the second factor."
        _done(conn, store, actor, "second_factor_given_up", person, words, now)


def reset(conn: sa.Connection, store: str, actor: Actor, person: str, now: datetime) -> None:
    """Somebody else's, whose phone is lost: they sign in by password alone and are out at the desk at once.
    Where a second factor is required, the next sign-in sets up another."""
    who = staffing.find(conn, store, person)
    by = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_reset(by, who.role, of_self=actor.person == who.id))
    if not factors.remove(conn, store, who.id):
        raise Refused(f"{who.name} has no second factor.")
    sessions.end_others(conn, store, who.id, None)
    words = f"The second factor of {who.name} was reset."
    _done(conn, store, actor, "second_factor_reset", who, words, now)


def used_recovery_code(conn: sa.Connection, store: str, person: Person, now: datetime) -> None:
    """One more of the ten is gone: written down, because it may have been found by somebody."""
    left = found.codes_left if (found := factors.find(conn, store, person.id)) else 0
    words = f"{person.name} signed in with a recovery code; {left} are left."
    _done(conn, store, Actor(person.name, "desk", person.id), "recovery_code_used", person, words, now)


def _done(
    conn: sa.Connection, store: str, actor: Actor, what: str, who: Person, words: str, now: datetime
) -> None:
    record(conn, store, actor, f"person.{what}", who.name, words, now)
    telling = Telling(store)
    telling.store_changed("person", who.id)
    telling.flush(conn, now)
