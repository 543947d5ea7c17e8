"""Who asks the API: a token in the header, never a cookie. What it may do is in the routes (edge/web/api)."""

from collections.abc import Sequence
from typing import cast

from flask import Response, g, request

from edge.audit.store import Actor
from edge.tokens import store as tokens
from edge.tokens.store import Token
from edge.web.problems import problem
from edge.web.services import services

NEEDED = "Send a token as 'Authorization: Bearer …'; a manager makes one at the desk under Tokens."
UNKNOWN = "This token is not one of this store's, or it was revoked."
# Longer than any token of ours.
_LONGEST = 200


def refuse_strangers() -> Response | None:
    """None if the request carries a valid token, which token_here() then gives; else 401."""
    kind, _, secret = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "bearer" or not secret:
        return _unknown(NEEDED, "Bearer")
    found = find(secret.strip())
    if found is None:
        return _unknown(UNKNOWN, 'Bearer error="invalid_token"')
    g.token = found
    return None


def find(secret: str) -> Token | None:
    """The valid token with this secret; its use is written down."""
    room = services()
    if len(secret) > _LONGEST:
        return None
    with room.read() as conn:
        found = tokens.find(conn, room.store, tokens.key_of(secret))
    if found is None:
        room.regulars.forget(secret)
    else:
        room.regulars.note(secret)
        room.errands.used(found.id, room.clock())
    return found


def refuse_without(scopes: Sequence[str]) -> Response | None:
    """None if this token has all of these; else 403 that names them."""
    if missing := [scope for scope in scopes if not holds(scope)]:
        needed = " and ".join(missing)
        response = problem(403, f"This token may not do that; it needs the scope {needed}.")
        scope = " ".join(scopes)
        response.headers["WWW-Authenticate"] = f'Bearer error="insufficient_scope", scope="{scope}"'
        return response
    return None


def token_here() -> Token:
    """The token of this request; only behind refuse_strangers()."""
    return cast(Token, g.token)


def holds(scope: str) -> bool:
    return scope in token_here().scopes


def sees_silent() -> bool:
    """Whether silent requests are shown to this token."""
    return holds("security")


def actor_here() -> Actor:
    """As whom the audit names this token."""
    return Actor(token_here().name, "api")


def _unknown(sentence: str, challenge: str) -> Response:
    response = problem(401, sentence)
    response.headers["WWW-Authenticate"] = challenge
    return response
