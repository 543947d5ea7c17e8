"""Everyone who works here: where, in which languages, and whether a page would reach them now."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from edge.db.tables import person, session
from edge.paging import feed
from edge.people import rights
from edge.reports import floor as now_there
from edge.reports.floor import FRESH
from edge.web.access import signed_in
from edge.web.services import services


@dataclass(frozen=True)
class Member:
    """`since` is the start of the present sign-in on a phone, `heard_at` when that phone last answered."""

    id: str
    name: str
    role: str
    zones: tuple[str, ...]
    languages: tuple[str, ...]
    presence: str
    presence_at: datetime
    presence_until: datetime | None
    active: bool
    has_pin: bool
    has_password: bool
    since: datetime | None
    heard_at: datetime | None
    reachable: bool


def people() -> Response:
    """Those who work here; with ?all=1 also those who no longer do."""
    room = services()
    with room.read() as conn:
        everyone = members(conn, room.store, room.clock())
        context = {
            "cursor": feed.head(conn, room.store),
            "zone_titles": dict(now_there.zones(conn, room.store)),
            "me": signed_in().person,
        }
    shown = [one for one in everyone if one.active or request.args.get("all")]
    gone = sum(not one.active for one in everyone)
    may = rights.may_change(signed_in().person.role)
    page = render_template(
        "manage/people.html", people=shown, gone=gone, may_change=may, day_long=timedelta(days=1), **context
    )
    return make_response(page)


def members(conn: sa.Connection, store: str, now: datetime, ids: Iterable[str] = ()) -> list[Member]:
    """Everyone, also disabled, by name; or only those of these ids."""
    p = person.c
    on_floor = (session.c.person == p.id, session.c.audience == "floor", session.c.expires_at > now)
    started = sa.select(sa.func.max(session.c.started_at)).where(*on_floor).correlate(person)
    heard = sa.select(sa.func.max(session.c.heard_at)).where(*on_floor).correlate(person)
    query = sa.select(
        p.id, p.name, p.role, p.zones, p.languages, p.presence, p.presence_at, p.presence_until, p.active,
        p.pin_hash.is_not(None).label("has_pin"), p.password_hash.is_not(None).label("has_password"),
        started.scalar_subquery().label("since"), heard.scalar_subquery().label("heard_at"),
    ).where(p.store == store)  # fmt: skip
    if wanted := list(ids):
        query = query.where(p.id.in_(wanted))
    return [
        Member(
            **(dict(row) | {"zones": tuple(row["zones"]), "languages": tuple(row["languages"])}),
            reachable=row["heard_at"] is not None and now - row["heard_at"] <= FRESH,
        )
        for row in conn.execute(query.order_by(p.name)).mappings()
    ]
