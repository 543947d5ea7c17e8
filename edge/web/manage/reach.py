"""Who can be reached now: of everyone who is here, whether their phone answers."""

from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from edge.paging import feed
from edge.pushing import store as pushes
from edge.supervision import heard
from edge.supervision.reach import Reach, reach, ways
from edge.web.access import signed_in
from edge.web.services import services

WORDS = {
    Reach.ANSWERS: "Answers now",
    Reach.ON_PAGER: "No phone answers now",
    Reach.ASKED: "Just began; its first answer is awaited",
    Reach.QUIET: "Answered when they began, and is quiet now: locked, or put away",
    Reach.SILENT: "Has not answered since they began",
    Reach.NOT_SIGNED_IN: "Signed in on no phone",
}

WAYS = {"stream": "open page", "push": "push", "pager": "pager"}


def reach_() -> Response:
    """The page; for htmx only what changes."""
    room = services()
    now = room.clock()
    with room.read() as conn:
        cursor = feed.head(conn, room.store)
        everyone = heard.responders(conn, room.store, now)
        sender = pushes.sends(conn, room.store, now)
    found = [(one, reach(one, now)) for one in everyone]
    order = [Reach.SILENT, Reach.NOT_SIGNED_IN, Reach.ASKED, Reach.QUIET, Reach.ON_PAGER, Reach.ANSWERS]
    here = sorted(
        ((one, state) for one, state in found if state is not Reach.AWAY), key=lambda f: order.index(f[1])
    )
    away = [one for one, state in found if state is Reach.AWAY]
    template = "manage/_reach.html" if request.headers.get("HX-Request") else "manage/reach.html"
    page = render_template(
        template,
        here=here,
        away=away,
        heard={one.id: one.on_pagers(now) for one, _ in here},
        ways={one.id: [WAYS[way] for way in ways(one, now)] for one, _ in here},
        sender=sender,
        answers=sum(state is Reach.ANSWERS for _, state in here),
        words_of=WORDS,
        me=signed_in().person,
        cursor=cursor,
    )
    return make_response(page)
