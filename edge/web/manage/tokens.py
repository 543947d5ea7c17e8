"""The tokens of other programs: made, shown once, revoked. For managers and admins."""

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError
from edge.handling import granting
from edge.paging import feed
from edge.tokens import store as kept
from edge.tokens.scopes import SCOPES
from edge.web.access import actor_here, signed_in
from edge.web.manage.saving import save, saved, status_of
from edge.web.services import services


def tokens() -> Response:
    return _page()


def tokens_add() -> Response:
    """The new token, shown this once; headers keep it out of every cache."""
    room, actor, secret = services(), actor_here(), kept.fresh()
    name, scopes = request.form.get("name", "")[:200], request.form.getlist("scopes")[:40]
    done = save(
        lambda conn: granting.grant(conn, room.store, actor, name, scopes, kept.key_of(secret), room.clock())
    )
    if isinstance(done, EdgeError):
        return _page(done, name, scopes)
    return _page(shown=(done.name, secret))


def tokens_revoke(token_id: str) -> Response:
    room, actor = services(), actor_here()
    done = save(lambda conn: granting.revoke(conn, room.store, actor, token_id, room.clock()))
    if isinstance(done, EdgeError):
        return _page(done)
    return saved(url_for("manage.tokens"), f"The token {done.name} is revoked; it opens nothing any more.")


def _page(
    error: EdgeError | None = None,
    name: str = "",
    scopes: list[str] | None = None,
    shown: tuple[str, str] | None = None,
) -> Response:
    """`shown` is the name and the secret of a token that was just made."""
    room = services()
    with room.read() as conn:
        found = kept.all_tokens(conn, room.store)
        cursor = feed.head(conn, room.store)
    page = render_template(
        "manage/tokens.html",
        tokens=found,
        error=error,
        typed=name,
        chosen=scopes or [],
        scopes=SCOPES,
        shown=shown,
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page, status_of(error) if error else 200)
