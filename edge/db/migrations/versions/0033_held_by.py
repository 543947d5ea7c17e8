"""Who held the pager that raised a request: they are not called for it, also when it is handed on."""

import sqlalchemy as sa
from alembic import op

from edge.db.columns import id_kind

revision = "0033"
down_revision = "0032"


def upgrade() -> None:
    op.add_column("interaction", sa.Column("held_by", id_kind(), nullable=True))
