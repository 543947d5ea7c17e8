"""What people outside were told: each channel as it stands, every message with its tries, and a test.

For managers and admins, who may see silent requests: every message could be about one.
"""

from typing import Any

from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.errors import EdgeError, Refused
from edge.handling import outside as deeds
from edge.outside import log
from edge.outside.channels import KINDS, said
from edge.outside.log import Filters
from edge.paging import feed
from edge.web.access import actor_here, signed_in
from edge.web.manage import asking
from edge.web.manage.saving import save, saved
from edge.web.services import services

PAGE_ROWS = 50


def outside() -> Response:
    """Narrowed by ?channel= and ?state=; ?before= goes on. 400 for an address that says nonsense."""
    room, asked = services(), request.args
    filters, before = filters_here(with_silent=True), asking.before_here("among the messages")
    with room.read() as conn:
        found = log.search(conn, room.store, filters, before, PAGE_ROWS + 1)
        context: dict[str, Any] = {
            "channels": log.standings(conn, room.store, room.config.outside.channel, room.clock()),
            "cursor": feed.head(conn, room.store),
        }
    kept = {key: asked[key] for key in ("channel", "state") if asked.get(key)}
    older = str(found[PAGE_ROWS - 1].cursor) if len(found) > PAGE_ROWS else None
    page = render_template(
        "manage/_outside.html" if request.headers.get("HX-Request") else "manage/outside.html",
        found=found[:PAGE_ROWS],
        asked=kept,
        states=log.STATES,
        kinds=KINDS,
        said=said,
        newest=url_for("manage.outside", **kept) if before else None,  # type: ignore[arg-type]
        older=url_for("manage.outside", before=older, **kept) if older else None,  # type: ignore[arg-type]
        linked=bool(room.config.outside.base_url),
        me=signed_in().person,
        **context,
    )
    return make_response(page)


def outside_one(delivery_id: str) -> Response:
    """One message: what was said, and every try."""
    room = services()
    with room.read() as conn:
        delivery, tries = log.one(conn, room.store, delivery_id[:36], silent=True)
        cursor = feed.head(conn, room.store)
    channel = room.config.outside.named(delivery.channel)
    partial = bool(request.headers.get("HX-Request"))
    page = render_template(
        "manage/_outside_one.html" if partial else "manage/outside_one.html",
        delivery=delivery,
        tries=tries,
        kind=KINDS[channel.kind] if channel else "",
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page)


def outside_test(name: str) -> Response:
    room, actor = services(), actor_here()
    done = save(lambda conn: deeds.test(conn, room.store, actor, room.config.outside, name, room.clock()))
    if isinstance(done, EdgeError):
        raise Refused(str(done))
    return saved(url_for("manage.outside"), f"A test goes to {name}; how it went appears below.")


def filters_here(*, with_silent: bool) -> Filters:
    state = request.args.get("state", "")
    if state and state not in log.STATES:
        abort(400, f"The address says state={state[:40]!r}; allowed are {', '.join(log.STATES)}.")
    return Filters(request.args.get("channel", "")[:32], state, with_silent)
