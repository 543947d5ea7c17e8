"""What a zone is watched for: drawers that stay open, and movement where nobody should be."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.add_column("zone", sa.Column("drawer_s", sa.Integer(), server_default="60", nullable=False))
    op.add_column("zone", sa.Column("watched", sa.String(length=16), server_default="never", nullable=False))
    op.add_column("zone", sa.Column("opens", sa.String(length=5), nullable=True))
    op.add_column("zone", sa.Column("closes", sa.String(length=5), nullable=True))
