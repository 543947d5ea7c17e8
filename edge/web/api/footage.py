"""The bytes of a clip for another program, by the address that a look has given it."""

from flask import abort, request
from werkzeug.wrappers import Response

from edge.handling import keeping
from edge.tokens import store as tokens
from edge.tokens.store import Token
from edge.web import footage as way
from edge.web.services import Services, services


def address(room: Services, token: Token, clip_id: str) -> str:
    """Good for this clip as long as the grant is, and as long as the token is valid."""
    return f"/api/v1/footage/{clip_id}?look={token.id}.{room.grants.give(token.id, clip_id, room.clock())}"


def footage(clip_id: str) -> Response:
    """A piece of the clip; 403 for an address that is over or of a token that was revoked."""
    room = services()
    token_id, _, grant = request.args.get("look", "")[:200].partition(".")
    if room.grants.until(token_id, clip_id, grant, room.clock()) is None:
        abort(403, way.NO_GRANT)
    with room.read() as conn:
        token = tokens.by_id(conn, room.store, token_id)
        if token is None or token.revoked_at is not None:
            abort(403, way.NO_GRANT)
        found = keeping.seen(conn, room.store, clip_id, silent="security" in token.scopes)
    return way.piece_of(room, found)
