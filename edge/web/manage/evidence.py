"""The clips, the newest first, and what the custody log's head says of them all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from flask import abort, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from edge.devices import store as devices
from edge.evidence import clips, custody, exports, heads, register, stamps
from edge.evidence.clips import Clip
from edge.evidence.heads import Held
from edge.evidence.register import Filters
from edge.evidence.stamps import Standing
from edge.handling import keeping
from edge.handling.keeping import Kept
from edge.paging import feed
from edge.people import rights
from edge.web.access import signed_in
from edge.web.manage import asking
from edge.web.services import services

PAGE_ROWS = 50
EXPORTS = 20
STATES = (
    clips.ANNOUNCED,
    clips.NOT_ARRIVED,
    clips.SEALED,
    clips.MISMATCHED,
    clips.GONE,
    clips.DAMAGED,
    clips.PURGED,
)
HELD = {"yes": True, "no": False}


@dataclass(frozen=True)
class Custody:
    """The log of one store as it stands. `signed` is how many entries the newest head covers, `stamp` what an
    authority has stamped of it."""

    size: int
    signed: int
    root: str
    at: datetime | None
    holders: list[str]
    behind: list[Held]
    refused: list[Held]
    stamp: Standing


def evidence() -> Response:
    """Narrowed by ?zone=, ?state= and ?held=yes or no; ?before= goes on. 400 for an address that says
    nonsense."""
    room, me = services(), signed_in().person
    filters = filters_here(rights.sees_silent_evidence(me.role))
    before = asking.before_here("among the clips")
    with room.read() as conn:
        found = register.search(conn, room.store, filters, before, PAGE_ROWS + 1, room.overdue_at)
        context: dict[str, Any] = {
            "kept_by": kept_here(conn, [one.clip for one in found]),
            "log": custody_now(conn, room.store),
            "exports": exports.newest(conn, room.store, EXPORTS, silent=filters.with_silent),
            "zones": devices.zones(conn, room.store),
            "cursor": feed.head(conn, room.store),
        }
    asked = {key: request.args[key] for key in ("zone", "state", "held") if request.args.get(key)}
    older = str(found[PAGE_ROWS - 1].cursor) if len(found) > PAGE_ROWS else None
    page = render_template(
        "manage/evidence.html",
        found=found[:PAGE_ROWS],
        states=STATES,
        asked=asked,
        newest=url_for("manage.evidence", **asked) if before else None,  # type: ignore[arg-type]
        older=url_for("manage.evidence", before=older, **asked) if older else None,  # type: ignore[arg-type]
        me=me,
        stamped_daily=room.config.evidence.stamp is not None,
        **context,
    )
    return make_response(page)


def kept_here(conn: sa.Connection, found: Sequence[Clip]) -> dict[str, Kept]:
    """Which of these clips stay for an incident, as whoever asks may know."""
    room, silent = services(), rights.sees_silent_evidence(signed_in().person.role)
    return keeping.kept_by(conn, room.store, room.config.retention, found, room.clock(), silent=silent)


def filters_here(with_silent: bool) -> Filters:
    asked = request.args
    state, held = asked.get("state", ""), asked.get("held", "")
    if state and state not in STATES:
        abort(400, f"The address says state={state[:40]!r}; allowed are {', '.join(STATES)}.")
    if held and held not in HELD:
        abort(400, f"The address says held={held[:40]!r}; allowed are yes and no.")
    return Filters(asked.get("zone", "")[:32], state, HELD.get(held), with_silent)


def custody_now(conn: sa.Connection, store: str) -> Custody:
    """How long the custody log is, how much of it is signed, and which kiosk holds what."""
    log, head = custody.log_of(conn, store), heads.newest(conn, store)
    known = heads.witnesses(conn, store)
    signed = head.size if head else 0
    return Custody(
        size=log.size if log else 0,
        signed=signed,
        root=head.root if head else "",
        at=datetime.fromtimestamp(head.at_ms / 1000, UTC) if head else None,
        holders=[w.device for w in known if w.size == signed and w.root and not w.refused],
        behind=[w for w in known if w.size and w.size < signed and not w.refused],
        refused=[w for w in known if w.refused],
        stamp=stamps.standing(conn, store),
    )
