"""Presence with an end and a cover, hand-over, declined pages, feedback, audit and settings."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("person", sa.Column("presence_until", Instant(), nullable=True))
    op.add_column("person", sa.Column("cover", sa.String(length=36), nullable=True))
    op.add_column("session", sa.Column("heard_at", Instant(), nullable=True))
    op.add_column("interaction", sa.Column("handover_to", sa.String(length=36), nullable=True))
    op.add_column("interaction", sa.Column("handover_at", Instant(), nullable=True))
    op.add_column("page", sa.Column("answer", sa.String(length=200), nullable=True))
    op.create_table(
        "feedback",
        sa.Column("interaction", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=32), nullable=False),
        sa.Column("about", sa.String(length=36), nullable=True),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("score", sa.Integer(), nullable=False),
        sa.Column("answers", sa.JSON(), nullable=False),
        sa.Column("judged", sa.String(length=16), nullable=False),
        sa.Column("why", sa.String(length=200), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("entered_by", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("interaction", name=op.f("pk_feedback")),
    )
    op.create_index("ix_feedback_at", "feedback", ["store", "at"])
    op.create_index("ix_feedback_device", "feedback", ["store", "device", "at"])
    op.create_index("ix_feedback_about", "feedback", ["store", "about"])
    op.create_index(
        "uq_feedback_code",
        "feedback",
        ["store", "about"],
        unique=True,
        sqlite_where=sa.text("source = 'code'"),
        postgresql_where=sa.text("source = 'code'"),
    )
    op.create_table(
        "audit",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=True),
        sa.Column("actor", sa.String(length=80), nullable=False),
        sa.Column("through", sa.String(length=16), nullable=False),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index("ix_audit_at", "audit", ["store", "at", "id"])
    op.create_table(
        "setting",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("value", sa.JSON(), nullable=False),
        sa.Column("changed_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", "name", name=op.f("pk_setting")),
    )
