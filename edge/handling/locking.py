"""Calls to a person's locked phone: switched on, sent to another address, switched off. Each is audited, for
whoever has the address gets their calls; the address itself, which lets anybody call it, is not."""

from datetime import datetime
from urllib.parse import urlsplit

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.errors import Refused
from edge.people.sessions import SignIn
from edge.pushing import store as pushes
from edge.pushing.store import Keys

NOT_ON = "Calls to this phone while it is locked are not switched on."


def switch_on(conn: sa.Connection, store: str, here: SignIn, keys: Keys, now: datetime) -> None:
    """Call this phone from now on. A phone that says again what is known changes nothing."""
    known = pushes.of_session(conn, store, here.key)
    pushes.subscribe(conn, store, here.person.id, here.key, keys, now)
    if known is None:
        _done(conn, store, here, "on", f"switched on, by way of {_host(keys)}", now)
    elif known.endpoint != keys.endpoint:
        _renewed(conn, store, here, keys, now)


def renew(conn: sa.Connection, store: str, here: SignIn, keys: Keys, now: datetime) -> None:
    """The browser has another address. Refused where calls are not switched on."""
    known = pushes.of_session(conn, store, here.key)
    if known is None:
        raise Refused(NOT_ON)
    pushes.subscribe(conn, store, here.person.id, here.key, keys, now)
    if known.endpoint != keys.endpoint:
        _renewed(conn, store, here, keys, now)


def switch_off(conn: sa.Connection, store: str, here: SignIn, now: datetime) -> None:
    """Nothing happens if they were not on."""
    if pushes.of_session(conn, store, here.key) is None:
        return
    pushes.unsubscribe(conn, store, here.key)
    _done(conn, store, here, "off", "switched off", now)


def _renewed(conn: sa.Connection, store: str, here: SignIn, keys: Keys, now: datetime) -> None:
    _done(conn, store, here, "renewed", f"sent to another address, by way of {_host(keys)}", now)


def _done(conn: sa.Connection, store: str, here: SignIn, what: str, words: str, now: datetime) -> None:
    who = here.person
    said = f"Calls to {who.name}'s phone while it is locked were {words}."
    record(conn, store, Actor(who.name, "phone", who.id), f"person.locked_calls_{what}", who.name, said, now)


def _host(keys: Keys) -> str:
    return urlsplit(keys.endpoint).hostname or "nowhere"
