"""Releases of the kiosks' program, and their roll-outs."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0031"
down_revision = "0030"


def upgrade() -> None:
    op.add_column("device", sa.Column("updates", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.create_table(
        "release",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("needs", sa.String(length=20), nullable=False),
        sa.Column("notes", sa.Text(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("added_by", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("store", "version"),
    )
    op.create_table(
        "rollout",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("soak_s", sa.Integer(), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.Column("begun_by", sa.String(length=80), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("words", sa.String(length=400), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_rollout_begun", "rollout", ["store", "begun_at"])
    op.create_table(
        "rollout_part",
        sa.Column("rollout", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("revert_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False, server_default=""),
        sa.Column("ticket_sha256", sa.String(length=64), nullable=True),
        sa.Column("ticket_until", Instant(), nullable=True),
        sa.Column("reverted_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("rollout", "device"),
        sa.UniqueConstraint("order_id"),
        sa.UniqueConstraint("revert_id"),
    )
