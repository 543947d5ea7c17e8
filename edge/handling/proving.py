"""Second factors: set up, proven at sign-in, given up by their person, reset by an admin. Each is audited.

Whatever changes what proves a person ends their other sessions at the desk: whoever used it before is out.
"""

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.errors import NotFound, Refused
from edge.handling import basis, staffing
from edge.handling.telling import Telling
from edge.people import factors, passkeys, rights, sessions
from edge.people.passkeys import Passkey
from edge.people.store import Person


def enrol(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    person: Person,
    key: str,
    sealed: bytes,
    step: int,
    code_hashes: Sequence[str] | None,
    now: datetime,
) -> str:
    """The authenticator app that the code of `step` has proven, and ten recovery codes unless there are some.
    The session `key` counts as proven by it: its new token."""
    if factors.held(conn, store, person.id).app is not None:
        raise Refused(f"{person.name} has a second factor already; give it up first, then set up another.")
    factors.put(conn, store, person.id, sealed, step, now)
    words = f"{person.name} set up a second factor."
    return _begun(conn, store, actor, "second_factor_set", person, key, code_hashes, words, now)


def add_passkey(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    person: Person,
    key: str,
    passkey: Passkey,
    challenge: bytes,
    until: datetime,
    code_hashes: Sequence[str] | None,
    now: datetime,
) -> str | None:
    """As enrol, for a passkey; None if its challenge was answered before."""
    if not passkeys.spend(conn, store, challenge, until):
        return None
    if len(passkeys.of_person(conn, store, person.id)) >= passkeys.MOST:
        raise Refused(f"You have {passkeys.MOST} passkeys; remove one first.")
    if not passkeys.put(conn, store, passkey):
        raise Refused("That passkey is known here already.")
    words = f"{person.name} added the passkey {passkey.name}."
    return _begun(conn, store, actor, "passkey_added", person, key, code_hashes, words, now)


def _begun(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    what: str,
    person: Person,
    key: str,
    code_hashes: Sequence[str] | None,
    words: str,
    now: datetime,
) -> str:
    if code_hashes is not None:
        factors.put_codes(conn, person.id, code_hashes)
    sessions.end_others(conn, store, person.id, key)
    _done(conn, store, actor, what, person, words, now)
    return sessions.rotate(conn, store, key, now, strong=True)


def proves(
    conn: sa.Connection,
    store: str,
    person: Person,
    passkey: Passkey,
    count: int,
    challenge: bytes,
    until: datetime,
    now: datetime,
) -> bool:
    """Whether this use of a passkey, whose signature is right, counts: its challenge was not answered before,
    and it has counted further than was known. One that has not is refused and told of: it may have been
    copied."""
    if not passkeys.spend(conn, store, challenge, until):
        return False
    if passkeys.use(conn, store, passkey, count, now):
        return True
    passkeys.fell_behind(conn, store, passkey, now)
    words = (
        f"The passkey {passkey.name} of {person.name} counted {count}, no further than the {passkey.count} "
        "known of it, and was refused: it may have been copied."
    )
    _done(conn, store, Actor(person.name, "desk", person.id), "passkey_behind", person, words, now)
    return False


def prove_again(
    conn: sa.Connection, store: str, actor: Actor, person: Person, key: str, strong: bool, now: datetime
) -> str:
    """Somebody who is signed in has proved once more who they are: the session's new token."""
    words = f"{person.name} proved once more who they are."
    record(conn, store, actor, "session.proven", person.name, words, now)
    return sessions.rotate(conn, store, key, now, strong=strong)


def renew_codes(
    conn: sa.Connection, store: str, actor: Actor, person: Person, code_hashes: Sequence[str], now: datetime
) -> None:
    """Ten new recovery codes; the earlier ones let nobody in any more."""
    factors.put_codes(conn, person.id, code_hashes)
    _done(conn, store, actor, "recovery_codes", person, f"{person.name} has new recovery codes.", now)


def give_up(conn: sa.Connection, store: str, actor: Actor, person: Person, key: str, now: datetime) -> None:
    """Their own authenticator app, which they have just proven once more."""
    if factors.remove(conn, store, person.id):
        words = f"{person.name} gave up the second factor."
        _ended(conn, store, actor, "second_factor_given_up", person, key, words, now)


def remove_passkey(
    conn: sa.Connection, store: str, actor: Actor, person: Person, key: str, passkey_id: str, now: datetime
) -> Passkey:
    """One of their own, by somebody who has just proved who they are. NotFound."""
    mine = passkeys.of_person(conn, store, person.id)
    found = next((one for one in mine if one.id == passkey_id), None)
    if found is None:
        raise NotFound("You have no such passkey.")
    passkeys.remove(conn, store, found)
    words = f"{person.name} removed the passkey {found.name}."
    _ended(conn, store, actor, "passkey_removed", person, key, words, now)
    return found


def _ended(
    conn: sa.Connection,
    store: str,
    actor: Actor,
    what: str,
    person: Person,
    key: str,
    words: str,
    now: datetime,
) -> None:
    """Where it was the last one, the session counts as begun by password alone."""
    sessions.end_others(conn, store, person.id, key)
    if not factors.held(conn, store, person.id):
        factors.remove_codes(conn, person.id)
        sessions.mark(conn, store, key, strong=False)
    _done(conn, store, actor, what, person, words, now)


def reset(conn: sa.Connection, store: str, actor: Actor, person: str, now: datetime) -> None:
    """Somebody else's, passkeys too, who has lost them: they sign in by password alone and are out at the
    desk at once. Where a second factor is required, the next sign-in sets up another."""
    who = staffing.find(conn, store, person)
    by = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_reset(by, who.role, of_self=actor.person == who.id))
    if not factors.held(conn, store, who.id):
        raise Refused(f"{who.name} has no second factor.")
    app, keys = factors.remove(conn, store, who.id), passkeys.remove_all(conn, store, who.id)
    factors.remove_codes(conn, who.id)
    sessions.end_others(conn, store, who.id, None)
    gone = ["the authenticator app"] * app + [f"{keys} passkey{'s' if keys > 1 else ''}"] * bool(keys)
    words = f"The second factor of {who.name} was reset: {' and '.join(gone)}."
    _done(conn, store, actor, "second_factor_reset", who, words, now)


def used_recovery_code(conn: sa.Connection, store: str, person: Person, now: datetime) -> None:
    """One more of the ten is gone: written down, because it may have been found by somebody."""
    left = factors.held(conn, store, person.id).codes_left
    words = f"{person.name} signed in with a recovery code; {left} are left."
    _done(conn, store, Actor(person.name, "desk", person.id), "recovery_code_used", person, words, now)


def _done(
    conn: sa.Connection, store: str, actor: Actor, what: str, who: Person, words: str, now: datetime
) -> None:
    record(conn, store, actor, f"person.{what}", who.name, words, now)
    telling = Telling(store)
    telling.store_changed("person", who.id)
    telling.flush(conn, now)
