"""Exports that are asked for at the desk and made by the vault."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "export",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("clips", sa.JSON(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.Column("made_at", Instant(), nullable=True),
        sa.Column("bytes", sa.BigInteger(), nullable=True),
        sa.Column("head_size", sa.BigInteger(), nullable=True),
        sa.Column("head_root", sa.String(length=64), nullable=True),
        sa.Column("keys", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("store", "id", name=op.f("pk_export")),
    )
    op.create_index("ix_export_asked", "export", ["store", "asked_at", "id"], unique=False)
