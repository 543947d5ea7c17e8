"""Signing in at the desk, by name and password."""

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.people import store as people
from edge.people.sessions import DESK_ROLES
from edge.web import signing
from edge.web.access import signed_in
from edge.web.services import services


def sign_in_page() -> Response:
    return _form()


def sign_in() -> Response:
    """403 and the form again, with the same sentence whatever was wrong."""
    room = services()
    name = request.form.get("name", "")
    with room.read() as conn:
        person = people.by_name(conn, room.store, name[:80])
    if person is not None and person.role not in DESK_ROLES:
        person = None
    proven = signing.proves(room, person, request.form.get("password", ""), "manage")
    if person is None or not proven:
        return _form(name[:80], "That name and password do not belong together.", 403)
    return signing.let_in(room, person, "manage", url_for("manage.floor"))


def sign_out() -> Response:
    return signing.let_out(services(), signed_in(), "manage", url_for("manage.sign_in_page"))


def _form(name: str = "", wrong: str = "", status: int = 200) -> Response:
    return make_response(render_template("manage/sign_in.html", name=name, wrong=wrong), status)
