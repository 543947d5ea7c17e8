"""Signing in and out, the same for the floor (name and PIN) and the desk (name and password)."""

import sqlalchemy as sa
from flask import redirect, session
from werkzeug.wrappers import Response

from edge.people import sessions
from edge.people import store as people
from edge.people.sessions import Audience, SignIn
from edge.people.store import Person
from edge.web import access, throttle
from edge.web.services import Services


def proves(room: Services, person: Person | None, secret: str, audience: Audience) -> bool:
    """Whether the secret is this person's. As slow for a person who does not exist. TooManySigningIn."""
    hashed = None
    if person is not None and person.active:
        with room.read() as conn:
            secrets = people.secrets(conn, person.id)
        hashed = secrets.pin_hash if audience == "floor" else secrets.password_hash
    return room.verifier.matches(secret, hashed)


def let_in(room: Services, person: Person, audience: Audience, address: str) -> Response:
    """Start a session and send the browser on. A session it held before ends with it."""
    now = room.clock()
    before = access.sign_in_of(audience)
    hours = room.config.web.shift_hours

    def begin(conn: sa.Connection) -> str:
        token = sessions.start(conn, person, audience, now, hours)
        if before is not None:
            sessions.end(conn, room.store, before.key, now)
        return token

    token = room.change(begin)
    response = redirect(address, 303)
    access.keep_cookie(response, audience, token)
    throttle.remember_phone(response, audience)
    return response


def let_out(room: Services, sign_in: SignIn, audience: Audience, address: str) -> Response:
    """End the session, here and in the database."""
    room.change(lambda conn: sessions.end(conn, room.store, sign_in.key, room.clock()))
    session.clear()
    response = redirect(address, 303)
    access.drop_cookie(response, audience)
    return response
