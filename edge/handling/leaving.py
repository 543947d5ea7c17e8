"""Sessions that end before their time: by whoever holds them, from another of their browsers, or by a
manager. Each is audited; one that ends with the shift, or because nobody does anything, is not: its beginning
says when that is.
"""

from datetime import datetime

import sqlalchemy as sa

from edge.audit.store import Actor, record
from edge.errors import NotFound, Refused
from edge.handling import basis, being, staffing
from edge.people import rights, sessions
from edge.people.sessions import Place, SignIn
from edge.people.store import Person

_WHERE = {"floor": "a phone", "manage": "the desk"}
_THROUGH = {"floor": "phone", "manage": "desk"}


def sign_out(conn: sa.Connection, store: str, here: SignIn, now: datetime) -> None:
    """Where they are."""
    sessions.end(conn, store, here.key, now)
    who = here.person
    actor = Actor(who.name, _THROUGH[here.audience], who.id)
    _done(conn, store, actor, who, f"{who.name} signed out of {_WHERE[here.audience]}.", now)


def end_own(conn: sa.Connection, store: str, here: SignIn, session_id: str, now: datetime) -> None:
    """Another of their own browsers. Refused for their last phone while a request is theirs; NotFound."""
    who = here.person
    place = _find(conn, store, who.id, session_id, now)
    if place.key == here.key:
        raise NotFound("That is this browser; sign out here instead.")
    if place.audience == "floor":
        being.leave(conn, store, who.id, place.key, now)
    sessions.end(conn, store, place.key, now)
    actor = Actor(who.name, _THROUGH[here.audience], who.id)
    _done(conn, store, actor, who, f"{who.name} signed out of {_named(place)} from elsewhere.", now)


def end_anothers(
    conn: sa.Connection, store: str, actor: Actor, person: str, session_id: str, now: datetime
) -> None:
    """Somebody else's, by those who may set their PIN or password. Refused for their last phone while a
    request is theirs: a new PIN signs them out meanwhile."""
    who = staffing.find(conn, store, person)
    by = basis.role_of(conn, store, actor)
    basis.allow(rights.why_not_secret(by, who.role, of_self=actor.person == who.id))
    place = _find(conn, store, who.id, session_id, now)
    last = place.audience == "floor" and being.is_last_phone(conn, store, who.id, place.key, now)
    if last and (held := staffing.open_requests(conn, store, who.id)):
        raise Refused(
            f"{who.name} has {', '.join(held)} open; close or hand over first. "
            f"A new PIN signs {who.name} out meanwhile."
        )
    sessions.end(conn, store, place.key, now)
    _done(conn, store, actor, who, f"{who.name} was signed out of {_named(place)}.", now)


def _find(conn: sa.Connection, store: str, person: str, session_id: str, now: datetime) -> Place:
    for one in sessions.of_person(conn, store, person, now):
        if one.id == session_id:
            return one
    raise NotFound("Nobody is signed in there any more.")


def _named(place: Place) -> str:
    return f"{_WHERE[place.audience]} ({place.browser or 'A browser'}, since {place.started_at:%H:%M} UTC)"


def _done(conn: sa.Connection, store: str, actor: Actor, who: Person, words: str, now: datetime) -> None:
    record(conn, store, actor, "session.ended", who.name, words, now)
