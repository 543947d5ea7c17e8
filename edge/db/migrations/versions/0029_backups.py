"""Backups that were tried, and restores."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    op.create_table(
        "backup",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=24), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("target", sa.String(length=300), nullable=False),
        sa.Column("trouble", sa.String(length=500), nullable=True),
        sa.Column("database_bytes", sa.BigInteger(), nullable=False),
        sa.Column("clips", sa.Integer(), nullable=False),
        sa.Column("missing", sa.Integer(), nullable=False),
        sa.Column("clip_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sent_bytes", sa.BigInteger(), nullable=False),
        sa.Column("proven_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("store", "name", name=op.f("pk_backup")),
    )
    op.create_index("ix_backup_ended", "backup", ["store", "ended_at"])
    op.create_table(
        "restore",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("restored_at", Instant(), nullable=False),
        sa.Column("backup", sa.String(length=24), nullable=False),
        sa.Column("backup_at", Instant(), nullable=False),
        sa.Column("log", sa.String(length=36), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("signature", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("store", "restored_at", name=op.f("pk_restore")),
    )
    op.add_column("witness", sa.Column("before", sa.JSON(), nullable=True))
