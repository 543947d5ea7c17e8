"""Tampering that a kiosk reports near a security call, within two minutes, is said beside the call.

It is the kiosk's word, and no person's: the sentence says whose.
"""

from dataclasses import replace
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.tables import interaction, is_open
from edge.handling.placing import UNKNOWN
from edge.handling.telling import Telling
from edge.interactions import store as requests
from edge.interactions.store import Entry
from edge.paging import store as pages

WITHIN = timedelta(minutes=2)
REPORTED = "tampering"


def look(conn: sa.Connection, telling: Telling, zone: str, now: datetime) -> None:
    """Say it of the open security requests of this zone, whichever came first. Of drills nothing is said.

    It changes nothing of who is paged, nor when.
    """
    if zone == UNKNOWN:
        return
    i = interaction.c
    # Of the open ones, which are few: asked for by its kind, SQLite reads all that security ever was.
    here = sa.select(i.id, i.kind).where(i.store == telling.store, is_open, i.zone == zone, sa.not_(i.drill))
    mine = [row.id for row in conn.execute(here) if row.kind == "security"]
    for request in requests.locked(conn, telling.store, mine):
        if not request.open or requests.has_said(conn, request.id, REPORTED):
            continue
        tampered = (
            sa.select(i.device, i.reason, i.raised_at)
            .where(
                i.store == telling.store,
                i.kind == sa.literal_column("'tamper'"),
                i.zone == zone,
                sa.not_(i.drill),
                i.raised_at.between(request.raised_at - WITHIN, request.raised_at + WITHIN),
            )
            .order_by(i.raised_at)
            .limit(1)
        )
        if (found := conn.execute(tampered).first()) is None:
            continue
        after = replace(request, revision=request.revision + 1)
        requests.update(conn, request, after)
        at = f"{found.raised_at.astimezone():%H:%M}"
        words = f"{found.device} reported tampering there at {at}: {found.reason}."
        requests.append(conn, [Entry(request.id, now, REPORTED, "policy", words)])
        telling.changed(after, pages.paged(conn, request.id))
