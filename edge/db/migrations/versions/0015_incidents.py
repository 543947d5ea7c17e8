"""Incidents: what is written into them is never changed, and a trigger says so."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import Instant

revision = "0015"
down_revision = "0011"

_FOR_EVER = ("incident_entry", "incident_step")
_SAYS = "What is written into an incident is not changed; correct it by a further entry."
_SQLITE = "CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} BEGIN SELECT RAISE(ABORT, '{says}'); END"
_POSTGRESQL = (
    "CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION incident_stays()"
)


def upgrade() -> None:
    op.create_table(
        "incident",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("classed_as", sa.String(length=32), nullable=False),
        sa.Column("zone", sa.String(length=32), nullable=False),
        sa.Column("happened_at", Instant(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("opened_by", sa.String(length=36), nullable=True),
        sa.Column("request", sa.String(length=36), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=True),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident")),
        sa.UniqueConstraint("store", "year", "number", name=op.f("uq_incident_store_year_number")),
    )
    op.create_index("ix_incident_happened", "incident", ["store", "happened_at", "id"], unique=False)
    op.create_index(
        "ix_incident_open",
        "incident",
        ["store", "zone"],
        unique=False,
        sqlite_where=sa.text("state = 'open'"),
        postgresql_where=sa.text("state = 'open'"),
    )
    op.create_index(
        "uq_incident_request",
        "incident",
        ["store", "request"],
        unique=True,
        sqlite_where=sa.text("request IS NOT NULL"),
        postgresql_where=sa.text("request IS NOT NULL"),
    )
    op.create_table(
        "incident_asked",
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("asked_at", Instant(), nullable=False),
        sa.Column("asked_by", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("incident", "person", name=op.f("pk_incident_asked")),
    )
    op.create_index("ix_incident_asked_person", "incident_asked", ["store", "person"], unique=False)
    op.create_table(
        "incident_clip",
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("clip", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "clip", name=op.f("pk_incident_clip")),
    )
    op.create_index("ix_incident_clip_clip", "incident_clip", ["store", "clip"], unique=False)
    op.create_table(
        "incident_count",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("year", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("last", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("store", "year", name=op.f("pk_incident_count")),
    )
    op.create_table(
        "incident_due",
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("request", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("store", "request", name=op.f("pk_incident_due")),
    )
    op.create_table(
        "incident_entry",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("said_by", sa.String(length=80), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=True),
        sa.Column("amount_cents", sa.BigInteger(), nullable=True),
        sa.Column("happened_at", Instant(), nullable=True),
        sa.Column("corrects", sa.Integer(), nullable=True),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("through", sa.String(length=16), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_entry")),
        sa.UniqueConstraint("incident", "corrects", name=op.f("uq_incident_entry_incident_corrects")),
        sa.UniqueConstraint("incident", "number", name=op.f("uq_incident_entry_incident_number")),
    )
    op.create_index("ix_incident_entry_person", "incident_entry", ["store", "person"], unique=False)
    op.create_table(
        "incident_identity",
        sa.Column("entry", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("identity", sa.String(length=300), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("person", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("written_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("entry", name=op.f("pk_incident_identity")),
    )
    op.create_table(
        "incident_request",
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("interaction", sa.String(length=36), nullable=False),
        sa.Column("store", sa.String(length=32), nullable=False),
        sa.Column("linked_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("incident", "interaction", name=op.f("pk_incident_request")),
    )
    op.create_index("ix_incident_request_interaction", "incident_request", ["interaction"], unique=False)
    op.create_table(
        "incident_step",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("incident", sa.String(length=36), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("what", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=True),
        sa.Column("person", sa.String(length=36), nullable=True),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("through", sa.String(length=16), nullable=False),
        sa.Column("words", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_incident_step")),
    )
    op.create_index("ix_incident_step", "incident_step", ["incident", "id"], unique=False)
    sqlite = op.get_bind().dialect.name == "sqlite"
    if not sqlite:
        op.execute(
            f"CREATE FUNCTION incident_stays() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION '{_SAYS}'; END $$ LANGUAGE plpgsql"
        )
    for table in _FOR_EVER:
        op.execute((_SQLITE if sqlite else _POSTGRESQL).format(table=table, says=_SAYS))
