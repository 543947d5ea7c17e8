"""Renewed certificates, the CAs that devices trust, and identities that seem to be used twice."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0030"
down_revision = "0029"


def upgrade() -> None:
    op.add_column("device", sa.Column("trusts", sa.String(length=300), nullable=True))
    op.add_column("device", sa.Column("trusts_at", Instant(), nullable=True))
    op.add_column("device", sa.Column("doubted_at", Instant(), nullable=True))
    op.add_column("device", sa.Column("doubted_words", sa.String(length=300), nullable=True))
    op.add_column("certificate", sa.Column("issuer", sa.String(length=64), nullable=True))
    op.add_column("certificate", sa.Column("public_key", sa.String(length=64), nullable=True))
    op.add_column("certificate", sa.Column("renews", sa.String(length=64), nullable=True))
    op.add_column("certificate", sa.Column("pem", sa.Text(), nullable=True))
    op.add_column("certificate", sa.Column("seen_at", Instant(), nullable=True))
