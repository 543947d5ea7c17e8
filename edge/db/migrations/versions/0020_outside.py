"""What leaves the store: happenings, deliveries with their tries, and the channels that the messenger knows."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant, counter_kind

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    op.create_table(
        "outside_happening",
        sa.Column("id", counter_kind, autoincrement=True, nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=True),
        sa.Column("person", sa.String(length=36), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("spread_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_happening")),
    )
    unspread = sa.text("spread_at IS NULL")
    op.create_index(
        "ix_outside_happening_new",
        "outside_happening",
        ["store", "id"],
        sqlite_where=unspread,
        postgresql_where=unspread,
    )
    op.create_table(
        "outside_delivery",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("happening", sa.BigInteger(), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(length=24), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("silent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("give_up_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outside_delivery")),
        sa.UniqueConstraint(
            "happening", "channel", "part", name=op.f("uq_outside_delivery_happening_channel_part")
        ),
    )
    op.create_index("ix_outside_delivery_log", "outside_delivery", ["store", "created_at", "id"])
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_outside_delivery_waiting",
        "outside_delivery",
        ["store", "next_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_table(
        "outside_try",
        sa.Column("delivery", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("delivery", "number", name=op.f("pk_outside_try")),
    )
    op.create_table(
        "outside_channel",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.Column("fault", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("store", "channel", name=op.f("pk_outside_channel")),
    )
