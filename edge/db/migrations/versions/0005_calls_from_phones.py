"""Who called from a phone: a request that no device raised."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("interaction", sa.Column("raised_by", sa.String(length=36), nullable=True))
