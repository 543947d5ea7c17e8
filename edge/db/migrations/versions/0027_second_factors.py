"""Second factors and recovery codes; how each session was begun, and in which browser."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant, id_kind, name_kind

revision = "0027"
down_revision = "0026"


def upgrade() -> None:
    op.create_table(
        "second_factor",
        sa.Column("person", id_kind(), primary_key=True),
        sa.Column("store", name_kind(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("set_at", Instant(), nullable=False),
    )
    op.create_table(
        "recovery_code",
        sa.Column("person", id_kind(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("code_hash", sa.String(length=200), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
    )
    op.add_column("session", sa.Column("strong", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("session", sa.Column("browser", sa.String(length=80), nullable=False, server_default=""))
