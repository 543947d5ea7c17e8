"""Alembic's entry: runs the migrations on the engine that edge.db.engine.migrate names."""

from alembic import context

from edge.db import (  # noqa: F401 (their tables belong to the metadata)
    access_tables,
    backup_tables,
    drill_tables,
    evidence_tables,
    feedback_tables,
    incident_tables,
    outside_tables,
    push_tables,
    store_tables,
    supervision_tables,
    tables,
    update_tables,
)
from edge.db.columns import metadata
from edge.db.engine import connect

engine = connect(context.config.attributes["url"], write=True)
with engine.connect() as connection:
    context.configure(
        connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
engine.dispose()
