"""The tables of scores."""

import sqlalchemy as sa

from edge.db.columns import Instant, id_kind, metadata, name_kind

# What a score is, beside its interaction of kind feedback: nothing is ever deleted from here.
feedback = sa.Table(
    "feedback",
    metadata,
    sa.Column("interaction", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("device", name_kind(), nullable=False),
    sa.Column("zone", name_kind(), nullable=False),
    # the request that it speaks of; None for a visit as a whole
    sa.Column("about", id_kind()),
    # kiosk, code (the shopper's own phone), phone, letter or desk
    sa.Column("source", sa.String(16), nullable=False),
    sa.Column("score", sa.Integer, nullable=False),
    # question -> answer, at most two
    sa.Column("answers", sa.JSON, nullable=False),
    # counted, burst or staff; and the rule that judged so, in words
    sa.Column("judged", sa.String(16), nullable=False),
    sa.Column("why", sa.String(200), nullable=False),
    sa.Column("at", Instant, nullable=False),
    # who typed it in, where somebody did
    sa.Column("entered_by", id_kind()),
    sa.Index("ix_feedback_at", "store", "at"),
    sa.Index("ix_feedback_device", "store", "device", "at"),
    sa.Index("ix_feedback_about", "store", "about"),
)

# One answer by code for each request.
sa.Index(
    "uq_feedback_code",
    feedback.c.store,
    feedback.c.about,
    unique=True,
    sqlite_where=feedback.c.source == sa.literal_column("'code'"),
    postgresql_where=feedback.c.source == sa.literal_column("'code'"),
)

# Whose scores, of what time, are to be judged (again) once no press waits for its page.
judge_due = sa.Table(
    "judge_due",
    metadata,
    sa.Column("store", name_kind(), primary_key=True),
    sa.Column("device", name_kind(), primary_key=True),
    sa.Column("from_at", Instant, nullable=False),
    sa.Column("to_at", Instant, nullable=False),
)
