"""The guard before every view: it lets in whom the table says (admission.py), and nobody else."""

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from flask import Blueprint, Flask, Response, abort, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from edge.audit.store import Actor
from edge.people import rights, sessions
from edge.people.sessions import Audience, SignIn
from edge.web import bearer
from edge.web.admission import SETTING_UP, Admission
from edge.web.regulars import COOKIES
from edge.web.services import services

DOORS: dict[Audience, str] = {"floor": "floor.names", "manage": "manage.sign_in_page"}

SET_UP_FIRST = "Set up your second factor first; managers and admins of this store need one."
SIGNED_OUT = "You are signed out; sign in again."

door = Blueprint("door", __name__)


@door.get("/")
def open_door() -> AnyResponse:
    """Staff come with a phone; whoever wants the desk knows its address."""
    return redirect(url_for("floor.pages"))


def guard(app: Flask, table: Mapping[str, Admission]) -> None:
    """Refuse every request that the table does not let in: 403 and a sentence, or the way to the door."""

    @app.before_request
    def refuse() -> AnyResponse | None:
        if request.endpoint is None:
            return None
        admission = table.get(request.endpoint)
        if admission is None:
            abort(403)
        if admission.audience == "public":
            return None
        if admission.audience == "token":
            return bearer.refuse_strangers() or bearer.refuse_without(admission.scopes)
        found = sign_in_of(admission.audience)
        if found is None:
            return _elsewhere(url_for(DOORS[admission.audience]), SIGNED_OUT)
        g.sign_in = found
        if not admission.lets_in(found.person.role):
            abort(403, admission.refusal)
        if admission.audience == "manage" and request.endpoint not in SETTING_UP and _is_weak(found):
            return _elsewhere(url_for("manage.own_factor"), SET_UP_FIRST)
        if admission.audience == "manage" and _is_deed():
            _put_off(found)
        return None


def sign_in_of(audience: Audience) -> SignIn | None:
    """The session that this browser holds for the audience, if it is still valid."""
    token = request.cookies.get(COOKIES[audience])
    if not token:
        return None
    room = services()
    with room.read() as conn:
        found = sessions.find(conn, room.store, audience, sessions.key_of(token), room.clock())
    room.regulars.note(token) if found is not None else room.regulars.forget(token)
    return found


def signed_in() -> SignIn:
    """The session of this request; only behind guard()."""
    return cast(SignIn, g.sign_in)


def actor_here() -> Actor:
    """As whom the audit names whoever is signed in at the desk."""
    person = signed_in().person
    return Actor(person.name, "desk", person.id)


def keep_cookie(response: AnyResponse, audience: Audience, token: str) -> None:
    config = services().config
    services().regulars.note(token)
    response.set_cookie(
        COOKIES[audience],
        token,
        max_age=int(config.web.shift_hours * 3600),
        path=f"/{audience}",
        httponly=True,
        samesite="Strict",
        secure=config.web.secure_cookies,
    )


def drop_cookie(response: AnyResponse, audience: Audience) -> None:
    secure = services().config.web.secure_cookies
    response.delete_cookie(
        COOKIES[audience], path=f"/{audience}", httponly=True, samesite="Strict", secure=secure
    )


def _is_deed() -> bool:
    """Whether a person does something; not a stream, nor what a page draws anew by itself."""
    if request.method not in ("GET", "HEAD"):
        return True
    return "text/html" in request.headers.get("Accept", "") and not request.headers.get("HX-Request")


def _put_off(found: SignIn) -> None:
    """The session lasts on from now, never beyond the shift. Written down aside; a minute more or less is
    nothing."""
    room, now = services(), services().clock()
    web = room.config.web
    until = min(
        now + timedelta(minutes=web.desk_idle_minutes), found.started_at + timedelta(hours=web.shift_hours)
    )
    if until > found.expires_at + timedelta(minutes=1):
        room.errands.put_off(found.key, until)


def _is_weak(found: SignIn) -> bool:
    """Begun with a password alone by somebody who needs more."""
    return not found.strong and rights.wants_second_factor(
        found.person.role, services().config.web.second_factor
    )


def _elsewhere(address: str, sentence: str) -> AnyResponse:
    """To the page that has to come first; for what is no page, the sentence."""
    if request.headers.get("HX-Request"):
        refused: Response = make_response(sentence, 403)
        refused.headers["HX-Redirect"] = address
        return refused
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
        return redirect(address, 303)
    abort(403, sentence)
