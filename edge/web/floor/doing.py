"""What an associate does to a request: accept, decline, be there, hand over, close; and what their phone
reports of its pages."""

import contextlib
from collections.abc import Callable
from datetime import datetime

import sqlalchemy as sa
from flask import abort, redirect, request, url_for
from werkzeug.wrappers import Response

from edge.errors import NotFound, Refused
from edge.handling import acting, handing_on, safety, summoning, supervising, tapping
from edge.handling.tapping import Tap
from edge.web.access import signed_in
from edge.web.floor.showing import Notice, show
from edge.web.languages import gettext
from edge.web.services import services

Act = Callable[[sa.Connection, str, str, str, datetime], object]
MAX_REPORT = 100
# A phone keeps nothing longer than a shift.
LONGEST_KEPT_S = 12 * 3600


def acknowledge(request_id: str) -> Response:
    """'I am coming'. Of two at once the loser gets 409 and is told who it is."""
    return _act(request_id, acting.acknowledge)


def decline(request_id: str) -> Response:
    """With `reason`, one of request.DECLINE_REASONS."""
    reason, file = request.form.get("reason", ""), services().config.policy
    return _act(
        request_id,
        lambda conn, store, about, person, now: handing_on.decline(
            conn, store, file, about, person, reason, now
        ),
    )


def attend(request_id: str) -> Response:
    return _act(request_id, acting.attend)


def hand_over(request_id: str) -> Response:
    """With `to`, a colleague's id, and a `note` of up to 140 signs."""
    to, note = request.form.get("to", ""), request.form.get("note", "")
    return _act(
        request_id,
        lambda conn, store, about, person, now: handing_on.hand_over(
            conn, store, about, person, to, note, now
        ),
    )


def take_back(request_id: str) -> Response:
    return _act(request_id, handing_on.take_back)


def supervisor(request_id: str) -> Response:
    return _act(request_id, summoning.call_to_request)


def call_off(request_id: str) -> Response:
    """Whoever called a supervisor to a place needs none any more."""
    return _act(request_id, summoning.take_back)


def resolve(request_id: str) -> Response:
    """With `outcome`, one of request.OUTCOMES, and a `note` of up to 1000 signs."""
    outcome, note = request.form.get("outcome", ""), request.form.get("note", "").strip()
    return _act(
        request_id,
        lambda conn, store, about, person, now: acting.resolve(
            conn, store, about, person, outcome, note, now
        ),
    )


def ask_safe(request_id: str) -> Response:
    """'Are you safe?', to whoever called security."""
    return _act(request_id, safety.ask)


def answer_safe(request_id: str) -> Response:
    """The caller's `answer`, yes or no."""
    said = request.form.get("answer", "")
    if said not in ("yes", "no"):
        abort(400, f"The answer is {said[:16]!r}; allowed are yes, no.")
    return _act(
        request_id,
        lambda conn, store, about, person, now: safety.answer(conn, store, about, person, said == "yes", now),
    )


def supervisor_to() -> Response:
    """Call a supervisor to `zone`, without a request."""
    file, zone = services().config.policy, request.form.get("zone", "")
    return _act(
        "", lambda conn, store, _, person, now: summoning.call_to_place(conn, store, file, person, zone, now)
    )


def trouble_seen(trouble_id: str) -> Response:
    """Whoever was told of something wrong has seen it, or that it is over."""
    room, person = services(), signed_in().person.id
    # Somebody else's, or none: there is nothing to be seen any more.
    with contextlib.suppress(NotFound):
        room.change(
            lambda conn: supervising.see(conn, room.store, trouble_id[:36], person, "phone", room.clock())
        )
    return show() if request.headers.get("HX-Request") else redirect(url_for("floor.pages"), 303)


def heard() -> Response:
    """The phone answers the `nonce` of a beat; 204 tells it that a call would reach it now."""
    room, here = services(), signed_in()
    if not room.round_trips.answers(here.key, request.form.get("nonce", "")[:64], room.clock()):
        abort(409, "This answer comes too late, or is not this phone's; the next beat asks again.")
    room.errands.heard(here.key, room.clock())
    return Response(status=204)


def delivered() -> Response:
    """The phone has these pages (`pages`, repeated). Others than one's own change nothing."""
    room, person, pages = services(), signed_in().person.id, _reported()
    if pages:
        room.change(lambda conn: acting.mark_delivered(conn, room.store, person, pages, room.clock()))
    return Response(status=204)


def seen() -> Response:
    """These pages are on a screen that is lit and in front."""
    room, person, pages = services(), signed_in().person.id, _reported()
    if pages:
        room.change(lambda conn: acting.mark_seen(conn, room.store, person, pages, room.clock()))
    return Response(status=204)


def _act(request_id: str, act: Act) -> Response:
    room, person = services(), signed_in().person.id
    if request.form.get("person", person) != person:
        # Someone else has signed in on this phone meanwhile: what was tapped before is not theirs.
        return Response(
            gettext("Somebody else is signed in on this phone now."),
            403,
            {"HX-Redirect": url_for("floor.pages")},
        )
    try:
        tapping.once(
            room.change,
            room.store,
            person,
            request_id,
            _tap(),
            lambda conn, now: act(conn, room.store, request_id, person, now),
            room.clock,
        )
    except Refused as error:
        return show(Notice(request_id, error.sentence), 409)
    if request.headers.get("HX-Request"):
        return show()
    return redirect(url_for("floor.pages"), 303)


def _tap() -> Tap | None:
    """`tap`, the phone's id for it, and `kept_s`, for how long the phone has had it."""
    id_, kept = request.form.get("tap", ""), request.form.get("kept_s", "")
    if len(id_) != 36:
        return None
    seconds = int(kept) if kept.isascii() and kept.isdigit() and len(kept) < 7 else 0
    return Tap(id_, min(seconds, LONGEST_KEPT_S))


def _reported() -> list[str]:
    return [page for page in request.form.getlist("pages")[:MAX_REPORT] if len(page) == 36]
