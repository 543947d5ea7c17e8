"""Access requests: a person asks for the footage of themselves."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    op.create_table(
        "access_clip",
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.Column("clip", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("hold", sa.String(length=36), nullable=False),
        sa.Column("chosen", sa.Boolean(), nullable=False),
        sa.Column("masks", sa.JSON(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("copy", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.Column("watched_name", sa.String(length=80), nullable=True),
        sa.Column("watched_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("request", "clip", name=op.f("pk_access_clip")),
    )
    op.create_index("ix_access_clip_clip", "access_clip", ["store", "clip"], unique=False)
    op.create_table(
        "access_count",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("store", "year", name=op.f("pk_access_count")),
    )
    op.create_table(
        "access_request",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("came", sa.String(length=16), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("contact", sa.String(length=300), nullable=True),
        sa.Column("identity", sa.String(length=300), nullable=True),
        sa.Column("description", sa.String(length=300), nullable=True),
        sa.Column("zone", sa.String(length=32), nullable=False),
        sa.Column("began_at", Instant(), nullable=False),
        sa.Column("ended_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("extended_on", sa.Date(), nullable=True),
        sa.Column("answer", sa.String(length=16), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("letter", sa.Text(), nullable=True),
        sa.Column("package", sa.String(length=16), nullable=True),
        sa.Column("package_bytes", sa.BigInteger(), nullable=True),
        sa.Column("trouble", sa.String(length=300), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("erased_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_request")),
        sa.UniqueConstraint("store", "year", "number", name=op.f("uq_access_request_store_year_number")),
    )
    op.create_index(
        "ix_access_request_received", "access_request", ["store", "received_on", "id"], unique=False
    )
    op.create_index(
        "ix_access_request_waiting",
        "access_request",
        ["store", "zone"],
        unique=False,
        sqlite_where=sa.text("state IN ('open', 'extended')"),
        postgresql_where=sa.text("state IN ('open', 'extended')"),
    )
    op.create_table(
        "access_step",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("through", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_step")),
    )
    op.create_index("ix_access_step", "access_step", ["request", "id"], unique=False)
