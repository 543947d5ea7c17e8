"""Signing in at the desk: by name and password, then by the second factor of whoever has one; or by a passkey
that checks who holds it, which is two factors in one."""

import hashlib
import json

from flask import jsonify, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import NotFound
from edge.people import factors, first
from edge.people import store as people
from edge.people.sessions import DESK_ROLES
from edge.people.store import Person
from edge.web import ceremonies, signing
from edge.web.access import signed_in
from edge.web.manage import passkeys, second_factor
from edge.web.services import services


def sign_in_page() -> Response:
    return _form()


def sign_in() -> Response:
    """403 and the form again, with the same sentence whatever was wrong. Nobody who has a second factor is
    signed in by this alone."""
    room = services()
    name = request.form.get("name", "")
    person = _seated(name)
    proven = signing.proves(room, person, request.form.get("password", ""), "manage")
    if person is None or not proven:
        return _form(name[:80], "That name and password do not belong together.", 403)
    with room.read() as conn:
        held = factors.held(conn, room.store, person.id)
    if held:
        return _code(person, room.grants.give(person.id, _password_of(person), room.clock()))
    return signing.let_in(room, person, "manage", url_for("manage.floor"))


def sign_in_code() -> Response:
    """The second factor of whoever has just typed their password, as the grant in the form says."""
    room, name, grant = services(), request.form.get("name", ""), request.form.get("grant", "")[:200]
    person = _seated(name)
    if person is None or not room.grants.until(person.id, _password_of(person), grant, room.clock()):
        return _form(name[:80], "That took too long. Type your password again.", 403)
    if answer := request.form.get("answer", ""):
        if not passkeys.answers(person, answer, "factor"):
            return _code(person, grant, ceremonies.WRONG, 403)
        return signing.let_in(room, person, "manage", url_for("manage.floor"), strong=True)
    try:
        proven = second_factor.proves(room, person, request.form.get("code", ""))
    except factors.WrongKey as error:
        return _code(person, grant, str(error), 403)
    if not proven:
        return _code(person, grant, second_factor.WRONG, 403)
    return signing.let_in(room, person, "manage", url_for("manage.floor"), strong=True)


def sign_in_asked() -> Response:
    """What a browser needs to ask for a passkey of anybody's; nothing is kept of it."""
    if not ceremonies.are_offered(services()):
        raise NotFound(passkeys.NO_NAME)
    return jsonify(ceremonies.to_prove(services(), "sign-in"))


def sign_in_passkey() -> Response:
    """Its answer: whoever's passkey it is has a seat at the desk, or 403 and the form again."""
    room, answer = services(), request.form.get("answer", "")
    person = passkeys.whose(answer)
    if person is None or not passkeys.answers(person, answer, "sign-in"):
        return _form("", ceremonies.WRONG, 403)
    return signing.let_in(room, person, "manage", url_for("manage.floor"), strong=True)


def sign_out() -> Response:
    return signing.let_out(services(), signed_in(), "manage", url_for("manage.sign_in_page"))


def _seated(name: str) -> Person | None:
    """Whoever of this name has a seat at the desk."""
    room = services()
    with room.read() as conn:
        person = people.by_name(conn, room.store, name[:80])
    return person if person is not None and person.active and person.role in DESK_ROLES else None


def _password_of(person: Person) -> str:
    """What a grant is bound to: it ends with the password that was typed for it."""
    with services().read() as conn:
        hashed = people.secrets(conn, person.id).password_hash or ""
    return f"sign-in {hashlib.sha256(hashed.encode()).hexdigest()}"


def _code(person: Person, grant: str, wrong: str = "", status: int = 200) -> Response:
    room = services()
    with room.read() as conn:
        held = factors.held(conn, room.store, person.id)
    usable = ceremonies.are_offered(room) and held.passkeys
    page = render_template(
        "manage/sign_in_code.html",
        name=person.name,
        grant=grant,
        wrong=wrong,
        held=held,
        origin=room.config.web.origin,
        options=json.dumps(ceremonies.to_prove(room, "factor", person, held.passkeys)) if usable else "",
    )
    return make_response(page, status)


def _form(name: str = "", wrong: str = "", status: int = 200) -> Response:
    room = services()
    with room.read() as conn:
        begun = first.anybody(conn, room.store)
    origin = room.config.web.origin
    page = render_template("manage/sign_in.html", name=name, wrong=wrong, origin=origin, begun=begun)
    return make_response(page, status)
