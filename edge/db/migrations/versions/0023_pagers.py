"""Hardware pagers: which devices are pagers, who holds them, and which pages each was called by."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.add_column("device", sa.Column("pager", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("device", sa.Column("holder", sa.String(length=36), nullable=True))
    op.add_column("outgoing", sa.Column("attempt", sa.String(length=36), nullable=True))
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("pager", sa.String(length=32), nullable=False),
        sa.Column("page", sa.String(length=36), nullable=False),
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("sent_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attempt")),
    )
    op.create_index("ix_attempt_request", "attempt", ["request", "pager"])
    op.create_index("ix_attempt_pager", "attempt", ["store", "pager", "created_at"])
