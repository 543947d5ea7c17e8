"""Which scores wait to be judged."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "judge_due",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("from_at", Instant(), nullable=False),
        sa.Column("to_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("store", "device", name=op.f("pk_judge_due")),
    )
