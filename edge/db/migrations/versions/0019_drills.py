"""Drills and who agreed to answer them."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    op.create_table(
        "drill",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("cause", sa.String(length=16), nullable=False),
        sa.Column("asked_by", sa.String(length=80), nullable=True),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("people", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("responder", sa.String(length=36), nullable=True),
        sa.Column("responder_name", sa.String(length=80), nullable=True),
        sa.Column("built_in", sa.Boolean(), nullable=False),
        sa.Column("begun_at", Instant(), nullable=True),
        sa.Column("until", Instant(), nullable=True),
        sa.Column("after_message", sa.BigInteger(), nullable=True),
        sa.Column("told_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("hop", sa.String(length=16), nullable=True),
        sa.Column("words", sa.String(length=400), nullable=True),
        sa.Column("result", sa.Text(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=True),
        sa.Column("signature", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill")),
    )
    op.create_index("ix_drill_asked", "drill", ["store", "asked_at"])
    going_on = sa.text("state IN ('asked', 'running')")
    unsigned = sa.text("result IS NOT NULL AND signature IS NULL")
    for name, where in (("ix_drill_going_on", going_on), ("ix_drill_unsigned", unsigned)):
        op.create_index(name, "drill", ["store", "asked_at"], sqlite_where=where, postgresql_where=where)
    op.create_table(
        "drill_person",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("agreed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", "person", name=op.f("pk_drill_person")),
    )
