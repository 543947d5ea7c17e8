"""Every change to the store itself and what was refused, newest first: who, when, and what it was before."""

from typing import Any

import sqlalchemy as sa
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.audit import store as audits
from edge.db.store_tables import audit
from edge.paging import feed
from edge.web.access import signed_in
from edge.web.services import services

PAGE = 50
KINDS = {
    "person": "People",
    "zone": "Zones",
    "device": "Devices",
    "ca": "The store's CA",
    "policy": "Policy",
    "outside": "Outside",
    "token": "Tokens",
    "request": "Requests",
    "incident": "Incidents",
    "denied": "Refusals",
    "session": "Sign-ins",
    "export": "Exports",
}


def changes() -> Response:
    """With ?what=person only those of people, with ?by=… those of one name; ?before=… goes on."""
    room, asked = services(), request.args
    what, by, before = asked.get("what", ""), asked.get("by", "")[:80], asked.get("before", "")
    if what and what not in KINDS:
        abort(400, f"The address says what={what[:40]!r}; allowed are {', '.join(KINDS)}.")
    if before and not (before.isascii() and before.isdigit() and len(before) < 16):
        abort(400, "The address says a place in the changes that does not exist; begin again at the top.")
    with room.read() as conn:
        found = audits.entries(conn, room.store, int(before) if before else None, PAGE + 1, what, by)
        names = sa.select(audit.c.actor).where(audit.c.store == room.store).distinct()
        actors = list(conn.execute(names.order_by(audit.c.actor).limit(200)).scalars())
        cursor = feed.head(conn, room.store)
    older = None
    if len(found) > PAGE:
        kept: dict[str, Any] = {key: value for key, value in (("what", what), ("by", by)) if value}
        older = url_for("manage.changes", before=found[PAGE - 1].id, **kept)
    page = render_template(
        "manage/changes.html",
        entries=found[:PAGE],
        older=older,
        what=what,
        by=by,
        kinds=KINDS,
        actors=actors,
        first=not before,
        cursor=cursor,
        me=signed_in().person,
    )
    return make_response(page)
