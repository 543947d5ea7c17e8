"""Revoked devices, and every certificate that a device was given."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0028"
down_revision = "0027"


def upgrade() -> None:
    op.add_column("device", sa.Column("revoked_at", Instant(), nullable=True))
    op.add_column("device", sa.Column("revoked_reason", sa.String(length=200), nullable=True))
    op.create_table(
        "certificate",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("serial", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("signing_key", sa.String(length=64), nullable=True),
        sa.Column("valid_from", Instant(), nullable=False),
        sa.Column("valid_until", Instant(), nullable=False),
        sa.Column("revoked_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("store", "serial"),
    )
    op.create_index("ix_certificate_device", "certificate", ["store", "device"])
    op.execute(
        "INSERT INTO certificate (store, serial, device, sha256, signing_key, valid_from, valid_until) "
        "SELECT store, certificate_serial, name, certificate_sha256, signing_key, valid_from, valid_until "
        "FROM device WHERE certificate_serial IS NOT NULL"
    )
