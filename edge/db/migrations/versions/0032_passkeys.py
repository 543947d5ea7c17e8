"""Passkeys; when each session was last proven."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant, id_kind, name_kind

revision = "0032"
down_revision = "0031"


def upgrade() -> None:
    op.create_table(
        "passkey",
        sa.Column("credential_sha256", sa.String(length=64), primary_key=True),
        sa.Column("store", name_kind(), nullable=False),
        sa.Column("person", id_kind(), nullable=False),
        sa.Column("credential", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("host", sa.String(length=253), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("added_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.Column("behind_at", Instant(), nullable=True),
    )
    op.create_index("ix_passkey_person", "passkey", ["person"])
    op.create_table(
        "spent_challenge",
        sa.Column("challenge_sha256", sa.String(length=64), primary_key=True),
        sa.Column("store", name_kind(), nullable=False),
        sa.Column("until", Instant(), nullable=False),
    )
    op.add_column("session", sa.Column("proven_at", Instant(), nullable=True))
