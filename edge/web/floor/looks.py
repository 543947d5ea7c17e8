"""Who looked at footage of requests that this associate took part in. Only to be read, and by them alone."""

from dataclasses import replace

from flask import make_response, render_template
from werkzeug.wrappers import Response

from edge.evidence import looks as deeds
from edge.web.access import signed_in
from edge.web.services import services

SAID = {
    "viewed": "Looked at it",
    "exported": "Exported it",
    "held": "Ordered it to be kept",
}


def looks() -> Response:
    room, me = services(), signed_in().person
    with room.read() as conn:
        found = deeds.of_person(conn, room.store, me.id)
    # As it was typed; that it was typed at the desk is nothing to a phone.
    found = [replace(one, reason=one.reason and one.reason.removesuffix(" (desk)")) for one in found]
    page = render_template("floor/looks.html", found=found, said=SAID, most=deeds.MOST)
    response = make_response(page)
    # The next who has this phone must not find it by going back.
    response.headers["Cache-Control"] = "no-store"
    return response
