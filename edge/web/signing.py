"""Signing in and out, the same for the floor (name and PIN) and the desk (name and password)."""

from enum import Enum

import sqlalchemy as sa
from flask import g, redirect, request, session
from werkzeug.wrappers import Response

from broker.events import new_id
from edge.handling import leaving, raising
from edge.people import sessions
from edge.people import store as people
from edge.people.sessions import Audience, SignIn
from edge.people.store import Person
from edge.web import access, browsers, throttle
from edge.web.services import Services


class Proof(Enum):
    """What a secret says of whoever typed it. WATCHED: their second PIN, so nobody may notice it."""

    NONE = "none"
    OWN = "own"
    WATCHED = "watched"

    def __bool__(self) -> bool:
        return self is not Proof.NONE


def proves(room: Services, person: Person | None, secret: str, audience: Audience) -> Proof:
    """Whether the secret is this person's. As slow for a person who does not exist, and for one who has no
    second PIN. TooManySigningIn."""
    secrets = people.Secrets(None, None)
    if person is not None and person.active:
        with room.read() as conn:
            secrets = people.secrets(conn, person.id)
    if audience == "manage":
        return Proof.OWN if room.verifier.matches(secret, secrets.password_hash) else Proof.NONE
    which = room.verifier.which(secret, [secrets.pin_hash, secrets.duress_hash])
    return Proof.NONE if which is None else (Proof.OWN, Proof.WATCHED)[which]


def let_in(
    room: Services,
    person: Person,
    audience: Audience,
    address: str,
    proof: Proof = Proof.OWN,
    *,
    strong: bool = False,
) -> Response:
    """Start a session and send the browser on. A session it held before ends with it. `strong`: a second
    factor was proven.

    Where somebody watches, security is called in the same transaction; nothing of the answer differs. On the
    floor the call is rehearsed for everybody else, so that the answer is not sooner either.
    """
    now = room.clock()
    before = access.sign_in_of(audience)
    hours, browser = hours_of(room, audience), browsers.named(request.user_agent.string)

    def begin(conn: sa.Connection) -> str:
        token = sessions.start(conn, person, audience, now, hours, strong=strong, browser=browser)
        if before is not None:
            sessions.end(conn, room.store, before.key, now)
        if audience == "floor":
            made = raising.Call(new_id(int(now.timestamp() * 1000)), trigger="duress")
            call = raising.call if proof is Proof.WATCHED else raising.rehearse
            call(conn, room.store, room.config.policy, person.id, made, now)
        return token

    token = room.change(begin)
    g.came_in = person
    response = redirect(address, 303)
    access.keep_cookie(response, audience, token)
    throttle.remember_phone(response, audience, person)
    return response


def hours_of(room: Services, audience: Audience) -> float:
    """How long a new session lasts, unless a deed at the desk puts its end off."""
    web = room.config.web
    return web.shift_hours if audience == "floor" else min(web.shift_hours, web.desk_idle_minutes / 60)


def let_out(room: Services, sign_in: SignIn, audience: Audience, address: str) -> Response:
    """End the session, here and in the database."""
    room.change(lambda conn: leaving.sign_out(conn, room.store, sign_in, room.clock()))
    session.clear()
    response = redirect(address, 303)
    access.drop_cookie(response, audience)
    return response
