"""What belongs to an incident: requests, and the clips that are pulled for it.

A clip is pulled if it was recorded for one of the incident's requests, or if it shows the incident's place
around the time of what happened (rules.BEFORE, rules.AFTER). As long as the incident is open, and for a time
after it, retention leaves its clips alone; a legal hold is another thing and stays.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.evidence_tables import capture, clip, clip_cause
from edge.db.incident_tables import incident, incident_clip, incident_request
from edge.db.inserts import if_new
from edge.db.store_tables import neighbour
from edge.db.tables import event, interaction
from edge.incidents.rules import AFTER, BEFORE
from edge.incidents.store import numbered


@dataclass(frozen=True, slots=True)
class Keeper:
    """An incident that keeps a clip: while it is open, `closed_at` None, or for a time after."""

    number: str
    closed_at: datetime | None


_LONGEST = timedelta(hours=1)
_LINK = if_new(incident_request)


def link_request(conn: sa.Connection, store: str, incident_id: str, request: str, now: datetime) -> bool:
    """The interaction belongs to it; False if it did before."""
    row = {"incident": incident_id, "interaction": request, "store": store, "linked_at": now}
    return bool(conn.execute(_LINK[conn.dialect.name], row).rowcount)


def requests_of(conn: sa.Connection, incident_id: str) -> list[str]:
    """The interactions that belong to it, in the order in which they were raised."""
    r, i = incident_request.c, interaction.c
    query = sa.select(i.id).join(incident_request, r.interaction == i.id).where(r.incident == incident_id)
    return list(conn.execute(query.order_by(i.raised_at, i.id)).scalars())


def of_interaction(conn: sa.Connection, store: str, interaction_id: str) -> list[tuple[str, int, int]]:
    """(id, year, number) of the incidents that an interaction belongs to."""
    r, i = incident_request.c, incident.c
    query = sa.select(i.id, i.year, i.number).join(incident_request, r.incident == i.id)
    rows = conn.execute(query.where(r.store == store, r.interaction == interaction_id).order_by(i.opened_at))
    return [(row.id, row.year, row.number) for row in rows]


def clips_of(conn: sa.Connection, incident_id: str) -> list[str]:
    c = incident_clip.c
    return list(conn.execute(sa.select(c.clip).where(c.incident == incident_id)).scalars())


def pull(conn: sa.Connection, store: str, incident_id: str, now: datetime) -> int:
    """Link what fits and is not linked yet; how many."""
    i, c, cc = incident.c, clip.c, clip_cause.c
    where = conn.execute(sa.select(i.zone, i.happened_at).where(i.store == store, i.id == incident_id)).one()
    causes = [cause for request in requests_of(conn, incident_id) for cause in _presses(conn, store, request)]
    fits = sa.select(c.id).where(c.store == store, c.state != "purged")
    for_it = fits.where(c.id.in_(sa.select(cc.clip).where(cc.store == store, cc.cause.in_(causes))))
    shown = fits.where(
        c.zone.in_(_places(conn, store, where.zone)),
        # Bounded below too, so that an index finds them: no clip is as long.
        c.started_at > where.happened_at - BEFORE - _LONGEST,
        c.started_at <= where.happened_at + AFTER,
        c.ended_at >= where.happened_at - BEFORE,
    )
    found = {row.id for query in (for_it, shown) for row in conn.execute(query)}
    return _link(conn, store, [(incident_id, clip_id) for clip_id in found], now)


def pull_clip(conn: sa.Connection, store: str, clip_id: str, now: datetime) -> int:
    """A device told of a clip: link it to the incidents that it fits."""
    c, i, r = clip.c, incident.c, incident_request.c
    told = conn.execute(
        sa.select(c.device, c.zone, c.started_at, c.ended_at).where(c.store == store, c.id == clip_id)
    ).one()
    causes = _interactions(conn, store, clip_id, told.device)
    for_it = sa.select(r.incident.label("id")).where(r.store == store, r.interaction.in_(causes))
    shown = sa.select(i.id).where(
        i.store == store,
        i.zone.in_(_places(conn, store, told.zone)),
        i.happened_at >= told.started_at - AFTER,
        i.happened_at <= told.ended_at + BEFORE,
    )
    found = {row.id for query in (for_it, shown) for row in conn.execute(query)}
    return _link(conn, store, [(incident_id, clip_id) for incident_id in found], now)


def forget_clips(conn: sa.Connection, incident_id: str) -> None:
    """The place or the time was wrong: what was pulled for it is pulled anew."""
    conn.execute(sa.delete(incident_clip).where(incident_clip.c.incident == incident_id))


def keeps(store: str, closed_since: datetime) -> sa.Exists:
    """Whether a row of `clip` belongs to an incident that is open, or was closed after `closed_since`."""
    of_open = sa.or_(incident.c.state == "open", incident.c.closed_at > closed_since)
    linked = sa.and_(incident_clip.c.store == store, incident_clip.c.clip == clip.c.id)
    return sa.exists().where(linked, incident.c.id == incident_clip.c.incident, of_open).correlate(clip)


def keepers(
    conn: sa.Connection, store: str, clips: Sequence[str], closed_since: datetime, *, silent: bool
) -> dict[str, Keeper]:
    """What keeps these clips longest: an open incident, else the one that was closed last. Without `silent`
    those of silent requests are as if they were not there."""
    i, c = incident.c, incident_clip.c
    query = sa.select(c.clip, i.year, i.number, i.closed_at).join(incident, i.id == c.incident)
    query = query.where(c.store == store, c.clip.in_(list(clips)))
    query = query.where(sa.or_(i.state == "open", i.closed_at > closed_since))
    if not silent:
        query = query.where(sa.not_(is_silent()))
    # The later ones take the place of those before.
    last = sa.case((i.state == "open", 1), else_=0), i.closed_at, i.year.desc(), i.number.desc()
    rows = conn.execute(query.order_by(*last)).all() if clips else []
    return {row.clip: Keeper(numbered(row.year, row.number), row.closed_at) for row in rows}


def is_silent() -> sa.ColumnElement[bool]:
    """Whether a row of `incident` has a silent request: not everyone may know of it."""
    r, i = incident_request.c, interaction.c
    hidden = sa.select(i.id).join(incident_request, r.interaction == i.id)
    return hidden.where(r.incident == incident.c.id, i.silent).correlate(incident).exists()


def _places(conn: sa.Connection, store: str, zone: str) -> list[str]:
    """Where cameras see what happens in this zone: there and in the zones beside it."""
    n = neighbour.c
    beside = sa.select(n.beside).where(n.store == store, n.zone == zone)
    return [zone, *conn.execute(beside).scalars()]


def _interactions(conn: sa.Connection, store: str, clip_id: str, device: str) -> list[str]:
    """What a clip was recorded for, by the ids of interactions: a clip names presses of its own device too,
    and such as its device was asked for."""
    e, q, cc = event.c, capture.c, clip_cause.c
    named = sa.select(cc.cause).where(cc.store == store, cc.clip == clip_id)
    joined = sa.select(e.interaction).where(e.store == store, e.device == device, e.id.in_(named))
    asked = sa.select(q.request).where(q.store == store, q.device == device, q.cause.in_(named))
    found = {row[0] for query in (named, joined, asked) for row in conn.execute(query)}
    return [one for one in found if one is not None]


def _presses(conn: sa.Connection, store: str, request: str) -> list[str]:
    """The press that raised an interaction, and those that joined it: a clip names one of them."""
    i, e = interaction.c, event.c
    device = conn.execute(sa.select(i.device).where(i.id == request)).scalar()
    query = sa.select(e.id).where(e.store == store, e.device == device, e.interaction == request)
    return [request, *conn.execute(query).scalars()]


def _link(conn: sa.Connection, store: str, pairs: list[tuple[str, str]], now: datetime) -> int:
    # Locked as a hold does it: a purge that is under way is over first, and the next one sees the link.
    ids = sorted({clip_id for _, clip_id in pairs})
    if not ids:
        return 0
    c, linked = clip.c, incident_clip.c
    there = sa.select(c.id).where(c.store == store, c.id.in_(ids), c.state != "purged").order_by(c.id)
    kept = set(conn.execute(there.with_for_update()).scalars())
    known = sa.select(linked.incident, linked.clip).where(linked.store == store, linked.clip.in_(ids))
    before = {tuple(row) for row in conn.execute(known)}
    rows = [
        {"incident": incident_id, "clip": clip_id, "store": store, "linked_at": now}
        for incident_id, clip_id in pairs
        if clip_id in kept and (incident_id, clip_id) not in before
    ]
    if rows:
        conn.execute(sa.insert(incident_clip), rows)
    return len(rows)
