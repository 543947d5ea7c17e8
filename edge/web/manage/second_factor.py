"""Your sign-in at the desk: your authenticator app, its recovery codes, and where you are signed in.

Passkeys, and proving once more who you are: passkeys.py.
"""

from typing import Any

import sqlalchemy as sa
from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Refused
from edge.handling import leaving, proving
from edge.paging import feed
from edge.people import factors, rights, sessions, totp
from edge.people.store import Person
from edge.web import access
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import saved
from edge.web.services import Services, services

WRONG = "That code does not count: it is wrong, older than a minute, or was used already."
NOT_SET = (
    "That code is not one of this second factor now. Look at the time of your phone, then type the next one."
)


def own() -> Response:
    """What proves that it is you, and every browser in which you are signed in."""
    return _own()


def own_factor() -> Response:
    """The QR code of a new second factor, and the same to type. It counts once a code has proven it."""
    room, here = services(), signed_in()
    with room.read() as conn:
        if factors.held(conn, room.store, here.person.id).app is not None:
            raise Refused("You have a second factor already; to change it, give it up first.")
    if not here.is_fresh(room.clock()):
        return to_proof("app")
    return _offer(totp.fresh())


def own_factor_do() -> Response:
    """The code of the offered secret proves it; the recovery codes are shown this once."""
    room, here, now = services(), signed_in(), services().clock()
    secret = _offered(room, here.person.id)
    step = totp.step_of(secret, factors.tidy(request.form.get("code", "")[:40]), now)
    if step is None:
        return _offer(secret, NOT_SET, 400)
    shown, hashes = codes_if_none(room, here.person)
    sealed, actor = room.seal.close(secret, here.person.id), actor_here()
    token = room.change(
        lambda conn: proving.enrol(conn, room.store, actor, here.person, here.key, sealed, step, hashes, now)
    )
    return set_up(shown, token, "Your authenticator app is set up.")


def own_act(act: str) -> Response:
    """New recovery codes, or the authenticator app given up: each with a code, and 403 for a wrong one. Who
    has passkeys alone has just proved it with one."""
    room, here, actor = services(), signed_in(), actor_here()
    if act not in ("codes", "give-up"):
        abort(404)
    with room.read() as conn:
        held = factors.held(conn, room.store, here.person.id)
    if not held or (act == "give-up" and held.app is None):
        raise Refused("You have no second factor of this kind.")
    if held.app is None and not here.is_fresh(room.clock()):
        return to_proof()
    if held.app is not None and not proves(room, here.person, request.form.get("code", "")):
        return _own(WRONG, act, 403)
    if act == "codes":
        with room.verifier.place():
            shown, hashes = factors.fresh_codes()
        room.change(
            lambda conn: proving.renew_codes(conn, room.store, actor, here.person, hashes, room.clock())
        )
        return _shown_once(shown)
    room.change(lambda conn: proving.give_up(conn, room.store, actor, here.person, here.key, room.clock()))
    return saved(url_for("manage.own"), "Your authenticator app is given up.")


def own_end(session_id: str) -> Response:
    """Another browser of yours is signed out. Refused for a phone while a request is yours."""
    room, here = services(), signed_in()
    room.change(lambda conn: leaving.end_own(conn, room.store, here, session_id, room.clock()))
    return saved(url_for("manage.own"), "That browser is signed out.")


def proves(room: Services, person: Person, typed: str) -> bool:
    """Whether this is a code of the person's authenticator app or one of their recovery codes. Either counts
    once: it is used up here. TooManySigningIn, WrongKey."""
    code, now = factors.tidy(typed[:40]), room.clock()
    with room.read() as conn:
        held = factors.held(conn, room.store, person.id)
        number = factors.number_of(code)
        hashed = factors.code_hash(conn, person.id, number) if number is not None else None
    if not held:
        return False
    if number is not None:
        if not room.verifier.matches(code, hashed) or hashed is None:
            return False
        used, hash_ = number, hashed

        def use_code(conn: sa.Connection) -> bool:
            counted = factors.use_code(conn, person.id, used, hash_, now)
            if counted:
                proving.used_recovery_code(conn, room.store, person, now)
            return counted

        return room.change(use_code)
    if held.app is None:
        return False
    step = totp.step_of(room.seal.open(held.app.sealed, person.id), code, now)
    return step is not None and room.change(lambda conn: factors.use(conn, room.store, person.id, step))


def _own(wrong: str = "", act: str = "", status: int = 200) -> Response:
    room, here = services(), signed_in()
    with room.read() as conn:
        context: dict[str, Any] = {
            "held": factors.held(conn, room.store, here.person.id),
            "signed_in": sessions.of_person(conn, room.store, here.person.id, room.clock()),
            "cursor": feed.head(conn, room.store),
        }
    page = render_template(
        "manage/own.html",
        here=here,
        me=here.person,
        wrong=wrong,
        act=act,
        origin=room.config.web.origin,
        host=room.config.web.origin_host,
        required=rights.wants_second_factor(here.person.role, room.config.web.second_factor),
        **context,
    )
    return make_response(page, status)


def _offer(secret: bytes, wrong: str = "", status: int = 200) -> Response:
    import segno

    room, here = services(), signed_in()
    address = totp.address(secret, room.config.title, here.person.name)
    page = render_template(
        "manage/second_factor.html",
        qr=segno.make(address, error="m", micro=False).png_data_uri(scale=5, border=4),
        typed=totp.to_type(secret),
        offered=room.seal.close(secret, here.person.id).hex(),
        must=rights.wants_second_factor(here.person.role, room.config.web.second_factor),
        wrong=wrong,
        me=here.person,
        origin=room.config.web.origin,
    )
    return make_response(page, status)


def _offered(room: Services, person: str) -> bytes:
    """The secret that the form was shown with: sealed in it, so that nothing is kept before it is proven."""
    try:
        sealed = bytes.fromhex(request.form.get("offered", "")[:400])
        return room.seal.open(sealed, person)
    except (ValueError, factors.WrongKey):
        abort(400)


def codes_if_none(room: Services, person: Person) -> tuple[list[str], list[str] | None]:
    """Ten recovery codes and their hashes, for whoever has none to use; otherwise nothing."""
    with room.read() as conn:
        if factors.held(conn, room.store, person.id).codes_left:
            return [], None
    with room.verifier.place():
        return factors.fresh_codes()


def set_up(codes: list[str], token: str, sentence: str) -> Response:
    """What follows a new second factor: the codes, which nobody sees again, if some were made. The browser
    goes on with another token."""
    response = _shown_once(codes) if codes else saved(url_for("manage.own"), sentence)
    access.keep_cookie(response, "manage", token)
    return response


def to_proof(then: str = "") -> Response:
    """First they prove once more who they are; then they go on, to one of passkeys.THEN."""
    return redirect(url_for("manage.own_proof", then=then or None), 303)


def _shown_once(codes: list[str]) -> Response:
    return make_response(render_template("manage/recovery_codes.html", codes=codes, me=signed_in().person))
