"""Pushes to locked phones: subscriptions, what is to be sent, each try; and which pages an open page had."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0025"
down_revision = "0024"


def upgrade() -> None:
    op.add_column("page", sa.Column("streamed_at", Instant(), nullable=True))
    op.create_table(
        "push_subscription",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("endpoint", sa.String(length=1000), nullable=False),
        sa.Column("p256dh", sa.String(length=90), nullable=False),
        sa.Column("auth", sa.String(length=24), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("shown_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscription")),
        sa.UniqueConstraint("session", name=op.f("uq_push_subscription_session")),
    )
    op.create_index(op.f("ix_push_subscription_person"), "push_subscription", ["person"])
    op.create_table(
        "push",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=36), nullable=True),
        sa.Column("request", sa.String(length=36), nullable=True),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("session", sa.String(length=64), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("give_up_at", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=True),
        sa.Column("claimed_by", sa.String(length=80), nullable=True),
        sa.Column("claimed_until", Instant(), nullable=True),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.Column("shown_at", Instant(), nullable=True),
        sa.Column("opened_at", Instant(), nullable=True),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push")),
    )
    op.create_index(op.f("ix_push_page"), "push", ["page"])
    op.create_index(op.f("ix_push_request"), "push", ["request"])
    waiting = sa.text("next_at IS NOT NULL")
    op.create_index(
        "ix_push_waiting",
        "push",
        ["store", "next_at"],
        sqlite_where=waiting,
        postgresql_where=waiting,
    )
    op.create_index("ix_push_old", "push", ["store", "created_at"])
    op.create_table(
        "push_try",
        sa.Column("push", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=True),
        sa.Column("words", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("push", "number", name=op.f("pk_push_try")),
    )
    op.create_table(
        "push_sender",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("seen_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", name=op.f("pk_push_sender")),
    )
