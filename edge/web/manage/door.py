"""Signing in at the desk: by name and password, then by the second factor of whoever has one."""

import hashlib

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.people import factors
from edge.people import store as people
from edge.people.sessions import DESK_ROLES
from edge.people.store import Person
from edge.web import signing
from edge.web.access import signed_in
from edge.web.manage import second_factor
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
        factor = factors.find(conn, room.store, person.id)
    if factor is not None:
        return _code(person.name, room.grants.give(person.id, _password_of(person), room.clock()))
    return signing.let_in(room, person, "manage", url_for("manage.floor"))


def sign_in_code() -> Response:
    """The second factor of whoever has just typed their password, as the grant in the form says."""
    room, name, grant = services(), request.form.get("name", ""), request.form.get("grant", "")[:200]
    person = _seated(name)
    if person is None or not room.grants.until(person.id, _password_of(person), grant, room.clock()):
        return _form(name[:80], "That took too long. Type your password again.", 403)
    try:
        proven = second_factor.proves(room, person, request.form.get("code", ""))
    except factors.WrongKey as error:
        return _code(person.name, grant, str(error), 403)
    if not proven:
        return _code(person.name, grant, second_factor.WRONG, 403)
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


def _code(name: str, grant: str, wrong: str = "", status: int = 200) -> Response:
    page = render_template("manage/sign_in_code.html", name=name, grant=grant, wrong=wrong)
    return make_response(page, status)


def _form(name: str = "", wrong: str = "", status: int = 200) -> Response:
    return make_response(render_template("manage/sign_in.html", name=name, wrong=wrong), status)
