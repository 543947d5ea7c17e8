"""Zones beside each other, cameras that are asked for pictures, all causes of a clip, and clips that are lost."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    op.create_table(
        "neighbour",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=32), nullable=False),
        sa.Column("beside", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("store", "zone", "beside", name=op.f("pk_neighbour")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "clip_cause",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=36), nullable=False),
        sa.Column("clip", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("store", "cause", "clip", name=op.f("pk_clip_cause")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_clip_cause_clip", "clip_cause", ["store", "clip"], unique=False)
    op.execute("INSERT INTO clip_cause (store, cause, clip) SELECT store, cause, id FROM clip")
    op.create_table(
        "capture",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("cause", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.Column("wanted_at", Instant(), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=16), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("store", "cause", "device", name=op.f("pk_capture")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_capture_request", "capture", ["store", "request"], unique=False)
    op.create_index(
        "ix_capture_asked",
        "capture",
        ["store", "device"],
        unique=False,
        sqlite_where=sa.text("state = 'asked'"),
        postgresql_where=sa.text("state = 'asked'"),
    )
    op.add_column("clip", sa.Column("lost_at", Instant(), nullable=True))
