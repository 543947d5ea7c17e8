"""Inserts that bear with a row that is there already: each database has a form of its own."""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

# By the name of a connection's dialect.
INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


def if_new(
    table: sa.Table, key: Sequence[str] | None = None, returning: Sequence[sa.Column[Any]] = ()
) -> dict[str, Any]:
    """An insert that leaves alone what is there, by dialect; built once, for a press may wait for it.

    Without `key` any of the table's keys counts. `returning` is given of the new rows alone.
    """
    found = {}
    for dialect, insert in INSERT.items():
        new = insert(table).on_conflict_do_nothing(index_elements=key)
        found[dialect] = new.returning(*returning) if returning else new
    return found
