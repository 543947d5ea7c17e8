"""Your sign-in at the desk: your second factor, its recovery codes, and where you are signed in."""

from typing import Any

import sqlalchemy as sa
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import NotFound, Refused
from edge.handling import being, proving
from edge.paging import feed
from edge.people import factors, rights, sessions, totp
from edge.people.store import Person
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
    room, me = services(), signed_in().person
    with room.read() as conn:
        if factors.find(conn, room.store, me.id) is not None:
            raise Refused("You have a second factor already; to change it, give it up first.")
    return _offer(totp.fresh())


def own_factor_do() -> Response:
    """The code of the offered secret proves it; the recovery codes are shown this once."""
    room, here, now = services(), signed_in(), services().clock()
    secret = _offered(room, here.person.id)
    step = totp.step_of(secret, factors.tidy(request.form.get("code", "")[:40]), now)
    if step is None:
        return _offer(secret, NOT_SET, 400)
    shown, hashes = _fresh_codes(room)
    sealed, actor = room.seal.close(secret, here.person.id), actor_here()
    room.change(
        lambda conn: proving.enrol(conn, room.store, actor, here.person, here.key, sealed, step, hashes, now)
    )
    return _shown_once(shown)


def own_act(act: str) -> Response:
    """New recovery codes, or the second factor given up: each with a code of it, and 403 for a wrong one."""
    room, here, actor = services(), signed_in(), actor_here()
    if act not in ("codes", "give-up"):
        abort(404)
    if not proves(room, here.person, request.form.get("code", "")):
        return _own(WRONG, act, 403)
    if act == "codes":
        shown, hashes = _fresh_codes(room)
        room.change(
            lambda conn: proving.renew_codes(conn, room.store, actor, here.person, hashes, room.clock())
        )
        return _shown_once(shown)
    room.change(lambda conn: proving.give_up(conn, room.store, actor, here.person, here.key, room.clock()))
    return saved(url_for("manage.own"), "Your second factor is given up.")


def own_end(session_id: str) -> Response:
    """Another browser of yours is signed out. Refused for a phone while a request is yours."""
    room, here, now = services(), signed_in(), services().clock()

    def end(conn: sa.Connection) -> None:
        for one in sessions.of_person(conn, room.store, here.person.id, now):
            if one.id == session_id and one.key != here.key:
                if one.audience == "floor":
                    being.leave(conn, room.store, here.person.id, one.key, now)
                sessions.end(conn, room.store, one.key, now)
                return
        raise NotFound("You are not signed in there any more.")

    room.change(end)
    return saved(url_for("manage.own"), "That browser is signed out.")


def proves(room: Services, person: Person, typed: str) -> bool:
    """Whether this is a code of the person's second factor or one of their recovery codes. Either counts
    once: it is used up here. TooManySigningIn, WrongKey."""
    code, now = factors.tidy(typed[:40]), room.clock()
    with room.read() as conn:
        factor = factors.find(conn, room.store, person.id)
        number = factors.number_of(code)
        hashed = factors.code_hash(conn, person.id, number) if number is not None else None
    if factor is None:
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
    step = totp.step_of(room.seal.open(factor.sealed, person.id), code, now)
    return step is not None and room.change(lambda conn: factors.use(conn, room.store, person.id, step))


def _own(wrong: str = "", act: str = "", status: int = 200) -> Response:
    room, here = services(), signed_in()
    with room.read() as conn:
        context: dict[str, Any] = {
            "factor": factors.find(conn, room.store, here.person.id),
            "signed_in": sessions.of_person(conn, room.store, here.person.id, room.clock()),
            "cursor": feed.head(conn, room.store),
        }
    page = render_template(
        "manage/own.html",
        here=here,
        me=here.person,
        wrong=wrong,
        act=act,
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
    )
    return make_response(page, status)


def _offered(room: Services, person: str) -> bytes:
    """The secret that the form was shown with: sealed in it, so that nothing is kept before it is proven."""
    try:
        sealed = bytes.fromhex(request.form.get("offered", "")[:400])
        return room.seal.open(sealed, person)
    except (ValueError, factors.WrongKey):
        abort(400)


def _fresh_codes(room: Services) -> tuple[list[str], list[str]]:
    with room.verifier.place():
        return factors.fresh_codes()


def _shown_once(codes: list[str]) -> Response:
    return make_response(render_template("manage/recovery_codes.html", codes=codes, me=signed_in().person))
