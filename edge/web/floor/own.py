"""Where an associate is signed in: every browser of theirs, and signing out in another one."""

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.handling import leaving
from edge.people import sessions
from edge.web.access import signed_in
from edge.web.services import services


def own() -> Response:
    room, here = services(), signed_in()
    with room.read() as conn:
        places = sessions.of_person(conn, room.store, here.person.id, room.clock())
    done = request.args.get("done") == "ended"
    return make_response(render_template("floor/own.html", here=here, places=places, done=done))


def own_end(session_id: str) -> Response:
    """Refused for their last other phone while a request is theirs, as long as this one is none of the
    floor."""
    room, here = services(), signed_in()
    room.change(lambda conn: leaving.end_own(conn, room.store, here, session_id, room.clock()))
    return redirect(url_for("floor.own", done="ended"), 303)
