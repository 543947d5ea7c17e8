"""What is known of a kiosk's clock when it tells of a clip; and exports of whole incidents."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0026"
down_revision = "0025"


def upgrade() -> None:
    op.add_column("clip", sa.Column("clock_synced", sa.Boolean(), nullable=True))
    op.add_column("clip", sa.Column("clock_behind_ms", sa.BigInteger(), nullable=True))
    op.add_column("clip", sa.Column("clock_heard_at", Instant(), nullable=True))
    op.add_column("export", sa.Column("incident", sa.String(length=36), nullable=True))
    op.add_column("export", sa.Column("left_out", sa.JSON(), nullable=True))
    op.add_column("export", sa.Column("incident_file", sa.LargeBinary(), nullable=True))
