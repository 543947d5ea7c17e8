"""Signing in on a shared phone: tap the name, tap the PIN."""

from itertools import groupby

from flask import abort, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import NotFound
from edge.handling import being
from edge.people import store as people
from edge.people.store import Person
from edge.web import signing
from edge.web.access import sign_in_of, signed_in
from edge.web.languages import LANGUAGES, gettext, keep_language
from edge.web.services import services


def names() -> Response:
    """Everyone who may sign in here, by role."""
    room = services()
    with room.read() as conn:
        everyone = people.all_people(conn, room.store, with_pin=True)
    everyone.sort(key=lambda person: (people.ROLES.index(person.role), person.name.casefold()))
    groups = [(role, list(members)) for role, members in groupby(everyone, key=lambda p: p.role)]
    return make_response(render_template("floor/names.html", groups=groups, here=sign_in_of("floor")))


def pin(person_id: str) -> Response:
    """The pad for one person's PIN."""
    return _pad(_known(person_id))


def sign_in() -> Response:
    """403 and the pad again if the PIN is wrong; what counts against the throttle is that 403."""
    room = services()
    person = _known(request.form.get("person", ""))
    proof = signing.proves(room, person, request.form.get("pin", ""), "floor")
    if not proof:
        return _pad(person, gettext("That PIN is not right for %(name)s.", name=person.name), 403)
    return signing.let_in(room, person, "floor", url_for("floor.pages"), proof)


def sign_out() -> Response:
    """Refused while a request is this person's: somebody was told that they come."""
    room, here = services(), signed_in()
    with room.read() as conn:
        being.leave(conn, room.store, here.person.id, here.key, room.clock())
    return signing.let_out(room, here, "floor", url_for("floor.names"))


def speak() -> Response:
    """The `language` of this phone from now on; back to the page `from` which it was chosen."""
    language, back = request.form.get("language", ""), request.form.get("from", "")
    if language not in LANGUAGES:
        abort(400, f"The language is {language[:16]!r}; allowed are {', '.join(LANGUAGES)}.")
    response = redirect(url_for("floor.pages" if back == "floor.pages" else "floor.names"), 303)
    keep_language(response, language, services().config.web.secure_cookies)
    return response


def _known(person_id: str) -> Person:
    room = services()
    with room.read() as conn:
        person = people.by_id(conn, room.store, person_id)
    if person is None or not person.active:
        raise NotFound("There is no such person in this store.")
    return person


def _pad(person: Person, wrong: str = "", status: int = 200) -> Response:
    return make_response(render_template("floor/pin.html", person=person, wrong=wrong), status)
