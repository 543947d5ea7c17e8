"""What clips were recorded for: one event, or several that share footage."""

from collections.abc import Sequence

import sqlalchemy as sa

from edge.db.evidence_tables import clip_cause
from edge.db.inserts import if_new
from edge.db.tables import event

_ADD = if_new(clip_cause)


def add(conn: sa.Connection, store: str, clip_id: str, causes: Sequence[str]) -> None:
    rows = [{"store": store, "clip": clip_id, "cause": cause} for cause in dict.fromkeys(causes)]
    conn.execute(_ADD[conn.dialect.name], rows)


def of_clip(conn: sa.Connection, store: str, clip_id: str) -> list[str]:
    c = clip_cause.c
    query = sa.select(c.cause).where(c.store == store, c.clip == clip_id).order_by(c.cause)
    return list(conn.execute(query).scalars())


def clips_of(store: str, interaction: str) -> sa.Select[tuple[str]]:
    """The ids of the clips of an interaction and of the presses that joined it."""
    c, e = clip_cause.c, event.c
    joined = sa.select(e.id).where(e.store == store, e.interaction == interaction)
    return sa.select(c.clip).where(c.store == store, sa.or_(c.cause == interaction, c.cause.in_(joined)))
