"""Who looked at, exported or held footage of requests that a person took part in: for that person to read.

Who is in a picture nobody here knows. What is known is who accepted, joined, attended or called for the
request that a clip was recorded for; that is the rule, and no more is claimed.
"""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from edge.db.evidence_tables import capture, clip, clip_cause, custody
from edge.db.store_tables import zone
from edge.db.tables import event, interaction, timeline

DEEDS = ("viewed", "exported", "held")
TOOK_PART = ("acknowledged", "taken_over", "handed_over", "joined", "attended", "supervisor_called")
MOST = 100


@dataclass(frozen=True, slots=True)
class Deed:
    """`actor` and `reason` are None once they were erased by law. `began_at` is when the clip begins."""

    at: datetime
    action: str
    actor: str | None
    reason: str | None
    clip: str
    zone_title: str
    began_at: datetime


def of_person(
    conn: sa.Connection, store: str, person: str, *, silent: bool = True, limit: int = MOST
) -> list[Deed]:
    """The newest first. Nothing of a clip that also shows a silent request in which they took no part, or one
    that nobody knows; without `silent` of no silent one at all."""
    c, k, z = custody.c, clip.c, zone.c
    query = (
        sa.select(c.at, c.action, c.actor, c.reason, k.id, sa.func.coalesce(z.title, k.zone), k.started_at)
        .select_from(
            custody.join(clip, sa.and_(k.store == c.store, k.id == c.subject)).outerjoin(
                zone, sa.and_(z.store == k.store, z.name == k.zone)
            )
        )
        .where(c.store == store, c.action.in_(DEEDS), _shows(store, person), sa.not_(_hidden(store, person)))
        .order_by(c.place.desc())
        .limit(limit)
    )
    if not silent:
        query = query.where(sa.not_(k.silent))
    return [Deed(*row) for row in conn.execute(query)]


def _shows(store: str, person: str) -> sa.Exists:
    """Whether a row of `clip` was recorded for a request in which the person took part."""
    about = clip_cause.join(interaction, _is_of_cause(store))
    return (
        sa.select(interaction.c.id)
        .select_from(about)
        .where(_of_clip(store), _took_part(person))
        .correlate(clip)
        .exists()
    )


def _hidden(store: str, person: str) -> sa.Exists:
    """Whether it was also recorded for what the person may not know of."""
    i = interaction.c
    about = clip_cause.outerjoin(interaction, _is_of_cause(store))
    kept_back = sa.or_(i.id.is_(None), sa.and_(i.silent, sa.not_(_took_part(person))))
    return (
        sa.select(clip_cause.c.cause)
        .select_from(about)
        .where(_of_clip(store), kept_back)
        .correlate(clip)
        .exists()
    )


def _of_clip(store: str) -> sa.ColumnElement[bool]:
    return sa.and_(clip_cause.c.store == store, clip_cause.c.clip == clip.c.id)


def _is_of_cause(store: str) -> sa.ColumnElement[bool]:
    """The interaction of a cause: that which the press joined, that which the camera was asked for, or
    itself."""
    e, q, cause = event.c, capture.c, clip_cause.c.cause
    joined = sa.select(e.interaction).where(e.store == store, e.device == clip.c.device, e.id == cause)
    asked = sa.select(q.request).where(q.store == store, q.device == clip.c.device, q.cause == cause)
    found = sa.func.coalesce(joined.scalar_subquery(), asked.scalar_subquery(), cause)
    return sa.and_(interaction.c.store == store, interaction.c.id == found)


def _took_part(person: str) -> sa.ColumnElement[bool]:
    i, t = interaction.c, timeline.c
    did = sa.select(t.id).where(t.interaction == i.id, t.person == person, t.what.in_(TOOK_PART))
    return sa.or_(
        sa.func.coalesce(i.owner == person, sa.false()),
        # Of one's own call for security only once others have ended it: somebody may be looking at the phone.
        sa.and_(
            sa.func.coalesce(i.raised_by == person, sa.false()),
            sa.or_(i.kind != "security", i.state.in_(("resolved", "missed"))),
        ),
        did.correlate(interaction).exists(),
    )
