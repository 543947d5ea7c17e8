"""What phones sent under an id of its own. A phone that heard no answer sends the same tap again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from edge.db.inserts import if_new
from edge.db.store_tables import tap

# Longer than any phone keeps one.
KEPT = timedelta(days=2)
_INSERT = if_new(tap, ["store", "person", "id"])


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of a tap: done, or `refused` with a sentence."""

    refused: str | None


def find(conn: sa.Connection, store: str, person: str, id_: str) -> Answered | None:
    """What this person's tap was answered with, if it was here before."""
    query = sa.select(tap.c.refused).where(tap.c.store == store, tap.c.person == person, tap.c.id == id_)
    row = conn.execute(query).first()
    return Answered(row.refused) if row is not None else None


def claim(
    conn: sa.Connection, store: str, person: str, id_: str, now: datetime, refused: str | None = None
) -> bool:
    """Write what the tap is answered with; False if it was answered before, by whichever process."""
    values = {"store": store, "person": person, "id": id_, "at": now, "refused": refused}
    values["refused"] = refused[:500] if refused else None
    return conn.execute(_INSERT[conn.dialect.name], values).rowcount == 1


def sweep(conn: sa.Connection, store: str, now: datetime) -> None:
    """Forget those that no phone can send again."""
    conn.execute(sa.delete(tap).where(tap.c.store == store, tap.c.at < now - KEPT))
