"""Where a store's first admin begins, with the one-time code from the server's console."""

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import Refused
from edge.handling import beginning
from edge.handling.basis import NotAllowed
from edge.people import first
from edge.people.passwords import WeakSecret, hash_password
from edge.people.store import PersonError
from edge.web import signing
from edge.web.services import services

UNEQUAL = "The two passwords are not the same."


def first_admin() -> Response:
    """The form, while the store has no admin."""
    room = services()
    with room.read() as conn:
        if first.has_admin(conn, room.store):
            raise Refused(beginning.HAS_ADMIN)
    return _form()


def first_admin_do() -> Response:
    """The admin is made and signed in; a second factor, where one is needed, comes next. 403 and the form
    again for a code that does not count."""
    room, form, now = services(), request.form, services().clock()
    code, password = form.get("code", "")[:80], form.get("password", "")
    try:
        # Before a core is taken for the hash.
        with room.read() as conn:
            beginning.check(conn, room.store, code, now)
        if password != form.get("again", ""):
            return _form(UNEQUAL, "password", 400)
        name = form.get("name", "")[:200]
        with room.verifier.place():
            hashed = hash_password(password, name, room.config.title)
        person = room.change(lambda conn: beginning.begin(conn, room.store, code, name, hashed, now))
    except NotAllowed as error:
        return _form(str(error), "code", 403)
    except WeakSecret as error:
        return _form(str(error), "password", 400)
    except PersonError as error:
        return _form(str(error), "name", 400)
    return signing.let_in(room, person, "manage", url_for("manage.floor"))


def _form(wrong: str = "", wrong_at: str = "", status: int = 200) -> Response:
    page = render_template(
        "manage/first.html",
        code=request.form.get("code", "")[:80],
        name=request.form.get("name", "")[:80],
        wrong=wrong,
        wrong_at=wrong_at,
    )
    return make_response(page, status)
