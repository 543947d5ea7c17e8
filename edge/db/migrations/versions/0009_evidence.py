"""Clips as evidence: their tickets and holds, the custody log and its heads."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.create_table(
        "clip",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=32), nullable=False),
        sa.Column("event", sa.String(length=36), nullable=False),
        sa.Column("cause", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("kept_as", sa.String(length=16), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("drill", sa.Boolean(), nullable=False),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=256), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("codec", sa.String(length=32), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("announced_at", Instant(), nullable=False),
        sa.Column("sealed_at", Instant(), nullable=True),
        sa.Column("keep_until", Instant(), nullable=True),
        sa.Column("purged_at", Instant(), nullable=True),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("store", "id", name=op.f("pk_clip")),
    )
    op.create_index("ix_clip_cause", "clip", ["store", "cause"], unique=False)
    op.create_index("ix_clip_started", "clip", ["store", "started_at", "id"], unique=False)
    op.create_index(
        "ix_clip_unsealed",
        "clip",
        ["store", "announced_at"],
        unique=False,
        sqlite_where=sa.text("sealed_at IS NULL"),
        postgresql_where=sa.text("sealed_at IS NULL"),
    )
    op.create_table(
        "custody",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("action", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=160), nullable=True),
        sa.Column("actor_salt", sa.String(length=64), nullable=True),
        sa.Column("reason", sa.String(length=500), nullable=True),
        sa.Column("reason_salt", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("store", "place", name=op.f("pk_custody")),
    )
    op.create_index("ix_custody_subject", "custody", ["store", "subject", "place"], unique=False)
    op.create_table(
        "custody_log",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("log", sa.String(length=36), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", name=op.f("pk_custody_log")),
    )
    op.create_table(
        "custody_node",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("place", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("store", "level", "place", name=op.f("pk_custody_node")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("clip", sa.String(length=36), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("held_by", sa.String(length=36), nullable=False),
        sa.Column("held_at", Instant(), nullable=False),
        sa.Column("asked_by", sa.String(length=36), nullable=True),
        sa.Column("asked_at", Instant(), nullable=True),
        sa.Column("asked_reason", sa.String(length=500), nullable=True),
        sa.Column("released_by", sa.String(length=36), nullable=True),
        sa.Column("released_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index("ix_hold_clip", "hold", ["store", "clip"], unique=False)
    op.create_table(
        "ticket",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("clip", sa.String(length=36), nullable=False),
        sa.Column("ticket_sha256", sa.String(length=64), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", "clip", name=op.f("pk_ticket")),
    )
    op.create_table(
        "tree_head",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("root", sa.String(length=64), nullable=False),
        sa.Column("at_ms", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("signature", sa.String(length=128), nullable=False),
        sa.Column("stamp", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("store", "size", name=op.f("pk_tree_head")),
    )
    op.create_table(
        "witness",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("root", sa.String(length=64), nullable=True),
        sa.Column("at_ms", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("signature", sa.String(length=128), nullable=True),
        sa.Column("heard_at", Instant(), nullable=True),
        sa.Column("refused", sa.String(length=200), nullable=True),
        sa.Column("refused_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("store", "device", name=op.f("pk_witness")),
    )
