"""Time stamps of the custody log's heads: when and by whom, and how asking for them goes."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("tree_head", sa.Column("stamped_at", Instant(), nullable=True))
    op.add_column("tree_head", sa.Column("stamped_by", sa.String(length=160), nullable=True))
    op.create_table(
        "stamping",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("tried_at", Instant(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.PrimaryKeyConstraint("store", name=op.f("pk_stamping")),
    )
