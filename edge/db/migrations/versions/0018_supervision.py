"""Supervision: what is wrong with the store's own things, who was told, and devices that are worked on."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    op.create_table(
        "trouble",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("about", sa.String(length=160), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("mark", sa.String(length=40), nullable=False),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("returns", sa.Integer(), nullable=False),
        sa.Column("well_at", Instant(), nullable=True),
        sa.Column("over_at", Instant(), nullable=True),
        sa.Column("ending", sa.String(length=200), nullable=True),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_trouble")),
    )
    op.create_index("ix_trouble_over", "trouble", ["store", "over_at"], unique=False)
    op.create_index(
        "uq_trouble_open",
        "trouble",
        ["store", "device", "what", "about"],
        unique=True,
        sqlite_where=sa.text("over_at IS NULL"),
        postgresql_where=sa.text("over_at IS NULL"),
    )
    op.create_table(
        "trouble_told",
        sa.Column("trouble", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("told_at", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=True),
        sa.Column("end_seen_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("trouble", "person", name=op.f("pk_trouble_told")),
    )
    op.create_index("ix_trouble_told_person", "trouble_told", ["store", "person", "told_at"], unique=False)
    op.create_index("ix_quarantine_last", "quarantine", ["store", "last_at"], unique=False)
    op.add_column("device", sa.Column("maintained_at", Instant(), nullable=True))
