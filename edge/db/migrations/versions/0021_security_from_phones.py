"""A second PIN of each person, and tampering found by its time."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"

_TAMPER = sa.text("kind = 'tamper'")


def upgrade() -> None:
    op.add_column("person", sa.Column("duress_hash", sa.String(length=200), nullable=True))
    op.create_index(
        "ix_interaction_tamper",
        "interaction",
        ["store", "raised_at", "id"],
        sqlite_where=_TAMPER,
        postgresql_where=_TAMPER,
    )
