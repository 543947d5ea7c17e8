"""What phones sent, so that a tap which comes again changes nothing."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "tap",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("refused", sa.String(length=500), nullable=True),
        sa.PrimaryKeyConstraint("store", "person", "id", name=op.f("pk_tap")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_tap_at", "tap", ["at"])
