"""A security call and tampering at one place within two minutes confirm each other, whichever came first."""

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
CONFIRMED = "confirmed"


def look(conn: sa.Connection, telling: Telling, zone: str, now: datetime) -> None:
    """Mark the open security requests of this zone that a tamper event confirms. Drills confirm nothing.

    It changes nothing of who is paged, nor when.
    """
    if zone == UNKNOWN:
        return
    i = interaction.c
    # Of the open ones, which are few: asked for by its kind, SQLite reads all that security ever was.
    here = sa.select(i.id, i.kind).where(i.store == telling.store, is_open, i.zone == zone, sa.not_(i.drill))
    mine = [row.id for row in conn.execute(here) if row.kind == "security"]
    for request in requests.locked(conn, telling.store, mine):
        if not request.open or requests.has_said(conn, request.id, CONFIRMED):
            continue
        tampered = (
            sa.select(i.device, i.reason)
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
        words = f"Confirmed: {found.device} was tampered with there ({found.reason})."
        requests.append(conn, [Entry(request.id, now, CONFIRMED, "policy", words)])
        telling.changed(after, pages.paged(conn, request.id))
