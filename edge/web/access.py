"""Who may see what. Deny by default: an endpoint is named in PUBLIC, or needs a session of its audience.

Those of the API and the metrics need a token instead (bearer.py)."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import Blueprint, Flask, Response, abort, g, make_response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from edge.audit.store import Actor
from edge.people import rights, sessions
from edge.people.sessions import Audience, SignIn
from edge.web import bearer
from edge.web.services import services

# Every endpoint that answers without a session. A test walks the whole address map against this.
PUBLIC = frozenset(
    {
        "static",
        "door.open_door",
        "health.alive",
        "health.ready",
        "api.document",
        "api.index",
        "api.footage",
        "floor.manifest",
        "floor.names",
        "floor.pin",
        "floor.sign_in",
        "floor.speak",
        "manage.sign_in_page",
        "manage.sign_in",
        "shopper.find",
        "shopper.look_up",
        "shopper.ask",
        "shopper.give",
    }
)
# One browser may hold an associate's phone and a manager's desk side by side: decisions/001.
COOKIES: dict[Audience, str] = {"floor": "floorbell_floor", "manage": "floorbell_manage"}
DOORS: dict[Audience, str] = {"floor": "floor.names", "manage": "manage.sign_in_page"}

SIGNED_OUT = "You are signed out; sign in again."

View = TypeVar("View", bound=Callable[..., Any])

door = Blueprint("door", __name__)


@door.get("/")
def open_door() -> AnyResponse:
    """Staff come with a phone; whoever wants the desk knows its address."""
    return redirect(url_for("floor.pages"))


def guard(app: Flask) -> None:
    """Refuse every request to what is not public and has no session of its audience."""

    @app.before_request
    def refuse_strangers() -> AnyResponse | None:
        if request.endpoint is None or request.endpoint in PUBLIC:
            return None
        if request.blueprint in ("api", "metrics"):
            return bearer.refuse_strangers()
        audience = audience_here()
        if audience is None:
            abort(403)
        found = sign_in_of(audience)
        if found is None:
            return _to_the_door(audience)
        g.sign_in = found
        return None


def audience_here() -> Audience | None:
    """The audience whose room this request is in."""
    return request.blueprint if request.blueprint in COOKIES else None


def sign_in_of(audience: Audience) -> SignIn | None:
    """The session that this browser holds for the audience, if it is still valid."""
    token = request.cookies.get(COOKIES[audience])
    if not token:
        return None
    room = services()
    with room.read() as conn:
        return sessions.find(conn, room.store, audience, sessions.key_of(token), room.clock())


def signed_in() -> SignIn:
    """The session of this request; only behind guard()."""
    return cast(SignIn, g.sign_in)


def needs_changer(view: View) -> View:
    """For views that change the store: 403 with a sentence for whoever only looks."""

    @wraps(view)
    def guarded(*args: Any, **values: Any) -> Any:
        if sentence := rights.why_not_change(signed_in().person.role):
            abort(403, sentence)
        return view(*args, **values)

    return cast(View, guarded)


def needs_evidence(view: View) -> View:
    """For views of what cameras recorded: 403 with a sentence for whoever may not see it."""

    @wraps(view)
    def guarded(*args: Any, **values: Any) -> Any:
        if sentence := rights.why_not_evidence(signed_in().person.role):
            abort(403, sentence)
        return view(*args, **values)

    return cast(View, guarded)


def actor_here() -> Actor:
    """As whom the audit names whoever is signed in at the desk."""
    person = signed_in().person
    return Actor(person.name, "desk", person.id)


def keep_cookie(response: AnyResponse, audience: Audience, token: str) -> None:
    config = services().config
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


def _to_the_door(audience: Audience) -> AnyResponse:
    address = url_for(DOORS[audience])
    if request.headers.get("HX-Request"):
        refused: Response = make_response(SIGNED_OUT, 403)
        refused.headers["HX-Redirect"] = address
        return refused
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
        return redirect(address, 303)
    abort(403, SIGNED_OUT)
