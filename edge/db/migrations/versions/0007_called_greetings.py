"""When people were first called for a greeting that nobody had answered."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("interaction", sa.Column("called_at", sa.BigInteger(), nullable=True))
