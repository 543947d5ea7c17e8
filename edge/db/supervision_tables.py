"""The tables of supervision: what is or was wrong, and who was told."""

import sqlalchemy as sa

from edge.db.columns import Instant, id_kind, metadata, name_kind

trouble = sa.Table(
    "trouble",
    metadata,
    sa.Column("id", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    # '' is the server's own side
    sa.Column("device", name_kind(), nullable=False),
    # one of edge/supervision/facts.py; `about` tells two of a kind apart
    sa.Column("what", sa.String(16), nullable=False),
    sa.Column("about", sa.String(160), nullable=False),
    sa.Column("words", sa.String(500), nullable=False),
    sa.Column("since", Instant, nullable=False),
    sa.Column("seen_at", Instant, nullable=False),
    # how far it was when it was seen, to notice that it moves on
    sa.Column("mark", sa.String(40), nullable=False),
    # when people were first to hear of it; None: it has not lasted long enough yet
    sa.Column("told_at", Instant),
    sa.Column("returns", sa.Integer, nullable=False),
    sa.Column("well_at", Instant),
    sa.Column("over_at", Instant),
    # how it ended, in words
    sa.Column("ending", sa.String(200)),
    # whether it may be shown only to those who may know of silent requests
    sa.Column("silent", sa.Boolean, nullable=False),
    sa.Index("ix_trouble_over", "store", "over_at"),
)
sa.Index(
    "uq_trouble_open",
    trouble.c.store,
    trouble.c.device,
    trouble.c.what,
    trouble.c.about,
    unique=True,
    sqlite_where=trouble.c.over_at.is_(None),
    postgresql_where=trouble.c.over_at.is_(None),
)

# Who was told of it, once, and whether they have said that they saw it, and that it is over.
trouble_told = sa.Table(
    "trouble_told",
    metadata,
    sa.Column("trouble", id_kind(), primary_key=True),
    sa.Column("person", id_kind(), primary_key=True),
    sa.Column("store", name_kind(), nullable=False),
    sa.Column("told_at", Instant, nullable=False),
    sa.Column("seen_at", Instant),
    sa.Column("end_seen_at", Instant),
    sa.Index("ix_trouble_told_person", "store", "person", "told_at"),
)
